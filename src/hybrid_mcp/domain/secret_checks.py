"""Checks that tell a value from what only looks like one: check digits, placeholders, words, expressions of code."""

from __future__ import annotations

import binascii
import re

from hybrid_mcp.domain.expressions import is_code, is_mixed, is_path, is_scrambled

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip
"""Characters of an account number by country: the IBAN registry of ISO 13616."""

_CARD = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|62\d{14}"
)
"""Issuer prefixes and lengths of ISO/IEC 7812: Visa, Mastercard, American Express, Discover, JCB, Diners, UnionPay."""

_FILLER = re.compile(r"[xX*#._-]")
_PLACEHOLDER = re.compile(
    r"example|sample|change.?me|your|placeholder|dummy|redacted|insert|replace|todo|fixme|xxx|\*\*\*|\.\.\.|goes.here"
    r"|[_-]here\b|^here[_-]|\bfake|foobar|environ|process\.env|getenv|\bsecrets\.|vault|^file:|^arn:|://|hidden|masked"
    r"|\$\{[a-z_]|\{\{\s*[a-z_.$-]|\{\{$|%\([a-z_]+\)|^<[\w .:|/-]*>?$|^\$[a-z_]\w*$|^%[a-z_]+%$|^#\{[a-z@]"
    r"|^@[a-z_]\w*$|^\$\(|^\{[\w.]*(?:[!:][^}]*)?\}|^%[sdr](?!\w)|\[[^\]]*(?:a-z|0-9)|\(\?[:=!p]"
)
_WELL_KNOWN = frozenset({
    "password", "password1", "password12", "password123", "password1234", "password!", "passw0rd", "passw0rd!",
    "p@ssw0rd", "p@ssword", "pa55word", "p4ssw0rd", "pa$$word", "pass123", "pass1234", "secret1", "secret123",
    "s3cr3t", "s3cret", "secret!", "test123", "test1234", "testing123", "admin123", "admin1234", "admin@123", "root123",
    "user123", "guest123", "demo123", "hello123", "welcome1", "welcome123", "letmein1", "qwerty123", "abc123",
    "abcd1234", "abc12345", "postgres1", "mysql123", "12345678", "123456789", "1234567890", "12345678901",
})  # fmt: skip
"""Guesses that every list of passwords begins with: one gives nothing away, and documents are full of them."""

_TEMPLATES = ("{", "$", "(", "[")
_IN_NO_URL = re.compile(r"[/\"'<>]")
_URL_WORDS = frozenset({
    "pass", "passwd", "passphrase", "token", "secret", "postgres", "mysql", "admin", "guest", "mypassword", "mypass",
    "mysecret", "userpass", "dbpass", "dbpassword", "some_password", "somepassword", "user_password", "strong_password",
    "strongpassword", "thepassword", "api_key", "apikey", "access_token",
})  # fmt: skip
"""What documents write as the password of an address."""

_NAMES_AN_ALGORITHM = re.compile(
    r"^(?:sha|md|base|bcrypt|utf|hs|rs|es|ps|oauth|openid|x\.?|argon|pbkdf|scrypt|aes|rsa|ed|http|tls|v|ipv|oidc|saml)"
    r"[-_]?\d[a-z0-9]{0,4}(?:$|[-_./,:](?!\S{32}))"
)
_ALPHANUMERIC = re.compile(r"\w+")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_TYPE = re.compile(r"(?:[A-Z][a-z]+\d*)+|\w*[A-Z][a-z]{2,}[A-Z][a-z]{2,}")
_NUMBER_OR_TIME = re.compile(r"[+-]?\d[\d.,:/T_-]*(?:Z|ms|[smhdkKMG]?[bB]?)?")
_WORD = re.compile(r"[a-z]+\d{0,2}|[A-Z]+\d{0,2}|[A-Z][a-z]+\d{0,2}|(?:[a-z]+|[A-Z][a-z]*)(?:[A-Z][a-z]+)+|\d{1,4}|")
_PARTS = re.compile(r"[-_./:@ +]")
_DIGIT = re.compile("[0-9]")
_SIGN = re.compile(r"[!#%^*+?~$&]")
_LETTER = re.compile("[A-Za-z]")
_SYMBOLS = frozenset("!#%^*+=?~$@&-_.:/|")
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_SHORTEST, _LONGEST = 6, 256
"""Characters of a password."""
_LOOKED_AT = 512
"""Characters of a key that tell what it is."""
_MIN_SCRAMBLED = 8
"""Letters of a password that holds nothing else."""


def passes_luhn(number: str) -> bool:
    """The check digit of ISO/IEC 7812-1; a run of one digit is no card."""
    doubled = number[-2::-2].translate(_DOUBLED)
    return sum(map(int, number[-1::-2] + doubled)) % 10 == 0 and len(set(number)) > 1


_DOUBLED = str.maketrans("0123456789", "0246813579")
"""Twice a digit, and the sum of the digits of that."""


def is_card(digits: str) -> bool:
    """Digits alone: an issuer's prefix and length, and the check digit."""
    return _CARD.fullmatch(digits) is not None and passes_luhn(digits)


def is_iban(text: str) -> bool:
    """A country's length, and the check digits of ISO 13616: modulo 97 is 1."""
    compact = text.replace(" ", "").replace("-", "")
    if IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def is_filled(value: str) -> bool:
    """Not a template: less than half of it is x, dots or stars, and it does not say `your`."""
    return len(_FILLER.findall(value)) * 2 < len(value) and "your" not in value.lower() and "..." not in value


def is_varied(value: str) -> bool:
    """Filled, with both a letter and a digit, and at least eight different characters: no word, no number."""
    return _has_letter_and_digit(value) and len(set(value)) >= 8 and is_filled(value) and not _is_words(value)


def is_placeholder(value: str) -> bool:
    """What a document writes where a reader is to put a value."""
    low = value.lower()
    return len(set(value)) < 4 or low in _WELL_KNOWN or _PLACEHOLDER.search(low) is not None


def is_password(value: str, *, quoted: bool) -> bool:
    """A value after the word password, rather than a placeholder, a type, an algorithm or code."""
    if not _SHORTEST <= len(value) <= _LONGEST or _is_no_value(value, quoted=quoted):
        return False
    if value.isdigit():
        return len(value) >= 8
    if not any(character.isalpha() for character in value):
        return False
    if _DIGIT.search(value) or _SIGN.search(value.strip("?!")):
        return True
    return _is_encoded(value) or (len(value) >= _MIN_SCRAMBLED and is_scrambled(value))


def is_said_password(value: str) -> bool:
    """A value where a command or a file has its password."""
    return is_password(value, quoted=True)


def is_strong(value: str) -> bool:
    """Where nothing but the place speaks for it: long, of three kinds of characters, and no words."""
    present = sum(any(map(kind, value)) for kind in (str.islower, str.isupper, str.isdigit, _SYMBOLS.__contains__))
    return len(value) >= 10 and present >= 3 and sum(map(str.isdigit, value)) >= 2 and not _is_words(value)


def is_key(value: str, *, quoted: bool) -> bool:
    """A value after the word key, token or secret: long enough for one, and neither words nor code."""
    value = value[:_LOOKED_AT]
    if len(value) == 40 and re.fullmatch(r"[A-Za-z0-9/+]{40}", value) and is_varied(value.replace("0", "")):
        return True
    if _is_encoded(value) and not is_placeholder(value):
        return True
    if len(value) < 12 or _is_no_value(value, quoted=quoted):
        return False
    if not is_varied(value):
        return quoted and not _DIGIT.search(value) and is_filled(value) and is_scrambled(value)
    return quoted or not _IDENTIFIER.fullmatch(value) or (_many_digits(value) and not _TYPE.fullmatch(value))


def is_basic_login(value: str) -> bool:
    """The `user:password` of RFC 7617, base64."""
    plain = _decoded(value)
    return plain is not None and ":" in plain and not is_placeholder(plain.partition(":")[2])


def is_url_password(value: str) -> bool:
    """A password between `user:` and `@host`, rather than the word for one, code, or a path with an `@` in it."""
    bare = value.strip("[](){}<>")
    if len(bare) < 5 or bare.lower() in _URL_WORDS:
        return False
    if value.startswith(_TEMPLATES) and is_code(value):
        return False
    first, at, _ = value.partition("@")
    if (at or "/" in value) and (_IN_NO_URL.search(first) or not is_url_password(first)):
        return is_mixed(value) and not is_placeholder(value)
    return not is_placeholder(value)


def _is_no_value(value: str, *, quoted: bool) -> bool:
    if is_placeholder(value) or _NAMES_AN_ALGORITHM.match(value.lower()) or is_path(value):
        return True
    if (_NUMBER_OR_TIME.fullmatch(value) and not value.isdigit()) or _is_words(value):
        return True
    if quoted:
        return False
    return _is_named_after_itself(value) if _ALPHANUMERIC.fullmatch(value) else is_code(value)


def _is_named_after_itself(value: str) -> bool:
    """`password = password2` is code, `password: Supersecret99` and `password: supersecret123` are none."""
    low = value.lower()
    is_name = value[0].islower() and _IDENTIFIER.fullmatch(value) and not _many_digits(value)
    return bool(is_name) and any(
        word in low for word in ("pass", "pwd", "secret", "token", "key", "cred", "auth", "hash")
    )


def _many_digits(value: str) -> bool:
    return sum(map(str.isdigit, value)) >= 3


def _is_words(value: str) -> bool:
    """Words with `-`, `_`, `.`, `/` or `:` between them, as names and paths have."""
    parts = _PARTS.split(value)
    return len(parts) > 1 and all(_WORD.fullmatch(part) for part in parts)


def _has_letter_and_digit(value: str) -> bool:
    return _DIGIT.search(value) is not None and _LETTER.search(value) is not None


def _is_encoded(value: str) -> bool:
    """Base64 of readable text, as Kubernetes writes secrets."""
    mixed = value != value.lower() and value != value.upper() and not _IDENTIFIER_OF_WORDS.fullmatch(value)
    return mixed and len(value) % 4 == 0 and _decoded(value) is not None


_IDENTIFIER_OF_WORDS = re.compile(r"[A-Za-z]?[a-z]*(?:[A-Z][a-z]{2,})+")


def _decoded(value: str) -> str | None:
    """What base64 stands for, when it is readable text of at least six characters."""
    try:
        plain = binascii.a2b_base64(value + "=" * (-len(value) % 4))
    except ValueError:
        return None
    return plain.decode("ascii") if len(plain) >= 6 and not plain.translate(None, _PRINTABLE) else None
