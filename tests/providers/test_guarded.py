from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from hybrid_mcp.domain.breaker import Health, Opening
from hybrid_mcp.domain.completion import Completion, Message
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    EgressDenied,
    HybridError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.providers.guarded import SILENCE_S, Breakers, Guarded
from hybrid_mcp.providers.openai import OpenAIProvider
from tests.support_servers import (
    CALL,
    NEVER_LONGER_S,
    OPEN,
    FakeServer,
    Recorder,
    Reply,
    cloud_spec,
    openai_reply,
    reply_always,
)

pytestmark = pytest.mark.anyio

SPEC = ProviderSpec(name="there", kind="openai")
NAME = "there:m"
M = ProviderCall(model="m", messages=(Message("user", "hi"),), max_output_tokens=8)
ANSWER = Completion(text="Hi", finish="stop", usage=None)
HEALTHY = Health(state="closed", slow=False, retry_in_s=0.0)


@dataclass
class Hands:
    """A clock that is set by hand."""

    seconds: float = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class Scripted:
    """A provider that does what it is told, and counts the calls."""

    def __init__(self) -> None:
        self.do: Callable[[Progress], Awaitable[Completion]] = self.answer
        self.calls = 0
        self.closed = False

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        self.calls += 1
        await anyio.lowlevel.checkpoint()
        return await self.do(progress)

    async def answer(self, progress: Progress) -> Completion:
        progress.delta("Hi")
        return ANSWER

    def fail(self, error: HybridError) -> None:
        async def failing(progress: Progress) -> Completion:
            raise error

        self.do = failing

    async def models(self) -> Sequence[ModelSpec]:
        return [ModelSpec(provider=SPEC, model="m")]

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Board:
    """Implements `Openings`: what is told, in order, and what stands there."""

    standing: dict[str, Opening] = field(default_factory=dict[str, Opening])
    told: list[tuple[str, Opening | None]] = field(default_factory=list[tuple[str, Opening | None]])

    def read(self) -> Mapping[str, Opening]:
        return self.standing

    def tell(self, name: str, opening: Opening | None) -> None:
        self.told.append((name, opening))


class Bench:
    """A guarded scripted provider with all that belongs to it."""

    def __init__(self, board: Board | None = None) -> None:
        self.clock = Hands()
        self.inner = Scripted()
        self.breakers = Breakers(clock=self.clock, threshold=3, recovery_s=60.0, shared=board)
        self.guarded = Guarded(self.inner, spec=SPEC, breakers=self.breakers, clock=self.clock)

    async def ask(self, times: int = 1, model: str = "m") -> list[type[Exception] | None]:
        """How each of so many calls ended: the error's type, None where it was answered."""
        ends: list[type[Exception] | None] = []
        for _ in range(times):
            try:
                await self.guarded.complete(ProviderCall(model=model, messages=(), max_output_tokens=1), Recorder())
                ends.append(None)
            except HybridError as error:
                ends.append(type(error))
        return ends

    def silence(self, seconds: float) -> Callable[[Progress], Awaitable[Completion]]:
        """An answer that never comes; so many seconds pass on the clock."""

        async def hang(progress: Progress) -> Completion:
            self.clock.seconds += seconds
            await anyio.sleep_forever()
            return ANSWER

        return hang

    def health(self) -> Health:
        return self.breakers.health(NAME)


async def test_an_answer_passes_through_with_its_progress():
    bench, heard = Bench(), Recorder()
    assert await bench.guarded.complete(M, heard) == ANSWER
    assert heard == Recorder(deltas=["Hi"])
    assert bench.health() == HEALTHY


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailable("x"),
        ProviderTimeout("x"),
    ],
)
async def test_three_failures_open_the_breaker_and_nothing_more_is_sent(error: HybridError):
    bench = Bench()
    bench.inner.fail(error)
    assert await bench.ask(2) == [type(error)] * 2
    assert bench.health() == HEALTHY
    assert await bench.ask(3) == [type(error), ProviderUnavailable, ProviderUnavailable]
    assert bench.inner.calls == 3
    assert bench.health() == Health(state="open", slow=False, retry_in_s=60.0, failures=3)


async def test_a_call_that_is_not_sent_says_when_to_come_back_and_was_not_billed():
    bench = Bench()
    bench.inner.fail(ProviderUnavailable("x"))
    await bench.ask(3)
    bench.clock.seconds += 17.5
    with pytest.raises(ProviderUnavailable, match="it is tried again in 43 s") as caught:
        await bench.guarded.complete(M, Recorder())
    assert caught.value.billed is False


@pytest.mark.parametrize(
    "error",
    [
        ProviderRejected("x"),
        ProviderRateLimited("x"),
        ProviderRateLimited("x", retry_after_s=0),
        ContextTooLong("x"),
        EgressDenied("x"),
    ],
)
async def test_refusals_say_nothing_about_health(error: HybridError):
    bench = Bench()
    bench.inner.fail(error)
    assert await bench.ask(10) == [type(error)] * 10
    assert bench.health() == HEALTHY


async def test_models_of_one_provider_fail_on_their_own():
    bench = Bench()
    bench.inner.fail(ProviderUnavailable("x"))
    await bench.ask(3)
    bench.inner.do = bench.inner.answer
    assert await bench.ask(model="other") == [None]
    assert bench.breakers.health("there:other") == HEALTHY
    assert await bench.ask() == [ProviderUnavailable]


async def test_a_server_that_asks_to_wait_is_left_alone_so_long():
    bench = Bench()
    bench.inner.fail(ProviderRateLimited("x", retry_after_s=7.0))
    await bench.ask()
    assert bench.health() == Health(state="open", slow=False, retry_in_s=7.0, failures=1, asked_to_wait=True)
    bench.inner.do = bench.inner.answer
    bench.clock.seconds += 7.0
    assert await bench.ask() == [None]
    assert bench.health() == HEALTHY


async def test_of_fifty_callers_one_probes_and_the_others_are_refused_at_once():
    bench = Bench()
    bench.inner.fail(ProviderUnavailable("x"))
    await bench.ask(3)
    bench.clock.seconds += 60.0
    assert bench.health() == Health(state="half_open", slow=False, retry_in_s=0.0, failures=3)

    others_done, refused = anyio.Event(), list[ProviderUnavailable]()

    async def probe(progress: Progress) -> Completion:
        await others_done.wait()
        return ANSWER

    async def call() -> None:
        try:
            await bench.guarded.complete(M, Recorder())
        except ProviderUnavailable as error:
            refused.append(error)
            if len(refused) == 49:
                others_done.set()

    bench.inner.do = probe
    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(call)
    assert bench.inner.calls == 3 + 1
    assert [error.billed for error in refused] == [False] * 49
    assert bench.health() == HEALTHY


async def test_a_cancelled_call_says_nothing_about_health_and_frees_the_probe():
    bench = Bench()
    bench.inner.fail(ProviderUnavailable("x"))
    await bench.ask(3)
    bench.clock.seconds += 60.0
    started = anyio.Event()

    async def hang(progress: Progress) -> Completion:
        started.set()
        await anyio.sleep_forever()
        return ANSWER

    bench.inner.do = hang
    async with anyio.create_task_group() as group:
        group.start_soon(bench.guarded.complete, M, Recorder())
        await started.wait()
        group.cancel_scope.cancel()
    assert bench.health().state == "half_open"
    bench.inner.do = bench.inner.answer
    assert await bench.ask() == [None]


async def call_until_deadline(bench: Bench, progress: Progress | None = None, call: ProviderCall = M) -> None:
    with anyio.move_on_after(0.01):
        await bench.guarded.complete(call, progress or Recorder())


async def test_a_deadline_that_passes_in_silence_counts_as_a_failure():
    bench = Bench()

    bench.inner.do = bench.silence(SILENCE_S)
    for _ in range(3):
        await call_until_deadline(bench)
    assert bench.health().state == "open"


async def test_a_question_beside_the_calls_own_says_nothing_of_health_or_speed():
    bench = Bench()
    beside = replace(M, counts=False)
    bench.inner.do = bench.silence(SILENCE_S)
    for _ in range(5):
        await call_until_deadline(bench, call=beside)
    assert bench.health() == HEALTHY


async def test_a_deadline_shorter_than_a_healthy_models_silence_says_nothing():
    bench = Bench()
    bench.inner.do = bench.silence(SILENCE_S - 0.1)
    for _ in range(10):
        await call_until_deadline(bench)
    assert bench.health() == HEALTHY


@pytest.mark.parametrize("say", ["delta", "status"])
async def test_a_deadline_that_cuts_a_working_model_short_says_nothing(say: str):
    bench = Bench()

    async def write_on(progress: Progress) -> Completion:
        getattr(progress, say)("...")
        bench.clock.seconds += 2 * SILENCE_S
        await anyio.sleep_forever()
        return ANSWER

    bench.inner.do = write_on
    for _ in range(3):
        await call_until_deadline(bench)
    assert bench.health() == HEALTHY


async def test_a_model_that_became_slow_for_its_own_history_says_so():
    bench = Bench()

    async def take(seconds: float) -> None:
        async def answer(progress: Progress) -> Completion:
            bench.clock.seconds += seconds
            progress.delta("Hi")
            bench.clock.seconds += 100.0  # a long answer is not a slow one
            return ANSWER

        bench.inner.do = answer
        await bench.ask()

    for seconds in (2.0, 2.0, 2.0, 2.0, 6.1, 6.1):
        await take(seconds)
        assert not bench.health().slow
    await take(6.1)
    assert bench.health() == Health(state="closed", slow=True, retry_in_s=0.0)
    await take(2.0)
    assert not bench.health().slow


async def test_others_are_told_when_a_breaker_opens_and_closes_and_of_nothing_else():
    board = Board()
    bench = Bench(board)
    bench.inner.fail(ProviderUnavailable("x"))
    await bench.ask(2)
    assert board.told == []
    start = bench.clock.now()
    await bench.ask(5)
    bench.clock.seconds += 60.0
    await bench.ask()
    bench.clock.seconds += 60.0
    bench.inner.do = bench.inner.answer
    await bench.ask(3)
    assert board.told == [
        (NAME, Opening(failures=3, until=start + timedelta(seconds=60))),
        (NAME, Opening(failures=4, until=start + timedelta(seconds=120))),
        (NAME, None),
    ]


async def test_a_new_process_leaves_alone_what_others_leave_alone_and_then_tries_it_once():
    until = datetime.fromtimestamp(1042.0, UTC)
    bench = Bench(Board({NAME: Opening(failures=3, until=until), "there:other": Opening(failures=1, until=until)}))
    assert await bench.ask() == [ProviderUnavailable]
    assert bench.inner.calls == 0
    assert bench.breakers.troubled() == {
        NAME: Health(state="open", slow=False, retry_in_s=42.0, failures=3),
        "there:other": Health(state="open", slow=False, retry_in_s=42.0, failures=1, asked_to_wait=True),
    }
    bench.clock.seconds += 42.0
    bench.inner.fail(ProviderUnavailable("x"))
    assert await bench.ask(2) == [ProviderUnavailable] * 2
    assert bench.inner.calls == 1


async def test_what_fails_or_is_slow_is_told_in_words():
    bench = Bench()
    assert bench.breakers.troubled() == {}
    bench.inner.fail(ProviderUnavailable("x"))
    await bench.ask(3)
    bench.inner.fail(ProviderRateLimited("x", retry_after_s=7.5))
    await bench.ask(model="limited")
    for seconds in (1.0, 1.0, 1.0, 4.0, 4.0, 4.0):
        bench.breakers.took("there:slow", seconds)
    bench.breakers.took("there:fine", 1.0)
    words = {name: health.in_words() for name, health in bench.breakers.troubled().items()}
    assert words == {
        "there:limited": "left alone for 8 s, as its server asked",
        "there:m": "left alone for 60 s after 3 failures",
        "there:slow": "three times slower than its own history, so others of its kind are asked first",
    }
    bench.clock.seconds += 60.0
    assert bench.health().in_words().startswith("half-open: ")


async def test_models_and_closing_pass_through():
    bench = Bench()
    assert await bench.guarded.models() == [ModelSpec(provider=SPEC, model="m")]
    await bench.guarded.aclose()
    assert bench.inner.closed


async def test_a_real_connection_that_fails_three_times_is_left_alone_and_comes_back():
    with FakeServer(reply_always(Reply(status=503))) as server:
        spec, clock = cloud_spec(server.url), Hands()
        provider = OpenAIProvider(spec=spec, api_key=lambda: "key", egress=OPEN)
        guarded = Guarded(provider, spec=spec, breakers=Breakers(clock=clock), clock=clock)
        for _ in range(5):
            with pytest.raises(ProviderUnavailable):
                await guarded.complete(CALL, Recorder())
        assert len(server.requests) == 3
        server.script = reply_always(openai_reply())
        clock.seconds += 60.0
        assert (await guarded.complete(CALL, Recorder())).text == "Hello there"
        await guarded.aclose()
