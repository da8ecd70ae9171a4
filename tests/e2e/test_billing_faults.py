"""Whatever a far server does with an answer, the ledger holds at least its bill, and every request is reserved."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.app import App, open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.profile import ProviderKind
from hybrid_mcp.providers.turns import CLOUD_CONCURRENCY
from tests.support_billing import (
    OUTPUT_NANOS,
    Behaviour,
    Biller,
    answers,
    asks_to_wait,
    counts_on,
    cuts,
    ends,
    fails,
    fails_in_the_stream,
    hangs,
    thinks,
    thinks_unseen,
    times_the_cap,
    writes_on,
)
from tests.support_e2e import write_profile
from tests.support_servers import NEVER_LONGER_S
from tests.support_service import Notes

pytestmark = pytest.mark.anyio

CAP = 64
LARGE_CAP = 1_000
"""With it nearly all of a call's bound is for the output, so that a longer one is above the whole bound."""
PROMPT = "Say which of these is right, and why. " * 20
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
    kind: KIND
    base_url: "URL"
    local: false
    api_key_env: FAKE_KEY
    price: {input_per_mtok: 1, output_per_mtok: 2, context: 200000}
"""


class Pacing(Notes):
    """A caller who lets the server write on, piece by piece."""

    biller: Biller

    def delta(self, text: str) -> None:
        self.deltas.append(text)
        self.biller.heard.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    app: App
    biller: Biller
    notes: Pacing
    home: Path

    async def ask(self, *, tokens: int = CAP, deadline_s: float = NEVER_LONGER_S, prompt: str = PROMPT) -> Answer:
        request = Request(prompt=prompt, force_cloud=True, max_output_tokens=tokens, deadline_s=deadline_s)
        return await self.app.service.complete(request, self.notes, self.app.account)

    async def fail(self, *, tokens: int = CAP, deadline_s: float = NEVER_LONGER_S) -> str:
        """The text of the error that the call ends in."""
        with pytest.raises(HybridError) as caught:
            await self.ask(tokens=tokens, deadline_s=deadline_s)
        return str(caught.value)

    async def spent(self) -> Usd:
        """What the ledger was charged, once everything is finished: nothing is set aside, and the book adds up."""
        balance = (await self.app.ledger.report("month")).balance
        assert balance.reserved == ZERO
        assert list(await self.app.ledger.check()) == []
        return balance.spent

    def dispatched(self) -> int:
        """Attempts that the ledger took note of before they were sent."""
        with closing(sqlite3.connect(self.home / "ledger.db")) as connection:
            return connection.execute("SELECT count(*) FROM entry WHERE state = 'dispatched'").fetchone()[0]


@asynccontextmanager
async def bench(kind: ProviderKind, home: Path, *behaviours: Behaviour) -> AsyncGenerator[Bench]:
    """The whole product in this process, with one paid model that behaves so."""
    biller, notes = Biller(kind, *behaviours), Pacing()
    notes.biller = biller
    with biller.server as server:
        url = f"{server.url}/v1" if kind == "openai" else server.url
        write_profile(home, PROFILE.replace("KIND", kind).replace("URL", url), "paid")
        (home / "whitelist.json").write_text(json.dumps({"cloud_apis": ["127.0.0.1"]}), encoding="utf-8")
        app = open_app(load_settings(environ={"FAKE_KEY": "k"}, home=home, profile="paid"), notes)
        spec = app.settings.profile.provider("fake")
        assert spec is not None
        app.catalog.provider_of(spec)  # importing an SDK takes a second, and no deadline of these tests pays for it
        try:
            yield Bench(app=app, biller=biller, notes=notes, home=home)
        finally:
            await app.aclose()


KINDS: list[ProviderKind] = ["openai", "anthropic"]
BOTH = pytest.mark.parametrize("kind", KINDS)


@BOTH
async def test_an_honest_answer_costs_what_the_server_bills(kind: ProviderKind, tmp_path: Path):
    async with bench(kind, tmp_path, answers(50)) as one:
        answer = await one.ask()
        assert await one.spent() == answer.cost == one.biller.bill > ZERO
        assert (one.biller.requests, one.dispatched(), len(answer.attempts)) == (1, 1, 1)


BROKEN = {
    "500 after billing": fails(500),
    "503 after billing": fails(503),
    "529 after billing": fails(529),
    "200 with an error body": fails(200),
    "an error in the stream": fails_in_the_stream(),
    "cut after the first event": cuts(after="begin"),
    "cut mid-way": cuts(after="words"),
    "ended mid-way": ends(after="words"),
    "cut before the usage": cuts(after="finish"),
}


@BOTH
@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_fails_after_it_was_billed_is_charged_and_not_sent_again(
    kind: ProviderKind, behaviour: Behaviour, tmp_path: Path
):
    async with bench(kind, tmp_path, behaviour) as one:
        assert "fake:big" in await one.fail()
        assert await one.spent() >= one.biller.bill > ZERO
        assert (one.biller.requests, one.dispatched(), len(one.notes.attempts)) == (1, 1, 1)


@BOTH
@pytest.mark.parametrize("after", ["nothing", "begin", "words"])
async def test_a_call_that_its_deadline_ends_is_charged(kind: ProviderKind, after: str, tmp_path: Path):
    behaviour = hangs(after=after)  # pyright: ignore[reportArgumentType]
    async with bench(kind, tmp_path, behaviour) as one:
        if after == "words":
            assert "cut off at the deadline" in (await one.ask(deadline_s=1)).reason
        else:
            assert "no answer within" in await one.fail(deadline_s=1)
        assert await one.spent() >= one.biller.bill > ZERO
        assert (one.biller.requests, one.dispatched(), len(one.notes.attempts)) == (1, 1, 1)


UNTRUE = {
    "no usage": answers(told=None),
    "ended before the usage": ends(after="finish"),
    "one token in and one out": answers(told=(1, 1)),
    "zeros": answers(told=(0, 0)),
    "negative": answers(told=(-5, -7)),
    "too low an output alone": answers(told=(None, 10)),
    "too low an input alone": answers(told=(10, None)),
    "half of the output": answers(told=(None, 50)),
    "a third of the input": answers(told=(70, None)),
    "unseen thinking up to the cap, not told": thinks_unseen(told=None),
    "unseen thinking up to the cap, told as nothing": thinks_unseen(told=0),
    "unseen thinking up to the cap, told as one": thinks_unseen(told=1),
    "counted before the end alone, and thinking on": counts_on(20, end="hang"),
}


@BOTH
@pytest.mark.parametrize("behaviour", UNTRUE.values(), ids=UNTRUE.keys())
async def test_an_answer_without_believable_usage_is_charged_as_reserved(
    kind: ProviderKind, behaviour: Behaviour, tmp_path: Path
):
    async with bench(kind, tmp_path, behaviour) as one:
        with suppress(HybridError):
            await one.ask(tokens=100)
        assert await one.spent() >= one.biller.bill > ZERO
        assert (one.biller.requests, one.dispatched(), len(one.notes.attempts)) == (1, 1, 1)


TOLD_TWICE = {
    "the last is the largest": counts_on(20, None),
    "the first is the largest": counts_on(100, 20),
    "the middle is the largest": counts_on(20, None, 30),
    "far above the cap, and then cut": counts_on(20, 5_000, end="cut"),
}


@BOTH
@pytest.mark.parametrize("behaviour", TOLD_TWICE.values(), ids=TOLD_TWICE.keys())
async def test_of_several_counts_the_largest_is_charged_whatever_becomes_of_the_answer(
    kind: ProviderKind, behaviour: Behaviour, tmp_path: Path
):
    async with bench(kind, tmp_path, behaviour) as one:
        with suppress(HybridError):
            await one.ask(tokens=100)
        assert await one.spent() == one.biller.bill > ZERO
        assert (one.biller.requests, one.dispatched()) == (1, 1)


@BOTH
async def test_an_output_above_the_cap_is_charged_in_full_where_it_is_told(kind: ProviderKind, tmp_path: Path):
    async with bench(kind, tmp_path, times_the_cap(2, told=(None, None))) as one:
        answer = await one.ask(tokens=LARGE_CAP)
        assert await one.spent() == answer.cost == one.biller.bill > answer.plan[0].bound
        assert (one.biller.requests, one.dispatched()) == (1, 1)


@BOTH
@pytest.mark.parametrize("factor", [1.8, 2, 5])
async def test_an_output_above_the_cap_is_charged_by_its_length_where_it_is_not_told(
    kind: ProviderKind, factor: float, tmp_path: Path
):
    async with bench(kind, tmp_path, times_the_cap(factor, told=None)) as one:
        answer = await one.ask(tokens=LARGE_CAP)
        assert await one.spent() == answer.cost >= one.biller.bill > answer.plan[0].bound
        assert (one.biller.requests, one.dispatched()) == (1, 1)


@BOTH
async def test_a_server_that_writes_on_for_ever_is_hung_up_on_and_what_came_is_charged(
    kind: ProviderKind, tmp_path: Path
):
    async with bench(kind, tmp_path, writes_on(100)) as one:
        assert "ignored the output cap" in await one.fail()
        assert await anyio.to_thread.run_sync(one.biller.server.client_left.wait, NEVER_LONGER_S)
        assert await one.spent() >= one.biller.bill > Usd(2 * CAP * OUTPUT_NANOS)
        assert one.biller.bill < Usd(15 * CAP * OUTPUT_NANOS)
        assert (one.biller.requests, one.dispatched()) == (1, 1)


@BOTH
async def test_thinking_above_the_cap_is_charged_by_its_length(kind: ProviderKind, tmp_path: Path):
    async with bench(kind, tmp_path, thinks(10)) as one:
        assert "ignored the output cap" in await one.fail(tokens=LARGE_CAP)
        assert await one.spent() >= one.biller.bill > Usd(10 * LARGE_CAP * OUTPUT_NANOS)
        assert (one.biller.requests, one.dispatched()) == (1, 1)


@BOTH
async def test_a_call_that_is_told_to_wait_costs_nothing_and_its_second_try_is_reserved_for_itself(
    kind: ProviderKind, tmp_path: Path
):
    async with bench(kind, tmp_path, asks_to_wait(0.05), answers(50)) as one:
        answer = await one.ask()
        assert [attempt.outcome for attempt in answer.attempts] == ["rate_limited", "ok"]
        assert answer.attempts[0].cost == ZERO
        assert await one.spent() == answer.cost == one.biller.bill
        assert (one.biller.requests, one.dispatched()) == (2, 2)


@BOTH
async def test_a_caller_who_leaves_in_the_middle_is_charged(kind: ProviderKind, tmp_path: Path):
    async with bench(kind, tmp_path, hangs(after="words")) as one:
        with anyio.fail_after(NEVER_LONGER_S):
            async with anyio.create_task_group() as group:
                group.start_soon(one.ask)
                await anyio.to_thread.run_sync(one.biller.heard.wait, NEVER_LONGER_S)
                group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(one.biller.server.client_left.wait, NEVER_LONGER_S)
        assert await one.spent() >= one.biller.bill > ZERO
        assert (one.biller.requests, one.dispatched()) == (1, 1)


@BOTH
async def test_a_call_that_waits_for_its_turn_in_vain_costs_nothing(kind: ProviderKind, tmp_path: Path):
    async with bench(kind, tmp_path, hangs(after="begin")) as one:
        with anyio.fail_after(NEVER_LONGER_S):
            async with anyio.create_task_group() as group:
                for _ in range(CLOUD_CONCURRENCY):
                    group.start_soon(one.ask)
                await anyio.to_thread.run_sync(one.biller.server.wait_for_requests, CLOUD_CONCURRENCY)
                told = await one.fail(deadline_s=0.5)
                assert f"waiting for fake: {CLOUD_CONCURRENCY} requests run there" in told
                group.cancel_scope.cancel()
        assert [attempt.cost for attempt in one.notes.attempts] == [ZERO]
        assert await one.spent() >= one.biller.bill
        assert one.biller.requests == one.dispatched() == CLOUD_CONCURRENCY


ANYTHING = [
    answers(30), answers(told=None), answers(told=(1, 1)), answers(told=(0, 0)), asks_to_wait(0), *BROKEN.values(),
    times_the_cap(2, told=(None, None)), times_the_cap(3, told=None), thinks_unseen(told=1), counts_on(20, None),
]  # fmt: skip


@BOTH
@settings(max_examples=15, deadline=None)
@given(behaviours=st.lists(st.sampled_from(ANYTHING), min_size=1, max_size=12), callers=st.integers(1, 12))
async def test_many_callers_of_a_server_that_does_anything_never_cost_more_than_the_ledger_holds(
    kind: ProviderKind, behaviours: list[Behaviour], callers: int
):
    async def call(number: int) -> None:
        with suppress(HybridError):
            await one.ask(tokens=100 + number, prompt=f"{number}: {PROMPT}")

    with tempfile.TemporaryDirectory() as home:
        async with bench(kind, Path(home), *behaviours) as one:
            with anyio.fail_after(NEVER_LONGER_S):
                async with anyio.create_task_group() as group:
                    for number in range(callers):
                        group.start_soon(call, number)
            spent = await one.spent()
            assert spent >= one.biller.bill
            assert spent == sum((attempt.cost for attempt in one.notes.attempts), ZERO)
            # A model that fails is left alone at once, also by a call that is about to be sent.
            assert one.biller.requests <= one.dispatched()
