"""Hostile addresses. Each is written by somebody who wants a program to go elsewhere than its reader believes.

`{port}` stands for the port of a trap on loopback, so that a program which falls for it is caught there.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Place = Literal["everywhere", "transport", "whitelist"]


class Hostile(NamedTuple):
    """`where`: a port or a scheme says nothing to the whitelist, and some are a listed host to every HTTP library."""

    text: str
    trick: str
    where: Place = "everywhere"


URLS = (
    # Other hosts that look like a listed one.
    Hostile("https://evil.example/v1", "another host"),
    Hostile("https://notopenai.com/v1", "ends in a listed name, not at a dot"),
    Hostile("https://api-openai.com/v1", "ends in a listed name, at a hyphen"),
    Hostile("https://openai.com.evil.example/v1", "begins with a listed name"),
    Hostile("https://api.openai.com.evil.example./v1", "begins with a listed name, dot at the end"),
    Hostile("https://openai.co/v1", "a listed name cut short"),
    Hostile("https://openai.comm/v1", "a listed name with a letter more"),
    Hostile("https://API.NOTOPENAI.COM/v1", "capitals"),
    Hostile("https://com/v1", "a top-level domain"),
    Hostile("https://openai/v1", "a single label"),
    Hostile("https://api.openai.com-evil.example/v1", "goes on after a listed name"),
    Hostile("https://evil.example/api.openai.com/v1", "a listed name in the path"),
    Hostile("https://evil.example/?https://api.openai.com/v1", "a listed name in the query"),
    Hostile("https://evil.example/#https://api.openai.com/v1", "a listed name in the fragment"),
    # User information.
    Hostile("https://api.openai.com@evil.example/v1", "a listed name as the user"),
    Hostile("https://api.openai.com:443@evil.example/v1", "a listed name and a port as user and password"),
    Hostile("http://api.openai.com@127.0.0.1:{port}/v1", "a listed name as the user"),
    Hostile("https://api.openai.com%2Fv1@evil.example/", "an escaped slash in the user"),
    Hostile("https://api.openai.com%40evil.example/v1", "an escaped at sign"),
    Hostile("https://user:secret@evil.example/v1", "a user"),
    Hostile("https://a@api.openai.com@evil.example/v1", "two at signs"),
    Hostile("https://user:secret@api.openai.com/v1", "a user at a listed host"),
    Hostile("https://openai.com#@evil.example/", "an at sign in the fragment", "whitelist"),
    Hostile("https://openai.com?@evil.example/", "an at sign in the query", "whitelist"),
    # Backslashes, blanks and control characters.
    Hostile("https://evil.example\\@api.openai.com/v1", "a backslash"),
    Hostile("https://api.openai.com\\@evil.example/v1", "a backslash"),
    Hostile("https://api.openai.com\\.evil.example/v1", "a backslash"),
    Hostile("http:\\\\127.0.0.1:{port}\\v1", "backslashes for slashes"),
    Hostile("https://api.openai.com\t.evil.example/v1", "a tab"),
    Hostile("https://evil.example\t@api.openai.com/v1", "a tab"),
    Hostile("https://evil.example\n@api.openai.com/v1", "a line end"),
    Hostile("https://evil.example/v1\r\nHost: api.openai.com\r\n\r\n", "a header in the path"),
    Hostile("https://api.openai.com\r\nHost: evil.example/v1", "a header in the host"),
    Hostile("https://api.openai.com\x00.evil.example/v1", "a zero"),
    Hostile(" https://evil.example/v1", "a blank before"),
    Hostile("https://api.openai.com .evil.example/v1", "a blank"),
    # Escapes and dots.
    Hostile("https://openai%2ecom/v1", "an escaped dot"),
    Hostile("https://%65vil.example/v1", "an escaped letter"),
    Hostile("http://127%2e0%2e0%2e1:{port}/v1", "escaped dots in an address"),
    Hostile("https://api..openai.com/v1", "two dots"),
    Hostile("https://.api.openai.com/v1", "a dot before"),
    Hostile("https://api.openai.com../v1", "two dots at the end"),
    Hostile("https://*.openai.com/v1", "a star"),
    Hostile(f"https://{'a' * 64}.openai.com/v1", "a label of 64 letters"),
    Hostile(f"https://{'a.' * 130}openai.com/v1", "more than 253 letters"),
    # This machine in every notation.
    Hostile("http://127.0.0.1:{port}/v1", "loopback"),
    Hostile("http://localhost:{port}/v1", "loopback by name"),
    Hostile("http://2130706433:{port}/v1", "one decimal number"),
    Hostile("http://0x7f000001:{port}/v1", "one hexadecimal number"),
    Hostile("http://017700000001:{port}/v1", "one octal number"),
    Hostile("http://0x7f.1:{port}/v1", "hexadecimal and short"),
    Hostile("http://0177.0.0.1:{port}/v1", "octal"),
    Hostile("http://127.1:{port}/v1", "short"),
    Hostile("http://127.0.1:{port}/v1", "short"),
    Hostile("http://0:{port}/v1", "zero"),
    Hostile("http://0.0.0.0:{port}/v1", "the unspecified address"),
    Hostile("http://127.0.0.1.:{port}/v1", "a dot after an address"),
    Hostile("http://127.0.0.01:{port}/v1", "a zero before a number"),
    Hostile("http://127。0。0。1:{port}/v1", "full-width dots"),
    Hostile("http://①②⑦.⓪.⓪.①:{port}/v1", "numbers in circles"),
    Hostile("http://[::1]:{port}/v1", "loopback in IPv6"),
    Hostile("http://[::ffff:127.0.0.1]:{port}/v1", "IPv4 mapped into IPv6"),
    Hostile("http://[::ffff:7f00:1]:{port}/v1", "IPv4 mapped into IPv6"),
    Hostile("http://[::127.0.0.1]:{port}/v1", "IPv4 compatible"),
    Hostile("http://[0:0:0:0:0:0:0:1]:{port}/v1", "loopback written out"),
    Hostile("http://[64:ff9b::7f00:1]:{port}/v1", "through NAT64"),
    Hostile("http://[2002:7f00:1::]:{port}/v1", "through 6to4"),
    Hostile("http://[::]:{port}/v1", "the unspecified address"),
    Hostile("http://[fe80::1%25lo]:{port}/v1", "a zone, escaped"),
    Hostile("http://[fe80::1%lo]:{port}/v1", "a zone"),
    Hostile("http://[::1", "a bracket that does not close"),
    Hostile("http://169.254.169.254/latest/meta-data/", "instance metadata"),
    Hostile("http://[fd00:ec2::254]/latest/meta-data/", "instance metadata"),
    # Letters that look alike.
    Hostile("https://аpi.openai.com.evil.example/v1", "a Cyrillic a"),
    Hostile("https://api.оpenai.com/v1", "a Cyrillic o"),
    Hostile("https://xn--penai-jye.com/v1", "a Cyrillic o in punycode"),
    Hostile("https://openaı.com/v1", "a dotless i"),
    Hostile("https://openaiß.com/v1", "a sharp s"),
    Hostile("https://oﬃce.example/v1", "a ligature"),
    Hostile("https://open\u200bai.com/v1", "a blank of no width"),
    Hostile("https://open\u00adai.com/v1", "a soft hyphen"),
    Hostile("https://\u202emoc.ianepo/v1", "written from right to left"),
    Hostile("https://openai.com。evil.example/v1", "a full-width dot"),
    Hostile("https://api。openai。com/v1", "full-width dots", "whitelist"),
    Hostile("https://ａｐｉ.openai.com/v1", "full-width letters", "whitelist"),
    Hostile("https://evil.example／.openai.com/v1", "a full-width slash"),
    Hostile("https://evil.example⁄.openai.com/v1", "a fraction slash"),
    # Schemes.
    Hostile("file:///etc/passwd", "a file"),
    Hostile("file://api.openai.com/etc/passwd", "a file at a listed host"),
    Hostile("ftp://api.openai.com/v1", "another scheme"),
    Hostile("gopher://api.openai.com/v1", "another scheme"),
    Hostile("ws://api.openai.com/v1", "another scheme"),
    Hostile("unix:///var/run/docker.sock", "a unix socket"),
    Hostile("http+unix://%2Fvar%2Frun%2Fdocker.sock/v1", "a unix socket"),
    Hostile("data:text/plain,hello", "data"),
    Hostile("javascript:alert(1)", "a script"),
    Hostile("//evil.example/v1", "no scheme"),
    Hostile("http:evil.example/v1", "no slashes"),
    Hostile("https:/evil.example/v1", "one slash"),
    Hostile("https:///evil.example/v1", "three slashes"),
    Hostile("https://", "no host"),
    Hostile("https://:443/v1", "no host but a port"),
    Hostile("", "nothing"),
    # The right host in the wrong way.
    Hostile("http://api.openai.com/v1", "in the clear", "transport"),
    Hostile("https://api.openai.com:8443/v1", "another port", "transport"),
    Hostile("https://api.openai.com:80/v1", "another port", "transport"),
    Hostile("https://api.openai.com:99999/v1", "no port", "transport"),
    Hostile("https://api.openai.com:-1/v1", "no port"),
    Hostile("https://api.openai.com:4 43/v1", "a blank in the port"),
    Hostile("https://eu.api.openai.com/v1", "a listed host, not the provider's own", "transport"),
)

HOSTS = (
    ".", "..", "com", "openai", "evilopenai.com", "openai.com.evil.com", "openai.co", "openai.com\x00",
    "openai.com\n", "openai.com ", " openai.com", "\topenai.com", "evil.com\\.openai.com", "user@openai.com",
    "openai.com:443", "openai.com:443@evil.example", "openai.com@evil.example", "openai.com#@evil.example",
    "openai.com/", "evil.example/openai.com", "openai.com?evil.example", "openai%2ecom", "api..openai.com",
    ".openai.com", "openai.com..", "-openai.com", "-.openai.com", "a-.openai.com", "*.openai.com", "openai,com",
    "openai\u3002com", "\u043epenai.com", "xn--penai-bld.com", "openai\uff0ecom", "ﬃ.openai.com", "ß.openai.com",
    "a" * 300 + ".openai.com", "a" * 64 + ".openai.com", "[openai.com]", "[::1", "::1]", "[]", "2130706433",
    "0x7f000001", "0x7f.1", "127.1", "017700000001", "0177.0.0.1", "127.0.0.2", "127.0.0.1", "::1",
    "127.0.0.1.openai.com.evil", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "fe80::1%lo", "::2", "0", "0x",
    "1.openai.com.1", "openai.com.0x1",
)  # fmt: skip
"""Hosts as a caller of `check_allowed` may give them, none of which is listed where openai.com is."""
