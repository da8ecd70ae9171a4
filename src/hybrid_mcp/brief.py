"""An answer as a client's model reads it: whatever the profile holds, it costs little beside its text.

Where all of it does not fit, models that were left out stand together by cause, and what matters least goes first:
the reasoning, the rest of the plan, earlier attempts, small signals. `hybrid-mcp ask --json` prints all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.brevity import abridged, cost, cut, ending, few, fitting
from hybrid_mcp.domain.left_out import Group, by_cause, causes, one_by_one
from hybrid_mcp.wire import AttemptResult, CompletionResult, ExcludedModel, ScoreResult, Wire, completion_result

MOST_TOKENS = 382
"""As `cost` counts them, which is rather too many: cl100k makes less than 400 of it, also where names are random
letters, which `cost` takes to be cheaper than they are."""
ATTEMPT_TOKENS, NAME_TOKENS, SIGNALS_TOKENS = 24, 32, 30
"""The most that the reason of an attempt, its model's name, and the signals may take."""
LARGE_TOKENS = 225
LEFT_OUT_TOKENS = 40
"""Kept free for the models that were left out, so that at least the causes are told."""
REASONING_TOKENS = 20
"""Less of it is not worth telling."""
NAMES_TOKENS = (200, 80, 40, 20, 12)
"""What the names of models that are left out for one cause may take: the first of these that fits."""
OTHERS = "others"
"""The signal that stands for the small ones."""
SHORTENED = "; shortened: `hybrid-mcp ask --dry-run` shows the whole plan"
ALERTS_ELSEWHERE = "{} more: see budget_status"
_BARE: Mapping[str, Any] = {"text": "", "reasoning": None, "reason": "", "plan": [], "excluded": [], "attempts": []}

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
    grouped = once.model_copy(update={"excluded": _named(groups, NAMES_TOKENS[0])})
    fits = next((one for one in (whole, once, grouped) if _size(one) <= MOST_TOKENS), None)
    return _shortened(grouped, groups) if fits is None else fits


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
    # Only a long name with no words in it makes this large, and such a name is dearer than `cost` says.
    spare = max(0, size - LARGE_TOKENS) // 2
    room = _Room(MOST_TOKENS - size - spare - cost(SHORTENED) - kept)
    newest_first = [_short(one) for one in reversed(whole.attempts)]
    attempts = room.rows(newest_first[:1], 100)
    reason = room.text(whole.reason, 60)
    alerts = room.alerts(whole.budget.alerts, 40)
    signals = room.signals(whole.complexity.signals, 40)
    plan = room.rows(whole.plan, 0 if attempts else 50)
    room.left += kept
    excluded = room.groups(groups, 60 if len(attempts) < len(newest_first) else 100)
    attempts += room.rows(newest_first[len(attempts) :], 100)
    plan += room.rows(whole.plan[len(plan) :], 100)
    is_whole = (len(plan), len(attempts), reason) == (len(whole.plan), len(newest_first), whole.reason)
    return bare.model_copy(
        update={
            "text": whole.text, "reasoning": room.ending(whole.reasoning), "plan": plan, "excluded": excluded,
            "reason": reason if is_whole else reason + SHORTENED, "attempts": attempts[::-1],
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
        share = self._share(percent)
        rows = next((rows for most in NAMES_TOKENS if _costs(rows := _named(groups, most)) <= share), None)
        if rows is None:
            rows = _named(groups, NAMES_TOKENS[-1])
            told = len(fitting((row.to_json() for row in rows), share - _costs([_rest(groups)])))
            rows = [*rows[:told], _rest(groups[told:])]
        self.left -= _costs(rows)
        return rows

    def ending(self, reasoning: str | None) -> str | None:
        if reasoning is None or self.left < REASONING_TOKENS:
            return None
        return ending(reasoning, self.left)

    def _share(self, percent: int) -> int:
        return max(0, self.left * percent // 100)


def _named(groups: Sequence[Group], most: int) -> list[ExcludedModel]:
    return [ExcludedModel(model=few(one.models, most), reason=one.reason) for one in groups]


def _rest(groups: Sequence[Group]) -> ExcludedModel:
    models = sum(len(one.models) for one in groups)
    return ExcludedModel(model=f"{models} more", reason=f"causes: {causes(groups)}")


def _costs(rows: Sequence[Wire]) -> int:
    return sum(cost(row.to_json()) + 1 for row in rows)


def _unnamed(one: AttemptResult) -> AttemptResult:
    """Most errors of providers begin with the name that stands beside them."""
    return one.model_copy(update={"reason": one.reason.removeprefix(f"{one.model} ")})


def _short(one: AttemptResult) -> AttemptResult:
    return one.model_copy(update={"model": cut(one.model, NAME_TOKENS), "reason": cut(one.reason, ATTEMPT_TOKENS)})


def _size(result: CompletionResult) -> int:
    return cost(result.model_copy(update={"text": ""}).to_json())
