"""First detectors of secrets and personal data: few rules, each precise, so that ordinary text is not held back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.privacy import Finding

_SECRETS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, hint, re.compile(pattern))
    for kind, hint, pattern in (
        ("an AWS access key", "A", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("an AWS secret key", "aws_secret", r"aws_secret_access_key[\"' ]{0,3}[=:][\"' ]{0,3}[A-Za-z0-9/+]{40}"),
        ("an AWS secret key", "AWS_SECRET", r"AWS_SECRET_ACCESS_KEY[\"' ]{0,3}[=:][\"' ]{0,3}[A-Za-z0-9/+]{40}"),
        ("a GitHub token", "gh", r"\bgh[pousr]_[A-Za-z0-9]{36,255}"),
        ("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{50,255}"),
        ("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,255}"),
        ("a Slack token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}"),
        ("a Google API key", "AIza", r"\bAIza[A-Za-z0-9_-]{35}"),
        ("an API key", "sk-", r"\bsk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{32,255}"),
        ("a Stripe key", "k_live_", r"\b[rs]k_live_[A-Za-z0-9]{16,255}"),
        ("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,255}"),
        ("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
        ("a private key", "PRIVATE KEY", r"-----BEGIN (?:[A-Z]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        ("a JSON web token", "eyJ", r"(?<![\w-])eyJ[\w-]{10,2000}+\.eyJ[\w-]{10,4000}+\.[\w-]{10,1000}"),
        ("a password in a URL", "://", r"://[^\s:@/]{1,64}:[^\s:@/]{6,128}@"),
    )
)
"""Kind, a literal that every match holds (which is looked for first, because that is fast), and the rule.

Hostile text must not make a rule slow: repeats are bounded, and possessive or anchored to the start of a run where one
character could belong to two matches.
"""

_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")
_PHONE = re.compile(
    r"(?<![\w.])(?:\+\d(?:[ ./()-]{0,2}+\d){7,14}+"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|0\d{2,4}[ /-]\d{3,8}(?:[ -]\d{2,6}){0,2})(?![\w.])"
)
"""International with a plus, North American, and with a trunk zero; a date is none of them."""


class PatternScanner:
    """Implements `SecretScanner` with the rules above."""

    def scan(self, request: Request) -> tuple[Finding, ...]:
        """Each kind once for each argument it stands in."""
        return tuple(
            finding
            for where, text in request.texts()
            if text
            for finding in (*_secrets(text, where), *_personal(text, where))
        )


def _secrets(text: str, where: str) -> Iterator[Finding]:
    for kind, hint, rule in _SECRETS:
        if hint in text and rule.search(text):
            yield Finding(kind=kind, category="secret", where=where)


def _personal(text: str, where: str) -> Iterator[Finding]:
    if any(_passes_luhn(match[0]) for match in _DIGITS.finditer(text)):
        yield Finding(kind="a payment card number", category="personal", where=where)
    if any(_is_iban(match[0]) for match in _IBAN.finditer(text)):
        yield Finding(kind="a bank account number (IBAN)", category="personal", where=where)
    if "@" in text and _EMAIL.search(text) and _PHONE.search(text):
        yield Finding(kind="an e-mail address with a phone number", category="personal", where=where)


def _passes_luhn(number: str) -> bool:
    """The check digit of ISO/IEC 7812-1; a run of one digit is no card."""
    digits = [int(character) for character in number if character.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def _is_iban(text: str) -> bool:
    """The check digits of ISO 13616: modulo 97 is 1."""
    compact = text.replace(" ", "")
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
