"""Other views of a text: as ASCII, and what its base64, percent and backslash escapes stand for."""

from __future__ import annotations

import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from hybrid_mcp.domain.scan_work import Work

_FULL_WIDTH = "".join(map(chr, range(0xFF01, 0xFF5F)))
_INVISIBLE = (
    "\u00ad\u034f\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufe00\ufe01\ufe0e\ufe0f\ufeff"
)
"""Soft hyphen, joiners, directional marks, word joiner, invisible operators, variation selectors, byte order mark."""
_SPACES = "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"
_CODES = "".join(map(chr, range(128))) + _FULL_WIDTH + _INVISIBLE + _SPACES[: 128 - len(_FULL_WIDTH) - len(_INVISIBLE)]
_TO_CODES = codecs.charmap_build(_CODES.ljust(256, "\ufffe"))
_TO_ASCII = bytes(
    code if code < 128 else ord(unicodedata.normalize("NFKC", _CODES[code])) & 127 if code < len(_CODES) else 63
    for code in range(256)
)
_DELETED = bytes(_CODES.index(character) for character in _INVISIBLE)

_STYLED = re.compile("[\U0001d400-\U0001d7ff\U000e0020-\U000e007e]+")
"""Letters of mathematics, and the invisible tag characters."""

_FEW = 32
"""Characters a match, above which replacing each is quicker than mapping all of the text."""

_TOKEN = bytes(97 if bytes((code,)).isalnum() or code in b"+/-_" else 46 if code == 46 else 32 for code in range(256))
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_FIRST = 24
"""Characters of base64 that must stand for readable text before all is decoded: by chance one in 8 million does.
The shortest secret that has a form of its own takes 27."""
_LINES = re.compile(rb"[A-Za-z0-9+/_-]+(?:(?:\\r)?(?:\r?\n|\\n)[ \t]*[A-Za-z0-9+/_-]+)*")
_LINE_ENDS = re.compile(rb"(?:\\r)?(?:\r?\n|\\n)[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """ASCII to look at. `exact`: each character stands where it stands in the original."""

    data: bytes
    exact: bool


def plain_view(text: str) -> View:
    """Full-width and mathematical characters as what they look like, without invisible ones; `?` for other scripts."""
    if text.isascii():
        return View(data=text.encode(), exact=True)
    codes, _ = codecs.charmap_encode(_without_styles(text), "replace", _TO_CODES)
    data = codes.translate(_TO_ASCII, _DELETED)
    return View(data=data, exact=len(data) == len(text))


def _without_styles(text: str) -> str:
    if not _STYLED.search(text):
        return text
    beyond_16_bits = len(text.encode("utf-16-le")) // 2 - len(text)
    if beyond_16_bits * _FEW < len(text):
        return _STYLED.sub(lambda found: found[0].translate(_styles()), text)
    return text.translate(_styles())


@cache
def _styles() -> dict[int, str]:
    tags = {0xE0000 + code: chr(code) for code in range(32, 127)}
    return tags | {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x1D400, 0x1D800)}


def decoded_views(data: bytes, work: Work) -> Iterator[View]:
    """What is written in base64 or in escapes, once."""
    for decoded in (_unescaped(data, work), _from_base64(data, work)):
        if decoded:
            yield View(data=decoded, exact=False)


def token_shape(data: bytes) -> bytes:
    """`a` for letters, digits, `+`, `/`, `-` and `_`; dots stay; all else is a space."""
    return data.translate(_TOKEN)


def _unescaped(data: bytes, work: Work) -> bytes:
    """The lines that hold percent or backslash escapes, decoded."""
    data = data.replace(b"\\u00", b"%").replace(b"\\x", b"%") if b"\\u00" in data or b"\\x" in data else data
    lines: list[bytes] = []
    found = data.find(b"%")
    while found >= 0:
        work.spend(1)
        start, end = data.rfind(b"\n", 0, found) + 1, data.find(b"\n", found)
        end = len(data) if end < 0 else end
        lines.append(data[start:end])
        found = data.find(b"%", end)
    if not lines:
        return b""
    # Quoted-printable is percent encoding with another sign, and the one that is decoded in C.
    joined = b"\n".join(lines).replace(b"%\n", b"\n").rstrip(b"%")
    decoded = binascii.a2b_qp(joined.replace(b"=", b"=3D").replace(b"%", b"="))
    if len(decoded) == len(joined):
        return b""
    work.spend_characters(len(decoded))
    return _ascii(decoded)


def _from_base64(data: bytes, work: Work) -> bytes:
    """What each run of base64 stands for, as far as that is readable."""
    shape = b" " + token_shape(data).replace(b".", b" ")
    start_of_run = b" " + b"a" * _FIRST
    work.spend(shape.count(start_of_run))
    standard = data.translate(_FROM_URL_SAFE)
    decoded: list[bytes] = []
    start = shape.find(start_of_run)
    while start >= 0:
        end = start + _FIRST
        if not binascii.a2b_base64(standard[start:end]).translate(None, _PRINTABLE):
            work.spend(4)
            run = _LINES.match(data, start)
            end = run.end() if run else end
            decoded.append(_decode(_LINE_ENDS.sub(b"", standard[start:end])))
            work.spend_characters(len(decoded[-1]))
        start = shape.find(start_of_run, end)
    return _ascii(b"\n".join(decoded))


def _decode(run: bytes) -> bytes:
    whole = run[: len(run) - 1] if len(run) % 4 == 1 else run
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _ascii(data: bytes) -> bytes:
    return plain_view(data.decode("utf-8", "replace")).data
