"""What can be worked out from the words of a short prompt: spelled in another way, counted, ordered, the longest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from hybrid_mcp.domain.answer_text import Exchange

_LONGEST_PROMPT = 300
_QUOTED = r"['\"‘“`]([^\W\d_]{2,40})['\"’”`]"
_OTHER_WISH = re.compile(
    r"\b(?:code|function|python|explain|why|sentence|story|sentences|describe|and then|synonym|translate)\b",
    re.IGNORECASE,
)
_CAPITALS = re.compile(
    rf"{_QUOTED}[^.?\n]{{0,30}}\b(?:in|to|into|using|with) (?:all |only )?"
    r"(?:capitals?\b|capital letters|caps|upper[ -]?case)"
    rf"|\b(?:capitals|upper[ -]?case)\b[^.?\n]{{0,20}}: ?{_QUOTED}",
    re.IGNORECASE,
)
_BACKWARDS = re.compile(
    rf"{_QUOTED} (?:is |spelled |written )?(?:backwards?|in reverse|reversed)\b"
    rf"|\breverse (?:the )?(?:word |string |letters (?:of|in) )?(?:the word )?{_QUOTED}",
    re.IGNORECASE,
)
_LETTERS = re.compile(
    rf"\bhow many (?:letters|characters) (?:are (?:there )?in|does|has|in) (?:the word )?{_QUOTED}", re.IGNORECASE
)
_LETTER = re.compile(
    r"\bhow (?:many|often)\b[^.?\n]{0,20}?(?:\bletter )?(?<![^\W_])['\"‘“`]?([a-z])['\"’”`]?(?:['’]?s)?"
    r" (?:appear|occur|are|is|does|in)\b"
    rf"[^.?\n]{{0,20}}?\b(?:word |in ){_QUOTED}",
    re.IGNORECASE,
)
_ITEM = r"[^\W_]{1,24}"
_LIST = rf"(?P<list>{_ITEM}(?:, {{0,2}}{_ITEM}){{1,19}}(?:,? (?:and|or) {_ITEM})?)"
_OF_LIST = re.compile(rf"^(?P<wish>[^:\n]{{5,120}}): ?{_LIST}(?P<rest>[.?]?(?: [^:,\n]{{0,80}})?)$")
_MOST_NAMED = 60
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_NAMES_OF_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
)
_NUMBERS = dict(enumerate(_NAMES_OF_NUMBERS.split()))


def misses_the_word(given: Exchange) -> bool:
    """Whether a word was to be spelled in another way or its letters counted, and the answer does not hold that."""
    prompt = given.prompt.strip()
    if len(prompt) > _LONGEST_PROMPT or len(given.text) > len(given.said) or _OTHER_WISH.search(prompt):
        return False
    for asked, holds in _SPELLINGS:
        found = asked.search(prompt)
        if found is not None:
            return not holds([part for part in found.groups() if part], given.text)
    return False


def _in_capitals(parts: Sequence[str], text: str) -> bool:
    return parts[0].upper() in text or parts[0].upper() in _letters_of(text)


def _in_reverse(parts: Sequence[str], text: str) -> bool:
    return parts[0][::-1].casefold() in _letters_of(text).casefold()


def _letters_of(text: str) -> str:
    """`e-l-p-p-a` and `e l p p a` spell it too."""
    return re.sub(r"[^\w]|_", "", text)


def _has_length(parts: Sequence[str], text: str) -> bool:
    return _says_number(len(parts[0]), text)


def _has_count(parts: Sequence[str], text: str) -> bool:
    letter, word = parts
    return _says_number(word.casefold().count(letter.casefold()), text)


def _says_number(number: int, text: str) -> bool:
    in_letters = {0: "|no|none", 1: "|once", 2: "|twice"}.get(number, "")
    word = _NUMBERS.get(number, number)
    return re.search(rf"(?<![\w.])(?:{number}|{word}{in_letters})(?!\w|\.\d)", text, re.IGNORECASE) is not None


_SPELLINGS: tuple[tuple[re.Pattern[str], Callable[[Sequence[str], str], bool]], ...] = (
    (_CAPITALS, _in_capitals),
    (_BACKWARDS, _in_reverse),
    (_LETTERS, _has_length),
    (_LETTER, _has_count),
)


def misses_the_item(given: Exchange) -> bool:
    """Whether one item of a list was asked for that can be found without thinking, or the list in the order of its
    letters, and the answer names others."""
    prompt = given.prompt.strip()
    asked = _OF_LIST.match(prompt) if len(prompt) <= _LONGEST_PROMPT else None
    if asked is None or len(given.text) > len(given.said) or _OTHER_WISH.search(prompt):
        return False
    items = re.split(r", {0,2}(?:(?:and|or) )?| (?:and|or) ", asked["list"])
    wish = asked["wish"].casefold()
    named = _named(items, given.text)
    if re.search(r"\b(?:alphabetical(?:ly)?|alphabetic)\b", wish) and re.search(
        r"\b(?:sort|order|arrange|put|list)\b", wish
    ):
        wanted = _in_order(items, wish)
        return wanted is not None and not any(named[at : at + len(wanted)] == wanted for at in range(len(named)))
    one = _item_asked(items, wish)
    if one is None:
        return False
    return not named or one not in (named[0], named[-1])


def _named(items: Sequence[str], text: str) -> list[str]:
    known = {item.casefold() for item in items}
    return [word for word in re.findall(r"[^\W_]+", text.casefold())[:_MOST_NAMED] if word in known]


def _in_order(items: Sequence[str], wish: str) -> list[str] | None:
    words = [item.casefold() for item in items]
    if not all(word.isascii() and word.isalpha() for word in words):
        return None
    return sorted(words, reverse=re.search(r"reverse|descending|z to a|z-a", wish) is not None)


def _item_asked(items: Sequence[str], wish: str) -> str | None:
    """The one item, in lower case; None where none is asked for, or two would do."""
    found = [name for name, pattern in _ASKED.items() if pattern.search(wish)]
    if len(found) != 1 or re.search(r"\b(?:two|three|not|sum|average|after|before|than|vowels?)\b", wish):
        return None
    kind = found[0]
    words = [item.casefold() for item in items]
    if kind in {"largest", "smallest"}:
        if not all(word.isdecimal() for word in words):
            return None
        numbers = sorted(words, key=int, reverse=kind == "largest")
        return numbers[0]
    if kind in {"longest", "shortest"}:
        by_length = sorted(words, key=len, reverse=kind == "longest")
        return by_length[0] if len(by_length[0]) != len(by_length[1]) and not by_length[0].isdecimal() else None
    if kind == "alphabet":
        ordered = _in_order(items, "")
        return None if ordered is None else ordered[-1 if re.search(r"\blast\b", wish) else 0]
    place = next((at for at, name in enumerate(_ORDINALS) if re.search(rf"\b{name}\b", wish)), -1)
    return words[place] if place < len(words) and len(set(words)) == len(words) else None


_ASKED: Mapping[str, re.Pattern[str]] = {
    "largest": re.compile(r"\b(?:largest|biggest|greatest|highest|maximum) (?:of|number|value|integer|one)\b"),
    "smallest": re.compile(r"\b(?:smallest|lowest|minimum) (?:of|number|value|integer|one)\b"),
    "longest": re.compile(r"\bword (?:is (?:the )?)?longest\b|\blongest word\b"),
    "shortest": re.compile(r"\bword (?:is (?:the )?)?shortest\b|\bshortest word\b"),
    "alphabet": re.compile(r"\b(?:first|last)\b.{0,20}\b(?:in the alphabet|alphabetically|in alphabetical order)"),
    "place": re.compile(
        rf"\b(?:{'|'.join(_ORDINALS)}|last) (?:word|item|element|name|entry|number) (?:of|in|on) (?:this|the|my) list\b"
    ),
}


_REPEAT = re.compile(
    r"^(?:please )?(?:repeat|echo|copy|write|say|type) (?:this|the following) (?:word|number|name|phrase)\b"
    r"[^:\n]{0,60}: ?['\"“]?(?P<said>[^\n'\"”]{1,60}?)['\"”]?[.]?$",
    re.IGNORECASE,
)
_NOTHING_ELSE = re.compile(r"nothing else|nothing more|exactly|only", re.IGNORECASE)
_MOST_MORE = 12


def does_not_repeat(given: Exchange) -> bool:
    """Whether one word was to be repeated and nothing else, and the answer is another or says more."""
    asked = _REPEAT.match(given.prompt.strip()) if len(given.prompt) <= _LONGEST_PROMPT else None
    if asked is None or not _NOTHING_ELSE.search(given.wish + given.prompt):
        return False
    return asked["said"] not in given.text or len(given.text.strip()) > len(asked["said"]) + _MOST_MORE
