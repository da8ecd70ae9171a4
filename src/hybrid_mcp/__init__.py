"""hybrid-mcp: an MCP server that answers a sub-task with the cheapest model that can do it."""

__version__ = "0.1.0"
