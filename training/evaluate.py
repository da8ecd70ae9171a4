"""`python -m training.evaluate DATA_FOLDER`: the tables of docs/scorer.md, each set scored by weights that never saw it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.scorer import score
from training.data import RoutingSet
from training.held_out import Trial, hashed, held_out, look
from training.heuristics import heuristic_a, heuristic_b
from training.keywords import keywords
from training.metrics import interval, routing
from training.model import Floats
from training.train import CLOSED_BOOK, calibration

RULES = ("complex_words", "debugging_words", "redesign_words", "code_block", "over_8000_tokens")
KINDS = Path(__file__).parent / "kinds.tsv"
LEAST_GAP = 0.05
"""Pairs whose strong model is hardly better than the weak one measure noise."""


def pairs_of(data: RoutingSet) -> list[tuple[Floats, Floats]]:
    return [(weak, strong) for weak, strong in data.pairs.values() if strong.mean() - weak.mean() >= LEAST_GAP]


def measured(scores: Sequence[float] | Floats, data: RoutingSet) -> Floats:
    """APGR, CPT(50), CPT(80), each the mean over the set's pairs."""
    return np.mean([routing(scores, weak, strong) for weak, strong in pairs_of(data)], axis=0)


def bounds(scores: Sequence[float] | Floats, data: RoutingSet) -> tuple[float, float]:
    """The interval of the mean over the set's pairs, the same prompts drawn for each."""
    low, high = np.mean([interval(scores, weak, strong) for weak, strong in pairs_of(data)], axis=0)
    return float(low), float(high)


def rules(prompt: str) -> int:
    signals = score(Request(prompt=prompt)).signals
    return sum(signals.get(name, 0) for name in RULES)


def as_shipped(trial: Trial, slope: float, offset: float) -> Floats:
    """Whole hundredths from 0 to 100, as the program says them, but with held-out weights."""
    learned = 100 * (offset + slope * trial.scores)
    return np.clip(np.round(learned) + [rules(prompt) for prompt in trial.data.prompts], 0, 100)


def table(trials: Sequence[Trial], ngrams: Sequence[Trial], slope: float, offset: float) -> None:
    print(
        "| held out | prompts | length | heuristic A | heuristic B | keywords | n-grams | learned | 95 % | CPT(50) | CPT(80) |"
        " as shipped | perfect |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    sums: list[list[float]] = []
    for trial, plain in zip(trials, ngrams, strict=True):
        data = trial.data
        learned = measured(trial.scores, data)
        low, high = bounds(trial.scores, data)
        row = [
            measured([len(prompt) for prompt in data.prompts], data)[0],
            measured([heuristic_a(prompt) for prompt in data.prompts], data)[0],
            measured([heuristic_b(prompt) for prompt in data.prompts], data)[0],
            measured([keywords(prompt) for prompt in data.prompts], data)[0],
            measured(plain.scores, data)[0],
            learned[0],
            measured(as_shipped(trial, slope, offset), data)[0],
            routing(trial.scores, 1 - data.fails, np.ones(len(data.fails)))[0],
        ]
        if trial.name != "mmlu by subject":
            sums.append(row)
        print(
            f"| {trial.name} | {len(data.prompts)} | {' | '.join(f'{value:.3f}' for value in row[:6])} |"
            f" {low:.3f} to {high:.3f} | {learned[1]:.0f} | {learned[2]:.0f} | {row[6]:.3f} | {row[7]:.3f} |",
            flush=True,
        )
    mean = np.mean(sums, axis=0)
    print(
        f"| mean of the eight | | {' | '.join(f'{value:.3f}' for value in mean[:6])} | | | | {mean[6]:.3f} | {mean[7]:.3f} |"
    )


def reliability(trials: Sequence[Trial], slope: float, offset: float) -> None:
    kept = [trial for trial in trials if trial.name in {"mmlu", "mmlu_pro", "mix14", "math_l5", "crux"}]
    said = np.concatenate([np.clip(offset + slope * trial.scores, 0, 1) for trial in kept])
    failed = np.concatenate([trial.data.fails for trial in kept])
    weight = np.concatenate([np.full(len(trial.scores), len(trial.scores) ** -0.5) for trial in kept])
    closed = np.concatenate([np.isin(trial.data.parts, CLOSED_BOOK) for trial in kept])
    print("\n| score | prompts | failed | without closed-book questions | |\n|---|---|---|---|---|")
    error = 0.0
    for low in np.arange(0, 1, 0.1):
        rows = (said >= low) & (said < low + 0.1)
        if rows.sum() < 30:
            continue
        open_ones = rows & ~closed
        average = np.average(failed[rows], weights=weight[rows])
        error += weight[open_ones].sum() * abs(
            np.average(failed[open_ones] - said[open_ones], weights=weight[open_ones])
        )
        rest = np.average(failed[open_ones], weights=weight[open_ones])
        bar = "█" * round(rest * 20)
        print(f"| {low:.1f} to {low + 0.1:.1f} | {rows.sum()} | {average:.2f} | {rest:.2f} | `{bar:<20}` |")
    print(f"\nexpected calibration error without closed-book questions: {error / weight[~closed].sum():.3f}")


def kinds() -> None:
    """Prompts written for this check, easy and hard by their kind and not by any model's answers."""
    lines = [line.split("\t", 1) for line in KINDS.read_text(encoding="utf-8").splitlines()]
    hard = np.array([label == "hard" for label, _ in lines])
    prompts = [prompt.replace("\\n", "\n") for _, prompt in lines]
    judges: dict[str, Callable[[str], int]] = {
        "length": len,
        "keywords": keywords,
        "as shipped": lambda prompt: score(Request(prompt=prompt)).hundredths,
    }
    for name, judge in judges.items():
        values = np.array([judge(prompt) for prompt in prompts], dtype=np.float64)
        above = (values[hard][:, None] > values[~hard]).mean() + (values[hard][:, None] == values[~hard]).mean() / 2
        print(f"hard above easy, of the {len(prompts)} prompts in kinds.tsv: {name} {above:.2f}")


def main() -> None:
    sets = look(Path(sys.argv[1]))
    trials = held_out(sets)
    slope, offset = calibration(trials)
    table(trials, hashed(sets), slope, offset)
    reliability(trials, slope, offset)
    print()
    kinds()


if __name__ == "__main__":
    main()
