from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import MAX_REQUEST_BYTES, Request, largest_bytes
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.money import Usd


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": " \n\t"}, "prompt is empty"),
        (
            {"prompt": "x" * 10_000_000},
            f"the limit for prompt, context and system prompt together is {MAX_REQUEST_BYTES:,}",
        ),
        ({"prompt": "x", "context": "é" * MAX_REQUEST_BYTES}, "send less context"),
        ({"prompt": "a\x00b"}, "prompt holds a NUL character"),
        ({"prompt": "x", "context": "\x00"}, "context holds a NUL character"),
        ({"prompt": "ab\ud800"}, "lone surrogate) at character 2"),
        ({"prompt": "x", "system_prompt": "\udfff"}, "system_prompt holds half a UTF-16 pair"),
        ({"prompt": "x", "force_local": True, "force_cloud": True}, "exclude each other"),
        ({"prompt": "ab\ufdd0"}, "lone surrogate) at character 2"),
        ({"prompt": "x", "preferred_model": "m" * 201}, "preferred_model must be a name of at most 200"),
        ({"prompt": "x", "task_type": "a\nb"}, "task_type must be a name"),
        ({"prompt": "x", "max_output_tokens": 0}, "from 1 to 200,000"),
        ({"prompt": "x", "deadline_s": 0}, "deadline_s must be above 0"),
        ({"prompt": "x", "deadline_s": float("nan")}, "deadline_s must be above 0"),
        ({"prompt": "x", "deadline_s": float("inf")}, "at most 3600 seconds"),
    ],
)
def test_bad_input_is_told_with_its_limit(arguments: dict[str, Any], told: str):
    with pytest.raises(InvalidRequest) as caught:
        Request(**arguments)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_fingerprint_covers_everything_that_can_change_the_answer():
    base = Request(prompt="p", context="c", system_prompt="s")
    changes: list[dict[str, Any]] = [
        {"prompt": "pc", "context": ""}, {"context": "d"}, {"system_prompt": ""}, {"task_type": "math"},
        {"quality": "high"}, {"force_local": True}, {"force_cloud": True}, {"confidential": True},
        {"preferred_model": "local"}, {"max_cost": Usd.limit("1")}, {"max_output_tokens": 5},
    ]  # fmt: skip
    prints = [replace(base, **change).fingerprint() for change in changes]
    assert len({base.fingerprint(), base.fingerprint("other settings"), *prints}) == len(changes) + 2


def test_the_fingerprint_leaves_out_what_cannot_change_the_answer():
    base = Request(prompt="p")
    assert replace(base, deadline_s=5, dry_run=True).fingerprint() == base.fingerprint()


def test_a_system_prompt_is_always_sent():
    assert [message.role for message in Request(prompt="p").messages()] == ["system", "user"]
    assert Request(prompt="p").messages()[0].content
    assert Request(prompt="p", context="c", system_prompt="s").messages()[1].content == "c\n\np"


FORMS: tuple[Literal["NFC"], Literal["NFKC"]] = ("NFC", "NFKC")


@given(st.text())
def test_no_normal_form_is_longer_than_the_bound_of_the_price(text: str):
    bound = largest_bytes([text, "x"])
    assert bound > max(len(unicodedata.normalize(form, text).encode()) for form in FORMS)
    assert bound > len(text.encode())


def test_one_character_may_cost_as_much_as_the_words_it_stands_for():
    assert largest_bytes(["\ufdfa"]) == len(unicodedata.normalize("NFKC", "\ufdfa").encode()) == 33
    assert largest_bytes(["plain"]) == 5
