from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

import anyio
import pytest

from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.errors import NoRoute, ProviderUnavailable
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.read_ahead import JUDGED_BY
from tests.support_service import bench, says

pytestmark = pytest.mark.anyio
AGES = 60


@pytest.fixture(autouse=True)
def nothing_judged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, JUDGED_BY, raising=False)


async def test_what_the_judge_reads_is_read_while_the_first_answer_is_written():
    async def once_it_is_read(_call: ProviderCall, _progress: Progress) -> Completion:
        with anyio.fail_after(AGES):
            while not hasattr(sys.modules.get(JUDGED_BY), "signs"):  # noqa: ASYNC110  # an import sets no event
                await anyio.sleep(0.01)  # leaves the interpreter to the thread that reads
        return says("Paris")

    used = bench(local=["small"], small=[once_it_is_read])
    assert (await used.complete(Request(prompt="Go on"))).text == "Paris"


class Held:
    """Stands before all finders: what the judge reads is not found before it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: object = None) -> ModuleSpec | None:
        if fullname == JUDGED_BY:
            self.let_go.wait(AGES)
        return None


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held()
    monkeypatch.setattr(sys, "meta_path", [held, *sys.meta_path])
    return held


async def test_an_answer_that_came_in_time_is_kept_however_long_the_judge_reads(held: Held):
    limits: list[float] = []

    async def at_once(_call: ProviderCall, _progress: Progress) -> Completion:
        limits.append(anyio.current_effective_deadline())
        group.start_soon(let_go)
        return says("Paris")

    async def let_go() -> None:
        await anyio.sleep_until(limits[0])
        await anyio.wait_all_tasks_blocked()
        held.let_go.set()

    used = bench(local=["small"], small=[at_once])
    async with anyio.create_task_group() as group:
        await used.complete(Request(prompt="Go on", deadline_s=1))
    (answer,) = used.notes.answers
    assert (answer.text, [one.outcome for one in answer.attempts]) == ("Paris", ["ok"])


async def test_a_call_that_gets_no_answer_in_time_does_not_wait_for_the_judge(held: Held):
    async def never(_call: ProviderCall, _progress: Progress) -> Completion:
        await anyio.sleep_forever()
        raise AssertionError

    used = bench(local=["small"], small=[never])
    with anyio.fail_after(AGES / 2), pytest.raises(NoRoute, match="no answer within"):
        await used.complete(Request(prompt="Go on", deadline_s=0.05))
    held.let_go.set()


async def test_a_first_call_that_fails_says_what_failed():
    used = bench(local=["small", "large"], small=[ProviderUnavailable("refused", billed=False)], large=[says("Paris")])
    answer = await used.complete(Request(prompt="Go on"))
    assert [(one.outcome, one.reason) for one in answer.attempts] == [("failed", "refused"), ("ok", "")]
