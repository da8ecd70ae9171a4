"""Whoever issues access tokens is asked for their keys, on the same guarded way out as any provider."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import anyio
import httpx2

from hybrid_mcp.config.endpoint import Endpoint, parse_base_url
from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.http import Egress, client_httpx2, read_document

FETCH_S = 5.0
DOCUMENT_LIMIT_BYTES = 256_000
"""A set of keys has some kilobytes."""

Jwk = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """`name`: as it stands in tokens, to the letter."""

    name: str
    egress: Egress

    def check(self) -> None:
        """Raises EgressDenied where it may not be contacted."""
        spec, url = self._spec(parse_base_url(self.name)), urlsplit(self.name)
        self.egress.check(spec, url.scheme, url.hostname or "", url.port)

    async def keys(self) -> Sequence[Jwk]:
        """The keys that it signs with now, as it publishes them.

        Raises:
            EgressDenied: it, or the host of its keys, may not be contacted.
            ProviderUnavailable: it does not tell them.
        """
        try:
            with anyio.fail_after(FETCH_S):
                return await self._keys()
        except TimeoutError:
            raise _silent(self.name, f"nothing within {FETCH_S:g} s") from None
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            raise _silent(self.name, type(error).__name__) from None

    async def _keys(self) -> Sequence[Jwk]:
        own = parse_base_url(self.name)
        for url in _metadata_urls(own.url):
            document = await self._document(own, url)
            place = document.get("jwks_uri")
            if document.get("issuer") == self.name and isinstance(place, str):
                found = (await self._document(parse_base_url(place), place)).get("keys")
                rows = cast("list[object]", found) if isinstance(found, list) else []
                return [cast("Jwk", row) for row in rows if isinstance(row, dict)]
        raise _silent(self.name, "no metadata that names it as issuer and a jwks_uri")

    async def _document(self, at: Endpoint, url: str) -> Mapping[str, object]:
        """The JSON object there; an empty one where there is none."""
        async with (
            client_httpx2(self._spec(at), self.egress, dict[str, str]) as client,
            client.stream("GET", url) as response,
        ):
            body = await read_document(response, DOCUMENT_LIMIT_BYTES) if response.status_code == 200 else None
        document: object = json.loads(body) if body else None
        return cast("Mapping[str, object]", document) if isinstance(document, dict) else {}

    def _spec(self, at: Endpoint) -> ProviderSpec:
        """An issuer elsewhere cannot point to this machine: only one that is here is `local`."""
        here = at.loopback and parse_base_url(self.name).loopback
        return ProviderSpec(
            name="the OAuth issuer", kind="openai", base_url=f"{at.scheme}://{_netloc(at)}", host=at.host,
            loopback=here, local=here,
        )  # fmt: skip


def _metadata_urls(issuer: str) -> tuple[str, str]:
    """Of RFC 8414, and of OpenID Connect."""
    scheme, netloc, path, _, _ = urlsplit(issuer.rstrip("/"))
    return (
        urlunsplit((scheme, netloc, f"/.well-known/oauth-authorization-server{path}", "", "")),
        urlunsplit((scheme, netloc, f"{path}/.well-known/openid-configuration", "", "")),
    )


def _netloc(at: Endpoint) -> str:
    return urlsplit(at.url).netloc


def _silent(issuer: str, what: str) -> ProviderUnavailable:
    return ProviderUnavailable(f"the OAuth issuer {issuer} does not tell its keys ({what}): check --oauth-issuer")
