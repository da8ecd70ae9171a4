"""Answers of a form that is given: one of the options, yes or no, JSON, an exact text, a sequence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from bench.cascade.checking.says import Says
from bench.cascade.checking.texts import own_text, plain, sentences, words

_YES = r"yes|yeah|yep|true|correct"
_NO = r"not true|not correct|not necessarily|no|nope|false|incorrect|untrue"
_BOTH = re.compile(rf"\b(?:{_YES}|{_NO})\W+(?:and|or)\W+(?:{_YES}|{_NO})\b|\b(?:yes ?/ ?no|true ?/ ?false)\b")
_SUBJECT = (
    r"(?:(?:the |this |that )?(?:final |correct )?(?:answer|statement|claim|sentence)(?:\s+is)?|that's|it's|it is)?"
)
_TRUTH = re.compile(rf"^\W*{_SUBJECT}\W*(?:(?P<no>{_NO})\b(?!\.? \d| one\b| more\b| longer\b)|(?P<yes>{_YES})\b)")
_STATED = re.compile(
    rf"\b(?:answer|statement|that|it|this|claim)\b[^.\n]{{0,50}}?(?:is|:)\s*\"?(?:(?P<no>{_NO})|(?P<yes>{_YES}))\b"
    r"(?=\W*(?:$|[.,;!\n]|because|since))"
)
_LETTER = r"\(?\b([a-h])\b(?:[).:,]|\s*$|\s+(?=-|\(|is\b))"
_FIGURE = r"-?\d+(?:\.\d+)?"
_QUOTED = re.compile(r"(?<!\w)[\"'\u201c\u2018]([^\"\u201d\n]+?)[\"'\u201d\u2019](?!\w)")
_STATES = re.compile(r"(?:\b(?:is|are|be|becomes|returns|gives|prints|outputs|equals|called)\b:?|:|=|->|\u2192)\s+")
_CONTINUES = re.compile(r"\s+(?:because|since|and not)\b|,\s*(?:because|since|as|which|not)\b|\s*\(|[.!]\s|\n|;")
_CHOSEN = re.compile(
    rf"^\W*{_LETTER}|\b(?:answer|option|choice|letter)\b[^.\n]{{0,40}}?{_LETTER}|(?:^|\s)\(?([a-h])\)", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of lettered options: by its letter, or by its words."""

    type: Literal["choice"]
    options: dict[str, str]
    answer: str

    def holds(self, prompt: str, text: str) -> bool:
        said = plain(own_text(prompt, text))
        letters = {one for found in _CHOSEN.findall(said) for one in found if one.upper() in self.options}
        others = tuple(words for letter, words in self.options.items() if letter != self.answer)
        named = Says(type="says", right=(self.options[self.answer],), wrong=others)
        if not letters:
            return named.holds(prompt, text)
        contradicted = not named.holds(prompt, text) and Says(type="says", right=others).holds(prompt, text)
        return letters == {self.answer.lower()} and not contradicted


@dataclass(frozen=True, slots=True, kw_only=True)
class YesNo:
    """`yes` and `no`: phrases that say so where neither word is said."""

    type: Literal["yesno"]
    answer: bool
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()

    def holds(self, prompt: str, text: str) -> bool:
        said = sentences(prompt, own_text(prompt, text))
        if not said or _BOTH.search(" ".join(said)):
            return False
        truths = {found["no"] is None for found in (_TRUTH.match(said[0]), *_STATED.finditer(" ".join(said))) if found}
        agreeing, other = (self.yes, self.no) if self.answer else (self.no, self.yes)
        if truths:
            return truths == {self.answer} and not Says(type="says", right=other, wrong=agreeing).holds(prompt, text)
        return Says(type="says", right=agreeing, wrong=other).holds(prompt, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Json:
    """The only JSON value of this shape in the answer is this one."""

    type: Literal["json"]
    value: object

    def holds(self, prompt: str, text: str) -> bool:
        found = [one for one in _values(text) if isinstance(one, type(self.value)) and one not in list(_values(prompt))]
        return bool(found) and all(_same(self.value, one) for one in found)


def _values(text: str) -> Iterator[object]:
    decoder, place = json.JSONDecoder(), 0
    while found := re.search(r"[{\[]", text[place:]):
        place += found.start()
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            place += 1
        else:
            yield cast("object", value)


def _same(wanted: object, said: object) -> bool:
    """Keys and texts in any case; a number may stand in quotes."""
    if isinstance(wanted, dict) and isinstance(said, dict):
        one, other = _lowered(cast("dict[str, object]", wanted)), _lowered(cast("dict[str, object]", said))
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(wanted, list) and isinstance(said, list):
        one, other = cast("list[object]", wanted), cast("list[object]", said)
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(wanted, bool) or isinstance(said, bool):
        return wanted is said
    return not isinstance(said, dict | list) and words(f"{wanted}") == words(f"{said}")


def _lowered(some: dict[str, object]) -> dict[str, object]:
    return {key.lower(): value for key, value in some.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """One of these texts and no other. `case`: capitals count. `only`: nothing may stand around it."""

    type: Literal["exact"]
    right: tuple[str, ...]
    case: bool = False
    only: bool = False

    def holds(self, prompt: str, text: str) -> bool:
        wanted = {self._bare(one) for one in self.right}
        said = own_text(prompt, text)
        pieces = [said, re.sub(r"^```\w*\n|\n?```$", "", said)] if self.only else _pieces(said)
        return any({one, one.rstrip("!")} & wanted for one in map(self._bare, pieces))

    def _bare(self, text: str) -> str:
        text = text.translate(str.maketrans("\u2018\u2019\u201c\u201d", "''\"\""))
        text = re.sub(r"\s+", " ", text).strip("\"'`* .\n")
        return text if self.case else text.lower()


def _pieces(said: str) -> list[str]:
    """What may be meant as the bare answer: a block, the first line, what stands in it behind "is" or in quotes."""
    if blocks := cast("list[str]", re.findall(r"```\w*\n(.*?)```", said, re.DOTALL)):
        return blocks
    lines = [one for one in said.replace("**", "").replace("`", "").splitlines() if one.strip()]
    first = lines[1 if len(lines) > 1 and lines[0].rstrip().endswith(":") else 0] if lines else ""
    marked = {one.strip("`*") for one in cast("list[str]", re.findall(r"`[^`\n]+`|\*\*[^*\n]+\*\*", said))}
    subject = re.match(r"[\"']*(.{1,60}?)[\"']*\s+(?:is|are)\s+(?:the|an?|your|next)\b", first)
    pieces = [
        said,
        first,
        *(marked if len(marked) == 1 else ()),
        *cast("list[str]", _QUOTED.findall(first)[-1:]),
        *(first[mark.end() :] for mark in _STATES.finditer(first)),
        *([subject[1]] if subject else ()),
    ]
    return pieces + [_CONTINUES.split(one, maxsplit=1)[0] for one in pieces]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """These items in this order and none of `wrong`; of each item any of its names."""

    type: Literal["series"]
    items: tuple[tuple[str, ...], ...]
    wrong: tuple[str, ...] = ()
    ordered: bool = True

    def holds(self, prompt: str, text: str) -> bool:
        said = own_text(prompt, text)
        wanted = list(range(len(self.items)))
        for part in _parts(said):
            named = self._named(part)
            if (named if self.ordered else sorted(named)) == wanted:
                return True
        return False

    def _named(self, part: str) -> list[int]:
        names = [*enumerate(self.items), (len(self.items), self.wrong)]
        if all(re.fullmatch(_FIGURE, one[0]) for one in self.items):
            names.append((len(self.items), (f"re:{_FIGURE}",)))
        spans = sorted(
            (found.start(), -found.end(), place)
            for place, some in names
            for name in some
            for found in re.finditer(_item(name), part)
        )
        named, end = list[int](), -1
        for start, until, place in spans:
            if start >= end:
                named.append(place)
                end = -until
        return named


def _item(name: str) -> str:
    said = name.removeprefix("re:") if name.startswith("re:") else re.escape(plain(name))
    if name.startswith("re:") or re.fullmatch(_FIGURE, name):
        return rf"(?<![\w.-]){said}(?![\w]|\.\d)"
    return rf"(?<!\w){said}(?:'?s)?(?!\w)"


def _parts(said: str) -> Iterator[str]:
    """The whole, and what stands behind "is", a colon or a line's end."""
    text = re.sub(r"(?m)^\s*\d{1,2}[.)]\s+", "", plain(said))
    yield text
    for mark in re.finditer(r":\s|\b(?:is|are|be)\b|\n", text):
        yield text[mark.end() :]
    yield from [line for line in text.splitlines() if line.strip()][:2]
    yield re.split(r"(?<=[a-z0-9])\.\s", text)[0]
