"""Both HTTP libraries behind the guard, a trap that they must not reach, and a DNS in the attacker's hands."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Self

import anyio
import httpx
import httpx2
import pytest

from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers import connect
from hybrid_mcp.providers.egress import Egress
from hybrid_mcp.providers.http import guarded_httpx, guarded_httpx2
from tests.support_servers import NEVER_LONGER_S

Get = Callable[[ProviderSpec, Egress, str], Awaitable[bytes]]


async def by_httpx(spec: ProviderSpec, policy: Egress, url: str) -> bytes:
    """A careless client: it follows redirects and trusts the environment, so the guard stands alone."""
    async with httpx.AsyncClient(transport=guarded_httpx(spec, policy), follow_redirects=True) as client:
        with anyio.fail_after(NEVER_LONGER_S):
            return (await client.get(url)).content


async def by_httpx2(spec: ProviderSpec, policy: Egress, url: str) -> bytes:
    async with httpx2.AsyncClient(transport=guarded_httpx2(spec, policy), follow_redirects=True) as client:
        with anyio.fail_after(NEVER_LONGER_S):
            return (await client.get(url)).content


on_both = pytest.mark.parametrize("get", [by_httpx, by_httpx2])


class Trap:
    """A port on loopback, on IPv4 and IPv6, that notes who connects."""

    def __init__(self) -> None:
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = int(self._sockets[0].getsockname()[1])
        if socket.has_ipv6:
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for listener in self._sockets:
            listener.setblocking(False)

    def visitors(self) -> int:
        """How many have connected since the last call."""
        return sum(self._drained(listener) for listener in self._sockets)

    @staticmethod
    def _drained(listener: socket.socket) -> int:
        count = 0
        while True:
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                return count
            connection.close()
            count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self._sockets:
            listener.close()


@contextmanager
def dns(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> Generator[list[str]]:
    """A resolver that gives these answers one after the other, the last one for ever; yields what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        assert port
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    with monkeypatch.context() as patch:
        patch.setattr(connect, "resolve", resolve)
        yield asked
