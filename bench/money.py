"""`make bench-money`: not one cent over the cap, whatever happens, and not much left unused either.

Everything is judged by the bill that a provider keeps in a process of its own. Ends with 1 where a promise is broken.
Arguments choose some of the parts by name; without any, all of them run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from bench import big_ledger, ledger_speed
from bench.apart import Missing
from bench.biller import Tariff
from bench.kills import Killed, kill_loop
from bench.machine import describe
from bench.paid import Call
from bench.rival import REQUIREMENTS, redis, rival
from bench.stress import Load, stress
from hybrid_mcp.domain.money import Usd

CAP = Usd.limit(1)
TARIFF = Tariff(input_nanos=10, output_nanos=156_000, answer_tokens=256)
"""An answer costs 4 cents, 4 % of the cap, and its prompt next to nothing."""
TIGHT = Call(tariff=TARIFF, max_output_tokens=256)
LOOSE = Call(tariff=TARIFF, max_output_tokens=3 * 256)
PROCESSES, IN_EACH = 4, 50
CALLS = f"{PROCESSES} processes with {IN_EACH} calls each"


def _load(call: Call, at_once: int) -> Load:
    return Load(call=call, cap=CAP, processes=PROCESSES, calls=IN_EACH, at_once=at_once)


LOADS = {
    "all at once, bound = cost": _load(TIGHT, IN_EACH),
    "all at once, bound = 3 x cost": _load(LOOSE, IN_EACH),
    "one after another, bound = cost": _load(TIGHT, 1),
}
KILLED_CALL = Call(
    tariff=Tariff(input_nanos=10, output_nanos=156_000, answer_tokens=256, latency_ms=(20, 200)),
    max_output_tokens=2 * 256, deadline_s=3,
)  # fmt: skip
KILLS, KILLS_AT_LEAST = 300, 100
KILLING_S = 120.0
"""Longer than a lease of these calls lasts, so that the first ones end while the last processes are killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What to print, and the promises that were broken."""

    lines: Sequence[str]
    broken: Sequence[str] = ()


def stress_part() -> Part:
    rows: list[Sequence[object]] = []
    broken: list[str] = []
    for name, load in LOADS.items():
        with TemporaryDirectory() as folder:
            outcome = anyio.run(stress, Path(folder), load)
        used = f"{outcome.books.billed / load.cap.nanos:.3f}"
        rows.append((name, outcome.answered, outcome.refused, used, f"{outcome.seconds:.1f}"))
        broken += (f"{name}: {text}" for text in (*outcome.broken, *outcome.others))
    head = (f"hybrid-mcp, {CALLS}", "answered", "refused", "billed / cap", "seconds")
    return Part(lines=_table(head, rows), broken=broken)


def rival_part() -> Part:
    rows: list[Sequence[object]] = []
    left_out: list[str] = []
    for shared in (False, True):
        try:
            rows += [_rival_row(name, load, shared=shared) for name, load in LOADS.items() if load.call is TIGHT]
        except Missing as error:
            left_out.append(f"left out{' with Redis' if shared else ''}: {error}")
    head = (f"{REQUIREMENTS[0]}, Router, {CALLS}", "answered", "refused", "billed / cap", "one more call afterwards")
    return Part(lines=[*_table(head, rows), *left_out])


def _rival_row(name: str, load: Load, *, shared: bool) -> Sequence[object]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        found = rival(Path(folder), load, redis_port=stack.enter_context(redis()) if shared else None)
    after = ", ".join(f"{count} {end}" for end, count in found.afterwards.items())
    where = "one Redis" if shared else "each for itself"
    used = f"{found.billed / load.cap.nanos:.3f}"
    return f"{name}, {where}", found.ends["answered"], found.ends["refused"], used, after


def kills_part() -> Part:
    with TemporaryDirectory() as folder:
        killed = kill_loop(Path(folder), KILLED_CALL, kills=KILLS, workers=4, give_up_s=KILLING_S)
    rest, orphaned = killed.at_rest, Usd(killed.orphaned)
    sums = (
        f"billed {Usd(rest.billed)}, charged {Usd(rest.spent)} (charged / billed "
        f"{rest.spent / max(1, rest.billed):.2f}), reserved {Usd(rest.reserved)}"
    )
    lines = [
        f"{killed.kills} processes killed during calls in {killed.seconds:.0f} s; {killed.requests} calls billed",
        f"the cap was used up and raised {killed.caps - 1} times; {orphaned} stood reserved when the last was dead",
        f"when all leases had ended: {sums}",
    ]
    return Part(lines=lines, broken=[*killed.broken, *_too_little(killed)])


def _too_little(killed: Killed) -> list[str]:
    """What the run does not prove, in words: a process that dies before it has paid for anything shows nothing."""
    found: list[str] = []
    if killed.kills < KILLS_AT_LEAST:
        found.append(
            f"too little was proven: only {killed.kills} kills in {KILLING_S:.0f} s, {KILLS_AT_LEAST} are needed"
        )
    if killed.requests < killed.kills:
        found.append(f"too little was proven: only {killed.requests} calls billed, and {killed.kills} kills")
    return found


def speed_part() -> Part:
    return Part(lines=ledger_speed.measure())


def big_part() -> Part:
    times, broken = big_ledger.measure()
    head = (f"a ledger of {big_ledger.ENTRIES:,} entries", "p50, ms", "max, ms", "times")
    return Part(lines=_table(head, [one.row() for one in times]), broken=broken)


PARTS: dict[str, Callable[[], Part]] = {
    "stress": stress_part, "rival": rival_part, "kills": kills_part, "speed": speed_part, "big": big_part,
}  # fmt: skip


def _table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> list[str]:
    return [f"| {' | '.join(map(str, row))} |" for row in (head, ["---"] * len(head), *rows)]


def main(names: Sequence[str]) -> int:
    print(describe())
    broken: list[str] = []
    for name in names or PARTS:
        began = time.monotonic()
        part = PARTS[name]()
        print(f"\n{name} ({time.monotonic() - began:.0f} s)", *part.lines, sep="\n", flush=True)
        broken += (f"{name}: {text}" for text in part.broken)
    print("", *(f"BROKEN: {text}" for text in dict.fromkeys(broken)), sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
