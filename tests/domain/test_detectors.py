from __future__ import annotations

import base64
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.detector_rules import ANCHORED_RULES, RUN_LENGTH, RUN_RULES, SHAPED_RULES
from hybrid_mcp.domain.detectors import JOINT, MAX_BYTES, TOO_LONG, TOO_MUCH, PatternScanner, findings_in
from hybrid_mcp.domain.privacy import Finding, stay_local_reason
from hybrid_mcp.domain.scan_work import BASE_UNITS, CHARACTERS_A_UNIT, Work
from tests.support_secrets import Planted, clean_prompts, hostile_texts, planted, source_code

SCANNER = PatternScanner()
PLANTED = planted()
PERSONAL = {
    "a payment card number",
    "a bank account number (IBAN)",
    "an e-mail address with a phone number",
}
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"


def request_with(where: str, text: str) -> Request:
    return replace(Request(prompt="hello"), **{where: text})


@pytest.mark.parametrize("where", ["prompt", "context", "system_prompt"])
@pytest.mark.parametrize("one", PLANTED, ids=lambda one: f"{one.kind}, {one.form}")
def test_what_is_planted_is_found_and_only_its_kind_is_told(one: Planted, where: str):
    category = "personal" if one.kind in PERSONAL else "secret"
    found = SCANNER.scan(request_with(where, one.text))
    assert found == (Finding(kind=one.kind, category=category, where=where),)
    assert one.value not in repr(found)


def test_at_least_forty_secrets_of_twenty_kinds_are_planted():
    secrets = [one for one in PLANTED if one.kind not in PERSONAL]
    assert len(secrets) >= 40
    assert len({one.kind for one in secrets}) >= 40
    assert len({one.form for one in secrets}) >= 10


def test_at_most_one_percent_of_clean_prompts_is_held_back():
    prompts = clean_prompts()
    held = [prompt for prompt in prompts if SCANNER.scan(Request(prompt=prompt))]
    assert len(prompts) >= 200
    assert len(held) * 100 <= len(prompts), held


def test_all_clean_prompts_in_one_are_clean_but_for_what_they_say_together():
    """An e-mail address in one and a phone number in another make a finding, and nothing else may."""
    text = "\n\n".join(clean_prompts())
    assert {finding.kind for finding in findings_in(text, "prompt")} <= {"an e-mail address with a phone number"}


@pytest.mark.parametrize("one", [one for one in PLANTED if one.form == "plain"], ids=lambda one: one.kind)
def test_the_place_of_a_plain_finding_is_exact_or_not_told(one: Planted):
    (finding,) = findings_in(one.text, "prompt")
    for start, end in finding.spans:
        assert one.text[start:end] in one.value or one.value in one.text[start:end]


@pytest.mark.parametrize(
    "one", [one for one in PLANTED if one.form not in {"plain", "glued"}], ids=lambda one: one.form
)
def test_what_is_disguised_is_only_cut_out_where_each_character_stands_for_one(one: Planted):
    (finding,) = findings_in(one.text, "prompt")
    exact = one.form in {"full-width", "letters of mathematics", "tag characters"}
    assert bool(finding.spans) == exact


@pytest.mark.parametrize("kept", ["\u200d", "\ufeff"])
def test_invisible_characters_elsewhere_make_places_inexact_rather_than_wrong(kept: str):
    (finding,) = findings_in(f"{kept}use {AWS_KEY}", "prompt")
    assert finding.spans == ()


def test_every_place_of_a_kind_is_told_once():
    text = f"{AWS_KEY} and {AWS_KEY}"
    (finding,) = findings_in(text, "prompt")
    assert [text[start:end] for start, end in finding.spans] == [AWS_KEY, AWS_KEY]


@pytest.mark.parametrize(
    "phone", ["(555) 123-4567", "(555)123-4567", "555.123.4567", "+49 30 901820 11", "0301 123456"]
)
def test_address_and_phone_number_are_told_whole(phone: str):
    text = f"write to jane.doe+x@example.com, or call {phone}!"
    (finding,) = findings_in(text, "prompt")
    assert [text[start:end] for start, end in finding.spans] == ["jane.doe+x@example.com", phone]


def test_a_key_that_also_stands_in_base64_cannot_be_cut_out():
    wrapped = base64.b64encode(f"key {AWS_KEY} is mine".encode()).decode()
    (finding,) = findings_in(f"{AWS_KEY}x9 {wrapped}", "prompt")
    assert finding.spans == ()


def test_a_name_at_the_contexts_end_and_its_value_at_the_prompts_beginning_are_seen_together():
    request = Request(context="we use these:\npassword:", prompt="kX9-vb2Qmz_4 is what you need")
    assert SCANNER.scan(request) == (Finding(kind="a password", category="secret", where=JOINT),)


def test_a_long_context_is_joined_with_its_end_only():
    request = Request(context="word " * 5000 + "password:", prompt="kX9-vb2Qmz_4")
    assert [finding.where for finding in SCANNER.scan(request)] == [JOINT]


def test_a_key_that_was_cut_in_two_between_context_and_prompt_is_seen():
    request = Request(context=f"we use {AWS_KEY[:10]}", prompt=f"{AWS_KEY[10:]} is the key")
    assert SCANNER.scan(request) == (Finding(kind="an AWS access key", category="secret", where=JOINT),)


@pytest.mark.parametrize("text", [
    "DB_PASSWORD=SuperSecret123", "password: supersecret123", "export PGPASSWORD='t0ps3cret!'",
    "connect(password='t0p-s3cret!', host='x')", "Server=x;User Id=sa;Password=Zk81mmQ2;", "Passwort: Geheim123",
    '{"login":"a",\\"password\\":\\"Zk81mmQ2\\"}', "my API key is abcd1234efgh5678", "the password was Zk81mmQ2.",
    "aws_secret_access_key\n" + "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY", "setPassword('Zk81-mmQ2-pp')",
    "curl -u admin:Zk81mmQ2 https://x", "glued" + "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0",
])  # fmt: skip
def test_a_value_is_found_however_its_name_is_written(text: str):
    assert len(findings_in(text, "prompt")) == 1


@pytest.mark.parametrize("text", [
    "password=password2", "password: aaa111aaa", "token = token2 or self.token3",
    "private_key: Ed25519PrivateKey | None", "bypass: Zk81mmQ2",
    "the number 4111111111111112 and 1234567890123456", "sk-learn and gh_pages and AKIA", "ghp_" + "x" * 36,
    "sk-your-key-here-sk-your-key-here", "AKIA" + "X" * 16, "a" * 5000, "password=" + "*" * 12,
    "DE89 3704 0044 0532 0130 01",
    "XX89 3704 0044 0532 0130 00", "https://user:password@host/x", "https://example.com:8080/a@b", "token=" + "x" * 40,
    "password: *password", "password: <PASSWORD_1>", "PASSWORD=<PASSWORD_1>",
    "postgres://app:<PASSWORD_IN_A_URL_1>@db/x",
    "Boston, MA 02111-1307, USA, or write to jane@example.com", "npm i lodash@4.17.21 && echo 010 123 4567",
    "key: MLKEM768X25519PublicKey, private_key: MLKEM768X25519PublicKey", "gamma 0.1 -> 9.5135076986687306",
    'PEM_HEADER = "-----BEGIN PRIVATE KEY-----"', "password: /run/secrets/db_password_2",
    "token = tokens[index+1].split('=')",
    "secret = sha256(passwd.encode()).hexdigest()", "password=get_password2(user1)", "passwd = argv[1];",
    "password: str(config['db2'].password)", "private_key = int.from_bytes(os.urandom(0x80), 'big')",
    '"token": "[a-zA-Z0-9_-]{20}"',
    "token: {{ .Values.token2 }}", "password=%s&user=%s", "https://localhost:${PORT}/@vite/client",
    "mysql -u root -p shop", "docker run --user 1000:1000 x", "login with password authentication", "mkdir -p a/b2/c3",
])  # fmt: skip
def test_what_only_looks_like_a_secret_is_clean(text: str):
    assert findings_in(text, "prompt") == ()


@pytest.mark.parametrize("part", hostile_texts(1))
def test_the_work_of_a_hostile_text_is_linear_and_bounded(part: str):
    units: list[int] = []
    for characters in (60_000, 120_000):
        text = hostile_texts(characters)[part]
        work = Work.for_text(len(text))
        found = findings_in(text, "prompt", work)
        units.append(work.units)
        assert work.limit == BASE_UNITS + len(text) // CHARACTERS_A_UNIT
        assert work.units <= work.limit or TOO_MUCH in {finding.kind for finding in found}
        # Candidates are counted before they are looked at: more than the text has characters there cannot be.
        assert work.units <= work.limit + 4 * len(text)
    assert units[1] <= 2 * units[0] + BASE_UNITS


@pytest.mark.parametrize(
    "part",
    ["\u200d\U0001d400\u00e9", "\U000e0041", "0" * 32 + "-us1 ", "identified by 'ab1", "a@b.cc +1 2 3 4 5 6 7 8 "],
)
def test_shapes_that_take_longer_than_a_scan_may_stay_here(part: str):
    text = part * (250_000 // len(part)) + "nothing to see here, only words\n" * 8_000
    assert TOO_MUCH in {finding.kind for finding in findings_in(text, "prompt")}


def test_ordinary_source_code_is_within_the_limit():
    text = (source_code() * 4)[:MAX_BYTES]
    assert TOO_MUCH not in {finding.kind for finding in findings_in(text, "prompt")}


def test_a_request_that_is_too_long_to_scan_stays_here_unread():
    scan = PatternScanner(private=[lambda text: pytest.fail("was read")]).scan
    long = Request(prompt="p" * 10, context="c" * (MAX_BYTES - 9))
    assert scan(long) == (Finding(kind=TOO_LONG, category="secret", where="context"),)
    assert stay_local_reason(long, scan(long)) == "context holds more text than is scanned (800,000 bytes)"
    assert PatternScanner().scan(Request(prompt="p" * 10, context="c" * (MAX_BYTES - 10))) == ()
    assert scan(Request(prompt="é" * (MAX_BYTES // 2 + 1))) == (
        Finding(kind=TOO_LONG, category="secret", where="prompt"),
    )


def test_text_beyond_the_limit_stays_here():
    found = findings_in("password=" * 100_000, "context")
    assert found == (Finding(kind=TOO_MUCH, category="secret", where="context"),)
    reason = stay_local_reason(Request(prompt="p"), found)
    assert reason == "context holds text that could not be scanned within its limit"


def test_more_base64_text_than_may_be_decoded_stays_here():
    wrapped = base64.b64encode(b"plain words, over and over again. " * 20_000).decode()
    assert [finding.kind for finding in findings_in(wrapped, "prompt")] == [TOO_MUCH]


def test_a_secret_at_the_end_of_a_long_text_is_found():
    text = "".join(f"line {number}: nothing to see here, path/to/file_{number}.py\n" for number in range(30_000))
    assert [finding.kind for finding in findings_in(text + AWS_KEY, "prompt")] == ["an AWS access key"]


@given(before=st.text(max_size=60), after=st.text(max_size=60))
def test_a_key_is_found_whatever_stands_around_it(before: str, after: str):
    key = "ghp_" + "a1B2" * 9
    assert "a GitHub token" in {finding.kind for finding in findings_in(f"{before}{key}{after}", "prompt")}


@given(st.text())
def test_any_text_can_be_scanned(text: str):
    for finding in findings_in(text, "prompt"):
        assert all(0 <= start < end <= len(text) for start, end in finding.spans)


def test_each_rule_has_a_kind_in_plain_words_and_a_source():
    rules = (*RUN_RULES, *ANCHORED_RULES, *SHAPED_RULES)
    assert len({rule.kind for rule in rules}) >= 55
    for rule in rules:
        assert rule.kind.startswith(("a ", "an "))
        assert rule.source
    assert all(anchor[-1] in "_-." for rule in RUN_RULES for anchor in rule.anchors)
    assert RUN_LENGTH <= 16
    anchors = Counter((rule.kind, anchor) for rule in rules for anchor in rule.anchors)
    assert max(anchors.values()) == 1


def test_what_the_owner_keeps_private_is_told_by_its_number():
    scanner = PatternScanner(private=(lambda _: False, lambda text: "acme" in text))
    request = Request(prompt="about acme", context="nothing")
    found = (Finding(kind="what private_patterns[1] keeps local", category="private", where="prompt"),)
    assert scanner.scan(request) == found
    reason = stay_local_reason(request, found)
    assert reason == "prompt holds what private_patterns[1] keeps local"


def test_invisible_characters_do_not_hide_what_the_owner_keeps_private():
    scanner = PatternScanner(private=(lambda text: "acme" in text,))
    assert scanner.scan(Request(prompt="about ac\u200bme"))


def test_the_first_finding_is_the_reason_and_confidential_goes_before_all():
    card, key = (
        Finding(kind="k", category="personal", where="prompt"),
        Finding(kind="s", category="secret", where="context"),
    )
    assert stay_local_reason(Request(prompt="p"), []) is None
    assert stay_local_reason(Request(prompt="p"), [key, card]) == "context holds s"
    assert stay_local_reason(Request(prompt="p", confidential=True), [card]) == "the request is marked confidential"
