"""No byte reaches a host that the owner did not allow: each layer alone, on both HTTP libraries, before a trap."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from hybrid_mcp.domain.errors import EgressDenied
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.gatekeeper import Dialogs, Gatekeeper
from hybrid_mcp.providers import egress, guard, guard_httpx, guard_httpx2
from hybrid_mcp.providers.egress import Egress
from hybrid_mcp.storage.approvals import AuditTrail
from tests.support_egress import Get, Trap, by_httpx, dns, on_both
from tests.support_hostile import HOSTS, URLS, Hostile
from tests.support_network import network_use
from tests.support_servers import CLOSED, OPEN, FakeServer, Reply, cloud_spec, local_spec, reply_always
from tests.support_service import StillClock

pytestmark = pytest.mark.anyio

OPENAI = ProviderSpec(name="far", kind="openai", base_url="https://api.openai.com/v1", host="api.openai.com")
LISTED = Whitelist(cloud_apis=("openai.com",), domains=("github.com",))
EGRESS = Egress(whitelist=lambda: LISTED)


@pytest.fixture
def quick_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """No authorities, whose loading takes most of the time where hundreds of requests are refused before any TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def bare(_: ProviderSpec) -> ssl.SSLContext:
        return context

    for module in (guard_httpx, guard_httpx2):
        monkeypatch.setattr(module, "plain_tls", bare)


@pytest.fixture
def trap() -> Generator[Trap]:
    with Trap() as opened:
        yield opened


def nothing_to_say(*_: object, **__: object) -> None:
    """Stands in for a layer that is switched off."""


# The first layer: the request

quick = pytest.mark.usefixtures("quick_tls")

REFUSALS = (
    EgressDenied, httpx.InvalidURL, httpx2.InvalidURL, httpx.UnsupportedProtocol, httpx2.UnsupportedProtocol,
    httpx.LocalProtocolError, httpx2.LocalProtocolError,
)  # fmt: skip


@on_both
@quick
@pytest.mark.parametrize("hostile", [each for each in URLS if each.where != "whitelist"], ids=lambda each: each.text)
async def test_no_hostile_url_gets_past_the_first_layer(
    get: Get, hostile: Hostile, trap: Trap, monkeypatch: pytest.MonkeyPatch
):
    """With DNS in the attacker's hands and the second layer switched off."""
    monkeypatch.setattr(egress, "address_verdict", nothing_to_say)
    url = hostile.text.replace("{port}", str(trap.port))
    with dns(monkeypatch, ["127.0.0.1"]) as asked, pytest.raises(REFUSALS) as refused:
        await get(OPENAI, EGRESS, url)
    assert str(refused.value)
    assert (trap.visitors(), asked) == (0, [])


@on_both
@quick
@pytest.mark.parametrize("hostile", [each for each in URLS if each.where == "everywhere"], ids=lambda each: each.text)
async def test_no_hostile_url_is_whitelisted_even_as_a_providers_own_address(
    get: Get, hostile: Hostile, trap: Trap, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(egress, "address_verdict", nothing_to_say)
    url = hostile.text.replace("{port}", str(trap.port))
    with dns(monkeypatch, ["127.0.0.1"]) as asked, pytest.raises(REFUSALS) as refused:
        await _get_as_own(get, url)
    assert str(refused.value)
    assert (trap.visitors(), asked) == (0, [])


async def _get_as_own(get: Get, url: str) -> bytes:
    """As if the profile had a local provider at that very address, as the library understands it."""
    own = (httpx if get is by_httpx else httpx2).URL(url)
    spec = replace(OPENAI, base_url=str(own) or "https://", host=own.raw_host.decode(), local=True)
    return await get(spec, EGRESS, url)


@pytest.mark.parametrize("name", [each.text for each in URLS if each.where != "transport"] + list(HOSTS))
@pytest.mark.parametrize("kind", ["domains", "cloud_apis"])
def test_check_allowed_lets_no_hostile_name_pass_and_says_why(kind: str, name: str, tmp_path: Path):
    approvals = AuditTrail(path=tmp_path / "audit.jsonl", clock=StillClock())
    gatekeeper = Gatekeeper(
        whitelist=lambda: LISTED, add_entry=lambda kind, name: True, approvals=approvals, mode="ask", new_id=str,
        dialogs=Dialogs(StillClock()),
    )  # fmt: skip
    verdict = gatekeeper.check(kind, name.replace("{port}", "8080"))
    assert (verdict.allowed, verdict.matched_rule) == (False, None)
    assert verdict.reason


def test_the_table_is_large_and_has_nothing_twice():
    texts = [each.text for each in URLS] + list(HOSTS)
    assert len(set(texts)) == len(texts) > 120


# Redirects, and the environment


@on_both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["{trap}/v1", "//localhost:{port}/v1", "http://[::1]:{port}/", "https://127.0.0.1/"])
async def test_no_redirect_leads_away(get: Get, status: int, to: str, trap: Trap):
    """Even where a client follows it: to another port of the same host, another name of it, or another scheme."""
    target = to.replace("{trap}", f"http://127.0.0.1:{trap.port}").replace("{port}", str(trap.port))
    with FakeServer(reply_always(Reply(status=status, headers={"Location": target}))) as server:
        with pytest.raises(EgressDenied, match="own address"):
            await get(cloud_spec(server.url), OPEN, f"{server.url}/v1")
        assert len(server.requests) == 1
    assert trap.visitors() == 0


@on_both
async def test_no_proxy_of_the_environment_is_used(get: Get, trap: Trap, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{trap.port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    with FakeServer(reply_always(Reply(body=(b"mine",)))) as server:
        assert await get(local_spec(server.url), CLOSED, server.url) == b"mine"
    assert trap.visitors() == 0


# The second layer: the connection


def far(port: int) -> tuple[ProviderSpec, Egress]:
    """A cloud provider by name, whose port is the trap's."""
    spec = ProviderSpec(name="far", kind="openai", base_url=f"https://api.far.test:{port}/v1", host="api.far.test")
    return spec, Egress(whitelist=lambda: Whitelist(cloud_apis=("far.test",)))


SPECIAL: Mapping[str, str] = {
    "127.0.0.1": "loopback", "127.8.8.8": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback",
    "10.0.0.5": "private", "172.16.0.1": "private", "192.168.1.1": "private", "fd12:3456::1": "private",
    "::ffff:10.0.0.5": "private", "100.64.0.1": "shared", "169.254.1.1": "link-local", "fe80::1": "link-local",
    "fe80::1%lo": "link-local", "0.0.0.1": "unspecified", "::": "unspecified", "224.0.0.1": "multicast",
    "ff02::1": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "reserved", "192.0.2.1": "reserved",
    "198.18.0.1": "reserved", "2001:db8::1": "reserved", "::7f00:1": "reserved", "64:ff9b::7f00:1": "reserved",
    "64:ff9b::a00:5": "reserved", "64:ff9b:1::7f00:1": "reserved", "2002:7f00:1::": "tunnel", "2001:0:1::1": "tunnel",
    "169.254.169.254": "secrets", "fd00:ec2::254": "secrets", "100.100.100.200": "secrets", "168.63.129.16": "secrets",
    "::ffff:169.254.169.254": "secrets", "not an address": "no address", "127.1": "no address",
}  # fmt: skip


@on_both
@quick
@pytest.mark.parametrize("others", [[], ["93.184.216.34"]])
@pytest.mark.parametrize(("address", "why"), SPECIAL.items())
async def test_a_cloud_name_that_leads_to_a_special_address_is_refused(
    get: Get, address: str, why: str, others: list[str], trap: Trap, monkeypatch: pytest.MonkeyPatch
):
    """Also where only one of several answers is such: an attacker needs just that one to be taken."""
    spec, policy = far(trap.port)
    with network_use() as seen, dns(monkeypatch, [*others, address]), pytest.raises(EgressDenied) as refused:
        await get(spec, policy, f"https://api.far.test:{trap.port}/v1")
    assert f"api.far.test leads to {address}" in str(refused.value)
    assert why in str(refused.value)
    assert (trap.visitors(), seen) == (0, [])


@on_both
async def test_what_dns_says_after_the_check_no_longer_matters(get: Get, trap: Trap, monkeypatch: pytest.MonkeyPatch):
    contacted: list[str] = []

    async def no_route(_: object, host: str, port: int, *__: object) -> object:
        contacted.append(f"{host} {port}")
        raise (httpcore.ConnectError if get is by_httpx else httpcore2.ConnectError)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", no_route)
    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", no_route)
    spec, policy = far(trap.port)
    with dns(monkeypatch, ["93.184.216.34"], ["127.0.0.1"]) as asked:
        with pytest.raises((httpx.ConnectError, httpx2.ConnectError)):
            await get(spec, policy, f"https://api.far.test:{trap.port}/v1")
        assert contacted == [f"93.184.216.34 {trap.port}"]
        with pytest.raises(EgressDenied, match=r"leads to 127\.0\.0\.1"):
            await get(spec, policy, f"https://api.far.test:{trap.port}/v1")
    assert (asked, trap.visitors()) == (["api.far.test", "api.far.test"], 0)


def lan(server: FakeServer, name: str = "gpubox") -> tuple[ProviderSpec, Egress]:
    url = f"http://{name}:{server.port}"
    spec = ProviderSpec(name="lan", kind="ollama", base_url=url, host=name, local=True)
    return spec, Egress(whitelist=lambda: Whitelist(domains=(name,)))


@on_both
async def test_a_local_provider_is_reached_by_its_name_at_its_private_address(
    get: Get, monkeypatch: pytest.MonkeyPatch
):
    """The addresses outside of the LAN, which a router gives each machine as well, are left alone."""
    with FakeServer(reply_always(Reply(body=(b"mine",)))) as server:
        spec, policy = lan(server)
        with network_use() as seen, dns(monkeypatch, ["2a00:1450:4001::1", "127.0.0.1"]):
            assert await get(spec, policy, f"http://gpubox:{server.port}/") == b"mine"
        [received] = server.requests
        assert received.headers["host"] == f"gpubox:{server.port}"
        assert set(seen) == {"socket.connect 127.0.0.1"}


@on_both
@pytest.mark.parametrize("address", ["93.184.216.34", "169.254.169.254", "fe80::1", "::", "fd00:ec2::254"])
async def test_a_local_provider_is_not_reached_outside_of_the_lan(
    get: Get, address: str, monkeypatch: pytest.MonkeyPatch
):
    with FakeServer(reply_always(Reply())) as server:
        spec, policy = lan(server)
        with network_use() as seen, dns(monkeypatch, [address]), pytest.raises(EgressDenied, match="gpubox leads to"):
            await get(spec, policy, f"http://gpubox:{server.port}/")
        assert (seen, server.requests) == ([], [])


@on_both
async def test_a_name_without_a_dot_is_only_for_a_local_provider(get: Get, monkeypatch: pytest.MonkeyPatch):
    with FakeServer(reply_always(Reply())) as server:
        spec, policy = lan(server)
        paid = replace(spec, local=False, base_url=f"https://gpubox:{server.port}")
        with dns(monkeypatch, ["93.184.216.34"]) as asked, pytest.raises(EgressDenied, match="`local: true`"):
            await get(paid, policy, f"https://gpubox:{server.port}/")
        assert asked == []


@on_both
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_this_machine_is_reached_without_asking_anyone(get: Get, host: str):
    with FakeServer(reply_always(Reply(body=(b"mine",)))) as server, network_use() as seen:
        spec = replace(local_spec(f"http://{host}:{server.port}"), host=host)
        assert await get(spec, Egress(whitelist=Whitelist, airgap=True), f"http://{host}:{server.port}/") == b"mine"
    assert not any(event.startswith("socket.getaddrinfo localhost") for event in seen)


@on_both
async def test_a_provider_on_this_machine_is_nowhere_else(get: Get, monkeypatch: pytest.MonkeyPatch):
    spec = replace(local_spec("http://localhost:9/v1"), host="localhost")
    with network_use() as seen, dns(monkeypatch, ["192.168.1.20"]), pytest.raises(EgressDenied, match="this machine"):
        await get(spec, CLOSED, "http://localhost:9/v1")
    assert seen == []


@on_both
async def test_airgap_holds_at_the_connection_too(get: Get, monkeypatch: pytest.MonkeyPatch):
    """As if the first layer had let a LAN host through."""
    with FakeServer(reply_always(Reply())) as server:
        spec, policy = lan(server)
        monkeypatch.setattr(Egress, "check", nothing_to_say)
        with dns(monkeypatch, ["192.168.1.20"]), pytest.raises(EgressDenied, match="airgap is on"):
            await get(spec, replace(policy, airgap=True), f"http://gpubox:{server.port}/")
        assert server.requests == []


@on_both
async def test_a_library_whose_connections_cannot_be_checked_is_not_used(get: Get, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guard, "_POOL", "_renamed_in_a_later_release")
    with FakeServer(reply_always(Reply())) as server:
        with pytest.raises(RuntimeError, match="cannot be checked"):
            await get(local_spec(server.url), CLOSED, server.url)
        assert server.requests == []
