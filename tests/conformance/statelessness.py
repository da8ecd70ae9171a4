"""What the scenario `server-stateless` calls, and a tool whose argument a header repeats."""

from __future__ import annotations

from typing import Annotated

from mcp.shared.exceptions import MCPError
from mcp.types import InputRequiredResult
from mcp.types.jsonrpc import MISSING_REQUIRED_CLIENT_CAPABILITY
from pydantic import Field

from hybrid_mcp.host import Calls
from hybrid_mcp.server import HybridServer
from tests.conformance.asking import form


def add_statelessness(server: HybridServer) -> None:
    @server.tool(description="Needs a client that has a model")
    async def test_missing_capability(ctx: Calls) -> str:
        can = ctx.client_capabilities
        if can is None or can.sampling is None:
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY, message="The client must have a model",
                data={"requiredCapabilities": {"sampling": {}}},
            )  # fmt: skip
        return "It has"

    @server.tool(description="Asks in its result, never on its stream")
    async def test_streaming_elicitation(ctx: Calls) -> str | InputRequiredResult:
        if ctx.input_responses is None:
            return InputRequiredResult(input_requests={"confirm": form("Please confirm", "ok", kind="boolean")})
        return "Confirmed"

    @server.tool(description="Logs a line to a client that wants lines")
    async def test_logging_tool(ctx: Calls) -> str:
        await ctx.info("A line")  # pyright: ignore[reportDeprecated]
        return "Logged"

    @server.tool(description="Takes a region, which a header of the request repeats")
    def test_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        return region
