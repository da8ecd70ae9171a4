"""The web server: its socket, its limits, and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from types import FrameType

import anyio
from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.http.options import HttpOptions

MOST_CONNECTIONS = 500
"""More get a 503. Most systems give a process 1,024 files, and each paid call under way has a connection of its own."""
FIRST_REQUEST_S = 10
"""Who connects and says nothing whole in that time is let go."""
KEEP_ALIVE_S = 30
HEAD_LIMIT_BYTES = 32_768
FINISH_S = 2
"""Calls under way may end by themselves in that time, then they are cancelled."""
END_S = 10.0
"""After that nothing is waited for any more."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def bound_socket(options: HttpOptions) -> socket.socket:
    """A socket that nobody else has.

    Raises:
        ConfigError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # Or nobody could start again for a minute after the last connection. On Windows it would let two listen.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((options.address, options.port))
    except OSError as error:
        found.close()
        raise ConfigError(
            f"cannot listen on {options.address} port {options.port} ({error.strerror}): another program may have it; "
            "give another with --port, or --port 0 for a free one"
        ) from None
    return found


def url_of(options: HttpOptions, listening: socket.socket) -> str:
    """Where clients find the server."""
    host = f"[{options.address}]" if ":" in options.address else options.address
    return f"{options.scheme}://{host}:{listening.getsockname()[1]}"


class WebServer(Server):
    """Serves one application on one socket until a signal ends it, and tells by which one it was.

    The first signal lets calls end; a second Ctrl-C ends the process at once.
    """

    def __init__(self, app: ASGIApp, listening: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(
            Config(
                app, log_config=None, access_log=False, server_header=False, proxy_headers=False, lifespan="on",
                loop="asyncio", http=_Impatient, ws="none", limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=FINISH_S,
                h11_max_incomplete_event_size=HEAD_LIMIT_BYTES,
                ssl_context_factory=None if tls is None else lambda _, __: tls,
            )
        )  # fmt: skip
        self.ended_by: int | None = None
        self._listening = listening
        self._on_ready: Callable[[], None] = lambda: None

    async def run_to_end(self, on_ready: Callable[[], None]) -> int | None:
        """The number of the signal that ended it; None where it was told to end otherwise."""
        self._on_ready = on_ready
        with self._listening:
            await self.serve([self._listening])
        return self.ended_by

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        create_server = loop.create_server
        if self.config.is_ssl:
            # asyncio waits a minute for a peer that connects and begins no TLS, and uvicorn has no option for it.
            loop.create_server = partial(create_server, ssl_handshake_timeout=FIRST_REQUEST_S)
        try:
            await super().startup(sockets)
        finally:
            loop.create_server = create_server
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        with anyio.move_on_after(END_S):
            await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            os._exit(128 + sig)
        self.ended_by = self.ended_by or sig
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """As uvicorn does, but a signal that was obeyed is not raised once more, so that the exit code is ours."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Impatient(H11Protocol):
    """Lets go of whoever connects and sends no whole request: uvicorn would wait for ever."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._patience = self.loop.call_later(FIRST_REQUEST_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if self.cycle is None:  # pyright: ignore[reportUnnecessaryComparison] - until the first request
            self.transport.close()
