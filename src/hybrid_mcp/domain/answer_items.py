"""Lists of a short prompt that asks for nothing but one of their items."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from hybrid_mcp.domain.answer_text import Exchange
from hybrid_mcp.domain.answer_words import ONLY

_LONGEST_PROMPT = 300
_ITEM = r"[^\W_]{1,24}"
_OF_LIST = re.compile(
    rf"(?P<wish>[^:\n]{{5,100}}): ?(?P<list>{_ITEM}(?:, {{0,2}}{_ITEM}){{1,19}}(?:,? (?:and|or) {_ITEM})?){ONLY}",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r", {0,2}(?:(?:and|or) )?| (?:and|or) ")
_NO_ITEMS = {"and", "or", "not"}
_MAY_BE_ONE = re.compile(r"\d,\d")
"""`1,200` may be two numbers, or one."""
_MOST_NAMED = 60
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_PLACES = re.compile(rf"\b(?:{'|'.join(_ORDINALS)}|last|middle|former|latter|one|all|both|same|tie)\b")

_THESE = r"(?:of|in|on|from|among) (?:(?:these|the following)(?: words| numbers| items)?|(?:this|the) list)"
_ASK = r"(?:(?:which|what) (?:one )?is|what's|find|name|give(?: me)?|tell me)"
_LARGE, _SMALL = r"(?:largest|biggest|greatest|highest|maximum)", r"(?:smallest|lowest|minimum)"
_NUMBER = r"(?: number| value| integer| one)?"


def misses_the_item(given: Exchange) -> bool:
    """Whether the prompt asks for nothing but one item of its list that can be found without thinking, and the answer
    names others."""
    prompt = given.prompt.strip()
    asked = _OF_LIST.fullmatch(prompt) if len(prompt) <= _LONGEST_PROMPT else None
    if asked is None or len(given.text) > len(given.said):
        return False
    items = _SEPARATOR.split(asked["list"].casefold())
    if len(set(items)) < len(items) or _NO_ITEMS.intersection(items) or _MAY_BE_ONE.search(asked["list"]):
        return False
    wish = asked["wish"].casefold().removeprefix("please ")
    said = given.text.casefold()
    one = _item_asked(items, wish)
    if one is None:
        return False
    named = _named(items, said.replace(asked["list"].casefold(), " ")) or _named(items, said)
    return _is_another(one, named) if named else not (_are_numbers(items) or _says_place(said, wish))


def works_out(prompt: str) -> bool:
    """Whether `misses_the_item` may tell which item is the answer."""
    asked = _OF_LIST.fullmatch(prompt) if len(prompt) <= _LONGEST_PROMPT else None
    wish = asked["wish"].casefold().removeprefix("please ") if asked else ""
    return any(re.fullmatch(one, wish) for one in _ASKED)


def _is_another(one: str, named: Sequence[str]) -> bool:
    """Not where it is named first, last, or as often as any other."""
    return one not in (named[0], named[-1]) and named.count(one) < max(map(named.count, named))


def _says_place(said: str, wish: str) -> bool:
    """`The third one` and a digit name it too."""
    return re.search(r"\d", said) is not None or not set(_PLACES.findall(said)) <= set(re.findall(r"\w+", wish))


def _named(items: Sequence[str], text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W_]+", text)[:_MOST_NAMED] if word in items]


def _item_asked(items: Sequence[str], wish: str) -> str | None:
    """The one item; None where none is asked for, or two would do."""
    for asked, found in _ASKED.items():
        match = re.fullmatch(asked, wish)
        if match is not None:
            return found(items, match.groupdict().get("which") or "")
    return None


def _largest(items: Sequence[str], _which: str) -> str | None:
    return max(items, key=int) if _are_numbers(items) else None


def _smallest(items: Sequence[str], _which: str) -> str | None:
    return min(items, key=int) if _are_numbers(items) else None


def _are_numbers(items: Sequence[str]) -> bool:
    return all(item.isascii() and item.isdecimal() for item in items)


def _by_length(items: Sequence[str], which: str) -> str | None:
    one, two = sorted(items, key=len, reverse=which == "longest")[:2]
    return one if len(one) != len(two) and not one.isdecimal() else None


def _in_alphabet(items: Sequence[str], which: str) -> str | None:
    if not all(word.isascii() and word.isalpha() for word in items):
        return None
    return max(items) if which == "last" else min(items)


def _at_place(items: Sequence[str], which: str) -> str | None:
    place = -1 if which == "last" else _ORDINALS.index(which)
    return items[place] if place < len(items) else None


_ASKED: Mapping[str, Callable[[Sequence[str], str], str | None]] = {
    rf"{_ASK} the {_LARGE}{_NUMBER}(?: {_THESE})?|(?:which|what) {_THESE} is (?:the )?{_LARGE}": _largest,
    rf"{_ASK} the {_SMALL}{_NUMBER}(?: {_THESE})?|(?:which|what) {_THESE} is (?:the )?{_SMALL}": _smallest,
    rf"which (?:one )?(?:word|{_THESE}) is (?:the )?(?P<which>longest|shortest)": _by_length,
    rf"{_ASK} the (?P<which>longest|shortest) word(?: {_THESE})?": _by_length,
    rf"which (?:one )?(?:word|{_THESE}) comes (?P<which>first|last) (?:in the alphabet|alphabetically"
    r"|in alphabetical order)": _in_alphabet,
    rf"{_ASK} the (?P<which>{'|'.join(_ORDINALS)}|last) (?:word|item|element|name|entry|number) "
    r"(?:of|in|on) (?:this|the|my|the following) list": _at_place,
}  # fmt: skip
