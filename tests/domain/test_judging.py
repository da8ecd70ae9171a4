from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Request, Usage
from hybrid_mcp.domain.judging import believable
from hybrid_mcp.domain.tokens import dense_bytes

LONG = "The price is reserved before the request is sent, and settled afterwards. " * 50
LONG_TOKENS = 701
"""What `LONG` is with the tokenizers of GPT-2, Claude 2, GPT-4 and GPT-4o alike."""


def usage(tokens_in: int, tokens_out: int) -> Usage:
    return Usage(input_tokens=tokens_in, output_tokens=tokens_out)


@pytest.mark.parametrize(
    ("request_", "text", "reported", "holds"),
    [
        (Request(prompt="Do it"), "Done", usage(24, 1), True),
        (Request(prompt=LONG), LONG, usage(LONG_TOKENS, LONG_TOKENS), True),
        (Request(prompt="Do it"), "", usage(24, 0), True),
        (Request(prompt="Do it"), "Done", None, False),
        (Request(prompt="Do it"), "Done", usage(0, 1), False),
        (Request(prompt="Do it"), "Done", usage(24, 0), False),
        (Request(prompt=LONG), "Done", usage(1, 1), False),
        (Request(prompt="Do it", context=LONG), "Done", usage(LONG_TOKENS // 5, 1), False),
        (Request(prompt="Do it", system_prompt=LONG), "Done", usage(LONG_TOKENS // 5, 1), False),
        (Request(prompt="Do it"), LONG, usage(24, LONG_TOKENS // 5), False),
        # Blanks and rules are few tokens.
        (Request(prompt="Do it", context=" " * 1_000_000), "-" * 10_000, usage(1_000, 40), True),
    ],
)  # fmt: skip
def test_counts_too_low_for_what_was_sent_and_written_are_not_believed(
    request_: Request, text: str, reported: Usage | None, holds: bool
):
    assert believable(reported, written_bytes=dense_bytes(text), request=request_) is holds


@given(st.text(min_size=1), st.integers(1, 10_000), st.integers(1, 10_000))
def test_higher_counts_are_believed_where_lower_ones_are(text: str, tokens_in: int, tokens_out: int):
    request, written = Request(prompt=LONG), dense_bytes(text)
    if believable(usage(tokens_in, tokens_out), written_bytes=written, request=request):
        assert believable(usage(tokens_in + 1, tokens_out + 1), written_bytes=written, request=request)
