"""Finds the secrets of the rule table: first what all matches of a rule hold, in C, then the rule at these places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from hybrid_mcp.domain.detector_rules import ANCHORED_RULES, RUN_LENGTH, RUN_RULES, SHAPED_RULES, SecretRule
from hybrid_mcp.domain.disguises import token_shape
from hybrid_mcp.domain.scan_work import Spot, Work

_MAX_CHARACTERS = 20_000
"""The longest secret of many lines: a PGP key with its signatures."""
_CHECK_UNITS = 6
"""What comparing it with words and templates costs."""
_CHARACTERS_A_UNIT = 16
_SEARCH_UNITS = 20
"""What looking for its end may cost."""

_SECRET_GROUPS = frozenset({"v", "open"})
_GOES_ON = re.compile(r"[\w+~-]|=(?![\w])|[/.](?=\w{16})")
"""What may be more of a value that is longer than a rule expects."""

_TWO_LINES = re.compile(r"([\w.+/~-]{8,200}+)\\?\r?\n[ \t]{0,16}([\w.+/~-]{4,200})")
_MAX_LINE = 200
_LONG_ANCHOR = 6
_DIGIT = re.compile("[0-9]")
_BEHIND = 40

_RUN_SHAPE = bytes(97 if bytes((code,)).isalnum() else 45 if code in b"_-." else 32 for code in range(256))
_RUN = b"-" + b"a" * RUN_LENGTH
_SEPARATORS = "-_."
_MANY = 12
"""Characters a separator, below which looking for each anchor is quicker than looking at each separator."""


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
    separator: _by_anchor(one for one in _each_anchor(ANCHORED_RULES) if one.anchor[-1] == separator)
    for separator in _SEPARATORS
}
_SHAPED = tuple((rule, anchor.encode()) for rule in SHAPED_RULES for anchor in rule.anchors)


def known_forms(data: bytes, text: str, low: str, work: Work) -> Iterator[Spot]:
    """Secrets that their form gives away. `data` is `text` as bytes, `low` is it in lower case."""
    run_shape, shape = data.translate(_RUN_SHAPE), token_shape(data)
    work.spend(run_shape.count(_RUN) + sum(shape.count(anchor) for _, anchor in _SHAPED))
    yield from _after_tails(run_shape, text, work)
    yield from _of_shape(shape, text, work)
    for rules in _ANCHORED:
        where = low if rules[0].rule.folded else text
        for place in _places(rules[0].anchor, where):
            yield from _at(place, rules, where, text, work)
    for place, rules in _ending_in_separators(text):
        yield from _at(place, rules, text, text, work)


def _at(place: int, rules: Sequence[_Anchored], where: str, text: str, work: Work) -> Iterator[Spot]:
    """What the rules that share an anchor find where it stands."""
    for one in rules:
        work.spend(1 + one.rule.weight)
        found = one.pattern.match(where, place)
        if found:
            yield from _checked(one.rule, found, text, work)
        elif where.find("\n", place, place + _MAX_LINE) > 0:
            yield from _wrapped(one, place, text, work)


def _places(anchor: str, where: str) -> Iterator[int]:
    """Where it stands. A pattern finds a short literal faster than `find` does, and a long one slower."""
    if len(anchor) < _LONG_ANCHOR:
        yield from (found.start() for found in _pattern(anchor, "", free=False).finditer(where))
        return
    place = where.find(anchor)
    while place >= 0:
        yield place
        place = where.find(anchor, place + len(anchor))


def _ending_in_separators(text: str) -> Iterator[tuple[int, tuple[_Anchored, ...]]]:
    """Where anchors stand that end in a separator: at each separator, what is before it."""
    for separator, rules in _SEPARATED.items():
        if text.count(separator) * _MANY > len(text):
            for one in rules:
                yield from ((place, one) for place in _places(one[0].anchor, text))
        else:
            for found in _before(separator).finditer(text):
                one = rules[(found.lastindex or 1) - 1]
                yield found.end() - len(one[0].anchor), one


@cache
def _before(separator: str) -> re.Pattern[str]:
    """A group for each anchor that ends in it."""
    sign = re.escape(separator)
    anchors = (re.escape(rules[0].anchor[:-1]) for rules in _SEPARATED[separator])
    return re.compile(f"{sign}(?:{'|'.join(f'(?<=({anchor}){sign})' for anchor in anchors)})")


def _after_tails(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    place = shape.find(_RUN)
    while place >= 0:
        body = place + 1
        for one in _RUNS.get(text[max(0, body - _TAIL) : body], ()):
            work.spend(1)
            start = max(0, body - len(one.anchor))
            found = one.pattern.match(text, start)
            if found:
                yield from _checked(one.rule, found, text, work)
            elif text.find("\n", start, start + _MAX_LINE) > 0:
                yield from _wrapped(one, start, text, work)
        place = shape.find(_RUN, body + RUN_LENGTH)


def _wrapped(one: _Anchored, start: int, text: str, work: Work) -> Iterator[Spot]:
    """The secret that an editor has cut in two at a line's end."""
    lines = _TWO_LINES.match(text, start)
    if not lines or not _DIGIT.search(lines[1], len(one.anchor)):
        return
    work.spend(_CHECK_UNITS)
    before = text[max(0, start - _BEHIND) : start]
    found = one.pattern.match(before + lines[1] + lines[2], len(before))
    if found and not one.rule.end and one.rule.check(found[0]):
        yield Spot(one.rule.kind, start, lines.end(), exact=False)


def _of_shape(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    for rule, anchor in _SHAPED:
        place = shape.find(anchor)
        while place >= 0:
            found = _pattern("", rule.rest, free=False).match(text, place)
            if found:
                yield from _checked(rule, found, text, work)
            place = shape.find(anchor, place + 1)


def _checked(rule: SecretRule, found: re.Match[str], text: str, work: Work) -> Iterator[Spot]:
    group = found.lastgroup
    start, end = found.span(group) if group in _SECRET_GROUPS else (found.start() - rule.behind, found.end())
    work.spend(_CHECK_UNITS + (end - start) // _CHARACTERS_A_UNIT)
    if not rule.check(text[start:end]):
        return
    if not rule.end:
        yield Spot(rule.kind, start, end, exact=group != "open" and not _GOES_ON.match(text, end))
        return
    work.spend(_SEARCH_UNITS)
    closing = re.compile(rule.end).search(text, found.start(), found.start() + _MAX_CHARACTERS)
    yield Spot(rule.kind, start, closing.end() if closing else end, exact=closing is not None)
