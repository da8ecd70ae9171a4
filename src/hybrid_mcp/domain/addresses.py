"""Where a connection may end: what kind of address it is, and whether a provider may be reached there."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

from hybrid_mcp.domain.profile import ProviderSpec

AddressKind = Literal[
    "public", "loopback", "private", "shared", "link-local", "multicast", "unspecified", "metadata", "tunnel",
    "reserved",
]  # fmt: skip
"""`shared` is carrier-grade NAT (100.64.0.0/10), where overlay networks such as Tailscale have their addresses too."""


def _ipv4(*networks: str) -> tuple[IPv4Network, ...]:
    return tuple(IPv4Network(network) for network in networks)


def _ipv6(*networks: str) -> tuple[IPv6Network, ...]:
    return tuple(IPv6Network(network) for network in networks)


# Own tables, because Python's `is_global` and `is_private` differ between its releases. Sources: the registries of
# special-purpose addresses at IANA, RFC 6890 and RFC 6052, and the clouds' documents on instance metadata. The first
# kind that holds an address names it.
_IPV4: Mapping[AddressKind, tuple[IPv4Network, ...]] = {
    "metadata": _ipv4(
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192"
    ),
    "unspecified": _ipv4("0.0.0.0/8"),
    "loopback": _ipv4("127.0.0.0/8"),
    "private": _ipv4("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "shared": _ipv4("100.64.0.0/10"),
    "link-local": _ipv4("169.254.0.0/16"),
    "multicast": _ipv4("224.0.0.0/4"),
    "tunnel": _ipv4("192.88.99.0/24"),
    "reserved": _ipv4(
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
    ),
    "public": _ipv4("0.0.0.0/0"),
}  # fmt: skip
_IPV6: Mapping[AddressKind, tuple[IPv6Network, ...]] = {
    "metadata": _ipv6("fd00:ec2::/32", "fd20:ce::254"),
    "unspecified": _ipv6("::"),
    "loopback": _ipv6("::1"),
    "private": _ipv6("fc00::/7"),
    "link-local": _ipv6("fe80::/10"),
    "multicast": _ipv6("ff00::/8"),
    "tunnel": _ipv6("2001::/32", "2002::/16"),
    "reserved": _ipv6("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
    "public": _ipv6("2000::/3"),
}
_NAT64 = IPv6Network("64:ff9b::/96")
_IN_A_LAN: frozenset[AddressKind] = frozenset({"private", "shared", "loopback"})


def kind_of(address: IPv4Address | IPv6Address) -> AddressKind:
    """What an address is for. An IPv4 address mapped into IPv6 counts as itself."""
    if isinstance(address, IPv4Address):
        return _first_of(_IPV4, address)
    if address.ipv4_mapped is not None:
        return kind_of(address.ipv4_mapped)
    if address in _NAT64:
        # The far side of a translator: even 64:ff9b::7f00:1 is not this machine.
        return "public" if kind_of(IPv4Address(address.packed[-4:])) == "public" else "reserved"
    return _first_of(_IPV6, address)


def _first_of(
    table: Mapping[AddressKind, tuple[IPv4Network, ...]] | Mapping[AddressKind, tuple[IPv6Network, ...]],
    address: IPv4Address | IPv6Address,
) -> AddressKind:
    for kind, networks in table.items():
        if any(address in network for network in networks):
            return kind
    return "reserved"


def address_verdict(spec: ProviderSpec, address: str, *, airgap: bool = False) -> str | None:
    """Why a provider may not be contacted at this address, which its host was resolved to; None where it may.

    An address in the profile stands for itself alone. A provider on this machine is nowhere else. A `local` one is in
    a private network, or anywhere where a certificate proves its name. Every other has a public address.
    """
    try:
        found = _plain(ip_address(address))
    except ValueError:
        return "that is no address"
    kind = kind_of(found)
    if kind == "metadata":
        return "that is where a cloud keeps the secrets of its machines"
    if airgap and kind != "loopback":
        return "airgap is on, and that is not this machine"
    own = literal_address(spec.host)
    if own is not None:
        return None if found == own else f"the profile says {own}"
    return _verdict_on_a_name(spec, kind)


def _verdict_on_a_name(spec: ProviderSpec, kind: AddressKind) -> str | None:
    if spec.loopback:
        return None if kind == "loopback" else "the provider is declared to be on this machine"
    if spec.local:
        return _verdict_in_a_lan(spec, kind)
    return None if kind == "public" else f"that is a {kind} address, and a cloud provider has a public one"


def _verdict_in_a_lan(spec: ProviderSpec, kind: AddressKind) -> str | None:
    if kind in _IN_A_LAN:
        return None
    if kind != "public":
        return f"that is a {kind} address, and a `local` provider has a private one"
    if (spec.base_url or "").startswith("https://"):
        return None
    return "that is a public address, and http would send prompts in the open: use https, or an address as base_url"


def literal_address(host: str | None) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as, None where it is a name."""
    try:
        return _plain(ip_address(host or ""))
    except ValueError:
        return None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that a mapped one reaches."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
