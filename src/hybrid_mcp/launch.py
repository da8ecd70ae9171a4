"""Starting things: the settings that every command shares, an application for one command, and the server."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from hybrid_mcp.config import Settings, load_settings, whitelist_notices
from hybrid_mcp.config.home import find_home
from hybrid_mcp.config.keyring_keys import read_keyring
from hybrid_mcp.config.settings import with_keyring

if TYPE_CHECKING:
    from hybrid_mcp.app import App
    from hybrid_mcp.http.options import HttpOptions
    from hybrid_mcp.ports import Observer
    from hybrid_mcp.storage.token_file import TokenFile

OK, REFUSED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that stand before or after any command."""

    profile: str | None = None
    home: Path | None = None
    project: str | None = None
    airgap: bool = False

    def settings(self) -> Settings:
        """Raises ConfigError."""
        return load_settings(
            environ=os.environ, home=self.home, profile=self.profile, project=self.project, airgap=self.airgap
        )

    def home_folder(self) -> Path:
        """Where the home is, also where the profile cannot be read. Raises ConfigError."""
        return find_home(self.home if self.home is not None else os.environ.get("HYBRID_MCP_HOME") or None)

    def tokens(self) -> TokenFile:
        """Those of clients over HTTP."""
        from hybrid_mcp.storage.token_file import TOKENS_FILE, TokenFile

        return TokenFile(path=self.settings().home / TOKENS_FILE)

    def opened(self, observer: Observer | None = None) -> App:
        """An application of which nothing is open yet, for commands that only read or write small files."""
        from hybrid_mcp.app import open_app
        from hybrid_mcp.observe.silent import Silent

        settings = with_keyring(self.settings(), read_keyring)
        tell_notices(settings)
        return open_app(settings, observer or Silent())

    def with_app(self, work: Callable[[App], Awaitable[int]], observer: Observer | None = None) -> int:
        """Run one command on an application of its own, and close it."""

        async def run() -> int:
            app = self.opened(observer)
            try:
                return await work(app)
            finally:
                with anyio.CancelScope(shield=True):
                    await app.aclose()

        return anyio.run(run)


def tell_notices(settings: Settings) -> None:
    """One line each on stderr: old names that were mapped, who else may write the whitelist, and the like."""
    for notice in (*settings.notices, *whitelist_notices(settings.whitelist_path)):
        sys.stderr.write(f"hybrid-mcp: {notice}\n")


def serve(common: Common) -> int:
    """Serve MCP over stdio until the client goes away."""
    settings = common.settings()
    from hybrid_mcp.server import build_server
    from hybrid_mcp.stdin import take_stdin

    if sys.stdin.isatty():
        sys.stderr.write("hybrid-mcp serves MCP on this terminal; a client starts it by itself. Ctrl-C ends it.\n")
    tell_notices(settings)
    take_stdin()
    build_server(lambda: _opened_for_server(settings)).run("stdio")
    return OK


def serve_http(common: Common, options: HttpOptions) -> int:
    """Serve MCP over HTTP until a signal ends it."""
    settings = common.settings()
    from hybrid_mcp.http.running import serve_until_signal
    from hybrid_mcp.observe.log import configure_logging, take_other_logs

    configure_logging()
    take_other_logs()
    tell_notices(settings)
    ended_by = anyio.run(serve_until_signal, settings, options, lambda: _opened_for_server(settings))
    return INTERRUPTED if ended_by == signal.SIGINT else OK


def _opened_for_server(settings: Settings) -> App:
    from hybrid_mcp.app import open_app
    from hybrid_mcp.observe.log import LogObserver, configure_logging

    configure_logging()
    # A keyring may take its time, and a client waits for the first answer less patiently than for this one.
    with_keys = with_keyring(settings, read_keyring)
    for notice in with_keys.notices[len(settings.notices) :]:
        sys.stderr.write(f"hybrid-mcp: {notice}\n")
    return open_app(with_keys, LogObserver())
