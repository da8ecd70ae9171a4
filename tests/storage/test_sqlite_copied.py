"""A copy of the ledger together with its mark: nothing beside it remembers what it has forgotten."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from hybrid_mcp.domain.high_water import COPIED
from hybrid_mcp.storage import sqlite_mark
from hybrid_mcp.storage.file_time import UNKNOWN, made_ns
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, held, pay, plain
from tests.support_ledger import FakeClock

pytestmark = pytest.mark.anyio


async def spend(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")


def folder_restored_in_place(copy: Path, home: Path) -> None:
    shutil.copytree(copy, home, dirs_exist_ok=True)


def folder_restored_anew(copy: Path, home: Path) -> None:
    shutil.rmtree(home)
    shutil.copytree(copy, home)


@pytest.fixture
def told_when_made(path: Path) -> None:
    with path.with_name("probe").open("w") as file:
        if made_ns(file.fileno()) == UNKNOWN:
            pytest.skip("this system does not tell when a file was made")


@pytest.mark.usefixtures("told_when_made")
@pytest.mark.parametrize("restore_folder", [folder_restored_in_place, folder_restored_anew])
async def test_a_whole_folder_that_was_restored_says_that_it_cannot_know(
    path: Path, tmp_path: Path, clock: FakeClock, restore_folder: Callable[[Path, Path], None]
) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
    copy = tmp_path / "backup"
    shutil.copytree(path.parent, copy)
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.30")
    restore_folder(copy, path.parent)
    for spent in ("0.40", "0.50", "0.60"):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            assert await book.notices() == (COPIED,)
            assert await held(book) == balance(spent)
            assert await book.check() == []
            await pay(book, "0.10")
    clock.advance(30 * 86_400)
    async with aclosing(SqliteLedger(path, clock)) as book:
        assert await book.notices() == ()


@pytest.mark.usefixtures("told_when_made")
async def test_a_folder_that_is_restored_again_is_told_once(path: Path, tmp_path: Path, clock: FakeClock) -> None:
    await spend(path, clock)
    shutil.copytree(path.parent, tmp_path / "backup")
    for _ in range(2):
        folder_restored_anew(tmp_path / "backup", path.parent)
        for _ in range(2):
            async with aclosing(await SqliteLedger.open(path, clock)) as book:
                assert await book.notices() == (COPIED,)


@pytest.mark.usefixtures("told_when_made")
async def test_a_copy_of_a_copy_is_not_told_next_month(path: Path, tmp_path: Path, clock: FakeClock) -> None:
    await spend(path, clock)
    for number in range(2):
        copy = tmp_path / str(number)
        shutil.copytree(path.parent, copy)
        folder_restored_anew(copy, path.parent)
        await (await SqliteLedger.open(path, clock)).aclose()
    clock.advance(30 * 86_400)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await book.notices() == ()


@pytest.mark.usefixtures("told_when_made")
async def test_a_mark_that_cannot_be_replaced_is_told_once(
    path: Path, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spend(path, clock)
    shutil.copytree(path.parent, tmp_path / "backup")
    folder_restored_anew(tmp_path / "backup", path.parent)

    def refused(_: Path, __: Path) -> Path:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refused)
    entries: list[int] = []
    for _ in range(3):
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            assert await book.notices() == (COPIED,)
        with plain(path) as connection:
            entries.append(connection.execute("SELECT count(*) FROM entry").fetchone()[0])
    assert entries == [4, 4, 4]


def vacuumed(path: Path) -> None:
    with plain(path) as connection:
        connection.execute("VACUUM")


def with_another_journal(path: Path) -> None:
    with plain(path) as connection:
        for mode in ("WAL", "DELETE"):
            connection.execute(f"PRAGMA journal_mode = {mode}")


def moved_and_moved_back(path: Path) -> None:
    away = path.parent.with_name(f"{path.parent.name}-away")
    path.parent.rename(away)
    away.rename(path.parent)


def with_other_times_and_permissions(path: Path) -> None:
    for file in (path, path.with_name("ledger.mark")):
        os.utime(file, (1, 1))
        file.chmod(0o600)


@pytest.mark.parametrize(
    "done", [vacuumed, with_another_journal, moved_and_moved_back, with_other_times_and_permissions]
)
async def test_what_is_no_copy_is_not_told_as_one(path: Path, clock: FakeClock, done: Callable[[Path], None]) -> None:
    await spend(path, clock)
    for _ in range(2):
        done(path)
        async with aclosing(await SqliteLedger.open(path, clock)) as book:
            assert await book.notices() == ()
            await pay(book, "0.10")


async def test_where_nobody_tells_when_a_file_was_made_nothing_is_told(
    path: Path, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: int) -> int:
        return UNKNOWN

    monkeypatch.setattr(sqlite_mark, "made_ns", unknown)
    await spend(path, clock)
    shutil.copytree(path.parent, tmp_path / "backup")
    folder_restored_anew(tmp_path / "backup", path.parent)
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await book.notices() == ()
