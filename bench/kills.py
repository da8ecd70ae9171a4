"""Processes killed in the middle of paid calls, again and again, judged by the provider's own bill."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path

import anyio

from bench.biller import Bill, billing
from bench.paid import Call, make_home
from bench.stress import Books, read_books
from bench.worker import Work, call_once, start_worker
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.observe.clock import SystemClock
from hybrid_mcp.ports import Clock

PAUSE_S = (0.02, 0.25)
"""Between two kills, at random: from before a worker has opened the ledger to after several of its answers."""
CAP_CALLS = 40
"""The cap leaves so many calls' bounds whenever it is raised."""
LINGER = 4
"""So many kills happen while the cap is used up, before it is raised."""
LOOK_EVERY_S = 0.05
LAST_CALL_S = 60.0
"""The last call shows that the money can be used, not that the machine is fast."""
ALL_LEASES = timedelta(minutes=5)
"""A lease ends half a minute after its call's deadline at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """`caps`: how often the cap was set. `orphaned`: nano-dollars that stood reserved when the last worker was dead.

    `at_rest`: the books when all leases had ended.
    """

    kills: int
    requests: int
    caps: int
    orphaned: int
    at_rest: Books
    broken: tuple[str, ...]
    seconds: float


def kill_loop(folder: Path, call: Call, *, kills: int, workers: int, give_up_s: float, seed: int = 1) -> Killed:
    """Kill one of the workers after another until `kills` were killed or `give_up_s` is over, checking after each.

    On a slow machine there are fewer kills, but no fewer calls than kills, as far as the time allows.
    Promised: never over the cap, nothing billed that the ledger does not hold, the home opens after each kill, nothing
    stays reserved for ever, and a raised cap is used at once.
    """
    began = time.monotonic()
    with billing(folder / "bill", call.tariff) as bill:
        scene = _Scene(home=make_home(folder / "home", bill, call.tariff), bill=bill, call=call)
        with _workers(scene, workers, until=began + give_up_s) as crowd:
            while crowd.killed < kills and crowd.has_time():
                crowd.step(random.Random(f"{seed}:{crowd.killed}"))  # noqa: S311 - the same kills in every run
            crowd.kill_all()
        left = scene.check(crowd.cap, crowd.broken)
        raised = Usd(left.spent + left.reserved + 2 * call.bound)
        patient = replace(scene, call=replace(call, deadline_s=LAST_CALL_S))
        crowd.broken += anyio.run(call_once, patient.work(raised, "the last"))
        at_rest = scene.books(_Later())
        requests = len(bill.lines())
    broken = crowd.broken + at_rest.broken(raised.nanos)
    if at_rest.reserved:
        broken.append(f"{at_rest.reserved:,} stay reserved when every lease has ended")
    if at_rest.spent <= at_rest.billed:
        broken.append("no call was torn apart, so nothing was shown")
    return Killed(
        kills=crowd.killed, requests=requests, caps=crowd.caps, orphaned=left.reserved, at_rest=at_rest,
        broken=tuple(broken), seconds=time.monotonic() - began,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    home: Path
    bill: Bill
    call: Call

    def books(self, clock: Clock) -> Books:
        return anyio.run(read_books, self.home, self.bill, clock)

    def check(self, cap: Usd, broken: list[str]) -> Books:
        books = self.books(SystemClock())
        broken += books.broken(cap.nanos)
        return books

    def work(self, cap: Usd, name: str) -> Work:
        return Work(home=self.home, call=self.call, cap=cap, name=name)


class _Crowd:
    """Workers, of which each is replaced when it is killed. `cap` grows when it has been used up for a while.

    `until`: when to give up, by the monotonic clock.
    """

    def __init__(self, scene: _Scene, size: int, until: float) -> None:
        self._scene, self._size, self._until = scene, size, until
        self._names = count()
        self._workers: list[BaseProcess] = []
        self._used_up = 0
        self.broken: list[str] = []
        self.killed = 0
        self.caps = 0
        self.cap = Usd(0)
        self._raise_cap(Books(billed=0, spent=0, reserved=0))

    def step(self, chance: random.Random) -> None:
        time.sleep(chance.uniform(*PAUSE_S))
        # Some kills follow that wait for nothing: those of a cap that is used up, and the last ones.
        wanted = self.killed + LINGER + self._size
        while not self._used_up and len(self._scene.bill.lines()) <= wanted and self.has_time():
            time.sleep(LOOK_EVERY_S)
        self._kill(chance.randrange(self._size))
        self._start()
        books = self._scene.check(self.cap, self.broken)
        left = self.cap.nanos - books.spent - books.reserved
        self._used_up = self._used_up + 1 if left < self._scene.call.bound else 0
        if self._used_up > LINGER:
            self.kill_all()
            self._raise_cap(books)

    def has_time(self) -> bool:
        return time.monotonic() < self._until

    def kill_all(self) -> None:
        while self._workers:
            self._kill(0)

    def _raise_cap(self, books: Books) -> None:
        self.cap = Usd(books.spent + books.reserved + CAP_CALLS * self._scene.call.bound)
        self.caps += 1
        self._used_up = 0
        for _ in range(self._size):
            self._start()

    def _start(self) -> None:
        self._workers.append(start_worker(self._scene.work(self.cap, str(next(self._names)))))

    def _kill(self, index: int) -> None:
        worker = self._workers.pop(index)
        if not worker.is_alive():
            self.broken.append("a worker ended by itself")
        worker.kill()
        worker.join()
        worker.close()
        self.killed += 1


@contextmanager
def _workers(scene: _Scene, size: int, until: float) -> Generator[_Crowd]:
    crowd = _Crowd(scene, size, until)
    try:
        yield crowd
    finally:
        crowd.kill_all()


class _Later(SystemClock):
    """When the leases of all the dead have ended."""

    def now(self) -> datetime:
        return super().now() + ALL_LEASES
