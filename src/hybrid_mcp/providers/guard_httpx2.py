"""The guarded transport of the openai and anthropic SDKs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import cast

import anyio
import httpcore2
import httpx2

from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.connect import Door, none_left_open
from hybrid_mcp.providers.egress import Egress
from hybrid_mcp.providers.guard import (
    KEEP_ALIVE_S,
    TOO_LARGE,
    Credentials,
    Events,
    Guard,
    Meter,
    kept_connections,
    leave_packed,
    plain_tls,
    put_on,
)

_FAILED = (httpcore2.ConnectError, httpcore2.ConnectTimeout)


def guarded_httpx2(spec: ProviderSpec, egress: Egress, credentials: Credentials) -> httpx2.AsyncBaseTransport:
    """Checked requests on checked connections: no proxy, no retry, no unix socket, nothing from the environment."""
    tls = plain_tls(spec) or httpx2.create_ssl_context(trust_env=False)
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=None,
        max_keepalive_connections=kept_connections(spec),
        keepalive_expiry=KEEP_ALIVE_S,
        network_backend=_Backend(Door(spec=spec, egress=egress)),
    )
    inner = put_on(pool, httpx2.AsyncHTTPTransport(verify=tls, trust_env=False))
    return _Transport(Guard(spec=spec, egress=egress, credentials=credentials), inner)


class _Transport(httpx2.AsyncBaseTransport):
    def __init__(self, guard: Guard, inner: httpx2.AsyncBaseTransport) -> None:
        self._guard, self._inner = guard, inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._guard.admit(request)
        async with none_left_open():
            response = await self._inner.handle_async_request(request)
        leave_packed(response)
        inner = cast("httpx2.AsyncByteStream", response.stream)
        streams = request.method == "POST" and response.status_code == 200
        response.stream = (_BoundedEvents if streams else _Bounded)(inner, Meter(response.status_code))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, meter: Meter) -> None:
        self._inner, self._meter = inner, meter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            if self._meter.is_over(piece):
                raise await self._closed_for_its_size()
            await self._meter.breathe()
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _closed_for_its_size(self) -> httpx2.RemoteProtocolError:
        await self.aclose()
        return httpx2.RemoteProtocolError(TOO_LARGE)


class _BoundedEvents(_Bounded):
    """The answer to a chat request, which both SDKs read as events whatever it says that it is."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        events = Events()
        async for piece in super().__aiter__():
            lines = events.ended_by(piece)
            if lines is None:
                raise await self._closed_for_its_size()
            if lines:
                yield lines
        if rest := events.rest():
            yield rest


class _Backend(httpcore2.AsyncNetworkBackend):
    """TLS still asks for the name, so a checked address must have the certificate of the name."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._inner = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore2
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        async def connect(address: str) -> httpcore2.AsyncNetworkStream:
            return await self._inner.connect_tcp(address, port, None, local_address, socket_options)

        try:
            return await self._door.open(host, port, timeout, connect, _FAILED)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout from error
        except OSError as error:
            raise httpcore2.ConnectError from error

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore2.AsyncNetworkStream:
        raise self._door.no_socket()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
