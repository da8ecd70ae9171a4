"""Does an answer name the right thing, and not a wrong one first or beside it?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bench.cascade.checking.texts import copied, own_text, plain, sentences

_DENIED_BEFORE = re.compile(
    r"\b(?:not(?: \w+)?|isn't|aren't|wasn't|never|nor|neither|than|rather than|instead of|opposed to|unlike|"
    r"(?:compared|contrast) (?:to|with)|different from|except|excluding)\s+"
    r"(?:(?:an?|the|in|on|to|just|only|by|from|at|called|considered|really|any|other|with)\s+)*[\"'(]*$"
)
_DENIED_AFTER = re.compile(
    r"[\"')]*\s+(?:(?:is|are|was|would be)\s+(?:an?\s+|the\s+)?(?:common\s+)?"
    r"(?:incorrect|wrong|misspel\w*|false|not\b)|isn't|wasn't)"
)
_CONCLUDES = re.compile(
    r"\b(?:(?:final|correct|right|best)\s+(?:answer|option|choice|word|label|category|spelling|form|one)"
    r"|answer|category|label|classification)\b[^.:\n]{0,60}?(?:\bis\b|:|=|\bwould be\b|\bshould be\b)\s*:?\s*"
    r"|(?:^|(?<=[,;:.\s]))(?:so|therefore|thus|hence|actually|in fact|which means)\b,?\s+(?!that\b)"
    r"|\s=\s"
)
_NEXT_TO = re.compile(
    r"[\s,/;&|\"'()\]\[-]*(?:\d+[.)]\s*)?(?:and/or|and|or|as well as)?"
    r"(?:\s*(?:maybe|perhaps|possibly|even|also|it is|it's))?"
    r"[\s\"'(-]*(?:(?:an?|the|in|by|to)\s+)*[\"'(]*|[\"']*\s+(?:is|are)\s+(?:called\s+)?(?:an?\s+|the\s+)?[\"']*"
)
_OFFERS = re.compile(
    r"\b(?:of|between|among|from|given|options?|choices|which|whether|comparing|compare)\b[^.\n]{0,30}$"
)
_OTHER_AFTER = re.compile(r"[\"')]*,?\s+or\s+(?:an?\s+|the\s+)?[\w'-]+\W*$")
_OTHER_BEFORE = re.compile(r"[\w'-]+[\"']*,?\s+or\s+(?:an?\s+|the\s+)?[\"']*$")
SOON = 2
"""The answer to a question of one line stands in its first sentences."""
FEW_WORDS = 4


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    is_right: bool
    is_denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """One of `right` is named first, or in the conclusion; a phrase that begins with "re:" is a pattern.

    `literal`: case and marks count.
    """

    type: Literal["says"]
    right: tuple[str, ...]
    wrong: tuple[str, ...] = ()
    literal: bool = False

    def holds(self, prompt: str, text: str) -> bool:
        if self.literal:
            return bool(self._verdict(own_text(prompt, text)))
        said = sentences(prompt, own_text(prompt, text))
        verdicts = [self._told(prompt, one) for one in said]
        concluded = self._concluded(prompt, said)
        place = next((place for place, one in enumerate(verdicts) if one is not None), None)
        if place is None:
            return bool(self._verdict(" ".join(said)))
        is_bare = len(said[place].split()) <= FEW_WORDS and "=" not in said[place]
        if concluded is not None and (verdicts[place] == concluded or not is_bare):
            return concluded
        others = [one for one, part in zip(verdicts, said, strict=True) if len(part.split()) <= FEW_WORDS // 2]
        in_place = place < SOON or place == len(said) - 1 or said[place - 1].endswith(":")
        return bool(verdicts[place]) and in_place and False not in others

    def _concluded(self, prompt: str, said: Sequence[str]) -> bool | None:
        """What stands behind the last "so", "the answer is" and the like."""
        for place in reversed(range(len(said))):
            for mark in reversed(list(_CONCLUDES.finditer(said[place]))):
                if place == 0 and mark.start() == 0 and len(said) > 1:
                    continue
                tail = said[place][mark.end() :] or " ".join(said[place + 1 : place + 2])
                verdict = self._told(prompt, tail)
                if verdict is not None:
                    return verdict
        return None

    def _told(self, prompt: str, part: str) -> bool | None:
        """Where the question is quoted, both right and wrong stand in it."""
        for run in copied(prompt, part):
            found = self._mentions(run)
            if len({one.is_right for one in found}) > 1 and len(_groups(run, found)) > 1:
                part = part.replace(run, " ~ ")
        return self._verdict(part)

    def _verdict(self, part: str) -> bool | None:
        """Of one piece of text: what is named first, unless others stand beside it. None: nothing is named."""
        found = [one for one in self._mentions(part) if not one.is_denied]
        if not found:
            return False if any(one.is_right for one in self._mentions(part)) else None
        groups = _groups(part, found)
        for group in groups:
            if len({one.is_right for one in group}) == 1:
                return group[0].is_right and not _hedged(part, group)
            if group is groups[-1] or not _OFFERS.search(part[: group[0].start]):
                return False
        return False

    def _mentions(self, part: str) -> list[_Mention]:
        """In their order; of those that overlap the first one, the longest of these, a wrong one before a right one."""
        spans = [
            (found.span(), is_right)
            for is_right, phrases in ((False, self.wrong), (True, self.right))
            for phrase in phrases
            for found in _found(phrase, part, literal=self.literal)
        ]
        mentions: list[_Mention] = []
        for (start, end), is_right in sorted(spans, key=lambda one: (one[0][0], -one[0][1])):
            if not mentions or start >= mentions[-1].end:
                denied = _DENIED_BEFORE.search(part[max(0, start - 45) : start]) or _DENIED_AFTER.match(part, end)
                mentions.append(_Mention(start, end, is_right, bool(denied)))
        return mentions


def _found(phrase: str, part: str, *, literal: bool) -> Iterable[re.Match[str]]:
    needle, pattern = _pattern(phrase, literal=literal)
    return _compiled(pattern).finditer(part) if needle in part else ()


@lru_cache(maxsize=1 << 14)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@lru_cache(maxsize=1 << 14)
def _pattern(phrase: str, *, literal: bool) -> tuple[str, str]:
    """Its first word, by which most texts are told from those that hold it, and the whole in any spacing."""
    if phrase.startswith("re:"):
        return "", phrase[3:]
    said = phrase if literal else plain(phrase)
    body = r"[\s-]+".join(re.escape(one) for one in re.split(r"[\s-]+", said) if one) or re.escape(said)
    before = r"(?<![\w.])(?<!\w')" if re.match(r"\w", said) else rf"(?<!{re.escape(said[0])})"
    plural = "" if literal else r"(?:'?s|es)?"
    after = rf"{plural}(?!\w)" if re.search(r"\w$", said) else rf"(?!{re.escape(said[-1])})"
    return re.split(r"[\s-]+", said)[0], before + ("-" if said.startswith("-") else "") + body + after


def _groups(part: str, found: Sequence[_Mention]) -> list[list[_Mention]]:
    """What is named side by side, in one list or with "or" between."""
    groups: list[list[_Mention]] = []
    for one in found:
        if groups and _NEXT_TO.fullmatch(part, groups[-1][-1].end, one.start):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _hedged(part: str, group: Sequence[_Mention]) -> bool:
    """A short answer that leaves open whether it is this or another thing."""
    if len(part.split()) > 2 * FEW_WORDS:
        return False
    return bool(_OTHER_AFTER.match(part, group[-1].end) or _OTHER_BEFORE.search(part[: group[0].start]))
