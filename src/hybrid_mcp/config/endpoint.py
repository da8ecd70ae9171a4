"""Where a provider answers: `base_url` and OLLAMA_HOST, read strictly."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from hybrid_mcp.config.public_suffix import is_public_suffix
from hybrid_mcp.domain.whitelist import checked_entry, is_single_label, normal_host

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[^\[\]/?#:@\\%\s]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:-]*)*)",
    re.IGNORECASE,
)
_OLLAMA_PORT = 11434
_ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised, never bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An http or https address. `loopback`: it is this machine (127.0.0.0/8, ::1 or localhost)."""

    url: str
    scheme: Literal["http", "https"]
    host: str
    port: int
    loopback: bool


def parse_base_url(text: str) -> Endpoint:
    """A provider's address.

    Raises:
        ValueError: anything but scheme, host, port and path. The message does not repeat the text, which may hold
            a password.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(
            "is not a plain http or https address; write it like https://api.example.com/v1, "
            "without user name, query or spaces"
        )
    scheme: Literal["http", "https"] = "https" if match["scheme"].lower() == "https" else "http"
    return _endpoint(scheme, normal_host(match["host"]), match["port"], match["path"])


def parse_ollama_host(text: str) -> Endpoint:
    """OLLAMA_HOST as Ollama reads it: host, host:port, :port or a URL; an address to listen on means this machine.

    Raises:
        ValueError: it is none of these.
    """
    value = text.strip().strip("\"'")
    scheme, found, rest = value.partition("://")
    if not found:
        scheme, rest = "http", value
    authority, slash, path = rest.partition("/")
    host, port = _split(authority)
    default = {"http": 80, "https": 443}.get(scheme.lower(), _OLLAMA_PORT) if found else _OLLAMA_PORT
    name = "127.0.0.1" if host in _ANY_ADDRESS else host
    bracketed = f"[{name}]" if ":" in name else name
    return parse_base_url(f"{scheme}://{bracketed}:{port or default}{slash}{path}".rstrip("/"))


def whitelist_problem(host: str, *, local: bool) -> str | None:
    """Why no whitelist entry can name this host, or None when one can; a name without a dot only if it is local."""
    try:
        entry = checked_entry("domains", host, is_public_suffix)
    except ValueError as error:
        return f"{host} cannot stand in the whitelist: {error}"
    if is_single_label(entry) and not local:
        return f"{host} cannot stand in the whitelist: write its IP address, or a name with a dot"
    return None


def _endpoint(scheme: Literal["http", "https"], host: str, port_text: str | None, path: str) -> Endpoint:
    port = int(port_text) if port_text else 443 if scheme == "https" else 80
    if not 1 <= port <= 65_535:
        raise ValueError("has a port outside 1 to 65535")
    shown_port = f":{port}" if port_text else ""
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}{shown_port}{path}"
    return Endpoint(url=url, scheme=scheme, host=host, port=port, loopback=_is_this_machine(host))


def _split(authority: str) -> tuple[str, str]:
    """Host and port; an IPv6 address may stand with or without brackets."""
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        return host, port.removeprefix(":")
    if authority.count(":") > 1:
        return authority, ""
    host, _, port = authority.partition(":")
    return host, port


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 4 or address == ipaddress.IPv6Address("::1"))
