"""`hybrid-mcp serve --http` as its owner runs it: what it says, and how it ends."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio import to_thread
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.http.options import HttpOptions
from hybrid_mcp.http.serving import bound_socket
from tests.support_e2e import PROGRAM, environment
from tests.support_http import bearer, new_token
from tests.support_servers import NEVER_LONGER_S, FakeServer
from tests.test_pending import Slow, home_for, states

pytestmark = pytest.mark.anyio

HINT = "hybrid-mcp: no client has a token yet: `hybrid-mcp token add NAME` makes one, also while this server runs\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A server in a process of its own. `said`: on stderr until it listens; `log`: the file with all of it."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def ends(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(NEVER_LONGER_S)


@contextmanager
def program(home: Path, *arguments: str, **env: str) -> Generator[Program]:
    log = home / "stderr.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--http", "--port", "0", *arguments], env=environment(home, **env), stderr=stderr,
            stdout=subprocess.PIPE,
        )  # fmt: skip
    try:
        yield Program(process=process, url=_listening(process, log), log=log)
    finally:
        process.kill()
        process.communicate()


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, as it says itself."""
    while process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.startswith("hybrid-mcp: listening on ") and line.endswith("\n"):
                return line.removeprefix("hybrid-mcp: listening on ").strip()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
async def test_sigterm_in_the_middle_of_a_paid_call_settles_it_and_ends_with_0(tmp_path: Path):
    slow = Slow()
    with FakeServer(slow) as paid:
        home = home_for(tmp_path, paid)
        token = new_token(home)
        with program(home, "--profile", "slow", FAR_KEY="SEALED-KEY") as server:

            async def ask() -> None:
                with suppress(Exception):
                    async with (
                        httpx2.AsyncClient(headers=bearer(token), timeout=60) as http,
                        Client(streamable_http_client(server.url, http_client=http)) as mcp,
                    ):
                        await mcp.call_tool("route_completion", {"prompt": "SEALED-PROMPT", "force_cloud": True})

            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                await to_thread.run_sync(paid.wait_for_requests, 1)
                assert await to_thread.run_sync(server.ends, signal.SIGTERM) == 0
                group.cancel_scope.cancel()
            assert states(home)[-1] == "forfeited"
            told = server.said()
            assert not [one for one in (token, "SEALED", "Traceback") if one in told]
        slow.go_on.set()
    with closing(sqlite3.connect(home / "ledger.db")) as book:
        assert book.execute("SELECT count(*) FROM reservation WHERE state NOT IN ('forfeited')").fetchone() == (0,)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_it_says_where_it_listens_and_how_to_let_a_client_in_and_ctrl_c_ends_it(tmp_path: Path):
    with program(tmp_path) as server:
        assert server.said() == f"{HINT}hybrid-mcp: listening on {server.url}\n"
        assert httpx2.get(server.url.replace("/mcp", "/health"), trust_env=False).json() == {"status": "ok"}
        token = new_token(tmp_path)
        told = httpx2.get(server.url.replace("/mcp", "/x"), headers=bearer(token), trust_env=False)
        assert told.status_code == 404
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port} .*--port 0 for a free one"):
            bound_socket(HttpOptions(port=port))
        assert server.ends(signal.SIGINT) == 130
        assert server.process.stdout is not None
        assert server.process.stdout.read() == b""
        assert token not in server.said()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
async def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path):
    with FakeServer(Slow()) as paid:
        home = home_for(tmp_path, paid)
        token = new_token(home)
        with program(home, "--profile", "slow", FAR_KEY="k") as server:
            head = (
                f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 9\r\n\r\n"
            )
            port = int(server.url.rpartition(":")[2].partition("/")[0])
            with socket.create_connection(("127.0.0.1", port)) as waiting:
                waiting.sendall(head.encode())  # and no body: a request that is under way
                server.process.send_signal(signal.SIGINT)
                with anyio.fail_after(NEVER_LONGER_S):
                    while await to_thread.run_sync(_is_open, port):
                        pass
                assert await to_thread.run_sync(server.ends, signal.SIGINT) == 130


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
