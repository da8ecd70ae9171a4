"""One page for people: the budget and the recent calls, in an MCP host or in a browser.

`page.html` plays both roles. A host that knows MCP Apps shows it beside the result of `budget_status`, and speaks with
it by messages. As a page of its own it fetches what it shows from `data` beside its own address.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.wire import budget_result, recent_result

if TYPE_CHECKING:
    from hybrid_mcp.app import App
    from hybrid_mcp.domain.budget import Account, PeriodName

PAGE = Path(__file__).resolve().with_name("page.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    body: bytes
    headers: Mapping[str, str]


@cache
def page() -> Page:
    """The page for a browser. It holds no figure and no secret, so it needs no protection of its own."""
    # As a browser reads it: the hashes are made of what stands between the tags, with line feeds only.
    html = PAGE.read_text(encoding="utf-8")
    return Page(
        body=html.encode(),
        headers={
            "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _policy(html),
            "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )  # fmt: skip


async def data(app: App, account: Account, period: PeriodName) -> dict[str, Any]:
    """What the page shows of one client: `budget` is the object of `budget_status`, `recent` its last answers.

    Where the ledger cannot be read, `error` says so in the place of `budget`.
    """
    recent = recent_rows(app, account)
    try:
        status = await app.reports.budget(period, account)
    except HybridError as error:
        return {"error": str(error), "recent": recent}
    return {"budget": budget_result(status).model_dump(mode="json"), "recent": recent}


def recent_rows(app: App, account: Account) -> list[dict[str, Any]]:
    """The last answers of this client as JSON, the newest first."""
    return [recent_result(one).model_dump(mode="json") for one in app.recent.of(account)]


def _policy(html: str) -> str:
    """Nothing but this page's own script and style may run, and nothing but its own server be asked."""
    return "; ".join((
        "default-src 'none'", f"script-src {_hash('script', html)}", f"style-src {_hash('style', html)}",
        "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ))  # fmt: skip


def _hash(tag: str, html: str) -> str:
    [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
