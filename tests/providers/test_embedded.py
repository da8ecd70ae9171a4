from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import anyio
import pytest
from anyio import to_thread
from dirty_equals import IsStr
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import DEFAULT_SYSTEM_PROMPT, Message, Usage
from hybrid_mcp.domain.errors import ContextTooLong, ProviderRejected, ProviderUnavailable
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.embedded import CONTEXT_TOKENS, MODEL, Embedded
from hybrid_mcp.providers.fetch import ModelFile
from hybrid_mcp.providers.llama_stream import AnswerReader
from hybrid_mcp.providers.wheel import SMOLLM2
from tests.support_embedded import (
    REPOSITORY,
    SPEC,
    Recorder,
    calls_of,
    fake_pip,
    home_with_model,
    model_home,
    tiny_file,
)

pytestmark = pytest.mark.anyio

CAPITAL = "What is the capital of France?"
ENDLESS = "Translate 'good morning, my friend' to Japanese."
"""The model never comes to an end here: it repeats itself up to the cap."""
BOUND_S = 20.0
"""Far below the time of 8,000 tokens, far above that of a short answer."""


def ask(prompt: str, *, most: int = 200, model: str = MODEL) -> ProviderCall:
    messages = (Message("system", DEFAULT_SYSTEM_PROMPT), Message("user", prompt))
    return ProviderCall(model=model, messages=messages, max_output_tokens=most)


class Begun(Recorder):
    """A Progress that sets an event with the first text."""

    def __init__(self, event: anyio.Event) -> None:
        super().__init__()
        self._event = event

    def delta(self, text: str) -> None:
        super().delta(text)
        self._event.set()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    """One loaded model for the tests that leave it as it was; the process's end closes it."""
    return Embedded(spec=SPEC, home=home_with_model(tmp_path_factory.mktemp("shared")))


def is_empty(folder: Path) -> bool:
    return list(folder.iterdir()) == []


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return home_with_model(tmp_path)


async def test_it_answers_a_question_with_what_a_caller_needs(home: Path):
    heard = Recorder()
    async with Embedded(spec=SPEC, home=home) as embedded:
        answer = await embedded.complete(ask(CAPITAL), heard)
    assert "Paris" in answer.text
    assert answer.text == "".join(heard.deltas)
    assert len(heard.deltas) > 3
    assert answer.finish == "stop"
    assert answer.usage == Usage(input_tokens=32, output_tokens=8)
    assert heard.statuses[0] == "loading the embedded model"


async def test_confidence_is_what_was_measured_for_this_answer(shared: Embedded):
    sure = await shared.complete(ask(CAPITAL), Recorder())
    unsure = await shared.complete(ask("Reply with three emojis for a party.", most=20), Recorder())
    assert sure.confidence == pytest.approx(-0.43, abs=0.08)
    assert unsure.confidence is not None
    assert unsure.confidence < -1.1


async def test_the_same_question_gets_the_same_answer_whatever_came_before(shared: Embedded):
    first = await shared.complete(ask("Explain recursion.", most=40), Recorder())
    await shared.complete(ask("Name three fruits.", most=10), Recorder())
    again = await shared.complete(ask("Explain recursion.", most=40), Recorder())
    assert again.text == first.text


async def test_characters_of_several_tokens_arrive_whole(shared: Embedded):
    heard = Recorder()
    answer = await shared.complete(ask(ENDLESS, most=33), heard)
    assert answer.usage is not None
    assert len(heard.deltas) < answer.usage.output_tokens
    assert not answer.text.isascii()
    assert "\N{REPLACEMENT CHARACTER}" not in answer.text


async def test_a_request_that_does_not_fit_is_refused_with_limit_and_size(shared: Embedded):
    with pytest.raises(ContextTooLong) as caught:
        await shared.complete(ask("fox jumps " * 5_000), Recorder())
    assert str(caught.value) == (
        "the request has 10,026 tokens and the embedded model reads at most 8,192: send less context, or use a larger "
        "model"
    )


async def test_a_long_prompt_that_is_cancelled_is_not_read_to_its_end(
    shared: Embedded, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hybrid_mcp.providers.embedded.STATUS_S", 0.05)
    long = ask("The quick brown fox jumps over the lazy dog. " * 60, most=1)
    scope = anyio.CancelScope()
    heard = Recorder()

    def cancel_when_reading() -> None:
        if heard.statuses[-1].startswith("the embedded model is reading the prompt: "):
            scope.cancel()

    heard.heard = cancel_when_reading
    with scope:
        await shared.complete(long, heard)
    assert scope.cancelled_caught
    answer = await shared.complete(long, Recorder())
    assert answer.usage is not None
    assert answer.usage.input_tokens > 600
    assert answer.usage.cached_tokens < 450


async def test_calls_at_once_are_answered_in_their_order_and_one_that_gives_up_leaves_the_queue(shared: Embedded):
    order: list[str] = []
    waiting = anyio.Event()

    async def one(name: str, call: ProviderCall, scope: anyio.CancelScope | None = None) -> None:
        with scope or anyio.CancelScope():
            await shared.complete(call, Begun(waiting))
            order.append(name)

    gives_up = anyio.CancelScope()
    with anyio.fail_after(BOUND_S):
        async with anyio.create_task_group() as group:
            group.start_soon(one, "first", ask(ENDLESS, most=60))
            await waiting.wait()
            group.start_soon(one, "gives up", ask(ENDLESS, most=8_000), gives_up)
            group.start_soon(one, "second", ask(CAPITAL))
            group.start_soon(one, "third", ask("What is 2+2?", most=20))
            await anyio.wait_all_tasks_blocked()
            gives_up.cancel()
    assert gives_up.cancelled_caught
    assert order == ["first", "second", "third"]


async def test_a_call_that_waits_for_its_turn_says_so(shared: Embedded, monkeypatch: pytest.MonkeyPatch):
    begun, told = anyio.Event(), anyio.Event()
    waiter = Recorder(heard=told.set)
    with anyio.fail_after(BOUND_S):
        async with anyio.create_task_group() as group:
            group.start_soon(shared.complete, ask(ENDLESS, most=8_000), Begun(begun))
            await begun.wait()
            monkeypatch.setattr("hybrid_mcp.providers.embedded.STATUS_S", 0.05)
            group.start_soon(shared.complete, ask(CAPITAL), waiter)
            await told.wait()
            group.cancel_scope.cancel()
    assert waiter.statuses[:1] == ["waiting for the embedded model: it answers another call"]


async def test_an_unknown_model_is_rejected(shared: Embedded):
    with pytest.raises(ProviderRejected, match="use embedded:smollm2"):
        await shared.complete(ask(CAPITAL, model="llama4"), Recorder())


async def test_text_that_is_not_text_is_rejected(shared: Embedded):
    with pytest.raises(ProviderRejected, match="send plain text"):
        await shared.complete(ask("half a pair: \ud800"), Recorder())


async def test_its_one_model_is_listed_without_being_loaded_or_fetched(tmp_path: Path):
    embedded = Embedded(spec=SPEC, home=tmp_path)
    assert await embedded.models() == (
        ModelSpec(
            provider=SPEC,
            model="smollm2",
            context_tokens=CONTEXT_TOKENS,
            parameters=135_000_000,
            confidence_floor=-1.1,
        ),
    )
    assert embedded.state() == "absent"
    assert embedded.unavailable_reason() is None
    assert is_empty(tmp_path)
    await embedded.aclose()


async def test_where_its_package_is_missing_nothing_is_listed_and_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    async with Embedded(spec=SPEC, home=tmp_path) as embedded:
        assert await embedded.models() == ()
        assert embedded.unavailable_reason() == IsStr(
            regex=r"the package xllamacpp is not installed .*install Ollama.*"
        )
        with pytest.raises(ProviderUnavailable, match="xllamacpp is not installed"):
            await embedded.complete(ask(CAPITAL), Recorder())


async def test_airgap_without_the_file_offers_no_model_and_fetches_nothing(tmp_path: Path):
    async with Embedded(spec=SPEC, home=tmp_path, airgap=True) as embedded:
        assert await embedded.models() == ()
        with pytest.raises(ProviderUnavailable, match="airgap is on: run `hybrid-mcp models pull smollm2` once"):
            await embedded.complete(ask(CAPITAL), Recorder())
        with pytest.raises(ProviderUnavailable, match="airgap is on"):
            await embedded.pull(lambda _done, _total: None)
    assert is_empty(tmp_path)


async def test_airgap_with_the_file_answers(home: Path):
    async with Embedded(spec=SPEC, home=home, airgap=True) as embedded:
        assert "Paris" in (await embedded.complete(ask(CAPITAL), Recorder())).text


async def test_a_call_during_the_fetch_shows_its_progress(tmp_path: Path):
    pip = tmp_path / "pip"
    heard = Recorder()

    def open_gate() -> None:
        if heard.statuses[-1] == "fetching the embedded model [##########..........] 50 % of 2 MB":
            (pip / "gate").touch()

    heard.heard = open_gate
    file = tiny_file(tmp_path, fake_pip(pip, mode="gated"))
    async with Embedded(spec=SPEC, home=tmp_path, file=file) as embedded:
        with anyio.fail_after(BOUND_S), pytest.raises(ProviderUnavailable, match="could not be loaded"):
            await embedded.complete(ask(CAPITAL), heard)
    assert heard.statuses[0] == "fetching the embedded model [....................] 0 % of 2 MB"
    assert heard.statuses[-1] == "loading the embedded model"


async def test_a_cancelled_call_leaves_the_fetch_running_and_closing_ends_it(tmp_path: Path):
    file = tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="gated"))
    async with Embedded(spec=SPEC, home=tmp_path, file=file) as embedded:
        with anyio.CancelScope() as scope:
            await embedded.complete(ask(CAPITAL), Recorder(heard=scope.cancel))
        assert scope.cancelled_caught
        assert embedded.state() == "fetching 0 % of 2 MB"
    assert embedded.state() == "absent"


async def test_a_call_cancelled_while_the_model_loads_leaves_it_to_the_next_one(home: Path):
    async with Embedded(spec=SPEC, home=home) as embedded:
        scope = anyio.CancelScope()
        cancelled = Recorder(heard=scope.cancel)
        with scope:
            await embedded.complete(ask(CAPITAL), cancelled)
        assert "Paris" in (await embedded.complete(ask(CAPITAL), Recorder())).text
    assert cancelled == Recorder(statuses=["loading the embedded model"], heard=scope.cancel)


async def test_a_failure_that_nobody_waits_for_any_more_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    file = tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="good"))
    await file.get(lambda _done, _total: None)
    async with Embedded(spec=SPEC, home=tmp_path, file=file) as embedded:
        scope = anyio.CancelScope()
        with scope:
            await embedded.complete(ask(CAPITAL), Recorder(heard=scope.cancel))
    assert scope.cancelled_caught
    gc.collect()
    assert caplog.records == []


def damage(path: Path) -> None:
    """Another content of the same size and time, so that the note of its verification still fits."""
    stat = path.stat()
    damaged = path.with_name("damaged")
    damaged.write_bytes(b"GGUF" + bytes(stat.st_size - 4))
    os.utime(damaged, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    damaged.replace(path)


async def test_a_damaged_file_is_told_and_fetched_anew_by_the_next_call(home: Path):
    path = home / "models" / SMOLLM2.name
    damage(path)
    command = fake_pip(home / "pip", mode="copy", source=str(model_home() / "models" / path.name))
    file = ModelFile(folder=home / "models", command=command)
    async with Embedded(spec=SPEC, home=home, file=file) as embedded:
        with pytest.raises(ProviderUnavailable, match=r"could not be loaded from .*gguf: free 400 MB of memory"):
            await embedded.complete(ask(CAPITAL), Recorder())
        assert "Paris" in (await embedded.complete(ask(CAPITAL), Recorder())).text
    assert len(calls_of(home / "pip")) == 1


async def test_closing_ends_an_answer_and_a_closed_provider_refuses(home: Path):
    embedded = Embedded(spec=SPEC, home=home)
    begun = anyio.Event()
    told: list[str] = []

    async def one() -> None:
        with pytest.raises(ProviderUnavailable) as caught:
            await embedded.complete(ask(ENDLESS, most=8_000), Begun(begun))
        told.append(str(caught.value))

    with anyio.fail_after(BOUND_S):
        async with anyio.create_task_group() as group:
            group.start_soon(one)
            group.start_soon(one)
            await begun.wait()
            await embedded.aclose()
    assert told == ["the embedded model broke off its answer: call again"] * 2
    with pytest.raises(ProviderUnavailable, match="is closed"):
        await embedded.complete(ask(CAPITAL), Recorder())


SCRIPT = """
import asyncio, os, pathlib, sys

home, how = pathlib.Path(sys.argv[1]), sys.argv[2]
from tests.support_embedded import SPEC, Recorder
from tests.providers.test_embedded import ask, CAPITAL, ENDLESS
from hybrid_mcp.providers.embedded import Embedded

class Speaker(Recorder):
    def delta(self, text):
        super().delta(text)
        if how == "interrupted" and len(self.deltas) == 3:
            os.write(1, b"begun\\n")

async def main():
    embedded = Embedded(spec=SPEC, home=home)
    assert "xllamacpp" not in sys.modules
    call = ask(ENDLESS, most=8000) if how == "interrupted" else ask(CAPITAL)
    answer = await embedded.complete(call, Speaker())
    os.write(1, answer.text.encode())
    if how == "closed":
        await embedded.aclose()
    elif how == "kept alive":
        sys.modules["kept"] = embedded

try:
    asyncio.run(main())
except KeyboardInterrupt:
    os.write(1, b"stopped")
"""


def start_script(home: Path, how: str) -> subprocess.Popen[bytes]:
    """A process of its own that asks one question, and writes to its standard output what it gets."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home), how],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY,
    )  # fmt: skip


@pytest.mark.parametrize("how", ["closed", "forgotten", "kept alive"])
async def test_nothing_but_the_answer_is_written_and_the_process_ends_cleanly(home: Path, how: str):
    child = start_script(home, how)
    try:
        output = await to_thread.run_sync(child.communicate, None, BOUND_S)
    finally:
        child.kill()
    assert output == (b"The capital of France is Paris.", b"")
    assert child.returncode == 0


async def test_ctrl_c_during_an_answer_ends_the_process_at_once(home: Path):
    child = start_script(home, "interrupted")
    assert child.stdout is not None
    try:
        assert await to_thread.run_sync(child.stdout.readline) == b"begun\n"
        child.send_signal(signal.SIGINT)
        output = await to_thread.run_sync(child.communicate, None, BOUND_S)
    finally:
        child.kill()
    assert output == (b"stopped", b"")
    assert child.returncode == 0


@pytest.mark.parametrize(
    ("code", "error"), [(400, ProviderRejected), (404, ProviderRejected), (500, ProviderUnavailable)]
)
async def test_an_error_of_the_model_is_told_without_its_text(code: int, error: type[Exception]):
    reader = AnswerReader(Recorder())
    reader.feed({"error": {"code": code, "type": "some_error", "message": "quotes the secret prompt"}})
    with pytest.raises(error) as caught:
        reader.completion()
    assert "secret" not in str(caught.value)
    assert f"(code {code}, some_error)" in str(caught.value)


pieces = st.lists(st.tuples(st.text(), st.lists(st.floats(min_value=-30, max_value=0), max_size=3)))


@given(pieces=pieces, end=st.sampled_from([("stop", "stop"), ("length", "length"), ("tool_calls", "other")]))
def test_an_answer_is_all_of_its_pieces_and_the_mean_of_all_scores(
    pieces: list[tuple[str, list[float]]], end: tuple[str, str]
):
    heard = Recorder()
    reader = AnswerReader(heard)
    for text, scores in pieces:
        logprobs = {"content": [{"logprob": score} for score in scores]} if scores else None
        reader.feed({"choices": [{"delta": {"content": text or None}, "logprobs": logprobs, "finish_reason": None}]})
    reader.feed({"choices": [{"delta": {}, "finish_reason": end[0]}]})
    answer = reader.completion()
    everything = [score for _, scores in pieces for score in scores]
    assert answer.text == "".join(heard.deltas) == "".join(text for text, _ in pieces)
    assert answer.finish == end[1]
    sure = fmean(everything) + 0.4 * min(everything[:16]) if everything else None
    assert answer.confidence == (None if sure is None else pytest.approx(sure))
