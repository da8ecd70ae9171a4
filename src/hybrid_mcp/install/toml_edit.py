"""Changes one table in the text of a TOML file, and no other line than that takes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from hybrid_mcp.install.jsonc import Broken

_KEY = r"(?:\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[A-Za-z0-9_-]+)"
_DOTTED = re.compile(rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*")
_BLANK = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"#[^\r\n]*")
_REST_OF_LINE = re.compile(r"[ \t]*(#[^\r\n]*)?\r?\n?")
_PIECE = re.compile(
    r'(?P<string>"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:\'{0,2})|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')'
    r"|(?P<comment>#[^\r\n]*)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>\n)|(?P<other>[^\"'#\[\]{}\n]+)",
    re.DOTALL,
)
_LINE = re.compile(r"\(at line (\d+)")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A table's head or a key with its value, with all of its lines. `value`: from where to where that stands."""

    path: Path
    start: int
    end: int
    value: tuple[int, int] | None


def entry(text: str, key: str, name: str) -> object:
    """The server of this name, None where there is none.

    Raises:
        Broken: the text is no TOML, or the servers are no table.
    """
    servers = _loaded(text).get(key, {})
    if not isinstance(servers, dict):
        raise Broken(text, 0, f"{key} must be a table")
    return cast("dict[str, object]", servers).get(name)


def with_entry(text: str, key: str, name: str, fields: Mapping[str, object]) -> str:
    """The text with this server; of one that is there already the other fields stay.

    Raises:
        Broken: see `entry`, or it is written in a form that is not edited.
    """
    found = entry(text, key, name)
    if found is None:
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        rows = "".join(f"{field} = {_rendered(wanted)}\n" for field, wanted in fields.items())
        written = f"{gap}[{key}.{name}]\n{rows}"
        added = text + (written.replace("\n", "\r\n") if "\r\n" in text else written)
        return _checked(text, added, key, name, fields)
    present = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    changed = text
    for field, wanted in fields.items():
        if present.get(field) != wanted:
            changed = _with_field(changed, (key, name), field, _rendered(wanted))
    return _checked(text, changed, key, name, fields)


def without_entry(text: str, key: str, name: str) -> str:
    """The text without this server's tables; comments on lines of their own stay.

    Raises:
        Broken: see `with_entry`.
    """
    target, changed = (key, name), text
    for one in reversed(_statements(text)[0]):
        if one.path[:2] == target:
            start = one.start - _blank_line_before(changed, one.start) if one.value is None else one.start
            changed = changed[:start] + changed[one.end :]
    return _checked(text, changed, key, name, None)


def entry_text(text: str, key: str, name: str, kept: Iterable[str]) -> str:
    """The entry as it is written, for showing: values of other fields than these are hidden, and the comments."""
    shown: list[str] = []
    names = set(kept)
    for one in _statements(text)[0]:
        if one.path[:2] != (key, name):
            continue
        if one.value is None:
            shown.append(text[one.start : one.end].split("#", 1)[0].strip())
        else:
            head = text[one.start : one.value[0]].strip()
            is_kept = len(one.path) > 2 and one.path[2] in names
            shown.append(f"{head} {text[slice(*one.value)] if is_kept else '...'}")
    return "\n".join(shown)


def _with_field(text: str, target: Path, field: str, written: str) -> str:
    statements = _statements(text)[0]
    for one in statements:
        if one.path == (*target, field) and one.value is not None:
            return text[: one.value[0]] + written + text[one.value[1] :]
    for one in statements:
        if one.path == target and one.value is None:
            newline = "\r\n" if "\r\n" in text else "\n"
            gap = "" if text[: one.end].endswith("\n") else newline
            return text[: one.end] + f"{gap}{field} = {written}{newline}" + text[one.end :]
    raise _not_edited(text, target)


def _not_edited(text: str, target: Path) -> Broken:
    statements = _statements(text)[0]
    near = [one.start for path in (target, target[:1]) for one in statements if one.path[: len(path)] == path]
    return Broken(
        text, near[0] if near else 0, f"is written in a form that is not edited; write it as [{'.'.join(target)}]"
    )


def _checked(before: str, after: str, key: str, name: str, fields: Mapping[str, object] | None) -> str:
    """The changed text, if all but the entry is what it was: a mistake here must not reach a file."""
    try:
        found = entry(after, key, name)
        same = _everything_else(before, key, name) == _everything_else(after, key, name)
    except Broken:
        raise _not_edited(before, (key, name)) from None
    present = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    as_wanted = found is None if fields is None else all(present.get(field) == one for field, one in fields.items())
    if not (same and as_wanted):
        raise _not_edited(before, (key, name))
    return after


def _everything_else(text: str, key: str, name: str) -> object:
    loaded = _loaded(text)
    servers = {one: table for one, table in cast("dict[str, object]", loaded.pop(key, {})).items() if one != name}
    statements, comments = _statements(text)
    ours = [(one.start, one.end) for one in statements if one.path[:2] == (key, name)]
    others = [text[start:end] for start, end in comments if not any(one <= start < other for one, other in ours)]
    return loaded, servers, others


def _loaded(text: str) -> dict[str, object]:
    try:
        # As they are written: 1.0 and 1.00 are two texts, and nan equals itself.
        return tomllib.loads(text, parse_float=lambda number: ("float", number))
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        at = sum(map(len, text.splitlines(keepends=True)[: int(found[1]) - 1])) if found else len(text)
        raise Broken(text, at, f"is not TOML: {str(error).split(' (at ')[0]}") from None
    except RecursionError:
        raise Broken(text, 0, "is nested too deep") from None


def _statements(text: str) -> tuple[list[Statement], list[tuple[int, int]]]:
    """Every statement and every comment of a text that is known to be TOML."""
    at, table, found, comments = 0, (), list[Statement](), list[tuple[int, int]]()
    while (at := _end(_BLANK, text, at)) < len(text):
        if text[at] == "#":
            end = _end(_COMMENT, text, at)
            comments.append((at, end))
            at = end
            continue
        start = text.rfind("\n", 0, at) + 1
        if text[at] == "[":
            brackets = 2 if text.startswith("[[", at) else 1
            table, at = _path(text, _end(_BLANK, text, at + brackets))
            path, span = table, None
            at = text.index("]", at) + brackets
        else:
            path, at = _path(text, at)
            span, inner = _value(text, text.index("=", at) + 1)
            comments += inner
            path, at = (*table, *path), span[1]
        rest = _REST_OF_LINE.match(text, at)
        if rest and rest[1]:
            comments.append(rest.span(1))
        at = rest.end() if rest else at
        found.append(Statement(path=path, start=start, end=at, value=span))
    return found, comments


def _path(text: str, at: int) -> tuple[Path, int]:
    """The parts of a dotted key, and where it ends."""
    end = _end(_DOTTED, text, at)
    parts, inner = list[str](), cast("object", tomllib.loads(f"{text[at:end]} = 0"))
    while isinstance(inner, dict):
        key, inner = next(iter(cast("dict[str, object]", inner).items()))
        parts.append(key)
    return tuple(parts), end


def _value(text: str, at: int) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """From where to where a value goes, and the comments in it."""
    start, depth, comments = _end(re.compile(r"[ \t]*"), text, at), 0, list[tuple[int, int]]()
    at = start
    while piece := _PIECE.match(text, at):
        if not depth and piece.lastgroup in {"comment", "end"}:
            break
        if piece.lastgroup == "comment":
            comments.append(piece.span())
        depth += {"open": 1, "close": -1}.get(piece.lastgroup or "", 0)
        at = piece.end()
    return (start, start + len(text[start:at].rstrip(" \t\r"))), comments


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _blank_line_before(text: str, at: int) -> int:
    """How many characters the empty line before takes, 0 where there is none."""
    return next((len(blank) for blank in ("\r\n", "\n") if text[:at].endswith("\n" + blank)), 0)


def _rendered(wanted: object) -> str:
    """Strings and lists of them: TOML reads JSON's, but for one control character."""
    return json.dumps(wanted, ensure_ascii=False).replace("\x7f", "\\u007f")
