"""The command line: `hybrid-mcp` alone serves MCP over stdio; everything else is for the owner in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.launch import INTERRUPTED, REFUSED, Common, serve


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(given)
    except HybridError as error:
        sys.stderr.write(f"hybrid-mcp: {error}\n")
        code = REFUSED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        from hybrid_mcp.terminal import forget_stdout

        forget_stdout()
        code = REFUSED
    sys.exit(code)


def _run(given: list[str]) -> int:
    if given in ([], ["serve"]):
        # What MCP clients start: the parser's import alone would cost a tenth of the time to the first answer.
        return serve(Common())
    from hybrid_mcp.commands import parse_and_run

    return parse_and_run(given)
