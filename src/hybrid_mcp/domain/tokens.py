"""How few tokens a text can be: what no tokenizer of a present model goes below."""

from __future__ import annotations

import re

BYTES_PER_TOKEN = 16
"""More dense bytes a token than these are not believed, on the average over a whole text.

Measured in bytes a token with the tokenizers of GPT-2, Claude 2, GPT-4 (cl100k) and GPT-4o (o200k), the highest of
them: English 4.8, German 5.1, Chinese 4.6, Russian 8.3, Thai 8.4, Python 4.8, JSON 2.6, base64 1.5, emoji 2.3. Runs of
one character have far more: code indented by 40 blanks 6.9, JSON indented by 8 9.0, a table of blanks and dashes 15.6,
records of 200 columns 17.7, dashes alone 255, a megabyte of blanks 1,022. Counted densely all of those have 8.4 at the
most, and one long word that is repeated for ever 10.5.
"""
SPARE_BYTES = 64
"""A short text may be one long token: the longest of o200k that is no run has 61 bytes."""

_RUN = re.compile(r"(.)\1{3,}", re.DOTALL)


def dense_bytes(text: str) -> int:
    """UTF-8 bytes of the text, in which a run of one character counts as three of it."""
    return len(_RUN.sub(r"\1\1\1", text).encode(errors="surrogatepass"))


def can_be(text: str, tokens: int) -> bool:
    """Whether so few tokens can make the text."""
    most = tokens * BYTES_PER_TOKEN + SPARE_BYTES
    # Most texts are settled by their length, without looking for runs.
    return len(text.encode(errors="surrogatepass")) <= most or dense_bytes(text) <= most
