"""Time to score prompts of several sizes, beside the keyword rules of before, and to look for secrets in them."""

from __future__ import annotations

import subprocess
import sys
import timeit
from collections.abc import Callable

from training.keywords import keywords

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.scorer import score

SIZE = 4096
REPEATS, CALLS = 20, 200
SIDE_BY_SIDE = (436, 4_096, 65_536)
QUESTION = (
    "The committee read 12 proposals in 3 days, asked for two changes, and approved the rest after a vote. How many? "
)
LARGEST = 65_536
CRAFTED = (
    "x",
    "a1 ",
    "1,",
    " ",
    "\n",
    "(",
    "$",
    "\\",
    "def f(x):\n",
    "SELECT ",
    "```",
    "? ",
    "\u6570",
    "\u00e9 ",
    "import ",
)
LARGEST_CALLS = 20
FIRST_SCORE = """
import time
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.scorer import score
request = Request(prompt="What is the capital of France?")
start = time.perf_counter()
score(request)
print(time.perf_counter() - start)
"""
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
    for size in SIDE_BY_SIDE:
        prompt = (QUESTION * size)[:size]
        request = Request(prompt=prompt)
        calls = CALLS if size < LARGEST else LARGEST_CALLS
        # Each in turn, so that what else the machine does falls on both.
        pairs = [
            (
                timeit.timeit(lambda request=request: score(request), number=calls),
                timeit.timeit(lambda prompt=prompt: keywords(prompt), number=calls),
            )
            for _ in range(REPEATS)
        ]
        learned, before = (min(times) / calls * 1e6 for times in zip(*pairs, strict=True))
        lines.append(f"{size} characters: score {learned:.0f} us, keyword rules {before:.0f} us")
    worst = max(
        (
            _microseconds(lambda unit=unit: score(Request(prompt="q" + unit * (LARGEST // len(unit)))), LARGEST_CALLS),
            unit,
        )
        for unit in CRAFTED
    )
    lines.append(f"64 KB, made to keep the score busy ({worst[1]!r}): {worst[0] / 1e3:.1f} ms (target 5 ms)")
    first = min(
        float(subprocess.run([sys.executable, "-c", FIRST_SCORE], capture_output=True, text=True, check=True).stdout)
        for _ in range(5)
    )
    lines.append(f"first score, which reads the word table: {first * 1e3:.1f} ms")
    return lines


def _microseconds(work: Callable[[], object], calls: int = CALLS) -> float:
    return min(timeit.repeat(work, number=calls, repeat=REPEATS)) / calls * 1e6
