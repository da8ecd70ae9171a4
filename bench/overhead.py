"""`make bench-overhead`: what hybrid-mcp adds to a call of a provider that answers at once, beside others.

Everything is on loopback, and is measured in turn, in rounds of short slices. Ends with 1 where the ledger did not
keep its promise. Arguments choose some of the contestants by a part of their names; without any, all run.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import psutil

from bench.apart import Missing
from bench.contestants import Contestant, asking, direct, hybrid, litellm_router, portkey_gateway, trivial
from bench.instant import answering
from bench.ledger_speed import bare_transactions, on_disk
from bench.load import Load, Slice
from bench.machine import describe

AT_ONCE = (1, 10, 50)
ROUNDS = 4
SLICE_S = 2.0
MOST = 5_000
"""Calls in a slice: the instant provider must not make the run long."""
WARM_UP = Load(at_once=max(AT_ONCE), seconds=2, most=200)
LATE_S = 60.0
"""The last calls of a slice are long over by then."""
FLOOR, ALONE = "trivial tool", "openai SDK alone"
HEAD = (
    "", "at once", "p50, ms", "p99, ms", "calls/s", "CPU, ms/call", f"p50, {FLOOR} = 1", f"p50, {ALONE} = 1", "calls",
)  # fmt: skip

Slices = dict[tuple[str, int], list[Slice]]
"""By contestant and calls at once, one for each round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`rss_mib`: after all calls. `broken`: the promises that were broken, in words. `missing`: who could not come."""

    slices: Slices = field(default_factory=Slices)
    rss_mib: dict[str, float | None] = field(default_factory=dict[str, float | None])
    broken: list[str] = field(default_factory=list[str])
    missing: list[str] = field(default_factory=list[str])


async def compare(folder: Path, url: str, parts: Sequence[str]) -> Outcome:
    """All that are wanted, in turn: each of the rounds, each number of calls at once, each contestant."""
    outcome = Outcome()
    async with AsyncExitStack() as stack:
        contestants: list[Contestant] = []
        for name, open_one in _openers(folder, url).items():
            if not parts or any(part in name for part in parts):
                try:
                    contestants.append(await stack.enter_async_context(open_one()))
                except Missing as error:
                    outcome.missing.append(f"left out: {name}: {error}")
        calls = {one.name: len((await _in_time(one, WARM_UP)).latencies_s) for one in contestants}
        for _ in range(ROUNDS):
            for at_once in AT_ONCE:
                for one in contestants:
                    found = await _in_time(one, Load(at_once=at_once, seconds=SLICE_S, most=MOST))
                    outcome.slices.setdefault((one.name, at_once), []).append(found)
                    calls[one.name] += len(found.latencies_s)
        for one in contestants:
            outcome.rss_mib[one.name] = one.rss_mib()
            if one.broken is not None:
                outcome.broken.extend(f"{one.name}: {text}" for text in await one.broken(calls[one.name]))
    return outcome


def _openers(folder: Path, url: str) -> dict[str, Callable[[], AbstractAsyncContextManager[Contestant]]]:
    return {
        ALONE: lambda: direct(url),
        FLOOR: trivial,
        "smallest tool that asks": lambda: asking(url),
        "hybrid-mcp, local model": lambda: hybrid(url, folder / "local", paid=False),
        "hybrid-mcp, paid model": lambda: hybrid(url, folder / "paid", paid=True),
        "LiteLLM Router": lambda: litellm_router(url),
        "Portkey gateway": lambda: portkey_gateway(url),
    }


async def _in_time(one: Contestant, load: Load) -> Slice:
    before = one.cpu_s()
    with anyio.fail_after(load.seconds + LATE_S):
        found = await one.load(load)
    return replace(found, cpu_s=one.cpu_s() - before)


def table(outcome: Outcome) -> list[str]:
    """Percentiles of all calls of all rounds. Ratios are the medians of the ratios of each round."""
    rows: list[Sequence[object]] = [HEAD, ["---"] * len(HEAD)]
    for (name, at_once), slices in outcome.slices.items():
        all_s = sorted(latency for one in slices for latency in one.latencies_s)
        rate = statistics.median(len(one.latencies_s) / one.seconds for one in slices)
        ratios = [_ratio(slices, outcome.slices.get((floor, at_once))) for floor in (FLOOR, ALONE)]
        cpu_ms = f"{sum(one.cpu_s for one in slices) / len(all_s) * 1_000:.1f}"
        p50, p99 = (f"{all_s[int(len(all_s) * share)] * 1_000:.1f}" for share in (0.5, 0.99))
        rows.append((name, at_once, p50, p99, f"{rate:,.0f}", cpu_ms, *ratios, f"{len(all_s):,}"))
    return [f"| {' | '.join(map(str, row))} |" for row in rows]


def _ratio(slices: Sequence[Slice], floor: Sequence[Slice] | None) -> str:
    if floor is None:
        return ""
    pairs = zip(slices, floor, strict=True)
    return f"{statistics.median(_p50(one) / _p50(other) for one, other in pairs):.2f}"


def _p50(one: Slice) -> float:
    return statistics.median(one.latencies_s)


def main(parts: Sequence[str]) -> int:
    print(describe())
    print(f"others at work before it began: load {psutil.getloadavg()[0]:.1f}")
    with on_disk() as folder, answering() as url:
        print(f"the disk: {bare_transactions(folder / 'floor.db'):,.0f} bare one-row transactions of SQLite a second")
        outcome = anyio.run(compare, folder, url, parts)
    memory = (f"{name} {rss:.0f}" for name, rss in outcome.rss_mib.items() if rss is not None)
    print(*table(outcome), f"RSS after all calls, MiB: {', '.join(memory)}", *outcome.missing, sep="\n")
    print(*(f"BROKEN: {text}" for text in outcome.broken), sep="\n")
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
