"""What every adapter needs of HTTP: a client that cannot leave its provider, and small documents read with limits."""

from __future__ import annotations

import anyio
import httpx
import httpx2

from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.egress import Egress, base_url_of
from hybrid_mcp.providers.guard import LINE_LIMIT_BYTES, Credentials

__all__ = [
    "CONNECT_TIMEOUT_S", "LINE_LIMIT_BYTES", "LISTING_LIMIT_BYTES", "LISTING_TIMEOUT_S", "Credentials", "Egress",
    "answers", "base_url_of", "client_httpx2", "fetch_listing", "guarded_httpx", "guarded_httpx2",
    "key_headers", "listing_url", "read_document", "without_key",
]  # fmt: skip

CONNECT_TIMEOUT_S = 10.0
"""A connection that takes longer is a dead host: TLS to the far side of the world takes well under one second."""
LISTING_TIMEOUT_S = 2.0
LISTING_LIMIT_BYTES = 1_000_000
"""A list of models is some kilobytes; whatever else listens on a well-known port is not read to its end."""

_SERVER_STATUSES = frozenset({200, 401, 403})  # the last two where a server wants a key even for its list


def key_headers(spec: ProviderSpec, key: str | None) -> dict[str, str]:
    """The header in which the dialect wants an API key."""
    if not key:
        return {}
    return {"x-api-key": key} if spec.kind == "anthropic" else {"authorization": f"Bearer {key}"}


def guarded_httpx2(
    spec: ProviderSpec, egress: Egress, credentials: Credentials = dict[str, str]
) -> httpx2.AsyncBaseTransport:
    """The transport of the openai and anthropic SDKs: every request and every connection is checked."""
    from hybrid_mcp.providers import guard_httpx2  # noqa: PLC0415 - 0.05 s, and only a request needs it

    return guard_httpx2.guarded_httpx2(spec, egress, credentials)


def guarded_httpx(
    spec: ProviderSpec, egress: Egress, credentials: Credentials = dict[str, str]
) -> httpx.AsyncBaseTransport:
    """The transport of the ollama SDK: the same policy as `guarded_httpx2`."""
    from hybrid_mcp.providers import guard_httpx  # noqa: PLC0415 - 0.03 s, and only Ollama needs it

    return guard_httpx.guarded_httpx(spec, egress, credentials)


def client_httpx2(spec: ProviderSpec, egress: Egress, credentials: Credentials) -> httpx2.AsyncClient:
    """A client that follows no redirect and reads nothing from the environment. Reading is timed by the adapter."""
    return httpx2.AsyncClient(
        transport=guarded_httpx2(spec, egress, credentials),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S),
    )


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


def without_key(body: bytes, key: str | None) -> bytes:
    """The body without the key that it was asked with: a server may send back what it got."""
    return body.replace(key.encode(), b"***") if key else body


async def read_document(response: httpx.Response | httpx2.Response, limit_bytes: int) -> bytes | None:
    """The whole body, or None where it is larger."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > limit_bytes:
            return None
    return bytes(body)
