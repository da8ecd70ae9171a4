"""The owner's own patterns: what they match, and what is said of one that cannot be used."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from hybrid_mcp.config import read_profile
from hybrid_mcp.config.private_patterns import matcher, matchers
from tests.support_config import refusal, write


@pytest.mark.parametrize(("pattern", "text"), [
    ("*/customers/*", "please look at src/customers/acme.py, line 3"),
    ("*/customers/*", "customers/acme.py"),
    ("*/customers/*", r"C:\work\Customers\acme.xlsx"),
    ("*.pem", "the file `deploy/site.pem`."),
    ("*.pem", "site.pem:12:3: bad base64"),
    ("report-20??.csv", "see data/report-2026.csv!"),
    ("*acme[-_]corp*", "mail from billing@acme-corp.example"),
    ("*/münchen/*", "a/München/b"),
    ("*/münchen/*", "a/Mu\u0308nchen/b"),
    ("*/Kunden Daten/*", "open /srv/Kunden Daten/list.csv now"),
    ("*/Kunden Daten/*.csv", "open /srv/Kunden Daten/a b/list.csv now"),
    ("*/Kunden Daten/*", "open https://h/srv/Kunden%20Daten/list.csv"),
    ("*/Kunden Daten/*", r"cat /srv/Kunden\ Daten/list.csv"),
    ("*/Reports (secret)/*", "see '/home/a/Reports (secret)/q1.pdf'"),
    ("*/R&D, internal/*", "cat /srv/R&D, internal/x"),
    ("secret plans*", "secret plans.docx"),
    ("*.pem", "cat '/x/my key.pem'"),
    ("src/*/secret?.py", "edit src/a/b/secret1.py:3"),
    ("src/*/[!a]x[]^]?", "src/q/bx^1"),
    ("/srv/customers", "see /srv/customers/a.csv"),
    ("/srv/customers", "ls /srv/customers"),
    ("/srv/customers", "file:///srv/customers."),
    ("/srv/customers", "path=/srv/customers"),
    ("/srv/customers/**", "see file:///srv/customers/a.csv"),
    ("/srv/customers/**", r'{"p":"\/srv\/customers\/a.csv"}'),
    ("/srv/customers", r'{"p":"first\n/srv\u002fcustomers"}'),
    ("*/customers/*", r'{"p":"see:\ncustomers/acme.py"}'),
    ("*/customers/*", "see /srv/%63ustomers%2Fa.csv"),
    ("D:/Customers", r'"D:\\Customers\\a.csv"'),
    ("customers/", "see /srv/customers/a.csv"),
    ("customers", "see /srv/customers/a.csv"),
    ("~/private/*", "see ~/private/a"),
    ("~/private/*", "see ~bob/private/a"),
    ("~/private/*", "see /home/bob/private/a"),
    ("~/private", r"see C:\Users\Bob\private\a"),
    ("~/private", "see /root/private"),
    ("acme-internal.example", "https://acme-internal.example/x"),
    ("acme-internal.example", "mail.acme-internal.example"),
])  # fmt: skip
def test_a_glob_matches_the_words_that_look_like_paths(pattern: str, text: str):
    assert matcher(pattern)(text)


@pytest.mark.parametrize(("pattern", "text"), [
    ("*/customers/*", "our customers are happy; src/customers.py is clean"),
    ("*.pem", "temperature.pemx and a pem file"),
    ("report-20??.csv", "report-20.csv, report-2026.csv.gz"),
    ("*/customers/*", ""),
    ("/srv/customers", "see /srv/customers2/a, /srv/customers-old, /mnt/srv/customers and /srv/customers.bak"),
    ("customers/", "our customers are happy"),
    ("customers", "mycustomers, customers_old"),
    ("~/private/*", "see /srv/bob/private/a"),
    ("src/*/secret.py", "src/a b/secret.py"),
    ("*/Kunden Daten/*.csv", "/Kunden Daten/ is on the next line:\nlist.csv"),
    (".env", "prod.environment"),
])  # fmt: skip
def test_a_glob_matches_nothing_else(pattern: str, text: str):
    assert not matcher(pattern)(text)


def test_the_owners_own_home_is_what_a_tilde_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME" if os.name != "nt" else "USERPROFILE", str(tmp_path))
    assert matcher("~/private")(f"see {tmp_path}/private/a")


@pytest.mark.parametrize("pattern", ["*/a b/*", "a*b*c*d", "~/a/*b", "/home/*/x*y", "*a?a?a*b"])
@pytest.mark.parametrize("unit", ["a", "/", "a ", "/home/", "ab", "%61", "\\u0061", "/a b"])
def test_no_text_is_slow_for_a_glob(pattern: str, unit: str):
    matches, text = matcher(pattern), unit * (1_000_000 // len(unit)) + "\n"
    started = time.perf_counter()
    matches(text)
    assert time.perf_counter() - started < 10


def test_an_expression_is_looked_for_everywhere_in_any_case():
    pytest.importorskip("re2")
    (matches,) = matchers([r"re:\bproject[ -]falcon\b"])
    assert matches("about Project Falcon, again")
    assert not matches("project falconry")


def test_an_expression_that_backtracks_elsewhere_takes_linear_time():
    """Python's own engine would take 2 to the power of 4,000,000 steps here."""
    pytest.importorskip("re2")
    assert not matcher(r"re:(a*)*(a|a)*b")("a" * 4_000_000)


@pytest.mark.parametrize(("pattern", "told"), [
    (r"'re:(unclosed'", "missing )"),
    (r"'re:(a)\1'", "no backreferences"),
    (r"'re:(?=a)'", "no lookaround"),
    (r"'re:(a{1000}){1000}'", "not an expression"),
    (r"'re:x*'", "matches an empty text"),
])  # fmt: skip
def test_a_bad_expression_names_file_line_and_key(tmp_path: Path, pattern: str, told: str):
    pytest.importorskip("re2")
    path = write(tmp_path / "p.yaml", f"profile: p\nprivate_patterns:\n  - '*/ok/*'\n  - {pattern}\n")
    message = refusal(lambda: read_profile(path))
    assert message.startswith(f"{path}:4: private_patterns[1]: ")
    assert told in message


@pytest.mark.parametrize(("yaml", "told"), [
    ("['*']", "private_patterns[0]: '*' matches everything"),
    ("['*/*']", "private_patterns[0]: '*/*' matches everything"),
    ("['']", "private_patterns[0]: '' matches everything"),
    (f"['{'a' * 501}']", "has more than 500 characters"),
    ("customers", "private_patterns: must be a list"),
    (f"[{'a, ' * 101}]", "has 101 patterns; at most 100"),
])  # fmt: skip
def test_a_pattern_that_cannot_be_used_is_refused(tmp_path: Path, yaml: str, told: str):
    path = write(tmp_path / "p.yaml", f"private_patterns: {yaml}\n")
    assert told in refusal(lambda: read_profile(path))


def test_without_re2_globs_work_and_expressions_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "re2", None)
    assert matcher("*.key")("id.key")
    path = write(tmp_path / "p.yaml", "private_patterns: ['re:falcon']\n")
    assert "pip install google-re2" in refusal(lambda: read_profile(path))


def test_a_profile_holds_its_patterns_and_its_mode(tmp_path: Path):
    path = write(tmp_path / "p.yaml", "private_patterns: ['*/customers/*', '*.pem']\nprivacy: redact\n")
    profile = read_profile(path).profile
    assert profile.private_patterns == ("*/customers/*", "*.pem")
    assert profile.privacy == "redact"


def test_a_profile_without_them_keeps_secrets_local(tmp_path: Path):
    profile = read_profile(write(tmp_path / "p.yaml", "profile: p\n")).profile
    assert (profile.private_patterns, profile.privacy) == ((), "local")


def test_an_unknown_mode_is_refused(tmp_path: Path):
    path = write(tmp_path / "p.yaml", "privacy: mask\n")
    assert "use one of local, redact" in refusal(lambda: read_profile(path))
