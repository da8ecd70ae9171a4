"""The outermost guard: whatever the route, no request is listened to whose Host or Origin is not ours."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from hybrid_mcp.domain.front_door import FrontDoor
from hybrid_mcp.http.replies import header_values, refuse


class Guard:
    """Wraps the whole application, errors and unknown routes included."""

    def __init__(self, app: ASGIApp, door: FrontDoor) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        if not scope["path"].startswith("/"):  # `OPTIONS *`, or the address of another server as a proxy would get it
            await refuse(400, "the request must name a path", {}, scope, receive, send)
            return
        refusal = self._door.refusal(header_values(scope, "host"), header_values(scope, "origin"))
        if refusal is not None:
            await refuse(refusal.status, refusal.reason, {}, scope, receive, send)
            return
        await self._app(scope, receive, send)
