"""Names that a client makes up."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from hybrid_mcp.app import open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.server import HybridServer, build_server
from tests.conformance.fixtures import add_fixtures
from tests.support_http import MODES, Mode

pytestmark = pytest.mark.anyio
SECRET = "sk-a-name-that-nobody-may-log"


@pytest.fixture
def server(tmp_path: Path) -> HybridServer:
    settings = load_settings(environ={}, home=tmp_path, profile=None)
    return build_server(lambda: open_app(settings, Silent()))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["prompt", "resource"])
async def test_a_made_up_name_is_the_clients_mistake_and_is_not_logged(
    server: HybridServer, mode: Mode, kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    async with Client(server, mode=mode) as mcp:
        with pytest.raises(MCPError) as refused:
            await (mcp.get_prompt(SECRET) if kind == "prompt" else mcp.read_resource(f"hybrid://{SECRET}"))
    assert refused.value.code == INVALID_PARAMS
    assert SECRET not in "".join([caplog.text, *capfd.readouterr()])


async def test_a_prompt_of_the_server_is_given(server: HybridServer):
    add_fixtures(server)
    async with Client(server) as mcp:
        given = await mcp.get_prompt("test_prompt_with_arguments", {"arg1": "hello", "arg2": "world"})
    assert given.messages[0].content.model_dump(include={"text"}) == {
        "text": "Prompt with arguments: arg1='hello', arg2='world'"
    }
