"""How much the tests do: `make test-long` does all of it, and the usual run what fits into minutes."""

from __future__ import annotations

import os

LONG = bool(os.environ.get("HYBRID_MCP_TEST_LONG"))
