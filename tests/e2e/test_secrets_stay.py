"""Planted secrets, through the installed program: none reaches a server that is not on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.test_nothing_is_told import paid_home
from tests.e2e.test_paid import ANSWER, content, error
from tests.support_e2e import session
from tests.support_secrets import clean_prompts, planted
from tests.support_servers import FakeServer, reply_always

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("where", ["prompt", "context", "system_prompt"])
async def test_no_planted_secret_reaches_a_paid_model_however_it_is_asked(tmp_path: Path, where: str):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        async with session(home, "--profile", "paid", FAKE_KEY="k") as mcp:
            for one in planted():
                asked = {"prompt": "Go on", "force_cloud": True, where: one.text}
                told = error(await mcp.call_tool("route_completion", asked))
                assert f"{where} holds {one.kind}" in told
        assert server.requests == []


async def test_clean_prompts_reach_the_model_that_was_asked_for(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        async with session(home, "--profile", "paid", FAKE_KEY="k") as mcp:
            for prompt in clean_prompts()[:40]:
                asked = {"prompt": prompt, "force_cloud": True, "dry_run": True}
                plan = content(await mcp.call_tool("route_completion", asked))["plan"]
                assert [step["model"] for step in plan] == ["fake:big"]
        assert server.requests == []
