"""YAML into a tree with lines. Loading PyYAML takes longer than all else here: import this module only to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from hybrid_mcp.config.scalars import shown
from hybrid_mcp.config.text_file import read_text, wrong
from hybrid_mcp.config.tree import Items, Node, Scalar, Table
from hybrid_mcp.domain.errors import ConfigError

MAX_DEPTH = 8
"""Twice as deep as a profile goes."""

_Events = Iterator[yaml.Event]


def read_yaml(path: Path) -> Table:
    """The one document of a YAML file, a mapping.

    Raises:
        ConfigError: not such a file. Anchors, aliases and tags are refused: nothing in a profile needs them.
    """
    text = read_text(path)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _document(path, iter(yaml.parse(text, Loader=loader)))
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(path, text, error) from None
    except yaml.YAMLError as error:
        problem = str(error).partition("\n")[0]
        raise wrong(path, None, "", f"is not YAML ({problem}); save it as plain text") from None


def _syntax_error(path: Path, text: str, error: yaml.MarkedYAMLError) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    lines = text.split("\n")
    tab = line < len(lines) and "\t" in lines[line]
    remedy = "indent with spaces, not with tabs" if tab else "mend the YAML there"
    problem = error.problem or error.context or "cannot be read"
    return wrong(path, line + 1, "", f"is not YAML: {problem}; {remedy}")


def _document(path: Path, events: _Events) -> Table:
    for event in events:
        if isinstance(event, yaml.StreamEndEvent):
            break
        if not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            root = _node(path, events, event, 0)
            _refuse_more(path, events)
            if isinstance(root, Table):
                return root
            raise wrong(path, root.line, "", "is not made of `key: value` lines; start with `profile: NAME`")
    raise wrong(path, None, "", "is empty; start with `profile: NAME`")


def _refuse_more(path: Path, events: _Events) -> None:
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            raise wrong(path, _line(event), "", "holds a second document; keep one profile in a file")


def _node(path: Path, events: _Events, event: yaml.Event, depth: int) -> Node:
    line = _line(event)
    _refuse_unused_syntax(path, line, event)
    if depth > MAX_DEPTH:
        raise wrong(path, line, "", f"is nested more than {MAX_DEPTH} deep; a profile is flatter than that")
    if isinstance(event, yaml.MappingStartEvent):
        return Table(line=line, entries=tuple(_entries(path, events, depth + 1)))
    if isinstance(event, yaml.SequenceStartEvent):
        return Items(line=line, nodes=tuple(_items(path, events, depth + 1)))
    plain = getattr(event, "style", None) in {None, ""}
    return Scalar(line=line, text=str(getattr(event, "value", "")), plain=plain)


def _refuse_unused_syntax(path: Path, line: int, event: yaml.Event) -> None:
    # An alias has the anchor that it repeats.
    if getattr(event, "anchor", None) is not None:
        raise wrong(path, line, "", "anchors (&) and aliases (*) are not read; write the value out, or quote it")
    if getattr(event, "tag", None) is not None:
        raise wrong(path, line, "", "tags (!) are not read; write the plain value, or quote it")


def _items(path: Path, events: _Events, depth: int) -> Iterator[Node]:
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            return
        yield _node(path, events, event, depth)


def _entries(path: Path, events: _Events, depth: int) -> Iterator[tuple[Scalar, Node]]:
    seen: dict[str, int] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            return
        key = _node(path, events, event, depth)
        if not isinstance(key, Scalar):
            raise wrong(path, key.line, "", "a key is a list or a mapping; write `key: value`")
        if key.text in seen:
            first = seen[key.text]
            raise wrong(path, key.line, shown(key.text), f"stands twice (first in line {first}); keep one of them")
        seen[key.text] = key.line
        yield key, _node(path, events, next(events), depth)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
