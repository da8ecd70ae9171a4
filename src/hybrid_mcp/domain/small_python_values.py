"""Values of small Python programs: what they may grow to, and which of Python's own functions and methods they have.

Every operation is Python's own, done only where it is known beforehand to be small, so a value is never another one
than Python's. Values are Any here: they are those of a program, whatever their type.
"""

from __future__ import annotations

import ast
import itertools
import math
import types
from collections.abc import Callable, Mapping
from typing import Any, cast

MOST_ITEMS = 1_000
"""In a list, and characters in a text."""
_MOST_BITS = 700
_MOST_STEPS = 1_000
_MOST_WEIGHT = 2_000

_CONTAINERS: frozenset[type] = frozenset({list, tuple, dict, set})
_SEQUENCES: frozenset[type] = frozenset({str, list, tuple})
_NUMBERS: frozenset[type] = frozenset({int, float, bool})
_VIEWS: frozenset[type] = frozenset(map(type, cast("list[Any]", [{}.keys(), {}.values(), {}.items()])))
_ONE_BY_ONE: frozenset[type] = frozenset(
    (enumerate, zip, types.GeneratorType, *(type(reversed(one)) for one in cast("list[Any]", [[], "", range(0)])))
)
"""What is used up by reading it. Its text is an address."""
_READABLE = _CONTAINERS | _SEQUENCES | _VIEWS | _ONE_BY_ONE | {range}


class NoValue(Exception):
    """The program is none that can be worked out here, or Python would raise."""


def kind_of(value: object) -> type[object]:
    """Its very type; a test of it tells the type checker nothing, to which the values stay Any."""
    return type(value)


class Work:
    """What a program may still do, and what it has printed."""

    def __init__(self) -> None:
        self._steps, self._weight = _MOST_STEPS, _MOST_WEIGHT
        self.printed = ""

    def step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise NoValue

    def weigh(self, *values: Any, shown: bool = False) -> None:
        """Before anything is done whose time grows with the values, however they are nested or shared."""
        waiting: list[Any] = [*values]
        while waiting:
            value = waiting.pop()
            self._weight -= 1 + _own_weight(value, shown=shown)
            if self._weight < 0:
                raise NoValue
            if kind_of(value) in _CONTAINERS or kind_of(value) in _VIEWS:
                waiting.extend(value)
            if kind_of(value) is dict:
                waiting.extend(cast("dict[Any, Any]", value).values())

    def copied(self, value: Any) -> Any:
        """The copy of a part, weighed by its length: what it holds is shared. A range copies nothing."""
        kind = kind_of(value)
        if kind in _SEQUENCES:
            self._weight -= len(value) // 8 if kind is str else len(value)
        if self._weight < 0:
            raise NoValue
        return value

    def text(self, value: Any, write: Callable[[Any], str] = str) -> str:
        self.weigh(value, shown=True)
        return sized(write(value))

    def write(self, text: str) -> None:
        self.printed = sized(self.printed + text)


def _own_weight(value: Any, *, shown: bool) -> int:
    """Without what it holds. What has no text that is the same each time cannot be shown."""
    kind = kind_of(value)
    if shown and (kind in _ONE_BY_ONE or (kind is set and len(value) > 1)):
        raise NoValue
    if kind is range:
        return 0 if shown else len(value)
    return len(value) // 8 if kind is str else 0


def sized(value: Any) -> Any:
    """The value, where it has a type and a size that is allowed."""
    kind = kind_of(value)
    if kind is int:
        small = value.bit_length() <= _MOST_BITS
    elif kind is float:
        small = math.isfinite(value)
    elif kind is str or kind in _CONTAINERS:
        small = len(value) <= MOST_ITEMS
    else:
        small = value is None or kind in _READABLE or kind is bool
    if not small:
        raise NoValue
    return value


def in_order(value: Any) -> Any:
    """The value, where it can be read one by one, in an order that is the same each time."""
    if kind_of(value) not in _READABLE or (kind_of(value) is set and len(value) > 1):
        raise NoValue
    return value


def items(value: Any) -> list[Any]:
    """All of them."""
    found: list[Any] = [*itertools.islice(in_order(value), MOST_ITEMS + 1)]
    return sized(found)


def _members(value: Any) -> list[Any]:
    """All of them, where nothing depends on their order."""
    return list(value) if kind_of(value) is set else items(value)


def container(value: Any) -> Any:
    """The value, where `in` and `[]` may be asked of it."""
    if kind_of(value) not in _CONTAINERS | _SEQUENCES | {range}:
        raise NoValue
    return value


_SIGNS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
    ast.Pow: lambda left, right: left**right,
}


def combined(sign: ast.operator, left: Any, right: Any) -> Any:
    """`left + right` and the like, of numbers, or of texts and lists that stay small."""
    numbers = kind_of(left) in _NUMBERS and kind_of(right) in _NUMBERS
    if type(sign) not in _SIGNS or not (_is_small(sign, left, right) if numbers else _is_short(sign, left, right)):
        raise NoValue
    return sized(_SIGNS[type(sign)](left, right))


def _is_small(sign: ast.operator, left: Any, right: Any) -> bool:
    if float in {kind_of(left), kind_of(right)}:
        return True
    if isinstance(sign, ast.Pow):
        return left.bit_length() * abs(right) <= _MOST_BITS
    return True  # numbers this small are multiplied at once


def _is_short(sign: ast.operator, left: Any, right: Any) -> bool:
    if isinstance(sign, ast.Add):
        return kind_of(left) in _SEQUENCES and kind_of(right) in _SEQUENCES
    many, times = (right, left) if isinstance(left, int) else (left, right)
    fits = kind_of(many) in _SEQUENCES and isinstance(times, int) and len(many) * times <= MOST_ITEMS
    return isinstance(sign, ast.Mult) and fits


def _sum(value: Any, start: Any = 0) -> Any:
    """Not of decimals: versions of Python round them differently."""
    found = [start, *_members(value)]
    if not all(isinstance(one, int) for one in found):
        raise NoValue
    return sum(found)


def _rounded(value: Any, digits: Any = None) -> Any:
    if kind_of(value) not in _NUMBERS or not (digits is None or (kind_of(digits) is int and abs(digits) <= 20)):
        raise NoValue
    return round(value, digits)


def _read(value: Any) -> Any:
    """What `any` and `all` read no further than they must: each step of a generator is counted."""
    if kind_of(value) is types.GeneratorType:
        return value
    if kind_of(value) in _ONE_BY_ONE:
        raise NoValue
    return _members(value)


def _chosen(choose: Any) -> Callable[..., Any]:
    def function(*values: Any) -> Any:
        return choose(_members(values[0]) if len(values) == 1 else values)

    return function


def _sorted(value: Any, *, reverse: Any = False) -> list[Any]:
    return sorted(_members(value), reverse=reverse)


def _reversed(value: Any) -> Any:
    if kind_of(value) not in _SEQUENCES | {range}:
        raise NoValue
    return reversed(value)


def _enumerated(value: Any, start: int = 0) -> Any:
    return enumerate(in_order(value), start)


def _zipped(*values: Any) -> Any:
    return zip(*map(in_order, values), strict=False)


def _any(value: Any) -> bool:
    return any(_read(value))


def _all(value: Any) -> bool:
    return all(_read(value))


def _of(make: Any, read: Callable[[Any], Any]) -> Callable[..., Any]:
    """A type called with one value at the most."""

    def function(*values: Any) -> Any:
        if len(values) > 1:
            raise NoValue
        return make(*map(read, values))

    return function


FUNCTIONS: Mapping[str, Any] = {
    "len": len, "abs": abs, "range": range, "max": _chosen(max), "min": _chosen(min), "sum": _sum, "round": _rounded,
    "int": _of(int, sized), "float": _of(float, sized), "bool": _of(bool, sized),
    "list": _of(list, items), "tuple": _of(tuple, items), "set": _of(set, _members),
    "sorted": _sorted, "reversed": _reversed,
    "enumerate": _enumerated, "zip": _zipped, "any": _any, "all": _all,
}  # fmt: skip
"""`print` and `str` are not here, because they write text. Nothing may be named by a keyword but `reverse`."""
READERS = frozenset("list tuple set sum max min sorted any all".split())  # noqa: SIM905 - a list of words
"""They read a generator at once, so that nothing in it can change before."""
LIGHT_FUNCTIONS = frozenset("range len zip enumerate reversed any all".split())  # noqa: SIM905
"""They take no longer for a large value, or count for themselves what they read."""

_METHODS: Mapping[type, str] = {
    str: "upper lower strip lstrip rstrip title capitalize swapcase replace split join startswith endswith find count"
    " index isdigit isalpha isupper islower",
    list: "append pop extend insert reverse sort index count remove copy clear",
    tuple: "index count",
    dict: "keys values items get pop setdefault copy",
    set: "add discard remove",
}
_LIGHT_METHODS = "append pop insert keys values items get setdefault add"


def called(work: Work, value: Any, name: str, given: list[Any], keywords: dict[str, Any]) -> Any:
    """`value.name(given)`, where it is one of the methods above."""
    if name not in _METHODS.get(kind_of(value), "").split() or (keywords and name != "sort"):
        raise NoValue
    if name in {"join", "extend"}:
        given = [items(one) for one in given]
    work.weigh(*given)
    if name not in _LIGHT_METHODS.split():
        work.weigh(value)
    result = getattr(value, name)(*given, **keywords)
    sized(value)
    return sized(result)
