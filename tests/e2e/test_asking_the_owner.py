"""An agent that wants a door opened: the owner is asked through the client where it can, and in a terminal else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import anyio
import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult

from hybrid_mcp.gatekeeper import MAX_DIALOGS
from tests.e2e.test_nothing_is_told import paid_home
from tests.e2e.test_paid import ANSWER, error
from tests.support_e2e import FRESH, in_a_terminal, server_parameters
from tests.support_servers import FakeServer, reply_always

pytestmark = pytest.mark.anyio

Era = Literal["auto", "legacy"]

WISH = {"resource_type": "cloud_apis", "resource_name": "127.0.0.1", "reason": "the user\nwants \x1b[2Jit"}
ASKED = {"prompt": "Do it", "force_cloud": True}


@dataclass(slots=True)
class Owner:
    """Answers the client's dialog, and remembers what it showed."""

    action: Literal["accept", "decline", "cancel"] = "accept"
    allow: bool = True
    shown: list[str] = field(default_factory=list[str])

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert context
        self.shown.append(params.message)
        return ElicitResult(action=self.action, content={"allow": self.allow} if self.action == "accept" else None)


@pytest.fixture
def server() -> Any:
    with FakeServer(reply_always(ANSWER)) as fake:
        yield fake


@pytest.fixture
def home(tmp_path: Path, server: FakeServer) -> Path:
    folder = paid_home(tmp_path, server)
    (folder / "whitelist.json").write_text(json.dumps({"cloud_apis": ["openai.com"]}), encoding="utf-8")
    return folder


def client(home: Path, owner: Owner | None, mode: Era = "auto", **env: str) -> Client:
    parameters = server_parameters(home, "--profile", "paid", FAKE_KEY="k", **env)
    return Client(parameters, mode=mode, elicitation_callback=owner)


def status(result: CallToolResult) -> str:
    assert not result.is_error, result.content
    return cast("dict[str, Any]", result.structured_content)["status"]


def events(home: Path) -> list[str]:
    trail = home / "audit.jsonl"
    return (
        [json.loads(line)["event"] for line in trail.read_text(encoding="utf-8").splitlines()] if trail.exists() else []
    )


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_yes_in_the_client_opens_the_door_at_once(home: Path, server: FakeServer, mode: Era):
    owner = Owner()
    async with client(home, owner, mode, **(FRESH if mode == "auto" else {})) as mcp:
        assert "is not listed" in error(await mcp.call_tool("route_completion", ASKED))
        assert status(await mcp.call_tool("add_to_whitelist", WISH)) == "added"
        assert not (await mcp.call_tool("route_completion", ASKED)).is_error
    [shown] = owner.shown
    assert shown.startswith("Allow 127.0.0.1 (cloud_apis)? This opens: requests, with their prompts, may be sent to ")
    assert shown.endswith("\n| the user wants ?[2Jit")
    assert events(home) == ["opening", "granted"]
    assert len(server.requests) == 1


@pytest.mark.parametrize(("action", "allow"), [("decline", True), ("accept", False)])
async def test_a_no_keeps_it_shut_and_is_not_asked_again(
    home: Path, server: FakeServer, action: Literal["decline", "accept"], *, allow: bool
):
    owner = Owner(action=action, allow=allow)
    async with client(home, owner) as mcp:
        assert [status(await mcp.call_tool("add_to_whitelist", WISH)) for _ in range(3)] == ["denied"] * 3
        assert (await mcp.call_tool("route_completion", ASKED)).is_error
    assert len(owner.shown) == 1
    assert events(home)[0] == "refused"
    assert "granted" not in events(home)
    assert server.requests == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_closed_question_waits_for_the_terminal_and_is_not_shown_again(
    home: Path, server: FakeServer, mode: Era
):
    owner = Owner(action="cancel")
    async with client(home, owner, mode) as mcp:
        for _ in range(3):
            assert status(await mcp.call_tool("add_to_whitelist", WISH)) == "pending_approval"
        assert (await mcp.call_tool("route_completion", ASKED)).is_error
    assert len(owner.shown) == 1
    assert events(home) == ["requested"]
    assert server.requests == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_agent_that_asks_for_many_things_gets_few_questions_through(home: Path, mode: Era):
    owner, told = Owner(), list[str]()
    async with client(home, owner, mode) as mcp:

        async def wish(number: int) -> None:
            named = {"resource_type": "domains", "resource_name": f"h{number}.example.com"}
            told.append(status(await mcp.call_tool("add_to_whitelist", named)))

        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(wish, number)
    assert len(owner.shown) == MAX_DIALOGS
    assert sorted(told) == ["added"] * MAX_DIALOGS + ["pending_approval"] * (12 - MAX_DIALOGS)


@pytest.mark.parametrize(
    ("mode", "outcome"), [("terminal", "pending_approval"), ("deny", "denied"), ("allow", "added")]
)
async def test_the_other_modes_never_ask_through_the_client(home: Path, mode: str, outcome: str):
    owner = Owner()
    async with client(home, owner, HYBRID_MCP_APPROVAL=mode) as mcp:
        assert status(await mcp.call_tool("add_to_whitelist", WISH)) == outcome
    assert owner.shown == []


async def test_what_is_allowed_already_or_cannot_be_an_entry_is_not_asked(home: Path):
    owner = Owner()
    async with client(home, owner) as mcp:
        known = {"resource_type": "cloud_apis", "resource_name": "api.openai.com"}
        assert status(await mcp.call_tool("add_to_whitelist", known)) == "already_allowed"
        for name in ("com", "localhost", "gpubox"):
            refused = await mcp.call_tool("add_to_whitelist", {**known, "resource_name": name})
            assert "single label" in error(refused)
    assert owner.shown == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_without_a_client_that_can_ask_nothing_is_sent_until_the_owner_says_yes(
    home: Path, server: FakeServer, mode: Era
):
    async with client(home, None, mode) as mcp:
        assert status(await mcp.call_tool("add_to_whitelist", WISH)) == "pending_approval"
        assert (await mcp.call_tool("route_completion", ASKED)).is_error
        assert server.requests == []
        assert "allowed, in force now" in in_a_terminal(home, ["approve"], b"y\n")
        assert not (await mcp.call_tool("route_completion", ASKED)).is_error
    assert len(server.requests) == 1
