"""The one policy on what may be contacted: asked for every request, and again for every address it would connect to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from hybrid_mcp.domain.addresses import address_verdict, kind_of, literal_address
from hybrid_mcp.domain.errors import ConfigError, EgressDenied
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.whitelist import Whitelist, is_single_label, normal_host

_PORTS = {"http": 80, "https": 443}


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
        if is_single_label(raw_host) and not spec.local:
            raise EgressDenied(
                f"{spec.name} was not contacted: {raw_host} is a name of the local network, which is only for a "
                "provider that the profile declares as `local: true`"
            )
        verdict = self.whitelist().check_host(raw_host)
        if not verdict.allowed:
            raise EgressDenied(
                f"{spec.name} was not contacted: {verdict.reason}. The owner can allow it: add_to_whitelist "
                f"(cloud_apis, {raw_host}), or `cloud_apis` in whitelist.json"
            )

    def admitted(self, spec: ProviderSpec, host: str, addresses: Sequence[str]) -> tuple[str, ...]:
        """Those of a host's addresses that may be connected to.

        A single wrong one refuses a cloud provider: its name has none, so somebody tampers with the answer. In a
        local network a name often has a public IPv6 address besides, which is left out.

        Raises:
            EgressDenied: none may, or one may not.
        """
        verdicts = {address: address_verdict(spec, address, airgap=self.airgap) for address in addresses}
        refused = next(((address, why) for address, why in verdicts.items() if why is not None), None)
        allowed = tuple(address for address, why in verdicts.items() if why is None)
        if refused is None or (allowed and spec.local):
            return allowed
        raise EgressDenied(
            f"{spec.name} was not contacted: {_plain(host)} leads to {refused[0]}, and {refused[1]}. If that is not "
            "what you meant, somebody may be changing the answers of DNS: check the network and base_url"
        )


def is_loopback(host: str) -> bool:
    """Whether the host names this machine: 127.0.0.0/8, ::1, also mapped into IPv6, or `localhost` (RFC 6761)."""
    name = host.lower().removesuffix(".")
    address = literal_address(name)
    return name == "localhost" if address is None else kind_of(address) == "loopback"


def base_url_of(spec: ProviderSpec) -> str:
    """The provider's address without a trailing slash.

    Raises:
        ConfigError: it has none.
    """
    if not spec.base_url:
        raise ConfigError(f"provider {spec.name} has no base_url: set `providers: {spec.name}: base_url:`")
    return spec.base_url.rstrip("/")


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
