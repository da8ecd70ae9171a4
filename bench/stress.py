"""Many calls at once from several server processes on one home folder, judged by the provider's own bill."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
from mcp import Client
from mcp.types import CallToolResult, TextContent

from bench.biller import Bill, billing
from bench.paid import Call, make_home, session
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.observe.clock import SystemClock
from hybrid_mcp.ports import Clock
from hybrid_mcp.storage.sqlite import SqliteLedger

WATCH_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The bill and the ledger, in nano-dollars. The bill was read first: the ledger must hold all of it already."""

    billed: int
    spent: int
    reserved: int

    def broken(self, cap: int) -> list[str]:
        """The promises that these figures break."""
        found: list[str] = []
        if self.billed > cap:
            found.append(f"billed {self.billed:,} is over the cap of {cap:,}")
        if self.billed > self.spent + self.reserved:
            found.append(f"billed {self.billed:,}, the ledger knows of {self.spent:,} + {self.reserved:,}")
        if self.spent + self.reserved > cap:
            found.append(f"the ledger holds {self.spent:,} + {self.reserved:,}, over the cap of {cap:,}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """`calls` in each of the processes, `at_once` of them at the same time."""

    call: Call
    cap: Usd
    processes: int
    calls: int
    at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`broken`: the promises that were broken, in words. `others`: calls that ended with neither answer nor refusal."""

    answered: int
    refused: int
    others: tuple[str, ...]
    books: Books
    broken: tuple[str, ...]
    seconds: float


async def read_books(home: Path, bill: Bill, clock: Clock) -> Books:
    """The bill first, then the ledger, which is opened anew."""
    billed = bill.nanos()
    ledger = SqliteLedger(home / "ledger.db", clock)
    try:
        balance = (await ledger.report("month")).balance
    finally:
        await ledger.aclose()
    return Books(billed=billed, spent=balance.spent.nanos, reserved=balance.reserved.nanos)


async def stress(folder: Path, load: Load) -> Outcome:
    """The load on a new home folder below `folder`, until all calls have ended.

    Promised: never over the cap, nothing billed that the ledger does not hold, and at most two calls' bounds unused.
    """
    broken: list[str] = []
    with billing(folder / "bill", load.call.tariff) as bill:
        home = make_home(folder / "home", bill, load.call.tariff)
        results, seconds = await _watched(home, load, bill, broken)
        books = await read_books(home, bill, SystemClock())
    kinds = Counter(_kind(result) for result in results)
    broken += books.broken(load.cap.nanos)
    broken += _unused(books, load)
    if kinds["other"]:
        broken.append(f"{kinds['other']} calls ended with neither an answer nor a refusal for money")
    return Outcome(
        answered=kinds["answered"], refused=kinds["refused"], books=books, broken=tuple(broken), seconds=seconds,
        others=tuple(sorted({_text(result) for result in results if _kind(result) == "other"})),
    )  # fmt: skip


def _unused(books: Books, load: Load) -> list[str]:
    """Money that the last calls could have used, or that nobody can use any more."""
    found: list[str] = []
    if books.billed < load.cap.nanos - 2 * load.call.bound:
        found.append(f"only {books.billed:,} of {load.cap.nanos:,} were used; a call needs {load.call.bound:,} at most")
    if books.reserved:
        found.append(f"{books.reserved:,} are still reserved after the last call")
    return found


async def _watched(home: Path, load: Load, bill: Bill, broken: list[str]) -> tuple[list[CallToolResult], float]:
    """All calls and how many seconds they took, while the books are looked at again and again."""
    results: list[CallToolResult] = []
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(session(home, load.cap)) for _ in range(load.processes)]
        began = ended = anyio.current_time()
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, home, bill, load.cap, broken)
            results += await _made(clients, load)
            ended = anyio.current_time()
            group.cancel_scope.cancel()
    return results, ended - began


async def _made(clients: list[Client], load: Load) -> list[CallToolResult]:
    results: list[CallToolResult] = []

    async def one(client: Client, limiter: anyio.CapacityLimiter, prompt: str) -> None:
        asked = {
            "prompt": prompt, "force_cloud": True, "max_output_tokens": load.call.max_output_tokens,
            "deadline_s": load.call.deadline_s,
        }  # fmt: skip
        async with limiter:
            results.append(await client.call_tool("route_completion", asked))

    async with anyio.create_task_group() as group:
        for process, client in enumerate(clients):
            limiter = anyio.CapacityLimiter(load.at_once)
            for number in range(load.calls):
                group.start_soon(one, client, limiter, f"Question {number} of process {process}")
    return results


async def _watch(home: Path, bill: Bill, cap: Usd, broken: list[str]) -> None:
    while True:
        await anyio.sleep(WATCH_EVERY_S)
        broken += (await read_books(home, bill, SystemClock())).broken(cap.nanos)


def _kind(result: CallToolResult) -> str:
    if not result.is_error:
        return "answered"
    return "refused" if "budget" in _text(result) else "other"


def _text(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, TextContent))
