"""The container's health: over HTTP that /health answers; over stdio the client that holds the pipe is the check."""

from __future__ import annotations

import sys
import urllib.request
from itertools import pairwise
from pathlib import Path

TIMEOUT_S = 3
DEFAULT_PORT = "8000"


def port(command: list[str]) -> str | None:
    """Where a server started so listens, None where it serves stdio."""
    if "--http" not in command:
        return None
    given = [word.removeprefix("--port=") for word in command if word.startswith("--port=")]
    after = [word for option, word in pairwise(command) if option == "--port"]
    return (*given, *after, DEFAULT_PORT)[0]


def healthy(first_process: bytes) -> bool:
    """What the arguments of process 1, each with a NUL at its end, say about what to ask."""
    found = port(first_process.decode(errors="replace").split("\0"))
    if found is None:
        return True
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{found}/health", timeout=TIMEOUT_S) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(not healthy(Path("/proc/1/cmdline").read_bytes()))
