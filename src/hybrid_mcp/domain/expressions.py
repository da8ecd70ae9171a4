"""Tells code, names and paths from values that a generator made: by their words, and by the order of their signs."""

from __future__ import annotations

import re

_WORD = r"[A-Z]?[a-z]{2,}|[A-Z]{1,7}[a-z]{2,}|[A-Z]{2,}|[A-Z](?![a-z])|[a-z](?![a-z])"
_REGULAR = re.compile(rf"(?:{_WORD})(?:\d{{0,5}}(?:{_WORD}))*\d{{0,5}}|[a-z]?|[A-Z][a-z]?")
_NUMBER = re.compile(r"\d+|0[xob][0-9a-fA-F]+")
_UNSPEAKABLE = re.compile(
    r"[b-df-hj-np-tv-xz]{5}|(?<![a-z])(?!html|http|smtp|dhcp|mqtt|grpc)[b-df-hj-np-tv-xz]{4}(?![a-z])"
)
"""Consonants as they come by chance; `strengths` has four at once."""
_HUMP = re.compile(r"[A-Z]+|\d+|(?<![A-Za-z])[a-z]")
_AFTER_DIGITS = re.compile(r"\d[a-z]")
_SEPARATED = re.compile(r"[_$]+")
_LETTERS_A_HUMP = 4
"""English words have more letters than that; random ones have a capital or a digit sooner."""
_SHORT = 3

_NAME = r"[$@]?[A-Za-z_]\w*[!?]?"
_STRING = "|".join(rf"{quote}(?:[\w .:/=,$(){{}}\[\]-]*|[^\w{quote}]{{0,3}})(?:{quote}|\Z)" for quote in "\"'`")
_OPERAND = rf"(?:{_STRING}|{_NAME}|\d[\w.]*)(?:\(\)|\[\]|{{}}){{0,2}}"
_BETWEEN = (
    r"(?:\.{1,3}|\?\.|->|::|=>|[=!]==?|[<>]=?|&&|\|\||\?\?|<<|>>|\*\*|//|:=|\+=|[-+*/%|&^?:=,;]|,;|;,)"
    r"[!~&*+-]?"
)
_CODE = re.compile(
    rf"[!~&*+-]?[(\[{{<]{{0,3}}[!~&*+-]?{_OPERAND}"
    rf"(?:[)\]}}>]{{0,4}}(?:{_BETWEEN}|[(\[{{<]){{1,3}}{_OPERAND})*"
    rf"(?:[(\[{{<]{{1,2}}|{_BETWEEN})?(?:[)\]}}>]{{1,4}}(?:{_BETWEEN})?)?[,;:.?\\]{{0,2}}"
)
_PIECES = re.compile(r"[A-Za-z0-9_$]+")
_SCRAP = re.compile(r"[A-Z]{1,3}|[a-zA-Z]?\d+[A-Za-z]?|[a-z]{1,2}[A-Z]|[A-Z][a-z]")
"""Rare in code, and most of what lies between the signs of a random value."""
_BRACKETS = re.compile(r"(?<![-=])[()\[\]{}]")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_SIGNS = re.compile(r"[^\w\s]")
_MANY_SIGNS = 4
_PATH = re.compile(r"(?:~|\.{1,2})?/[\w.@+:=/-]*[,;:]?")
_PARTS_OF_PATHS = re.compile(r"[/.@+:=,;-]+")


def is_regular(name: str) -> bool:
    """Whether a run of letters and digits has the humps of an identifier: `utf8`, `XMLHttpRequest`, `db_password2`."""
    return all(map(_is_regular_part, _SEPARATED.split(name)))


def _is_regular_part(part: str) -> bool:
    if len(part) < 2 or _NUMBER.fullmatch(part):
        return True
    if not _REGULAR.fullmatch(part) or len(_AFTER_DIGITS.findall(part)) > 1 or _UNSPEAKABLE.search(part.lower()):
        return False
    return len(part) <= _SHORT or len(_HUMP.findall(part)) * _LETTERS_A_HUMP <= len(part) + 3


def is_code(value: str) -> bool:
    """Whether a value that stands in no quotes is an expression, a type or a part of one."""
    if not _CODE.fullmatch(value):
        return False
    pieces = _PIECES.findall(value)
    scraps = sum(1 for piece in pieces if _SCRAP.fullmatch(piece))
    return scraps * 4 <= len(pieces) + 3 and all(map(is_regular, pieces)) and _is_balanced(value)


def _is_balanced(value: str) -> bool:
    """Whether each bracket that closes closes the last one, or one before the value; some may stay open."""
    open_ones = ""
    for bracket in _BRACKETS.findall(value):
        if bracket in _CLOSES:
            if open_ones and open_ones[-1] != _CLOSES[bracket]:
                return False
            open_ones = open_ones[:-1]
        else:
            open_ones += bracket
    return True


def is_scrambled(value: str) -> bool:
    """Whether a generator made it, though it holds no digit: capitals where no word has them, or many signs."""
    if value == value.lower() or value == value.upper():
        return False
    return is_mixed(value)


def is_mixed(value: str) -> bool:
    """Whether it holds many signs, or letters and digits in an order that no name has."""
    return len(set(_SIGNS.findall(value))) >= _MANY_SIGNS or not all(map(is_regular, set(_PIECES.findall(value))))


def is_path(value: str) -> bool:
    """Words with slashes between them, of which one comes first."""
    return _PATH.fullmatch(value) is not None and all(map(is_regular, _PARTS_OF_PATHS.split(value.removeprefix("~"))))
