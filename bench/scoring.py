"""Time to score one prompt of 4 KB, and to look for secrets in it."""

from __future__ import annotations

import timeit
from collections.abc import Callable

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.scorer import score

SIZE = 4096
REPEATS, CALLS = 20, 200
TEXTS = {
    "English prose": "The committee reviewed the proposal, asked for two changes and approved the rest of it. ",
    "Python": "def total(items: list[int]) -> int:\n    return sum(item * 2 for item in items if item > 0)\n\n",
    "German": "Der Ausschuss prüfte den Vorschlag, wünschte Änderungen und stimmte für den Rest. ",
    "Chinese": "委员会审查了该提案，并批准了其余部分。",
}


def measure() -> list[str]:
    """The best of the repeats, in microseconds a call: what the work costs without what else the machine does."""
    lines: list[str] = []
    scanner = PatternScanner()
    for name, text in TEXTS.items():
        prompt = (text * SIZE)[:SIZE]
        request = Request(prompt=prompt)
        scored = _microseconds(lambda request=request: score(request))
        scanned = _microseconds(lambda request=request: scanner.scan(request))
        lines.append(f"4 KB prompt, {name}: score {scored:.0f} us (target 200), secrets {scanned:.0f} us")
    return lines


def _microseconds(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=CALLS, repeat=REPEATS)) / CALLS * 1e6
