"""Code and JSON in an answer: is it there where the prompt asked for it, and is it whole?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from hybrid_mcp.domain import answer_python
from hybrid_mcp.domain.answer_text import Block, Exchange, both_ends, holds_any

_MOST_JSON = 8_192
_LANGUAGE = (
    r"(?:python|javascript|typescript|java|c\+\+|c#|rust|golang|sql|bash|ruby|php|kotlin|swift|haskell|perl|scala"
    r"|powershell)"
)
_THINGS = ("function", "script", "program", "class", "method", "code", "snippet", "query", "one-liner", "decorator",
           "generator")  # fmt: skip
_THING = rf"(?:{'|'.join(_THINGS)})"
_WANTS_CODE = re.compile(
    rf"\b(?:write|implement|create|generate|give me|show me)\b[^.?\n]{{0,40}}?\b"
    rf"(?:{_LANGUAGE}(?![\w+#])[^.?\n]{{0,30}}?\b{_THING}"
    rf"|{_THING}\b[^.?\n]{{0,30}}?\b(?:in|using) {_LANGUAGE}(?![\w+#]))",
    re.IGNORECASE,
)
_OF_CODE = re.compile(
    r"explain|describ|essay|about|documentation|docstring|comment|description|summary|review|test plan|name for|joke"
    r"|poem|story|question|without code|no code|pseudo|difference|tutorial|outline|plan\b|steps|\btitle",
    re.IGNORECASE,
)
_LOOKS_LIKE_CODE = re.compile(
    r"```|`|~~~|\w\(|[{};=$|]|->|=>|^[ \t]{2,}\S|\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE)\b"
    r"|^[ \t]*(?:def|class|fn|func|import|from|for|while|echo|ls|cd|git|find|grep"
    r"|awk|sed|print|return|puts|#include|module)\b",
    re.MULTILINE | re.IGNORECASE,
)
_WANTS_PYTHON = re.compile(r"\bpython\b", re.IGNORECASE)
_DEFINES_PYTHON = re.compile(r"^(?:(?:async )?def \w+\(|class \w+.*:\s*$|import \w|from [\w.]+ import )", re.MULTILINE)
_OTHER_OUTPUT = re.compile(r"^(?:Traceback|\$ |pip |python3? )|;\s*$|\{\s*$", re.MULTILINE)

_BRACED = {"java", "c", "cpp", "c++", "cs", "csharp", "go", "golang", "kotlin", "swift"}
_QUOTED_OR_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n]){1,8}'", re.DOTALL)
_LEFT_OUT = re.compile(
    r"\.\.\.|…|`|\"\"\"|#if|#else|\b(?:rest|existing|other|same|remaining|omitted|your code|previous)\b|^[+-]|^@@",
    re.MULTILINE | re.IGNORECASE,
)
_FEWEST_BRACED_LINES = 6

_WANTS_JSON = re.compile(
    r"\b(?:respond|reply|answer|return|output|outputs?|give me|produce|provide|only|valid|strict|format(?:ted)?)\b"
    r"[^.\n]{0,30}?\bjson\b(?![- ]?(?:file|parser|librar|module|schema|lines|path|api|endpoint|column|field|bod|web"
    r"|serial|string literal|data type))",
    re.IGNORECASE,
)
_ABOUT_JSON = re.compile(
    r"function|script|\bcode|\bclass\b|python|javascript|typescript|\bjava\b|endpoint|\bapi\b|explain|difference|jsonl"
    r"|ndjson|json ?5|yaml|\bhow\b|\bwhy\b|\bif\b|program|command|\bjq\b|\bor\b|question|invalid|broken|fix",
    re.IGNORECASE,
)
_WISH_CHARACTERS = 400
"""At either end of a long prompt, where it says what it wants."""
_JSON_LANGUAGES = {"", "json", "text", "txt"}


_ABOUT_BROKEN_CODE = re.compile(
    r"\b(?:why|fix|mend|bug|error|broken|wrong|missing|before and after|signature"
    r"|does(?: not|n't) (?:run|work|parse|compile))\b",
    re.IGNORECASE,
)


def has_broken_python(given: Exchange) -> bool:
    """Whether a whole block of Python does not parse."""
    if not given.blocks or _ABOUT_BROKEN_CODE.search(given.wish):
        return False
    wanted = _WANTS_PYTHON.search(given.wish) is not None
    return not all(answer_python.parses(code) for code in _python_blocks(given.blocks, unmarked=wanted))


def _python_blocks(blocks: tuple[Block, ...], *, unmarked: bool) -> Iterator[str]:
    """As many as can be parsed in time: the longest one, which is the one that was asked for."""
    found = [
        block.code
        for block in blocks
        if block.language in {"python", "py", "python3"}
        or (
            unmarked
            and not block.language
            and _DEFINES_PYTHON.search(block.code)
            and not _OTHER_OUTPUT.search(block.code)
        )
    ]
    yield from sorted(found, key=len, reverse=True)[:1]


def has_open_braces(given: Exchange) -> bool:
    """Whether a longer block of a language with braces, with nothing left out, opens other braces than it closes."""
    return any(
        block.language in _BRACED
        and block.code.count("\n") >= _FEWEST_BRACED_LINES
        and not _LEFT_OUT.search(block.code)
        and _open_braces(block.code) != 0
        for block in given.blocks[:20]
    )


def _open_braces(code: str) -> int:
    bare = _QUOTED_OR_COMMENT.sub(" ", code)
    return bare.count("{") - bare.count("}")


def lacks_code(given: Exchange) -> bool:
    """Whether the prompt plainly asks for code, and nothing in the answer looks like any."""
    if not holds_any(given.low, _THINGS) or not _WANTS_CODE.search(given.wish) or _OF_CODE.search(given.wish):
        return False
    return _LOOKS_LIKE_CODE.search(given.said) is None


def lacks_json(given: Exchange) -> bool:
    """Whether the prompt plainly asks for JSON, and no part of the answer parses."""
    wish = both_ends(given.wish, _WISH_CHARACTERS)
    if len(given.text) > _MOST_JSON or "json" not in wish.casefold():
        return False
    if not _WANTS_JSON.search(wish) or _ABOUT_JSON.search(wish):
        return False
    found = [block.code for block in given.blocks if block.language in _JSON_LANGUAGES][:1] or [given.text]
    return not any(_is_json(part) for part in (*found, _bracketed(given.text))) and not _is_json_lines(found[0])


def _bracketed(text: str) -> str:
    """From the first bracket to the last."""
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    return text[min(starts) : max(text.rfind("}"), text.rfind("]")) + 1] if starts else ""


def _is_json_lines(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    return 1 < len(lines) <= 50 and all(line.lstrip()[0] in "{[" and _is_json(line) for line in lines)


def _is_json(text: str) -> bool:
    """Whether it parses, or whether that is in doubt. Numbers are not read: one may have thousands of digits."""
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError, MemoryError):
        return True
    return True
