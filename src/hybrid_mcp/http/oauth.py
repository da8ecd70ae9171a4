"""Access tokens that somebody else issues: JWTs, checked against the issuer's own keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import anyio
import structlog
from jwt import PyJWK, PyJWT
from jwt.exceptions import PyJWTError
from mcp.server.auth.provider import AccessToken

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.ports import Clock

ALGORITHMS = ("RS256", "ES256")
"""With a public key alone nobody can sign, which is why no HMAC is among them."""
LEEWAY_S = 30
"""By so much clocks may differ."""
FRESH_S = 600.0
"""So long keys are taken without asking anew."""
STALE_S = 86_400.0
"""So long they are taken where the issuer does not answer."""
ASK_AGAIN_S = 30.0
"""No more often is the issuer asked, whatever tokens come in."""

_NO_KEYS: Mapping[str | None, PyJWK] = MappingProxyType({})
_JWT = PyJWT(options={"enforce_minimum_key_length": True})


class IssuerKeys:
    """The issuer's keys by their id, asked for when they are needed and kept for a while."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[Mapping[str, object]]]], clock: Clock) -> None:
        self._fetch, self._clock = fetch, clock
        self._keys = _NO_KEYS
        self._fetched: float | None = None
        self._asked: float | None = None
        self._trouble: HybridError | None = None
        self._asking = anyio.Lock()

    async def key(self, name: str | None) -> PyJWK | None:
        """The key of that id; a token without one means the only key.

        Raises:
            HybridError: the issuer does not tell its keys.
        """
        if self._age() >= FRESH_S or self._named(name) is None:
            async with self._asking:
                await self._refreshed()
        if self._age() >= STALE_S and self._trouble is not None:
            raise self._trouble
        return self._named(name)

    async def _refreshed(self) -> None:
        now = self._clock.monotonic()
        if self._asked is not None and now - self._asked < ASK_AGAIN_S:
            return
        self._asked = now
        try:
            self._keys = _usable(await self._fetch())
            self._fetched, self._trouble = now, None
        except HybridError as error:
            structlog.get_logger().warning("keys not renewed", reason=str(error))
            self._trouble = error

    def _age(self) -> float:
        return STALE_S if self._fetched is None else self._clock.monotonic() - self._fetched

    def _named(self, name: str | None) -> PyJWK | None:
        if name is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtVerifier:
    """Implements `TokenVerifier`. `audience`: this server's address, so that no token for another one is good here."""

    issuer: str
    audience: str
    keys: IssuerKeys

    async def verify_token(self, token: str) -> AccessToken | None:
        """Raises HybridError where the issuer does not tell its keys."""
        try:
            header = _JWT.decode_complete(token, options={"verify_signature": False})["header"]
            if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str | None):
                return None
            key = await self.keys.key(header.get("kid"))
            return None if key is None else self._caller(self._claims(token, key))
        except (PyJWTError, ValueError, RecursionError):
            return None

    def _claims(self, token: str, key: PyJWK) -> Mapping[str, Any]:
        return _JWT.decode(
            token, key, algorithms=list(ALGORITHMS), audience=self.audience, issuer=self.issuer, leeway=LEEWAY_S,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )  # fmt: skip

    def _caller(self, claims: Mapping[str, Any]) -> AccessToken:
        """Whose money is spent: a person or program of the issuer's, whatever token it comes with."""
        who = sha256(f"{claims['iss']}|{claims['sub']}".encode()).hexdigest()
        return AccessToken(token="", client_id=f"oauth-{who[:24]}", scopes=[], expires_at=int(claims["exp"]))


def _usable(rows: Sequence[Mapping[str, object]]) -> Mapping[str | None, PyJWK]:
    """Those to check signatures with, each bound to one algorithm; others are left out."""
    found: dict[str | None, PyJWK] = {}
    for row in rows:
        algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(row.get("kty")))
        name = row.get("kid")
        if algorithm is None or row.get("use", "sig") != "sig" or row.get("alg", algorithm) != algorithm:
            continue
        if not isinstance(name, str | None) or row.get("crv", "P-256") != "P-256":
            continue
        try:
            found[name] = PyJWK(dict(row), algorithm)
        except (PyJWTError, ValueError, TypeError):
            continue
    return found
