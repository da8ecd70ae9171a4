"""Serves the page in every state, and a page that plays an MCP host; prints its address when it is ready."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from hybrid_mcp.face.routes import page_route
from tests.browser.houses import House, Real, built

HOST_PAGE = """<!doctype html><html lang="en"><title>A host</title><link rel="icon" href="data:,"><body>
<script type="module" src="/host.js"></script>"""
HOST_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'"
)
TOKEN = "open-sesame"
houses: dict[str, House] = {}


async def tell(request: Request) -> Response:
    period = "day" if request.query_params.get("period") == "day" else "month"
    if request.path_params["house"] == "locked":
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({}, 401)
        return JSONResponse(await houses["data"].data(period))
    found = await houses[request.path_params["house"]].data(period)
    return JSONResponse(found, 503 if "error" in found else 200)


async def call(request: Request) -> Response:
    asked = await request.json()
    return JSONResponse(await houses[request.path_params["house"]].call(asked["arguments"].get("period", "month")))


async def resource(_: Request) -> Response:
    real = houses["data"]
    assert isinstance(real, Real)
    return Response(await real.page(), media_type="text/plain")


async def host(_: Request) -> Response:
    return HTMLResponse(HOST_PAGE, headers={"Content-Security-Policy": HOST_POLICY})


async def script(_: Request) -> Response:
    return FileResponse(sys.argv[1], media_type="text/javascript")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        houses.update(await built(stack, folder))
        yield


class Announced(uvicorn.Server):
    """Prints its address when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for door in sockets or ():
            sys.stdout.write(f"http://127.0.0.1:{door.getsockname()[1]}\n")
        sys.stdout.flush()


def main() -> None:
    routes = [
        page_route("/{house}/dashboard"), Route("/{house}/dashboard/data", tell), Route("/{house}/host", host),
        Route("/{house}/call", call, methods=["POST"]), Route("/resource", resource), Route("/host.js", script),
    ]  # fmt: skip
    door = socket.create_server(("127.0.0.1", 0))
    Announced(uvicorn.Config(Starlette(routes=routes, lifespan=lifespan), log_level="warning")).run([door])


if __name__ == "__main__":
    main()
