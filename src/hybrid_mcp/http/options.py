"""How the server is to be reached, as the owner says it on the command line, and whether that is safe."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from hybrid_mcp.config.endpoint import parse_base_url
from hybrid_mcp.domain.addresses import kind_of
from hybrid_mcp.domain.front_door import LOOPBACK_NAMES, FrontDoor, authority_of, origin_of

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """`host`: an address to listen on, or `localhost`. `port`: 0 takes a free one.

    `allowed_hosts`: names by which clients reach it. `allowed_origins`: web pages that may use it from a browser.
    `client_ca`: who signs the certificates that clients must show. `oauth_audience`: this server's own address.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    behind_proxy: bool = False
    oauth_issuer: str | None = None
    oauth_audience: str | None = None

    @property
    def address(self) -> str:
        return DEFAULT_HOST if self.host.lower() == "localhost" else self.host

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    def problem(self) -> str | None:
        """Why it cannot be served so, and what to do; None where it can."""
        return _spelling_problem(self) or _pairs_problem(self) or _exposure_problem(self)

    def front_door(self) -> FrontDoor:
        """For options without a problem."""
        given = [authority_of(_bracketed(name)) for name in self.allowed_hosts]
        named = frozenset(authority.host for authority in given if authority is not None)
        own = LOOPBACK_NAMES | {self.address} if _is_here(self.address) else frozenset[str]()
        origins = frozenset(origin for text in self.allowed_origins if (origin := origin_of(text)) is not None)
        return FrontDoor(hosts=named | own, origins=origins)


def _spelling_problem(options: HttpOptions) -> str | None:
    if _address(options.address) is None:
        return f"--host {options.host[:80]!r}: give an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all"
    if not 0 <= options.port <= 65_535:
        return f"--port {options.port}: must be from 0 (a free one) to 65535"
    for name in options.allowed_hosts:
        authority = authority_of(_bracketed(name))
        if authority is None or authority.port is not None:
            return f"--allowed-host {name[:80]!r}: give a name or an address alone, such as mcp.example.com"
    for text in options.allowed_origins:
        if origin_of(text) is None:
            return f"--allowed-origin {text[:80]!r}: give scheme, host and port alone, such as https://app.example.com"
    return None


def _pairs_problem(options: HttpOptions) -> str | None:
    if (options.tls_cert is None) != (options.tls_key is None):
        return "--tls-cert and --tls-key belong together: give both"
    if options.client_ca is not None and options.tls_cert is None:
        return "--client-ca checks certificates of clients, which TLS carries: give --tls-cert and --tls-key too"
    if (options.oauth_issuer is None) != (options.oauth_audience is None):
        return "--oauth-issuer and --oauth-audience belong together: give both"
    return _url_problem("--oauth-issuer", options.oauth_issuer) or _url_problem(
        "--oauth-audience", options.oauth_audience
    )


def _url_problem(option: str, url: str | None) -> str | None:
    try:
        endpoint = None if url is None else parse_base_url(url)
    except ValueError as error:
        return f"{option} {error}"
    if endpoint is not None and endpoint.scheme == "http" and not endpoint.loopback:
        return f"{option}: http is only for this machine; give an https address"
    return None


def _exposure_problem(options: HttpOptions) -> str | None:
    if _is_here(options.address):
        return None
    if options.tls_cert is None and not options.behind_proxy:
        return (
            f"--host {options.host} can be reached from other machines, and without TLS everybody on the way reads the "
            "tokens and prompts: give --tls-cert and --tls-key, or --behind-proxy where a proxy speaks TLS for it"
        )
    if not options.allowed_hosts:
        return (
            f"--host {options.host}: give --allowed-host with the name that clients use, because any other name in a "
            "request may be a web page's trick (DNS rebinding)"
        )
    return None


def _is_here(address: str) -> bool:
    found = _address(address)
    return found is not None and kind_of(found) == "loopback"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _bracketed(name: str) -> str:
    return f"[{name}]" if isinstance(_address(name), IPv6Address) else name
