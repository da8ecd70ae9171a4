"""The web application: MCP at `/mcp`, an open `/health`, further pages, and the guards around all of them."""

from __future__ import annotations

from collections.abc import Sequence

from mcp.server.auth.provider import TokenVerifier
from mcp.server.transport_security import RequestBodyLimitMiddleware, TransportSecuritySettings
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hybrid_mcp.domain.completion import MAX_REQUEST_BYTES
from hybrid_mcp.domain.front_door import FrontDoor
from hybrid_mcp.http.auth import Authenticated
from hybrid_mcp.http.drain import Drain
from hybrid_mcp.http.guard import Guard
from hybrid_mcp.http.resource_metadata import ResourceMetadata
from hybrid_mcp.server import HybridServer

MCP_PATH = "/mcp"
BODY_LIMIT_BYTES = MAX_REQUEST_BYTES + 1_000_000
"""The largest request, and what JSON adds to it."""
MOST_SESSIONS = 1_000
"""Of clients of the handshake era; an unused one ends after half an hour."""


def http_app(
    server: HybridServer, door: FrontDoor, verifier: TokenVerifier, *,
    metadata: ResourceMetadata | None = None, pages: Sequence[Route] = (),
) -> ASGIApp:  # fmt: skip
    """What a web server runs. Nobody gets to `pages` without a token, nor to any route that is not named as open here.

    `metadata`: where clients learn who issues tokens, for OAuth.
    """
    app: ASGIApp = server.streamable_http_app(
        streamable_http_path=MCP_PATH, max_request_body_size=BODY_LIMIT_BYTES, max_sessions=MOST_SESSIONS,
        # The guard does this for every route.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )  # fmt: skip
    told = metadata.routes() if metadata is not None else []
    app.routes.extend([Route("/health", _health, methods=["GET"]), *told, *pages])
    app = RequestBodyLimitMiddleware(app, BODY_LIMIT_BYTES)
    app = Authenticated(
        app, verifier, open_paths=frozenset({"/health", *(route.path for route in told)}),
        browser_paths=frozenset(route.path for route in pages),
        metadata_url=metadata.url if metadata is not None else None,
    )  # fmt: skip
    return Drain(Guard(_with_cors(app, door), door))


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers={"connection": "close"})


def _with_cors(app: ASGIApp, door: FrontDoor) -> ASGIApp:
    """A browser asks before it sends a token, and its question carries none."""
    if not door.origins:
        return app
    return CORSMiddleware(
        app, allow_origins=[str(origin) for origin in door.origins], allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"], expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
    )  # fmt: skip
