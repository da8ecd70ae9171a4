"""Values that only their name gives away: `password = ...` in code, JSON, YAML, INI, shell, XML and plain sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from hybrid_mcp.domain.scan_work import Spot, Work
from hybrid_mcp.domain.secret_checks import is_key, is_password, is_strong
from hybrid_mcp.domain.values import Value, value_at

_WORDS = {
    "pass": r"(?:w(?:or)?d|wort|phrase|code|(?<![a-z]pass))",
    "pwd": "",
    "secret": "",
    "token": "",
    "credential": "",
    "_pat": "",
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
    r"s?(?:[_.-]?\d{1,3}|[ _.-]?(?:key|id.?secret|access|base|value|text|string|prod|production|staging|stage|dev|live"
    r"|main|root|admin|user|default|old|new|db|b64|base64|hex|raw|token|secret| \d{1,3}(?=[:=]\s))){0,4}+(?![a-z0-9])"
)
"""A list of what may follow: `password_hash`, `token_type`, `secretName` and `passwordField` hold no secret."""

_TO_VALUE = (
    r"(?:\\?[\"'`]|[\])*]){0,3}(?:"
    r"(?P<pair>\\?[\"']?[,\s]\s{0,40}+(?:- )?\\?[\"']?value\\?[\"']?\s{0,8}[:=]\s{0,8})"
    r"|(?P<typed>[ ]?:[ ]?[a-z_.|\[\]? ]{1,40}=[ ]{0,4}(?=[\"'`]))"
    r"|(?P<set>=)(?=\S)"
    r"|(?P<flag> (?:(?<=--pass )|(?<=-password )|(?<=-token )|(?<=-secret )|(?<=-key ))(?![=:] ))"
    r"|(?P<assigned>[ \t]{0,16}+(?:={1,3}>?|:{1,2}=?|->|>)\s{0,60})"
    r"|(?P<said> (?:is|was|are|ist|lautet|lauten)(?: now)?:?\s{1,4})"
    r"|(?P<listed>\\?[\"']?[,( ] {0,4}(?=[\"']))"
    r"|(?P<block>[\"'] {0,2}\{[^{}]{0,160}?\bdefault\s{0,12}=\s{0,4}(?=\"))"
    r"|(?P<below>[ \t]{0,8}+(?:\\r)?(?:\r?\n|\\n)[\s]{0,40})"
    r")"
)
_NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
_MAX_NAME = 48
_MAX_PREFIX = 24
_OPERATOR = re.compile(r"={1,2}>?|>")
_PARAMETER = frozenset("?&")
_QUOTES = frozenset("\"'`")
_OPENING = frozenset("([{<")
_SAID_AFTER = ".,:;!?*"
_LONGEST_WITH_SIGNS = 64
"""Characters of a value in no quotes that holds brackets or commas: one that is longer is a line of code."""


def assigned(text: str, low: str, work: Work) -> Iterator[Spot]:
    """Kind, start and end of each value that a name gives away; `low` is `text` in lower case."""
    for word in [word for word in _WORDS if _counted(low, word, work)]:
        pattern = _pattern(word)
        place = low.find(word)
        while place >= 0:
            name = pattern.match(low, place)
            if name and (spot := _named(word, name, text, work)):
                yield spot
            place = low.find(word, place + len(word))


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """Compiled when first needed: all of them would take longer than a start should."""
    return re.compile(f"{word}{_WORDS[word]}{_REST_OF_NAME}{_TO_VALUE}")


def _counted(low: str, word: str, work: Work) -> int:
    count = low.count(word)
    work.spend(_NAME_UNITS * count)
    return count


def _named(word: str, name: re.Match[str], text: str, work: Work) -> Spot | None:
    before = text[max(0, name.start() - _MAX_NAME) : name.start()]
    stem = len(before.rstrip(_NAME_CHARACTERS))
    # PASSWORD=value is a shell's or an .env file's, where a bare word is no name of anything.
    environment = name["set"] is not None and (before[stem:] + text[name.start() : name.start() + len(word)]).isupper()
    work.spend(_CHECK_UNITS)
    place = name.end() if environment or not name["set"] else _end_of_operator(text, name.end())
    value = value_at(
        text,
        place,
        until=_end_mark(name, before[stem - 1 : stem], text),
        whole=environment,
    )
    if not value:
        return None
    work.spend((value.end - value.start) // _CHARACTERS_A_UNIT)
    # What was taken for an operator or a type may be the beginning of the value.
    of_name = (name["typed"] and text[name.end() - 1] == "=") or (name["set"] and place != name.end())
    if of_name or (name["below"] and value.core < value.end):
        value = value._replace(exact=False)
    clear = value.quoted or (name["set"] is not None and text[name.start()].isupper())
    found = text[value.start : value.end]
    if "aws" in (before[-_MAX_PREFIX:] + name[0]).lower() and re.fullmatch(r"[A-Za-z0-9/+]{40}", found):
        return Spot("an AWS secret key", value.start, value.end, value.exact)
    defined = name["listed"] and before[:stem].rstrip("\"'").lower().endswith("define(")
    if (name["below"] or name["listed"]) and not defined and not is_strong(found):
        return None
    return _judged(word, value, found, clear=clear)


def _judged(word: str, value: Value, found: str, *, clear: bool) -> Spot | None:
    """The value as it stands, without the signs of a sentence, or as far as it is surely the value."""
    if len(found) <= _LONGEST_WITH_SIGNS or value.core == value.end:
        if kind := _kind(word, found, clear):
            return Spot(kind, value.start, value.end, value.exact)
        if kind := _kind(word, found.rstrip(_SAID_AFTER), clear):
            # Whether the sign is the value's or the sentence's, nobody can tell.
            return Spot(kind, value.start, value.end, exact=False)
    if value.core == value.end or found[value.core - value.start] in _OPENING:
        return None
    kind = _kind(word, found[: value.core - value.start], clear)
    return Spot(kind, value.start, value.core, exact=False) if kind else None


def _end_of_operator(text: str, place: int) -> int:
    """After `==`, `===` or `=>`."""
    found = _OPERATOR.match(text, place)
    return found.end() if found else place


def _end_mark(name: re.Match[str], before: str, text: str) -> str:
    """What ends a value in no quotes of its own: a tag, the next parameter of an address, the quote before its name."""
    if name["assigned"] and text[name.end() - 1] == ">":
        return "</"
    if not name["set"]:
        return ""
    return "&" if before in _PARAMETER else before if before in _QUOTES else ""


def _kind(word: str, value: str, clear: bool) -> str | None:
    if word in _PASSWORDS:
        return "a password" if is_password(value, quoted=clear) else None
    return _KEY_KINDS.get(word, "a secret key") if is_key(value, quoted=clear) else None


_NAME_UNITS = 2
"""Whether a value follows a name takes about 1 microsecond."""
_CHECK_UNITS = 12
"""A value is compared with what documents and code write there, which takes about 5 microseconds."""
_CHARACTERS_A_UNIT = 16
_PASSWORDS = frozenset({"pass", "pwd"})
_KEY_KINDS = {"token": "an access token", "_pat": "an access token", "key": "an API key"}
