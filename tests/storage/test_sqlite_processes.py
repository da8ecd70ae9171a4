from __future__ import annotations

import signal
import sys
import time
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, child, first_line, held, opened, plain, start
from tests.support_ledger import NOON, FakeClock, usd

RACE = """
import asyncio, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import BudgetExceeded
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold, usd

async def attempt(book):
    try:
        await book.reserve(hold("0.10"), Caps(month=usd("1")))
    except BudgetExceeded:
        return 0
    return 1

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    print(sum(await asyncio.gather(*(attempt(book) for _ in range(8)))))
    await book.aclose()

asyncio.run(main())
"""


@pytest.mark.parametrize("old_format", [False, True])
def test_processes_that_open_one_book_at_once_never_pass_its_cap(path: Path, *, old_format: bool) -> None:
    """They create it together, or take it over from an older format together."""
    if old_format:
        script = Path(__file__).with_name("format_1.sql").read_text("utf-8").splitlines()
        with plain(path) as connection:
            connection.executescript("\n".join(line for line in script if not line.startswith("INSERT")))
    racers = [start(RACE, path) for _ in range(3)]
    for racer in racers:
        assert first_line(racer) == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    granted = [int(racer.communicate(timeout=30)[0]) for racer in racers]
    assert sum(granted) == 10
    assert opened(path) == balance(reserved="1")


VICTIM = """
import asyncio, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold

async def main():
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    await book.reserve(hold("0.10"), Caps())
    await book.dispatch(await book.reserve(hold("0.30"), Caps()))
    print("sent", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


@pytest.mark.anyio
async def test_a_process_killed_after_it_sent_a_call_has_it_charged_when_it_is_silent_for_long(
    path: Path, clock: FakeClock
) -> None:
    victim = start(VICTIM, path)
    assert first_line(victim) == "sent\n"
    victim.kill()
    victim.communicate(timeout=30)
    async with aclosing(SqliteLedger(path, clock)) as book:
        clock.advance(59)
        assert await held(book) == balance(reserved="0.40")
        clock.advance(1)
        assert await held(book) == balance("0.30")
        assert await book.check() == []


SPENDER = """
import asyncio, os, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import BudgetExceeded
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, ended, hold, usd

async def main():
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    provider = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def spend():
        for _ in range(1000):
            try:
                reservation = await book.reserve(hold("0.01"), Caps(month=usd("1")))
            except BudgetExceeded:
                return
            await book.dispatch(reservation)
            os.write(provider, b".")
            await book.settle(reservation, ended("0.01"))

    await asyncio.gather(spend(), spend(), spend())

asyncio.run(main())
"""


def test_what_the_provider_billed_is_never_above_the_cap_or_the_book_after_kills(path: Path) -> None:
    bill = path.with_name("bill")
    bill.touch()
    for kill_at in (5, 13, 29, 47, 71):
        spender = start(SPENDER, path, bill)
        for _ in range(20_000):
            if bill.stat().st_size >= kill_at or spender.poll() is not None:
                break
            time.sleep(0.001)
        spender.kill()
        spender.communicate(timeout=30)
    last = start(SPENDER, path, bill)
    assert last.communicate(timeout=30)[0] == ""
    after = opened(path, FakeClock(NOON + timedelta(seconds=80)))
    assert usd("0.01").times(bill.stat().st_size) <= after.spent <= usd("1")
    assert bill.stat().st_size >= 71
    assert after.reserved == usd("0")


UNCLOSED = """
import asyncio, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold

book = SqliteLedger(Path(sys.argv[1]), FakeClock())
asyncio.run(book.reserve(hold("0.10"), Caps()))
print("end")
"""


def test_a_book_that_nobody_closed_does_not_keep_the_program_from_ending(path: Path) -> None:
    assert child(UNCLOSED, path) == "end\n"


INTERRUPTED = """
import asyncio, signal, sys
from contextlib import aclosing
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import ME, FakeClock, hold

# A shell has its background jobs ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def main():
    async with aclosing(SqliteLedger(Path(sys.argv[1]), FakeClock())) as book:
        await book.view(Caps(), ME)
        print("open", flush=True)
        for _ in range(100_000):
            await book.reserve(hold("0.10"), Caps())

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of another kind")
def test_an_interrupted_program_ends_quietly_in_the_middle_of_its_work(path: Path) -> None:
    program = start(INTERRUPTED, path)
    assert first_line(program) == "open\n"
    program.send_signal(signal.SIGINT)
    assert program.communicate(timeout=30)[0] == "interrupted\n"
    assert opened(path).spent == usd("0")
