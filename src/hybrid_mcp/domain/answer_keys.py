"""Are the keys in an answer that the prompt names for the JSON it wants made, and for nothing else?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from hybrid_mcp.domain.answer_text import Exchange

_KEY = r"(?:\"[\w-]{1,40}\"|'[\w-]{1,40}'|`[\w-]{1,40}`)"
_KEYS = rf"{_KEY}(?:(?:,? and |, ?){_KEY}){{0,11}}"
_JSON = r"(?:only )?(?:an? |one )?(?:single )?(?:valid )?JSON(?: object| array| list)?"
_MAKE = (
    r"(?:please )?(?:return|give|output|extract|respond|reply|answer|produce|create|write|format|list)"
    r"(?: me)?(?: only)?"
)
_MATERIAL = r"(?:(?: for| from| of| about| describing)[^:.?!\n\"'`]{0,60})?: *\n*(?P<material>\S.*)"
_ASKED = re.compile(
    rf"{_MAKE} (?:(?:with )?|(?!an? )[^:.?!\n\"'`]{{1,60}} (?:as|in) ){_JSON} (?:with|containing|having|that has|using)"
    rf" (?:only )?(?:the |these )?(?:\w{{2,9}} )?(?:keys?|fields?|properties|property|attributes?)"
    rf"(?: named| called|:)? (?P<named>{_KEYS}){_MATERIAL}"
    rf"|{_MAKE} (?:the )?(?P<taken>{_KEYS}) (?:as|in) {_JSON}{_MATERIAL.replace('material', 'more')}",
    re.IGNORECASE | re.DOTALL,
)
"""The whole prompt: JSON is to be made, of these keys, out of what stands after a colon."""
_NAME = re.compile(r"[\"'`]([\w-]+)[\"'`]")
_OTHER_WISH = re.compile(
    r"\b(?:function|code|script|schema|class|quer(?:y|ies)|program|command|interface|that returns?|which returns?"
    r"|keys?|fields?|propert(?:y|ies)|attributes?|rename[ds]?|instead|translate[ds]?)\b"
    r"|optional|if (?:present|known|any|available|possible|there|missing|unknown)|\bomit|leave out|\bmay\b|\bnull\b",
    re.IGNORECASE,
)
_MOST_SAID = 3_000
_READER = json.JSONDecoder(parse_int=str, parse_float=str)
"""Numbers are not read: one may have thousands of digits."""


def lacks_keys(given: Exchange) -> bool:
    """Whether JSON of named keys was to be made, and the answer holds none at all, or JSON that lacks one of them."""
    asked = _ASKED.fullmatch(given.prompt.strip()) if given.short and len(given.text) <= _MOST_SAID else None
    if asked is None:
        return False
    named = asked["named"] or asked["taken"]
    material = asked["material"] or asked["more"]
    wish = given.prompt.strip().removesuffix(material)
    if _OTHER_WISH.search(material) or len(_OTHER_WISH.findall(wish)) > bool(asked["named"]):
        return False
    if "{" not in given.text and "[" not in given.text:
        return True
    held = _keys_of(given.text)
    return bool(held) and not all(name in held or f'"{name}"' in given.text for name in _NAME.findall(named))


def _keys_of(text: str) -> set[str]:
    """Of all objects in the first JSON that it holds, however deep; empty where that does not parse, or has none."""
    at = min(place for place in (text.find("{"), text.find("[")) if place >= 0)
    try:
        value, _ = _READER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return set()
    return set(_keys_in(value))


def _keys_in(value: object) -> Iterator[str]:
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            held = cast("dict[str, Any]", one)
            yield from held
            waiting.extend(held.values())
        elif isinstance(one, list):
            waiting.extend(cast("list[Any]", one))
