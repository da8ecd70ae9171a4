"""Changes one entry in the text of a JSON file, and no other character than that takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from hybrid_mcp.install.jsonc import BLANK, Broken, Document, Member, Node, member, parse, value

_REST_OF_LINE = re.compile(r"(?:[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/))*")
_FIRST_INDENT = re.compile(r"\n([ \t]+)[^\s/*]")
_LINE_END = re.compile(r"[ \t]*(?:\r?\n|$)")
Edit = tuple[int, int, str]
"""From where to where, and what stands there afterwards."""


def entry(text: str, key: str, name: str) -> object:
    """The server of this name as Python's own value, None where there is none.

    Raises:
        Broken: the text is no JSON object, or what it says is not plain.
    """
    if not text.strip(BLANK):
        return None
    document = parse(text)
    found = _find(document, (key, name))
    return None if found is None else value(text, found[-1].value)


def with_entry(text: str, key: str, name: str, fields: Mapping[str, object]) -> str:
    """The text with this server; of one that is there already the other fields stay.

    Raises:
        Broken: see `entry`.
    """
    if not text.strip(BLANK):
        return text + _rendered({key: {name: fields}}, "", "  ", _newline(text)) + _newline(text)
    if not isinstance(entry(text, key, name), dict):
        return _checked(text, _set(text, (key, name), fields), key, name)
    changed = text
    for field, wanted in fields.items():
        changed = _set(changed, (key, name, field), wanted)
    return _checked(text, changed, key, name)


def without_entry(text: str, key: str, name: str) -> str:
    """The text without this server, and without an object of servers that it leaves empty.

    Raises:
        Broken: see `entry`.
    """
    changed = _remove(text, (key, name))
    document = parse(changed)
    servers = _find(document, (key,))
    if servers and _says_nothing(document, servers[-1]):
        changed = _remove(changed, (key,))
    return _checked(text, changed, key, name)


def entry_text(text: str, key: str, name: str, kept: Iterable[str]) -> str:
    """The entry as it is written, for showing: every string in other fields than these is hidden, and the comments."""
    found = _find(parse(text), (key, name)) if text.strip(BLANK) else None
    if found is None:
        return ""
    last = found[-1]
    hidden: list[Edit] = [
        (one.value.start, one.value.end, '"..."')
        for one in last.value.members
        if one.key not in set(kept) and one.value.kind != "object"
    ]
    nested = [one.value for one in last.value.members if one.value.kind == "object" and one.key not in set(kept)]
    hidden += [(one.value.start, one.value.end, '"..."') for node in nested for one in node.members]
    hidden += [(start, end, "/* ... */") for start, end in parse(text).comments if last.start < start < last.value.end]
    outer = [(start, end, new) for start, end, new in hidden if not _inside(start, end, hidden)]
    shown = _applied(text[: last.value.end], outer)
    return _line_indent(text, last.start) + shown[last.start :]


def _inside(start: int, end: int, others: Sequence[Edit]) -> bool:
    return any(one <= start and end <= other and (one, other) != (start, end) for one, other, _ in others)


def _find(document: Document, path: Sequence[str]) -> list[Member] | None:
    """The members along a path, None where one is missing."""
    node, found = document.root, list[Member]()
    for key in path:
        if node.kind != "object":
            whose = repr(found[-1].key) if found else "the file"
            raise Broken(document.text, node.start, f"{whose} must be an object")
        one = member(document, node, key)
        if one is None:
            return None
        found.append(one)
        node = one.value
    return found


def _set(text: str, path: Sequence[str], wanted: object) -> str:
    document = parse(text)
    found = _find(document, path)
    if found is not None:
        node = found[-1].value
        if value(text, node) == wanted:
            return text
        base = _line_indent(text, found[-1].start)
        return text[: node.start] + _rendered(wanted, base, _unit(text), _newline(text)) + text[node.end :]
    there = max(depth for depth in range(len(path)) if _find(document, path[:depth]) is not None)
    for key in reversed(path[there + 1 :]):
        wanted = {key: wanted}
    parents = _find(document, path[:there])
    return _insert(text, parents[-1].value if parents else document.root, path[there], wanted)


def _insert(text: str, node: Node, key: str, wanted: object) -> str:
    if _is_inline(text, node):
        written = f"{json.dumps(key)}: {json.dumps(wanted, ensure_ascii=False)}"
        return _appended(text, node, written, " " if node.members else "")
    unit, newline = _unit(text), _newline(text)
    outer = _line_indent(text, node.start)
    last = node.members[-1].start if node.members else None
    indent = _line_indent(text, last) if last is not None and _starts_line(text, last) else outer + unit
    written = f"{json.dumps(key)}: {_rendered(wanted, indent, unit, newline)}"
    if node.members:
        return _appended(text, node, written, newline + indent)
    inner = text[node.start + 1 : node.end - 1]
    at = node.start + 1 + len(inner.rstrip(BLANK))
    closing = "" if "\n" in text[at : node.end] else newline + outer
    return _applied(text, [(at, at, newline + indent + written + closing)])


def _appended(text: str, node: Node, written: str, before: str) -> str:
    """After the last member and what is said about it on its line; a trailing comma stays one."""
    if not node.members:
        return _applied(text, [(node.end - 1, node.end - 1, before + written)])
    last = node.members[-1]
    if last.comma is not None:
        at = _line_comments_end(text, last.comma + 1)
        return _applied(text, [(at, at, before + written + ",")])
    at = _line_comments_end(text, last.value.end)
    return _applied(text, [(last.value.end, last.value.end, ","), (at, at, before + written)])


def _remove(text: str, path: Sequence[str]) -> str:
    document = parse(text)
    found = _find(document, path)
    if found is None:
        return text
    gone, node = found[-1], found[-2].value if len(found) > 1 else document.root
    place = node.members.index(gone)
    edits: list[Edit] = [(_blank_before(document, gone), gone.value.end, "")]
    if gone.comma is not None:
        edits.append((gone.comma, gone.comma + 1, ""))
    elif place:
        comma = cast("int", node.members[place - 1].comma)
        edits.append((comma, comma + 1, ""))
    left = _applied(text[: node.end], edits)[node.start :]
    if not left[1:-1].strip(BLANK):
        return text[: node.start] + "{}" + text[node.end :]
    return _applied(text, edits)


def _says_nothing(document: Document, servers: Member) -> bool:
    """Whether an object is empty, of comments too."""
    start, end = servers.start, servers.value.end
    return not servers.value.members and not any(start < comment < end for comment, _ in document.comments)


def _blank_before(document: Document, gone: Member) -> int:
    """From where on the white space before a member goes with it; after a line comment a line end must stay."""
    text, at = document.text, gone.start
    while text[at - 1] in BLANK:
        at -= 1
    rest = (gone.comma if gone.comma is not None else gone.value.end - 1) + 1
    after_line_comment = any(end == at and text.startswith("//", start) for start, end in document.comments)
    return gone.start if after_line_comment and not _LINE_END.match(text, rest) else at


def _checked(before: str, after: str, key: str, name: str) -> str:
    """The changed text, if all but the entry is what it was: a mistake here must not reach a file."""
    if _everything_else(before, key, name) != _everything_else(after, key, name):
        raise Broken(before, 0, f"{name!r} cannot be changed without touching something else; change it by hand")
    return after


def _everything_else(text: str, key: str, name: str) -> object:
    document = parse(text)
    found = _find(document, (key, name))
    start, end = (found[-1].start, found[-1].value.end) if found else (0, 0)
    comments = [text[one:other] for one, other in document.comments if not start <= one < end]
    return _frozen(text, document.root, (key, name)), comments


def _frozen(text: str, node: Node, path: Sequence[str]) -> object:
    """A value to compare: numbers as they are written, keys in their order, and nothing at the end of the path."""
    match node.kind:
        case "scalar":
            return text[node.start : node.end]
        case "array":
            return ("array", *(_frozen(text, item, ()) for item in node.items))
        case "object":
            pairs = [
                (one.key, _frozen(text, one.value, path[1:] if path and one.key == path[0] else ()))
                for one in node.members
                if path[:1] != (one.key,) or len(path) > 1
            ]
            # An empty object of servers is none.
            return ("object", *(pair for pair in pairs if pair[1] != ("object",) or path[:1] != (pair[0],)))


def _rendered(wanted: object, indent: str, unit: str, newline: str) -> str:
    """Objects over several lines, everything else on one."""
    if not isinstance(wanted, dict):
        return json.dumps(wanted, ensure_ascii=False)
    inner = indent + unit
    rows = [
        f"{inner}{json.dumps(key, ensure_ascii=False)}: {_rendered(one, inner, unit, newline)}"
        for key, one in cast("dict[str, object]", wanted).items()
    ]
    return f"{{{newline}{f',{newline}'.join(rows)}{newline}{indent}}}"


def _applied(text: str, edits: Iterable[Edit]) -> str:
    # From the back on; of two at one place the first stands first.
    for _, (start, end, new) in sorted(enumerate(edits), key=lambda one: (one[1][0], one[0]), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _is_inline(text: str, node: Node) -> bool:
    """Whether an object stands on one line, and what is added to it should too."""
    if node.members:
        return "\n" not in text[node.start : node.end]
    return "\n" not in text.strip(BLANK) and (node.start, node.end) != _outermost(text)


def _outermost(text: str) -> tuple[int, int]:
    root = parse(text).root
    return root.start, root.end


def _line_comments_end(text: str, at: int) -> int:
    found = _REST_OF_LINE.match(text, at)
    return found.end() if found else at


def _starts_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t")


def _line_indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    found = _FIRST_INDENT.search(text)
    return found[1] if found else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
