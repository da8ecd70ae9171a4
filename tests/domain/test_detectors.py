from __future__ import annotations

import pytest

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.privacy import Finding, stay_local_reason

SCANNER = PatternScanner()

# Written in two halves, so that no scanner of this repository takes them for real ones.
SECRETS = {
    "an AWS access key": "AKIA" + "IOSFODNN7EXAMPLE",
    "an AWS secret key": "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a GitLab token": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "a Slack token": "xoxb-" + "123456789012-abcdefABCDEF",
    "a Google API key": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "an API key": "sk-" + "proj-abcdefghijklmnopqrstuvwxyz012345",
    "a Stripe key": "sk_live_" + "a1B2c3D4e5F6g7H8",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "a password in a URL": "postgres://admin:" + "hunter2hunter2@db/x",
}
PERSONAL = {
    "a payment card number": "pay with 4111 1111 1111 1111 please",
    "a bank account number (IBAN)": "to DE89 3704 0044 0532 0130 00 now",
    "an e-mail address with a phone number": "jane@example.com, +49 30 901820 11",
}
CLEAN = [
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "what is a password manager? password = input()",
    "the number 4111111111111112 and 1234567890123456",
    "call f(1, 2, 3) at 2026-11-20 12:00:00",
    "jane@example.com wrote on 2026-11-20 at 12:00:00 about 10.0.0.1 and v1.2.3",
    "sk-learn and gh_pages and AKIA",
    "https://example.com:8080/a@b",
]


@pytest.mark.parametrize("kind", [*SECRETS, *PERSONAL])
@pytest.mark.parametrize("where", ["prompt", "context", "system_prompt"])
def test_what_is_planted_is_found_and_only_its_kind_is_told(kind: str, where: str):
    planted = {**SECRETS, **PERSONAL}[kind]
    category = "secret" if kind in SECRETS else "personal"
    text = f"see: {planted}\n"
    requests = {
        "prompt": Request(prompt=text),
        "context": Request(prompt="hello", context=text),
        "system_prompt": Request(prompt="hello", system_prompt=text),
    }
    assert SCANNER.scan(requests[where]) == (Finding(kind=kind, category=category, where=where),)


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_technical_text_is_not_held_back(text: str):
    assert SCANNER.scan(Request(prompt=text)) == ()


def test_a_profile_may_relax_personal_data_but_never_secrets():
    card, key = (
        Finding(kind="k", category="personal", where="prompt"),
        Finding(kind="s", category="secret", where="context"),
    )
    request = Request(prompt="p")
    assert stay_local_reason(request, [card], personal_data_stays_local=False) is None
    assert stay_local_reason(request, [card], personal_data_stays_local=True) == "prompt holds k"
    assert stay_local_reason(request, [card, key], personal_data_stays_local=False) == "context holds s"
    confidential = Request(prompt="p", confidential=True)
    assert stay_local_reason(confidential, [], personal_data_stays_local=True) == "the request is marked confidential"
