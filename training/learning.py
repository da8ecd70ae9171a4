"""`python -m training.learning DATA_FOLDER`: the tables of docs/learning.md, by the program's own code.

A stream of outcomes in random order teaches a score that never saw the set; then the rest of the set is routed by it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_mcp.domain.learning import Label, Learned, Outcome, summed
from hybrid_mcp.domain.learning_quality import ranked
from hybrid_mcp.domain.scorer import traits_of
from hybrid_mcp.domain.traits import Traits
from training.data import RoutingSet
from training.evaluate import LEAST_GAP, as_shipped
from training.held_out import Trial, held_out, look
from training.metrics import Floats, interval, routing
from training.train import calibration

SEEDS, MOST_PAIRS, DRAWS = 5, 2, 40
STREAM = 1_500
MOST_OF_SET = 0.8
"""Of a small set so much at the most is learned from, and the rest is judged."""
FLIPPED = 0.2
SECRET = bytes(16)
LEAST_PART = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Prompts of one kind with the score that never saw them. `chosen`: the learning was tuned on them."""

    name: str
    data: RoutingSet
    hundredths: Floats
    traits: list[Traits]
    chosen: bool

    def only(self, rows: NDArray[np.bool_], name: str) -> Stream:
        index = np.flatnonzero(rows)
        return Stream(
            name=name, data=self.data.only(rows, name), hundredths=self.hundredths[index],
            traits=[self.traits[row] for row in index], chosen=self.chosen,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One seed and pair: APGR of the rest with the score alone, learned, and learned from labels of which some are
    wrong; how often a failure is ranked above a success, before and after."""

    before: float
    after: float
    flipped: float
    ranked_before: float
    ranked_after: float
    low: float
    high: float


def streams(trials: Sequence[Trial], slope: float, offset: float) -> Iterator[Stream]:
    for trial in trials:
        if trial.name in {"mmlu by subject", "math_l5"}:
            continue
        whole = Stream(
            name=trial.name, data=trial.data, hundredths=as_shipped(trial, slope, offset),
            traits=[traits_of(prompt, SECRET) for prompt in trial.data.prompts],
            chosen=trial.name in {"mmlu_pro", "crux", "bfcl", "routerbench"},
        )  # fmt: skip
        parts = np.array(trial.data.parts)
        yield whole
        if trial.name == "mix14":
            yield whole.only(np.isin(parts, ("gsm8k", "math")), "mix14: gsm8k and math")
        if trial.name == "mmlu_pro":
            for part in sorted(set(parts)):
                if (parts == part).sum() >= LEAST_PART:
                    yield whole.only(parts == part, f"mmlu_pro: {part}")


def results(stream: Stream) -> list[Result]:
    """For each seed and each pair of models whose quality differs."""
    pairs = [(weak, strong) for weak, strong in stream.data.pairs.values() if strong.mean() - weak.mean() >= LEAST_GAP]
    return [_result(stream, weak, strong, seed) for seed in range(SEEDS) for weak, strong in pairs[:MOST_PAIRS]]


def _result(stream: Stream, weak: Floats, strong: Floats, seed: int) -> Result:
    dice = np.random.default_rng(seed)
    order = dice.permutation(len(weak))
    count = min(STREAM, int(len(weak) * MOST_OF_SET))
    learn, rest = order[:count], order[count:]
    failed = weak < 0.5
    scores = _scores(stream, learn, failed, rest)
    noisy = _scores(stream, learn, failed ^ (dice.random(len(weak)) < FLIPPED), rest)
    plain = stream.hundredths[rest]
    low, high = interval(scores, weak[rest], strong[rest], draws=DRAWS, seed=seed)
    return Result(
        before=routing(plain, weak[rest], strong[rest])[0], after=routing(scores, weak[rest], strong[rest])[0],
        flipped=routing(noisy, weak[rest], strong[rest])[0], low=low, high=high,
        ranked_before=_ranked(plain, failed[rest]), ranked_after=_ranked(scores, failed[rest]),
    )  # fmt: skip


def _scores(stream: Stream, learn: NDArray[np.int_], failed: NDArray[np.bool_], rest: NDArray[np.int_]) -> Floats:
    labels: dict[bool, Label] = {True: "failed", False: "held"}
    outcomes = (
        Outcome(traits=stream.traits[row], hundredths=int(stream.hundredths[row]), label=labels[bool(failed[row])])
        for row in learn
    )
    learned = Learned(secret=SECRET, sums=summed(outcomes))
    return np.clip([stream.hundredths[row] + learned.shift(stream.traits[row]) for row in rest], 0, 100)


def _ranked(scores: Floats, failed: NDArray[np.bool_]) -> float:
    return ranked([(int(score), bool(bad)) for score, bad in zip(scores, failed, strict=True)]) or 0.5


def line(stream: Stream, found: Sequence[Result]) -> str:
    count = min(STREAM, int(len(stream.traits) * MOST_OF_SET))
    by_seed = np.array([one.after for one in found]).reshape(SEEDS, -1).mean(axis=1)
    mean = {name: float(np.mean([getattr(one, name) for one in found])) for name in Result.__dataclass_fields__}
    return (
        f"| {stream.name}{' *' if stream.chosen else ''} | {count} | {len(stream.traits) - count} | {mean['before']:.3f} |"
        f" {mean['after']:.3f} ± {by_seed.std(ddof=1):.3f} | {mean['low']:.3f} to {mean['high']:.3f} |"
        f" {mean['flipped']:.3f} | {mean['ranked_before']:.3f} | {mean['ranked_after']:.3f} |"
    )


def main() -> None:
    trials = held_out(look(Path(sys.argv[1])))
    slope, offset = calibration(trials)
    print("| set | outcomes | judged | score alone | learned | 95 % | 20 % flipped | ranked, alone | ranked, learned |")
    print("|---|---|---|---|---|---|---|---|---|")
    for stream in streams(trials, slope, offset):
        print(line(stream, results(stream)), flush=True)


if __name__ == "__main__":
    main()
