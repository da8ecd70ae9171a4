"""The plain pieces of ASGI that the guards share."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


def header_values(scope: Scope, name: str) -> list[str]:
    """Every value of a header, in the order of the request."""
    wanted = name.encode()
    return [value.decode("latin-1") for key, value in scope["headers"] if key == wanted]


async def refuse(  # noqa: PLR0917 - the three of ASGI come last
    status: int, reason: str, headers: dict[str, str], scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer with an error and hang up: who was refused keeps no connection."""
    body = {"error": {"message": reason}}
    await JSONResponse(body, status, {"connection": "close", "cache-control": "no-store", **headers})(
        scope, receive, send
    )
