"""Time to score prompts, beside the keyword rules of before, to look for secrets in them, and to judge answers."""

from __future__ import annotations

import inspect
import random
import subprocess
import sys
import timeit
from collections.abc import Callable, Sequence
from types import ModuleType

from training.keywords import keywords

from bench.cascade.questions import all_questions
from hybrid_mcp.domain import answer_counts, attempts, eligibility, learning, routing, traits
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.judging import judge
from hybrid_mcp.domain.learning import Learned, Outcome, summed
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.scorer import score, traits_of
from hybrid_mcp.domain.vendors import EMBEDDED

SIZE = 4096
REPEATS, CALLS = 20, 20
USUAL = 436
PROMPTS = 200
OUTCOMES = 300
SECRET = b"of this benchmark"
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
LARGEST_CALLS = 2
ANSWERS = (
    "word ", "\n", "(", "1,", "12 * 4 = 48\n", "`", "```\n", '"', "> x\n", "\u3072", "a;", "A) x\n", "I'm sorry ",
    "- x\n",    "1. x\n", "return json ", "\t", "x = f(a, b)\n",
)  # fmt: skip
DENSE = f"def f():\n  {'match ' * 280}\na\n\n\ndef g():\n    return 1\n"
"""What Python's parser takes longest for, of as much as it is given."""
ASKED = ("", "Write a Python function that adds.", "Return only valid JSON.", "What is 17*23?")
LOCAL = ModelSpec(provider=EMBEDDED, model="m")
SOURCES: Sequence[ModuleType] = (answer_counts, attempts, eligibility, learning, routing, traits)
GERMAN = (
    "Der Ausschuss|Die Leiterin|Unser Büro|Der Verein|Die Prüfstelle|Ein Mitglied|Das Gericht|Die Gemeinde",
    "prüfte|wünschte|änderte|genehmigte|verschob|erklärte|kürzte|übernahm",
    "den Vorschlag|die Rechnung|das Verfahren|eine Lösung|den größten Teil|die Möglichkeit|den Schlüssel|die Gebühr",
    "am Dienstag|ohne Gründe|für den Rest|nach einer Abstimmung|in fünf Tagen|wie üblich|trotz der Kosten|über Nacht",
)
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
    lines += [_side_by_side(name, prompts) for name, prompts in _varied().items()]
    worst = max(
        (
            _microseconds(lambda unit=unit: score(Request(prompt="q" + unit * (LARGEST // len(unit)))), LARGEST_CALLS),
            unit,
        )
        for unit in CRAFTED
    )
    lines.append(f"64 KB, made to keep the score busy ({worst[1]!r}): {worst[0] / 1e3:.1f} ms (target 5 ms)")
    lines.append(f"64 KB, made to keep the judge busy: {_busiest_judge_ms():.1f} ms (target 5 ms)")
    first = min(
        float(subprocess.run([sys.executable, "-c", FIRST_SCORE], capture_output=True, text=True, check=True).stdout)
        for _ in range(5)
    )
    lines.append(f"first score, which reads the word table: {first * 1e3:.1f} ms")
    return lines


def _varied() -> dict[str, list[str]]:
    """Many prompts of a kind, no two the same."""
    draw = random.Random(1)  # noqa: S311 - the same prompts each time
    questions = [question.prompt for question in all_questions()]
    source = "".join(map(inspect.getsource, SOURCES))
    starts = range(0, len(source) - SIZE, (len(source) - SIZE) // PROMPTS)
    german = [" ".join(draw.choice(words.split("|")) for words in GERMAN) for _ in range(SIZE)]
    return {
        f"{USUAL} characters of questions": [
            "\n".join(draw.sample(questions, len(questions) // 8))[:USUAL] for _ in range(PROMPTS)
        ],
        "4 KB of Python": [source[at : at + SIZE] for at in starts],
        "4 KB of German": [". ".join(draw.sample(german, 100))[:SIZE] for _ in range(PROMPTS)],
    }


def _learned(prompts: Sequence[str]) -> Learned:
    """From outcomes of prompts of the same kind."""
    seen = [Outcome(traits=traits_of(prompt, SECRET), hundredths=40, label="failed") for prompt in prompts[:OUTCOMES]]
    return Learned(secret=SECRET, sums=summed(seen))


def _side_by_side(name: str, prompts: Sequence[str]) -> str:
    """Each in turn, so that what else the machine does falls on all: of every prompt the best, then their mean."""
    learned = _learned(prompts)
    works: tuple[Callable[[Request], object], ...] = (
        score,
        lambda request: score(request, learned),
        lambda request: keywords(request.prompt),
    )
    requests = [Request(prompt=prompt) for prompt in prompts]
    best = [
        min(times)
        for times in zip(
            *[[_seconds(work, one) for work in works for one in requests] for _ in range(REPEATS)], strict=True
        )
    ]
    alone, with_learned, before = (
        sum(best[at : at + len(requests)]) / len(requests) * 1e6 for at in range(0, len(best), len(requests))
    )
    return (
        f"{name}, {len(requests)} different ones: score {alone:.0f} us, with what was learned {with_learned:.0f} us"
        f" (target 200), keyword rules {before:.0f} us; {alone / before:.1f} and {with_learned / before:.1f} times that"
    )


def _seconds(work: Callable[[Request], object], request: Request) -> float:
    started = timeit.default_timer()
    work(request)
    return timeit.default_timer() - started


def _busiest_judge_ms() -> float:
    worst = 0.0
    for unit in ANSWERS:
        filled = unit * (LARGEST // len(unit))
        for asked in ASKED:
            request = Request(prompt=asked or f"x{filled}"[:LARGEST], context="" if asked else filled)
            for text in (filled, f"```python\n{filled[:8_000]}\n```\n{filled}", f"```python\n{DENSE}\n```\n{filled}"):
                said = Completion(text=text, finish="stop", usage=None)
                best = min(timeit.repeat(lambda: judge(request, said, LOCAL, shrunk=False), number=1, repeat=REPEATS))  # noqa: B023
                worst = max(worst, best)
    return worst * 1e3


def _microseconds(work: Callable[[], object], calls: int = CALLS) -> float:
    return min(timeit.repeat(work, number=calls, repeat=10 * REPEATS)) / calls * 1e6
