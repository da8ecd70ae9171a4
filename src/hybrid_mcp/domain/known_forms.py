"""Finds the secrets of the rule table: first what all matches of a rule hold, in C, then the rule at these places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from hybrid_mcp.domain.detector_rules import ANCHORED_RULES, RUN_LENGTH, RUN_RULES, SHAPED_RULES, SecretRule
from hybrid_mcp.domain.disguises import token_shape
from hybrid_mcp.domain.scan_work import Spot, Work

_MAX_CHARACTERS = 20_000
"""The longest secret of many lines: a PGP key with its signatures."""
_SEARCH_UNITS = 20
"""What looking for its end may cost."""

_RUN_SHAPE = bytes(97 if bytes((code,)).isalnum() else 45 if code in b"_-." else 32 for code in range(256))
_RUN = b"-" + b"a" * RUN_LENGTH
_SEPARATORS = "-_."
_MANY = 12
"""Characters a separator, below which looking for each anchor is quicker than cutting the text at the separators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchored:
    rule: SecretRule
    anchor: str

    @property
    def pattern(self) -> re.Pattern[str]:
        return _pattern(self.anchor, self.rule.rest, free=self.rule.free)


@cache
def _pattern(anchor: str, rest: str, *, free: bool) -> re.Pattern[str]:
    """Compiled when first needed: all of them would take longer than a start should."""
    literal = re.escape(anchor)
    return re.compile(f"{literal}{f'(?<![A-Za-z0-9]{literal})' if free else ''}{rest}", re.ASCII)


def _each_anchor(rules: Iterable[SecretRule]) -> Iterator[_Anchored]:
    for rule in rules:
        for anchor in rule.anchors:
            yield _Anchored(rule=rule, anchor=anchor)


def _by_tail(rules: Iterable[_Anchored]) -> dict[str, tuple[_Anchored, ...]]:
    tails: dict[str, tuple[_Anchored, ...]] = {}
    for one in rules:
        tail = one.anchor[-_TAIL:]
        tails[tail] = (*tails.get(tail, ()), one)
    return tails


def _by_anchor(rules: Iterable[_Anchored]) -> tuple[tuple[_Anchored, ...], ...]:
    anchors: dict[str, tuple[_Anchored, ...]] = {}
    for one in rules:
        anchors[one.anchor] = (*anchors.get(one.anchor, ()), one)
    return tuple(anchors.values())


_TAIL = 3
_RUNS = _by_tail(_each_anchor(RUN_RULES))
_ANCHORED = _by_anchor(one for one in _each_anchor(ANCHORED_RULES) if one.anchor[-1] not in _SEPARATORS)
_SEPARATED = {
    separator: {
        tail[:-1]: rules for tail, rules in _by_tail(_each_anchor(ANCHORED_RULES)).items() if tail[-1] == separator
    }
    for separator in _SEPARATORS
}
_SHAPED = tuple((rule, anchor.encode()) for rule in SHAPED_RULES for anchor in rule.anchors)


def known_forms(data: bytes, text: str, low: str, work: Work) -> Iterator[Spot]:
    """Secrets that their form gives away. `data` is `text` as bytes, `low` is it in lower case."""
    run_shape, shape = data.translate(_RUN_SHAPE), token_shape(data)
    work.spend(run_shape.count(_RUN) + sum(shape.count(anchor) for _, anchor in _SHAPED))
    present = _present(text, low, work)
    yield from _after_tails(run_shape, text, work)
    yield from _of_shape(shape, text, work)
    for one in present:
        pattern = one.pattern
        for found in pattern.finditer(low if one.rule.folded else text):
            yield from _checked(one.rule, found, text, work)


def _present(text: str, low: str, work: Work) -> list[_Anchored]:
    """The rules whose anchor stands in the text. What they will cost is known then, before any is tried."""
    present: list[_Anchored] = []
    for rules in (*_ANCHORED, *_ending_in_separators(text)):
        where = low if rules[0].rule.folded else text
        # A pattern finds a literal twice as fast as `in` does.
        if _pattern(rules[0].anchor, "", free=False).search(where):
            work.spend(where.count(rules[0].anchor) * sum(one.rule.weight for one in rules))
            present += rules
    return present


def _ending_in_separators(text: str) -> Iterator[tuple[_Anchored, ...]]:
    """The rules whose anchor may stand in the text: all anchors with one separator are looked for in one pass."""
    for separator, rules in _SEPARATED.items():
        if text.count(separator) * _MANY > len(text):
            present = set(rules)
        else:
            present = {piece[1 - _TAIL :] for piece in text.split(separator)} & rules.keys()
        for ending in present:
            yield from _by_anchor(rules[ending])


def _after_tails(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    place = shape.find(_RUN)
    while place >= 0:
        body = place + 1
        for one in _RUNS.get(text[max(0, body - _TAIL) : body], ()):
            found = one.pattern.match(text, max(0, body - len(one.anchor)))
            if found:
                yield from _checked(one.rule, found, text, work)
        place = shape.find(_RUN, body + RUN_LENGTH)


def _of_shape(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    for rule, anchor in _SHAPED:
        place = shape.find(anchor)
        while place >= 0:
            found = _pattern("", rule.rest, free=False).match(text, place)
            if found:
                yield from _checked(rule, found, text, work)
            place = shape.find(anchor, place + 1)


def _checked(rule: SecretRule, found: re.Match[str], text: str, work: Work) -> Iterator[Spot]:
    start, end = found.span("v") if "v" in found.re.groupindex else (found.start() - rule.behind, found.end())
    if not rule.check(text[start:end]):
        return
    if not rule.end:
        yield Spot(rule.kind, start, end)
        return
    work.spend(_SEARCH_UNITS)
    closing = re.compile(rule.end).search(text, found.start(), found.start() + _MAX_CHARACTERS)
    yield Spot(rule.kind, start, closing.end() if closing else end, exact=closing is not None)
