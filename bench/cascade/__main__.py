"""`make bench-cascade`: how much quality the order of escalation recovers, weak local model to strong local one.

Asks both models what is not in the cache yet, 877 questions each: that takes long; `--cached` asks nobody.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import get_args

from bench.cascade.cases import ONLY_CACHED, Answered, Case, answered, cases
from bench.cascade.curves import Asked, auc, interval, quality_at, recovered
from bench.cascade.models import STRONG, WEAK, Model
from bench.cascade.questions import Part
from bench.machine import describe
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.confidence import SHARE_OF_SCORE, can_turn, floor_at, floor_of
from hybrid_mcp.domain.judging import judge
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.vendors import EMBEDDED

SPEC = ModelSpec(provider=EMBEDDED, model="smollm2")
"""Without a floor: confidence is what is measured here."""

FEWEST_PAIRS = 50
SURELY = 1_000.0
"""More than any confidence is below another."""

Order = Callable[[Answered], float]
"""How much an answer is doubted: the larger, the sooner the question goes to the other model."""


def main() -> None:
    only_cached = ONLY_CACHED in sys.argv
    print(describe())
    for model in (WEAK, STRONG):
        _print(_kinds(model, only_cached))
    for part in get_args(Part):
        _print(_told(part, answered(WEAK, part, only_cached=only_cached)))
    _print(_escalated(cases("evaluation", only_cached=only_cached)))
    _print(_thresholds(only_cached))


def _print(lines: Iterable[str]) -> None:
    print("", *lines, sep="\n")


def _kinds(model: Model, only_cached: bool) -> list[str]:
    """How many questions of each kind the model answers right."""
    parts = [answered(model, part, only_cached=only_cached) for part in ("tuning", "evaluation")]
    kinds = dict.fromkeys(one.question.kind for part in parts for one in part)
    lines = [f"| {model.name} | tuning, right | evaluation, right |", "|---|---|---|"]
    for kind in (*kinds, "all"):
        some = [[one.is_right for one in part if kind in {one.question.kind, "all"}] for part in parts]
        lines.append(" | ".join([f"| {kind}", *(f"{sum(part)} of {len(part)}" for part in some), ""]).rstrip())
    return lines


def _signs(one: Answered) -> float:
    return float(not judge(Request(prompt=one.question.prompt), one.said.completion, SPEC, shrunk=False).good)


def _doubts(one: Answered) -> float:
    return max(_signs(one), float(one.is_rejected))


ORDERS: dict[str, Order] = {
    "the score before the call": lambda one: one.score,
    "mean log-probability": lambda one: -fmean(one.said.logprobs),
    "confidence": lambda one: -one.confidence,
    "other answers that disagree": lambda one: -(one.agreed or 0.0),
    "the judge's signs": _signs,
    "the judge: its signs, then confidence": lambda one: SURELY * _signs(one) - one.confidence,
    "the judge with a second look": lambda one: SURELY * _signs(one) - one.confirmed,
    "both: the judge with a second look, and the score": lambda one: (
        SURELY * _signs(one) + SHARE_OF_SCORE * one.score - one.confirmed
    ),
    "the stronger model's opinion": lambda one: one.confidence - one.supported,
    "the judge with the stronger model's opinion": lambda one: SURELY * _doubts(one) - one.supported,
    "both: the judge with the stronger model's opinion, and the score": lambda one: (
        SURELY * _doubts(one) + SHARE_OF_SCORE * one.score - one.supported
    ),
}
"""Those called `both` as the program does: a sign is a doubt, and the threshold of confidence rises with the score."""


def _told(part: Part, some: Sequence[Answered]) -> list[str]:
    """How well each order tells the weak model's wrong answers from its right ones."""
    lines = [f"| {part}: {len(some)} weak answers, told wrong from right by | AUC | 95 % |", "|---|---|---|"]
    for name, order in ORDERS.items():
        rows = [Asked(order(one), one.is_right, True) for one in some]
        low, high = interval(auc, rows)
        lines.append(f"| {name} | {auc(rows):.3f} | {low:.2f} to {high:.2f} |")
    return lines


def _escalated(pair: Sequence[Case]) -> list[str]:
    """What each order recovers of the strong model's quality."""
    if len(pair) < FEWEST_PAIRS:
        return [f"{len(pair)} questions of the evaluation set answered by both: too few to say what is recovered"]
    lines = [
        f"| {len(pair)} questions, escalated by | area | normalised | 95 % | right with 25 % escalated | 50 % | 75 % |",
        "|---|---|---|---|---|---|---|",
    ]
    oracle: dict[str, Order] = {"oracle": lambda one: not one.is_right}
    for name, order in (ORDERS | oracle).items():
        rows = [Asked(order(case.weak), case.weak.is_right, case.strong.is_right) for case in pair]
        lines.append(f"| {name} | {_figures(rows)} |")
    return lines


def _figures(rows: Sequence[Asked]) -> str:
    found, (low, high) = recovered(rows), interval(lambda drawn: recovered(drawn).normalised, rows)
    shares = " | ".join(f"{100 * quality_at(rows, share):.0f} %" for share in (0.25, 0.5, 0.75))
    return f"{found.area:.3f} | {found.normalised:.2f} | {low:.2f} to {high:.2f} | {shares}"


def _thresholds(only_cached: bool) -> list[str]:
    """What the threshold does to each model's own answers."""
    lines = ["| model | threshold | doubtful | of these wrong | of the wrong ones doubtful | right of the others |"]
    lines.append("|---|---|---|---|---|---|")
    for model in (WEAK, STRONG):
        some = answered(model, "evaluation", only_cached=only_cached)
        floor = floor_of(model.name)
        rows = [(_is_doubted(one, floor), one.is_right) for one in some]
        lines.append(f"| {model.name} | {floor} | {_precision(rows)} |")
        if model is WEAK and floor is not None:
            rows = [(bool(_doubts(one)) or one.supported < floor_at(floor, one.score), one.is_right) for one in some]
            lines.append(f"| {model.name}, with the stronger one's opinion | {floor} | {_precision(rows)} |")
    return lines


def _is_doubted(one: Answered, floor: float | None) -> bool:
    """As the program does it, where a better model may be asked."""
    if _signs(one):
        return True
    if floor is None:
        return False
    here = floor_at(floor, one.score)
    return (one.confirmed if can_turn(one.confidence, here) else one.confidence) < here


def _precision(rows: Sequence[tuple[bool, bool]]) -> str:
    doubtful = [is_right for doubted, is_right in rows if doubted]
    kept = [is_right for doubted, is_right in rows if not doubted]
    wrong, missed = doubtful.count(False), kept.count(False)
    parts = ((len(doubtful), len(rows)), (wrong, len(doubtful)), (wrong, wrong + missed), (kept.count(True), len(kept)))
    return " | ".join(f"{part} of {whole}" for part, whole in parts)


if __name__ == "__main__":
    main()
