from __future__ import annotations

from dataclasses import replace

import anyio
import pytest
from anyio.lowlevel import checkpoint

from hybrid_mcp.domain.breaker import Failed, Outcome
from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.domain.profile import ModelSpec, Profile, ProviderSpec
from hybrid_mcp.ports import Provider
from hybrid_mcp.providers.catalog import ProfileCatalog
from hybrid_mcp.providers.guarded import Breakers
from tests.support_servers import NEVER_LONGER_S, Recorder
from tests.support_service import StillClock

pytestmark = pytest.mark.anyio

FAR = ProviderSpec(name="far", kind="openai")
HERE = ProviderSpec(name="here", kind="openai", local=True)
EMBEDDED = ProviderSpec(name="embedded", kind="embedded", local=True)


def model(spec: ProviderSpec, name: str = "m") -> ModelSpec:
    return ModelSpec(provider=spec, model=name)


async def nobody(spec: ProviderSpec) -> bool:
    raise AssertionError(spec)


def never(spec: ProviderSpec) -> Provider:
    raise AssertionError(spec)


class Bench:
    """A catalog whose providers are never opened, and what happens at its turns."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.breakers = Breakers(clock=self.clock, threshold=3, recovery_s=60.0)
        self.catalog = ProfileCatalog(
            profile=Profile(name="t"), has_key=lambda _: True, answers=nobody, open_provider=never,
            breakers=self.breakers, clock=self.clock,
        )  # fmt: skip
        self.inside: list[str] = []
        self.most = 0

    def settle(self, *outcomes: Outcome, name: str = "far:m") -> None:
        for outcome in outcomes:
            self.breakers.settle(name, self.breakers.admit(name), outcome)

    async def take(self, spec: ModelSpec, until: anyio.Event, who: str = "x", heard: Recorder | None = None) -> None:
        async with self.catalog.turn(spec, heard or Recorder()):
            self.inside.append(who)
            self.most = max(self.most, len(self.inside))
            try:
                await until.wait()
            finally:
                self.inside.remove(who)

    async def refusal(self, spec: ModelSpec) -> ProviderUnavailable:
        with pytest.raises(ProviderUnavailable) as caught, anyio.fail_after(NEVER_LONGER_S):
            async with self.catalog.turn(spec, Recorder()):
                pytest.fail("it may not be asked now")
        return caught.value


@pytest.mark.parametrize(
    ("spec", "limit"),
    [(HERE, 2), (FAR, 32), (replace(HERE, concurrency=3), 3), (replace(FAR, concurrency=2), 2)],
    ids=["local", "cloud", "declared local", "declared cloud"],
)
async def test_no_more_run_at_once_than_the_provider_can_do(spec: ProviderSpec, limit: int):
    bench, done = Bench(), anyio.Event()
    first, waiting = Recorder(), Recorder()
    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for number in range(limit):
                group.start_soon(bench.take, model(spec, f"m{number}"), done, "x", first)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(bench.take, model(spec), done, "late", waiting)
            await anyio.wait_all_tasks_blocked()
            assert (bench.most, "late" in bench.inside) == (limit, False)
            assert waiting.statuses == [f"waiting for {spec.name}: {limit} requests run there, this one is next"]
            done.set()
    assert (bench.most, first.statuses) == (limit, [])


async def test_those_who_wait_come_in_the_order_in_which_they_asked():
    bench, order = Bench(), list[int]()
    done = anyio.Event()

    async def wait(number: int) -> None:
        async with bench.catalog.turn(model(HERE), Recorder()):
            order.append(number)
            await checkpoint()

    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            group.start_soon(bench.take, model(HERE), done)
            group.start_soon(bench.take, model(HERE), done)
            await anyio.wait_all_tasks_blocked()
            for number in range(20):
                group.start_soon(wait, number)
                await anyio.wait_all_tasks_blocked()
            done.set()
            await checkpoint()
            await wait(20)
    assert order == list(range(21))


async def test_who_waits_is_told_how_many_are_before_him_and_again_when_one_of_them_is_let_in_or_gives_up():
    bench, spec = Bench(), model(replace(HERE, concurrency=1))
    heard = [Recorder() for _ in range(4)]
    over = [anyio.Event() for _ in range(4)]
    impatient = anyio.CancelScope()

    async def give_up() -> None:
        with impatient:
            await bench.take(spec, over[1], "impatient", heard[1])

    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            group.start_soon(bench.take, spec, over[0], "first", heard[0])
            await anyio.wait_all_tasks_blocked()
            group.start_soon(give_up)
            await anyio.wait_all_tasks_blocked()
            for number in (2, 3):
                group.start_soon(bench.take, spec, over[number], f"{number}", heard[number])
                await anyio.wait_all_tasks_blocked()
            impatient.cancel()
            await anyio.wait_all_tasks_blocked()
            assert bench.inside == ["first"]
            over[0].set()
            await anyio.wait_all_tasks_blocked()
            assert bench.inside == ["2"]
            over[2].set()
            over[3].set()
    runs = "waiting for here: 1 request runs there"
    assert [one.statuses for one in heard] == [
        [],
        [f"{runs}, this one is next"],
        [f"{runs}, 1 waits before this one", f"{runs}, this one is next"],
        [f"{runs}, 2 wait before this one", f"{runs}, 1 waits before this one", f"{runs}, this one is next"],
    ]


@pytest.mark.parametrize("gives_up_first", [True, False])
async def test_a_place_that_is_handed_to_one_who_gives_up_in_that_moment_goes_to_the_next(*, gives_up_first: bool):
    bench, spec = Bench(), model(replace(HERE, concurrency=1))
    first, other = anyio.Event(), anyio.Event()
    impatient = anyio.CancelScope()

    async def give_up() -> None:
        with impatient:
            await bench.take(spec, other, "impatient")

    async def release() -> None:
        async with bench.catalog.turn(spec, Recorder()):
            await first.wait()
            if gives_up_first:
                impatient.cancel()
        impatient.cancel()

    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for start in (release, give_up):
                group.start_soon(start)
                await anyio.wait_all_tasks_blocked()
            group.start_soon(bench.take, spec, other, "patient")
            await anyio.wait_all_tasks_blocked()
            first.set()
            await anyio.wait_all_tasks_blocked()
            assert bench.inside == ["patient"]
            assert impatient.cancelled_caught
            other.set()


async def test_a_call_without_time_takes_no_place():
    bench, done = Bench(), anyio.Event()
    with anyio.move_on_after(0) as late:
        await bench.take(model(HERE), done)
    assert (late.cancelled_caught, bench.most) == (True, 0)


async def test_a_busy_provider_does_not_keep_another_one_waiting():
    bench, done = Bench(), anyio.Event()
    other = replace(HERE, name="other")
    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for spec in (HERE, HERE, HERE, other):
                group.start_soon(bench.take, model(spec), done, spec.name)
            await anyio.wait_all_tasks_blocked()
            assert sorted(bench.inside) == ["here", "here", "other"]
            done.set()


async def test_the_embedded_provider_queues_its_callers_itself():
    bench, done = Bench(), anyio.Event()
    heard = Recorder()
    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(bench.take, model(EMBEDDED), done, "x", heard)
            await anyio.wait_all_tasks_blocked()
            assert len(bench.inside) == 50
            done.set()
    assert heard.statuses == []


async def test_a_caller_who_leaves_the_queue_or_fails_in_his_turn_takes_no_place_with_him():
    bench, done = Bench(), anyio.Event()
    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(bench.take, model(HERE), done)
            await anyio.wait_all_tasks_blocked()
            for _ in range(5):
                with anyio.move_on_after(0.001) as waited:
                    await bench.take(model(HERE), done)
                assert waited.cancelled_caught
            done.set()
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                async with bench.catalog.turn(model(HERE), Recorder()):
                    raise ZeroDivisionError
        for spec in (HERE, HERE):
            await bench.take(model(spec), done)


async def test_a_dead_model_is_refused_at_once_and_nobody_waits_for_it():
    bench, done = Bench(), anyio.Event()
    bench.settle(Failed(), Failed(), Failed())
    bench.clock.seconds += 17.5
    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for _ in range(32):
                group.start_soon(bench.take, model(FAR, "other"), done)
            await anyio.wait_all_tasks_blocked()
            error = await bench.refusal(model(FAR))
            assert (error.billed, str(error)) == (
                False, "far:m failed several times or asked to wait; it is tried again in 43 s",
            )  # fmt: skip
            done.set()


async def test_those_who_wait_behind_a_dying_model_are_not_let_in_after_it_opened():
    bench, refused = Bench(), list[ProviderUnavailable]()
    tried = 0

    async def call() -> None:
        nonlocal tried
        try:
            async with bench.catalog.turn(model(HERE), Recorder()):
                tried += 1
                await checkpoint()
                bench.settle(Failed(), name="here:m")
        except ProviderUnavailable as error:
            refused.append(error)

    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(call)
    assert 3 <= tried <= 4
    assert len(refused) == 20 - 3
    assert not any(error.billed for error in refused)


async def test_while_one_request_probes_a_model_the_others_are_refused():
    bench = Bench()
    bench.settle(Failed(), Failed(), Failed())
    bench.clock.seconds += 60.0
    async with bench.catalog.turn(model(FAR), Recorder()):
        admission = bench.breakers.admit("far:m")
        error = await bench.refusal(model(FAR))
        bench.breakers.settle("far:m", admission, "succeeded")
    assert (error.billed, str(error)) == (
        False, "far:m failed several times; one request is trying it now, others are not sent",
    )  # fmt: skip
    async with bench.catalog.turn(model(FAR), Recorder()):
        pass
