"""Connections: to the first address that answers, under the certificate of the name, and none is left open."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import cast

import anyio
import httpcore
import httpcore2
import httpx
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.errors import EgressDenied
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.providers import connect, guard_httpx, guard_httpx2
from hybrid_mcp.providers.connect import Door, alternating, first_connected, resolve
from hybrid_mcp.providers.egress import Egress
from tests.support_egress import Get, Trap, dns, on_both
from tests.support_network import network_use
from tests.support_servers import CLOSED, NEVER_LONGER_S, FakeServer, Reply, cloud_spec, local_spec, reply_always

pytestmark = pytest.mark.anyio

NAME = "api.far.test"


@pytest.fixture
def trap() -> Generator[Trap]:
    with Trap() as opened:
        yield opened


class Refused(Exception):
    """What a library raises where nobody listens."""


@dataclass
class Stream:
    address: str
    closed: bool = False

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def no_head_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "STAGGER_S", 0)


async def test_an_address_that_refuses_costs_no_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connect, "STAGGER_S", 10 * NEVER_LONGER_S)
    tried: list[str] = []

    async def open_one(address: str) -> Stream:
        tried.append(address)
        if address != "3":
            raise Refused(address)
        return Stream(address)

    with anyio.fail_after(NEVER_LONGER_S):
        assert (await first_connected(["1", "2", "3", "4"], open_one, (Refused,))).address == "3"
    assert tried == ["1", "2", "3"]


@pytest.mark.usefixtures("no_head_start")
async def test_an_address_that_never_answers_is_left_behind():
    left: list[str] = []

    async def open_one(address: str) -> Stream:
        if address == "dead":
            try:
                await anyio.sleep_forever()
            finally:
                left.append(address)
        return Stream(address)

    with anyio.fail_after(NEVER_LONGER_S):
        assert (await first_connected(["dead", "alive"], open_one, (Refused,))).address == "alive"
    assert left == ["dead"]


async def test_where_every_address_refuses_the_first_reason_is_told():
    async def open_one(address: str) -> Stream:
        raise Refused(address)

    with pytest.raises(Refused, match="1"):
        await first_connected(["1", "2"], open_one, (Refused,))


@pytest.mark.usefixtures("no_head_start")
async def test_of_two_connections_one_is_closed():
    both, opened = anyio.Event(), list[Stream]()

    async def open_one(address: str) -> Stream:
        with anyio.CancelScope(shield=True):
            if opened:
                both.set()
            opened.append(Stream(address))
            await both.wait()
        return opened[-1] if address == "2" else opened[0]

    with anyio.fail_after(NEVER_LONGER_S):
        kept = await first_connected(["1", "2"], open_one, (Refused,))
    assert sorted(stream.closed for stream in opened) == [False, True]
    assert not kept.closed


async def test_a_caller_who_gives_up_leaves_no_connection_open():
    opened: list[Stream] = []
    with anyio.CancelScope() as scope:

        async def open_one(address: str) -> Stream:
            opened.append(Stream(address))
            scope.cancel()
            return opened[0]

        await first_connected(["1"], open_one, (Refused,))
        await anyio.lowlevel.checkpoint()
    assert opened[0].closed or not scope.cancelled_caught


V4, V6 = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)


@given(addresses=st.lists(st.one_of(V4, V6), unique=True, min_size=1))
def test_both_families_get_their_turn_and_none_is_lost(addresses: list[str]):
    ordered = alternating(addresses)
    assert sorted(ordered) == sorted(addresses)
    assert ordered[0] == addresses[0]
    families = [":" in address for address in ordered]
    both = families[: 2 * min(families.count(True), families.count(False))]
    assert all(left != right for left, right in pairwise(both))


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ["127.0.0.1"]), ("192.0.2.7", ["192.0.2.7"]), ("::1", ["::1"]),
        ("localhost", ["127.0.0.1", "::1"]),
    ],
)  # fmt: skip
async def test_what_is_known_is_not_asked(host: str, addresses: Sequence[str]):
    with network_use() as seen:
        assert await resolve(host, 80) == addresses
    assert seen == []


async def test_a_name_is_asked_of_the_system_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    async def system(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(f"{host} {port}")
        return [(0, 0, 0, "", ("2a00::1", port)), (0, 0, 0, "", ("93.184.216.34", port)), (0, 0, 0, "", ("2a00::1", 1))]

    monkeypatch.setattr(anyio, "getaddrinfo", system)
    assert await resolve(NAME, 443) == ["2a00::1", "93.184.216.34"]
    assert asked == [f"{NAME} 443"]


BACKENDS = ((guard_httpx, httpcore), (guard_httpx2, httpcore2))


def backend_of(module: ModuleType) -> httpcore.AsyncNetworkBackend:
    return module._Backend(
        Door(spec=replace(local_spec("http://gpubox:9"), host="gpubox", loopback=False), egress=CLOSED)
    )


@pytest.mark.parametrize(("module", "library"), BACKENDS)
async def test_a_name_that_takes_too_long_to_resolve_is_a_timeout(
    module: ModuleType, library: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    async def never(*_: object) -> list[str]:
        await anyio.sleep_forever()
        return []

    monkeypatch.setattr(connect, "resolve", never)
    with pytest.raises(library.ConnectTimeout):
        await backend_of(module).connect_tcp("gpubox", 9, timeout=0)


@pytest.mark.parametrize(("module", "library"), BACKENDS)
async def test_a_name_that_nobody_knows_is_no_connection(
    module: ModuleType, library: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    async def unknown(*_: object) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(connect, "resolve", unknown)
    with pytest.raises(library.ConnectError):
        await backend_of(module).connect_tcp("gpubox", 9, timeout=NEVER_LONGER_S)


@pytest.mark.parametrize(("module", "library"), BACKENDS)
async def test_an_address_that_the_system_gives_up_on_is_one_of_several(
    module: ModuleType, library: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    tried: list[str] = []

    async def gives_up(_: object, host: str, *__: object) -> object:
        tried.append(host)
        raise library.ConnectTimeout

    monkeypatch.setattr(library.AnyIOBackend, "connect_tcp", gives_up)
    with dns(monkeypatch, ["192.168.1.20", "192.168.1.21"]), pytest.raises(library.ConnectTimeout):
        await backend_of(module).connect_tcp("gpubox", 9, timeout=NEVER_LONGER_S)
    assert tried == ["192.168.1.20", "192.168.1.21"]


@pytest.mark.parametrize("guarded", [guard_httpx.guarded_httpx, guard_httpx2.guarded_httpx2])
def test_the_keys_of_a_connection_are_never_written_to_the_file_that_the_environment_names(
    guarded: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    transport = guarded(cloud_spec("https://api.example.com/v1"), Egress(whitelist=Whitelist, airgap=False), dict)
    pool = cast("object", vars(vars(transport)["_inner"])["_pool"])
    context = cast("ssl.SSLContext", vars(pool)["_ssl_context"])
    assert context.keylog_filename is None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs()
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("module", [guard_httpx, guard_httpx2])
async def test_no_unix_socket_is_opened(module: ModuleType):
    with pytest.raises(EgressDenied, match="unix socket"):
        await backend_of(module).connect_unix_socket("/var/run/docker.sock")


# TLS


def tls_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for this name, and a client that trusts it and no other."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    pem = certificate.public_bytes(Encoding.PEM)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(file)
    client.load_verify_locations(cadata=pem.decode())
    return server, client


def trusting(context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def trusts(_: ProviderSpec) -> ssl.SSLContext:
        return context

    for module in (guard_httpx, guard_httpx2):
        monkeypatch.setattr(module, "plain_tls", trusts)


def at_home(server: FakeServer) -> tuple[ProviderSpec, Egress]:
    spec = ProviderSpec(name="far", kind="openai", base_url=f"https://{NAME}:{server.port}/v1", host=NAME, local=True)
    return spec, Egress(whitelist=lambda: Whitelist(cloud_apis=("far.test",)))


@on_both
async def test_tls_asks_for_the_name_although_the_connection_goes_to_an_address(
    get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server_side, client_side = tls_for(NAME, tmp_path)
    asked: list[str | None] = []
    server_side.sni_callback = _noting(asked)
    trusting(client_side, monkeypatch)
    with FakeServer(reply_always(Reply(body=(b"mine",))), tls=server_side) as server:
        spec, policy = at_home(server)
        with dns(monkeypatch, ["127.0.0.1"]):
            assert await get(spec, policy, f"https://{NAME}:{server.port}/v1") == b"mine"
        assert server.requests[0].headers["host"] == f"{NAME}:{server.port}"
    assert asked == [NAME]


def _noting(asked: list[str | None]) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        asked.append(name)

    return note


@on_both
async def test_whoever_has_no_certificate_of_the_name_gets_no_byte_of_the_request(
    get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server_side, client_side = tls_for("other.test", tmp_path)
    trusting(client_side, monkeypatch)
    with FakeServer(reply_always(Reply()), tls=server_side) as server:
        spec, policy = at_home(server)
        with (
            dns(monkeypatch, ["127.0.0.1"]),
            pytest.raises((httpx.ConnectError, httpx2.ConnectError), match="ostname mismatch"),
        ):
            await get(spec, policy, f"https://{NAME}:{server.port}/v1")
        assert server.requests == []


@on_both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_from_https_to_http(
    get: Get, status: int, trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server_side, client_side = tls_for(NAME, tmp_path)
    trusting(client_side, monkeypatch)
    moved = Reply(status=status, headers={"Location": f"http://{NAME}:{trap.port}/v1"})
    with FakeServer(reply_always(moved), tls=server_side) as server:
        spec, policy = at_home(server)
        with dns(monkeypatch, ["127.0.0.1"]) as asked, pytest.raises(EgressDenied, match="own address"):
            await get(spec, policy, f"https://{NAME}:{server.port}/v1")
        assert len(server.requests) == 1
    assert (asked, trap.visitors()) == ([NAME], 0)
