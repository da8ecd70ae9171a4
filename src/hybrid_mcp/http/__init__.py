"""MCP over streamable HTTP. Every request passes, in this order: Host and Origin, the token, the size, the route."""
