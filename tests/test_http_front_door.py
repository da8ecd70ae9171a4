"""Names in Host and Origin: what a page of another website can make a browser send is not listened to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.domain.front_door import Authority, FrontDoor, authority_of, origin_of
from hybrid_mcp.http.options import HttpOptions

ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound here
HERE = HttpOptions().front_door()
OWN_HOSTS = [
    "localhost",
    "LocalHost:80",
    "127.0.0.1:8765",
    "[::1]:8765",
    "[::1]",
    "[0:0:0:0:0:0:0:1]:1",
    "localhost:65535",
]
FOREIGN_HOSTS = [
    "evil.com", "localhost.evil.com", "evil.com:8765", "localhost.", "127.0.0.1.", "127.0.0.1.nip.io", "localhost:",
    "localhost:0", "localhost:65536", "localhost:80:80", "localhost:8765@evil.com", "user@localhost",
    "evil.com#localhost",
    "localhost/", "localhost /", " localhost", "localhost\t", "localhost,evil.com", "localhost\x00", "", "::1", "[::1",
    "[::1]evil.com", "[::1].evil.com", "[::ffff:127.0.0.1]", "[::1%25lo]", "[::1%lo]", "127.1", "2130706433", "0x7f.1",
    ANYWHERE, "[::]", "127.0.0.2", "loc\u0430lhost", "localhost:8o", "*",
]  # fmt: skip
FOREIGN_ORIGINS = [
    "null", "http://evil.com", "http://localhost.evil.com:8765", "http://localhost:3000", "http://localhost",
    "https://localhost", "http://localhost:8765.evil.com", "http://localhost:8765@evil.com", "http://evil.com:8765",
    "http://user@localhost:8765", "http://localhost:8765/", "http://localhost:8765/x", "file://", "", "localhost:8765",
    "chrome-extension://abcdef", "http://127.0.0.1:8765", "http://localhost.:8765",
    "http://localhost:8765 http://evil.com",
]  # fmt: skip


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_a_name_of_this_machine_is_answered_on_any_port(host: str):
    assert HERE.refusal([host], []) is None


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_any_other_spelling_of_a_host_is_refused(host: str):
    refusal = HERE.refusal([host], [])
    assert refusal is not None
    assert refusal.status == 421


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.com"]])
def test_a_host_must_be_told_exactly_once(hosts: list[str]):
    refusal = HERE.refusal(hosts, [])
    assert refusal is not None
    assert refusal.status == 421


@pytest.mark.parametrize("origin", ["http://localhost:8765", "HTTP://LOCALHOST:8765", "https://localhost:8765"])
def test_a_page_of_the_server_itself_may_use_it(origin: str):
    assert HERE.refusal(["localhost:8765"], [origin]) is None


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_page_of_any_other_origin_may_not(origin: str):
    refusal = HERE.refusal(["localhost:8765"], [origin])
    assert refusal is not None
    assert refusal.status == 403


def test_two_origins_are_one_too_many():
    refusal = HERE.refusal(["localhost:8765"], ["http://localhost:8765", "http://localhost:8765"])
    assert refusal is not None


def test_what_the_owner_names_is_answered_and_nothing_beside_it():
    door = HttpOptions(
        host=ANYWHERE, behind_proxy=True, allowed_hosts=("MCP.example.com", "2001:db8::5"),
        allowed_origins=("https://app.example.com", "http://[::1]:3000"),
    ).front_door()  # fmt: skip
    assert door.refusal(["mcp.example.com"], ["https://mcp.example.com"]) is None
    assert door.refusal(["mcp.example.com:443"], ["https://app.example.com:443"]) is None
    assert door.refusal(["[2001:DB8:0::5]:8765"], ["http://[0::1]:3000"]) is None
    for host, origin in [
        ("localhost", None), ("x.mcp.example.com", None), ("mcp.example.com", "https://app.example.com:444"),
        ("mcp.example.com", "http://app.example.com"),
    ]:  # fmt: skip
        assert door.refusal([host], [origin] if origin else []) is not None


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_whatever_is_no_name_of_ours_is_refused(text: str):
    found = authority_of(text)
    if found is None or found.host not in HERE.hosts:
        assert HERE.refusal([text], []) is not None


@settings(max_examples=50)
@given(st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True), st.integers(1, 65_535))
def test_an_origin_is_read_back_as_it_is_written(name: str, port: int):
    assert authority_of(f"{name}:{port}") == Authority(host=name, port=port)
    origin = origin_of(f"https://{name}:{port}")
    assert origin is not None
    assert origin_of(str(origin)) == origin
    assert FrontDoor(hosts=frozenset({name})).refusal([f"{name}:{port}"], [str(origin)]) is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (HttpOptions(host=ANYWHERE), "everybody on the way reads the tokens"),
        (HttpOptions(host="192.168.1.5", behind_proxy=True), "--allowed-host"),
        (HttpOptions(host="::", behind_proxy=True), "--allowed-host"),
        (HttpOptions(host="example.com"), "give an address of this machine"),
        (HttpOptions(port=70_000), "--port 70000"),
        (HttpOptions(allowed_hosts=("a.example:80",)), "--allowed-host"),
        (HttpOptions(allowed_hosts=("*",)), "--allowed-host"),
        (HttpOptions(allowed_origins=("*",)), "--allowed-origin"),
        (HttpOptions(allowed_origins=("null",)), "--allowed-origin"),
        (HttpOptions(oauth_issuer="https://issuer.example"), "belong together"),
        (HttpOptions(oauth_issuer="http://issuer.example", oauth_audience="https://a.example"), "http is only for"),
        (HttpOptions(oauth_issuer="https://i.example", oauth_audience="mcp"), "--oauth-audience"),
    ],
)
def test_what_would_not_be_safe_is_refused_with_a_reason(options: HttpOptions, told: str):
    assert told in (options.problem() or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_this_machine_needs_no_tls(host: str):
    assert HttpOptions(host=host).problem() is None
