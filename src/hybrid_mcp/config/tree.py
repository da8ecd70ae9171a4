"""A parsed file as a small tree in which every value knows its line. Values stay text until a key gives them a type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """`plain`: it stands without quotes, so it may be a number, a boolean or null."""

    line: int
    text: str
    plain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Keys in the order of the file; none stands twice."""

    line: int
    entries: tuple[tuple[Scalar, Node], ...]


Node = Scalar | Items | Table
