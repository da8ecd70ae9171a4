"""Outcomes in a file that several processes share, on good days and bad ones."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hybrid_mcp.domain.errors import InvalidRequest, StorageError
from hybrid_mcp.domain.learning import Label, Lesson, Local, summed
from hybrid_mcp.domain.scorer import traits_of
from hybrid_mcp.storage import outcomes as module
from hybrid_mcp.storage.outcomes import MOST_A_DAY, SqliteOutcomes
from tests.support_books import fast_folder
from tests.support_ledger import FakeClock

pytestmark = pytest.mark.anyio

DAY_S = 86_400.0


@pytest.fixture
def file() -> Iterator[Path]:
    folder = fast_folder()
    yield folder / "learning.db"
    shutil.rmtree(folder)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def kept(file: Path, clock: FakeClock) -> AsyncIterator[SqliteOutcomes]:
    one = SqliteOutcomes(file, clock, busy_timeout_s=0.05)
    yield one
    await one.aclose()


def lesson(
    name: str, prompt: str = "Which tax law holds?", local: Local = "answered", verdict: Label | None = None,
    *, premium: bool = True, client: str = "c",
) -> Lesson:  # fmt: skip
    return Lesson(
        request_id=name, client=client, prompt=prompt, hundredths=40, local=local, premium=premium, verdict=verdict
    )


async def sums_of(outcomes: SqliteOutcomes) -> dict[int, tuple[int, int]]:
    known = await outcomes.learned()
    assert known is not None
    return {place: pair for place, pair in known.sums.items() if any(pair)}


async def test_nothing_is_created_before_there_is_something_to_remember(kept: SqliteOutcomes, file: Path):
    assert await kept.learned() is None
    with pytest.raises(InvalidRequest, match="no such request_id"):
        await kept.report("r1", ok=True, client="c")
    assert await kept.reset() == 0
    assert list(file.parent.iterdir()) == []


async def test_the_files_are_for_their_owner_alone_and_hold_no_word(kept: SqliteOutcomes, file: Path):
    await kept.remember(lesson("r1", "Xylophone quartets", verdict="doubted"))
    assert {each.stat().st_mode & 0o777 for each in (file, file.with_suffix(".key"))} == {0o600}
    stored = b"".join(each.read_bytes() for each in file.parent.iterdir())
    assert b"ylophone" not in stored
    assert b"quartet" not in stored


async def test_the_last_word_of_the_user_counts_once(kept: SqliteOutcomes):
    await kept.remember(lesson("r1", verdict="accepted"))
    for ok in (True, False, True, False, False):
        told = await kept.report("r1", ok=ok, client="c")
    assert (told.counted, told.outcomes) == (True, 1)
    assert [one.label for one in await kept.log()] == ["failed"]
    known = summed(await kept.log())
    assert await sums_of(kept) == {place: pair for place, pair in known.items() if any(pair)}


async def test_a_client_reports_on_what_it_asked_itself_where_it_is_not_the_owner(kept: SqliteOutcomes):
    await kept.remember(lesson("r1", client="one"))
    with pytest.raises(InvalidRequest, match="no such request_id"):
        await kept.report("r1", ok=False, client="two", own_only=True)
    assert await kept.log() == []
    assert (await kept.report("r1", ok=False, client="one", own_only=True)).counted
    assert (await kept.report("r1", ok=True, client="the owner's next session")).counted


async def test_verdicts_on_what_one_client_asks_teach_only_so_much_a_day(kept: SqliteOutcomes, clock: FakeClock):
    for number in range(MOST_A_DAY + 5):
        await kept.remember(lesson(f"r{number}", verdict="doubted", client="busy"))
    await kept.remember(lesson("other", verdict="doubted", client="calm"))
    assert len(await kept.log()) == MOST_A_DAY + 1
    clock.advance(DAY_S + 1)
    await kept.remember(lesson("later", verdict="doubted", client="busy"))
    assert len(await kept.log()) == MOST_A_DAY + 2
    assert await kept.relearn()


async def test_a_call_that_is_remembered_twice_teaches_once(kept: SqliteOutcomes):
    for _ in range(2):
        await kept.remember(lesson("r1", verdict="doubted"))
    assert await kept.relearn()


async def test_a_file_of_another_version_is_told_and_a_reset_begins_anew(kept: SqliteOutcomes, file: Path):
    await kept.remember(lesson("r1", verdict="doubted"))
    await kept.aclose()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(StorageError, match=r"another version of hybrid-mcp: `hybrid-mcp scorer reset` begins anew"):
        await kept.learned()
    await kept.reset()
    await kept.remember(lesson("r1", verdict="doubted"))
    assert len(await kept.log()) == 1


@pytest.mark.parametrize(
    ("local", "premium", "ok", "label"),
    [
        ("answered", False, True, "held"),
        ("answered", False, False, "failed"),
        ("doubted", True, True, "confirmed"),
        ("doubted", True, False, "both_failed"),
        ("doubted", False, True, "confirmed"),
        ("doubted", False, False, "doubted"),
        ("none", True, True, "paid_held"),
        ("none", True, False, "paid_failed"),
        ("none", False, True, "paid_held"),
        ("none", False, False, "doubted"),
    ],
)
async def test_a_word_counts_for_the_model_that_it_is_said_of(
    kept: SqliteOutcomes, local: Local, premium: bool, ok: bool, label: Label
):
    verdict: Label | None = "doubted" if local == "doubted" else None
    await kept.remember(lesson("r1", local=local, verdict=verdict, premium=premium))
    assert (await kept.report("r1", ok=ok, client="c")).counted
    assert [one.label for one in await kept.log()] == [label]
    assert await sums_of(kept) == {place: pair for place, pair in summed(await kept.log()).items() if any(pair)}


async def test_a_report_that_comes_after_a_week_is_refused_with_what_to_do(kept: SqliteOutcomes, clock: FakeClock):
    await kept.remember(lesson("r1"))
    clock.advance(8 * DAY_S)
    with pytest.raises(InvalidRequest, match="give that of a route_completion answer of the last 7 days"):
        await kept.report("r1", ok=True, client="c")


async def test_what_another_process_learns_is_seen_at_once(kept: SqliteOutcomes, file: Path, clock: FakeClock):
    other = SqliteOutcomes(file, clock)
    for number in range(3):
        await (kept, other)[number % 2].remember(lesson(f"r{number}", f"tax law {number}", verdict="doubted"))
        assert await sums_of(kept) == await sums_of(other)
    assert await other.reset() == 3
    assert await sums_of(kept) == {}
    await other.aclose()


async def test_the_oldest_leave_and_take_with_them_what_they_taught(
    kept: SqliteOutcomes, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    few = [(kind, 5, age) for kind, _, age in module._KINDS]  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(module, "_KINDS", tuple(few))
    for number in range(12):
        clock.advance(60)
        await kept.remember(lesson(f"r{number}", f"tax law {number}"))
        await kept.report(f"r{number}", ok=number % 2 == 0, client="c")
        await kept.remember(lesson(f"v{number}", f"poem {number}", verdict="accepted"))
    log = await kept.log()
    assert len(log) <= 11
    await kept.remember(lesson("last"))
    assert await sums_of(kept) == {place: p for place, p in summed(await kept.log()).items() if any(p)}
    clock.advance(200 * DAY_S)
    await kept.remember(lesson("much later"))
    assert await sums_of(kept) == {}


async def test_one_client_cannot_make_up_a_homes_mind_alone(
    kept: SqliteOutcomes, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MOST_A_DAY", 2)
    for name in ("r1", "r2", "r3"):
        await kept.remember(lesson(name))
    told = [await kept.report(name, ok=False, client="greedy") for name in ("r1", "r2", "r3")]
    assert [one.counted for one in told] == [True, True, False]
    assert "enough reports" in told[2].message
    assert (await kept.report("r3", ok=False, client="other")).counted
    clock.advance(DAY_S + 1)
    await kept.remember(lesson("r4"))
    assert (await kept.report("r4", ok=False, client="greedy")).counted


async def test_a_replay_mends_sums_that_are_wrong(kept: SqliteOutcomes, file: Path):
    await kept.remember(lesson("r1", verdict="doubted"))
    right = await sums_of(kept)
    assert await kept.relearn() is True
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE place SET above = above + 1000")
    assert await kept.relearn() is False
    assert await sums_of(kept) == right


@pytest.mark.parametrize("damage", ["text", "secret"])
async def test_a_broken_file_is_told_and_a_reset_begins_anew(
    kept: SqliteOutcomes, file: Path, clock: FakeClock, damage: str
):
    await kept.remember(lesson("r1", verdict="doubted"))
    await kept.aclose()
    if damage == "text":
        file.write_bytes(b"no database at all " * 100)  # noqa: ASYNC240 - a test
    else:
        file.with_suffix(".key").write_bytes(bytes(16))
    with pytest.raises(StorageError, match="`hybrid-mcp scorer reset` begins anew"):
        await kept.learned()
    assert await kept.reset() == 0
    await kept.remember(lesson("r2", verdict="doubted"))
    assert len(await kept.log()) == 1


async def test_a_file_of_another_program_is_left_as_it_is(kept: SqliteOutcomes, file: Path):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE theirs (a)")
    for work in (kept.learned(), kept.reset(), kept.remember(lesson("r1"))):
        with pytest.raises(StorageError, match="is no file of outcomes"):
            await work
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


async def test_a_link_out_of_the_home_is_refused(kept: SqliteOutcomes, file: Path, tmp_path: Path):
    file.symlink_to(tmp_path / "elsewhere")  # noqa: ASYNC240 - a test
    with pytest.raises(StorageError, match="is a link"):
        await kept.remember(lesson("r1"))
    assert not (tmp_path / "elsewhere").exists()


async def test_a_read_only_file_still_advises(kept: SqliteOutcomes, file: Path):
    await kept.remember(lesson("r1", verdict="doubted"))
    right = await sums_of(kept)
    await kept.aclose()
    file.chmod(0o400)  # noqa: ASYNC240 - a test
    assert await sums_of(kept) == right
    with pytest.raises(StorageError, match="readonly"):
        await kept.remember(lesson("r2"))


async def test_marks_are_those_of_the_prompt(kept: SqliteOutcomes, file: Path):
    await kept.remember(lesson("r1", "tax law", verdict="doubted"))
    secret = file.with_suffix(".key").read_bytes()
    assert [one.traits for one in await kept.log()] == [traits_of("tax law", secret)]


async def test_where_nothing_was_learned_there_is_nothing_to_correct_and_no_file_is_made(kept: SqliteOutcomes):
    assert await kept.relearn() is True
    assert not kept.path.exists()
