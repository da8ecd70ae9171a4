"""What a client starts of the bundle: the same as `hybrid-mcp`."""

from hybrid_mcp.cli import main

main()
