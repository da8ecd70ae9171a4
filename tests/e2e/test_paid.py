"""A paid model, stood in for by a server on loopback that the profile declares as a cloud one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client
from mcp.types import CallToolResult, TextContent

from tests.e2e.test_nothing_is_told import paid_home
from tests.support_e2e import FRESH, printed, run, server_parameters, session
from tests.support_servers import FakeServer, openai_chunk, openai_reply, reply_always

pytestmark = pytest.mark.anyio

USAGE = {"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500}
ANSWER = openai_reply(openai_chunk("Paid words"), openai_chunk(None, "stop"), {"choices": [], "usage": USAGE})
COST = 0.002
"""1,000 tokens at $1 a million and 500 at $2."""


def content(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    return cast("dict[str, Any]", result.structured_content)


def error(result: CallToolResult) -> str:
    assert result.is_error
    return "".join(block.text for block in result.content if isinstance(block, TextContent))


async def test_a_paid_answer_costs_what_its_usage_says_and_is_free_the_second_time(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        async with Client(server_parameters(home, "--profile", "paid", FAKE_KEY="k", **FRESH)) as mcp:
            asked = {"prompt": "Do it", "force_cloud": True}
            first = content(await mcp.call_tool("route_completion", asked))
            again = content(await mcp.call_tool("route_completion", asked))
            spent = content(await mcp.call_tool("budget_status", {}))
        assert len(server.requests) == 1
        assert server.requests[0].json["max_tokens"] == 1024
    assert (first["text"], first["cost_usd"], first["local"]) == ("Paid words", COST, False)
    assert first["budget"]["month_remaining_usd"] == pytest.approx(5 - COST)
    assert (again["text"], again["cost_usd"], again["cached"], again["attempts"]) == ("Paid words", 0.0, True, [])
    assert spent["by_model"] == [{"model": "fake:big", "requests": 1, "cost_usd": COST}]
    assert (spent["spent_usd"], spent["reserved_usd"], spent["cached_requests"]) == (COST, 0.0, 1)


async def test_a_spent_budget_stops_paid_models_and_never_a_local_one(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        async with session(home, "--profile", "paid", FAKE_KEY="k", MONTHLY_BUDGET="0.0005") as mcp:
            forced = error(await mcp.call_tool("route_completion", {"prompt": "Do it", "force_cloud": True}))
            local = content(await mcp.call_tool("route_completion", {"prompt": "What is the capital of France?"}))
        assert server.requests == []
    assert "$0.0005 is left of the monthly budget of $0.0005" in forced
    assert "Paris" in local["text"]
    assert local["local"]


async def test_a_host_that_is_not_whitelisted_is_never_contacted_until_the_owner_allows_it(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        (home / "whitelist.json").write_text(json.dumps({"cloud_apis": ["openai.com"]}), encoding="utf-8")
        asked = {"prompt": "Do it", "force_cloud": True}
        async with session(home, "--profile", "paid", FAKE_KEY="k", HYBRID_MCP_APPROVAL="allow") as mcp:
            refused = error(await mcp.call_tool("route_completion", asked))
            assert server.requests == []
            wish = {"resource_type": "cloud_apis", "resource_name": "127.0.0.1"}
            assert content(await mcp.call_tool("add_to_whitelist", wish))["status"] == "added"
            answer = content(await mcp.call_tool("route_completion", asked))
    assert "127.0.0.1 is not listed in cloud_apis or domains" in refused
    assert answer["text"] == "Paid words"


async def test_a_secret_never_reaches_a_paid_model(tmp_path: Path):
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        async with session(home, "--profile", "paid", FAKE_KEY="k") as mcp:
            for where in ("prompt", "context", "system_prompt"):
                asked = {"prompt": "Use it", "force_cloud": True, where: f"the key is {secret}"}
                told = error(await mcp.call_tool("route_completion", asked))
                assert f"{where} holds an AWS access key" in told
                assert secret not in told
        assert server.requests == []


def test_airgap_contacts_no_paid_model(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        for arguments, env in ((["--airgap"], {}), ([], {"AIRGAP_MODE": "on"})):
            done = run(home, "ask", "Do it", "--force-cloud", "--profile", "paid", *arguments, FAKE_KEY="k", **env)
            assert done.returncode == 1
            assert "airgap is on" in done.stderr
        assert server.requests == []


def test_the_plan_shows_the_price_before_anything_is_paid(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        plan = printed(run(home, "ask", "Do it", "--dry-run", "--json", "--profile", "paid", FAKE_KEY="k"))
        assert server.requests == []
    [step, _] = plan["plan"]
    assert step["model"] == "fake:big"
    assert 1024 * 2e-6 < step["bound_usd"] < 0.01
