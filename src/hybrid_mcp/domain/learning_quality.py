"""Was it worth learning? Each outcome is foretold by what was learned from those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from hybrid_mcp.domain.learning import PAID_FAILED, REPORTS, Learned, Outcome, add, parts

_SURE = 0.02
"""No forecast is surer than that, so that one surprise is not worth all the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Of the score alone and with what was learned, over the user's reports on local models: how often a failure is put
    above a success (0.5 for chance), and the mean logarithmic loss. None where these are all of one kind.

    `paid`: the other reports, which tell only whether a better model was good.
    """

    reports: int
    paid: int
    verdicts: int
    failed: int
    ranked_before: float | None
    ranked_after: float | None
    loss_before: float | None
    loss_after: float | None


def prequential(outcomes: Sequence[Outcome]) -> Quality:
    """Judge the learning on the log, the oldest first."""
    sums: dict[int, tuple[int, int]] = {}
    learned = Learned(secret=b"", sums=sums)
    before: list[tuple[int, bool]] = []
    after: list[tuple[int, bool]] = []
    for outcome in outcomes:
        if outcome.label in REPORTS:
            failed = outcome.label != "held"
            before.append((outcome.hundredths, failed))
            after.append((outcome.hundredths + learned.local_shift(outcome.traits, outcome.hundredths), failed))
        add(sums, parts(outcome))
    paid = sum(outcome.label in PAID_FAILED and outcome.label not in REPORTS for outcome in outcomes)
    return Quality(
        reports=len(before), paid=paid, verdicts=len(outcomes) - len(before) - paid,
        failed=sum(failed for _, failed in before),
        ranked_before=ranked(before), ranked_after=ranked(after), loss_before=_loss(before), loss_after=_loss(after),
    )  # fmt: skip


def ranked(forecasts: Sequence[tuple[int, bool]]) -> float | None:
    """The share of pairs of a failure and a success in which the failure has the higher score; ties count half."""
    above = [0] * 101
    for hundredths, failed in forecasts:
        above[hundredths] += not failed
    good = sum(above)
    bad = len(forecasts) - good
    if not good or not bad:
        return None
    below = [sum(above[:place]) + above[place] / 2 for place in range(101)]
    return sum(below[hundredths] for hundredths, failed in forecasts if failed) / (good * bad)


def _loss(forecasts: Sequence[tuple[int, bool]]) -> float | None:
    if ranked(forecasts) is None:
        return None
    held = (max(_SURE, min(1 - _SURE, hundredths / 100)) for hundredths, _ in forecasts)
    chances = (said if failed else 1 - said for said, (_, failed) in zip(held, forecasts, strict=True))
    return -sum(map(log, chances)) / len(forecasts)
