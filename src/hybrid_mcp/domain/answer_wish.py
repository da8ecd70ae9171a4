"""The one wish of a short prompt, without the words that many prompts have around it and that ask for nothing more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

MOST_CHARACTERS = 300
_LEAD = re.compile(
    (
        r"(?:(?:hi|hello|hey|ok|okay|quick(?: maths?)? question|question|quiz|maths?)(?: there)?[,:!.]"
        r" ?"
        r"|(?:please|kindly|now|just|so),? "
        r"|(?:can|could|would|will) you (?:please )?(?:help me (?:to )?)?|(?:please )?(?:tell|show) me "
        r"|do you know "
        r"|i(?:'d| would) like to know |i (?:need|want) to know "
        r"|(?:what(?:'s|’s| is| are| would be)|how much (?:is|are)|calculate|compute|evaluate|find"
        r"|determine|work out"
        r"|figure out)(?: me)?:? "
        r"|the (?:result|value|answer) of |the (?=\w)){0,6}"
    ),
    re.IGNORECASE,
)
_ENOUGH = r"(?: (?:only|alone|please|suffices|will do|is (?:enough|fine|all i need)))?"
_KIND = (
    r"(?:(?:the|a|an|that|one|your|its|my|single|final|exact|whole|plain|simple|short|bare"
    r"|resulting|correct|numeric(?:al)?"
    r"|edited|new|changed|resulting|sorted|first|full|capital|decimal|two|three|four|digit) ){0,4}"
    r"(?:numbers?|numerals?|digits?|figures?|result|value|answer|integer|decimal|word|words"
    r"|letters?|names?|weekday|day"
    r"|time|date|line|text|string|list|sentence|phrase|version|item|output|notation|units?|yes or"
    r" no|percentage)"
)
_ROUNDED = (
    r"(?:rounded?(?: it| your answer| the (?:answer|result))? )?to (?:the nearest (?:whole number"
    r"|integer|unit)"
    r"|(?:a|one|two|three|[1-4]) (?:decimals?(?: places?)?|decimal digits?|digits?(?: after the "
    r"(?:decimal )?point)?))"
    r"|(?:one|two|three|[1-4]) (?:decimals?(?: places?)?|digits? after the (?:decimal )?point)"
    r"|rounded|approximately|roughly"
)
_REPLY = (
    r"(?:please )?(?:(?:and )?(?:(?:just|only) )?(?:answer|reply|respond|give(?: me)?|write|output"
    r"|return|state|print|say|show"
    r"|provide|tell me|use|i (?:only |just )?(?:need|want))(?: back| it| your answer)? )?"
    rf"(?:(?:with|in|as|using|back) )?(?:(?:just|only|nothing but|exactly) ){{0,2}}{_KIND}{_ENOUGH}"
)
_ENDINGS = (
    rf"(?:{_REPLY}|{_ROUNDED}|(?:and )?(?:(?:write|say|output|return|print|give) )?nothing (?:else"
    r"|more)"
    r"|no (?:explanations?|workings?|steps|units?|words|comments?)(?: needed| please)?|without "
    r"(?:any )?explanations?"
    r"|(?:many )?thanks|thank you|please|briefly|keep it short|be brief|in total|altogether"
    r"|(?:no need to|don['’]t) explain|step by step|(?:let['’]s )?think step by step|show your work"
    r"(?:ing)?)"
)
_ENDING = re.compile(
    (
        r"(?:[.?!,;:]\s{1,3}|\s{1,3}[-–—]\s{1,3}|\n\s{0,3}|\s\(|,? and (?=return|write|give"
        r"|nothing))"
        rf"{_ENDINGS}(?:[.,]? {_ENDINGS})?[\s.!?)]{{0,4}}\Z"
    ),
    re.IGNORECASE,
)
_LONGEST_ENDING = 90
_LAST = re.compile(
    (
        r"(?:(?<![\s.?:,;…])(?<!\D!)(?:[\s.?:,;…]|(?<!\d)!|= ?\?)+|,? please|(?<=\d) (?:=|is|equals?)| (?:is|equals"
        r"|is equal to) ?(?:what)?"
        r"| (?:altogether|in total|in all|exactly))\Z"
    ),
    re.IGNORECASE,
)

_LAST_SIGNS = frozenset(".?:,;…!=")
_LAST_WORDS = ("please", "is", "equal", "equals", "to", "what", "altogether", "total", "all", "exactly")
_LONGEST_LAST = 20
"""What it ends in that may go: to look for it everywhere takes much longer."""
_LONGEST_GAP = 8
_GAP_AT_END = re.compile(r"\d, ?(?:\?|\.{3}|…)\Z")
"""Of a series that is to be continued."""


@dataclass(frozen=True, slots=True)
class Look:
    """`cues`: one of them, in lower case, is in every such wish. `misses`: whether what was said misses it; None where
    the wish is of another kind.
    """

    cues: tuple[str, ...]
    misses: Callable[[str, str], bool | None]


def bare_wish(prompt: str) -> str:
    """`average of 4 and 6` of `What is the average of 4 and 6? Only the number.`; nothing of a long prompt."""
    prompt = prompt.strip()
    if len(prompt) > MOST_CHARACTERS:
        return ""
    prompt = _until_same(_without_ending, prompt, 3)
    if not _GAP_AT_END.search(prompt[-_LONGEST_GAP:]):
        prompt = _until_same(_without_last, prompt, 4)
    lead = _LEAD.match(prompt)
    return prompt[lead.end() :] if lead else prompt


def _until_same(cut: Callable[[str], str], text: str, times: int) -> str:
    for _ in range(times):
        before, text = text, cut(text)
        if text == before:
            break
    return text


def _without_ending(text: str) -> str:
    at = max(0, len(text) - _LONGEST_ENDING)
    return text[:at] + _ENDING.sub("", text[at:])


def _without_last(text: str) -> str:
    at = len(text)
    while at and (text[at - 1] in _LAST_SIGNS or text[at - 1].isspace()):
        at -= 1
    if at == len(text) and not text[-_LONGEST_LAST:].lower().endswith(_LAST_WORDS):
        return text
    last = _LAST.search(text, max(0, at - _LONGEST_LAST))
    return text[: last.start()] if last else text


def matched(patterns: Iterable[re.Pattern[str]], wish: str) -> re.Match[str] | None:
    """The first of the patterns that is the whole wish."""
    return next(filter(None, (pattern.fullmatch(wish) for pattern in patterns)), None)


def misses(looks: Iterable[Look], wish: str, said: str) -> bool:
    """What the first look says that knows such a wish; False where none does."""
    low = wish.lower()
    told = (look.misses(wish, said) for look in looks if any(map(low.__contains__, look.cues)))
    return next((missed for missed in told if missed is not None), False)
