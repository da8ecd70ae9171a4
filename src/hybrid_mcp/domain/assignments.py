"""Values that only their name gives away: `password = ...` in code, JSON, YAML, INI, shell, XML and plain sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from hybrid_mcp.domain.scan_work import Spot, Work
from hybrid_mcp.domain.secret_checks import is_key, is_password, is_strong

_WORDS = {
    "pass": r"(?:w(?:or)?d|wort|phrase|code|(?<![a-z]pass))",
    "pwd": "",
    "secret": "",
    "token": "",
    "credential": "",
    "key": (
        r"(?:(?<=apikey)|(?<=api.key)|(?<=access.key)|(?<=accesskey)|(?<=auth.key)|(?<=authkey)|(?<=account.key)"
        r"|(?<=accountkey)|(?<=private.key)|(?<=privatekey)|(?<=signing.key)|(?<=encryption.key)|(?<=encryptionkey)"
        r"|(?<=master.key)|(?<=masterkey)|(?<=storage.key)|(?<=service.key)|(?<=shared.key)|(?<=license.key)"
        r"|(?<=app.key)|(?<=appkey)|(?<=admin.key)|(?<=client.key)|(?<=deploy.key)|(?<=application.key)"
        r"|(?<=subscription.key))"
    ),
}
"""What the name ends with, and what must stand around it. `key` alone is too common."""

_REST_OF_NAME = (
    r"s?(?:[ _.-]?(?:key|id.?secret|access|base|value|text|string|prod|production|staging|stage|dev|live|main"
    r"|root|admin|user|default|old|new|db|b64|base64|hex|raw|token|secret|\d{1,3})){0,4}+(?![a-z0-9])"
)
"""A list of what may follow: `password_hash`, `token_type`, `secretName` and `passwordField` hold no secret."""

_TO_VALUE = (
    r"(?:\\?[\"'`]|[\])]){0,3}(?:"
    r"(?P<pair>\\?[\"']?[,\s]\s{0,40}+(?:- )?\\?[\"']?value\\?[\"']?\s{0,8}[:=]\s{0,8})"
    r"|(?P<typed>[ ]?:[ ]?[a-z_.|\[\]? ]{1,40}=[ ]{0,4}(?=[\"'`]))"
    r"|(?P<assigned>[ \t]{0,16}+(?:={1,3}>?|:{1,2}=?|->|>)\s{0,60}(?:[a-z]{1,2}(?=[\"']))?)"
    r"|(?P<said> (?:is|was|are|ist)(?: now)?:? )"
    r"|(?P<flag> (?:(?<=--pass )|(?<=-password )|(?<=-token )|(?<=-secret )|(?<=-key )))"
    r"|(?P<listed>\\?[\"']?[,(] {0,4}(?=[\"']))"
    r"|(?P<below>[ \t]{0,8}+(?:\\r)?(?:\r?\n|\\n)[\s]{0,40})"
    r")"
)
_VALUE = re.compile(
    r"\\?(?P<quote>[\"'`])(?:\\?[\"'`]){0,2}(?P<quoted>[^\s\"'`\\<>]{6,200})(?=\\?[\"'`])"
    r"|(?P<bare>[^\s\"'`\\<>,;()\[\]{}&|]{6,200})"
)


def assigned(text: str, low: str, work: Work) -> Iterator[Spot]:
    """Kind, start and end of each value that a name gives away; `low` is `text` in lower case."""
    for word in [word for word in _WORDS if _counted(low, word, work)]:
        pattern = _pattern(word)
        place = low.find(word)
        while place >= 0:
            name = pattern.match(low, place)
            found = _VALUE.match(text, name.end()) if name else None
            if name and found:
                work.spend(_CHECK_UNITS)
                if kind := _kind(word, name, found, text):
                    group = "quoted" if found["quoted"] else "bare"
                    yield Spot(kind, found.start(group), found.end(group))
            place = low.find(word, place + len(word))


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """Compiled when first needed: all of them would take longer than a start should."""
    return re.compile(f"{word}{_WORDS[word]}{_REST_OF_NAME}{_TO_VALUE}")


def _counted(low: str, word: str, work: Work) -> int:
    count = low.count(word)
    work.spend(count)
    return count


def _kind(word: str, name: re.Match[str], found: re.Match[str], text: str) -> str | None:
    # PASSWORD=value is a shell's or an .env file's, where a bare word is no name of anything.
    from_environment = text[name.start()].isupper() and text[name.end() - 1] == "="
    quoted = found["quoted"] is not None or from_environment
    value = found["quoted"] or found["bare"].rstrip(".,:!?*_")
    if not quoted and text[found.end() : found.end() + 1] in {"(", "[", "{"}:
        return None
    if "aws" in text[max(0, name.start() - 24) : name.end()].lower() and re.fullmatch(r"[A-Za-z0-9/+]{40}", value):
        return "an AWS secret key"
    if (name["below"] or name["listed"]) and not is_strong(value):
        return None
    if word in {"pass", "pwd"}:
        return "a password" if is_password(value, quoted=quoted) else None
    return _KEY_KINDS.get(word, "a secret key") if is_key(value, quoted=quoted) else None


_CHECK_UNITS = 12
"""A value is compared with what documents and code write there, which takes about 5 microseconds."""
_KEY_KINDS = {"token": "an access token", "key": "an API key"}
