"""Runs code in a sandbox of bubblewrap (`bwrap`), in namespaces of its own: Linux only."""

from __future__ import annotations

import json
import os
import platform
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process

from hybrid_mcp.domain.code_check import NO_TIME, CodeRun
from hybrid_mcp.sandbox.command import Interpreter, command
from hybrid_mcp.sandbox.system_calls import MACHINES, program

RUN_S = 5.0
"""The code and the assertions together; a sandbox that is starting up is not counted."""
AT_ONCE = 2
TRIAL_S = 20.0
"""How long a first sandbox may take on a busy machine."""

PLACES = tuple(map(Path, ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap", "/run/current-system/sw/bin/bwrap")))
"""Never where PATH leads: a client may start the server in a folder that somebody else has filled."""
INSIDE = Path(__file__).with_name("inside.py")

NOT_LINUX = "they are run on Linux only (x86-64, arm64)"
NOT_THERE = "bubblewrap is not installed: the owner installs it (`apt install bubblewrap`, `dnf install bubblewrap`)"
NOT_WORKING = (
    "bubblewrap cannot make a sandbox here: it is older than 0.7, or user namespaces are forbidden, as in most "
    "containers; the owner finds what to do in docs/code-checks.md, or sets `code_check: off`"
)
_MOST_HEARD = 200
"""Bytes that are read of what comes out: a few short words."""


def _places_at_once() -> anyio.Semaphore:
    return anyio.Semaphore(AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubblewrap:
    """Implements `CodeRunner`; at most `AT_ONCE` sandboxes run for one instance."""

    run_s: float = RUN_S
    places: tuple[Path, ...] = PLACES
    _free: anyio.Semaphore = field(default_factory=_places_at_once, repr=False, compare=False)

    async def run(self, code: str, assertions: str, limit_s: float) -> CodeRun:
        with anyio.move_on_after(limit_s):
            async with self._free:
                return await self._run(code, assertions)
        return CodeRun(outcome="not_run", why=NO_TIME)

    async def trouble(self) -> str | None:
        found = await self.run("print(1)", "assert True", TRIAL_S)
        return None if found.outcome == "passed" else found.why or NOT_WORKING

    async def _run(self, code: str, assertions: str) -> CodeRun:
        machine = MACHINES.get(platform.machine())
        if sys.platform != "linux" or machine is None:
            return CodeRun(outcome="not_run", why=NOT_LINUX)
        bwrap = next((path for path in self.places if path.is_file()), None)
        if bwrap is None:
            return CodeRun(outcome="not_run", why=NOT_THERE)
        async with _sandbox(bwrap, program(machine), cpu_s=int(self.run_s) + 1) as process:
            words = _Words(process)
            if process is None or await words.next() != "begun":
                return CodeRun(outcome="not_run", why=NOT_WORKING)
            with anyio.move_on_after(self.run_s):
                return await _talk(process, words, code, assertions)
        return CodeRun(outcome="too_long", limit_s=self.run_s)


async def _talk(process: Process, words: _Words, code: str, assertions: str) -> CodeRun:
    """Only the word that goes in with the assertions, after the code has run, shows that they hold."""
    word = secrets.token_hex(16)
    await _say(process, code)
    if await words.next() != "ran":
        return CodeRun(outcome="failed")
    await _say(process, [assertions, word])
    match await words.next():
        case "unreadable":
            return CodeRun(outcome="unreadable")
        case said:
            return CodeRun(outcome="passed" if said == word else "failed")


async def _say(process: Process, value: object) -> None:
    if process.stdin is None:
        return
    # A process that has ended says so by itself.
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await process.stdin.send(json.dumps(value).encode() + b"\n")


class _Words:
    """The lines that come out, within limits."""

    def __init__(self, process: Process | None) -> None:
        self._out = process.stdout if process is not None else None
        self._left = _MOST_HEARD
        self._text = b""

    async def next(self) -> str | None:
        """None where nothing more comes, or too much."""
        while b"\n" not in self._text:
            if self._out is None or not self._left:
                return None
            try:
                piece = await self._out.receive(self._left)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return None
            self._left -= len(piece)
            self._text += piece
        line, _, self._text = self._text.partition(b"\n")
        return line.decode("ascii", "replace")


@asynccontextmanager
async def _sandbox(bwrap: Path, forbidden: bytes, *, cpu_s: int) -> AsyncGenerator[Process | None]:
    """A sandbox that waits for code; None where it cannot be started. Nothing of it is left after the block."""
    process = await _started(bwrap, forbidden, cpu_s=cpu_s)
    try:
        yield process
    finally:
        if process is not None:
            with suppress(ProcessLookupError):
                # It leads a group of its own, and all that it has started ends with it.
                os.killpg(process.pid, signal.SIGKILL)
            with anyio.CancelScope(shield=True):
                await process.aclose()


async def _started(bwrap: Path, forbidden: bytes, *, cpu_s: int) -> Process | None:
    reader, writer = os.pipe()
    try:
        os.write(writer, forbidden)  # a few hundred bytes: a pipe holds them
        os.close(writer)
        line = command(bwrap, _interpreter(), INSIDE, filter_fd=reader, cpu_s=cpu_s)
        return await anyio.open_process(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/",
            start_new_session=True, pass_fds=(reader,),
        )  # fmt: skip
    except OSError:
        return None
    finally:
        os.close(reader)


def _interpreter() -> Interpreter:
    """The Python that this program runs on, without its virtual environment."""
    return Interpreter(
        executable=Path(sys.executable).resolve(), prefix=Path(sys.base_prefix), version=sys.version_info[:2]
    )
