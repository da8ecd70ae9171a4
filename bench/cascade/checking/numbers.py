"""Which number does an answer settle on?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Literal

from bench.cascade.checking.texts import copied, own_text, plain, sentences

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {word: 10 * (n + 2) for n, word in enumerate(_TENS)}
_SHARES = {"half": 0.5, "quarter": 0.25, "third": 1 / 3}
_WORD = "|".join(sorted((*_VALUES, *_SCALES), key=len, reverse=True))
_NUMBER = re.compile(
    r"(?<![\w.])(?P<whole>\d+)(?: |-| and )(?P<part>\d+/\d+)(?![\d/])"
    r"|(?<![\w./])(?P<above>\d+(?:\.\d+)?) ?/ ?(?P<below>\d+(?:\.\d+)?)(?![\d/])"
    r"|(?P<sign>(?<![\w.)]) ?-|minus |negative )?(?<![a-z\d])"
    r"(?P<digits>\d{1,3}(?:[, ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\d)\.\d+)"
    r"(?P<scale>\s*(?:hundred|thousand|million|billion)\b)?"
    rf"|(?P<words>\b(?:(?:{_WORD})(?:[\s-]+(?:and\s+)?)?)+\b)"
    r"|\b(?:a|one)[ -](?P<share>half|quarter|third)\b"
)
_LEFT_OUT = re.compile(
    r"\b(?:not|rather than|instead of)\s+[$\u20ac\u00a3]?-?[\d.,]*\d"
    r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?=\d{4})"
    r"|\[[^\[\]]*\d,[^\[\]]*\]|, (?:who|which) is [^,]*,"
    r"|\b(?:two|three) (?:different |given )?(?:numbers|values|steps)\b"
    r"|^\s*(?:step\s+)?\(?\d{1,2}[.):]\s+(?=[a-z\"'])|\bstep \d+\b:?|(?<=\d)(?:st|nd|rd|th)\b"
)
"""What is denied, the day of a date, a list, an aside, "two values", the number of a step, "rd" of "3rd"."""
_ASIDE = re.compile(r"(?<=[a-z0-9\u00b0%]) \([^()]*\d[^()]*\)")
_EXPLAINED = re.compile(r"([^:=]*\d[^:=]*):[^:]*\d[^:]*$")
_SHARE = re.compile(r"\b(?:a|one)[ -](half|quarter|third)\b")
_CENTS = re.compile(r"(\d+(?:\.\d+)?) ?(?:cents?|pence|p|\u00a2)(?!\w)")
_ONE_IN = re.compile(r"\b(\d+|one) (?:out of|in) (\d+)\b")
_ANSWERS = re.compile(r"\b(?:answer|result)\b(?=[^\d]{0,60}(?:\b(?:is|are|was|be|would be)\b|[:=]))")
_DERIVES = re.compile(r"\b(?:therefore|thus|hence|so|of which)\b")
_EQUALS = re.compile(r"[=\u2248]|\b(?:equals?|is equal to|makes?|gives?|leaves?|gets?|becomes?)\b")
_IS = re.compile(
    r"\b(?:is|are|was|were|be|has|have|get|gets|costs?|pays?|needs?|takes?|at|sold)\s+"
    r"(?:an? |about |only |exactly |approximately |roughly )?[$\u20ac\u00a3]?\s*"
    rf"(?=-?\d|\.\d|\b(?:{_WORD})\b)"
)
_CALCULATES = re.compile(r"[=\u2248]|\bequals?\b|\bstep\b|^(?:first|then|next|finally)\b")
_OPERATES = re.compile(r"\d\s*(?:[+*x/-]|//|\*\*)\s*\d")
_REASON = re.compile(r"\b(?:because|since|while|whereas|compared|out of)\b")
_OR = re.compile(r"\s*(?:[a-z$%\u00b0]+\s*)?,?\s*(?:or|to)\s+(?:maybe |perhaps |possibly )?[$\u20ac\u00a3]?")
_BARE_WORDS = 3


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """The answer settles on this value, in digits or words; cents count as parts of one where it is below one."""

    type: Literal["number"]
    value: float
    tolerance: float = 0

    def holds(self, prompt: str, text: str) -> bool:
        said = [self._prepared(_own(prompt, one)) for one in sentences(prompt, own_text(prompt, text))]
        told = [one for one in said if _numbers(one)]
        if not told or _bare_list(told):
            return False
        given = {one.value for one in _numbers(plain(prompt))}
        concluded = self._concluded(told, given)
        first = self._settled(told[0], given)
        if concluded is not None:
            return self._is_right(concluded) and (self._is_right(first) or not _is_bare(told[0]) or first in given)
        last = self._settled(told[-1], given)
        if any(_CALCULATES.search(one) for one in told) and not self._is_right(first):
            return self._is_right(last)
        return self._is_right(first) or (first in given and not _is_bare(told[0]) and self._is_right(last))

    def _concluded(self, told: Sequence[str], given: set[float]) -> float | None:
        """Behind the last "the answer is"; else behind the last "so", or the last equals sign after that."""
        for mark in (_ANSWERS, _DERIVES):
            place = next((place for place in reversed(range(len(told))) if _behind(mark, told[place])), None)
            if place is not None:
                later = [one for one in told[place + 1 :] if "=" in one] if mark is _DERIVES else []
                return self._settled(later[-1] if later else _behind(mark, told[place]), given)
        return None

    def _is_right(self, value: float) -> bool:
        return abs(value - self.value) <= self.tolerance + 1e-9 * max(1, abs(self.value))

    def _prepared(self, sentence: str) -> str:
        """Without numbers that are no candidates."""
        sentence = re.sub(
            r"\bone (?=and a half\b)" if self.value != 1 else r"\bone\b", "1 ", _LEFT_OUT.sub("", sentence)
        )
        explained = _EXPLAINED.match(sentence)
        sentence = explained[1] if explained and len(_numbers(explained[1])) == 1 else sentence
        without = _ASIDE.sub("", sentence)
        return self._as_shares(without if _numbers(without) else sentence)

    def _as_shares(self, sentence: str) -> str:
        if not 0 < self.value < 1:
            return sentence
        sentence = _SHARE.sub(lambda found: f"{_SHARES[found[1]]:.9f}", sentence)
        sentence = _CENTS.sub(lambda found: f"{float(found[1]) / 100:g}", sentence)
        return _ONE_IN.sub(lambda found: f"{found[1].replace('one', '1')}/{found[2]}", sentence)

    def _settled(self, sentence: str, given: set[float]) -> float:
        """The number that a sentence comes to: behind the last equals sign, or the one that was not given."""
        found = _numbers(sentence)
        if self._is_open(sentence, found):
            return float("nan")
        for mark in reversed(list(_EQUALS.finditer(sentence))):
            if behind := _from(mark, found):
                return behind[0].value
        claim = _REASON.split(sentence, maxsplit=1)[0]
        claim, found = (claim, _numbers(claim)) if _numbers(claim) else (sentence, found)
        fresh = [one for one in found if one.value not in given] or found
        behind = _from(_IS.search(claim), fresh)
        if len({one.value for one in fresh}) > 1 and behind:
            return behind[0].value
        return fresh[-1 if _OPERATES.search(claim) else 0].value

    def _is_open(self, sentence: str, found: Sequence[_Found]) -> bool:
        """Two numbers with "or" between, of which one is right."""
        return "=" not in sentence and any(
            _OR.fullmatch(sentence, one.end, other.start) and self._is_right(one.value) != self._is_right(other.value)
            for one, other in pairwise(found)
        )


def _own(prompt: str, sentence: str) -> str:
    """Without what it quotes from the question, where other numbers are left."""
    own = sentence
    for run in copied(prompt, sentence):
        own = own.replace(run, " ~ ") if len(_numbers(run)) > 1 else own
    return own if _numbers(own) else sentence


def _from(mark: re.Match[str] | None, found: Sequence[_Found]) -> list[_Found]:
    return [one for one in found if mark and one.start >= mark.end() - 1]


def _behind(mark: re.Pattern[str], sentence: str) -> str:
    """What stands behind the last such mark that a number follows."""
    tails = [sentence[one.end() :] for one in mark.finditer(sentence)]
    return next((one for one in reversed(tails) if _numbers(one)), "")


def _is_bare(sentence: str) -> bool:
    return len(sentence.split()) <= _BARE_WORDS and not _CALCULATES.search(sentence)


def _bare_list(told: Sequence[str]) -> bool:
    """Several numbers and nothing that says which one."""
    values = {one.value for one in chain.from_iterable(map(_numbers, told))}
    return len(values) > 1 and not any(re.search(r"[a-z=]", one) or _OPERATES.search(one) for one in told)


def _numbers(text: str) -> list[_Found]:
    found: list[_Found] = []
    for one in _NUMBER.finditer(text):
        value = _value(one)
        if value is None:
            continue
        if one["share"]:
            if found and re.fullmatch(r"\s+and\s*", text[found[-1].end : one.start()]):
                before = found.pop()
                found.append(_Found(before.start, one.end(), before.value + value))
        else:
            found.append(_Found(one.start(), one.end(), value))
    return found


def _value(found: re.Match[str]) -> float | None:
    if found["whole"]:
        above, below = map(float, found["part"].split("/"))
        return float(found["whole"]) + above / below if below else None
    if found["above"]:
        below = float(found["below"])
        return float(found["above"]) / below if below else None
    if found["digits"]:
        value = float(re.sub(r"[, ]", "", found["digits"])) * _SCALES.get((found["scale"] or "").strip(), 1)
        return -value if found["sign"] else value
    if found["words"]:
        return _worth(found["words"])
    return _SHARES[found["share"]]


def _worth(words: str) -> float | None:
    """None for "one" alone: that is mostly a pronoun."""
    total, current = 0, 0
    said = [one for one in re.findall(r"[a-z]+", words) if one != "and"]
    if said == ["one"]:
        return None
    for word in said:
        if word in _VALUES:
            current += _VALUES[word]
        elif word == "hundred":
            current = (current or 1) * 100
        else:
            total, current = total + (current or 1) * _SCALES[word], 0
    return float(total + current)
