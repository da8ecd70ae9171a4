"""What happens when a provider fails, through the whole service: who is asked next, who is left alone, who never is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio
import httpx2
import pytest

from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import BudgetExceeded, EgressDenied, HybridError, NoRoute
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.profile import ProviderKind
from tests.support_faults import FAULTS, GOOD_TEXT, Ask, Fault, FaultServer, Talk, fault_server
from tests.support_houses import Door, House, house, prompt
from tests.support_servers import NEVER_LONGER_S, SEAL, Recorder, closed_port_url, running_llama_server

pytestmark = pytest.mark.anyio

NAMES = ("a", "b", "c")
GOOD = FAULTS["good"]
MANY = 50
RECOVERY_S = 60.0


def request(tag: str, model: str = "a:a", **more: object) -> Request:
    given = {"preferred_model": model, "max_output_tokens": 64, "deadline_s": NEVER_LONGER_S, **more}
    return Request(prompt=prompt(tag), **given)  # pyright: ignore[reportArgumentType]


async def at_once(number: int, call: Callable[[int], Awaitable[Answer]]) -> list[Answer]:
    answers: list[Answer] = []

    async def one(which: int) -> None:
        answers.append(await call(which))

    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            for which in range(number):
                group.start_soon(one, which)
    return answers


def models(answers: Sequence[Answer]) -> dict[str | None, int]:
    names = [answer.model for answer in answers]
    return {name: names.count(name) for name in set(names)}


EVERY_KIND = pytest.mark.parametrize(("kind", "local"), [("openai", False), ("anthropic", False), ("ollama", True)])


@EVERY_KIND
async def test_each_fault_is_told_as_what_it_is_and_the_next_model_answers(
    kind: ProviderKind, local: bool, tmp_path: Path
):
    faults = {f"m{number}": (name, fault) for number, (name, fault) in enumerate(FAULTS.items())}
    wrong: list[str] = []

    def choose(ask: Ask) -> Fault:
        return GOOD if ask.model == "b" else faults[ask.tag][1]

    async with fault_server(choose, NAMES) as server:
        first = Door(name="a", kind=kind, url=server.url, local=local)
        second = Door(name="b", kind="openai", url=server.url, local=True)
        async with house(
            tmp_path, first, second, first_byte_s=3.0, between_s=3.0, CIRCUIT_BREAKER_FAILURE_THRESHOLD="1000"
        ) as one:
            places = anyio.CapacityLimiter(1 if local else 4)

            async def meet(tag: str, name: str, fault: Fault) -> None:
                # Of a paid provider each model is a new one, which no breaker and no overbilling has met yet. The one
                # on this machine is met an hour later each time.
                model = "a:a" if local else f"a:{tag}"
                async with places:
                    answer = await one.ask(request(tag, model))
                    one.clock.ahead_s += 3_601 * local
                met = answer.attempts[0]
                as_told = met.outcome in fault.outcomes and (met.outcome == "ok" or met.reason in answer.reason)
                answered = (GOOD_TEXT, model if met.outcome == "ok" else "b:b", True)
                if (answer.text, answer.model, as_told) != answered or SEAL in answer.reason:
                    wrong.append(f"{name}: {answer.attempts}")

            async with anyio.create_task_group() as group:
                for tag, (name, fault) in faults.items():
                    group.start_soon(meet, tag, name, fault)
            await one.spent()
    assert wrong == []


async def test_a_dead_server_is_left_alone_until_one_of_fifty_callers_finds_it_well_again(tmp_path: Path):
    is_well, probed = anyio.Event(), anyio.Event()

    async def probe(talk: Talk) -> None:
        probed.set()
        await is_well.wait()
        await GOOD(talk)

    behaviour = [FAULTS["closed before any answer"]] * 3 + [Fault(act=probe, outcomes=frozenset(), billed=False)]

    def choose(_: Ask) -> Fault:
        return behaviour.pop(0) if behaviour else GOOD

    async with fault_server(choose, NAMES) as dying, fault_server(lambda _: GOOD, NAMES) as well:
        doors = (
            Door(name="a", kind="openai", url=dying.url, local=False),
            Door(name="b", kind="anthropic", url=well.url, local=False),
            Door(name="c", kind="openai", url=well.url, local=True),
        )
        async with house(tmp_path, *doors, first_byte_s=NEVER_LONGER_S, local_first=False) as one:

            def ask(tag: str) -> Callable[[int], Awaitable[Answer]]:
                return lambda which: one.ask(request(f"{tag}{which}", force_cloud=True))

            for which in range(3):
                answer = await ask("dead")(which)
                assert [attempt.outcome for attempt in answer.attempts] == ["failed", "ok"]
            assert dying.connections == 3

            assert models(await at_once(MANY, ask("left"))) == {"b:b": MANY}
            assert dying.connections == 3

            one.clock.ahead_s += RECOVERY_S + 1
            passed_on: list[Answer] = []

            async def one_of_many(which: int) -> Answer:
                answer = await ask("probe")(which)
                passed_on.append(answer)
                if len(passed_on) == MANY - 1:
                    await probed.wait()
                    assert len(dying.asks) == 4
                    is_well.set()
                return answer

            answers = await at_once(MANY, one_of_many)
            assert models(answers) == {"a:a": 1, "b:b": MANY - 1}
            assert dying.connections == 4

            assert models(await at_once(MANY, ask("again"))) == {"a:a": MANY}
            await one.spent()


async def test_a_probe_that_fails_leaves_the_server_alone_for_as_long_again(tmp_path: Path):
    def choose(ask: Ask) -> Fault:
        return FAULTS["status 503"] if ask.model == "a" else GOOD

    async with fault_server(choose, NAMES) as server, two_local(server, tmp_path) as one:
        for which in range(5):
            await one.ask(request(f"dead{which}"))
        assert asked(server) == 3
        one.clock.ahead_s += RECOVERY_S + 1
        for which in range(5):
            await one.ask(request(f"probe{which}"))
        assert asked(server) == 4
        one.clock.ahead_s += RECOVERY_S - 20  # so late may a busy machine be
        await one.ask(request("early"))
        assert asked(server) == 4


@pytest.mark.parametrize("local", [True, False])
async def test_a_model_that_was_down_is_asked_first_again_when_its_time_is_over(local: bool, tmp_path: Path):
    behaviour = [FAULTS["status 503"]] * 3

    def choose(ask: Ask) -> Fault:
        return behaviour.pop() if behaviour and ask.model == "a" else GOOD

    async with fault_server(choose, NAMES) as server:
        doors = [Door(name=name, kind="openai", url=server.url, local=local) for name in ("a", "b")]
        doors.append(Door(name="c", kind="openai", url=server.url, local=not local))
        async with house(tmp_path, *doors, first_byte_s=20, between_s=20, local_first=local) as one:

            async def ask(tag: str) -> Answer:
                request = Request(prompt=prompt(tag), deadline_s=30, force_local=local, force_cloud=not local)
                return await one.ask(request)

            for number in range(3):
                await ask(f"x{number}")
            one.clock.ahead_s += 61
            assert [(await ask(f"y{number}")).model for number in range(3)] == ["a:a"] * 3


async def test_a_server_that_asks_to_wait_is_not_asked_before(tmp_path: Path):
    behaviour = [FAULTS["told to wait for an hour"]]

    def choose(ask: Ask) -> Fault:
        return behaviour.pop() if behaviour and ask.model == "a" else GOOD

    async with fault_server(choose, NAMES) as server, two_local(server, tmp_path) as one:
        answer = await one.ask(request("first"))
        assert [attempt.outcome for attempt in answer.attempts] == ["rate_limited", "ok"]
        one.clock.ahead_s += 3_590
        assert (await one.ask(request("early"))).model == "b:b"
        assert asked(server) == 1
        one.clock.ahead_s += 20
        assert (await one.ask(request("late"))).model == "a:a"


async def test_neither_refusals_nor_callers_who_leave_make_a_server_one_that_is_left_alone(tmp_path: Path):
    behaviour = [FAULTS[name] for name in ("status 400", "status 401", "status 404", "status 413")]
    behaviour += [FAULTS["silence in the stream"]] * 4

    def choose(ask: Ask) -> Fault:
        return behaviour.pop(0) if behaviour and ask.model == "a" else GOOD

    async with fault_server(choose, NAMES) as server, two_local(server, tmp_path, patience_s=NEVER_LONGER_S) as one:
        for which in range(4):
            assert (await one.ask(request(f"refused{which}"))).model == "b:b"
        for which in range(4):
            await leave_in_the_middle(one, request(f"left{which}"))
        assert behaviour == []
        assert (await one.ask(request("well"))).model == "a:a"


async def test_a_server_that_never_ends_its_handshake_holds_no_connection_when_the_call_has_gone_on(tmp_path: Path):
    async with fault_server(lambda _: GOOD, NAMES) as mute, fault_server(lambda _: GOOD, NAMES) as well:
        doors = (
            Door(name="a", kind="openai", url=mute.url.replace("http:", "https:"), local=False),
            Door(name="b", kind="openai", url=well.url, local=True),
        )
        async with house(tmp_path, *doors) as one:
            answer = await one.ask(request("mute"))
            assert [attempt.outcome for attempt in answer.attempts] == ["timeout", "ok"]
            await anyio.wait_all_tasks_blocked()
            assert (mute.connections, mute.open, mute.asks) == (1, 0, [])


async def leave_in_the_middle(one: House, asked_for: Request) -> None:
    heard, writing = Recorder(), anyio.Event()
    heard.delta = lambda text: writing.set()
    with anyio.fail_after(NEVER_LONGER_S):
        async with anyio.create_task_group() as group:
            group.start_soon(one.ask, asked_for, heard)
            await writing.wait()
            group.cancel_scope.cancel()


def asked(server: FaultServer) -> int:
    return sum(ask.model == "a" for ask in server.asks)


def two_local(server: FaultServer, home: Path, patience_s: float = 5.0) -> AbstractAsyncContextManager[House]:
    doors = [Door(name=name, kind="openai", url=server.url, local=True) for name in ("a", "b")]
    return house(home, *doors, first_byte_s=patience_s, between_s=patience_s)


def cloud_after_a_dead_local_one(server: FaultServer, home: Path, **terms: str) -> AbstractAsyncContextManager[House]:
    return house(
        home, Door(name="a", kind="openai", url=closed_port_url(), local=True),
        Door(name="b", kind="openai", url=server.url, local=False),
        Door(name="c", kind="anthropic", url=server.url, local=False), **terms,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


async def test_a_failed_local_model_is_followed_by_a_paid_one_where_nothing_forbids_it(tmp_path: Path):
    async with fault_server(lambda _: GOOD, NAMES) as server, cloud_after_a_dead_local_one(server, tmp_path) as one:
        answer = await one.ask(request("allowed"))
    assert (answer.model, answer.attempts[0].model, answer.attempts[0].outcome) == ("b:b", "a:a", "failed")


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"budget": "0.000001"}, "$0.000001 is left of the monthly budget"),
        ({"MONTHLY_BUDGET": "0"}, "the monthly budget is $0.00"),
        ({"AIRGAP_MODE": "1"}, "airgap is on"),
    ],
    ids=["budget", "no budget", "airgap"],
)
async def test_a_failed_local_model_is_no_reason_to_go_where_budget_or_airgap_forbid_it(
    terms: dict[str, str], told: str, tmp_path: Path
):
    async with fault_server(lambda _: GOOD, NAMES) as server:
        async with cloud_after_a_dead_local_one(server, tmp_path, **terms) as one:
            with pytest.raises(NoRoute, match="a:a: failed") as caught:
                await one.ask(request("forbidden"))
            assert await one.spent() == ZERO
        assert told in str(caught.value)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("terms", "error"),
    [({"budget": "0.000001"}, BudgetExceeded), ({"AIRGAP_MODE": "1"}, EgressDenied)],
    ids=["budget", "airgap"],
)
async def test_of_paid_models_that_are_all_forbidden_none_is_contacted(
    terms: dict[str, str], error: type[HybridError], tmp_path: Path
):
    async with fault_server(lambda _: GOOD, NAMES) as server:
        async with cloud_after_a_dead_local_one(server, tmp_path, **terms) as one:
            with pytest.raises(error):
                await one.ask(request("forbidden", "b:b", force_cloud=True))
        assert server.connections == 0


async def test_a_host_that_is_struck_off_the_whitelist_meanwhile_ends_the_call(tmp_path: Path):
    struck_off = tmp_path / "whitelist.json"

    async def fail_and_strike_off(talk: Talk) -> None:
        struck_off.write_text(json.dumps({"cloud_apis": ["example.com"]}), encoding="utf-8")
        await talk.refuse(503)

    failing = Fault(act=fail_and_strike_off, outcomes=frozenset({"failed"}))
    async with fault_server(lambda _: failing, NAMES) as here, fault_server(lambda _: GOOD, NAMES) as far:
        doors = (
            Door(name="a", kind="openai", url=here.url, local=True),
            Door(name="b", kind="openai", url=far.url, local=False),
            Door(name="c", kind="anthropic", url=far.url, local=False),
        )
        async with house(tmp_path, *doors) as one:
            with pytest.raises(EgressDenied, match="is not listed"):
                await one.ask(request("struck"))
            assert await one.spent() == ZERO
        assert len(here.asks) == 1
        assert far.connections == 0


async def test_a_real_server_that_is_killed_while_it_writes_gives_way_to_the_next_model(tmp_path: Path):
    heard = Recorder()
    with running_llama_server() as (process, url):
        heard.delta = lambda text: process.kill()
        async with fault_server(lambda _: GOOD, ["b"]) as server:
            doors = (
                Door(name="a", kind="openai", url=url, local=True),
                Door(name="b", kind="openai", url=server.url, local=True),
            )
            async with house(tmp_path, *doors, first_byte_s=NEVER_LONGER_S, between_s=NEVER_LONGER_S) as one:
                answer = await one.ask(a_long_story(), heard)
    assert (answer.text, answer.model) == (GOOD_TEXT, "b:b")
    assert [(attempt.model, attempt.outcome) for attempt in answer.attempts] == [("a:a", "failed"), ("b:b", "ok")]
    assert "a:a broke off in the middle of its answer" in answer.attempts[0].reason


async def test_a_caller_who_leaves_frees_the_real_server(tmp_path: Path):
    with running_llama_server() as (_, url):
        door = Door(name="a", kind="openai", url=url, local=True)
        async with house(tmp_path, door, first_byte_s=NEVER_LONGER_S, between_s=NEVER_LONGER_S) as one:
            await leave_in_the_middle(one, a_long_story())
            async with httpx2.AsyncClient(trust_env=False) as client:
                for _ in range(100):
                    slots = (await client.get(f"{url}/slots")).json()
                    if not any(slot["is_processing"] for slot in slots):
                        return
                    await anyio.sleep(0.02)
    pytest.fail("the server went on writing")


def a_long_story() -> Request:
    return Request(prompt="Write a very long story about a river.", max_output_tokens=1_500, deadline_s=NEVER_LONGER_S,
                   preferred_model="a:a")  # fmt: skip
