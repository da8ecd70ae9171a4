"""What both guarded transports have in common: which headers leave, how much is read, and on which connections."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from anyio.lowlevel import checkpoint

from hybrid_mcp.domain.errors import EgressDenied
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.egress import Egress, base_url_of

if TYPE_CHECKING:
    import httpx
    import httpx2

Credentials = Callable[[], Mapping[str, str]]
"""The headers that carry the key, read anew for each request."""

RESPONSE_LIMIT_BYTES = 256_000_000
"""The longest answer that may be asked for has 200,000 tokens, and each is streamed in 300 to 1,000 bytes of JSON."""
LINE_LIMIT_BYTES = 4_000_000
"""One line of a stream holds some tokens, a document on a model some kilobytes, an error less: all are read whole."""
EVENT_LIMIT_LINES = 100
"""One event of a stream has two or three. The anthropic SDK copies what it has of an event for each line of it."""
TOO_LARGE = "the response is larger than any answer"
KEEP_ALIVE_S = 4.0
"""Far below what any load balancer allows, so that ours goes first."""

_KEPT_CONNECTIONS = 8
_PIECES_IN_A_ROW = 32
_POOL = "_pool"
_SENT_HEADERS = frozenset({
    "accept", "accept-encoding", "anthropic-version", "connection", "content-length", "content-type", "host",
    "transfer-encoding", "user-agent",
})  # fmt: skip
_Transport = TypeVar("_Transport")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One provider's way out."""

    spec: ProviderSpec
    egress: Egress
    credentials: Credentials

    def admit(self, request: httpx.Request | httpx2.Request) -> None:
        """Check the URL, then let only known headers out: the SDKs add more from the environment, even another key.

        Raises:
            EgressDenied: the request may not go there.
        """
        url = request.url
        if url.userinfo:
            raise EgressDenied(f"{self.spec.name} was not contacted: its address must not hold a user name")
        self.egress.check(self.spec, url.scheme, url.raw_host.decode("ascii"), url.port)
        for name in set(request.headers) - _SENT_HEADERS:
            del request.headers[name]
        request.headers["host"] = url.netloc.decode("ascii")
        request.headers["accept-encoding"] = "identity"  # a packed answer may unpack to a thousand times its size
        request.headers.update(self.credentials())


class Meter:
    """Counts the bytes of one response."""

    def __init__(self, status: int) -> None:
        self._left = RESPONSE_LIMIT_BYTES if status == 200 else LINE_LIMIT_BYTES
        self._line = 0
        self._pieces = 0

    def is_over(self, piece: bytes) -> bool:
        """Whether all of it, or the line that this piece continues, is larger than any answer's."""
        self._left -= len(piece)
        end = piece.rfind(b"\n")
        self._line = self._line + len(piece) if end < 0 else len(piece) - end - 1
        return self._left < 0 or self._line > LINE_LIMIT_BYTES

    async def breathe(self) -> None:
        """Let others run now and then: one read from the network can hold ten thousand pieces, and while they are
        taken in nothing else would happen, not even a deadline."""
        self._pieces += 1
        if self._pieces % _PIECES_IN_A_ROW == 0:
            await checkpoint()


class Events:
    """Hands on the lines of an event stream, only whole ones, and measures the events that they make up.

    Both are for readers that copy all they have of an event for each piece, which takes minutes where it is long.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._last_end = b""
        self._lines = 0
        self._bytes = 0

    def ended_by(self, piece: bytes) -> bytes | None:
        """All lines that end in this piece, maybe none yet; None where their event is larger than any."""
        before, waits = len(self._rest), self._rest.endswith(b"\r")
        self._rest += piece
        # A carriage return may be half of a line's end, so it is handed on when it is known what follows.
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, -1)) + 1
        cut = before + end if end or waits else 0
        if not cut:
            return b""
        lines, self._rest = bytes(self._rest[:cut]), self._rest[cut:]
        return None if any(self._is_over(line) for line in lines.splitlines(keepends=True)) else lines

    def rest(self) -> bytes:
        """What is left where the stream ends."""
        return bytes(self._rest)

    def _is_over(self, line: bytes) -> bool:
        text = line.rstrip(b"\r\n")
        end = line[len(text) :]
        is_end_of_event, self._last_end = not text and end == self._last_end, end
        self._lines = 0 if is_end_of_event else self._lines + 1
        self._bytes = 0 if is_end_of_event else self._bytes + len(line)
        return self._lines > EVENT_LIMIT_LINES or self._bytes > LINE_LIMIT_BYTES


def leave_packed(response: httpx.Response | httpx2.Response) -> None:
    """Keep the body as it came, also where a server packed it all the same: nobody asked for that."""
    response.headers.pop("content-encoding", None)


def kept_connections(spec: ProviderSpec) -> int:
    """Idle connections to keep. None on this machine: llama.cpp's server closes some that it promised to keep, and a
    request on such a one fails without an answer, while a new connection costs nothing here."""
    return 0 if spec.loopback else _KEPT_CONNECTIONS


def plain_tls(spec: ProviderSpec) -> ssl.SSLContext | None:
    """For an http address a context without any trusted authority, because loading them takes 20 ms; else None."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if base_url_of(spec).startswith("http://") else None


def put_on(pool: object, transport: _Transport) -> _Transport:
    """The transport on our own pool. Neither library takes as an argument who makes its connections.

    Raises:
        RuntimeError: this release keeps its connections elsewhere, so they would not be checked.
    """
    if _POOL not in vars(transport):
        raise RuntimeError(f"{type(transport).__module__} is of a release whose connections cannot be checked")
    setattr(transport, _POOL, pool)
    return transport
