"""Opens connections, only to addresses that were checked: what DNS says a moment later no longer matters."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Protocol, TypeVar

import anyio

from hybrid_mcp.domain.addresses import literal_address
from hybrid_mcp.domain.errors import EgressDenied
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.egress import Egress

STAGGER_S = 0.25
"""After this long without a connection the next address is tried besides (RFC 8305, section 5)."""

_HERE = ("127.0.0.1", "::1")


class _Closable(Protocol):
    async def aclose(self) -> None: ...


_Stream = TypeVar("_Stream", bound=_Closable)
_OPENED: ContextVar[list[_Closable]] = ContextVar("the connections that were opened for the request that runs here")


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host in the system's order. An address and `localhost` are known without asking anyone.

    Raises:
        OSError: nobody knows the name.
    """
    if literal_address(host) is not None:
        return [host]
    if host == "localhost":
        return [*_HERE]
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def first_connected(
    addresses: Sequence[str], connect: Callable[[str], Awaitable[_Stream]], failures: tuple[type[Exception], ...]
) -> _Stream:
    """The first connection that comes about, each address given a head start before the next (Happy Eyeballs).

    Raises:
        Exception: the first of `failures`, where all addresses failed.
    """
    opened: list[_Stream] = []
    errors: list[Exception] = []

    async def attempt(address: str, over: anyio.Event, scope: anyio.CancelScope) -> None:
        try:
            opened.append(await connect(address))
            scope.cancel()
        except failures as error:
            errors.append(error)
            over.set()

    try:
        async with anyio.create_task_group() as group:
            for address in alternating(addresses):
                over = anyio.Event()
                group.start_soon(attempt, address, over, group.cancel_scope)
                with anyio.move_on_after(STAGGER_S):
                    await over.wait()
    except BaseException:
        await _close(opened)
        raise
    if not opened:
        raise errors[0]
    await _close(opened[1:])
    return opened[0]


def alternating(addresses: Sequence[str]) -> list[str]:
    """The families in turn, beginning with the system's first choice: a dead IPv6 costs one head start, not several."""
    first = [address for address in addresses if _is_ipv6(address) == _is_ipv6(addresses[0])]
    second = [address for address in addresses if address not in first]
    return [address for address in chain.from_iterable(zip_longest(first, second)) if address is not None]


def _is_ipv6(address: str) -> bool:
    return ":" in address


async def _close(streams: Iterable[_Closable]) -> None:
    with anyio.CancelScope(shield=True):
        for stream in streams:
            await stream.aclose()


@asynccontextmanager
async def none_left_open() -> AsyncGenerator[None]:
    """Closes the connections that were opened in the block where it fails or is cancelled.

    httpcore forgets one whose TLS is being agreed on, and keeps one for ever that was just about to be used.
    """
    opened: list[_Closable] = []
    before = _OPENED.set(opened)
    try:
        yield
    except BaseException:
        await _close(opened)
        raise
    finally:
        _OPENED.reset(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where one provider may be connected to."""

    spec: ProviderSpec
    egress: Egress

    async def open(
        self,
        host: str,
        port: int,
        timeout_s: float | None,
        connect: Callable[[str], Awaitable[_Stream]],
        failures: tuple[type[Exception], ...],
    ) -> _Stream:
        """Resolve, check every address, and connect to one that was checked, all within the time.

        Raises:
            EgressDenied: it leads to where this provider may not be contacted.
            OSError: the name is not known; a TimeoutError where it took too long.
        """

        async def noted(address: str) -> _Stream:
            stream = await connect(address)
            _OPENED.get().append(stream)
            return stream

        with anyio.fail_after(timeout_s):
            addresses = self.egress.admitted(self.spec, host, await resolve(host, port))
            return await first_connected(addresses, noted, failures)

    def no_socket(self) -> EgressDenied:
        return EgressDenied(f"{self.spec.name} was not contacted: a unix socket is never used")
