"""A process that has imported all that the program ever imports, and splits itself for each start of it.

To import it is all that a start is spared: it has arguments, an environment, streams, signals and an end of its own.
`start.py` asks for one over a socket.
"""

from __future__ import annotations

import gc
import marshal
import os
import pkgutil
import selectors
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import cast

LATE = (
    "anyio._backends._asyncio", "genai_prices.data", "importlib_metadata", "jaraco.context", "jaraco.functools",
    "mcp.client.stdio", "mcp.server.stdio", "openai.resources.chat", "psutil", "rich.console", "sqlite3",
)  # fmt: skip
"""What the program's own modules do not import at their top."""
RARE = ("hybrid_mcp.__main__", "hybrid_mcp.providers.anthropic")
"""A start that needs its SDK may pay for it: few do."""
NUMBER_BYTES = 4


def import_everything() -> None:
    package = import_module("hybrid_mcp")
    names = [found.name for found in pkgutil.walk_packages(package.__path__, "hybrid_mcp.")]
    for name in (*names, *LATE):
        if name not in RARE:
            import_module(name)
    gc.collect()
    gc.freeze()


def _heard(number: int, frame: FrameType | None) -> None:
    """That a child ended is told by the descriptor of `set_wakeup_fd`, which needs a handler."""


class Parent:
    """Splits itself for whoever connects, tells it the program's process and how that ended, until its input ends."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self._started: dict[int, socket.socket] = {}
        self._wake, self._woken = socket.socketpair()

    def children(self) -> bool:
        """True in each of the processes that shall be the program; False when no more are wanted."""
        self._woken.setblocking(False)
        signal.signal(signal.SIGCHLD, _heard)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for source in (self._listener, self._wake, sys.stdin.buffer):
            self._selector.register(source, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in self._selector.select()]
            if sys.stdin.buffer in ready:
                return False
            if self._wake in ready:
                self._wake.recv(4096)
                self._bury()
            for asker, one in [(self._started[pid], pid) for pid in self._started]:
                if asker in ready:
                    os.kill(one, signal.SIGKILL)  # whoever asked for it was killed
                    self._selector.unregister(asker)
            if self._listener in ready and self._split():
                return True

    def _bury(self) -> None:
        for pid in list(self._started):
            found, status = os.waitpid(pid, os.WNOHANG)
            if not found:
                continue
            asker = self._started.pop(pid)
            if asker in {key.fileobj for key in self._selector.get_map().values()}:
                self._selector.unregister(asker)
            with asker:
                _tell(asker, os.waitstatus_to_exitcode(status))

    def _split(self) -> bool:
        asker, _ = self._listener.accept()
        _, streams, _, _ = socket.recv_fds(asker, 1, 3)
        order = _order(asker)
        pid = os.fork()
        if pid == 0:
            self._forget()
            asker.close()
            _become(streams, order)
            return True
        for stream in streams:
            os.close(stream)
        _tell(asker, pid)
        self._started[pid] = asker
        self._selector.register(asker, selectors.EVENT_READ)
        return False

    def _forget(self) -> None:
        """All that is the parent's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        for one in (self._listener, self._wake, self._woken, *self._started.values()):
            one.close()


def _order(asker: socket.socket) -> bytes:
    size = int.from_bytes(asker.recv(NUMBER_BYTES, socket.MSG_WAITALL))
    return asker.recv(size, socket.MSG_WAITALL)


def _tell(asker: socket.socket, number: int) -> None:
    with suppress(OSError):  # it was killed meanwhile
        asker.sendall(number.to_bytes(NUMBER_BYTES, signed=True))


def _become(streams: list[int], order: bytes) -> None:
    """Take the streams, arguments, environment and folder of whoever asked."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    cast("TextIOWrapper", sys.stdout).reconfigure(line_buffering=os.isatty(1))
    arguments, environment, folder = marshal.loads(order)  # noqa: S302 - from a test
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    program = str(Path(sys.executable).with_name("hybrid-mcp"))
    sys.argv = [program, *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path not in sys.path]


if __name__ == "__main__":
    sys.path[0] = str(Path(sys.executable).parent)
    import_everything()
    if Parent(socket.socket(fileno=int(sys.argv[1]))).children():
        from hybrid_mcp.cli import main

        main()
