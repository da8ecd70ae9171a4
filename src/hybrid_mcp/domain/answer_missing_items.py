"""Does an answer that is to put a list in order name what is in the list?"""

from __future__ import annotations

import re

from hybrid_mcp.domain.answer_text import Exchange

_LONGEST_PROMPT = 300
_LONGEST_ANSWER = 600
_ITEM = r"[^,;:.?!\n ][^,;:.?!\n]{0,59}"
_ORDER = re.compile(
    rf"(?:please |now )?(?P<wish>(?:sort|order|arrange|rank|reverse|alphabeti[sz]e)\b[^:\n]{{0,80}}"
    rf"|(?:put|list|write|give|bring)\b[^:\n]{{0,60}}\border\b[^:\n]{{0,40}}"
    rf"|(?:chronological|alphabetical|ascending|descending|reverse|numerical)[^:\n]{{0,10}} order\b[^:\n]{{0,40}}"
    rf"|from (?:the )?\w{{2,12}}est to (?:the )?\w{{2,12}}est[^:\n]{{0,30}})"
    rf": ?(?P<list>{_ITEM}(?:[,;] ?{_ITEM}){{2,14}})[.?!]?",
    re.IGNORECASE,
)
"""The whole prompt."""
_OTHER_WISH = re.compile(
    r"\b(?:remove|without|only|first|last|middle|longest one|group\w*|each|every|code|function|python|sql"
    r"|command|how|count"
    r"|number (?:of|them|each|the)|total|duplicates?|unique|except|top|translat\w*|spanish|german|french"
    r"|italian|letters?"
    r"|labels?|say (?:if|which)|tell|which|what|plural|why|explain|abbreviat\w*|initials?|square|sum|average"
    r"|position|index"
    r"|rewrite|sentence|by the)\b",
    re.IGNORECASE,
)
_COMES_FIRST = re.compile(r"\b(?:the )?\w{2,12}(?:est|st|er) (?:\w{1,12} )?(?:first|last)\b", re.IGNORECASE)
_OTHERWISE = re.compile(
    r"\balready\b|\bn['’]t\b|\bcannot\b|\bsorry\b|\b(?:second|third|fourth)\b|\bsame\b|\breverse\w* of\b"
    r"|\bas (?:it|they|given)\b"
    r"|^\W*(?:[A-H1-9][,;> -]+){2,}[A-H1-9]\W*$|\bdepends?\b|\bequal\b|\?$",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"[^\W_]+(?:[.,/:-]\d+)*")
_ALIKE = 4
"""So many first letters make two forms of one word."""
_SEPARATOR = re.compile(r"[,;>\n]|→|\band\b")


def leaves_items_out(given: Exchange) -> bool:
    """Whether a list was to be put in order, and the answer names less than half of what is in it, and lists nothing
    else."""
    prompt, text = given.prompt.strip(), given.text.strip()
    asked = _ORDER.fullmatch(prompt) if len(prompt) <= _LONGEST_PROMPT and len(text) <= _LONGEST_ANSWER else None
    if asked is None or _OTHER_WISH.search(_COMES_FIRST.sub(" ", asked["wish"])) or _OTHERWISE.search(text):
        return False
    items = [part.strip() for part in re.split(r"[,;]", asked["list"])]
    if len(items) < 3 or len(_SEPARATOR.split(text)) >= len(items) or not text.isascii():
        return False
    said = {word[:_ALIKE] for word in _WORD.findall(text.casefold())}
    named = sum(
        any(word[:_ALIKE] in said for word in _WORD.findall(item.casefold()) if word != "the") for item in items
    )
    return 2 * named < len(items)
