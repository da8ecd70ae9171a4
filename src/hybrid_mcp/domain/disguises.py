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
    "\u2066\u2067\u2068\u2069\ufeff"
)
"""Soft hyphen, joiners, directional marks, word joiner, invisible operators, byte order mark."""
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
_LETTERS_A_UNIT = 4
_MARKS = re.compile("[\u0300-\u036f\u115f\u180b-\u180d\u3164\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
"""Accents that stand alone, fillers, and all variation selectors."""
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_FEW = 64
"""Bytes of text for one beyond ASCII, above which mapping only these is quicker than mapping all of the text."""

_JOINTS = (
    re.compile(rb"\"[ \t]{0,8}[+.]\s{0,40}[a-z]?\""),
    re.compile(rb"'[ \t]{0,8}[+.]\s{0,40}[a-z]?'"),
    re.compile(rb"\\(?<=\w\\)\r?\n\s{0,40}(?=\w)"),
)
_NEAR = 300
_ESCAPES = (
    (b"\\u{", re.compile(rb"\\u\{0{0,4}([0-9a-fA-F]{2})\}"), 16),
    (b"&#x", re.compile(rb"&#x0{0,4}([0-9a-fA-F]{2});?"), 16),
    (b"&#", re.compile(rb"&#0{0,4}(\d{2,3});?"), 10),
    (b"\\1", re.compile(rb"\\(1[0-7]{2}|0[4-7][0-7])"), 8),
)
"""Other ways to write a character by its number: how each begins, and in which base the number is."""

_TOKEN = bytes(97 if bytes((code,)).isalnum() or code in b"+/-_" else 46 if code == 46 else 32 for code in range(256))
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_FIRST = 24
"""Characters of base64 that must stand for readable text before all is decoded: by chance one in 8 million does.
The shortest secret that has a form of its own takes 27."""
_LINES = re.compile(rb"[A-Za-z0-9+/_-]+(?:(?:\\r)?(?:\r?\n|\\n)[ \t]*[A-Za-z0-9+/_-]+)*")
_HEX = re.compile(rb"[0-9a-fA-F]+")
_MAX_RUN = 500_000
"""More than may be decoded at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """ASCII to look at. `exact`: each character stands where it stands in the original."""

    data: bytes
    exact: bool


def plain_view(text: str, work: Work) -> View:
    """Full-width and mathematical characters as what they look like, without invisible ones; `?` for other scripts."""
    if text.isascii():
        return View(data=text.encode(), exact=True)
    beyond_ascii = len(text.encode(errors="surrogatepass")) - len(text)
    if beyond_ascii * _FEW < len(text):
        data = _BEYOND_ASCII.sub(lambda found: _to_ascii(found[0], work).decode("ascii"), text).encode("ascii")
    else:
        data = _to_ascii(text, work)
    return View(data=data, exact=len(data) == len(text))


def _to_ascii(text: str, work: Work) -> bytes:
    if len(text.encode("utf-16-le", "surrogatepass")) > 2 * len(text):
        text = _STYLED.sub(lambda found: _without_style(found[0], work), text)
    codes, _ = codecs.charmap_encode(_MARKS.sub("", text), "replace", _TO_CODES)
    return codes.translate(_TO_ASCII, _DELETED)


def _without_style(letters: str, work: Work) -> str:
    work.spend(1 + len(letters) // _LETTERS_A_UNIT)
    return letters.translate(_styles())


@cache
def _styles() -> dict[int, str]:
    tags = {0xE0000 + code: chr(code) for code in range(32, 127)}
    return tags | {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x1D400, 0x1D800)}


def decoded_views(data: bytes, work: Work) -> Iterator[View]:
    """What is written in base64, in hexadecimal digits or in escapes, also in two of them, and strings put together."""
    first = [_joined(data, work), _unescaped(data, work), _from_base64(data, work)]
    for decoded in filter(None, first):
        yield View(data=decoded, exact=False)
    for decoded in filter(None, first[1:]):
        for again in filter(None, (_unescaped(decoded, work), _from_base64(decoded, work))):
            yield View(data=again, exact=False)


def _joined(data: bytes, work: Work) -> bytes:
    """The lines with strings that are put together, as one: `"abc" + "def"`, and lines that end in a backslash."""
    joints: list[tuple[int, int]] = []
    for pattern in _JOINTS:
        for joint in pattern.finditer(data):
            work.spend(1)
            joints.append(joint.span())
    if not joints:
        return b""
    joints.sort()
    pieces: list[bytes] = []
    end = 0
    for start, after in joints:
        if start > end + _NEAR:
            pieces.append(b"\n")
        pieces.append(data[max(end, start - _NEAR) : start])
        end = after
    pieces.append(data[end : end + _NEAR])
    joined = b"".join(pieces)
    work.spend_characters(len(joined))
    return joined


def token_shape(data: bytes) -> bytes:
    """`a` for letters, digits, `+`, `/`, `-` and `_`; dots stay; all else is a space."""
    return data.translate(_TOKEN)


def _unescaped(data: bytes, work: Work) -> bytes:
    """The lines that hold percent or backslash escapes, decoded."""
    data = data.replace(b"\\u00", b"%").replace(b"\\x", b"%") if b"\\u00" in data or b"\\x" in data else data
    for sign, pattern, base in _ESCAPES:
        if sign[:1] in data and sign in data:
            work.spend(2 * data.count(sign))
            data = pattern.sub(lambda found, base=base: b"%%%02x" % (int(found[1], base) & 127), data)
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
    return _ascii(decoded, work)


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
            run = _LINES.match(data, start, start + _MAX_RUN)
            end = run.end() if run else end
            work.spend_characters((end - start) // 4 * 3)
            decoded.append(_decode(_without_line_ends(standard[start:end])))
        elif _HEX.fullmatch(data, start, end) and not _from_hex(data[start:end]).translate(None, _PRINTABLE):
            work.spend(4)
            run = _HEX.match(data, start, start + _MAX_RUN)
            end = run.end() if run else end
            work.spend_characters((end - start) // 2)
            decoded.append(_from_hex(data[start:end]))
        start = shape.find(start_of_run, end)
    return _ascii(b"\n".join(decoded), work)


def _from_hex(digits: bytes) -> bytes:
    return binascii.a2b_hex(digits[: len(digits) // 2 * 2])


def _without_line_ends(run: bytes) -> bytes:
    if b"\\" in run:
        run = run.replace(b"\\r", b"").replace(b"\\n", b"")
    return run.translate(None, b" \t\r\n")


def _decode(run: bytes) -> bytes:
    whole = run[: len(run) - 1] if len(run) % 4 == 1 else run
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _ascii(data: bytes, work: Work) -> bytes:
    return plain_view(data.decode("utf-8", "replace"), work).data
