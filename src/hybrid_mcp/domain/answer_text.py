"""What the judge looks at of a request and its answer: bounded pieces, told apart into prose and code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from hybrid_mcp.domain.answer_wish import bare_wish
from hybrid_mcp.domain.completion import Request

_END_CHARACTERS = 1_500
"""Of a long text only so much at its start and at its end is looked at."""
_CODE_CHARACTERS = 8_192
_SHORT_CHARACTERS = 1_000
_MOST_FENCES = 200
_FENCE = re.compile(r"^ {0,12}(?:```|~~~)[ \t]*([\w+#.-]{0,20})", re.MULTILINE)
_MATERIAL = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]{0,300}`|\"[^\"\n]{0,300}\"|“[^“”\n]{0,300}”|«[^«»\n]{0,300}»|「[^「」\n]{0,300}」|^>[^\n]*",
    re.DOTALL | re.MULTILINE,
)
_INLINE = re.compile(r"`[^`\n]{1,300}`")


@dataclass(frozen=True, slots=True)
class Block:
    """Fenced code. `language`: as the fence names it, in lower case, may be empty."""

    language: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """`wish`: the prompt without what it quotes. `asked`: all that was sent. `short`: the prompt holds little but the
    wish. `low`: such a prompt in lower case, else nothing. `bare`: the one wish of a short prompt, without `please` and
    the like, else nothing. `said`: the answer's two ends. `blocks`: the whole fenced blocks near its start. `prose`:
    `said` without code.
    """

    prompt: str
    system: str
    wish: str
    asked: str
    short: bool
    low: str
    bare: str
    text: str
    said: str
    blocks: tuple[Block, ...]
    prose: str


def exchange(request: Request, text: str) -> Exchange:
    prompt, said, short = both_ends(request.prompt), both_ends(text), len(request.prompt) <= _SHORT_CHARACTERS
    return Exchange(
        prompt=request.prompt,
        system=request.system_prompt,
        wish=_MATERIAL.sub(" … ", prompt),
        asked="\n".join((both_ends(request.context, 1_000), both_ends(request.system_prompt, 500), prompt)),
        short=short,
        low=request.prompt.lower() if short else "",
        bare=bare_wish(request.prompt),
        text=text,
        said=said,
        blocks=blocks(text[:_CODE_CHARACTERS]),
        prose=without_code(said),
    )


def both_ends(text: str, characters: int = _END_CHARACTERS) -> str:
    if len(text) <= 2 * characters:
        return text
    return f"{text[:characters]}\n{text[-characters:]}"


def blocks(text: str) -> tuple[Block, ...]:
    """Every fenced block that is closed."""
    if "```" not in text and "~~~" not in text:
        return ()
    fences = list(islice(_FENCE.finditer(text), _MOST_FENCES))
    found: list[Block] = []
    for start, end in zip(fences[::2], fences[1::2], strict=False):
        if end.group(1):
            break  # a fence within a fence, or one that was never closed: which is which cannot be told
        newline = text.find("\n", start.end(), end.start())
        if newline >= 0:
            found.append(Block(start.group(1).lower(), text[newline + 1 : end.start()]))
    return tuple(found)


def mentions(text: str, words: str) -> bool:
    """Whether one of the words (in lower case, a bar between them) stands anywhere in the text."""
    return holds_any(text.lower(), words.split("|"))


def holds_any(low: str, words: Iterable[str]) -> bool:
    """The same of a text in lower case. Many times faster than an expression: what looks whether one is worth a try."""
    return any(map(low.__contains__, words))


def without_code(text: str) -> str:
    """The text without fenced blocks, closed or not, and without code in backticks."""
    if "`" not in text and "~~~" not in text:
        return text
    parts = _FENCE.split(text)
    # One group: text, language, text, language, ...
    return _INLINE.sub(" ", "\n".join(parts[::4]))
