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
            await until.wait()
            self.inside.remove(who)

    async def refusal(self, spec: ModelSpec) -> ProviderUnavailable:
        with pytest.raises(ProviderUnavailable) as caught, anyio.fail_after(NEVER_LONGER_S):
            async with self.catalog.turn(spec, Recorder()):
                pytest.fail("it may not be asked now")
        return caught.value


@pytest.mark.parametrize(("spec", "limit"), [(HERE, 2), (FAR, 32)], ids=["local", "cloud"])
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
            assert waiting.statuses == [f"waiting for {spec.name}: {limit} requests are running there"]
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
