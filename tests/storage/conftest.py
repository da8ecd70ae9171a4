from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.memory import MemoryLedger
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import fast_folder
from tests.support_ledger import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path() -> Iterator[Path]:
    """In a folder of its own."""
    folder = fast_folder()
    yield folder / "ledger.db"
    shutil.rmtree(folder)


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, path: Path, clock: FakeClock) -> AsyncIterator[Ledger]:
    """Each of the ledgers, which must add up at the end of each test."""
    one: Ledger = MemoryLedger(clock) if request.param == "memory" else SqliteLedger(path, clock)
    yield one
    with suppress(StorageError):
        assert await one.check() == []
    await one.aclose()


@pytest.fixture
async def book(path: Path, clock: FakeClock) -> AsyncIterator[SqliteLedger]:
    """A book on disk that is open."""
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.1)) as one:
        yield one
