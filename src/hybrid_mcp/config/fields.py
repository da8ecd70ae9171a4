"""Gives the values of a parsed profile their types. Every error names file, line and key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hybrid_mcp.config import scalars
from hybrid_mcp.config.scalars import shown
from hybrid_mcp.config.text_file import wrong
from hybrid_mcp.config.tree import Items, Node, Scalar, Table
from hybrid_mcp.domain.errors import ConfigError

_NULL = frozenset({"", "~", "null", "Null", "NULL"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A value, and where it stands. `key` is dotted: `routing_rules.fallback`."""

    path: Path
    line: int
    key: str
    node: Node

    def wrong(self, problem: str) -> ConfigError:
        return wrong(self.path, self.line, self.key, problem)

    @property
    def is_null(self) -> bool:
        """Nothing stands there, or YAML's null."""
        return isinstance(self.node, Scalar) and self.node.plain and self.node.text in _NULL


Fields = Mapping[str, Field]


def take(fields: Fields, key: str, read: Callable[[Field], T], default: T) -> T:
    """The value of a key, or the default where the file does not have the key."""
    field = fields.get(key)
    return default if field is None else read(field)


def table(field: Field, known: Iterable[str]) -> Fields:
    """The entries of a mapping, whose keys must all be known."""
    entries = named_entries(field)
    names = tuple(known)
    for name, entry in entries.items():
        if name not in names:
            raise entry.wrong(f"unknown key; {scalars.suggestion(name, names)}")
    return entries


def named_entries(field: Field) -> Fields:
    """The entries of a mapping, whatever their keys."""
    if not isinstance(field.node, Table):
        raise field.wrong("must be a mapping; write it as `key: value` lines below, indented")
    prefix = f"{field.key}." if field.key else ""
    return {
        key.text: Field(path=field.path, line=key.line, key=f"{prefix}{_printable(key.text)}", node=node)
        for key, node in field.node.entries
    }


def items(field: Field) -> tuple[Field, ...]:
    """The values of a list; nothing after the key counts as an empty one."""
    if field.is_null:
        return ()
    if not isinstance(field.node, Items):
        raise field.wrong("must be a list; write it as `[a, b]`, or each value in its own line after `- `")
    return tuple(
        Field(path=field.path, line=node.line, key=f"{field.key}[{index}]", node=node)
        for index, node in enumerate(field.node.nodes)
    )


def text(field: Field) -> str:
    """A text, in quotes or not."""
    scalar = _scalar(field, "a text")
    if scalar.plain and (field.is_null or scalars.is_other_type(scalar.text)):
        raise field.wrong(f"must be a text, not {shown(scalar.text)}; write a name, or put it into quotes")
    return scalar.text


def boolean(field: Field) -> bool:
    """True or false, as YAML spells them."""
    return _read(field, "true or false", scalars.boolean)


def choice(field: Field, choices: tuple[T, ...]) -> T:
    """One of a few words, of which YAML may take one for a boolean, such as `off`."""
    known = _scalar(field, "a text").text in map(str, choices)
    word = _scalar(field, "a text").text if known else text(field)
    for value in choices:
        if value == word:
            return value
    names = tuple(str(value) for value in choices)
    raise field.wrong(f"{shown(word)} is not known; use one of {', '.join(names)}")


def number(field: Field, read: Callable[[str], T]) -> T:
    """A number without quotes, read exactly from its text."""
    scalar = _scalar(field, "a number")
    if not scalar.plain:
        raise field.wrong(f"must be a number, not a text in quotes; write {shown(scalar.text)} without the quotes")
    return _read(field, "a number", read)


def plain(field: Field, read: Callable[[str], T]) -> T:
    """A value that may look like a number or like a word, in quotes or not."""
    return _read(field, "a value", read)


def number_or_null(field: Field, read: Callable[[str], T]) -> T | None:
    """A number; null means: no such limit."""
    return None if field.is_null else number(field, read)


def parsed(field: Field, read: Callable[[str], T]) -> T:
    """A text in a form of its own; `read` raises ValueError."""
    value = text(field)
    try:
        return read(value)
    except ValueError as error:
        raise field.wrong(str(error)) from None


def _read(field: Field, what: str, read: Callable[[str], T]) -> T:
    scalar = _scalar(field, what)
    if field.is_null:
        raise field.wrong(f"has no value; write {what}, or leave the key out")
    try:
        return read(scalar.text)
    except ValueError as error:
        raise field.wrong(str(error)) from None


def _scalar(field: Field, what: str) -> Scalar:
    if not isinstance(field.node, Scalar):
        found = "a list" if isinstance(field.node, Items) else "a mapping"
        raise field.wrong(f"must be {what}, not {found}; write one value after the colon")
    return field.node


def _printable(name: str) -> str:
    return name if name.isprintable() and 0 < len(name) <= scalars.SHOWN_CHARACTERS else shown(name)
