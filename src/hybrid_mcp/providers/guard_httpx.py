"""The guarded transport of the ollama SDK: the same as the other one, for the other library."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from typing import cast

import anyio
import certifi
import httpcore
import httpx

from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.connect import Door, none_left_open
from hybrid_mcp.providers.egress import Egress
from hybrid_mcp.providers.guard import (
    KEEP_ALIVE_S,
    TOO_LARGE,
    Credentials,
    Guard,
    Meter,
    kept_connections,
    leave_packed,
    plain_tls,
    put_on,
)

_FAILED = (httpcore.ConnectError, httpcore.ConnectTimeout)


def guarded_httpx(spec: ProviderSpec, egress: Egress, credentials: Credentials) -> httpx.AsyncBaseTransport:
    """Checked requests on checked connections: no proxy, no retry, no unix socket, nothing from the environment."""
    tls = plain_tls(spec) or _tls()
    pool = httpcore.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=None,
        max_keepalive_connections=kept_connections(spec),
        keepalive_expiry=KEEP_ALIVE_S,
        network_backend=_Backend(Door(spec=spec, egress=egress)),
    )
    inner = put_on(pool, httpx.AsyncHTTPTransport(verify=tls, trust_env=False))
    return _Transport(Guard(spec=spec, egress=egress, credentials=credentials), inner)


def _tls() -> ssl.SSLContext:
    """As httpx makes it, but the session keys are never written to the file that SSLKEYLOGFILE names."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(cafile=certifi.where())
    return tls


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, guard: Guard, inner: httpx.AsyncBaseTransport) -> None:
        self._guard, self._inner = guard, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._guard.admit(request)
        async with none_left_open():
            response = await self._inner.handle_async_request(request)
        leave_packed(response)
        inner = cast("httpx.AsyncByteStream", response.stream)
        response.stream = _Bounded(inner, Meter(response.status_code))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, meter: Meter) -> None:
        self._inner, self._meter = inner, meter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            if self._meter.is_over(piece):
                await self.aclose()
                raise httpx.RemoteProtocolError(TOO_LARGE)
            await self._meter.breathe()
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Backend(httpcore.AsyncNetworkBackend):
    """TLS still asks for the name, so a checked address must have the certificate of the name."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        async def connect(address: str) -> httpcore.AsyncNetworkStream:
            return await self._inner.connect_tcp(address, port, None, local_address, socket_options)

        try:
            return await self._door.open(host, port, timeout, connect, _FAILED)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError from error

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        raise self._door.no_socket()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
