"""API keys: where they come from, and that no output of the whole program ever holds one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult

from hybrid_mcp.domain.vendors import VENDORS
from tests import keyring_backends
from tests.e2e.test_nothing_is_told import paid_home, written
from tests.e2e.test_paid import ANSWER, content
from tests.support_e2e import FRESH, environment, run, server_parameters
from tests.support_servers import FakeServer, Reply, json_reply, reply_always

pytestmark = pytest.mark.anyio

ASKED = {"prompt": "Do it", "force_cloud": True}
PLANTED = {
    name: f"SEALED-{name.replace('_', '-')}-0123456789" for row in VENDORS.values() for name in row.api_key_env
} | {"FAKE_KEY": "SEALED-FAKE-KEY-0123456789"}
COMMANDS = (
    ("ask", "Do it again", "--force-cloud", "--json"), ("ask", "Do it", "--preferred-model", "SEALED"), ("budget",),
    ("usage", "--by", "model", "--json"), ("approve",), ("doctor",), ("models", "--json"), ("profiles",),
)  # fmt: skip
REFUSES = json_reply({"error": {"message": f"wrong key: {PLANTED['FAKE_KEY']}"}}, status=401)
BREAKS = json_reply({"error": {"code": PLANTED["FAKE_KEY"], "type": PLANTED["FAKE_KEY"]}}, status=500)


def keyring_env(backend: str, file: Path | None = None) -> dict[str, str]:
    """The environment of a program that finds this keyring."""
    folder = Path(next(iter(keyring_backends.__path__)))
    guard = environment(Path())["PYTHONPATH"]
    more = {} if file is None else {"HYBRID_MCP_TEST_KEYRING": str(file)}
    path = os.pathsep.join((guard, str(folder)))
    return {"PYTHONPATH": path, "PYTHON_KEYRING_BACKEND": f"hybrid_mcp_test_keyring.{backend}", **more}


async def everything_said(home: Path, log: Path, **env: str) -> str:
    """All that a whole session over MCP answers."""
    parameters = server_parameters(home, "--profile", "paid", **env)
    said: list[str] = []
    with log.open("w", encoding="utf-8") as stderr:
        async with Client(stdio_client(parameters, errlog=stderr)) as mcp:
            said.append((await mcp.list_tools()).model_dump_json())
            resources = [str(one.uri) for one in (await mcp.list_resources()).resources]
            for uri in (*resources, "hybrid://usage/month"):
                said.append((await mcp.read_resource(uri)).model_dump_json())  # noqa: PERF401
            calls: list[CallToolResult] = [
                await mcp.call_tool("route_completion", ASKED),
                await mcp.call_tool("route_completion", {**ASKED, "dry_run": True}),
                await mcp.call_tool("route_completion", {**ASKED, "preferred_model": "claude"}),
                await mcp.call_tool("route_completion", {"nonsense": True}),
                await mcp.call_tool("check_allowed", {"resource_type": "api", "resource_name": "api.openai.com"}),
                await mcp.call_tool("add_to_whitelist", {"resource_type": "domain", "resource_name": "a.example.com"}),
                await mcp.call_tool("budget_status", {}),
            ]
            said.extend(call.model_dump_json() for call in calls)
    return "".join(said)


@pytest.mark.parametrize("reply", [ANSWER, REFUSES, BREAKS], ids=["answers", "refuses the key", "repeats the key"])
async def test_no_output_of_a_whole_run_holds_a_key(tmp_path: Path, reply: Reply):
    with FakeServer(reply_always(reply)) as server:
        home, log = paid_home(tmp_path, server), tmp_path / "stderr.log"
        said = await everything_said(home, log, **PLANTED)
        commands = COMMANDS if reply is ANSWER else COMMANDS[:1]
        done = [run(home, *command, "--profile", "paid", **PLANTED) for command in commands]
        assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {PLANTED['FAKE_KEY']}"}
        said += log.read_text(encoding="utf-8")
    said += "".join(f"{one.args}{one.stdout}{one.stderr}" for one in done) + written(home)
    assert "fake:big" in said
    assert [name for name, key in PLANTED.items() if key in said] == []
    assert "0123456789" not in said


async def test_a_key_comes_from_the_keyring_where_the_environment_has_none(tmp_path: Path):
    kept = tmp_path / "keyring.json"
    kept.write_text(json.dumps({"hybrid-mcp": {"FAKE_KEY": "from-the-keyring"}}), encoding="utf-8")
    vault = keyring_env("FileKeyring", kept)
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        for in_environment in ("", "from-the-environment"):
            env = {**vault, "FAKE_KEY": in_environment}
            async with Client(server_parameters(home, "--profile", "paid", **env)) as mcp:
                content(await mcp.call_tool("route_completion", ASKED))
        sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer from-the-keyring", "Bearer from-the-environment"]
    assert "from-the" not in written(home)


def test_a_keyring_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        asked = ["ask", "What is the capital of France?", "--profile", "paid"]
        done = run(home, *asked, **keyring_env("BrokenKeyring"), **FRESH)
    assert "Paris" in done.stdout
    assert "keyring: it cannot be read (OSError)" in done.stderr
    assert "SEALED" not in done.stderr


def test_in_airgap_the_keyring_is_not_opened(tmp_path: Path):
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        done = run(home, "models", "--profile", "paid", "--airgap", **keyring_env("BrokenKeyring"))
    assert (done.returncode, "keyring" in done.stderr) == (0, False)


def test_what_the_keyring_holds_is_checked_like_any_key(tmp_path: Path):
    kept = tmp_path / "keyring.json"
    kept.write_text(json.dumps({"hybrid-mcp": {"FAKE_KEY": "hunter2\nX-Evil: 1"}}), encoding="utf-8")
    with FakeServer(reply_always(ANSWER)) as server:
        home = paid_home(tmp_path, server)
        done: subprocess.CompletedProcess[str] = run(
            home, "models", "--profile", "paid", **keyring_env("FileKeyring", kept)
        )
    assert done.returncode == 1
    assert "keyring: FAKE_KEY: holds characters that no API key has" in done.stderr
    assert "hunter2" not in done.stderr
