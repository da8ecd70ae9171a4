"""What must never be written anywhere: prompts, answers and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from tests.support_e2e import run, server_parameters, write_profile
from tests.support_embedded import home_with_model
from tests.support_servers import FakeServer, Reply, json_reply, openai_chunk, openai_reply, reply_always

pytestmark = pytest.mark.anyio

PROMPT = "SEALED-PROMPT"
ANSWER = "SEALED-ANSWER"
KEY = "SEALED-KEY-0123456789"
PROFILE = """\
profile: paid
monthly_budget: 5
routing_rules:
  complexity_threshold: 0
  always_try_local_first: false
  cloud_models: ["fake:big"]
  local_models: ["embedded:smollm2"]
  fallback: local
providers:
  fake:
    kind: openai
    base_url: "URL/v1"
    local: false
    api_key_env: FAKE_KEY
    price: {input_per_mtok: 1, output_per_mtok: 2, context: 8000}
"""


def paid_home(tmp_path: Path, server: FakeServer) -> Path:
    home = home_with_model(tmp_path)
    write_profile(home, PROFILE.replace("URL", server.url), "paid")
    (home / "whitelist.json").write_text('{"cloud_apis": ["127.0.0.1"]}', encoding="utf-8")
    return home


def written(home: Path) -> str:
    """All that stands in the home folder, the model apart."""
    files = [path for path in home.rglob("*") if path.is_file() and "models" not in path.parts]
    return "".join(path.read_bytes().decode("latin-1") for path in files)


@pytest.mark.parametrize(
    "reply",
    [
        openai_reply(openai_chunk(ANSWER), openai_chunk(None, "stop")),
        json_reply({"error": {"message": f"Incorrect API key provided: {KEY}. You sent {PROMPT}"}}, status=401),
        json_reply({"error": {"message": f"{PROMPT} is too long for {KEY}"}}, status=500),
        Reply(status=200, content_type="text/html", body=(f"<b>{PROMPT} {KEY}</b>".encode(),)),
    ],
)
async def test_no_prompt_answer_or_key_is_logged_kept_or_put_into_an_error(tmp_path: Path, reply: Reply):
    with FakeServer(reply_always(reply)) as server:
        home, log = paid_home(tmp_path, server), tmp_path / "stderr.log"
        parameters = server_parameters(home, "--profile", "paid", FAKE_KEY=KEY)
        with log.open("w", encoding="utf-8") as stderr:
            async with Client(stdio_client(parameters, errlog=stderr)) as mcp:
                arguments = {"prompt": f"Say hello. {PROMPT}", "force_cloud": True}
                result = await mcp.call_tool("route_completion", arguments)
                wish = {"resource_type": "domains", "resource_name": "docs.example.com"}
                await mcp.call_tool("add_to_whitelist", wish)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        told = log.read_text(encoding="utf-8") + run(home, "doctor", "--profile", "paid", FAKE_KEY=KEY).stdout
    answered = result.model_dump_json()
    assert PROMPT not in answered
    assert KEY not in answered + told + written(home)
    for sealed in (PROMPT, ANSWER):
        assert sealed not in told + written(home)
    assert result.is_error is (ANSWER not in answered)
