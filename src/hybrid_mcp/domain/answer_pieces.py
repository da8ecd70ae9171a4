"""Parts of a text that a short prompt asks for, and counts of them."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping

from hybrid_mcp.domain.answer_material import (
    AFTER_COLON,
    ALSO,
    NAMES_TEXT,
    ORDINAL,
    PIECE,
    QUOTED,
    THING,
    VOWELS,
    Row,
    Wanted,
    alone,
    at_place,
    words_of,
)


def _may_be_title(found: re.Match[str], text: str) -> bool:
    wish = re.sub(r"(?:\w+) (?:word|letter) ", " ", found[0].replace(text, " "), count=1)
    return text[:1].isupper() and not NAMES_TEXT.search(wish) and (text.istitle() or len(text.split()) < 4)


def _nth_word(found: re.Match[str], text: str) -> Wanted:
    if _may_be_title(found, text):
        return ()
    word = at_place(found, words_of(text))
    return (alone(word),) if word else ()


def _nth_letter(found: re.Match[str], text: str) -> Wanted:
    letters = [one for one in text if one.isalnum()]
    if len(letters) != len(text.strip()) and found["place"].casefold() not in {"first", "last"}:
        return ()
    letter = at_place(found, letters)
    return (alone(letter),) if letter else ()


def _nth_item(found: re.Match[str], text: str) -> Wanted:
    items = [item.strip(" .") for item in re.split(r",? and |, ?", text) if item.strip(" .")]
    items = items if "," in text else text.split()
    item = at_place(found, items)
    rest = [one for one in items if one != item]
    if not item or len(items) < 2 or item.casefold() in " ".join(rest).casefold():
        return ()
    alone = rf"(?<![^\W_]){re.escape(item)}(?![^\W_])"
    if len(items) > 2 and re.search(r"\b(?:only|just)\b", found[0], re.IGNORECASE):
        # All of them again are no choice.
        all_again = r"\W+(?:and )?".join(map(re.escape, items))
        return (re.compile(rf"\A(?!\W*{all_again}\W*\Z)(?=.*{alone})", re.IGNORECASE | re.DOTALL),)
    return (re.compile(alone, re.IGNORECASE),)


_COUNT = r"(?P<what>words?|characters?|letters?|vowels?|consonants?|digits?)"


def _counted(found: re.Match[str], text: str) -> Wanted:
    what = found["what"].casefold().removesuffix("s")
    if "\\" in text or found.string.count("'") > 2 or (what in {"word", "character"} and _may_be_title(found, text)):
        return ()
    return _COUNTED[what](text.casefold())


def _vowels_in(text: str) -> Wanted:
    """With y and without."""
    return tuple(sum(one in vowels for one in text) for vowels in (VOWELS, f"{VOWELS}y"))


_COUNTED: Mapping[str, Callable[[str], Wanted]] = {
    "word": lambda text: (len(text.split()), len(words_of(text)), len(re.findall(r"[^\W_]+", text))),
    "character": lambda text: (len(text), len(text.replace(" ", "")), sum(map(str.isalnum, text))),
    "letter": lambda text: (sum(map(str.isalpha, text)),),
    "vowel": _vowels_in,
    "consonant": lambda text: tuple(
        sum(one.isalpha() and one not in vowels for one in text) for vowels in (VOWELS, f"{VOWELS}y")
    ),
    "digit": lambda text: (sum(map(str.isdecimal, text)), len(set(filter(str.isdecimal, text)))),
}


def _occurring(found: re.Match[str], text: str) -> Wanted:
    piece = found["piece"]
    if len(piece) == 1:
        return (text.casefold().count(piece.casefold()), text.count(piece))
    whole = [len(re.findall(rf"\b{re.escape(piece)}\b", text, flags)) for flags in (0, re.IGNORECASE)]
    return (*whole, text.count(piece), text.casefold().count(piece.casefold()))


_SUFFIXES = {"Jr", "Sr", "II", "III", "IV"}


def _initials(_found: re.Match[str], text: str) -> Wanted:
    words = words_of(text)
    if (
        not 1 < len(words) <= 6
        or not all(word[0].isupper() and word.isalpha() for word in words)
        or words[-1] in _SUFFIXES
    ):
        return ()
    return (re.compile(r"[\s.,]{0,3}".join(re.escape(word[0]) for word in words)),)


def _next_letter(found: re.Match[str], _text: str) -> Wanted:
    letters = string.ascii_lowercase
    at = letters.index(found["letter"].casefold()) + (1 if found["way"].casefold() in {"after", "follows"} else -1)
    return (alone(letters[at]),) if 0 <= at < 26 else ()


def _letter_at(found: re.Match[str], _text: str) -> Wanted:
    letter = at_place(found, string.ascii_lowercase)
    return (alone(letter),) if letter else ()


PIECES: tuple[Row, ...] = (
    (
        (
            r"(?:(?:answer|reply) with )?(?:(?:give|return|write|output|name) (?:me )?)?(?:only |just"
            rf" )?(?:the )?{ORDINAL} word (?:of|in|from|on) ?{THING}"
        ),
        _nth_word,
    ),
    (
        (
            rf"(?:(?:answer|reply) with )?(?:only |just )?(?:the )?{ORDINAL} (?:letter|character) (?:of|in"
            rf"|from) {THING}"
        ),
        _nth_letter,
    ),
    (
        (
            r"(?:(?:return|output|give|write|print|say|name|repeat)(?: me| back)? )?(?:only |just )?(?:the"
            rf" )?{ORDINAL} (?:item|word|one|name|element|entry|number|colou?r|animal|city|fruit)(?: (?:of"
            r"|in|from|on))?"
            rf"(?: (?:this|the|my|these|the following)(?: list| names| items| words)?)?{AFTER_COLON}"
        ),
        _nth_item,
    ),
    (rf"{ORDINAL} (?:of|in|among) (?:these|this list of|the following)(?: [a-z]{{3,12}})?{AFTER_COLON}", _nth_item),
    (
        (
            r"(?:(?:here|these|those) (?:are|is) [a-z ]{3,30})?: (?P<f>[^\"“”`:.]{3,120})\. (?:give"
            r"|return|write|name|output|say|repeat|print|pick)"
            rf"(?: back| me| out)? ?(?:only |just )?(?:the )?{ORDINAL}(?: (?:one|name|item|word|of them))?"
        ),
        _nth_item,
    ),
    (
        (
            r"(?:make|form|create|give|write)(?: me)? (?:an|the) acronym (?:from|of|for|out of)(?: (?:the"
            rf"|these) words)?(?:{AFTER_COLON}| {QUOTED})"
        ),
        _initials,
    ),
    (
        (
            rf"(?:count|number of|how many) (?:the )?(?:number of )?{_COUNT} (?:(?:are )?(?:there )?in|of)"
            rf" {THING}{ALSO}"
        ),
        _counted,
    ),
    (rf"how many {_COUNT} (?:does|do|has) {THING} (?:have|contain|hold)", _counted),
    (rf"count (?:the )?{_COUNT} (?:in|of) (?:the )?(?:text in )?quotation marks{ALSO}:? ?{QUOTED}", _counted),
    (
        (
            r"count (?:(?:all|the|every) )?(?:letters?|number of) ?(?:the letter"
            rf" )?['\"]?(?P<piece>[a-z])['\"]?(?:'?s)? in {THING}"
        ),
        _occurring,
    ),
    (
        (
            r"(?:how (?:often|many times)|count how (?:often|many times)) (?:does|do) (?:the )?(?:letter "
            rf"|word |digit |character )?{PIECE.format('piece')}"
            rf" (?:occur|appear|show up|come up) in {THING}(?:[?,]? ?\(?(?:count|counting|include"
            r"|including) both upper and lower ?case\)?)?"
        ),
        _occurring,
    ),
    (
        (
            rf"(?:the )?initials of (?:{QUOTED}|(?:the )?(?:name:? )?(?P<bare>[A-Z][\w'.-]+"
            r"(?: [A-Z][\w'.-]+){1,4}))"
        ),
        _initials,
    ),
    (
        (
            r"(?:(?:what|which) )?(?:is )?(?:the )?(?:next )?letter (?:comes |is |stands )?(?:(?:right"
            r"|immediately|directly|just) )?(?:that )?(?:comes )?(?P<way>after|before|follows|precedes) "
            r"(?:the letter )?['\"]?(?P<letter>[a-z])['\"]?"
            r"(?: in the (?:english |latin )?alphabet)?"
        ),
        _next_letter,
    ),
    (
        (
            rf"(?:(?:what|which) letter is (?:the )?)?{ORDINAL} letter (?:of|in) the (?:english |latin"
            r" )?alphabet"
        ),
        _letter_at,
    ),
)
