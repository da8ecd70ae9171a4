"""The resources: listed, read, and told of when a call has changed them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp.client.subscriptions import Subscription
from mcp.shared.subscriptions import ResourceUpdated
from mcp.types import INVALID_PARAMS, TextResourceContents

from tests.support_front import ERAS, Era, Front, front

pytestmark = pytest.mark.anyio

USAGE = ["hybrid://usage/month", "hybrid://usage/day"]
ADDRESSES = ["hybrid://whitelist", "hybrid://profile", "hybrid://models", *USAGE, "hybrid://health"]
WISH = {"resource_type": "domains", "resource_name": "docs.example.com"}


async def read(one: Front, uri: str) -> Any:
    [content] = (await one.mcp.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "application/json"
    return json.loads(content.text)


@pytest.mark.parametrize("era", ERAS)
async def test_they_are_listed_in_one_order_and_each_can_be_read(tmp_path: Path, era: Era):
    async with front(tmp_path, era) as one:
        listed = (await one.mcp.list_resources()).resources
        [template] = (await one.mcp.list_resource_templates()).resource_templates
        assert [(resource.uri, resource.name) for resource in listed] == [
            (uri, uri.removeprefix("hybrid://")) for uri in ADDRESSES
        ]
        assert (template.uri_template, template.name) == ("hybrid://usage/{period}", "usage")
        for each in (*listed, template):
            assert each.title
            assert each.description
            assert each.mime_type == "application/json"
        assert [bool(await read(one, uri)) for uri in ADDRESSES] == [True] * len(ADDRESSES)
        assert [(await read(one, uri))["period"] for uri in USAGE] == ["month", "day"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("uri", ["hybrid://usage/year", "hybrid://usage", "hybrid://nothing", "file:///etc/passwd"])
async def test_an_address_that_is_none_is_told_with_those_that_are(tmp_path: Path, era: Era, uri: str):
    async with front(tmp_path, era) as one:
        with pytest.raises(MCPError) as refused:
            await one.mcp.read_resource(uri)
    found = refused.value.error
    assert (found.code, found.data) == (INVALID_PARAMS, {"uri": uri})
    assert found.message == f"there is no such resource; there are {', '.join(ADDRESSES)}"


async def heard(subscription: Subscription, number: int) -> Sequence[str]:
    """The next addresses; each is told once."""
    found: list[str] = []
    with anyio.fail_after(60):
        async for event in subscription:
            assert isinstance(event, ResourceUpdated)
            found.append(event.uri)
            if len(found) == number:
                break
    return found


async def test_who_listens_is_told_of_what_a_call_has_changed(tmp_path: Path):
    async with front(tmp_path) as one, one.mcp.listen(resource_subscriptions=ADDRESSES) as updates:
        await one.paid()
        assert await heard(updates, 2) == USAGE
        assert (await read(one, USAGE[0]))["cloud_requests"] == 1
        granted = await one.mcp.call_tool("add_to_whitelist", WISH)
        assert granted.structured_content == {"status": "added", "approval_id": None, "how_to_approve": None}
        assert await heard(updates, 2) == ["hybrid://whitelist", "hybrid://health"]
        assert "docs.example.com" in (await read(one, "hybrid://whitelist"))["domains"]


async def test_a_call_that_failed_is_told_of_because_it_may_have_cost_something(tmp_path: Path):
    async with front(tmp_path) as one, one.mcp.listen(resource_subscriptions=ADDRESSES) as updates:
        refused = await one.mcp.call_tool("route_completion", {"prompt": "Capital?", "force_local": True})
        assert refused.is_error
        assert await heard(updates, 3) == [*USAGE, "hybrid://health"]


async def test_what_changes_nothing_is_not_told_of(tmp_path: Path):
    async with front(tmp_path) as one, one.mcp.listen(resource_subscriptions=ADDRESSES) as updates:
        await one.paid(dry_run=True)
        await one.mcp.call_tool("budget_status", {})
        await one.mcp.call_tool("check_allowed", WISH)
        await one.mcp.call_tool("route_completion", {"prompt": 1})
        known = {"resource_type": "cloud_apis", "resource_name": "127.0.0.1"}
        allowed = (await one.mcp.call_tool("add_to_whitelist", known)).structured_content
        assert allowed is not None
        assert allowed["status"] == "already_allowed"
        # Events come in order, so the first one that arrives is that of the last call.
        await one.mcp.call_tool("route_completion", {"prompt": "Capital?", "force_local": True})
        assert await heard(updates, 1) == USAGE[:1]


async def test_a_client_of_the_era_before_is_not_promised_what_it_would_not_get(tmp_path: Path):
    async with front(tmp_path, "legacy") as one:
        offered = one.mcp.server_capabilities.resources
        assert offered is not None
        assert not offered.subscribe
