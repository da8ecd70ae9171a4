"""Personal data that is worth money: cards, accounts, and an e-mail address together with a phone number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybrid_mcp.domain.scan_work import Spot, Work
from hybrid_mcp.domain.secret_checks import is_card, is_iban

CARD = "a payment card number"
IBAN = "a bank account number (IBAN)"
E_MAIL_AND_PHONE = "an e-mail address with a phone number"

_SHAPE = bytes(
    48 if 48 <= code <= 57 else 65 if 65 <= code <= 90 else 97 if 97 <= code <= 122 or code == 95 else 32
    for code in range(256)
)
"""`0` for digits, `A` and `a` for letters, else a space."""
_RUN = b"0" * 13
_GROUPED = (b"0000 0000 0000 0000", b"0000 000000 0000")
_CARD_DIGITS = range(14, 17)
_FIRST_DIGITS = "23456"
_SPACE = 32
_CHECK_UNITS = 4
"""Check digits are computed in Python."""
_ACCOUNT_SHAPE = b" AA00"
_NO_DIGIT = re.compile(r"\D")
_DIGITS = re.compile(r"\d+")
_GROUPS = re.compile(r"\d{4}(?:[ .-]\d{4}){3}(?![\w])|\d{4}([ .-])\d{6}\1\d{4,5}(?![\w])")
_FRACTION = re.compile(r"\d\.\Z")
_ACCOUNT = re.compile(r"[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?:[ -][A-Z0-9]{4}){2,7}(?:[ -][A-Z0-9]{1,4})?)(?![A-Za-z0-9])")
_DOMAIN = re.compile(r"@[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.[A-Za-z][A-Za-z-]{0,22}[A-Za-z](?![\w-])")
_LOCAL_PART = re.compile(r"[\w.+-]{1,64}\Z")
_INTERNATIONAL = re.compile(r"\+(?<![\w.]\+)\d(?:[ ./()-]{0,2}+\d){7,14}+(?![\w.]?\d)")
_NATIONAL = re.compile(
    r"[(\d](?<![\w.-].)(?:(?<=\()\d\d\d\)[ .-]?|\d\d[ .-])\d{3}[ .-]\d{4}(?![\w.-])"
    r"|0(?<![\w./:-]0)(?!\d{4}-\d{4}(?![ -]?\d))\d{2,4}[ /-]\d{3,8}(?:[ -]\d{2,6}){0,2}(?![\w./:-])"
)
"""North American, and with a trunk zero; a date is neither, and a ZIP code with four more digits is none."""
_NATIONAL_SHAPE = b"000 000"


def personal_data(data: bytes, text: str, work: Work) -> Iterator[Spot]:
    """Cards, accounts, and e-mail addresses where there are phone numbers too; `data` is `text` as bytes."""
    shape = b" " + data.translate(_SHAPE) + b" "
    yield from _cards_in_one(shape, text, work)
    yield from _cards_in_groups(shape, text, work)
    yield from _accounts(shape, text, work)
    if "@" in text:
        yield from _people(shape, text, work)


def _cards_in_one(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    place = shape.find(_RUN)
    while place >= 0:
        work.spend(1)
        found = _DIGITS.match(text, place - 1)
        begin, end = found.span() if found else (place - 1, place + 12)
        if end - begin in _CARD_DIGITS and shape[begin] == shape[end + 1] == _SPACE and text[begin] in _FIRST_DIGITS:
            work.spend(_CHECK_UNITS)
            if is_card(text[begin:end]) and not _FRACTION.search(text[max(0, begin - 2) : begin]):
                yield Spot(CARD, begin, end)
        place = shape.find(_RUN, end + 1)


def _cards_in_groups(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    for grouped in _GROUPED:
        work.spend(shape.count(grouped))
        place = shape.find(grouped)
        while place >= 0:
            found = _GROUPS.match(text, place - 1)
            if found and shape[place - 1] == _SPACE and text[place - 1] in _FIRST_DIGITS:
                work.spend(_CHECK_UNITS)
                if is_card(_NO_DIGIT.sub("", found[0])):
                    yield Spot(CARD, found.start(), found.end())
            place = shape.find(grouped, place + 5)


def _accounts(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    work.spend(shape.count(_ACCOUNT_SHAPE))
    place = shape.find(_ACCOUNT_SHAPE)
    while place >= 0:
        found = _ACCOUNT.match(text, place)
        if found:
            work.spend(_CHECK_UNITS)
            if length := _account_length(found[0]):
                yield Spot(IBAN, place, place + length)
        place = shape.find(_ACCOUNT_SHAPE, place + 5)


def _account_length(text: str) -> int:
    """Characters of the account number that the text begins with, 0 for none: a word may follow the last group."""
    while text:
        if is_iban(text):
            return len(text)
        text = text[: max(text.rfind(" "), text.rfind("-"), 0)]
    return 0


def _people(shape: bytes, text: str, work: Work) -> Iterator[Spot]:
    work.spend(2 * text.count("@"))
    addresses = [
        (found.start() - len(local[0]), found.end())
        for found in _DOMAIN.finditer(text)
        if (local := _LOCAL_PART.search(text[max(0, found.start() - 64) : found.start()]))
    ]
    if not addresses:
        return
    work.spend(text.count("+"))
    phones = [*_international(text, work), *_national(shape, text, work)]
    for start, end in (*addresses, *phones) if phones else ():
        yield Spot(E_MAIL_AND_PHONE, start, end)


def _international(text: str, work: Work) -> Iterator[tuple[int, int]]:
    for found in _INTERNATIONAL.finditer(text):
        work.spend(_CHECK_UNITS)
        yield found.span()


def _national(shape: bytes, text: str, work: Work) -> Iterator[tuple[int, int]]:
    """Numbers without a country: each has three digits, one separator and three digits somewhere."""
    end = 0
    place = shape.find(_NATIONAL_SHAPE)
    while place >= 0:
        work.spend(_CHECK_UNITS)
        # `shape` begins with a space of its own; `(555) ` is the longest that may stand before these digits.
        for start in range(max(end, place - 7), place):
            found = _NATIONAL.match(text, start)
            if found:
                end = found.end()
                yield found.span()
                break
        place = shape.find(_NATIONAL_SHAPE, max(place + 4, end + 1))
