"""What can be worked out of one word of a short prompt that asks for nothing else: spelled in another way, counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hybrid_mcp.domain.answer_text import Exchange

_LONGEST_PROMPT = 300
_QUOTED = r"['\"‘“]([a-z]{2,40})['\"’”]"
_WORD = rf"the word {_QUOTED}"
_UPPER = r"(?:all )?(?:capital letters|capitals|caps|upper[ -]?case(?: letters)?)"
ONLY = (
    r"(?:,? (?:and )?(?:(?:write|say) )?nothing else)?[ .?!]{0,3}"
    r"(?:(?:please )?(?:answer|reply|respond) with (?:only |just )?(?:(?:the|that|one|a) )?"
    r"(?:word|number|result|answer|digit|item)(?: only| alone)?[.!]?)?"
)
"""What may stand after a wish without being another one."""


def _whole(wish: str) -> re.Pattern[str]:
    return re.compile(rf"(?:please )?(?:{wish}){ONLY}", re.IGNORECASE)


_CAPITALS = _whole(
    rf"(?:(?:write|spell|type|put) (?:{_WORD}|{_QUOTED}) (?:in|with|into|using) "
    rf"|(?:convert|change|turn) {_WORD} (?:in)?to |what is {_WORD} in ){_UPPER}"
)
_BACKWARDS = _whole(
    rf"(?:(?:spell|write) (?:{_WORD}|{_QUOTED}) (?:backwards?|in reverse)|reverse (?:the letters of )?{_WORD}"
    rf"|what is {_WORD} (?:spelled |written )?backwards?)"
)
_LETTERS = _whole(
    rf"how many letters (?:(?:are )?(?:there )?in {_WORD}|(?:does|has) {_WORD}(?: have| contain)?)(?: in total)?"
)
_LETTER = _whole(
    r"how (?:often|many times) (?:does|do) (?:the )?(?:letter )?['\"‘“]?([a-z])['\"’”]? (?:appear|occur)"
    rf" in (?:the word )?{_QUOTED}"
    rf"|how many (?:letters? )?['\"‘“]?([a-z])['\"’”]?(?:['’]?s)? (?:are )?(?:there )?in (?:the word )?{_QUOTED}"
)
_NAMES_OF_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
)
_NUMBERS = dict(enumerate(_NAMES_OF_NUMBERS.split()))
_OTHER_NAMES = {0: "no|none|not|never|\\w+n['’]t", 1: "once|single|only|a|an", 2: "twice|double|both|pair", 3: "thrice"}


def works_out(prompt: str) -> bool:
    """Whether `misses_the_word` tells what the answer is to be."""
    return len(prompt) <= _LONGEST_PROMPT and any(asked.fullmatch(prompt) for asked, _ in _SPELLINGS)


def misses_the_word(given: Exchange) -> bool:
    """Whether all that the prompt asks for is a word spelled in another way or the count of its letters, and the answer
    does not hold that."""
    prompt = given.prompt.strip()
    if len(prompt) > _LONGEST_PROMPT or len(given.text) > len(given.said):
        return False
    for asked, holds in _SPELLINGS:
        found = asked.fullmatch(prompt)
        if found is not None:
            return not holds([part for part in found.groups() if part], given.text)
    return False


def _in_capitals(parts: Sequence[str], text: str) -> bool:
    return parts[0].upper() in _letters_of(text)


def _in_reverse(parts: Sequence[str], text: str) -> bool:
    return parts[0][::-1].casefold() in _letters_of(text).casefold()


def _letters_of(text: str) -> str:
    """`e-l-p-p-a` and `e l p p a` spell it too."""
    return re.sub(r"[^\w]|_", "", text)


def _has_length(parts: Sequence[str], text: str) -> bool:
    return says_number(len(parts[0]), text)


def _has_count(parts: Sequence[str], text: str) -> bool:
    """Of the letter in either case, or in this one alone."""
    letter, word = parts
    return any(says_number(count, text) for count in {word.casefold().count(letter.casefold()), word.count(letter)})


def says_number(number: int, text: str) -> bool:
    names = "|".join(filter(None, (str(number), _NUMBERS.get(number), _OTHER_NAMES.get(number))))
    return re.search(rf"(?<![\w.])(?:{names})x?(?!\w|\.\d)", text, re.IGNORECASE) is not None


_SPELLINGS: tuple[tuple[re.Pattern[str], Callable[[Sequence[str], str], bool]], ...] = (
    (_CAPITALS, _in_capitals),
    (_BACKWARDS, _in_reverse),
    (_LETTERS, _has_length),
    (_LETTER, _has_count),
)

_REPEAT = re.compile(
    r"(?:please )?(?:repeat|echo|copy|write|say|type) (?:this|the following) (?:word|number|name|phrase)"
    r"(?:(?:,? and|,)? (?:(?:write|say|type) )?(?:nothing (?:else|more)|exactly|only)){1,3}: ?"
    r"['\"“]?(?P<said>[^\n'\"”]{1,60}?)['\"”]?[.]?",
    re.IGNORECASE,
)
_MOST_MORE = 12


def does_not_repeat(given: Exchange) -> bool:
    """Whether one word was to be repeated and nothing else, and the answer is another or says more."""
    asked = _REPEAT.fullmatch(given.prompt.strip()) if len(given.prompt) <= _LONGEST_PROMPT else None
    if asked is None:
        return False
    return (
        asked["said"].casefold() not in given.text.casefold()
        or len(given.text.strip()) > len(asked["said"]) + _MOST_MORE
    )
