"""Looks for secrets and personal data: precise rules behind prefilters, in linear time, within a limit of its own."""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from hybrid_mcp.domain.assignments import assigned
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.disguises import View, decoded_views, plain_view
from hybrid_mcp.domain.known_forms import known_forms
from hybrid_mcp.domain.personal_data import personal_data
from hybrid_mcp.domain.privacy import Category, Finding
from hybrid_mcp.domain.scan_work import OutOfWork, Spot, Work

TOO_MUCH = "text that could not be scanned within its limit"
MAX_BYTES = 800_000
"""UTF-8, of a whole request: 200,000 tokens, as many as most cloud models hold. A scan of so many takes 40 to 120 ms,
in which nothing else is served."""
TOO_LONG = f"more text than is scanned ({MAX_BYTES:,} bytes)"
JOINT = "context with prompt"

_JOINT_CHARACTERS = 600
_BETWEEN = ("\n\n", "")
"""As they are sent, and as a value that was cut in two reads."""
_SPOT_UNITS = 10
"""What keeping book of a finding costs; a text of nothing but secrets need not be listed to its end."""
_WORD_END = re.compile(r"\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternScanner:
    """Implements `SecretScanner`. `private`: for each of the owner's patterns, whether a text matches it."""

    private: Sequence[Callable[[str], bool]] = ()

    def scan(self, request: Request) -> tuple[Finding, ...]:
        """Each kind once for each argument it stands in. What is longer than a scan may take counts as a finding."""
        texts = [(where, text) for where, text in request.texts() if text]
        if sum(len(text.encode(errors="surrogatepass")) for _, text in texts) > MAX_BYTES:
            longest = max(texts, key=lambda one: len(one[1]))[0]
            return (Finding(kind=TOO_LONG, category="secret", where=longest),)
        found = [
            finding for where, text in texts for finding in (*findings_in(text, where), *self._private(text, where))
        ]
        return (*found, *_at_the_joint(request, {finding.kind for finding in found}))

    def _private(self, text: str, where: str) -> Iterator[Finding]:
        plain = text if not self.private else _plain(text)
        for index, matches in enumerate(self.private):
            if matches(text) or (plain != text and matches(plain)):
                yield Finding(kind=f"what private_patterns[{index}] keeps local", category="private", where=where)


def _plain(text: str) -> str:
    """As what it looks like; the text itself, where telling that takes more than a scan may."""
    try:
        return plain_view(text, Work.for_text(len(text))).data.decode("ascii")
    except OutOfWork:
        return text


def findings_in(text: str, where: str, work: Work | None = None) -> tuple[Finding, ...]:
    """Each kind once, in the order of the rules. `work` tells afterwards what the scan took."""
    spent = work or Work.for_text(len(text))
    found: dict[str, _Hits] = {}
    try:
        for category, spot in _spots(text, spent):
            found.setdefault(spot.kind, _Hits(category=category, spots=[])).spots.append(spot)
    except OutOfWork:
        found[TOO_MUCH] = _Hits(category="secret", spots=[Spot(TOO_MUCH, 0, 0, exact=False)])
    return tuple(
        Finding(kind=kind, category=hits.category, where=where, spans=_spans(hits.spots))
        for kind, hits in found.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hits:
    category: Category
    spots: list[Spot]


def _spans(spots: Sequence[Spot]) -> tuple[tuple[int, int], ...]:
    exact = all(spot.exact for spot in spots)
    return tuple(sorted((spot.start, spot.end) for spot in spots)) if exact else ()


def _at_the_joint(request: Request, known: set[str]) -> Iterator[Finding]:
    """What only shows where the context's end and the prompt's beginning meet, because they are sent as one text."""
    if request.context:
        before, after = request.context[-_JOINT_CHARACTERS:], request.prompt[:_JOINT_CHARACTERS]
        if len(request.context) > len(before) and (gap := _WORD_END.search(before)):
            before = before[gap.end() :]
        told = set(known)
        for between in _BETWEEN:
            for finding in findings_in(before + between + after, JOINT):
                if finding.kind not in told:
                    told.add(finding.kind)
                    yield Finding(kind=finding.kind, category=finding.category, where=JOINT)


def _spots(text: str, work: Work) -> Iterator[tuple[Category, Spot]]:
    """Everything in the text itself, then what its encoded parts hold beyond that."""
    plain = plain_view(text, work)
    known: set[str] = set()
    for category, spot, value in _in_view(plain, work):
        known.add(value)
        yield category, spot if plain.exact else spot._replace(exact=False)
    for view in decoded_views(plain.data, work):
        for category, spot, value in _in_view(view, work):
            if value not in known:
                yield category, spot._replace(exact=False)


def _in_view(view: View, work: Work) -> Iterator[tuple[Category, Spot, str]]:
    text = view.data.decode("ascii")
    low = text.lower()
    taken: list[tuple[int, int]] = []
    for spot in chain(known_forms(view.data, text, low, work), assigned(text, low, work)):
        if not _overlaps(taken, spot):
            work.spend(_SPOT_UNITS)
            insort(taken, (spot.start, spot.end))
            yield "secret", spot, text[spot.start : spot.end]
    for spot in personal_data(view.data, text, work):
        if not _overlaps(taken, spot):
            work.spend(_SPOT_UNITS)
            yield "personal", spot, text[spot.start : spot.end]


def _overlaps(taken: Sequence[tuple[int, int]], spot: Spot) -> bool:
    """Whether a more specific rule has claimed a part of it."""
    index = bisect_right(taken, (spot.start, spot.end))
    return (index > 0 and taken[index - 1][1] > spot.start) or (index < len(taken) and taken[index][0] < spot.end)
