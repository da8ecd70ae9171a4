"""In airgap not one packet leaves: the installed program on a host of its own, the whole wire of which is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from tests.support_e2e import PROGRAM, environment, write_profile
from tests.support_hosts import FAR, Host, host_of_its_own
from tests.support_network import guarded_programs
from tests.test_airgap import CLOUDS, everything_set, profile

pytestmark = pytest.mark.anyio

NAMES = {*(row.host for row in CLOUDS), "cloud.example.com", "gpubox"}
"""Hosts that only DNS knows."""
ADDRESSES = {"192.168.77.7", "fd00:77::7"}
IPV6_BOX = '  sixbox: {kind: openai, base_url: "http://[fd00:77::7]:8000/v1", local: true}\n'

DEADLINE_S = 10
"""Without airgap so many would be tried, each one more than once, that the test would take minutes."""
AT_ONCE = 4
"""So many calls share the machine: with all of them, a slow one comes to no provider within the deadline."""
COMMANDS = (("ask", "Say hello", "--deadline-s", str(DEADLINE_S)), ("models",), ("models", "pull"), ("doctor",))
PREFERRED = (*(f"{row.name}:m" for row in CLOUDS), "mycloud:m", "lanbox:m", "gpubox:m", "sixbox:m", "claude", "openai")
FOR_MONEY = "Say hello for money"
PROMPTS: tuple[dict[str, Any], ...] = (
    {"prompt": "Prove it, step by step", "quality": "high"},
    *({"prompt": f"Say hello, {model}", "preferred_model": model} for model in PREFERRED),
    {"prompt": FOR_MONEY, "force_cloud": True},
)
OPENAI = {"resource_type": "cloud_apis", "resource_name": "api.openai.com"}
NOTHING: Mapping[str, Any] = {}


@pytest.fixture
def host() -> Iterator[Host]:
    with host_of_its_own() as host:
        yield host


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """All that could be contacted is in the profile, and the owner has allowed all of it."""
    text = profile().replace('"gpubox:m"]', '"gpubox:m", "embedded:smollm2"]') + IPV6_BOX
    write_profile(tmp_path, text, "everything")
    (tmp_path / "whitelist.json").write_text(json.dumps({"cloud_apis": [*NAMES, *ADDRESSES]}), encoding="utf-8")
    return tmp_path


def unguarded(host: Host, home: Path) -> dict[str, str]:
    """Here the wire is the guard: what the program sends must be able to leave. What pip is set to elsewhere is not."""
    settings = {**everything_set(host.ollama), "HTTP_PROXY": f"http://{FAR}"}
    in_lower_case = {name.lower(): value for name, value in settings.items()}
    env = environment(home, HYBRID_MCP_PROFILE="everything", HOME=str(home), **settings, **in_lower_case)
    kept = {name: value for name, value in env.items() if not name.startswith((*guarded_programs(), "PIP_", "UV_"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


async def use_all_of(host: Host, home: Path, *switches: str) -> dict[str, str]:
    """Every way to make the program talk, some at the same time; what it said to each."""
    env = unguarded(host, home)
    at_once = anyio.CapacityLimiter(AT_ONCE)
    said: dict[str, str] = {}

    async def command(*arguments: str) -> None:
        async with at_once:
            done = await anyio.run_process(host.command(PROGRAM, *arguments, *switches), env=env, check=False)
        said[" ".join(arguments[:2])] = (done.stdout + done.stderr).decode()

    async def call(tool: str, arguments: Mapping[str, Any] = NOTHING) -> None:
        async with at_once:
            [block] = (await mcp.call_tool(tool, dict(arguments))).content
        assert isinstance(block, TextContent)
        said[arguments.get("prompt", tool)] = block.text

    program, *started = host.command(PROGRAM, "serve", *switches)
    async with (
        Client(StdioServerParameters(command=program, args=started, env=env)) as mcp,
        anyio.create_task_group() as group,
    ):
        for arguments in COMMANDS:
            group.start_soon(command, *arguments)
        for prompt in PROMPTS:
            group.start_soon(call, "route_completion", {**prompt, "deadline_s": DEADLINE_S})
        group.start_soon(call, "check_allowed", OPENAI)
        group.start_soon(call, "budget_status")
    return said


def names_asked_for(packets: Sequence[str]) -> set[str]:
    return {packet.split()[-1] for packet in packets if packet.startswith(f"udp {FAR} 53 ")}


def contacted(packets: Sequence[str]) -> set[str]:
    return {packet for packet in packets if packet.startswith("tcp ")}


async def test_in_airgap_not_one_packet_leaves_the_host(host: Host, home: Path):
    said = await use_all_of(host, home, "--airgap")
    assert host.sent() == []
    unanswered = {key for key, text in said.items() if "Hello there" not in text}
    assert unanswered == {FOR_MONEY, "models", "models pull", "doctor", "check_allowed", "budget_status"}
    assert "airgap is on" in said[FOR_MONEY]
    assert "airgap is on" in said["models pull"]
    assert '"allowed":true' in said["check_allowed"]


async def test_the_same_without_airgap_is_seen_on_the_wire(host: Host, home: Path):
    """The proxy is pip's, which fetches the embedded model."""
    await use_all_of(host, home)
    packets = host.sent()
    assert names_asked_for(packets) == NAMES
    assert contacted(packets) == {f"tcp {FAR} 80", *(f"tcp {address} 8000" for address in ADDRESSES)}
