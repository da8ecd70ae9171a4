"""The bundle as a client takes it: validated, packed, unpacked and run by uv."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.support_e2e import environment

ROOT = Path(__file__).parents[1]
MCPB = os.environ.get("HYBRID_MCP_TEST_MCPB", "")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.packaging,
    pytest.mark.skipif(not MCPB, reason="needs `make test-packaging`"),
]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """What a client has of the bundle once it has taken it."""
    staged, packed, folder = tmp_path / "staged", tmp_path / "hybrid-mcp.mcpb", tmp_path / "unpacked"
    for command in (
        [sys.executable, ROOT / "packaging" / "mcpb" / "stage.py", staged],
        [MCPB, "validate", staged / "manifest.json"],
        [MCPB, "pack", staged, packed],
        [MCPB, "unpack", packed, folder],
    ):
        subprocess.run(command, check=True, timeout=120)
    return folder


async def test_the_server_of_the_unpacked_bundle_lists_its_tools(unpacked: Path, tmp_path: Path):
    manifest = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))
    async with Client(started_as(manifest, unpacked, tmp_path / "home"), read_timeout_seconds=300) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
    assert sorted(tools) == sorted(one["name"] for one in manifest["tools"])


def started_as(manifest: dict[str, Any], folder: Path, home: Path) -> StdioServerParameters:
    """What a client starts that puts its folder and its user's answers (here: none) in their places."""
    answers = {f"${{user_config.{name}}}": one["default"] for name, one in manifest["user_config"].items()}
    config = manifest["server"]["mcp_config"]
    env = {name: str(answers[value]).lower() for name, value in config["env"].items()}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    arguments = [word.replace("${__dirname}", str(folder)) for word in config["args"]]
    # uv fetches the packages, so it runs without the guard of the network.
    unguarded = {name: value for name, value in environment(home).items() if not name.startswith("PYTHONPATH")}
    return StdioServerParameters(command=config["command"], args=arguments, env={**unguarded, **env, "PATH": path})
