"""The owner's own patterns of what stays local: globs for paths, and `re:` for regular expressions."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from functools import partial

from hybrid_mcp.config.scalars import shown

MAX_PATTERNS = 100
MAX_PATTERN_CHARACTERS = 500
MAX_PROGRAM_BYTES = 1 << 20
"""Of a compiled regular expression: it bounds what one character of a text can cost."""

Matches = Callable[[str], bool]

_EXPRESSION = "re:"
_PATH_WORD = re.compile(r"[^\s\"'`<>|,;()\[\]{}]+")
_POSITION = re.compile(r"(?::\d+){1,2}:?\Z|[.,:!?]+\Z")
_LITERAL = re.compile(r"[^*?\[\]]+")


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
    folded = pattern.strip().replace("\\", "/").lower()
    literal = max((part.strip("/") for part in _LITERAL.findall(folded)), key=len, default="")
    if not literal.strip("."):
        raise ValueError(f"{shown(pattern)} matches everything; name a folder or a file, such as */customers/*")
    return partial(_has_path, re.compile(fnmatch.translate(folded)), literal)


def _has_path(glob: re.Pattern[str], literal: str, text: str) -> bool:
    folded = text.replace("\\", "/").lower()
    return literal in folded and any(
        glob.match(form) is not None for word in _PATH_WORD.findall(folded) if literal in word for form in _forms(word)
    )


def _forms(word: str) -> tuple[str, ...]:
    """The word, its last part, both without a line number or a full stop; and as if a folder stood before it."""
    bare = _POSITION.sub("", word)
    return tuple(dict.fromkeys((word, f"/{word}", bare, f"/{bare}", bare.rpartition("/")[2])))


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
