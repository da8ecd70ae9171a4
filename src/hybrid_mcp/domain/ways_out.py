"""Whether a text holds something that a renderer, a shell or a client could send somewhere."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

_ROUNDS = 5
"""So often entities are decoded, more often than by any renderer. What still changes then counts as a way out."""

_MARKUP = r"//|\\\\(?=\w)|\]\(|\]\[|\]:|<[a-z/!]"
"""Addresses also without a scheme and as Windows writes them, links and their definitions, tags."""
_SCHEME = (
    r"(?<![a-z0-9])(?:https?|s?ftps?|mailto|data|javascript|vbscript|file|wss?|tel|sms|sip|xmpp|blob|ldaps?|smb):(?=\S)"
)
_HOST = r"www\.|\w[.\u3002][^\W\d_]{2,}|\d\.\d{1,3}\.\d{1,3}\.\d|\w@[\w\[]"
"""Also many a file's or a module's name: a placeholder that stays there does no harm."""
_COMMAND = (
    r"\b(?:curl|wget|nc|ncat|netcat|socat|ping|nslookup|dig|telnet|scp|rsync|iwr|irm|certutil|bitsadmin|invoke-webrequest"
    r"|invoke-restmethod|sendbeacon|xmlhttprequest)\b|/dev/(?:tcp|udp)|\b(?:fetch|websocket|eventsource)\s*\("
)
_WAY_OUT = re.compile(f"{_MARKUP}|{_SCHEME}|{_HOST}|{_COMMAND}", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")


def has_way_out(text: str) -> bool:
    """True when in doubt. It looks at the text as renderers see it: without entities, escapes and invisible characters.

    A list of what is dangerous within one address cannot be complete, so the whole text must hold none of its parts.
    """
    plain = text
    for _ in range(_ROUNDS):
        decoded = unescape(plain)
        if decoded == plain:
            break
        plain = decoded
    else:
        return True
    if not plain.isascii():
        plain = "".join(one for one in unicodedata.normalize("NFKC", plain) if unicodedata.category(one) != "Cf")
    return any(_WAY_OUT.search(view) is not None for view in (plain, _ESCAPE.sub("", plain)))
