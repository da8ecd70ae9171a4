"""What a home has learned of its own models: how much more often local ones fail on such a prompt than the score says,
and how much more often better ones fail on it than elsewhere, for there paying buys less.

Nothing but sums of whole numbers: for each mark and each number of a prompt, how far outcomes were from the score, and
how much evidence that is; for each mark the same of better models. So the order in which outcomes come does not matter,
several processes may add at once, and an outcome that is taken back leaves nothing behind. A rate that few outcomes
speak for is drawn towards the score: it is the mean of a normal posterior whose prior weighs as much as `PRIOR`
outcomes.

What holds for every prompt and what sets prompts apart have bounds of their own, and both are approached and never met:
so prompts keep their order where nearly all fail, and a score stays between 0 and 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from itertools import count, repeat
from math import tanh
from typing import Literal

from hybrid_mcp.domain.scorer_features import NAMES
from hybrid_mcp.domain.traits import MARKS, STEPS, Traits, traits

Label = Literal["failed", "held", "confirmed", "both_failed", "paid_held", "paid_failed", "doubted", "accepted"]
"""A user says of a local answer that it was bad or good; of a better model's that it was good or bad after a local one
was doubted, or where there was none; the judge doubts a local answer or accepts it."""
Sums = Mapping[int, tuple[int, int]]
"""By place: how far outcomes were above the score, in thousandths, and how much they weigh, in tenths of a report."""

Local = Literal["answered", "doubted", "none"]
"""Of a call: a local model's answer was returned, or was doubted and a better model's returned, or there was none."""

REPORTS: tuple[Label, ...] = ("failed", "held", "confirmed")
"""Those that tell whether a local answer was good by the user's word."""
WEIGHTS: Mapping[Label, int] = {"failed": 10, "held": 10, "confirmed": 5, "both_failed": 3, "doubted": 3, "accepted": 3}
"""In tenths of a user's word on a local answer. A better model that failed too does not make the judge's doubt a
better one."""
PAID_FAILED: Mapping[Label, bool] = {"confirmed": False, "both_failed": True, "paid_held": False, "paid_failed": True}
"""What is said of a better model's answer."""
PAID_WEIGHT = 10
PAID_FAILS = 0.5
"""A better model is supposed to fail so often for each time that the score foretells of a local one. Measured from
there, wrong reports do less harm than measured from nothing."""
SEEN_BY_JUDGE = 0.3
"""The judge finds about so many of the bad answers, so what it accepts says little. An accepted answer counts as its
probability to be bad after that: then a judge alone moves no score up or down on average."""
PRIOR, PRIOR_OF_NUMBERS = 16.0, 30.0
"""In outcomes. Chosen, like the share below, on other sets than those that docs/learning.md tells of."""
SHARE_OF_NUMBERS = 0.1
MOST_HUNDREDTHS, HALF_AT = 40, 50
"""The score moves by at most `MOST_HUNDREDTHS`, by half as much after `HALF_AT` outcomes."""
SHARE_OF_OVERALL = 0.7
"""What holds for every prompt may take so much of that: where a model fails nearly always, the rest is what its prompts
are still told apart by. Chosen on those other sets, where more foretells better how often, and less which ones."""

OVERALL = MARKS + len(NAMES)
"""The place of what holds for every prompt; after the marks come the numbers, then this."""
PAID = OVERALL + 1
PAID_OVERALL = PAID + MARKS
"""Then the marks once more, of better models' answers, and what holds for all of these."""
PLACES = PAID_OVERALL + 1
_NOTHING = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a model's answer. `hundredths`: what the score was, without anything learned here."""

    traits: Traits
    hundredths: int
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A call that may be learned from, and what the judge said of its local answer, None where it said nothing.

    `premium`: a better model answered, and none could have been asked that is better still. `client`: who asked.
    """

    request_id: str
    client: str
    prompt: str
    hundredths: int
    local: Local
    premium: bool
    verdict: Label | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What became of a report. `outcomes`: how many are known now."""

    request_id: str
    counted: bool
    outcomes: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What one home has learned. `secret`: with which its marks are found."""

    secret: bytes
    sums: Sums = field(default_factory=dict[int, tuple[int, int]])

    @property
    def outcomes(self) -> float:
        """The evidence, in users' words."""
        return (_at(self.sums, OVERALL)[1] + _at(self.sums, PAID_OVERALL)[1]) / 10

    def shift_of(
        self, numbers: Iterable[float], spelled: Sequence[str], words: AbstractSet[str], hundredths: int
    ) -> int:
        """Hundredths to add to the score of a prompt: `numbers` its features, `spelled` its words in their order,
        `hundredths` its score as it comes."""
        return self.shift(traits(numbers, spelled, words, self.secret), hundredths) if self.sums else 0

    def shift(self, found: Traits, hundredths: int) -> int:
        overall, apart = _of_local(self.sums, found)
        return _moved(overall, apart - _of_paid(self.sums, found.marks), hundredths, limit(self.outcomes))

    def local_shift(self, found: Traits, hundredths: int) -> int:
        """The part that foretells whether a local model fails, whatever a better one can do."""
        return _moved(*_of_local(self.sums, found), hundredths, limit(_at(self.sums, OVERALL)[1] / 10))


def label_of(local: Local, *, ok: bool, premium: bool) -> Label:
    """What a user's word on a call's answer says of the models.

    Where a cheap paid model failed, a local one is taken to fail too, and a premium one might not: the score rises.
    """
    match local:
        case "answered":
            return "held" if ok else "failed"
        case "doubted":
            return "confirmed" if ok else "both_failed" if premium else "doubted"
        case "none":
            return "paid_held" if ok else "paid_failed" if premium else "doubted"


def reported(request_id: str, outcomes: int, *, enough: bool = False) -> Reported:
    """`enough`: so many reports were made lately that this one is not taken."""
    if enough:
        message = "not counted: enough reports were made in the last 24 hours"
    else:
        message = "counted, once for each request: the last report holds. The note was not kept"
    return Reported(request_id=request_id, counted=not enough, outcomes=outcomes, message=message)


def limit(outcomes: float) -> float:
    """The hundredths by which so many outcomes may move a score."""
    return MOST_HUNDREDTHS * outcomes / (outcomes + HALF_AT)


def parts(outcome: Outcome) -> dict[int, tuple[int, int]]:
    """What an outcome adds to the sums."""
    return {**_local_parts(outcome), **_paid_parts(outcome)}


def summed(outcomes: Iterable[Outcome]) -> dict[int, tuple[int, int]]:
    """The sums of these outcomes, in whatever order."""
    sums: dict[int, tuple[int, int]] = {}
    for outcome in outcomes:
        add(sums, parts(outcome))
    return sums


def add(sums: dict[int, tuple[int, int]], more: Sums, sign: int = 1) -> None:
    """Add to the sums in place; with a `sign` of -1, take away."""
    for place, (above, weight) in more.items():
        before = sums.get(place, (0, 0))
        sums[place] = before[0] + sign * above, before[1] + sign * weight


def _local_parts(outcome: Outcome) -> dict[int, tuple[int, int]]:
    weight = WEIGHTS.get(outcome.label, 0)
    if not weight:
        return {}
    above = weight * (_target(outcome.label, outcome.hundredths) - outcome.hundredths)
    found = dict.fromkeys(outcome.traits.marks, (above, weight))
    for place, number in enumerate(outcome.traits.numbers, start=MARKS):
        found[place] = above * number, weight * number * number
    found[OVERALL] = above, weight
    return found


def _paid_parts(outcome: Outcome) -> dict[int, tuple[int, int]]:
    failed = PAID_FAILED.get(outcome.label)
    if failed is None:
        return {}
    above = round(PAID_WEIGHT * (100 * failed - PAID_FAILS * outcome.hundredths))
    places = (*(PAID + mark for mark in outcome.traits.marks), PAID_OVERALL)
    return dict.fromkeys(places, (above, PAID_WEIGHT))


@cache
def _target(label: Label, hundredths: int) -> int:
    """Hundredths: how likely the local answer is bad after this."""
    match label:
        case "held":
            return 0
        case "accepted":
            bad = hundredths / 100
            return round(100 * bad * (1 - SEEN_BY_JUDGE) / (1 - bad * SEEN_BY_JUDGE))
        case _:
            return 100


def _of_local(sums: Sums, found: Traits) -> tuple[float, float]:
    """What holds for every prompt, and what sets this one apart."""
    above, weight = _at(sums, OVERALL)
    if not weight:
        return 0.0, 0.0
    overall = above / (weight + 10 * PRIOR_OF_NUMBERS)
    return overall, _of_marks(sums, found.marks, overall) + SHARE_OF_NUMBERS * _of_numbers(sums, found.numbers)


def _of_paid(sums: Sums, marks: Sequence[int]) -> float:
    """Against the mean over all prompts, so that better models' successes and failures do not move all scores at once:
    a paid answer that was good is no reason to pay more for the next one."""
    above, weight = _at(sums, PAID_OVERALL)
    return _of_marks(sums, [PAID + mark for mark in marks], above / weight) if weight else 0.0


def _of_marks(sums: Sums, places: Sequence[int], overall: float) -> float:
    """The marks' own shares. Their sum is divided by less than their number, so that weak hints add up."""
    found, prior = 0.0, 10 * PRIOR
    for above, weight in map(sums.get, places, repeat(_NOTHING)):
        if weight > 0:
            found += (above - overall * weight) / (weight + prior)
    return found / (len(places) + 3) ** 0.5


def _of_numbers(sums: Sums, numbers: Sequence[int]) -> float:
    found, prior = 0.0, 10 * PRIOR_OF_NUMBERS * STEPS * STEPS
    for number, (above, weight) in zip(numbers, map(sums.get, count(MARKS), repeat(_NOTHING)), strict=False):
        if weight > 0:
            found += above * number / (weight + prior)
    return found


def _moved(overall: float, apart: float, hundredths: int, allowed: float) -> int:
    """By how much a score of so many hundredths moves: by whole ones as far as is allowed, and not out of 0 to 100.

    Where most prompts fail, those that hold may fall further than others may rise: what is left on either side.
    """
    most = int(allowed)
    level = max(-SHARE_OF_OVERALL * most, min(SHARE_OF_OVERALL * most, overall))
    shift = level + _within(apart, most - level if apart > 0 else most + level)
    return round(_within(shift, 100 - hundredths if shift > 0 else hundredths))


def _within(value: float, room: float) -> float:
    """About the value where there is room, never as much as the room, and more for a larger value."""
    return room * tanh(value / room) if room > 0 else 0.0


def _at(sums: Sums, place: int) -> tuple[int, int]:
    """A file that was tampered with may tell of less evidence than none: that counts as none, here and above."""
    found = sums.get(place, _NOTHING)
    return found if found[1] > 0 else _NOTHING
