"""Reads JSON with comments and trailing commas, and tells where everything stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_TRIVIA = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)+", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"')
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
BLANK = " \t\r\n"


class Broken(ValueError):
    """A text that is not edited as it stands. `line` counts from 1."""

    def __init__(self, text: str, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.line = text.count("\n", 0, offset) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value from `start` to `end`; `items` of an array, `members` of an object."""

    kind: Literal["object", "array", "scalar"]
    start: int
    end: int
    items: tuple[Node, ...] = ()
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A key, from `start` on, with its value. `comma`: where the one after it stands."""

    key: str
    start: int
    value: Node
    comma: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text that was understood. `comments`: from where to where each goes."""

    text: str
    root: Node
    comments: tuple[tuple[int, int], ...]


@lru_cache(maxsize=2)
def parse(text: str) -> Document:
    """The last two texts are remembered: the one before a change and the one after it, each of which may be large.

    Raises:
        Broken: the text is no JSON.
    """
    scan = _Scan(text)
    try:
        scan.skip()
        root = scan.value()
        scan.skip()
    except RecursionError:
        raise Broken(text, scan.at, "is nested too deep") from None
    if scan.at < len(text):
        raise scan.wrong("nothing may follow the object")
    return Document(text=text, root=root, comments=tuple(scan.comments))


def member(document: Document, node: Node, key: str) -> Member | None:
    """The member of an object.

    Raises:
        Broken: it stands there twice, so that programs may read either of them.
    """
    found = [one for one in node.members if one.key == key]
    if len(found) > 1:
        raise Broken(document.text, found[1].start, f"{key!r} stands twice; keep one of them")
    return found[0] if found else None


def value(text: str, node: Node) -> object:
    """The value as Python's own."""
    match node.kind:
        case "object":
            return {one.key: value(text, one.value) for one in node.members}
        case "array":
            return [value(text, item) for item in node.items]
        case "scalar":
            return json.loads(text[node.start : node.end])


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.comments: list[tuple[int, int]] = []

    def wrong(self, problem: str) -> Broken:
        return Broken(self.text, self.at, problem)

    def skip(self) -> None:
        """White space and comments."""
        found = _TRIVIA.match(self.text, self.at)
        if found:
            self.comments += (one.span() for one in _COMMENT.finditer(self.text, self.at, found.end()))
            self.at = found.end()

    def value(self) -> Node:
        match self.text[self.at : self.at + 1]:
            case "{":
                return self._object()
            case "[":
                return self._array()
            case '"':
                return self._token(_STRING, "the string is not closed, or holds what no string may")
            case _:
                return self._token(_SCALAR, "a value is expected here")

    def _token(self, pattern: re.Pattern[str], problem: str) -> Node:
        found = pattern.match(self.text, self.at)
        if not found:
            raise self.wrong(problem)
        self.at = found.end()
        return Node(kind="scalar", start=found.start(), end=found.end())

    def _object(self) -> Node:
        start, members = self.at, list[Member]()
        self._step()
        while self._char() != "}":
            key_at, key = self.at, self._key()
            if self._char() != ":":
                raise self.wrong("a colon is expected here")
            self._step()
            found = self.value()
            self.skip()
            members.append(Member(key=key, start=key_at, value=found, comma=self._comma("}")))
        self.at += 1
        return Node(kind="object", start=start, end=self.at, members=tuple(members))

    def _array(self) -> Node:
        start, items = self.at, list[Node]()
        self._step()
        while self._char() != "]":
            items.append(self.value())
            self.skip()
            self._comma("]")
        self.at += 1
        return Node(kind="array", start=start, end=self.at, items=tuple(items))

    def _key(self) -> str:
        if self._char() != '"':
            raise self.wrong("a key in double quotes is expected here")
        node = self._token(_STRING, "the key is not closed, or holds what no string may")
        self.skip()
        return str(json.loads(self.text[node.start : node.end]))

    def _comma(self, closing: str) -> int | None:
        """Past the comma after a value, None where the closing bracket stands there."""
        if self._char() == closing:
            return None
        if self._char() != ",":
            raise self.wrong(f"a comma or {closing} is expected here")
        comma = self.at
        self._step()
        return comma

    def _step(self) -> None:
        self.at += 1
        self.skip()

    def _char(self) -> str:
        return self.text[self.at : self.at + 1]
