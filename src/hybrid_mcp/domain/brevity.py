"""What a text costs the model that reads it, and how a list or a text is made to cost no more than it may."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

LETTERS_PER_TOKEN = 5
"""Of one word. Words of English prose have five letters or so and most are one token; parts of names are shorter."""
CONSONANTS_PER_TOKEN = 2
"""Of what cannot be spoken."""
SIGNS_PER_TOKEN = 4
"""Of one run. Those of JSON, such as `"},{"`, are mostly one token."""
DIGITS_PER_TOKEN = 3
MORE = "..."

_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)
_PIECE = re.compile(
    r"_?(?P<word>[A-Z]?[a-z]+|[A-Z]+)|(?P<digits>\d+)|(?P<blanks>\s+)|(?P<signs>[!-/:-@\[-`{-~]+)|.", re.DOTALL
)


def cost(text: str) -> int:
    """About how many tokens it is, rather too many than too few.

    Measured with cl100k (docs/benchmarks.md): of English and of JSON a tenth too many, of model names the same or more.
    Only long words that are in no language come out dearer than this says.
    """
    return sum(_of_piece(piece) for piece in _PIECE.finditer(text))


def cut(text: str, most: int) -> str:
    """The beginning of a text, in whole words where it has some, that costs no more than `most`.

    It ends before a command in backticks that would be cut.
    """
    if cost(text) <= most:
        return text
    left, end = most - cost(MORE), 0
    for piece in _PIECE.finditer(text):
        left -= _of_piece(piece)
        if left < 0:
            break
        end = piece.end()
    if text.count("`", 0, end) % 2:
        end = text.rindex("`", 0, end)
    return f"{text[:end].rstrip(' ,;:(')}{MORE}"


def cut_inside(text: str, most: int) -> str:
    """A text that costs no more than `most`: where there is room, its end stays, which mostly says what to do.

    That is what follows its last ": " or "; ".
    """
    start = max(text.rfind(": "), text.rfind("; "))
    end = text[max(0, start) :]
    if cost(text) <= most or cost(end) > most * 2 // 3:
        return cut(text, most)
    return cut(text[:start], most - cost(end)) + end


def ending(text: str, most: int) -> str:
    """The end of a text that costs no more than `most`."""
    if cost(text) <= most:
        return text
    left, start = most - cost(MORE), len(text)
    for piece in reversed(list(_PIECE.finditer(text))):
        left -= _of_piece(piece)
        if left < 0:
            break
        start = piece.start()
    return f"{MORE}{text[start:].lstrip()}"


def fitting(texts: Iterable[str], most: int) -> list[str]:
    """The first of them, as many as cost no more than `most` together."""
    found: list[str] = []
    for text in texts:
        most -= cost(text) + 1
        if most < 0:
            break
        found.append(text)
    return found


def few(texts: Sequence[str], most: int, between: str = ", ") -> str:
    """They in a row, and how many more there are where they cost more than `most`: at least the first is named."""
    found = fitting(texts, most) or [cut(text, most) for text in texts[:1]]
    rest = len(texts) - len(found)
    return between.join(found) + (f" and {rest:,} more" if rest else "")


def abridged(text: str, most: int, between: str = "; ") -> str:
    """A text of parts that costs no more than `most`: where it must be cut, its first part and its last ones stay."""
    if cost(text) <= most:
        return text
    first, *parts = text.split(between)
    first = cut(first, most // 2)
    last = fitting(reversed(parts), most - cost(first) - cost(MORE) - 1)
    if not last and parts:
        last = [cut(parts[-1], most - cost(first) - cost(MORE) - 2)]
    if most < cost(first) + cost(MORE) + 2:
        return cut(text, most)
    dropped = [MORE] if len(last) < len(parts) else []
    return between.join((first, *dropped, *reversed(last)))


def _of_piece(piece: re.Match[str]) -> int:
    text = piece[0]
    match piece.lastgroup:
        case "word":
            text = piece["word"]
            return -(-len(text) // (LETTERS_PER_TOKEN if _VOWEL.search(text) else CONSONANTS_PER_TOKEN))
        case "digits":
            return -(-len(text) // DIGITS_PER_TOKEN)
        case "signs":
            return -(-len(text) // SIGNS_PER_TOKEN)
        case "blanks":
            return 0 if text == " " else 1 + len(text) // 16
        case _:
            return len(text.encode(errors="surrogatepass"))
