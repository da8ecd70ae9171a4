"""`python -m training.learning DATA_FOLDER`: the tables of docs/learning.md, by the program's own code.

A stream of outcomes in random order teaches a score that never saw the set. First table: then the rest of the set is
routed by it. Second table: every prompt is routed by what was learned from those before it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from hybrid_mcp.domain.learning import Label, Learned, Outcome, add, parts, summed
from hybrid_mcp.domain.learning_quality import ranked
from hybrid_mcp.domain.traits import MARKS, STEPS
from training.held_out import held_out, look
from training.metrics import Floats, interval, routing
from training.streams import SECRET, Pair, Stream, streams
from training.train import calibration

SEEDS, SEEDS_OF_MATHEMATICS, DRAWS = 5, 25, 40
"""The sets of mathematics are small: one order of them says little."""
STREAM = 1_500
MOST_OF_SET = 0.8
"""Of a small set so much at the most is learned from, and the rest is judged."""
FLIPPED = 0.2
RIDGE, NUMBERS_IN_RIDGE = 3.0, 0.15
FIRST, MOST_JUDGED = 0.4, 1_500
"""Of a set so much is learned from before the first prompt is judged, at the most `STREAM`; and so many are judged."""

Rows = NDArray[np.int_]
Features = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One seed and pair: APGR of the rest with the score alone; learned from the weak model's outcomes, also where some
    are wrong; from both models', also where some are wrong; by ridge regression on the same marks and numbers, told
    when the weak model fails, or how much better the strong one is; how often a failure is ranked above a success,
    before and after the weak model's outcomes."""

    before: float
    local: float
    local_flipped: float
    both: float
    low: float
    high: float
    both_flipped: float
    ridge_fails: float
    ridge_gain: float
    ranked_before: float
    ranked_after: float


def results(stream: Stream) -> list[Result]:
    """For each seed and each pair of models whose quality differs."""
    features = _features(stream)
    return [_result(stream, features, pair, seed) for seed in range(_seeds(stream)) for pair in stream.compared()]


def _result(stream: Stream, features: Features, pair: Pair, seed: int) -> Result:
    weak, strong = pair
    dice = np.random.default_rng(seed)
    order = dice.permutation(len(weak))
    learn, rest = order[: _count(stream)], order[_count(stream) :]
    failed, paid_failed = weak < 0.5, strong < 0.5
    wrong, paid_wrong = dice.random((2, len(weak))) < FLIPPED

    def apgr(scores: Floats) -> float:
        return float(routing(scores, weak[rest], strong[rest])[0])

    local, both = _local(stream, learn, failed), _both(stream, learn, failed, paid_failed)
    scores = _scores(stream, rest, both.shift)
    low, high = interval(scores, weak[rest], strong[rest], draws=DRAWS, seed=seed)
    of_local = _scores(stream, rest, local.shift)
    return Result(
        before=apgr(stream.hundredths[rest]), local=apgr(of_local), both=apgr(scores), low=low, high=high,
        local_flipped=apgr(_scores(stream, rest, _local(stream, learn, failed ^ wrong).shift)),
        both_flipped=apgr(
            _scores(stream, rest, _both(stream, learn, failed ^ wrong, paid_failed ^ paid_wrong).shift)
        ),
        ridge_fails=apgr(_ridge(features, learn, 1 - weak, rest)),
        ridge_gain=apgr(_ridge(features, learn, strong - weak, rest)),
        ranked_before=_ranked(stream.hundredths[rest], failed[rest]), ranked_after=_ranked(of_local, failed[rest]),
    )  # fmt: skip


def _seeds(stream: Stream) -> int:
    return SEEDS_OF_MATHEMATICS if "gsm8k" in stream.name or "school" in stream.name else SEEDS


def _count(stream: Stream) -> int:
    return min(STREAM, int(len(stream.traits) * MOST_OF_SET))


def _outcome(stream: Stream, row: int, label: Label) -> Outcome:
    return Outcome(traits=stream.traits[row], hundredths=int(stream.hundredths[row]), label=label)


def _of_local(stream: Stream, rows: Iterable[int], failed: Flags) -> list[Outcome]:
    return [_outcome(stream, row, "failed" if failed[row] else "held") for row in rows]


def _of_paid(stream: Stream, rows: Iterable[int], failed: Flags) -> list[Outcome]:
    return [_outcome(stream, row, "paid_failed" if failed[row] else "paid_held") for row in rows]


def _local(stream: Stream, learn: Rows, failed: Flags) -> Learned:
    return Learned(secret=SECRET, sums=summed(_of_local(stream, learn, failed)))


def _both(stream: Stream, learn: Rows, failed: Flags, paid_failed: Flags) -> Learned:
    outcomes = [*_of_local(stream, learn, failed), *_of_paid(stream, learn, paid_failed)]
    return Learned(secret=SECRET, sums=summed(outcomes))


def _scores(stream: Stream, rows: Rows, shift: Callable[..., int]) -> Floats:
    known = stream.hundredths.astype(int).tolist()
    return np.array([known[row] + shift(stream.traits[row], known[row]) for row in rows], dtype=np.float64)


def _ranked(scores: Floats, failed: Flags) -> float:
    return ranked([(int(score), bool(bad)) for score, bad in zip(scores, failed, strict=True)]) or 0.5


def _features(stream: Stream) -> Features:
    """The marks in lines of length one, the numbers in standard deviations, and the score."""
    found = np.zeros((len(stream.traits), MARKS + len(stream.traits[0].numbers) + 1), dtype=np.float32)
    for row, traits in enumerate(stream.traits):
        found[row, list(traits.marks)] = max(1, len(traits.marks)) ** -0.5
        found[row, MARKS:-1] = NUMBERS_IN_RIDGE * np.array(traits.numbers) / STEPS
    found[:, -1] = NUMBERS_IN_RIDGE * stream.hundredths / 10
    return found


def _ridge(features: Features, learn: Rows, target: Floats, rest: Rows) -> Floats:
    known = features[learn]
    square = known @ known.T + RIDGE * np.eye(len(learn))
    weights: Floats = np.linalg.solve(square, target[learn] - target[learn].mean())
    found: Floats = features[rest] @ (known.T @ weights)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Prequential:
    """APGR of the prompts after the first ones: of the score alone; learned from the weak model's outcomes before each;
    from both models'; from that of the one model alone to which the score sends the prompt, one half to each."""

    before: float
    local: float
    both: float
    one: float


def prequential(stream: Stream) -> list[Prequential]:
    """For each seed and each pair of models whose quality differs."""
    return [_in_order(stream, pair, seed) for seed in range(_seeds(stream)) for pair in stream.compared()]


def _first(stream: Stream) -> int:
    return min(STREAM, int(len(stream.traits) * FIRST))


def _in_order(stream: Stream, pair: Pair, seed: int) -> Prequential:
    weak, strong = pair
    order = np.random.default_rng(seed).permutation(len(weak))[: _first(stream) + MOST_JUDGED]
    judged = order[_first(stream) :]
    failed, paid_failed = weak < 0.5, strong < 0.5

    def told(row: int, *, local: bool, paid: bool) -> list[Outcome]:
        of_local = _of_local(stream, [row] if local else [], failed)
        return of_local + _of_paid(stream, [row] if paid else [], paid_failed)

    def apgr(scores: Floats) -> float:
        return float(routing(scores[_first(stream) :], weak[judged], strong[judged])[0])

    return Prequential(
        before=apgr(stream.hundredths[order]),
        local=apgr(_learning(stream, order, lambda row, _: told(row, local=True, paid=False))),
        both=apgr(_learning(stream, order, lambda row, _: told(row, local=True, paid=True))),
        one=apgr(_learning(stream, order, lambda row, paid: told(row, local=not paid, paid=paid))),
    )


def _learning(stream: Stream, order: Rows, told: Callable[[int, bool], list[Outcome]]) -> Floats:
    """The scores in their order. `told`: the outcomes of a row, given whether its score is above the middle of those
    before."""
    sums: dict[int, tuple[int, int]] = {}
    learned = Learned(secret=SECRET, sums=sums)
    scores: list[float] = []
    for row in map(int, order):
        alone = int(stream.hundredths[row])
        score = float(alone + learned.shift(stream.traits[row], alone))
        for outcome in told(row, score > (median(scores) if scores else score)):
            add(sums, parts(outcome))
        scores.append(score)
    return np.array(scores)


def _mean(found: Sequence[Result] | Sequence[Prequential]) -> dict[str, float]:
    return {one.name: float(np.mean([getattr(each, one.name) for each in found])) for one in fields(found[0])}


def _spread(found: Sequence[Result] | Sequence[Prequential], seeds: int) -> float:
    return float(np.array([one.both for one in found]).reshape(seeds, -1).mean(axis=1).std(ddof=1))


def line(stream: Stream, found: Sequence[Result]) -> str:
    mean = _mean(found)
    return (
        f"| {_name(stream)} | {_count(stream)} | {len(stream.traits) - _count(stream)} | {mean['before']:.3f} |"
        f" {mean['local']:.3f} | {mean['both']:.3f} ± {_spread(found, _seeds(stream)):.3f} | {mean['low']:.3f} to {mean['high']:.3f} |"
        f" {mean['local_flipped']:.3f} | {mean['both_flipped']:.3f} | {mean['ridge_fails']:.3f} |"
        f" {mean['ridge_gain']:.3f} | {mean['ranked_before']:.3f} | {mean['ranked_after']:.3f} |"
    )


def prequential_line(stream: Stream, found: Sequence[Prequential]) -> str:
    mean, first = _mean(found), _first(stream)
    judged = min(MOST_JUDGED, len(stream.traits) - first)
    return (
        f"| {_name(stream)} | {first} to {first + judged} | {mean['before']:.3f} | {mean['local']:.3f} |"
        f" {mean['both']:.3f} ± {_spread(found, _seeds(stream)):.3f} | {mean['one']:.3f} |"
    )


def _name(stream: Stream) -> str:
    return f"{stream.name}{' *' if stream.chosen else ''}"


def main() -> None:
    folder = Path(sys.argv[1])
    trials = held_out(look(folder))
    found = [stream for stream in streams(trials, *calibration(trials), folder) if stream.compared()]
    print(
        "| set | outcomes | judged | score alone | weak model's | both models' | 95 % | weak's, 20 % flipped |"
        " both, 20 % flipped | ridge: fails | ridge: gain | ranked, alone | ranked, learned |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for stream in found:
        print(line(stream, results(stream)), flush=True)
    print("\n| in order | outcomes before | score alone | weak model's | both models' | the chosen model's |")
    print("|---|---|---|---|---|---|")
    for stream in found:
        if not stream.name.startswith("mmlu_pro: "):
            print(prequential_line(stream, prequential(stream)), flush=True)


if __name__ == "__main__":
    main()
