"""`python -m hybrid_mcp` is the same as `hybrid-mcp`."""

from hybrid_mcp.cli import main

if __name__ == "__main__":
    main()
