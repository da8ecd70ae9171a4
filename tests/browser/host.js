// A page that plays an MCP host, with the bridge of the MCP Apps SDK.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const theme = new URLSearchParams(location.search).get("theme") || "light";
const call = async (params) => (await fetch("call", { method: "POST", body: JSON.stringify(params) })).json();
const frame = document.createElement("iframe");
frame.title = "Budget";
frame.sandbox = "allow-scripts";
frame.style = "width: 100%; border: 0";

window.calls = [];
window.sizes = [];
const bridge = new AppBridge(null, { name: "a host", version: "1" }, { serverTools: {} }, { hostContext: { theme } });
window.bridge = bridge;
bridge.oncalltool = (params) => { window.calls.push(params); return call(params); };
bridge.onsizechange = ({ height }) => { window.sizes.push(height); frame.style.height = `${height}px`; };
bridge.oninitialized = async () => {
  const asked = { name: "budget_status", arguments: {} };
  await bridge.sendToolInput({ arguments: asked.arguments });
  if (!location.search.includes("silent")) await bridge.sendToolResult(await call(asked));
};
document.body.style.margin = "0";
document.body.append(frame);
await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
frame.srcdoc = await (await fetch("/resource")).text();
