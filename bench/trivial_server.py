"""The floor: the smallest server on the same SDK."""

from mcp.server import MCPServer

server = MCPServer("trivial")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    server.run("stdio")
