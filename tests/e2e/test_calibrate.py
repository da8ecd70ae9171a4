"""A threshold for a local model that nobody has measured: asked for by its owner, and what becomes of its answers."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from unittest.mock import ANY

import pytest

from hybrid_mcp.app import open_app
from hybrid_mcp.calibrating import LONGEST_WAIT_S, MOST_EMPTY, Calibrating, load_questions
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.questions import Question
from hybrid_mcp.observe.silent import Silent
from tests.support_config import write
from tests.support_e2e import environment, printed, program, run
from tests.support_embedded import home_with_model
from tests.support_servers import (
    NEVER_LONGER_S,
    OPENAI_USAGE,
    FakeServer,
    Received,
    Recorder,
    Reply,
    closed_port_url,
    json_reply,
    openai_chunk,
    openai_reply,
)

pytestmark = pytest.mark.anyio

QUESTIONS = load_questions()
PLACES = {question.prompt: place for place, question in enumerate(QUESTIONS)}
ASK = "Which city is the capital of Zanzibar?"
SURE, UNSURE = -0.1, -1.0
ROW = {"threshold": -0.7, "asked": 80, "right": 40, "auc": 0.8, "at": "2026-11-20T12:00:00+00:00"}
PROFILE = """\
profile: test
monthly_budget: 1
routing_rules: {local_models: [LOCAL], cloud_models: ["paid:p"]}
providers:
  here: {kind: openai, base_url: "URL/v1"}
  gone: {kind: openai, base_url: "GONE/v1"}
  lan: {kind: openai, base_url: "http://192.168.77.1:8000/v1", local: true}
  paid: {kind: openai, base_url: "URL/v1", local: false, price: {input_per_mtok: 1, output_per_mtok: 4}}
"""


def half_known(place: int) -> tuple[bool, float]:
    """Every other answer is right, and the model knows which."""
    return (True, SURE) if place % 2 else (False, UNSURE)


def llama(
    knows: Callable[[int], tuple[bool, float]] = half_known, owner: str = "llamacpp", other: float = UNSURE
) -> Callable[[Received], Reply]:
    """A server that answers the question at each place rightly or not, as sure as that, and any other one `other`."""

    def script(received: Received) -> Reply:
        if received.method == "GET":
            return json_reply({"object": "list", "data": [{"id": "m", "owned_by": owner}]})
        place = PLACES.get(received.json["messages"][-1]["content"])
        right, logprob = (False, other) if place is None else knows(place)
        text = QUESTIONS[place].accepted[0] if place is not None and right else "That is beyond me"
        return said(text, logprob if "logprobs" in received.json else None)

    return script


def said(text: str, logprob: float | None = None) -> Reply:
    tokens = None if logprob is None else {"content": [{"token": text, "logprob": logprob}]}
    piece = {"index": 0, "delta": {"content": text}, "finish_reason": None, "logprobs": tokens}
    return openai_reply(openai_chunk(choices=[piece]), openai_chunk(finish="stop", usage=OPENAI_USAGE))


def home_at(folder: Path, server: FakeServer, *local: str) -> Path:
    listed = ", ".join(f'"{name}"' for name in local or ("here:m",))
    text = PROFILE.replace("LOCAL", listed).replace("URL", server.url).replace("GONE", closed_port_url())
    write(folder / "profiles" / "test.yaml", text)
    return folder


def command(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run(home, "--profile", "test", *arguments, **env)


def asked(home: Path) -> dict[str, Any]:
    """The only attempt at a question."""
    [attempt] = printed(command(home, "ask", ASK, "--json"))["attempts"]
    return attempt


def posted(server: FakeServer) -> int:
    return sum(one.method == "POST" for one in server.requests)


@asynccontextmanager
async def opened(
    home: Path, *, airgap: bool = False, questions: Sequence[Question] = QUESTIONS, wait_s: float = LONGEST_WAIT_S
) -> AsyncGenerator[Calibrating]:
    app = open_app(load_settings(environ={}, home=home, profile="test", airgap=airgap), Silent())
    try:
        yield Calibrating(
            profile=app.settings.profile, whitelist=app.whitelist, candidates=app.service.candidates,
            catalog=app.catalog, questions=questions, wait_s=wait_s,
        )  # fmt: skip
    finally:
        await app.aclose()


def test_an_answer_that_is_less_sure_than_the_calibrated_threshold_is_doubted_until_it_is_forgotten(tmp_path: Path):
    with FakeServer(llama()) as server:
        home = home_at(tmp_path, server)
        before = asked(home)
        done = command(home, "models", "calibrate", "--json")
        after = asked(home)
        models = cast("list[dict[str, Any]]", json.loads(command(home, "models", "--json").stdout))
        file = home / "confidence.json"
        kept, mode = json.loads(file.read_text("utf-8")), stat.S_IMODE(file.stat().st_mode)
        forgotten = command(home, "models", "calibrate", "--forget", "here:m")
        again = command(home, "models", "calibrate", "--forget", "here:m", "--json")
        last = asked(home)
    assert (before["outcome"], after["outcome"], last["outcome"]) == ("ok", "doubtful", "ok")
    assert "confidence -1.40 is below the threshold -0." in after["reason"]
    [row] = json.loads(done.stdout)
    assert -1.4 < row["threshold"] < -0.14
    assert {name: row[name] for name in row if name != "threshold"} == {
        "model": "here:m", "asked": 80, "right": 40, "auc": 1.0, "doubted_right": 0.0, "doubted_wrong": 1.0,
        "note": None, "error": None,
    }  # fmt: skip
    assert done.stderr.splitlines()[-1].startswith("here:m: question 80 of 80")
    assert kept["here:m"]["threshold"] == row["threshold"]
    assert kept["here:m"]["at"].endswith("+00:00")
    assert sys.platform == "win32" or mode == 0o600
    assert [one["confidence_threshold"] for one in models] == [round(row["threshold"], 3), None]
    assert (forgotten.returncode, again.returncode) == (0, 1)
    assert forgotten.stdout == f"forgotten: the threshold {row['threshold']:.2f} of here:m\n"
    assert again.stderr == "hybrid-mcp: no threshold of 'here:m' was calibrated: there is none\n"


def test_a_model_whose_answers_do_not_tell_gets_no_threshold_and_loses_the_one_that_it_had(tmp_path: Path):
    with FakeServer(llama(lambda place: (place > 2, SURE))) as server:
        home = home_at(tmp_path, server)
        write(home / "confidence.json", json.dumps({"here:m": ROW, "other:m": ROW}))
        done = command(home, "models", "calibrate", "here:m")
        assert (done.returncode, asked(home)["outcome"]) == (0, "ok")
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["here:m", "77", "of", "80", ANY, "-", "-", "-"]
    assert lines[2].startswith("here:m has no new threshold: not enough to tell: 77 of 80 right, and at least 8 right")
    assert list(json.loads((home / "confidence.json").read_text("utf-8"))) == ["other:m"]


def test_a_server_without_probabilities_is_asked_once_and_told_what_happens_instead(tmp_path: Path):
    with FakeServer(llama(owner="somebody")) as server:
        home = home_at(tmp_path, server)
        done = command(home, "models", "calibrate", "here:m")
        assert (done.returncode, posted(server)) == (0, 1)
    assert "here:m has no new threshold: it gives no log-probabilities; for every short prompt that" in done.stdout
    assert "two other answers of the same model are compared" in done.stdout
    assert not (home / "confidence.json").exists()


def test_what_is_forgotten_is_told_as_json_where_that_is_asked_for(tmp_path: Path):
    write(tmp_path / "confidence.json", json.dumps({"here:m": ROW}))
    assert printed(run(tmp_path, "models", "calibrate", "--forget", "here:m", "--json")) == {
        "model": "here:m", "threshold": None,
    }  # fmt: skip


def test_a_server_that_tells_no_probabilities_any_more_loses_its_threshold(tmp_path: Path):
    with FakeServer(llama(owner="somebody")) as server:
        home = home_at(tmp_path, server)
        write(home / "confidence.json", json.dumps({"here:m": ROW, "other:m": ROW}))
        done = command(home, "models", "calibrate", "here:m")
    assert "here:m has no new threshold: it gives no log-probabilities" in done.stdout
    assert list(json.loads((home / "confidence.json").read_text("utf-8"))) == ["other:m"]


def test_where_nothing_could_be_kept_nothing_is_asked(tmp_path: Path):
    with FakeServer(llama()) as server:
        home = home_at(tmp_path, server, "here:m", "here:n")
        (home / "confidence.json.lock").mkdir()
        done = command(home, "models", "calibrate", "here:m")
        assert (done.returncode, done.stdout, posted(server)) == (1, "", 0)
    [told] = done.stderr.splitlines()
    assert told.startswith(f"hybrid-mcp: {home / 'confidence.json'}: ")
    assert told.endswith("; check the path and its permissions")


def test_what_was_measured_is_told_where_it_cannot_be_kept_any_more(tmp_path: Path):
    def script(received: Received) -> Reply:
        if posted(server) == len(QUESTIONS):
            write(home / "confidence.json", "{")
        return llama()(received)

    with FakeServer(script) as server:
        home = home_at(tmp_path, server)
        done = command(home, "models", "calibrate", "here:m", "--json")
    [row] = json.loads(done.stdout)
    assert (done.returncode, row["asked"], row["right"], row["auc"]) == (1, 80, 40, 1.0)
    assert -1.4 < row["threshold"] < -0.14
    assert "is not JSON" in row["error"]


def test_a_model_that_cannot_be_reached_is_told_and_the_others_go_on(tmp_path: Path):
    with FakeServer(llama()) as server:
        home = home_at(tmp_path, server, "gone:g", "here:m")
        done = command(home, "models", "calibrate", "--json")
    assert done.returncode == 1
    first, second = json.loads(done.stdout)
    assert first["error"].startswith("gone:g: question 1 of 80: ")
    assert f"hybrid-mcp: {first['error']}" in done.stderr.splitlines()
    assert (second["model"], second["error"]) == ("here:m", None)
    assert list(json.loads((home / "confidence.json").read_text("utf-8"))) == ["here:m"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("paid:p", "paid:p is no local model: all questions would be paid for"),
        ("lan:m", "lan:m may not run: 192.168.77.1 is not listed"),
        ("nope", "no model 'nope' is known; local models that are here: here:m"),
        ("here:\x1b[31m", r"no model 'here:\x1b[31m' is known; local models that are here: here:m"),
        ("here:" + "m" * 1_000, "...' is known; local models that are here: here:m"),
    ],
)
async def test_nothing_is_asked_where_one_name_is_not_that_of_a_local_model_that_may_run(
    tmp_path: Path, name: str, told: str
):
    with FakeServer(llama()) as server:
        async with opened(home_at(tmp_path, server)) as calibrating:
            with pytest.raises(HybridError) as caught:
                await calibrating.named(["here:m", name])
        assert posted(server) == 0
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("airgap", "why"), [(True, "airgap is on"), (False, "192.168.77.1 is not listed in cloud_apis or domains")]
)
async def test_a_model_in_the_network_is_left_out_where_no_call_may_go_there(tmp_path: Path, airgap: bool, why: str):
    with FakeServer(llama()) as server:
        async with opened(home_at(tmp_path, server, "lan:m", "here:m"), airgap=airgap) as calibrating:
            specs, left_out = await calibrating.all_local()
    assert [spec.name for spec in specs] == ["here:m"]
    assert [(one.model, one.fact) for one in left_out] == [("lan:m", why)]


@pytest.mark.parametrize("text", ["", " \n", "<think>Let me see, the"])
async def test_a_model_that_comes_to_no_answer_is_given_up(tmp_path: Path, text: str):
    def script(received: Received) -> Reply:
        return llama()(received) if received.method == "GET" else said(text, SURE)

    with FakeServer(script) as server:
        async with opened(home_at(tmp_path, server)) as calibrating:
            [spec] = await calibrating.named(["here:m"])
            with pytest.raises(HybridError, match="5 of its first 5 answers are empty"):
                await calibrating.measure(spec, Recorder())
        assert posted(server) == MOST_EMPTY


async def test_a_model_that_hangs_is_given_up(tmp_path: Path):
    def script(received: Received) -> Reply:
        return llama()(received) if received.method == "GET" else Reply(body=(server.hang,))

    with FakeServer(script) as server:
        async with opened(home_at(tmp_path, server), wait_s=0.05) as calibrating:
            [spec] = await calibrating.named(["here:m"])
            with pytest.raises(HybridError, match=r"here:m: question 1 of 80: no answer within 0\.05 s"):
                await calibrating.measure(spec, Recorder())


async def test_the_embedded_model_is_asked_where_it_is(tmp_path: Path):
    home = home_with_model(tmp_path)
    write(home / "profiles" / "test.yaml", "profile: test\nrouting_rules: {local_models: ['embedded:smollm2']}\n")
    capitals = [one for one in QUESTIONS if one.prompt.startswith("What is the capital")]
    async with opened(home, airgap=True, questions=capitals[:2]) as calibrating:
        [spec] = (await calibrating.all_local())[0]
        found = await calibrating.measure(spec, Recorder())
    assert found is not None
    assert (spec.name, found.asked, found.threshold) == ("embedded:smollm2", 2, None)


def test_without_a_local_model_the_owner_is_told_what_to_do(tmp_path: Path):
    write(tmp_path / "profiles" / "test.yaml", "profile: test\nrouting_rules: {local_models: ['embedded:smollm2']}\n")
    done = command(tmp_path, "models", "calibrate")
    assert done.returncode == 1
    assert "no local model is here to calibrate: " in done.stderr
    assert "hybrid-mcp models pull" in done.stderr
    assert command(tmp_path, "models", "calibrate", "a:b", "--forget", "c:d").returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process")
def test_ctrl_c_leaves_everything_as_it_was_and_says_so_in_one_line(tmp_path: Path):
    hangs = threading.Event()

    def script(received: Received) -> Reply:
        if received.method == "GET" or posted(server) < 3:
            return llama()(received)
        hangs.set()
        return Reply(body=(server.hang,))

    with FakeServer(script) as server:
        home = home_at(tmp_path, server)
        process = subprocess.Popen(
            [program(), "--profile", "test", "models", "calibrate", "here:m"], env=environment(home),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert hangs.wait(NEVER_LONGER_S)
        process.send_signal(signal.SIGINT)
        shown, told = process.communicate(timeout=NEVER_LONGER_S)
    assert (process.returncode, shown) == (130, "")
    assert told.splitlines() == [
        *(f"here:m: question {number} of 80" for number in (1, 2, 3)),
        "hybrid-mcp: broken off; only models that were done before have a new threshold",
    ]
    assert sorted(path.name for path in home.iterdir()) == ["confidence.json.lock", "profiles"]
