from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.budget import Account, Balance, Caps, Scope
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.high_water import HighWater, missing
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.storage import sqlite_mark
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, held, opened, pay, plain, sent, spend
from tests.support_ledger import ME, FakeClock, ended, free, hold, usd

pytestmark = pytest.mark.anyio

OTHER = Account(client="client-2", project="project-2")


def copy_of(path: Path) -> Path:
    """A copy as anybody makes it: of the book alone."""
    return Path(shutil.copy(path, path.with_name("copy.db")))


def restore(copy: Path, path: Path) -> None:
    for left_over in path.parent.glob(f"{path.name}-*"):
        left_over.unlink()
    shutil.copy(copy, path)


def mark(path: Path) -> Path:
    return path.with_name("ledger.mark")


async def balances(book: SqliteLedger, account: Account = ME) -> dict[Scope, Balance]:
    """Of those scopes that outlive a process."""
    found = (await book.view(Caps(), account)).balances
    return {scope: found[scope] for scope in ("day", "month", "project")}


def all_three(spent: str) -> dict[Scope, Balance]:
    return dict.fromkeys(("day", "month", "project"), balance(spent))


# While nobody runs


async def test_an_older_copy_does_not_forget_what_was_spent_or_under_way(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        copy = copy_of(path)
        await pay(book, "0.30")
        await sent(book, "0.20")
        await book.reserve(hold("0.10"), Caps())
    restore(copy, path)
    for _ in range(3):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            assert await balances(book) == all_three("1")
            assert await book.check() == []
            assert await book.notices() == (
                (
                    "the ledger was replaced by an older copy this month: $0.60 that was known to be spent or reserved "
                    "after it was charged again, without the details"
                ),
            )
            with pytest.raises(BudgetExceeded):
                await book.reserve(hold("0.000000001"), Caps(month=usd("1")))
    clock.advance(30 * 86_400)
    async with aclosing(SqliteLedger(path, clock)) as book:
        assert await book.notices() == ()
        assert await balances(book) == all_three("0")


async def test_what_is_charged_again_stands_in_its_own_project_and_day(path: Path, clock: FakeClock) -> None:
    clock.advance(-2 * 86_400)
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        copy = copy_of(path)
        await pay(book, "0.01")
        clock.advance(86_400)
        await pay(book, "0.02")
        clock.advance(86_400)
        await pay(book, "0.04")
        other = await book.reserve(hold("0.08", account=OTHER), Caps())
        await book.dispatch(other)
    restore(copy, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == {
            "day": balance("0.12"), "month": balance("0.55"), "project": balance("0.47"),
        }  # fmt: skip
        assert (await balances(book, OTHER))["project"] == balance("0.08")


async def test_a_copy_that_is_restored_on_the_next_day_is_charged_for_the_day_before(
    path: Path, clock: FakeClock
) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        copy = copy_of(path)
        await pay(book, "0.30")
    restore(copy, path)
    clock.advance(86_400)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == {"day": balance(), "month": balance("0.70"), "project": balance("0.70")}


async def test_a_copy_of_last_month_is_charged_for_this_month(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        copy = copy_of(path)
        clock.advance(20 * 86_400)
        await pay(book, "0.30")
    restore(copy, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("0.30")


async def test_an_older_copy_can_be_restored_again_and_again(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
    copy = copy_of(path)
    for spent in ("0.50", "0.60", "0.70"):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            await pay(book, "0.10")
            assert await balances(book) == all_three(spent)
        restore(copy, path)


async def test_what_an_older_copy_holds_as_under_way_hides_nothing(path: Path, clock: FakeClock) -> None:
    """It was settled since, and its money spent again."""
    async with aclosing(SqliteLedger(path, clock)) as book:
        sent_then, reserved_then = await sent(book, "1"), await book.reserve(hold("1"), Caps())
        copy = copy_of(path)
        await book.settle(sent_then, ended("0.10"))
        await book.void(reserved_then)
        await pay(book, "1.90")
    restore(copy, path)
    for _ in range(2):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            assert await balances(book) == all_three("2")
            assert await book.check() == []
        clock.advance(100)


async def test_what_an_older_copy_holds_of_yesterday_hides_nothing_of_today(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        yesterday = await sent(book, "1", lease_s=1e6)
        copy = copy_of(path)
        await book.settle(yesterday, ended("0"))
        clock.advance(86_400)
        await pay(book, "0.90")
    restore(copy, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert (await balances(book))["day"] == balance("0.90")
        assert await book.check() == []


async def test_a_copy_from_before_the_first_entry_is_a_book_too(path: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        copy = copy_of(path)
        await book.void(await book.reserve(hold("1"), Caps()))
    restore(copy, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("0")
        await pay(book, "0.10")


async def test_two_processes_that_open_an_older_copy_at_once_charge_it_once(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        copy = copy_of(path)
        for _ in range(6):
            await pay(book, "0.05")
    restore(copy, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as first:
        reservation = await sent(first, "0.10")
        async with aclosing(await SqliteLedger.open(path, clock)) as second:
            assert await held(second) == balance("0.70", "0.10")
        await first.settle(reservation, ended("0.05"))
        assert await held(first) == balance("0.75")


async def test_the_newest_state_is_known_whichever_process_wrote_it(path: Path, clock: FakeClock) -> None:
    async with (
        aclosing(await SqliteLedger.open(path, clock)) as one,
        aclosing(await SqliteLedger.open(path, clock)) as other,
    ):
        copy = copy_of(path)
        await sent(one, "1")
        passing = await other.reserve(hold("1"), Caps())
        await one.beat()
        await other.void(passing)
        await sent(one, "1")
    restore(copy, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("2")


# Under a running process


def renamed_over(copy: Path, path: Path) -> None:
    copy.replace(path)


def copied_over(copy: Path, path: Path) -> None:
    path.write_bytes(copy.read_bytes())


def removed(_: Path, path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("replace", [renamed_over, copied_over, removed])
@pytest.mark.parametrize("step", ["reserve", "dispatch", "settle", "forfeit", "void", "record", "beat", "view"])
async def test_a_book_that_is_replaced_under_a_running_process_is_not_used_any_more(
    path: Path, book: SqliteLedger, replace: Callable[[Path, Path], None], step: str
) -> None:
    await pay(book, "0.40")
    copy = copy_of(path)
    reserved, dispatched = await book.reserve(hold("0.10"), Caps()), await sent(book, "0.20")
    replace(copy, path)
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "reserve": lambda: book.reserve(hold("0.01"), Caps()),
        "dispatch": lambda: book.dispatch(reserved),
        "settle": lambda: book.settle(dispatched, ended("0.01")),
        "forfeit": lambda: book.forfeit(dispatched, ended("0.01")),
        "void": lambda: book.void(reserved),
        "record": lambda: book.record(free(ended())),
        "beat": book.beat,
        "view": lambda: book.view(Caps(), ME),
    }
    for _ in range(2):
        with pytest.raises(StorageError) as refused:
            await steps[step]()
        assert str(refused.value) == f"the ledger {path} was replaced or removed: start the program again"


@pytest.mark.parametrize("replace", [renamed_over, copied_over])
async def test_after_that_nothing_is_forgotten_by_who_opens_it_anew(
    path: Path, clock: FakeClock, replace: Callable[[Path, Path], None]
) -> None:
    async with aclosing(SqliteLedger(path, clock)) as running:
        await pay(running, "0.40")
        copy = copy_of(path)
        await running.reserve(hold("0.10"), Caps())
        reservation = await sent(running, "0.20")
        replace(copy, path)
        async with aclosing(await SqliteLedger.open(path, clock)) as anew:
            assert await balances(anew) == all_three("0.70")
            with pytest.raises(StorageError, match=r"was replaced or removed|does not hold the reservation"):
                await running.settle(reservation, ended("0.01"))
            assert await balances(anew) == all_three("0.70")


async def test_a_process_that_was_idle_meanwhile_notices_too(path: Path, clock: FakeClock, book: SqliteLedger) -> None:
    async with aclosing(await SqliteLedger.open(path, clock)) as idle:
        await idle.beat()
        await pay(book, "0.40")
        copy = copy_of(path)
        await pay(book, "0.30")
        copied_over(copy, path)
        with pytest.raises(StorageError, match="was replaced or removed: start the program again"):
            await idle.reserve(hold("0.01"), Caps())


async def test_without_a_mark_the_number_of_entries_tells_too(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        copy = copy_of(path)
        await pay(book, "0.30")
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        gone(mark(path))
        copied_over(copy, path)
        with pytest.raises(StorageError, match="was replaced or removed: start the program again"):
            await book.reserve(hold("0.01"), Caps())


# What was corrected


async def test_a_correction_is_not_charged_again(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        before = copy_of(path)
        await book.settle(await sent(book, "0.40"), ended("30"))
        after = Path(shutil.copy(path, path.with_name("after.db")))
        await book.unblock("acme:large", usd("0.10"))
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("0.50")
        assert await book.notices() == ()
    restore(before, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("0.50")
    restore(after, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("30.40")
        await book.unblock("acme:large", usd("0.10"))
        assert await balances(book) == all_three("0.50")


# Other books


async def test_a_copy_of_another_book_is_a_book_of_its_own(path: Path, tmp_path: Path, clock: FakeClock) -> None:
    other = tmp_path / "elsewhere" / "ledger.db"
    for file, cost in ((path, "0.40"), (path, "0.30"), (other, "0.05")):
        async with aclosing(SqliteLedger(file, clock)) as book:
            await pay(book, cost)
    restore(other, path)
    for _ in range(2):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            assert await balances(book) == all_three("0.05")
            assert await book.notices() == ()


async def test_whoever_removes_the_book_begins_a_new_one(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
    removed(path, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("0")
        await pay(book, "0.05")
        copy = copy_of(path)
        await pay(book, "0.10")
    restore(copy, path)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("0.15")


# The mark itself


def gone(mark: Path) -> None:
    mark.unlink()


def torn(mark: Path) -> None:
    mark.write_text(mark.read_text("utf-8")[:40], "utf-8")


def garbage(mark: Path) -> None:
    mark.write_bytes(bytes(range(256)))


def nested(mark: Path) -> None:
    mark.write_text("[" * 100_000, "utf-8")


def of_other_types(mark: Path) -> None:
    mark.write_text(mark.read_text("utf-8").replace('"entry": ', '"entry": "9').replace(', "day"', '", "day"'), "utf-8")


def without_amounts(mark: Path) -> None:
    mark.write_text(mark.read_text("utf-8").partition('"projects"')[0] + '"projects": null}', "utf-8")


def below_nothing(mark: Path) -> None:
    mark.write_text(mark.read_text("utf-8").replace('"of_day": ', '"of_day": -'), "utf-8")


def a_list(mark: Path) -> None:
    mark.write_text("[1, 2]", "utf-8")


def a_folder(mark: Path) -> None:
    mark.unlink()
    mark.mkdir()


@pytest.mark.parametrize(
    "harm", [gone, torn, garbage, nested, of_other_types, without_amounts, below_nothing, a_list, a_folder]
)
async def test_a_mark_that_cannot_be_read_does_no_harm(
    path: Path, clock: FakeClock, harm: Callable[[Path], None]
) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
    assert sqlite_mark.read_mark(mark(path)) is not None
    harm(mark(path))
    assert sqlite_mark.read_mark(mark(path)) is None
    for spent in ("0.50", "0.60"):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            await pay(book, "0.10")
            assert await balances(book) == all_three(spent)
            assert await book.notices() == ()
    leftovers = {file.name for file in path.parent.iterdir()} - {"ledger.db", "ledger.db-journal", "ledger.mark"}
    assert leftovers == set()


async def test_a_mark_that_cannot_be_replaced_does_no_harm_beside_a_restored_copy(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
        copy = copy_of(path)
        await pay(book, "0.30")
    restore(copy, path)

    def refused(_: Path, __: Path) -> Path:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refused)
    for spent in ("0.80", "0.90"):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            await pay(book, "0.10")
            assert await balances(book) == all_three(spent)


async def test_a_mark_is_written_with_every_entry_and_only_then(path: Path, book: SqliteLedger) -> None:
    reservation = await book.reserve(hold("0.40"), Caps())
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: book.dispatch(reservation),
        lambda: book.settle(reservation, ended("0.40")),
        lambda: book.record(free(ended())),
    ]
    for step in steps:
        before = mark(path).read_bytes()
        await step()
        assert mark(path).read_bytes() != before
        for idle in (book.beat(), book.view(Caps(), ME), book.unblock("acme:large")):
            written = mark(path).stat().st_ino
            await idle
            assert mark(path).stat().st_ino == written


async def test_what_was_only_reserved_in_an_older_copy_may_have_been_paid_since(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        reservation = await book.reserve(hold("0.40"), Caps())
        copy = copy_of(path)
        await book.dispatch(reservation)
        await book.settle(reservation, ended("0.40"))
    restore(copy, path)
    clock.advance(100)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await balances(book) == all_three("0.40")


def test_a_mark_holds_no_more_than_sums(path: Path) -> None:
    spend(path, "0.40")
    with plain(path) as connection:
        (name,) = connection.execute("SELECT name FROM book").fetchone()
    assert sqlite_mark.read_mark(mark(path)) == HighWater(
        book=name, entry=3, day="2026-11-20", month="2026-11", of_day=usd("0.40").nanos,
        projects={"2026-11 project-1": usd("0.40").nanos},
    )  # fmt: skip
    assert opened(path).reserved == ZERO


SUMS = st.dictionaries(st.sampled_from(["2026-11 a", "2026-11 b", "2026-11 "]), st.integers(0, 9))


@given(of_day=st.integers(0, 9), projects=SUMS, now_of_day=st.integers(0, 9), now=SUMS)
def test_what_is_charged_again_is_enough_and_never_needed_twice(
    of_day: int, projects: dict[str, int], now_of_day: int, now: dict[str, int]
) -> None:
    high = HighWater(book="b", entry=1, day="2026-11-20", month="2026-11", of_day=of_day, projects=projects)
    found = missing(high, of_day=now_of_day, projects=now)
    assert all(one.nanos > 0 for one in found)
    assert len({(one.day, one.project) for one in found}) >= len(found) - 1
    for one in found:
        now[one.project] = now.get(one.project, 0) + one.nanos
        now_of_day += one.nanos if one.day == high.day else 0
    assert now_of_day >= of_day
    assert all(now.get(project, 0) >= held for project, held in projects.items())
    assert missing(high, of_day=now_of_day, projects=now) == ()
