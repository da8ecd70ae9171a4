"""Are the keys in an answer that the prompt names for its JSON?"""

from __future__ import annotations

import re

from hybrid_mcp.domain.answer_text import Exchange

_KEY = r"(?:\"[\w-]{1,40}\"|'[\w-]{1,40}'|`[\w-]{1,40}`)"
_KEYS = rf"{_KEY}(?:(?:,? and |, ?|/| ){_KEY}){{0,11}}"
_ASKED = re.compile(
    rf"\b(?:keys?|fields?|properties|property|attributes?)\b(?: named| called|:| are| as)? {{0,2}}(?P<named>{_KEYS})"
    rf"|\b(?:extract|return|give|output|respond with|reply with)\b(?: the| only| me)? (?P<taken>{_KEYS})"
    r"(?= (?:as|in)\b[^.\n]{0,20}\bJSON\b)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[\"'`]([\w-]+)[\"'`]")
_OPTIONAL = re.compile(
    r"optional|if (?:present|known|any|available|possible|there)|omit|leave out|may\b", re.IGNORECASE
)


def lacks_keys(given: Exchange) -> bool:
    """Whether JSON was asked for with keys by name, and one of them nowhere stands in quotes in the answer."""
    if not given.short or "json" not in given.prompt.casefold() or _OPTIONAL.search(given.prompt):
        return False
    asked = _ASKED.findall(given.prompt)
    if len(asked) != 1 or len(given.text) > len(given.said) or re.search(r"function|code|script|schema", given.wish):
        return False
    names = _NAME.findall(asked[0][0] or asked[0][1])
    return not all(f'"{name}"' in given.text or f"'{name}'" in given.text for name in names)
