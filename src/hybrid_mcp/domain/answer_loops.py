"""Does the end of an answer say the same again and again, as small models do when they lose the thread?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hybrid_mcp.domain.answer_text import mentions

_TAIL_CHARACTERS = 2_048
_MOST_PERIOD = 680
_MOST_PERIODS = 8
_PROBE_CHARACTERS = 30
_MANY = 32
"""Pieces that are looked for at once, as a short one may stand there two thousand times."""
_CODE_SIGNS = re.compile(r"[{}<>;=|\\]")
_LETTERS = re.compile(r"[^\W\d_]")
_NUMBERING = re.compile(r"^[\s>*•#-]*(?:\(?\d{1,4}[.):]\s*)?[\s*-]*")
_SENTENCES = re.compile(r"\s(?:(?<=[.!?]\s)\s*|(?<=\n)\n*)")
"""After a full stop any blanks, else new lines alone. What begins with the blank is found much faster."""
_SAME_LINES = 6
_LAST_PIECES = 60
_LINE_LETTERS = 20
_WANTED = (
    "repeat| times|ascii|pattern|lyric|song|chant|mantra|chorus|refrain|copies|copy|lorem|placeholder|dummy|echo|rhyme"
    "|wiederhol|-mal| mal |répét| fois|repit| veces|repet|ripet|повтор| раз |重复|重複|繰り返|반복"
)

_EACH = re.compile(
    r"\b(?:each|every|all) of|\bfor (?:each|these)|\bone line each|\bper (?:line|item|row)|jede[nrms]? |chaque|cada ",
    re.I,
)
_MOST_FOR_EACH = 1_000
"""The same may be true of each of some things, but not of a hundred."""


def loops(wish: str, text: str) -> bool:
    """Whether the answer's tail repeats itself, and the wish is not for a text that does."""
    tail = text.rstrip()[-_TAIL_CHARACTERS:]
    repeats = len(tail) >= 150 and (_is_periodic(tail) or _repeats_lines(tail))
    return repeats and not mentions(wish, _WANTED) and not (len(text) <= _MOST_FOR_EACH and _EACH.search(wish))


def _is_periodic(tail: str) -> bool:
    """Whether the tail ends in the same piece of text so often that nobody writes so."""
    period, covered = _repetition(tail)
    if not period:
        return False
    unit = tail[-period:]
    if len(_LETTERS.findall(unit)) * 2 < period:
        return False  # rules, numbers and blanks: tables, matrices, drawings
    if _CODE_SIGNS.search(unit) or tail.count("```") % 2:
        return covered >= 1_500 and covered >= 10 * period
    repeats = covered / period
    return covered >= 200 and repeats >= (3 if period >= 150 else 4 if period >= 40 else 5 if period >= 20 else 12)


def _repetition(tail: str) -> tuple[int, int]:
    """The period of the tail's end, and how many characters at the end have it (0, 0: none that repeats)."""
    probe, at = tail[-_PROBE_CHARACTERS:], len(tail) - _PROBE_CHARACTERS
    for _ in range(_MOST_PERIODS):
        at = tail.rfind(probe, 0, at + _PROBE_CHARACTERS - 1)
        period = len(tail) - _PROBE_CHARACTERS - at
        if at < 0 or period > _MOST_PERIOD:
            break
        covered = _covered(tail, period)
        if covered >= 3 * period:
            return period, covered
    return 0, 0


def _covered(tail: str, period: int) -> int:
    end = len(tail)
    for many in (_MANY, 1):
        piece = tail[-period:] * many
        while tail.endswith(piece, 0, end):
            end -= len(piece)
    return len(tail) - end


def _repeats_lines(tail: str) -> bool:
    """Whether one sentence or line, whatever its number, stands many times without another between."""
    if _CODE_SIGNS.search(tail) or "```" in tail:
        return False
    return (
        _longest_run([_NUMBERING.sub("", line).strip().casefold() for line in _SENTENCES.split(tail)[-_LAST_PIECES:]])
        >= _SAME_LINES
    )


def _longest_run(lines: Sequence[str]) -> int:
    longest, run, before = 0, 0, ""
    for line in lines:
        if not line:
            continue
        run = run + 1 if line == before else 1
        before = line
        if len(line) >= _LINE_LETTERS:
            longest = max(longest, run)
    return longest
