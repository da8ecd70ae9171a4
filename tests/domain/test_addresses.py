from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.addresses import AddressKind, address_verdict, kind_of, literal_address
from hybrid_mcp.domain.profile import ProviderSpec

CLOUD = ProviderSpec(name="far", kind="openai", base_url="https://api.far.test/v1", host="api.far.test")
LAN = ProviderSpec(name="lan", kind="ollama", base_url="http://gpubox.lan:11434", host="gpubox.lan", local=True)
HERE = ProviderSpec(name="here", kind="openai", base_url="http://localhost:8080", host="localhost", loopback=True)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("1.1.1.1", "public"), ("9.255.255.255", "public"), ("11.0.0.0", "public"), ("100.63.255.255", "public"),
        ("100.128.0.0", "public"), ("172.15.255.255", "public"), ("172.32.0.0", "public"),
        ("223.255.255.255", "public"), ("2606:4700::1", "public"), ("2a00:1450:4001::1", "public"),
        ("64:ff9b::101:101", "public"), ("::ffff:1.1.1.1", "public"),
        ("10.0.0.0", "private"), ("172.16.0.0", "private"), ("172.31.255.255", "private"),
        ("192.168.255.255", "private"), ("fd7a:115c:a1e0::1", "private"), ("100.64.0.0", "shared"),
        ("100.127.255.255", "shared"), ("127.255.255.255", "loopback"), ("::1", "loopback"),
        ("169.254.0.1", "link-local"), ("fe80::1", "link-local"), ("febf::1", "link-local"),
        ("224.0.0.0", "multicast"), ("239.255.255.255", "multicast"), ("ff0e::1", "multicast"),
        ("0.0.0.0", "unspecified"), ("0.1.2.3", "unspecified"), ("::", "unspecified"),  # noqa: S104
        ("169.254.169.254", "metadata"), ("fd00:ec2::254", "metadata"), ("168.63.129.16", "metadata"),
        ("2002:101:101::", "tunnel"), ("2001::1", "tunnel"), ("192.88.99.1", "tunnel"),
        ("240.0.0.0", "reserved"), ("255.255.255.255", "reserved"), ("::2", "reserved"), ("::1.1.1.1", "reserved"),
        ("64:ff9b::a00:1", "reserved"), ("64:ff9b:1::1", "reserved"), ("100::1", "reserved"), ("fec0::1", "reserved"),
        ("2001:db8::1", "reserved"), ("3fff::1", "reserved"), ("4000::1", "reserved"), ("5f00::1", "reserved"),
    ],
)  # fmt: skip
def test_every_address_is_of_one_kind(address: str, kind: AddressKind):
    assert kind_of(ip_address(address)) == kind


@given(st.ip_addresses())
def test_what_python_knows_as_special_is_never_public(address: IPv4Address | IPv6Address):
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    if special or address.is_reserved or address.is_unspecified:
        assert kind_of(address) != "public" or address in _TRANSLATED


class _Translated:
    """NAT64 addresses are reserved in the registry, and yet lead to the public address inside."""

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        return address.version == 6 and str(address).startswith(("64:ff9b::", "::ffff:"))


_TRANSLATED = _Translated()


@pytest.mark.parametrize(
    ("spec", "address", "why"),
    [
        (CLOUD, "1.1.1.1", None),
        (CLOUD, "2606:4700::1", None),
        (CLOUD, "64:ff9b::101:101", None),
        (CLOUD, "127.0.0.1", "a loopback address"),
        (CLOUD, "10.0.0.1", "a private address"),
        (CLOUD, "1.1.1.1.", "no address"),
        (CLOUD, "", "no address"),
        (LAN, "192.168.1.20", None),
        (LAN, "100.100.1.1", None),
        (LAN, "127.0.1.1", None),
        (LAN, "fd12::1", None),
        (LAN, "1.1.1.1", "http would send prompts in the open"),
        (replace(LAN, base_url="https://gpu.example.com"), "1.1.1.1", None),
        (replace(LAN, base_url="https://gpu.example.com"), "169.254.1.1", "a link-local address"),
        (LAN, "169.254.1.1", "a link-local address"),
        (LAN, "169.254.169.254", "secrets"),
        (HERE, "127.0.0.1", None),
        (HERE, "::1", None),
        (HERE, "192.168.1.20", "on this machine"),
        (HERE, "64:ff9b::7f00:1", "on this machine"),
        (replace(CLOUD, host="203.0.113.7"), "203.0.113.7", None),
        (replace(CLOUD, host="203.0.113.7"), "203.0.113.8", "the profile says 203.0.113.7"),
        (replace(CLOUD, host="127.0.0.1"), "::ffff:127.0.0.1", None),
        (replace(LAN, host="169.254.169.254"), "169.254.169.254", "secrets"),
    ],
)
def test_an_address_is_judged_by_what_the_provider_is_said_to_be(spec: ProviderSpec, address: str, why: str | None):
    verdict = address_verdict(spec, address)
    assert verdict is None if why is None else why in (verdict or "")


@given(st.ip_addresses(), st.sampled_from([CLOUD, LAN, HERE, replace(CLOUD, host="203.0.113.7")]))
def test_in_airgap_nothing_but_this_machine_is_reached(address: IPv4Address | IPv6Address, spec: ProviderSpec):
    if address_verdict(spec, str(address), airgap=True) is None:
        assert kind_of(address) == "loopback"


def test_a_host_that_is_written_as_an_address_is_known_as_one():
    assert str(literal_address("::ffff:10.0.0.1")) == "10.0.0.1"
    assert [literal_address(host) for host in ("127.1", "localhost", "", None)] == [None] * 4
