"""The page and its data over HTTP, ready to be mounted in any Starlette application."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hybrid_mcp.app import App
from hybrid_mcp.domain.budget import Account
from hybrid_mcp.face import data, page

Accounts = Callable[[Request], Account]


def page_route(path: str = "/dashboard") -> Route:
    """The page alone: it holds nothing to protect, and asks for the server's token where its data needs one."""

    async def show(_: Request) -> Response:
        shown = page()
        return Response(shown.body, headers=dict(shown.headers))

    return Route(path, show)


def data_route(app: Callable[[], App], account: Accounts, path: str = "/dashboard/data") -> Route:
    """The figures of whoever asks: `account` tells who that is. To be mounted behind the server's own protection."""

    async def tell(request: Request) -> Response:
        period = request.query_params.get("period", "month")
        if period not in ("month", "day"):
            return _json({"error": "period: a month or a day can be asked for: ?period=month, ?period=day"}, 400)
        found = await data(app(), account(request), period)
        return _json(found, 503 if "error" in found else 200)

    return Route(path, tell)


def _json(content: object, status: int) -> Response:
    return JSONResponse(content, status, headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
