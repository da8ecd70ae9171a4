"""Whether work takes no longer than is promised, on whatever machine: told by other work that is done beside it."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable

RUNS = 25
HOPELESS, FEWEST_RUNS = 4.0, 3
"""What takes so many times too long in a few runs is not run again; one run alone may have been disturbed."""
REFERENCE_MS = 1.2
"""What the reference takes, undisturbed, on the machine that the promises are made for (2 cores, 2026)."""
_TEXT = "The quick brown fox, 12 jumps over 3.5 lazy dogs; and so on. " * 240
_WORD = re.compile(r"[^\W\d_]+|\d+")


def takes_at_most(milliseconds: float, work: Callable[[], object]) -> bool:
    """Whether the fastest of some runs keeps to it, in this thread's own processor time.

    A machine that is slow or shared counts as much slower as it does other work of the same kind, in turn with this.
    """
    best = 1_000.0
    for run in range(RUNS):
        took = ms_of(work)
        if took < milliseconds:
            return True
        best = min(best, took / ms_of(reference) * REFERENCE_MS / milliseconds)
        if best < 1 or (best > HOPELESS and run + 1 >= FEWEST_RUNS):
            break
    return best < 1


def grows_evenly(work: Callable[[int], object], size: int, *, times: int = 4) -> bool:
    """Whether so many times the size takes less than twice as many times as long, where anything quadratic takes the
    square of it. In the fastest of some runs of both, in turn: no matter how fast the machine is.
    """
    small = large = 1_000.0
    for run in range(RUNS):
        small, large = min(small, ms_of(lambda: work(size))), min(large, ms_of(lambda: work(times * size)))
        if large < 2 * times * small and run + 1 >= FEWEST_RUNS:
            return True
    return False


def ms_of(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return (time.thread_time() - started) * 1_000


def reference() -> int:
    words = _WORD.findall(_TEXT.lower())
    return len(Counter(words)) + sum(map(len, words)) + len(" ".join(sorted(set(words))))
