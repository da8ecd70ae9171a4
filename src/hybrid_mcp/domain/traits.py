"""What is kept of a prompt to learn from: whole numbers that tell how it is made, and marks in place of its words.

A mark is the place of a word, or of two neighbours, in a table that all words share, found with a secret of the home:
without that, nobody can look up which words a mark may stand for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from hybrid_mcp.domain import scorer_weights
from hybrid_mcp.domain.scorer_features import FUNCTION_WORDS, MOST_WORDS, NAMES

MARKS = 1 << 13
MOST_MARKS = 64
"""Of a long prompt so many words and pairs are kept, drawn by their secret codes: the same ones in every prompt."""
STEPS = 16
"""A number is kept in sixteenths of the standard deviation that it has in the public sets."""

_REACH = 3.0
"""The weights give the lowest and the highest value that count: so many standard deviations from the mean."""
_NUMBERS_OF = [
    ((low + high) / 2, STEPS * 2 * _REACH / (high - low), low, high)
    for _, low, high, _ in map(scorer_weights.FEATURES.__getitem__, NAMES)
]
_BITS = (1 << 30) - 1
"""Of a code: as many as Python counts with fast."""
_SPREAD = 0x278DDE6D
"""An odd number that spreads over all bits: 2**30 divided by the golden ratio."""
_WIDE_BITS = int.from_bytes(_BITS.to_bytes(8, "little") * MOST_WORDS, "little")
_WORDS_REMEMBERED = 16_384


@dataclass(frozen=True, slots=True)
class Traits:
    """`numbers`: one for each of `NAMES`. `marks`: distinct, from 0 to `MARKS` - 1."""

    numbers: tuple[int, ...]
    marks: tuple[int, ...]

    def packed(self) -> bytes:
        return struct.pack(f"<{len(self.numbers)}b{len(self.marks)}H", *self.numbers, *self.marks)


def unpacked(data: bytes) -> Traits:
    """Raises ValueError where the bytes are none of ours."""
    count, rest = divmod(len(data) - len(NAMES), 2)
    if rest or not 0 <= count <= MOST_MARKS:
        raise ValueError("not the traits of a prompt")
    found: tuple[int, ...] = struct.unpack(f"<{len(NAMES)}b{count}H", data)
    return Traits(found[: len(NAMES)], tuple(mark % MARKS for mark in found[len(NAMES) :]))


def traits(numbers: Iterable[float], spelled: Sequence[str], words: AbstractSet[str], secret: bytes) -> Traits:
    """`numbers`: the scorer's features of the prompt. `spelled`: its words in order, `words` the distinct ones."""
    steps = [
        round(((low if value < low else high if value > high else value) - mean) * scale)
        for value, (mean, scale, low, high) in zip(numbers, _NUMBERS_OF, strict=True)
    ]
    return Traits(tuple(steps), _marks(spelled, words, _codes_of(secret)))


def _marks(spelled: Sequence[str], words: AbstractSet[str], codes: _Codes) -> tuple[int, ...]:
    kept = set(map(codes.__getitem__, words - FUNCTION_WORDS))
    if len(kept) > MOST_MARKS:
        kept = set(sorted(kept)[:MOST_MARKS])
    elif room := MOST_MARKS - len(kept):
        pairs = _pairs([codes[word] for word in spelled])
        kept.update(pairs if len(pairs) <= room else sorted(pairs)[:room])
    # The lowest bits, because the draw above has used the highest ones.
    return tuple({code % MARKS for code in kept})


def _pairs(codes: Sequence[int]) -> set[int]:
    """The codes of all neighbours, worked out at once: side by side in one wide number, 64 bits for each."""
    form = struct.Struct(f"<{len(codes)}Q")
    wide = int.from_bytes(form.pack(*codes), "little")
    wide = (wide * _SPREAD + (wide >> 64)) & _WIDE_BITS
    return set(form.unpack(wide.to_bytes(form.size, "little"))[:-1])


class _Codes(dict[str, int]):
    """The codes of words met before: with a plain table each takes a tenth of the time that any other memory takes."""

    def __init__(self, secret: bytes) -> None:
        super().__init__()
        self._secret = secret

    def __missing__(self, word: str) -> int:
        if len(self) >= _WORDS_REMEMBERED:
            self.clear()
        digest = blake2b(word.encode(), digest_size=4, key=self._secret).digest()
        self[word] = code = int.from_bytes(digest, "little") & _BITS
        return code


@lru_cache(maxsize=8)
def _codes_of(secret: bytes) -> _Codes:
    return _Codes(secret)
