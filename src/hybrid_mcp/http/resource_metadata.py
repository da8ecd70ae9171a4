"""Where a client learns who issues the tokens for this server (RFC 9728)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from mcp.server.auth.handlers.metadata import ProtectedResourceMetadataHandler
from mcp.server.auth.routes import build_resource_metadata_url
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from starlette.routing import Route

_WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMetadata:
    """`resource`: this server's own address as clients write it, which is the audience of its tokens."""

    resource: str
    issuer: str

    @property
    def url(self) -> str:
        return str(build_resource_metadata_url(AnyHttpUrl(self.resource)))

    def routes(self) -> list[Route]:
        """At the place for the address, and at the root, where clients look that do not know the address."""
        document = ProtectedResourceMetadata.model_validate(
            {"resource": self.resource, "authorization_servers": [self.issuer]}
        )
        handler = ProtectedResourceMetadataHandler(document)
        paths = dict.fromkeys((urlsplit(self.url).path, _WELL_KNOWN))
        return [Route(path, handler.handle, methods=["GET"]) for path in paths]
