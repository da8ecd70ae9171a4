"""An answer as a client's model reads it: whatever the profile holds, it costs little beside its text.

Where all of it does not fit, models that were left out stand together by cause, and what matters least goes first:
the reasoning, the rest of the plan, earlier attempts, small signals. What the caller must know stays: charges above
their bounds, what was kept from a model elsewhere, and why a preferred model is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hybrid_mcp.domain.alerts import overbilled_first
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.brevity import abridged, cost, cut, cut_inside, ending, fitting
from hybrid_mcp.domain.left_out import Group, Row, by_cause, one_by_one, rest, rows
from hybrid_mcp.wire import AttemptResult, CompletionResult, ExcludedModel, ScoreResult, Wire, completion_result

MOST_TOKENS = 387
"""As `cost` counts them, which is rather too many: cl100k makes less than 400 of it, also where names are random
letters, which `cost` takes to be cheaper than they are."""
ATTEMPT_TOKENS, SIGNALS_TOKENS = 28, 30
"""The most that the reason of an attempt, its model's name, and the signals may take."""
LARGE_TOKENS = 190
"""What the rest takes with names as they are in use."""
LEFT_OUT_TOKENS, REASON_TOKENS, LAST_ATTEMPT_TOKENS = 34, 20, 47
"""Kept free for the models that were left out, so that at least the causes are told, for why this answer, and for the
attempt that it came from."""
ROW_TOKENS = 10
"""What a model that was left out costs beside its name and reason."""
OVERBILLED_TOKENS = 46
"""The most that charges above their bounds may take together."""
REASONING_TOKENS = 20
"""Less of it is not worth telling."""
OTHERS = "others"
"""The signal that stands for the small ones."""
SHORTENED = "; shortened (`hybrid-mcp ask --json` tells all)"
ALERTS_ELSEWHERE = "{} more: see budget_status"
_BARE: Mapping[str, Any] = {"text": "", "reasoning": None, "reason": "", "plan": [], "excluded": [], "attempts": []}

# What was kept from a model elsewhere, and what the caller wished and does not get.
_STAYING = re.compile(r"preferred .+ is left out: |placeholders were sent ", re.DOTALL)

_W = TypeVar("_W", bound=Wire)


def brief_result(answer: Answer) -> CompletionResult:
    """The result of a tool. Where it does not fit, what `attempts` tells is not told once more in `reason`."""
    whole = completion_result(answer)
    whole = whole.model_copy(
        update={
            "excluded": [ExcludedModel(model=one.model, reason=one.reason) for one in one_by_one(answer.excluded)],
            "attempts": [_unnamed(one) for one in whole.attempts],
        }
    )
    groups = by_cause(answer.excluded)
    once = whole.model_copy(update={"reason": answer.gist or answer.reason})
    grouped = once.model_copy(update={"reason": once.reason + SHORTENED, "excluded": _listed(next(rows(groups)))})
    fits = next((one for one in (whole, once, grouped) if _size(one) <= MOST_TOKENS), None)
    return _shortened(once, groups) if fits is None else fits


def _shortened(whole: CompletionResult, groups: Sequence[Group]) -> CompletionResult:
    """The most important comes first and takes its share, in percent, of the room that is left."""
    bare = whole.model_copy(
        update={
            **_BARE, "complexity": ScoreResult(score=whole.complexity.score, signals={}),
            "budget": whole.budget.model_copy(update={"alerts": []}),
        }
    )  # fmt: skip
    kept = LEFT_OUT_TOKENS if groups else 0
    size = _size(bare)
    # A long name with no words in it makes this large, and such a name is dearer than `cost` says.
    spare = max(0, size - LARGE_TOKENS)
    parts = whole.reason.split("; ")
    staying = [part for part in parts if _STAYING.match(part)]
    reason = [part for part in parts if part not in staying]
    room = _Room(MOST_TOKENS - size - spare - cost(SHORTENED) - kept - REASON_TOKENS)
    charges, alerts = room.overbilled(whole.budget.alerts)
    staying = room.staying(staying, LAST_ATTEMPT_TOKENS if whole.attempts else 0)
    newest_first = [_short(one, ATTEMPT_TOKENS) for one in reversed(whole.attempts)]
    attempts = room.rows(newest_first[:1], 100) or room.rows([_short(one, 8) for one in whole.attempts[-1:]], 100)
    room.left += REASON_TOKENS
    reason = "; ".join((room.text("; ".join(reason), 60), *staying)) + SHORTENED
    alerts = [*charges, *room.alerts(alerts, 40)]
    signals = room.signals(whole.complexity.signals, 40)
    plan = room.rows(whole.plan, 0 if attempts else 50)
    room.left += kept
    excluded = room.groups(groups, 60 if len(attempts) < len(newest_first) else 100)
    attempts += room.rows(newest_first[len(attempts) :], 100)
    plan += room.rows(whole.plan[len(plan) :], 100)
    return bare.model_copy(
        update={
            "text": whole.text, "reasoning": room.ending(whole.reasoning), "plan": plan, "excluded": excluded,
            "reason": reason, "attempts": attempts[::-1],
            "complexity": ScoreResult(score=whole.complexity.score, signals=signals),
            "budget": whole.budget.model_copy(update={"alerts": alerts}),
        }
    )  # fmt: skip


@dataclass(slots=True)
class _Room:
    """The tokens that are left. `percent`: the most that one may take of them."""

    left: int

    def text(self, text: str, percent: int) -> str:
        text = abridged(text, self._share(percent))
        self.left -= cost(text)
        return text

    def overbilled(self, alerts: Sequence[str]) -> tuple[list[str], list[str]]:
        """In so few words as there is room for, but always; and the other alerts."""
        charges, others = overbilled_first(alerts, min(OVERBILLED_TOKENS, max(OVERBILLED_TOKENS // 3, self.left)))
        self.left -= sum(cost(one) + 1 for one in charges)
        return charges, others

    def staying(self, parts: Sequence[str], kept: int) -> list[str]:
        """All of them: whole, where that leaves as much as is to be kept, else the longest are cut."""
        self.left -= kept
        found: dict[str, str] = {}
        for one in sorted(parts, key=cost):
            found[one] = cut_inside(one, max(0, self.left) // (len(parts) - len(found)) - 1)
            self.left -= cost(found[one]) + 1
        self.left += kept
        return [found[one] for one in parts]

    def alerts(self, alerts: Sequence[str], percent: int) -> list[str]:
        """The first of them; for the others the tool is named that tells them too."""
        fit = fitting(alerts, self._share(percent))
        if len(fit) < len(alerts):
            fit = fitting(alerts, self._share(percent) - cost(ALERTS_ELSEWHERE) - 1)
            fit.append(ALERTS_ELSEWHERE.format(len(alerts) - len(fit)))
        self.left -= sum(cost(one) + 1 for one in fit)
        return fit

    def rows(self, rows: Sequence[_W], percent: int) -> list[_W]:
        fit = list(rows[: len(fitting((row.to_json() for row in rows), self._share(percent)))])
        self.left -= _costs(fit)
        return fit

    def signals(self, signals: Mapping[str, float], percent: int) -> dict[str, float]:
        """The largest as they are, and the sum of the others."""
        largest = sorted(signals, key=lambda name: -abs(signals[name]))
        most = min(SIGNALS_TOKENS, self._share(percent))
        kept = {f'"{name}":{signals[name]},': name for name in largest}
        names = {kept[text] for text in fitting(kept, most - cost(f'"{OTHERS}":-0.05,'))}
        found = {name: share for name, share in signals.items() if name in names}
        if len(names) < len(signals):
            found[OTHERS] = round(sum(share for name, share in signals.items() if name not in names), 2)
        self.left -= sum(cost(f'"{name}":{share},') for name, share in found.items())
        return found

    def groups(self, groups: Sequence[Group], percent: int) -> list[ExcludedModel]:
        """Models by cause: as many names as fit, and where not even all causes do, how many models more there are."""
        share, found = self._share(percent), list[ExcludedModel]()
        for found in map(_listed, rows(groups)):
            if _costs(found) <= share:
                break
        else:
            told = len(fitting((row.to_json() for row in found), share - LEFT_OUT_TOKENS))
            others = rest(groups[told:], share - _costs(found[:told]) - ROW_TOKENS)
            found = [*found[:told], *_listed([others])]
        self.left -= _costs(found)
        return found

    def ending(self, reasoning: str | None) -> str | None:
        if reasoning is None or self.left < REASONING_TOKENS:
            return None
        return ending(reasoning, self.left)

    def _share(self, percent: int) -> int:
        return max(0, self.left * percent // 100)


def _listed(found: Sequence[Row]) -> list[ExcludedModel]:
    return [ExcludedModel(model=row.models, reason=row.reason) for row in found]


def _costs(rows: Sequence[Wire]) -> int:
    return sum(cost(row.to_json()) + 1 for row in rows)


def _unnamed(one: AttemptResult) -> AttemptResult:
    """Most errors of providers begin with the name that stands beside them."""
    return one.model_copy(update={"reason": one.reason.removeprefix(f"{one.model} ")})


def _short(one: AttemptResult, most: int) -> AttemptResult:
    return one.model_copy(update={"model": cut(one.model, most), "reason": cut_inside(one.reason, most)})


def _size(result: CompletionResult) -> int:
    return cost(result.model_copy(update={"text": ""}).to_json())
