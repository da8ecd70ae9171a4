from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import anyio
import httpx
import httpx2
import pytest
from anyio.lowlevel import checkpoint

from hybrid_mcp.domain.errors import ConfigError, EgressDenied, ProviderError, ProviderUnavailable
from hybrid_mcp.domain.profile import ProviderKind, ProviderSpec
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.ports import Provider
from hybrid_mcp.providers.anthropic import AnthropicProvider
from hybrid_mcp.providers.egress import is_loopback
from hybrid_mcp.providers.http import (
    LISTING_LIMIT_BYTES,
    Egress,
    base_url_of,
    client_httpx2,
    fetch_listing,
    guarded_httpx,
    guarded_httpx2,
)
from hybrid_mcp.providers.ollama import OllamaProvider
from hybrid_mcp.providers.openai import OpenAIProvider
from tests.support_faults import Fault, Talk, fault_server
from tests.support_servers import (
    CALL,
    CLOSED,
    NEVER_LONGER_S,
    OPEN,
    FakeServer,
    Received,
    Recorder,
    Reply,
    anthropic_reply,
    cloud_spec,
    json_reply,
    local_spec,
    ollama_script,
    openai_reply,
    reply_always,
)
from tests.support_tls import self_signed

pytestmark = pytest.mark.anyio

SECRET_KEY = "sk-test-only-key"
ENVIRONMENT_KEY = "sk-from-the-environment"


def cloud(base_url: str, host: str, **more: bool) -> ProviderSpec:
    return replace(
        ProviderSpec(name="far", kind="openai", base_url=base_url, host=host, api_key_env=("FAR_KEY",)), **more
    )


OPENAI = cloud("https://api.openai.com/v1", "api.openai.com")
LAN = cloud("http://192.168.1.20:11434", "192.168.1.20", local=True)
HERE = local_spec("http://127.0.0.1:8080/v1")


def allow(*hosts: str, airgap: bool = False) -> Egress:
    return Egress(whitelist=lambda: Whitelist(cloud_apis=hosts), airgap=airgap)


def check(egress: Egress, spec: ProviderSpec, url: str) -> None:
    """Check the URL exactly as the transport sees it."""
    parsed = httpx2.URL(url)
    egress.check(spec, parsed.scheme, parsed.raw_host.decode(), parsed.port)


@pytest.mark.parametrize(
    ("egress", "spec", "url"),
    [
        (allow("openai.com"), OPENAI, "https://api.openai.com/v1/chat/completions"),
        (allow("api.openai.com"), OPENAI, "https://API.OpenAI.com:443/v1"),
        (allow("api.openai.com"), OPENAI, "https://api.openai.com./v1"),
        (allow(), HERE, "http://127.0.0.1:8080/v1/models"),
        (allow(airgap=True), HERE, "http://127.0.0.1:8080/v1/models"),
        (allow("192.168.1.20"), LAN, "http://192.168.1.20:11434/api/chat"),
        (allow("127.0.0.1"), cloud_spec("http://127.0.0.1:9000"), "http://127.0.0.1:9000/v1"),
        (allow(), replace(HERE, base_url="http://localhost:1234/v1", host="localhost"), "http://localhost:1234/v1"),
        (allow(), replace(HERE, base_url="http://[::1]:1234/v1", host="::1"), "http://[::1]:1234/v1"),
    ],
)
def test_a_providers_own_address_passes_where_the_owner_allows_it(egress: Egress, spec: ProviderSpec, url: str):
    check(egress, spec, url)


@pytest.mark.parametrize(
    ("egress", "spec", "url", "reason"),
    [
        (allow(), OPENAI, "https://api.openai.com/v1", "not listed"),
        (allow("openai.com"), OPENAI, "https://evilopenai.com/v1", "own address"),
        (allow("openai.com", "evil.com"), OPENAI, "https://evil.com/v1", "own address"),
        (allow("openai.com"), OPENAI, "https://api.openai.com:8443/v1", "own address"),
        (allow("openai.com"), OPENAI, "http://api.openai.com:443/v1", "own address"),
        (allow("openai.com"), OPENAI, "ftp://api.openai.com/v1", "own address"),
        (allow("openai.com"), OPENAI, "https://api.openai.com@evil.com/v1", "own address"),
        (allow("openai.com"), OPENAI, "https://аpi.openai.com/v1", "own address"),
        (allow("far.test"), cloud("http://far.test/v1", "far.test"), "http://far.test/v1", "in the clear"),
        (allow(), LAN, "http://192.168.1.20:11434/api/chat", "not listed"),
        (allow(), cloud_spec("http://127.0.0.1:9000"), "http://127.0.0.1:9000/v1", "not listed"),
        (allow(), HERE, "http://2130706433:8080/v1", "own address"),
        (allow("openai.com", airgap=True), OPENAI, "https://api.openai.com/v1", "airgap"),
        (allow("192.168.1.20", airgap=True), LAN, "http://192.168.1.20:11434/", "airgap"),
        (allow("127.0.0.1", airgap=True), cloud_spec("http://127.0.0.1:9000"), "http://127.0.0.1:9000/v1", "airgap"),
        (allow(), replace(LAN, loopback=True), "http://192.168.1.20:11434/api/chat", "not listed"),
        (allow(), replace(HERE, host=None, base_url=None), "http://127.0.0.1:8080/v1", "own address"),
    ],
)
def test_every_other_request_is_refused_with_the_reason(egress: Egress, spec: ProviderSpec, url: str, reason: str):
    with pytest.raises(EgressDenied, match=reason):
        check(egress, spec, url)


def test_a_refusal_says_how_the_owner_can_allow_it():
    with pytest.raises(EgressDenied) as refused:
        check(allow(), OPENAI, "https://api.openai.com/v1")
    assert str(refused.value) == (
        "far was not contacted: api.openai.com is not listed in cloud_apis or domains. The owner can allow it: "
        "add_to_whitelist (cloud_apis, api.openai.com), or `cloud_apis` in whitelist.json"
    )


def test_a_granted_approval_works_at_once():
    entries: list[str] = []
    egress = Egress(whitelist=lambda: Whitelist(cloud_apis=tuple(entries)))
    with pytest.raises(EgressDenied):
        check(egress, OPENAI, "https://api.openai.com/v1")
    entries.append("api.openai.com")
    check(egress, OPENAI, "https://api.openai.com/v1")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True), ("LocalHost.", True),
        ("10.0.0.1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::7f00:1", False), ("127.0.0.1.evil.com", False),
        ("localhost.evil.com", False), ("", False),
    ],
)  # fmt: skip
def test_only_this_machines_addresses_count_as_loopback(host: str, here: bool):
    assert is_loopback(host) is here


async def test_both_transports_refuse_before_anything_is_sent():
    with FakeServer(reply_always(Reply())) as server:
        spec = cloud_spec(server.url)
        async with (
            httpx2.AsyncClient(transport=guarded_httpx2(spec, CLOSED)) as two,
            httpx.AsyncClient(transport=guarded_httpx(spec, CLOSED)) as one,
        ):
            with pytest.raises(EgressDenied):
                await two.get(server.url)
            with pytest.raises(EgressDenied):
                await one.get(server.url)
        assert server.requests == []


async def test_only_known_headers_and_our_own_key_leave():
    with FakeServer(reply_always(Reply())) as server:
        spec = local_spec(server.url)
        transport = guarded_httpx2(spec, CLOSED, lambda: {"authorization": "Bearer ours"})
        headers = {"Authorization": "Bearer theirs", "X-Api-Key": "theirs", "Host": "evil.com", "X-Machine": "name"}
        async with httpx2.AsyncClient(transport=transport, headers=headers) as client:
            await client.get(server.url)
        [received] = server.requests
        assert received.headers["authorization"] == "Bearer ours"
        assert received.headers["host"] == f"127.0.0.1:{server.port}"
        assert {"x-api-key", "x-machine"}.isdisjoint(received.headers)


def zipped(size: int) -> bytes:
    return gzip.compress(b"x" * size)


@pytest.mark.parametrize("status", [200, 500])
async def test_what_a_server_packs_unasked_is_never_unpacked(status: int):
    packed = zipped(10_000_000)
    reply = Reply(status=status, headers={"Content-Encoding": "gzip"}, body=(packed,))
    with FakeServer(reply_always(reply)) as server:
        spec = local_spec(server.url)
        async with (
            httpx2.AsyncClient(transport=guarded_httpx2(spec, CLOSED), headers={"Accept-Encoding": "gzip, br"}) as two,
            httpx.AsyncClient(transport=guarded_httpx(spec, CLOSED), headers={"Accept-Encoding": "gzip, br"}) as one,
        ):
            assert (await two.get(server.url)).content == packed
            assert (await one.get(server.url)).content == packed
        assert [received.headers["accept-encoding"] for received in server.requests] == ["identity", "identity"]


LINE = b" " * 65_535 + b"\n"


@pytest.mark.parametrize(
    ("status", "piece", "limit"),
    [
        (200, LINE, "RESPONSE_LIMIT_BYTES"),
        (200, b" " * 65_536, "LINE_LIMIT_BYTES"),
        (500, LINE, "LINE_LIMIT_BYTES"),
    ],
)
async def test_no_response_is_read_past_its_limit(
    status: int, piece: bytes, limit: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(f"hybrid_mcp.providers.guard.{limit}", 1_000_000)
    reply = Reply(status=status, body=repeat(piece, 1000))
    for library in ("httpx", "httpx2"):
        with FakeServer(reply_always(reply)) as server:
            spec = local_spec(server.url)
            if library == "httpx":
                async with httpx.AsyncClient(transport=guarded_httpx(spec, CLOSED)) as one:
                    with pytest.raises(httpx.RemoteProtocolError, match="larger than any answer"):
                        await one.get(server.url)
            else:
                async with httpx2.AsyncClient(transport=guarded_httpx2(spec, CLOSED)) as two:
                    with pytest.raises(httpx2.RemoteProtocolError, match="larger than any answer"):
                        await two.get(server.url)
            assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
async def test_an_event_of_more_lines_than_any_has_is_not_read(end: bytes):
    reply = Reply(content_type="text/event-stream", body=[(b"x: y" + end) * 101 + end])
    with FakeServer(reply_always(reply)) as server:
        async with httpx2.AsyncClient(transport=guarded_httpx2(local_spec(server.url), CLOSED)) as client:
            with pytest.raises(httpx2.RemoteProtocolError, match="larger than any"):
                await client.post(server.url)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
async def test_a_stream_of_many_small_events_is_read_to_its_end(end: bytes):
    event = b"event: e" + end + b"data: {}" + end + end
    with FakeServer(reply_always(Reply(content_type="text/event-stream", body=[event * 10] * 100))) as server:
        async with httpx2.AsyncClient(transport=guarded_httpx2(local_spec(server.url), CLOSED)) as client:
            assert (await client.post(server.url)).content == event * 1_000


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_lines_in_crumbs_are_handed_on_whole(end: bytes, size: int):
    text = b"data: {}" + end + end + b"data: one that has no end"
    crumbs = [text[start : start + size] for start in range(0, len(text), size)]
    with FakeServer(reply_always(Reply(body=crumbs))) as server:
        async with (
            httpx2.AsyncClient(transport=guarded_httpx2(local_spec(server.url), CLOSED)) as client,
            client.stream("POST", server.url) as response,
        ):
            pieces = [piece async for piece in response.aiter_raw()]
    assert b"".join(pieces) == text
    assert pieces[-1] == b"data: one that has no end"
    assert all(piece.endswith(end) for piece in pieces[:-1])


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
async def test_while_thousands_of_pieces_are_read_at_once_others_run(library: str):
    turns: list[None] = []

    async def others() -> None:
        while True:
            turns.append(None)
            await checkpoint()

    async def crumble(talk: Talk) -> None:
        await talk.say(*[b"x"] * 5_000)
        await talk.end()

    crumbs = Fault(act=crumble, outcomes=frozenset())
    async with fault_server(lambda _: crumbs, ["m"]) as server:
        spec = local_spec(server.url)
        body = json.dumps({"model": "m", "messages": [], "max_tokens": 1})
        async with (
            httpx2.AsyncClient(transport=guarded_httpx2(spec, CLOSED)) as two,
            httpx.AsyncClient(transport=guarded_httpx(spec, CLOSED)) as one,
            (two if library == "httpx2" else one).stream(
                "GET", f"{server.url}/v1/chat/completions", content=body
            ) as got,
            anyio.create_task_group() as group,
        ):
            group.start_soon(others)
            assert len([piece async for piece in got.aiter_raw()]) == 5_000
            group.cancel_scope.cancel()
    assert len(turns) > 100


async def test_a_listing_larger_than_any_is_not_read():
    body = repeat(b"x" * 65_536, LISTING_LIMIT_BYTES // 65_536 + 1)
    with FakeServer(reply_always(Reply(body=body))) as server:
        async with client_httpx2(local_spec(server.url), CLOSED, dict[str, str]) as client:
            assert await fetch_listing(client, server.url) is None


async def test_a_listing_that_is_not_there_is_none():
    with FakeServer(reply_always(json_reply({"error": "no"}, status=404))) as server:
        async with client_httpx2(local_spec(server.url), CLOSED, dict[str, str]) as client:
            assert await fetch_listing(client, server.url) is None


def test_a_provider_without_an_address_is_a_configuration_error():
    with pytest.raises(ConfigError, match="provider here has no base_url"):
        base_url_of(replace(HERE, base_url=None))


Opener = Callable[[ProviderSpec], Provider]
OPENERS: dict[ProviderKind, Opener] = {
    "openai": lambda spec: OpenAIProvider(spec=spec, api_key=lambda: SECRET_KEY, egress=OPEN),
    "anthropic": lambda spec: AnthropicProvider(spec=spec, api_key=lambda: SECRET_KEY, egress=OPEN),
    "ollama": lambda spec: OllamaProvider(spec=spec, egress=OPEN),
}
GOOD: dict[ProviderKind, Callable[[Received], Reply]] = {
    "openai": reply_always(openai_reply()),
    "anthropic": reply_always(anthropic_reply()),
    "ollama": ollama_script(),
}
every_dialect = pytest.mark.parametrize("kind", list(OPENERS))


@every_dialect
async def test_a_packed_or_huge_error_stays_a_short_error(kind: ProviderKind):
    bomb = Reply(status=400, headers={"Content-Encoding": "gzip"}, body=(zipped(10_000_000),))
    huge = Reply(status=400, body=repeat(b"x" * 65_536, 1000))
    for reply, told in ((bomb, "HTTP 400"), (huge, "broke off")):
        with FakeServer(reply_always(reply)) as server:
            provider = OPENERS[kind](cloud_spec(server.url, kind))
            try:
                with pytest.raises(ProviderError, match=told) as caught:
                    await provider.complete(CALL, Recorder())
            finally:
                await provider.aclose()
            assert len(str(caught.value)) < 300


@every_dialect
async def test_the_environment_changes_neither_address_nor_key(kind: ProviderKind, monkeypatch: pytest.MonkeyPatch):
    with FakeServer(GOOD[kind]) as elsewhere, FakeServer(GOOD[kind]) as own:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, elsewhere.url)
        for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"):
            monkeypatch.setenv(name, elsewhere.url)
        for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OLLAMA_API_KEY",
                     "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):  # fmt: skip
            monkeypatch.setenv(name, ENVIRONMENT_KEY)
        for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
            monkeypatch.setenv(name, f"authorization: Bearer {ENVIRONMENT_KEY}\nX-Extra: {ENVIRONMENT_KEY}")
        provider = OPENERS[kind](cloud_spec(own.url, kind))
        try:
            assert (await provider.complete(CALL, Recorder())).text == "Hello there"
        finally:
            await provider.aclose()
        assert elsewhere.requests == []
        assert own.requests
        for received in own.requests:
            assert ENVIRONMENT_KEY not in str(received)
            assert received.headers.get("authorization") == (f"Bearer {SECRET_KEY}" if kind == "openai" else None)
            assert received.headers.get("x-api-key") == (SECRET_KEY if kind == "anthropic" else None)


@every_dialect
async def test_a_certificate_that_nobody_vouches_for_is_refused(kind: ProviderKind, tmp_path: Path):
    with FakeServer(GOOD[kind], tls=self_signed(tmp_path)) as impostor:
        provider = OPENERS[kind](cloud_spec(impostor.url, kind))
        try:
            with pytest.raises(ProviderUnavailable, match="could not be reached"):
                await provider.complete(CALL, Recorder())
        finally:
            await provider.aclose()
        assert impostor.requests == []


async def test_the_fake_server_itself_can_hang_and_cut():
    gate = threading.Event()
    with FakeServer(reply_always(Reply(body=(b"one", gate, b"two", "cut")))) as server:
        async with httpx2.AsyncClient(trust_env=False) as client, client.stream("GET", server.url) as response:
            pieces = response.aiter_raw()
            assert await anext(pieces) == b"one"
            gate.set()
            assert await anext(pieces) == b"two"
            with pytest.raises(httpx2.HTTPError):
                await anext(pieces)
