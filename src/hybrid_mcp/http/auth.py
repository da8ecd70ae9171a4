"""Who calls: a token in the Authorization header, and nothing else, opens any route that is not open to all."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio
import structlog
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.types import ASGIApp, Receive, Scope, Send

from hybrid_mcp.domain.bearer import PREFIX, KeptToken, holder
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.http.replies import header_values, refuse
from hybrid_mcp.observe.log import client_in_log

MOST_CHARACTERS = 16_384
"""Far above any token; a larger one is not looked at."""

LOOK_AGAIN_S = 1.0
"""How long a request that is under way outlives its token."""


class KeptTokens:
    """Implements `TokenVerifier` with the tokens that the owner made; others are passed on, where there is anyone."""

    def __init__(self, tokens: Callable[[], Sequence[KeptToken]], others: TokenVerifier | None = None) -> None:
        self._tokens, self._others = tokens, others

    async def verify_token(self, token: str) -> AccessToken | None:
        """Raises HybridError where nobody can tell now."""
        if not token.startswith(PREFIX):
            return None if self._others is None else await self._others.verify_token(token)
        found = holder(token, self._tokens())
        # The token itself goes no further.
        return None if found is None else AccessToken(token="", client_id=found.id, scopes=[])


class Authenticated:
    """Lets a request through with a good token, or to an open path. Routes are not asked: a new one is closed too.

    To `browser_paths` a browser gets with the token as the password of HTTP Basic, because it can ask for that.
    """

    def __init__(
        self, app: ASGIApp, verifier: TokenVerifier, *,
        open_paths: frozenset[str], browser_paths: frozenset[str] = frozenset(), metadata_url: str | None = None,
    ) -> None:  # fmt: skip
        self._app = app
        self._known = AuthContextMiddleware(app)
        self._verifier = verifier
        self._open_paths, self._browser_paths = open_paths, browser_paths
        self._challenge = 'Bearer realm="hybrid-mcp"'
        if metadata_url is not None:
            self._challenge += f', resource_metadata="{metadata_url}"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        token = _token_in(scope, by_browser=scope["path"] in self._browser_paths)
        try:
            caller = None if token is None else await self._verifier.verify_token(token)
        except HybridError as error:
            structlog.get_logger().error("nobody is let in", reason=str(error))
            await refuse(503, "tokens cannot be checked now: the server's log says why", {}, scope, receive, send)
            return
        if caller is None:
            await self._unauthorized(token is not None, scope, receive, send)
            return
        with client_in_log(caller.client_id):
            await self._while_known(token or "", {**scope, "user": AuthenticatedUser(caller)}, receive, send)

    async def _while_known(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream may stay open for hours, so it is looked now and then whether its token still stands."""
        if not token.startswith(PREFIX):
            # An issuer's token ends by itself; what it began may come to its own end.
            await self._known(scope, receive, send)
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, token, group.cancel_scope)
            await self._known(scope, receive, send)
            group.cancel_scope.cancel()

    async def _watch(self, token: str, request: anyio.CancelScope) -> None:
        while True:
            await anyio.sleep(LOOK_AGAIN_S)
            # Where nobody can tell now, what has begun may end.
            with suppress(HybridError):
                if await self._verifier.verify_token(token) is None:
                    request.cancel()

    async def _unauthorized(self, was_given: bool, scope: Scope, receive: Receive, send: Send) -> None:
        """As RFC 6750 wants it: an error code only where a token was given."""
        reason = "this token is not known here" if was_given else "a token is needed: Authorization: Bearer TOKEN"
        challenge = self._challenge + ', error="invalid_token"' if was_given else self._challenge
        if scope["path"] in self._browser_paths:
            reason = "a token is needed, as the password; the user's name does not matter"
            challenge = f'Basic realm="hybrid-mcp", charset="UTF-8", {challenge}'
        await refuse(401, reason, {"www-authenticate": challenge}, scope, receive, send)


def _token_in(scope: Scope, *, by_browser: bool) -> str | None:
    """The bearer token, or the password; None where there is none or more than one header."""
    values = header_values(scope, "authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    token = token.strip()
    if by_browser and scheme.lower() == "basic":
        scheme, token = "bearer", _password_in(token)
    return token if scheme.lower() == "bearer" and 0 < len(token) <= MOST_CHARACTERS else None


def _password_in(credentials: str) -> str:
    """Of HTTP Basic (RFC 7617); empty where that cannot be read."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
