"""Servers on this machine, found by the installed program without a line of configuration."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from tests.support_e2e import printed, run, write_profile
from tests.support_servers import FakeServer, json_reply, ollama_script

TAGS = json_reply({
    "models": [
        {"name": "big:7b", "details": {"parameter_size": "7B"}},
        {"name": "small:1b", "details": {"parameter_size": "1B"}},
    ]
})  # fmt: skip
NO_CLOUD = """\
profile: here
routing_rules: {cloud_models: [], local_models: []}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_profile(tmp_path, NO_CLOUD, "here")
    return tmp_path


def ask(home: Path, server: FakeServer, prompt: str, *options: str, **env: str) -> dict[str, object]:
    done = run(home, "ask", prompt, "--json", "--profile", "here", *options, OLLAMA_HOST=server.url, **env)
    return printed(done)


def test_ollama_answers_with_its_smallest_model_what_is_simple_and_with_a_larger_one_what_is_not(home: Path):
    with FakeServer(ollama_script(tags=TAGS)) as server:
        simple = ask(home, server, "Say hello")
        harder = ask(home, server, "Refactor this module")
    assert (simple["model"], harder["model"]) == ("ollama:small:1b", "ollama:big:7b")


def test_ollama_can_be_kept_to_one_model(home: Path):
    with FakeServer(ollama_script(tags=TAGS)) as server:
        assert ask(home, server, "Say hello", OLLAMA_MODEL="big:7b")["model"] == "ollama:big:7b"


def test_the_embedded_model_stays_behind_what_was_found(home: Path):
    with FakeServer(ollama_script(tags=TAGS)) as server:
        planned = ask(home, server, "Say hello", "--dry-run")
    assert [step["model"] for step in cast("list[dict[str, str]]", planned["plan"])] == [
        "ollama:small:1b", "ollama:big:7b", "embedded:smollm2",
    ]  # fmt: skip
