"""The page as an MCP App: a resource that `budget_status` names, and what its results hold for the page alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.apps import Apps, client_supports_apps
from mcp.server.mcpserver.resources import FileResource

from hybrid_mcp.face import PAGE, recent_rows
from hybrid_mcp.host import Calls

if TYPE_CHECKING:
    from hybrid_mcp.app import App
    from hybrid_mcp.domain.budget import Account

URI = "ui://hybrid-mcp/budget"
RECENT = "hybrid-mcp/recent"
"""The key in a result's `_meta`: models do not see it, and do not pay for it."""
TOOL_META = {"ui": {"resourceUri": URI}}


def budget_app() -> Apps:
    """The extension of the server. It asks for no host of the network, so an MCP host lets the page reach none."""
    apps = Apps()
    apps.add_resource(FileResource(uri=URI, name="budget", path=PAGE, meta={"ui": {"prefersBorder": True}}))
    return apps


def for_the_page(ctx: Calls, app: App, account: Account) -> dict[str, Any] | None:
    """A result's `_meta` for a client that shows the page; None for any other."""
    return {RECENT: recent_rows(app, account)} if client_supports_apps(ctx) else None
