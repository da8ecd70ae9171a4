"""How few tokens a text can be, and how long an answer can be: what no tokenizer of a present model passes."""

from __future__ import annotations

import re
from dataclasses import dataclass

ASCII_PER_TOKEN = 7
OTHERS_PER_TOKEN = 9
"""More dense bytes a token than these, of ASCII and of all other characters, are not believed on the average of a text.

Measured in bytes a token with the tokenizers of GPT-2, Claude 2, GPT-4 (cl100k) and GPT-4o (o200k), the highest of
them: English 4.8, German 5.1, Chinese 4.6, Russian 8.3, Thai 8.4, Python 4.8, JSON 2.6, base64 1.5, emoji 2.3. Runs of
one character have far more: code indented by 40 blanks 6.9, JSON indented by 8 9.0, a table of blanks and dashes 15.6,
records of 200 columns 17.7, dashes alone 255, a megabyte of blanks 1,022. Counted densely all of those have fewer than
these; one long word that is repeated for ever has 10.5, and is charged as reserved.
"""
SPARE_BYTES = 64
"""A short text may be one long token: the longest of o200k that is no run has 61 bytes."""

MOST_BYTES_PER_TOKEN = 32
"""An answer with more dense bytes for each token of its cap is longer than the cap: three times what any text has."""
MOST_RAW_BYTES_PER_TOKEN = 1_024
"""Of any bytes: a token of a run holds the most, and a megabyte of blanks has 1,022 a token."""
GATEWAY_BYTES = 1_024
"""What a gateway may add of its own, such as a few words on why it refused."""
GATEWAY_RAW_BYTES = 64 * 1_024

_RUN = re.compile(r"(.)\1{3,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much text there is, in UTF-8 bytes; a run of one character counts as three of it."""

    ascii: int = 0
    others: int = 0

    @property
    def bytes(self) -> int:
        """No tokenizer makes more tokens than bytes."""
        return self.ascii + self.others

    @property
    def fewest_tokens(self) -> float:
        """No tokenizer makes fewer of a text, on the average."""
        return self.ascii / ASCII_PER_TOKEN + self.others / OTHERS_PER_TOKEN

    def can_be(self, tokens: int) -> bool:
        """Whether so few tokens can make it."""
        return self.fewest_tokens <= tokens + SPARE_BYTES / ASCII_PER_TOKEN

    def and_more(self, before: Extent, after: Extent) -> Extent:
        """With what lies between two ends of the same text."""
        return Extent(self.ascii + after.ascii - before.ascii, self.others + after.others - before.others)


def extent(text: str) -> Extent:
    dense = _RUN.sub(r"\1\1\1", text)
    in_ascii = len(dense.encode("ascii", errors="ignore"))
    return Extent(in_ascii, len(dense.encode(errors="surrogatepass")) - in_ascii)


NOTHING = Extent()


class Written:
    """Counts what is streamed as if all pieces were one text. `raw`: all of its UTF-8 bytes, also those of runs."""

    def __init__(self) -> None:
        self.extent = NOTHING
        self.raw = 0
        self._tail = ""

    def add(self, text: str) -> None:
        joined = self._tail + text
        self.extent = self.extent.and_more(extent(self._tail), extent(joined))
        self.raw += len(text.encode(errors="surrogatepass"))
        self._tail = joined[-3:]  # a run is known by three

    def is_longer_than(self, output_cap: int) -> bool:
        """Whether it cannot be an answer of so many tokens; nothing more of it is read then."""
        most_raw = MOST_RAW_BYTES_PER_TOKEN * output_cap + GATEWAY_RAW_BYTES
        return self.extent.bytes > most_dense_bytes(output_cap) or self.raw > most_raw


def most_dense_bytes(output_cap: int) -> int:
    """How far an answer is read that was asked to have at most so many tokens."""
    return MOST_BYTES_PER_TOKEN * output_cap + GATEWAY_BYTES


def can_be(text: str, tokens: int) -> bool:
    """Whether so few tokens can make the text."""
    # Most texts are settled by their length, without looking for runs.
    return len(text.encode(errors="surrogatepass")) <= ASCII_PER_TOKEN * tokens or extent(text).can_be(tokens)
