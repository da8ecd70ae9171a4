"""The owner's own patterns of what stays local: globs for paths, and `re:` for regular expressions."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from urllib.parse import unquote

from hybrid_mcp.config.scalars import shown

MAX_PATTERNS = 100
MAX_PATTERN_CHARACTERS = 500
MAX_PROGRAM_BYTES = 1 << 20
"""Of a compiled regular expression: it bounds what one character of a text can cost."""

Matches = Callable[[str], bool]

_EXPRESSION = "re:"
_ENDS_A_PATH = r"\s\"'`<>|,;(){}"
_WORD = re.compile(rf"[^{_ENDS_A_PATH}\[\]]+")
_LINE = re.compile(r"[^\n]+")
_WIDE = re.compile(rf"[{_ENDS_A_PATH}]")
"""A pattern with such a character means paths with such characters: its `*` then reaches over a whole line."""
_BEGIN = r"(?<![\w-])"
_END = r"(?![\w-]|\.\w)"
"""Where a name begins and ends: `/srv/customers` is not in `/srv/customers2`, but in `/srv/customers/a.csv`."""
_PART = re.compile(r"(?P<any>\*+)|(?P<one>\?)|\[(?P<no>!?)(?P<of>\]?[^\]]*)\]|(?P<plain>.)", re.DOTALL)
_LITERAL = re.compile(r"[^*?\[\]]+")
_SLASHES = re.compile(r"/{2,}")
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrt ]))")


def matchers(patterns: Sequence[str]) -> tuple[Matches, ...]:
    """For each pattern, whether a text holds what it means; the time is linear in the text.

    Raises:
        ValueError: a pattern cannot be used; the message says why and what to write.
    """
    return tuple(matcher(pattern) for pattern in patterns)


def matcher(pattern: str) -> Matches:
    """One pattern. Globs and expressions ignore case."""
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise ValueError(f"{shown(pattern)} has more than {MAX_PATTERN_CHARACTERS} characters; write several patterns")
    if pattern.startswith(_EXPRESSION):
        return _expression(pattern.removeprefix(_EXPRESSION))
    return _glob(pattern)


def _glob(pattern: str) -> Matches:
    folded = _folded(pattern.strip())
    literal = max((part.strip("/") for part in _LITERAL.findall(folded)), key=len, default="")
    if not literal.strip("."):
        raise ValueError(f"{shown(pattern)} matches everything; name a folder or a file, such as */customers/*")
    # `customers/` means what is in that folder.
    pieces = _pieces(f"{folded}*" if folded.endswith("/") else folded)
    if len(pieces) == 1:
        return partial(_has_one, pieces[0])
    return partial(_has_all, pieces, _LINE if _WIDE.search(folded) else _WORD)


def _has_one(piece: re.Pattern[str], text: str) -> bool:
    return any(piece.search(view) is not None for view in _views(text))


def _has_all(pieces: Sequence[re.Pattern[str]], segment: re.Pattern[str], text: str) -> bool:
    """Whether the pieces follow each other within one word or line. The first place of each is good enough."""
    return any(
        _follow(pieces, found[0])
        for view in _views(text)
        if all(piece.search(view) for piece in pieces)
        for found in segment.finditer(view)
    )


def _follow(pieces: Sequence[re.Pattern[str]], text: str) -> bool:
    place = 0
    for piece in pieces:
        found = piece.search(text, place)
        if found is None:
            return False
        place = found.end()
    return True


def _pieces(glob: str) -> list[re.Pattern[str]]:
    """What stands between the `*` of a glob, each of them as an expression that repeats nothing."""
    glob, home = (glob[1:], _homes()) if re.match(r"~(?:/|\Z)", glob) else (glob, "")
    pieces = [home]
    for part in _PART.finditer(glob):
        if part["any"]:
            pieces.append("")
        elif part["one"]:
            pieces[-1] += "."
        elif part["plain"]:
            pieces[-1] += re.escape(part["plain"])
        else:
            inside = "".join(f"\\{one}" if one in "\\[]^&|~" else one for one in part["of"])
            pieces[-1] += f"[{'^' * len(part['no'])}{inside}]"
    if len(pieces) > 1 and pieces[0] == "" and pieces[1].startswith("/"):
        # `*/customers/*` also means a path that begins with that folder.
        pieces[1] = f"(?:/|{_BEGIN}){pieces[1][1:]}"
    pieces[0] = pieces[0] and f"{_BEGIN}{pieces[0]}"
    pieces[-1] = pieces[-1] and f"{pieces[-1]}{_END}"
    return [re.compile(piece) for piece in pieces if piece]


def _homes() -> str:
    """How a home folder may be written, also one on another machine."""
    mine = re.escape(_folded(os.path.expanduser("~")))  # noqa: PTH111 - where there is no home, Path raises
    return rf"(?:~[\w.-]*|{mine}|/(?:home|users)/[^/\s]+|/root)"


@lru_cache(maxsize=2)
def _views(text: str) -> tuple[str, ...]:
    """The text as it stands, and with what its escapes stand for, where it has some."""
    plain = _ESCAPED.sub(_character, text) if "\\" in text else text
    plain = unquote(plain) if "%" in plain else plain
    return tuple(dict.fromkeys((_folded(text), _folded(plain))))


def _folded(text: str) -> str:
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    return _SLASHES.sub("/", composed.replace("\\", "/").lower())


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else " " if found[3] == " " else "\n"


def _expression(source: str) -> Matches:
    """Compiled by RE2, whose time is linear in the text: whoever writes the text may want it to take forever."""
    try:
        import re2  # noqa: PLC0415
    except ImportError:
        raise ValueError(
            "a regular expression needs the package google-re2; install it (pip install google-re2), or write a glob"
        ) from None
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_PROGRAM_BYTES
    try:
        compiled = re2.compile(source, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(
            f"{shown(source)} is not an expression that RE2 reads ({told}); it has no backreferences and no lookaround"
        ) from None
    if compiled.search("") is not None:
        raise ValueError(f"{shown(source)} matches an empty text, and so everything; ask for at least one character")
    return lambda text: compiled.search(text) is not None
