"""One life of the HTTP server, from the owner's options to the signal that ends it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from functools import partial

import anyio
from mcp.server.auth.provider import TokenVerifier
from starlette.routing import Route

from hybrid_mcp.app import App
from hybrid_mcp.config import LiveWhitelist, Settings
from hybrid_mcp.domain.bearer import ID_PREFIX
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.face.routes import data_route, page_route
from hybrid_mcp.host import Host
from hybrid_mcp.http.assembly import MCP_PATH, http_app
from hybrid_mcp.http.auth import LOOK_AGAIN_S, KeptTokens
from hybrid_mcp.http.options import HttpOptions
from hybrid_mcp.http.resource_metadata import ResourceMetadata
from hybrid_mcp.http.serving import WebServer, bound_socket, url_of
from hybrid_mcp.http.tls import tls_context
from hybrid_mcp.server import build_server
from hybrid_mcp.storage.token_file import TOKENS_FILE, LiveTokens


def dashboard(host: Host) -> Sequence[Route]:
    """The page of the budget, and the figures of whoever looks at it."""
    return page_route(), data_route(host.app, lambda _: host.account())


async def serve_until_signal(settings: Settings, options: HttpOptions, open_app: Callable[[], App]) -> int | None:
    """Serve, and return the number of the signal that ended it.

    Raises:
        ConfigError: tokens.json, a file of TLS, or the port cannot be used.
        EgressDenied: the OAuth issuer may not be contacted.
    """
    server, url = web_server(settings, options, open_app)
    if options.oauth_issuer is None and not LiveTokens(settings.home / TOKENS_FILE)():
        _say("no client has a token yet: `hybrid-mcp token add NAME` makes one, also while this server runs")
    return await server.run_to_end(lambda: _say(f"listening on {url}{MCP_PATH}"))


def web_server(
    settings: Settings, options: HttpOptions, open_app: Callable[[], App],
    pages: Callable[[Host], Sequence[Route]] = dashboard,
) -> tuple[WebServer, str]:  # fmt: skip
    """A server whose socket is bound, and the address of that; for options without a problem.

    `pages`: more routes, which need a token like all others.
    """
    tokens = LiveTokens(settings.home / TOKENS_FILE)
    tokens()
    server = build_server(open_app)
    server.host.beside = partial(end_calls_of_revoked, tokens, server.host)
    app = http_app(
        server, options.front_door(), KeptTokens(tokens, _issued(settings, options)), metadata=_metadata(options),
        pages=pages(server.host),
    )  # fmt: skip
    tls = None
    if options.tls_cert is not None and options.tls_key is not None:
        tls = tls_context(options.tls_cert, options.tls_key, options.client_ca)
    listening = bound_socket(options)
    return WebServer(app, listening, tls=tls), url_of(options, listening)


async def end_calls_of_revoked(tokens: LiveTokens, host: Host) -> None:
    """Calls that go on by themselves end with the token that began them."""
    while True:
        await anyio.sleep(LOOK_AGAIN_S)
        # Where nobody can tell now, what has begun may end.
        with suppress(HybridError):
            host.pending.break_off(partial(_is_gone, {token.id for token in tokens()}))


def _is_gone(kept: Container[str], client: str) -> bool:
    return client.startswith(ID_PREFIX) and client not in kept


def _metadata(options: HttpOptions) -> ResourceMetadata | None:
    if options.oauth_issuer is None or options.oauth_audience is None:
        return None
    return ResourceMetadata(resource=options.oauth_audience, issuer=options.oauth_issuer)


def _issued(settings: Settings, options: HttpOptions) -> TokenVerifier | None:
    """Checks what the OAuth issuer issues, None where there is none."""
    if options.oauth_issuer is None or options.oauth_audience is None:
        return None
    # PyJWT with cryptography takes 0.1 s to load, httpx2 as long.
    from hybrid_mcp.http.oauth import IssuerKeys, JwtVerifier  # noqa: PLC0415
    from hybrid_mcp.observe.clock import SystemClock  # noqa: PLC0415
    from hybrid_mcp.providers.http import Egress  # noqa: PLC0415
    from hybrid_mcp.providers.issuer import Issuer  # noqa: PLC0415

    egress = Egress(whitelist=LiveWhitelist(settings.whitelist_path), airgap=settings.profile.airgap)
    issuer = Issuer(name=options.oauth_issuer, egress=egress)
    issuer.check()
    return JwtVerifier(
        issuer=options.oauth_issuer, audience=options.oauth_audience, keys=IssuerKeys(issuer.keys, SystemClock())
    )


def _say(line: str) -> None:
    sys.stderr.write(f"hybrid-mcp: {line}\n")
    sys.stderr.flush()
