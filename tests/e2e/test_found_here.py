"""Servers on this machine, found by the installed program without a line of configuration."""

from __future__ import annotations

import json
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


def test_a_loaded_model_answers_and_a_dry_run_says_so_before(home: Path):
    loaded = json_reply({"models": [{"name": "big:7b", "size": 1_000_000, "size_vram": 1_000_000}]})
    with FakeServer(ollama_script(tags=TAGS, ps=loaded)) as server:
        planned = ask(home, server, "Say hello", "--dry-run")
        answered = ask(home, server, "Say hello")
    plan = cast("list[dict[str, str]]", planned["plan"])
    assert (plan[0]["model"], answered["model"]) == ("ollama:big:7b", "ollama:big:7b")
    told = "ollama:big:7b is loaded already, so it goes before ollama:small:1b"
    assert (told in str(planned["reason"]), told in str(answered["reason"])) == (True, True)


def test_a_model_that_does_not_fit_is_left_out_and_shown_with_what_it_needs(home: Path):
    tags = json_reply({"models": [{"name": "small:1b", "size": 10**9}, {"name": "big:33b", "size": 19 * 10**9}]})
    loaded = json_reply({"models": [{"name": "small:1b", "size": 2 * 10**9, "size_vram": 10**9}]})
    write_profile(home, f"{NO_CLOUD}providers: {{ollama: {{memory_gb: 12}}}}\n", "here")
    with FakeServer(ollama_script(tags=tags, ps=loaded)) as server:
        harder = ask(home, server, "Refactor this module")
        done = run(home, "models", "--json", "--profile", "here", OLLAMA_HOST=server.url)
    assert done.returncode == 0, done.stderr
    rows = cast("list[dict[str, object]]", json.loads(done.stdout))
    shown = {row["model"]: (row["loaded"], row["memory_gb"], row["note"]) for row in rows}
    excluded = {one["model"]: one["reason"] for one in cast("list[dict[str, str]]", harder["excluded"])}
    too_large = excluded["ollama:big:33b"]
    assert harder["model"] == "ollama:small:1b"
    assert too_large.startswith("it needs about 21.4 GB of memory, and the models of ollama may take 12.0 GB")
    assert shown["ollama:small:1b"] == (
        True, 2.0, "runs partly on the processor: 1.0 GB of its 2.0 GB lie on the graphics card",
    )  # fmt: skip
    assert shown["ollama:big:33b"] == (False, 21.4, too_large)


def test_ollama_can_be_kept_to_one_model(home: Path):
    with FakeServer(ollama_script(tags=TAGS)) as server:
        assert ask(home, server, "Say hello", OLLAMA_MODEL="big:7b")["model"] == "ollama:big:7b"


def test_the_embedded_model_stays_behind_what_was_found(home: Path):
    with FakeServer(ollama_script(tags=TAGS)) as server:
        planned = ask(home, server, "Say hello", "--dry-run")
    assert [step["model"] for step in cast("list[dict[str, str]]", planned["plan"])] == [
        "ollama:small:1b", "ollama:big:7b", "embedded:smollm2",
    ]  # fmt: skip
