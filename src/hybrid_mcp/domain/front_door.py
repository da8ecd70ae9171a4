"""Which web requests are listened to at all, judged by the names in their `Host` and `Origin`.

A page of any website can send a browser to this machine, and a name of its own may lead here too (DNS rebinding):
https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?))(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
"""Nothing but a host and a port: no user, no path, no dot at the end, no zone."""
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/]+)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """`host`: in lower case, an IPv6 address in its shortest form without brackets."""

    host: str
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a web page comes from; the port is always told."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As a browser writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port == _PORTS[self.scheme] else f':{self.port}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`status` is HTTP's."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """`hosts`: the names of this server, with any port. `origins`: pages of others that may use it from a browser."""

    hosts: frozenset[str]
    origins: frozenset[Origin] = frozenset()

    def refusal(self, hosts: Sequence[str], origins: Sequence[str]) -> Refusal | None:
        """Why a request with these `Host` and `Origin` headers is not listened to; None where it is."""
        host = authority_of(hosts[0]) if len(hosts) == 1 else None
        if host is None or host.host not in self.hosts:
            return Refusal(
                status=421, reason="this server does not answer to that Host: the owner gives --allowed-host"
            )
        if not origins:
            return None
        origin = origin_of(origins[0]) if len(origins) == 1 else None
        if origin is None or not (_is_own(origin, host) or origin in self.origins):
            return Refusal(
                status=403, reason="pages of that Origin may not use this server: the owner gives --allowed-origin"
            )
        return None


def authority_of(text: str) -> Authority | None:
    """The host and port that are written there, None where it is anything else."""
    found = _AUTHORITY.fullmatch(text)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 0 < port <= 65_535):
        return None
    if not found["v6"]:
        return Authority(host=found["name"].lower(), port=port)
    try:
        return Authority(host=IPv6Address(found["v6"]).compressed, port=port)
    except AddressValueError:
        return None


def origin_of(text: str) -> Origin | None:
    """The origin that is written there, None for `null` and anything else that is no web page."""
    found = _ORIGIN.fullmatch(text)
    authority = authority_of(found["authority"]) if found else None
    if found is None or authority is None:
        return None
    scheme = found["scheme"].lower()
    return Origin(scheme=scheme, host=authority.host, port=authority.port or _PORTS[scheme])


def _is_own(origin: Origin, host: Authority) -> bool:
    """A page of this very server. Its scheme may differ from ours, where a proxy speaks TLS for it."""
    return (origin.host, origin.port) == (host.host, host.port or _PORTS[origin.scheme])
