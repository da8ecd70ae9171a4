"""Tokens that an OAuth issuer makes: checked against its own keys, which are fetched on a guarded way."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.errors import EgressDenied, ProviderUnavailable
from hybrid_mcp.http.oauth import ASK_AGAIN_S, FRESH_S, STALE_S, IssuerKeys, JwtVerifier
from hybrid_mcp.http.options import HttpOptions
from hybrid_mcp.http.running import web_server
from tests.support_http import bearer, content, new_token, served
from tests.support_servers import FakeServer, Received, Reply, json_reply
from tests.support_service import StillClock

pytestmark = pytest.mark.anyio

AUDIENCE = "https://mcp.example.com/mcp"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    assert name
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    assert name
    return ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(name: str, **more: str) -> dict[str, Any]:
    return {**json.loads(RSAAlgorithm.to_jwk(rsa_key(name).public_key())), "kid": name, **more}


def ec_jwk(name: str, **more: str) -> dict[str, Any]:
    return {**json.loads(ECAlgorithm.to_jwk(ec_key(name).public_key())), "kid": name, **more}


class FakeIssuer:
    """Publishes keys; `keys` may change while it runs."""

    def __init__(self) -> None:
        self.keys: list[Mapping[str, Any]] = [rsa_jwk("r"), ec_jwk("e")]
        self.server = FakeServer(self._answer)
        self.jwks_uri: str | None = None
        self.path = "/.well-known/oauth-authorization-server"

    @property
    def url(self) -> str:
        return self.server.url

    def asked(self) -> int:
        return sum(request.path == "/keys" for request in self.server.requests)

    def _answer(self, request: Received) -> Reply:
        if request.path == self.path:
            return json_reply({"issuer": self.url, "jwks_uri": self.jwks_uri or f"{self.url}/keys"})
        return json_reply({"keys": self.keys}) if request.path == "/keys" else Reply(status=404)

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(datetime.now(UTC).timestamp())
        every = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "exp": now + 600, "iat": now, **more}
        return {name: value for name, value in every.items() if value is not None}

    def token(self, kid: str | None = "e", **more: Any) -> str:
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(self.claims(**more), ec_key(kid or "e"), algorithm="ES256", headers=headers)


@pytest.fixture
def issuer() -> Generator[FakeIssuer]:
    fake = FakeIssuer()
    with fake.server:
        yield fake


def options(issuer: FakeIssuer) -> dict[str, Any]:
    return {"oauth_issuer": issuer.url, "oauth_audience": AUDIENCE}


async def test_a_client_with_a_token_of_the_issuer_is_let_in_and_pays_for_itself(tmp_path: Path, issuer: FakeIssuer):
    signed = jwt.encode(issuer.claims(sub="bob"), rsa_key("r"), algorithm="RS256", headers={"kid": "r"})
    async with served(tmp_path, environ={"CLIENT_BUDGET": "1"}, **options(issuer)) as here:
        for token in (issuer.token(), signed, issuer.token(aud=["https://other.example", AUDIENCE])):
            async with here.client(token) as mcp:
                assert content(await mcp.call_tool("budget_status", {}))["caps"]
        own = new_token(tmp_path)
        assert (await here.said("/nowhere", headers=bearer(own))).status_code == 404
    assert issuer.asked() == 1
    assert {request.headers["host"] for request in issuer.server.requests} == {issuer.url.removeprefix("http://")}


async def test_the_client_learns_where_tokens_are_issued(tmp_path: Path, issuer: FakeIssuer):
    async with served(tmp_path, allowed_hosts=("mcp.example.com",), **options(issuer)) as here:
        told = (await here.said()).headers["www-authenticate"]
        place = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
        assert told == f'Bearer realm="hybrid-mcp", resource_metadata="{place}"'
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
            document = (await here.said(path, headers={"host": "mcp.example.com"})).json()
            assert document["resource"] == AUDIENCE
            assert [url.removesuffix("/") for url in document["authorization_servers"]] == [issuer.url]
            assert (await here.said(path, headers={"host": "evil.com"})).status_code == 421
        wrong = await here.said(headers=bearer("x.y.z"))
        assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


def unsigned(issuer: FakeIssuer) -> str:
    return jwt.encode(issuer.claims(), None, algorithm="none", headers={"kid": "e"})  # pyright: ignore[reportArgumentType]


def with_the_public_key_as_secret(issuer: FakeIssuer) -> str:
    """By hand, because PyJWT refuses to sign so."""
    parts = ({"alg": "HS256", "kid": "e"}, issuer.claims())
    signed = b".".join(base64url_encode(json.dumps(part).encode()) for part in parts)
    secret = ec_key("e").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return (signed + b"." + base64url_encode(hmac.digest(secret, signed, "sha256"))).decode()


def of_the_other_algorithm(issuer: FakeIssuer) -> str:
    return jwt.encode(issuer.claims(), rsa_key("r"), algorithm="RS256", headers={"kid": "e"})


def of_a_longer_hash(issuer: FakeIssuer) -> str:
    return jwt.encode(issuer.claims(), rsa_key("r"), algorithm="RS512", headers={"kid": "r"})


def changed_afterwards(issuer: FakeIssuer) -> str:
    head, body, signature = issuer.token().split(".")
    other = issuer.token(sub="eve").split(".")[1]
    assert body != other
    return f"{head}.{other}.{signature}"


BAD: list[Callable[[FakeIssuer], str]] = [
    unsigned, with_the_public_key_as_secret, of_the_other_algorithm, of_a_longer_hash, changed_afterwards,
    lambda issuer: issuer.token(exp=1_700_000_000),
    lambda issuer: issuer.token(exp=None),
    lambda issuer: issuer.token(nbf=4_000_000_000, exp=4_000_000_100),
    lambda issuer: issuer.token(aud="https://other.example"),
    lambda issuer: issuer.token(aud=None),
    lambda issuer: issuer.token(aud=f"{AUDIENCE}/x"),
    lambda issuer: issuer.token(iss="https://issuer.evil.com"),
    lambda issuer: issuer.token(iss=f"{issuer.url}/"),
    lambda issuer: issuer.token(iss=None),
    lambda issuer: issuer.token(sub=None),
    lambda issuer: issuer.token(kid="nobody"),
    lambda issuer: issuer.token(kid=None),
    lambda issuer: jwt.encode(issuer.claims(), ec_key("rogue"), algorithm="ES256", headers={"kid": "e"}),
    lambda _: "a.b.c",
    lambda _: "",
    lambda _: "\ud800.x.y",
]  # fmt: skip


async def test_a_token_that_is_wrong_in_any_way_lets_nobody_in(issuer: FakeIssuer):
    async def fetch() -> list[Mapping[str, object]]:
        return issuer.keys

    verifier = JwtVerifier(issuer=issuer.url, audience=AUDIENCE, keys=IssuerKeys(fetch, StillClock()))
    good = await verifier.verify_token(issuer.token())
    assert good is not None
    assert good.client_id.startswith("oauth-")
    assert [await verifier.verify_token(make(issuer)) for make in BAD] == [None] * len(BAD)
    other = await verifier.verify_token(issuer.token(sub="bob"))
    assert other is not None
    assert other.client_id != good.client_id


@pytest.mark.parametrize(
    "row",
    [
        ec_jwk("e", use="enc"), ec_jwk("e", alg="ES384"), {"kty": "oct", "k": "c2VjcmV0", "kid": "e"}, {}, {"kty": 7},
        {**ec_jwk("e"), "x": "AA"}, {**ec_jwk("e"), "crv": "P-384"}, {**ec_jwk("e"), "kid": 7},
    ],
)  # fmt: skip
async def test_a_key_that_is_not_for_such_signatures_is_left_out(issuer: FakeIssuer, row: Mapping[str, Any]):
    async def fetch() -> list[Mapping[str, object]]:
        return [row]

    verifier = JwtVerifier(issuer=issuer.url, audience=AUDIENCE, keys=IssuerKeys(fetch, StillClock()))
    assert await verifier.verify_token(issuer.token()) is None


async def test_new_keys_are_fetched_when_they_are_used_but_not_for_every_wrong_token(issuer: FakeIssuer):
    clock, asked = StillClock(), list[int]()

    async def fetch() -> list[Mapping[str, object]]:
        asked.append(1)
        return issuer.keys

    verifier = JwtVerifier(issuer=issuer.url, audience=AUDIENCE, keys=IssuerKeys(fetch, clock))
    assert await verifier.verify_token(issuer.token())
    for number in range(20):
        assert await verifier.verify_token(issuer.token(kid=f"made-up-{number}")) is None
    assert len(asked) == 1
    issuer.keys = [ec_jwk("next")]
    clock.seconds += ASK_AGAIN_S
    assert await verifier.verify_token(issuer.token(kid="next"))
    assert await verifier.verify_token(issuer.token()) is None  # the old key is no longer published
    assert len(asked) == 2


async def test_an_issuer_that_is_down_locks_nobody_out_for_a_day_and_is_not_asked_all_the_time(issuer: FakeIssuer):
    clock, asked = StillClock(), list[int]()
    down = ProviderUnavailable("down")

    async def fetch() -> list[Mapping[str, object]]:
        asked.append(1)
        if clock.seconds:
            raise down
        return issuer.keys

    verifier = JwtVerifier(issuer=issuer.url, audience=AUDIENCE, keys=IssuerKeys(fetch, clock))
    assert await verifier.verify_token(issuer.token())
    clock.seconds = FRESH_S
    assert await verifier.verify_token(issuer.token())
    assert await verifier.verify_token(issuer.token())
    assert len(asked) == 2
    clock.seconds = STALE_S
    with pytest.raises(ProviderUnavailable):
        await verifier.verify_token(issuer.token())


async def test_keys_that_cannot_be_had_are_an_error_of_the_server_and_let_nobody_in(tmp_path: Path, issuer: FakeIssuer):
    issuer.path = "/nowhere"
    async with served(tmp_path, **options(issuer)) as here:
        told = await here.said("/page", headers=bearer(issuer.token()))
        assert told.status_code == 503
        assert issuer.url not in told.text


async def test_an_issuer_may_point_only_to_a_host_that_is_allowed(tmp_path: Path, issuer: FakeIssuer):
    issuer.jwks_uri = "https://keys.example.org/keys"
    async with served(tmp_path, **options(issuer)) as here:
        assert (await here.said("/page", headers=bearer(issuer.token()))).status_code == 503
    assert issuer.asked() == 0


def test_an_issuer_elsewhere_must_be_on_the_whitelist_and_never_in_airgap(tmp_path: Path):
    (tmp_path / "whitelist.json").write_text('{"domains": ["good.example.org"]}', encoding="utf-8")
    for url, airgap in (("https://issuer.example.org", False), ("https://good.example.org", True)):
        settings = load_settings(environ={}, home=tmp_path, airgap=airgap)
        chosen = HttpOptions(port=0, oauth_issuer=url, oauth_audience=AUDIENCE)
        with pytest.raises(EgressDenied, match="the OAuth issuer"):
            web_server(settings, chosen, lambda: pytest.fail("opened"))
