// The page in a real Chromium: as a page of its own, and in a host that speaks through the bridge of the MCP Apps SDK.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TOOLS = join(ROOT, ".cache/browser");
const require = createRequire(join(TOOLS, "package.json"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const PICTURES = process.env.PICTURES;
const MARKUP = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';

let server, browser, url, profile;

before(async () => {
  const script = join(TOOLS, "host.js");
  require("esbuild").buildSync({ entryPoints: [join(ROOT, "tests/browser/host.js")], bundle: true, format: "esm", minify: true,
    outfile: script, nodePaths: [join(TOOLS, "node_modules")], logLevel: "error" });
  server = spawn(join(ROOT, ".venv/bin/python"), ["-m", "tests.browser.serve", script], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((resolve, reject) => {
    server.stdout.once("data", (line) => resolve(String(line).trim()));
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  profile = mkdtempSync(join(tmpdir(), "face-"));
  browser = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, headless: true, args: FLAGS, timezoneId: "Europe/Berlin" });
});

after(async () => {
  await browser?.close();
  server?.kill();
  if (profile) rmSync(profile, { recursive: true, force: true });
});

// A new page, with everything that it complains of; it must ask nobody but its own server.
async function opened(path, { scheme = "light", width = 700, height = 900 } = {}) {
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => { if (!/^(http:\/\/127\.0\.0\.1|data:|about:)/.test(request.url())) complaints.push(request.url()); });
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: scheme });
  await page.goto(url + path);
  return { page, complaints };
}

async function dashboard(house, options) {
  const one = await opened(`/${house}/dashboard`, options);
  await one.page.locator("#status:not(:empty), #error:not([hidden])").first().waitFor();
  return one;
}

async function inHost(house, query = "", options) {
  const one = await opened(`/${house}/host${query}`, options);
  await one.page.frameLocator("iframe").locator("#status:not(:empty), #error:not([hidden])").first().waitFor();
  return { ...one, frame: one.page.frames()[1] };
}

async function seriousIssues(frame) {
  await frame.evaluate(AXE);
  const { violations } = await frame.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
}

const text = (frame, id = "body") => frame.locator(id).innerText();
const overflow = (frame) => frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test("a browser shows what real calls cost, and why each model was taken", async () => {
  const { page, complaints } = await dashboard("data");
  const shown = await text(page);
  for (const words of ["$0.0274 spent", "of $5.00", "3 on this machine", "2 in the cloud", "1 from the cache", "acme:large-2026",
    "embedded:smollm2", "This month", "Today"]) assert.ok(shown.includes(words), `${words}: ${shown}`);
  assert.equal(await page.locator("#recent-box tbody tr").count(), 6);
  assert.ok((await text(page, "#recent-box")).includes("wants a fast local model"));
  assert.ok(!shown.includes("capital of France"));
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a host shows the same through messages, and the page asks it for another period", async () => {
  const { page, frame, complaints } = await inHost("data");
  assert.ok((await text(frame)).includes("2 in the cloud"));
  assert.equal(await frame.locator("#recent-box tbody tr").count(), 6);
  await frame.locator("#day").click();
  await frame.locator("#status", { hasText: "today" }).waitFor();
  await frame.locator("#refresh").click();
  await page.waitForFunction(() => window.calls.length === 2);
  const day = { name: "budget_status", arguments: { period: "day" } };
  assert.deepEqual(await page.evaluate(() => window.calls), [day, day]);
  assert.equal(await frame.locator("#day").getAttribute("aria-pressed"), "true");
  const sizes = await page.evaluate(() => window.sizes);
  assert.ok(sizes.at(-1) > 400, String(sizes));
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a host that sends no result is asked for one", async () => {
  const { page, frame } = await inHost("data", "?silent");
  assert.ok((await text(frame)).includes("2 in the cloud"));
  assert.equal(await page.evaluate(() => window.calls.length), 1);
  await page.close();
});

test("the page takes the host's theme, and follows when it changes", async () => {
  const { page, frame } = await inHost("data", "?theme=dark");
  const back = () => frame.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await back();
  await page.evaluate(() => window.bridge.setHostContext({ theme: "light" }));
  await frame.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, dark);
  assert.deepEqual([dark, await back()], ["rgb(21, 24, 28)", "rgb(255, 255, 255)"]);
  await page.close();
});

test("a browser's dark scheme is taken", async () => {
  const { page } = await dashboard("data", { scheme: "dark" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(21, 24, 28)");
  await page.close();
});

test("markup in names and reasons stays text", async () => {
  for (const open of [dashboard, inHost]) {
    const { page, frame = page, complaints } = await open("hostile");
    assert.equal(await frame.locator("img").count(), 0);
    assert.equal(await frame.evaluate(() => window.pwned), undefined);
    for (const id of ["#sums", "#alert-list", "#model-table", "#recent-box"]) assert.ok((await text(frame, id)).includes(MARKUP), id);
    assert.deepEqual(complaints, []);
    await page.close();
  }
});

test("messages of others than the host are not heard", async () => {
  const { page } = await dashboard("empty");
  await page.evaluate(() => window.postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-result",
    params: { structuredContent: { alerts: ["forged"] } } }, "*"));
  await page.evaluate(() => new Promise((done) => setTimeout(done)));
  assert.ok(!(await text(page)).includes("forged"));
  await page.close();
});

test("everything works by the keyboard, with a focus that is seen", async () => {
  const { page } = await dashboard("data");
  const focused = () => page.evaluate(() => document.activeElement.id);
  for (const id of ["month", "day"]) {
    await page.keyboard.press("Tab");
    assert.equal(await focused(), id);
  }
  assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth), "3px");
  await page.keyboard.press("Enter");
  await page.locator("#status", { hasText: "today" }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "refresh");
  const asked = page.waitForRequest(/data\?period=day/);
  await page.keyboard.press("Space");
  await asked;
  await page.close();
});

test("a page that is looked at asks again by itself", async () => {
  const page = await browser.newPage();
  await page.clock.install();
  await page.goto(`${url}/data/dashboard`);
  await page.locator("#status:not(:empty)").waitFor();
  const asked = page.waitForRequest(/data\?period=month/);
  await page.clock.runFor(10_000);
  await asked;
  await page.close();
});

test("a server that wants a token is given the one that its owner types", async () => {
  const { page } = await dashboard("locked");
  assert.equal(await page.evaluate(() => document.activeElement.id), "token");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.locator("#error", { hasText: "not accepted" }).waitFor();
  await page.locator("#token").fill("open-sesame");
  await page.keyboard.press("Enter");
  await page.locator("#status:not(:empty)").waitFor();
  assert.ok(await page.locator("#token-form").isHidden());
  assert.ok(await page.locator("#error").isHidden());
  await page.close();
});

const SAYS = {
  data: "left.", empty: "Nothing was answered this month", over: "Over budget", broken: "The figures cannot be shown now",
  rich: "$123,456.79", uncapped: "No cap is set", hostile: "Alerts",
};
for (const [house, words] of Object.entries(SAYS)) {
  test(`${house}: in light and dark nothing bars a reader, and nothing is cut at 320 pixels or with double zoom`, async () => {
    for (const [scheme, width] of [["light", 700], ["dark", 320]]) {
      const { page } = await dashboard(house, { scheme, width });
      assert.ok((await text(page)).includes(words), await text(page));
      assert.deepEqual(await seriousIssues(page), []);
      assert.ok((await overflow(page)) <= 0, `${width} px`);
      await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
      assert.ok((await overflow(page)) <= 0, `${width} px, twice as large`);
      await page.close();
    }
    const { page, frame } = await inHost(house, "?theme=dark");
    assert.deepEqual(await seriousIssues(frame), []);
    await page.close();
  });
}

test("pictures for the docs", { skip: !PICTURES }, async () => {
  mkdirSync(PICTURES, { recursive: true });
  for (const house of ["data", "empty", "over"]) {
    for (const scheme of ["light", "dark"]) {
      const { page } = await dashboard(house, { scheme, width: 480, height: 400 });
      await page.screenshot({ path: join(PICTURES, `budget-${house}-${scheme}.png`), fullPage: true });
      await page.close();
    }
  }
});
