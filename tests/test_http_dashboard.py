"""The budget's page in a browser: behind the same tokens as everything else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.support_http import bearer, content, new_token, served

pytestmark = pytest.mark.anyio

PATHS = ("/dashboard", "/dashboard/data?period=day")


def password(token: str, user: str = "me") -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"}


async def test_a_browser_is_asked_for_the_token_and_sees_the_page_with_its_own_figures(tmp_path: Path):
    token = new_token(tmp_path)
    async with served(tmp_path) as here:
        for path in PATHS:
            refused = await here.said(path)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith('Basic realm="hybrid-mcp"')
        async with here.client(token) as mcp:
            spent = content(await mcp.call_tool("budget_status", {"period": "day"}))
        shown = await here.said("/dashboard", headers=password(token))
        told = await here.said("/dashboard/data?period=day", headers=password(token))
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert told.json() == {"budget": spent, "recent": []}


async def test_a_password_opens_nothing_but_the_page(tmp_path: Path):
    token = new_token(tmp_path)
    async with served(tmp_path) as here:
        for path in ("/mcp", "/nowhere"):
            assert (await here.said(path, headers=password(token))).status_code == 401
        for path in PATHS:
            assert (await here.said(path, headers=bearer(token))).status_code == 200


@pytest.mark.parametrize(
    "credentials",
    ["=", "bm8gY29sb24=", base64.b64encode(b"\xff:\xff").decode(), base64.b64encode(b"me:").decode(), "me:wrong"],
)
async def test_what_is_no_password_is_refused(tmp_path: Path, credentials: str):
    new_token(tmp_path)
    async with served(tmp_path) as here:
        refused = await here.said("/dashboard", headers={"authorization": f"Basic {credentials}"})
    assert refused.status_code == 401


async def test_a_revoked_token_opens_the_page_no_more(tmp_path: Path):
    token = new_token(tmp_path)
    async with served(tmp_path) as here:
        assert (await here.said("/dashboard", headers=password(token))).status_code == 200
        (tmp_path / "tokens.json").unlink()
        assert (await here.said("/dashboard", headers=password(token))).status_code == 401


async def test_another_sites_page_may_not_read_the_figures(tmp_path: Path):
    token = new_token(tmp_path)
    async with served(tmp_path) as here:
        for path in PATHS:
            asked = {**password(token), "origin": "https://evil.example.com"}
            assert (await here.said(path, headers=asked)).status_code == 403
