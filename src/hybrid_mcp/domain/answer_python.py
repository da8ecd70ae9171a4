"""Does a piece of Python parse? Told only of code that is whole, and that no parser can be hurt with."""

from __future__ import annotations

import ast
import itertools
import re

_MOST_TOKENS = 300
"""What Python's own parser reads in two or three milliseconds, however dense: about 2,000 characters of usual code."""
_FEWEST_LINES = 3
_MOST_DEPTH = 20
_MOST_INDENT = 60
_TOKEN = re.compile(r"\w+|[^\w\s]|\n[ \t]*")
_STRINGS_AND_COMMENTS = re.compile(
    r"\"\"\".*?(?:\"\"\"|\Z)|'''.*?(?:'''|\Z)|\"[^\"\n]*\"?|'[^'\n]*'?|#[^\n]*", re.DOTALL
)
_BRACKETS = re.compile(r"[()\[\]{}]")
_LONG_CHAINS = re.compile(
    r"(?:(?:not|await|lambda|else|if|for)\b[ \t:]{0,4}){12}|[-+~*!&|^%<>=@ ]{30}|(?:\.[ \t]{0,3}\w{1,40}){40}"
)
_LINE_OF_NO_PROGRAM = (
    r"(?:>>>|In \[|Out\[|[$%!+-]|@@|diff |Traceback|type \w+|(?:def|class) \w+\["
    r"|[ \t]*(?:(?:print|exec)[ \t]+[^(=\s]|(?:raise|except)[ \t]+\w+,))"
)
_STARTS_NO_PROGRAM = re.compile(rf"[ \t]*(?:(?:else|elif|except|finally|case)\b|[)\]}}])|{_LINE_OF_NO_PROGRAM}")
_HAS_NO_PROGRAM = (re.compile(rf"\n{_LINE_OF_NO_PROGRAM}"), re.compile(r"<[a-zA-Z_ -]{1,40}>"))
_PLACEHOLDERS = ("...", "…", "`", "{%", "{{")
"""Sessions, diffs, fragments, placeholders, templates, Python 2, and what only newer versions parse."""
_ESCAPES = re.compile(r"\\[^\n'\"]")
_NUMBER_AND_WORD = re.compile(r"(?<=\d)(?=(?:and|else|for|if|in|is|or|not)\b)")


def parses(code: str) -> bool:
    """Whether it is Python, or whether that is in doubt."""
    if not code.strip(" \t\n"):
        return True
    whole = _dedented(code.expandtabs(8) if "\t" in code[:1] else code).strip("\n")
    if whole.count("\n") + 1 < _FEWEST_LINES:
        return True
    beginning = _first_statements(whole)
    if beginning is None or not _is_harmless(beginning) or _is_no_program(whole):
        return True
    # The parser would warn of odd escapes and numbers, and tell what they are.
    plain = _NUMBER_AND_WORD.sub(" ", _ESCAPES.sub("__", beginning))
    try:
        ast.parse(plain)
    except SyntaxError as error:
        return _is_unfinished(error.msg, plain)
    except (ValueError, RecursionError, MemoryError):
        return True
    return True


def _dedented(code: str) -> str:
    """Without the indentation that all lines have, as `textwrap.dedent` does it, in a part of the time."""
    lines = code.split("\n")
    written = [line for line in lines if line and line.strip(" \t")]
    if len(written) + lines.count("") == len(lines) and not code.startswith((" ", "\t", "\n")):
        return code
    indent = _shared_indent(min(written), max(written)) if written else 0
    return "\n".join([line[indent:] if line and line.strip(" \t") else "" for line in lines])


def _shared_indent(low: str, high: str) -> int:
    """Of the first and the last line in alphabetical order, between which all others are."""
    for size, (one, other) in enumerate(zip(low, high, strict=False)):
        if one != other or one not in " \t":
            return size
    return 0


def _is_no_program(code: str) -> bool:
    if any(sign in code for sign in _PLACEHOLDERS) or _STARTS_NO_PROGRAM.match(code):
        return True
    return any(pattern.search(code) for pattern in _HAS_NO_PROGRAM)


def _first_statements(code: str) -> str | None:
    """As much as can be parsed in time, ended before a definition; None where there is no such place."""
    tokens = list(itertools.islice(_TOKEN.finditer(code), _MOST_TOKENS + 1))
    if len(tokens) <= _MOST_TOKENS:
        return code
    end = tokens[_MOST_TOKENS].start()
    cut = max(code.rfind(f"\n\n{word}", 0, end) for word in ("def ", "class ", "@", "async def ", "if __name__"))
    beginning = code[: cut + 1]
    is_whole = cut > 0 and not beginning.count('"""') % 2 and not beginning.count("'''") % 2
    return beginning if is_whole else None


def _is_harmless(code: str) -> bool:
    bare = _STRINGS_AND_COMMENTS.sub("s", code)
    if _LONG_CHAINS.search(bare) or any(len(line) - len(line.lstrip()) > _MOST_INDENT for line in bare.split("\n")):
        return False
    depth = deepest = 0
    for bracket in _BRACKETS.findall(bare):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    return deepest <= _MOST_DEPTH


def _is_unfinished(message: str, code: str) -> bool:
    """Whether the error may be one of style: a body that is only a comment, an f-string of a newer version."""
    return (
        "f-string" in message
        or "unterminated f" in message
        or ("expected an indented block" in message and "#" in code)
    )
