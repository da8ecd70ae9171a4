"""What a home learns from its own calls, through the service."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import anyio
import pytest
from anyio.lowlevel import checkpoint

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import InvalidRequest, StorageError
from hybrid_mcp.domain.learning import Learned
from hybrid_mcp.domain.scorer import OUTCOMES, score
from hybrid_mcp.experience import Experience
from hybrid_mcp.storage.outcomes import SqliteOutcomes
from tests.support_books import fast_folder
from tests.support_ledger import FakeClock
from tests.support_outcomes import Forgetful
from tests.support_service import Notes, StillClock, bench, says

pytestmark = pytest.mark.anyio

LAW = "Compare the tax laws for the estate of case {}"


@pytest.fixture
async def outcomes() -> AsyncIterator[SqliteOutcomes]:
    folder = fast_folder()
    one = SqliteOutcomes(folder / "learning.db", FakeClock(), busy_timeout_s=0.05)
    yield one
    await one.aclose()
    shutil.rmtree(folder)


async def test_reports_of_failures_raise_the_score_for_every_face(outcomes: SqliteOutcomes):
    one = bench(local=["small"], outcomes=outcomes, small=[says("no idea")])
    for number in range(1, 26):
        answer = await one.complete(Request(prompt=LAW.format(number)))
        told = await one.service.experience.report(answer.request_id, ok=False, client="c")
        assert (told.counted, told.outcomes) == (True, number)
    asked = Request(prompt=LAW.format("Smith"))
    planned = await one.complete(Request(prompt=LAW.format("Smith"), dry_run=True))
    real = await one.complete(asked)
    assert planned.complexity == real.complexity == score(asked, await outcomes.learned())
    assert real.complexity.signals[OUTCOMES] >= 5
    assert real.complexity.unlearned == score(asked).hundredths


async def test_a_doubted_local_answer_that_was_escalated_counts_against_local_models(outcomes: SqliteOutcomes):
    one = bench(
        local=["small"], cloud=["big"], confidence=-0.5, outcomes=outcomes,
        small=[says("hm", confidence=-2.0)], big=[says("yes")],
    )  # fmt: skip
    answer = await one.complete(Request(prompt=LAW.format(1)))
    assert answer.escalated
    assert [each.label for each in await outcomes.log()] == ["doubted"]


async def test_an_accepted_answer_counts_and_a_repeated_one_from_the_cache_does_not(outcomes: SqliteOutcomes):
    one = bench(local=["small"], outcomes=outcomes, small=[says("yes")])
    await one.complete(Request(prompt=LAW.format(1)))
    cached = await one.complete(Request(prompt=LAW.format(1)))
    assert cached.cached
    assert [each.label for each in await outcomes.log()] == ["accepted"]
    with pytest.raises(InvalidRequest, match="neither cached, planned nor confidential"):
        await one.service.experience.report(cached.request_id, ok=True, client="c")


@pytest.mark.parametrize("asked", [Request(prompt="Hello", confidential=True), Request(prompt="Hello", dry_run=True)])
async def test_nothing_is_kept_of_what_is_confidential_or_only_planned(outcomes: SqliteOutcomes, asked: Request):
    one = bench(local=["small"], outcomes=outcomes, small=[says("hi")])
    await one.complete(asked)
    assert not outcomes.path.exists()


async def test_what_a_paid_model_could_not_do_either_lowers_the_score_of_its_kind(outcomes: SqliteOutcomes):
    one = bench(cloud=["big"], outcomes=outcomes, big=[says("no idea")])
    for number in range(12):
        for prompt, ok in ((LAW.format(number), False), (f"Write a poem about river {number}", True)):
            answer = await one.complete(Request(prompt=prompt, force_cloud=True))
            assert (await one.service.experience.report(answer.request_id, ok=ok, client="c")).counted
    known = await outcomes.learned()
    law, poem = (score(Request(prompt=prompt), known) for prompt in (LAW.format("Smith"), "Write a poem"))
    assert law.signals[OUTCOMES] < 0 < poem.signals[OUTCOMES]


async def test_a_cut_off_answer_teaches_nothing(outcomes: SqliteOutcomes):
    cut = bench(local=["small"], outcomes=outcomes, small=[says("and so", finish="length")])
    await cut.complete(Request(prompt=LAW.format(1)))
    assert await outcomes.log() == []


async def test_a_broken_file_fails_no_call_and_is_told_once(outcomes: SqliteOutcomes):
    outcomes.path.write_bytes(b"no database at all " * 100)
    one = bench(local=["small"], outcomes=outcomes, small=[says("yes")])
    for number in range(3):
        answer = await one.complete(Request(prompt=LAW.format(number)))
        assert answer.complexity == score(Request(prompt=LAW.format(number)))
        one.clock.seconds += 100
    [alert] = one.notes.alerts
    assert "nothing is learned now" in alert
    assert "hybrid-mcp scorer reset" in alert


async def test_a_file_that_another_program_holds_is_left_alone_for_a_minute(outcomes: SqliteOutcomes):
    one = bench(local=["small"], outcomes=outcomes, small=[says("yes")])
    await one.complete(Request(prompt=LAW.format(0)))
    with closing(sqlite3.connect(outcomes.path, isolation_level=None)) as held:
        held.execute("BEGIN EXCLUSIVE")
        await one.complete(Request(prompt=LAW.format(1)))
        held.execute("ROLLBACK")
    await one.complete(Request(prompt=LAW.format(2)))
    assert len(await outcomes.log()) == 1
    one.clock.seconds += 61
    await one.complete(Request(prompt=LAW.format(3)))
    assert len(await outcomes.log()) == 2
    assert len(one.notes.alerts) == 1


class Locked(Forgetful):
    """A file that another process holds: who looks at it waits, and then learns that."""

    def __init__(self) -> None:
        self.looked = 0

    async def learned(self) -> Learned | None:
        self.looked += 1
        await checkpoint()
        raise StorageError("locked")


async def test_of_many_calls_at_once_only_one_waits_for_outcomes_that_are_locked():
    locked = Locked()
    experience = Experience(locked, observer=Notes(), clock=StillClock())
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(experience.score, Request(prompt="Say hello"))
    assert locked.looked == 1
