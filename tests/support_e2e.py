"""The installed program, driven as its users drive it: over stdio, and from a shell."""

from __future__ import annotations

import atexit
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal, cast

from mcp import Client, StdioServerParameters

from tests.support_long import LONG
from tests.support_network import guarded_programs

PROGRAM = Path(sys.executable).with_name("hybrid-mcp")
QUICK_START = Path(__file__).parent / "quick_start"
FRESH = {"HYBRID_MCP_TEST_FRESH": "1"}
"""In the environment of a start: really from nothing, as a user's is."""

EMBEDDED_ONLY = """\
profile: embedded-only
monthly_budget: 5
max_cost: 1
routing_rules:
  complexity_threshold: 0.6
  always_try_local_first: true
  local_models: ["embedded:smollm2"]
  cloud_models: ["gemini:gemini-3.8-flash"]
  fallback: local_best_effort
"""
"""Independent of what else runs on the machine."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """As on a fresh machine: no key, no setting of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    nobody = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return {**kept, **pip, **guarded_programs(), **nobody, "HYBRID_MCP_HOME": str(home), **more}


def write_profile(home: Path, text: str = EMBEDDED_ONLY, name: str = "test") -> Path:
    folder = home / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def program(environ: Mapping[str, str] | None = None) -> str:
    """What runs the program in a process of its own, in this environment.

    The process comes from one that has imported everything, which takes a tenth of the time, unless it shall be FRESH.
    """
    fresh = environ is not None and FRESH.keys() <= environ.keys()
    return str(PROGRAM) if fresh or LONG or sys.platform != "linux" else _quick_start()


@cache
def _quick_start() -> str:
    """Starts the process that all programs of these tests come from."""
    folder = Path(mkdtemp(prefix="hybrid-mcp-"))
    address, command = folder / "socket", folder / PROGRAM.name
    start = shlex.join([sys.executable, "-I", "-S", str(QUICK_START / "start.py"), str(address)])
    command.write_text(f'#!/bin/sh\nexec {start} "$@"\n', encoding="utf-8")
    command.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        parent = subprocess.Popen(
            [sys.executable, str(QUICK_START / "parent.py"), str(listener.fileno())], env=environment(folder),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[listener.fileno()], start_new_session=True,
        )  # fmt: skip

    def end() -> None:
        parent.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return str(command)


def session(home: Path, *arguments: str, mode: Literal["auto", "legacy"] = "auto", **env: str) -> Client:
    """A client of `hybrid-mcp serve` in a process of its own."""
    return Client(server_parameters(home, *arguments, **env), mode=mode)


def server_parameters(home: Path, *arguments: str, **env: str) -> StdioServerParameters:
    return StdioServerParameters(command=program(env), args=["serve", *arguments], env=environment(home, **env))


def run(home: Path, *arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        [program(env), *arguments], input=stdin, env=environment(home, **env), capture_output=True, text=True,
        timeout=120, check=False, encoding="utf-8",
    )  # fmt: skip


def printed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON object on stdout of a command that must have succeeded."""
    assert done.returncode == 0, done.stderr
    return cast("dict[str, Any]", json.loads(done.stdout))


def in_a_terminal(home: Path, arguments: list[str], answer: bytes) -> str:
    """What a command shows whose owner types this answer."""
    import pty  # noqa: PLC0415 - not on Windows

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [program(), *arguments], env=environment(home), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    os.close(theirs)
    os.write(ours, answer)
    shown = process.communicate(timeout=60)[0]
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()
