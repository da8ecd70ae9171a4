"""The one way out: every HTTP request of every provider passes `Egress.check` on the URL that connects."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import anyio
import httpx
import httpx2

from hybrid_mcp.domain.errors import ConfigError, EgressDenied
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.whitelist import Whitelist, normal_host

Credentials = Callable[[], Mapping[str, str]]
"""The headers that carry the key, read anew for each request."""

CONNECT_TIMEOUT_S = 10.0
"""A connection that takes longer is a dead host: TLS to the far side of the world takes well under one second."""
LISTING_TIMEOUT_S = 2.0
LISTING_LIMIT_BYTES = 1_000_000
"""A list of models is some kilobytes; whatever else listens on a well-known port is not read to its end."""
RESPONSE_LIMIT_BYTES = 256_000_000
"""The longest answer that may be asked for has 200,000 tokens, and each is streamed in 300 to 1,000 bytes of JSON."""
LINE_LIMIT_BYTES = 4_000_000
"""One line of a stream holds some tokens, a document on a model some kilobytes, an error less: all are read whole."""

_SERVER_STATUSES = frozenset({200, 401, 403})  # the last two where a server wants a key even for its list
_TOO_LARGE = "the response is larger than any answer"
_PORTS = {"http": 80, "https": 443}
_KEEP_ALIVE_S = 4.0  # far below what any load balancer allows, so that ours goes first
_KEPT_CONNECTIONS = 8
_SENT_HEADERS = frozenset({
    "accept", "accept-encoding", "anthropic-version", "connection", "content-length", "content-type", "host",
    "transfer-encoding", "user-agent",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """What may be contacted. `whitelist` is asked each time, so that a granted approval works at once."""

    whitelist: Callable[[], Whitelist]
    airgap: bool = False

    def check(self, spec: ProviderSpec, url_scheme: str, raw_host: str, port: int | None) -> None:
        """Allow a request to this scheme, host (punycode) and port (None: the scheme's own), or refuse it.

        Raises:
            EgressDenied: the message says why, and how the owner can allow it.
        """
        _check_own_address(spec, url_scheme, raw_host, port)
        here = is_loopback(raw_host)
        stays_here = here and spec.loopback and spec.local
        if self.airgap and not stays_here:
            raise EgressDenied(
                f"{spec.name} ({raw_host}) was not contacted: airgap is on, so only models on this machine may run "
                "(AIRGAP_MODE, profile key `airgap`)"
            )
        if url_scheme == "http" and not (here or spec.local):
            raise EgressDenied(f"{spec.name} was not contacted: http sends prompts in the clear; use https in base_url")
        if stays_here:
            return
        verdict = self.whitelist().check_host(raw_host)
        if not verdict.allowed:
            raise EgressDenied(
                f"{spec.name} was not contacted: {verdict.reason}. The owner can allow it: add_to_whitelist "
                f"(cloud_apis, {raw_host}), or `cloud_apis` in whitelist.json"
            )


def is_loopback(host: str) -> bool:
    """Whether the host names this machine: 127.0.0.0/8, ::1, also mapped into IPv6, or `localhost` (RFC 6761)."""
    name = host.lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def bearer(key: str | None) -> dict[str, str]:
    """The header in which all three SDKs send an API key."""
    return {"authorization": f"Bearer {key}"} if key else {}


def guarded_httpx2(
    spec: ProviderSpec, egress: Egress, credentials: Credentials = dict[str, str]
) -> httpx2.AsyncBaseTransport:
    """The transport of the openai and anthropic SDKs: one checked connection, no proxy, no retry, no unix socket."""
    inner = httpx2.AsyncHTTPTransport(
        verify=_tls(spec),
        trust_env=False,
        limits=httpx2.Limits(max_keepalive_connections=_kept(spec), keepalive_expiry=_KEEP_ALIVE_S),
    )
    return _GuardHttpx2(spec, egress, credentials, inner)


def guarded_httpx(
    spec: ProviderSpec, egress: Egress, credentials: Credentials = dict[str, str]
) -> httpx.AsyncBaseTransport:
    """The transport of the ollama SDK: the same policy as `guarded_httpx2`."""
    inner = httpx.AsyncHTTPTransport(
        verify=_tls(spec),
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=_kept(spec), keepalive_expiry=_KEEP_ALIVE_S),
    )
    return _GuardHttpx(spec, egress, credentials, inner)


class _GuardHttpx2(httpx2.AsyncBaseTransport):
    def __init__(
        self, spec: ProviderSpec, egress: Egress, credentials: Credentials, inner: httpx2.AsyncBaseTransport
    ) -> None:
        self._spec, self._egress, self._credentials, self._inner = spec, egress, credentials, inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        _admit(self._spec, self._egress, self._credentials, request)
        response = await self._inner.handle_async_request(request)
        _leave_packed(response)
        inner = cast("httpx2.AsyncByteStream", response.stream)
        response.stream = _BoundedHttpx2(inner, _Meter(response.status_code))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _GuardHttpx(httpx.AsyncBaseTransport):
    def __init__(
        self, spec: ProviderSpec, egress: Egress, credentials: Credentials, inner: httpx.AsyncBaseTransport
    ) -> None:
        self._spec, self._egress, self._credentials, self._inner = spec, egress, credentials, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _admit(self._spec, self._egress, self._credentials, request)
        response = await self._inner.handle_async_request(request)
        _leave_packed(response)
        inner = cast("httpx.AsyncByteStream", response.stream)
        response.stream = _BoundedHttpx(inner, _Meter(response.status_code))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Meter:
    """Counts the bytes of one response."""

    def __init__(self, status: int) -> None:
        self._left = RESPONSE_LIMIT_BYTES if status == 200 else LINE_LIMIT_BYTES
        self._line = 0

    def is_over(self, piece: bytes) -> bool:
        """Whether all of it, or the line that this piece continues, is larger than any answer's."""
        self._left -= len(piece)
        end = piece.rfind(b"\n")
        self._line = self._line + len(piece) if end < 0 else len(piece) - end - 1
        return self._left < 0 or self._line > LINE_LIMIT_BYTES


class _BoundedHttpx2(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, meter: _Meter) -> None:
        self._inner, self._meter = inner, meter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            if self._meter.is_over(piece):
                await self.aclose()
                raise httpx2.RemoteProtocolError(_TOO_LARGE)
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedHttpx(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, meter: _Meter) -> None:
        self._inner, self._meter = inner, meter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            if self._meter.is_over(piece):
                await self.aclose()
                raise httpx.RemoteProtocolError(_TOO_LARGE)
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


def client_httpx2(spec: ProviderSpec, egress: Egress, credentials: Credentials) -> httpx2.AsyncClient:
    """A client that follows no redirect and reads nothing from the environment. Reading is timed by the adapter."""
    return httpx2.AsyncClient(
        transport=guarded_httpx2(spec, egress, credentials),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S),
    )


def base_url_of(spec: ProviderSpec) -> str:
    """The provider's address without a trailing slash.

    Raises:
        ConfigError: it has none.
    """
    if not spec.base_url:
        raise ConfigError(f"provider {spec.name} has no base_url: set `providers: {spec.name}: base_url:`")
    return spec.base_url.rstrip("/")


def listing_url(spec: ProviderSpec) -> str:
    """Where a local server tells its models."""
    return f"{base_url_of(spec)}/{'api/tags' if spec.kind == 'ollama' else 'models'}"


async def answers(spec: ProviderSpec, egress: Egress) -> bool:
    """Whether something that may be a model server listens there; asked without any SDK, because mostly nothing does.

    Raises:
        EgressDenied: the host may not be contacted.
    """
    try:
        async with (
            client_httpx2(spec, egress, dict[str, str]) as client,
            client.stream("GET", listing_url(spec)) as response,
        ):
            return response.status_code in _SERVER_STATUSES
    except httpx2.HTTPError:
        return False


async def fetch_listing(client: httpx.AsyncClient | httpx2.AsyncClient, url: str) -> bytes | None:
    """The small document at a local server's URL, or None: not there, too slow or too large.

    Raises:
        EgressDenied: the host may not be contacted.
    """
    with anyio.move_on_after(LISTING_TIMEOUT_S):
        try:
            async with client.stream("GET", url) as response:
                return await read_document(response, LISTING_LIMIT_BYTES) if response.status_code == 200 else None
        except (httpx.HTTPError, httpx2.HTTPError):
            return None
    return None


async def read_document(response: httpx.Response | httpx2.Response, limit_bytes: int) -> bytes | None:
    """The whole body, or None where it is larger."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > limit_bytes:
            return None
    return bytes(body)


def _kept(spec: ProviderSpec) -> int:
    """Idle connections to keep. None on this machine: llama.cpp's server closes some that it promised to keep, and a
    request on such a one fails without an answer, while a new connection costs nothing here."""
    return 0 if spec.loopback else _KEPT_CONNECTIONS


def _check_own_address(spec: ProviderSpec, scheme: str, raw_host: str, port: int | None) -> None:
    own = urlsplit(spec.base_url or "")
    try:
        same_host = spec.host is not None and normal_host(raw_host) == normal_host(spec.host)
        same_port = (port or _PORTS[scheme]) == (own.port or _PORTS[own.scheme])
    except (ValueError, KeyError):
        same_host = same_port = False
    if not (same_host and same_port and scheme == own.scheme):
        raise EgressDenied(
            f"{spec.name} may only be contacted at its own address: a request to {_plain(raw_host)} was refused"
        )


def _plain(host: str) -> str:
    return "".join(character for character in host[:253] if character.isalnum() or character in ".:-_")


def _admit(
    spec: ProviderSpec, egress: Egress, credentials: Credentials, request: httpx.Request | httpx2.Request
) -> None:
    """Check the URL, then let only known headers out: the SDKs add more from the environment, even another key."""
    url = request.url
    egress.check(spec, url.scheme, url.raw_host.decode("ascii"), url.port)
    for name in set(request.headers) - _SENT_HEADERS:
        del request.headers[name]
    request.headers["host"] = url.netloc.decode("ascii")
    request.headers["accept-encoding"] = "identity"  # a packed answer may unpack to a thousand times its size
    request.headers.update(credentials())


def _leave_packed(response: httpx.Response | httpx2.Response) -> None:
    """Keep the body as it came, also where a server packed it all the same: nobody asked for that."""
    response.headers.pop("content-encoding", None)


def _tls(spec: ProviderSpec) -> ssl.SSLContext | bool:
    """The platform's trusted authorities; for an http address none at all, because loading them takes 20 ms."""
    if base_url_of(spec).startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return True
