"""What `hybrid-mcp models` and `hybrid://models` show of models in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_mcp.app import open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.observe.memory import machine_memory_bytes
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.resources import model_rows
from tests.support_config import write
from tests.support_servers import NEVER_LONGER_S, FakeServer, json_reply, ollama_script

pytestmark = pytest.mark.anyio

GB = 10**9
PROFILE = (
    "profile: here\nrouting_rules: {cloud_models: [], local_models: ['ollama:a:1b', 'ollama:b:2b', 'ollama:c:3b']}\n"
)
TAGS = json_reply({
    "models": [{"name": "a:1b", "size": GB}, {"name": "b:2b", "size": 900_000 * GB}, {"name": "c:3b"}]
})  # fmt: skip
RUNNING = json_reply({"models": [{"name": "a:1b", "size": 2 * GB, "size_vram": GB}]})


async def test_each_model_is_shown_with_what_it_takes_and_why_it_is_slow_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", NEVER_LONGER_S)
    monkeypatch.setattr("hybrid_mcp.providers.discovery.discover.__defaults__", (NEVER_LONGER_S,))
    write(tmp_path / "profiles" / "here.yaml", PROFILE)
    with FakeServer(ollama_script(tags=TAGS, ps=RUNNING)) as server:
        app = open_app(load_settings(environ={"OLLAMA_HOST": server.url}, home=tmp_path, profile="here"), Silent())
        rows = await model_rows(app)
        await app.aclose()
    here = (machine_memory_bytes() or 0) / GB
    too_large = (
        f"it needs about 990,000.5 GB of memory, and this machine has {here:,.1f} GB: use a smaller quantisation or "
        "model, or set `memory_gb` of provider ollama in the profile, where its graphics cards have more"
    )
    assert [(row["model"], row["loaded"], row["memory_gb"], row["note"]) for row in rows] == [
        ("ollama:a:1b", True, 2.0, "runs partly on the processor: 1.0 GB of its 2.0 GB lie on the graphics card"),
        ("ollama:b:2b", False, 990_000.5, too_large),
        ("ollama:c:3b", False, None, None),
    ]
