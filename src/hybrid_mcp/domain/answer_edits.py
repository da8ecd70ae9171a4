"""Does an answer hold what a short prompt makes of its own text: a part, a joined, cut or counted form of it?"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from fractions import Fraction

from hybrid_mcp.domain import answer_items, answer_words
from hybrid_mcp.domain.answer_material import (
    AFTER_COLON,
    ALSO,
    NOUN,
    PIECE,
    THING,
    Row,
    Wanted,
    words_of,
)
from hybrid_mcp.domain.answer_pieces import PIECES
from hybrid_mcp.domain.answer_styles import STYLES
from hybrid_mcp.domain.answer_text import Exchange, holds_any
from hybrid_mcp.domain.answer_values import names_value

_KINDS = {
    "digit": "0-9",
    "number": "0-9",
    "numeral": "0-9",
    "vowel": "aeiouAEIOU",
    "space": r" \t",
    "whitespace": r"\s",
    "blank": r"\s",
    "consonant": "b-df-hj-np-tv-zB-DF-HJ-NP-TV-Z",
    "comma": ",",
    "hyphen": r"\-",
    "dash": r"\-",
    "underscore": "_",
    "uppercase letter": "A-Z",
    "capital letter": "A-Z",
    "lowercase letter": "a-z",
    "period": ".",
    "full stop": ".",
    "dot": ".",
}
_KIND = rf"(?P<kind>{'|'.join(_KINDS)})s?"
_JOINTS = {
    "hyphen": "-",
    "dash": "-",
    "dashe": "-",
    "underscore": "_",
    "comma": ",",
    "space": " ",
    "slashe": "/",
    "slash": "/",
    "dot": ".",
    "period": ".",
    "plus sign": "+",
    "semicolon": ";",
    "pipe": "|",
    "colon": ":",
}
_JOINT = (
    rf"(?:(?:an? |single )?(?P<joint>{'|'.join(sorted(_JOINTS, key=len, reverse=True))})s?|['\"]"
    r"(?P<mark>[-_,+/|;.:])['\"])"
)
_WRAPPERS = {
    "square bracket": ("[", "]"),
    "bracket": ("[({<", "])}>"),
    "parenthese": ("(", ")"),
    "parenthesi": ("(", ")"),
    "round bracket": ("(", ")"),
    "curly brace": ("{", "}"),
    "curly bracket": ("{", "}"),
    "brace": ("{", "}"),
    "angle bracket": ("<⟨", ">⟩"),
    "asterisk": ("*", "*"),
    "star": ("*", "*"),
    "double quote": ('"“', '"”'),
    "single quote": ("'‘", "'’"),
    "quotation mark": ("\"'“‘«", "\"'”’»"),
    "quote": ("\"'“‘«", "\"'”’»"),
    "hyphen": ("-", "-"),
    "underscore": ("_", "_"),
    "backtick": ("`", "`"),
    "exclamation mark": ("!¡", "!"),
}
_WRAPPER = rf"(?P<wrapper>{'|'.join(sorted(_WRAPPERS, key=len, reverse=True))})(?:s|es)?"
_TIMES = {"once": 1, "twice": 2, "thrice": 3} | {
    f"{name} times": number
    for number, name in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=2)
}
_NEVER = re.compile(
    r"\b(?:python|javascript|java|sql|regex|code|function|excel|bash|css|c\+\+|translate|but|except|unless)\b",
    re.IGNORECASE,
)
_MORE_ASKED = re.compile(r"[?] \S|\b(?:answer|reply|respond|output|only the)\b", re.IGNORECASE)
_IS_FILE = re.compile(r"\S+\.[a-z]{1,5}|\S*[/\\]\S*|[*%$]\S*", re.IGNORECASE)
_CUES = ("'", '"', "‘", "“", ":", "letter", "initials", "around", "word", "case")
_MAY_ASK = re.compile(r"['\"‘“:]|\bletter|\binitials\b|\baround\b|\bword\b|\bcase\b|_case|Case", re.IGNORECASE)
"""What none of the wishes is without."""


def misses_the_edit(given: Exchange) -> bool:
    """Whether all that the prompt asks for is something made of a text in it, and the answer does not hold that."""
    if not holds_any(given.bare.lower(), _CUES) or not _MAY_ASK.search(given.bare) or len(given.text) > len(given.said):
        return False
    for pattern, made in _ASKED:
        found = pattern.fullmatch(given.bare)
        if found is not None:
            return not _is_known(given.prompt.strip()) and _misses(found, made, given)
    return False


def _is_known(prompt: str) -> bool:
    """Whether another sign tells what the answer is to be."""
    return answer_words.works_out(prompt) or answer_items.works_out(prompt)


def _misses(found: re.Match[str], made: Callable[[re.Match[str], str], Wanted], given: Exchange) -> bool:
    parts = found.groupdict()
    bare = parts.get("bare") or parts.get("rest")
    text = next((parts[name] for name in "abdefg" if parts.get(name)), None) or bare or ""
    if bare and (_MORE_ASKED.search(bare) or not given.prompt.strip().rstrip(" .?!").endswith(bare.rstrip(" .?!"))):
        return False  # what was taken for an ending may be a part of it, or the other way round
    if _NEVER.search(given.bare.replace(text, " ")) or _IS_FILE.fullmatch(text):
        return False
    wanted = made(found, text.strip(" .?!") if bare else text)
    return bool(wanted) and not any(_holds(given.text, one) for one in wanted)


def _holds(said: str, wanted: str | int | re.Pattern[str]) -> bool:
    match wanted:
        case int():
            return names_value(said, [Fraction(wanted)]) or answer_words.says_number(wanted, said)
        case str():
            return any(_flat(wanted) in _flat(text) for text in (said, _EMPHASIS.sub("", said.replace("\\", ""))))
        case _:
            return wanted.search(said) is not None or wanted.search(re.sub(r"[*`\\]", "", said)) is not None


_EMPHASIS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")


def _flat(text: str) -> str:
    """Without what differs between good answers: case, kinds of quotes, spaces."""
    return " ".join(text.casefold().translate(_QUOTES).split())


_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "‑": "-", "–": "-"})
_PRONOUNS = frozenset(
    [
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "me",
        "him",
        "her",
        "us",
        "them",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
    ]
)


def _replaced(found: re.Match[str], text: str) -> Wanted:
    old, new = found["old"], found["new"]
    if old.casefold() in _PRONOUNS or re.search(rf"\ban? {re.escape(old)}", text, re.IGNORECASE):
        return ()  # the words beside it may have to change with it
    whole = (
        rf"\b{re.escape(old)}\b"
        if len(old) > 1 and old.isalnum() and "letter" not in found[0].casefold()
        else re.escape(old)
    )
    wanted = [
        re.sub(expression, lambda _: new, text, flags=flags)
        for expression in {whole, re.escape(old)}
        for flags in (0, re.IGNORECASE)
    ]
    return wanted if wanted[0] != text else ()


def _removed(found: re.Match[str], text: str) -> Wanted:
    kind, piece = found["kind"], found["piece"]
    if kind:
        return _without_kind(kind.casefold(), text)
    if not piece or piece.casefold() not in text.casefold():
        return ()
    words = [word for word in re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text) if word.casefold() != piece.casefold()]
    gap = r"\s?" if len(piece) > 1 else ""
    cut = [re.sub(rf"{gap}{re.escape(piece)}", "", text, flags=flags).strip(" ,;") for flags in (0, re.IGNORECASE)]
    if len(piece) == 1 or not words:
        return [one for one in cut if one]
    return [*filter(None, cut), re.compile(r"\W+".join(map(re.escape, words)), re.IGNORECASE)]


def _without_kind(kind: str, text: str) -> Wanted:
    signs = _KINDS[kind]
    wanted = [re.sub(f"[{signs}]", "", text)]
    if kind == "vowel":
        wanted.append(re.sub(f"[{signs}yY]", "", text))
    loose = [re.sub(r"\W", "", one) for one in wanted]
    if wanted[0] == text or not loose[0]:
        return ()
    if kind not in {"digit", "number", "numeral", "vowel", "consonant"}:
        return wanted
    return [*wanted, *(re.compile(r"\W*".join(one), re.IGNORECASE) for one in loose)]


def _joined(found: re.Match[str], text: str) -> Wanted:
    joint = found["mark"] or _JOINTS[found["joint"].casefold()]
    words = words_of(text) if "," not in text else [part.strip() for part in text.split(",")]
    return (joint.join(words), f"{joint} ".join(words), f" {joint} ".join(words)) if len(words) > 1 else ()


def _reversed_words(_found: re.Match[str], text: str) -> Wanted:
    words = words_of(text)[::-1]
    return (re.compile(r"[\W\d]+".join(map(re.escape, words)), re.IGNORECASE),) if len(words) > 1 else ()


def _backwards(_found: re.Match[str], text: str) -> Wanted:
    letters = [one for one in text[::-1] if one.isalnum()]
    return (
        (re.compile(r"[\W_]*".join(letters), re.IGNORECASE),)
        if len(text.split()) == 1 and 1 < len(letters) < 40
        else ()
    )


def _wrapped(found: re.Match[str], text: str) -> Wanted:
    opening, closing = _WRAPPERS[found["wrapper"].casefold()]
    return (re.compile(rf"[{re.escape(opening)}]{{1,2}}\s?{re.escape(text)}\s?[{re.escape(closing)}]", re.IGNORECASE),)


def _repeated(found: re.Match[str], text: str) -> Wanted:
    times = _TIMES.get(found["times"].casefold()) or int(re.sub(r"\D", "", found["times"]))
    return (
        (re.compile(rf"(?:{re.escape(text)}.{{0,40}}?){{{times}}}", re.IGNORECASE | re.DOTALL),)
        if 1 < times <= 12 and len(text) <= 40
        else ()
    )


def _shifted(found: re.Match[str], text: str) -> Wanted:
    steps = {"one": 1, "two": 2, "three": 3, "1": 1, "2": 2, "3": 3}[found["steps"].casefold()]
    steps = -steps if found["way"].casefold().startswith("back") else steps
    low = string.ascii_lowercase
    turned = text.casefold().translate(str.maketrans(low, low[steps:] + low[:steps]))
    return (turned, re.compile(r"\W*".join(map(re.escape, turned)), re.IGNORECASE))


_TABLE: tuple[Row, ...] = (
    (
        (
            r"(?:replace|change|substitute|swap) (?:(?:every|each|all|the|any|occurrences? of"
            rf"|letters?|words?|characters?|number) ?)* ?{PIECE.format('old')}s? (?:with|by|to|for|into)"
            rf"(?: (?:the )?(?:letter|word|character|number|an?(?= ['\"])))* ?{PIECE.format('new')}(?: in"
            rf" {THING}|(?: in)? ?{NOUN}{AFTER_COLON.replace('bare', 'rest')}){ALSO}"
        ),
        _replaced,
    ),
    (
        (
            r"(?:remove|delete|strip|drop|take out|erase|strip out) (?:(?:every|each|all|of|the) )*"
            rf"(?:{_KIND}|(?:letters? |words? |characters? )(?:{PIECE.format('piece')}))(?: (?:from|in|out"
            rf" of))? ?{THING}{ALSO}"
        ),
        _removed,
    ),
    (rf"take (?:the )?(?:letter |word )?{PIECE.format('piece')} out of {THING}(?P<kind>)", _removed),
    (
        (
            r"(?:join|connect|link|combine|separate) (?:(?:these|the|following|all"
            rf"|words?|items?|names?|letters?|of|this|list|in) ?)*(?:with|by|using) {_JOINT}(?:,? (?:no"
            rf"|without) spaces)?{AFTER_COLON}"
        ),
        _joined,
    ),
    (rf"(?:join|connect|link|combine) {THING} (?:with|by|using) {_JOINT}", _joined),
    (
        (
            rf"reverse (?:the )?(?:order of )?(?:the )?words (?:of|in) {THING}|reverse the (?:order of "
            r"(?:the|this|these|that|my)|word order of the) (?:list|words|items|sentence"
            rf"|names){AFTER_COLON.replace('bare', 'bare2')}"
        ).replace("(?P<bare2>", "(?P<f>"),
        _reversed_words,
    ),
    (
        (
            r"reverse (?:this|the(?: following| letters of(?: this| the)?)?|these) (?:word|string"
            rf"|letters){AFTER_COLON}|(?:spell|write) (?:this|the following) (?:word"
            rf" )?backwards{AFTER_COLON.replace('bare', 'rest')}"
        ),
        _backwards,
    ),
    (rf"reverse (?:the|this) (?:list|order){AFTER_COLON}", _reversed_words),
    (
        (
            r"(?:concatenate|join|combine|merge|put together)(?: (?:the|these))?(?: (?:two )?(?:words"
            r"|strings))? ['\"](?P<one>[^'\"\s]{1,20})['\"] (?:and|with) ['\"]"
            r"(?P<other>[^'\"\s]{1,20})['\"](?: (?:in)?to (?:one|a single) (?:word|string)| together)?"
        ),
        lambda found, _text: (f"{found['one']}{found['other']}", f"{found['one']} {found['other']}"),
    ),
    (
        (
            rf"add (?:the letters? |an? |the )?{PIECE.format('piece')} (?:to|at) the (?P<way>end|beginning"
            rf"|start|front) of {THING}"
        ),
        lambda found, text: (text + found["piece"] if found["way"].casefold() == "end" else found["piece"] + text,),
    ),
    (
        (
            rf"(?:put|place|add|write|wrap) (?:an? )?(?:pair of )?{_WRAPPER} (?:around|round|about)"
            rf" {THING}{ALSO}"
        ),
        _wrapped,
    ),
    (
        (
            rf"(?:put|place|wrap|enclose|surround|write) {THING} (?:in|inside|within|with|between)"
            rf" {_WRAPPER}{ALSO}"
        ),
        _wrapped,
    ),
    (
        (
            rf"(?:repeat|write|say|print|type|output) {THING} (?:exactly )?(?P<times>twice|thrice|"
            rf"(?:{'|'.join(key.split()[0] for key in _TIMES if ' ' in key)}|\d{{1,2}}) times)"
            r"(?:,? (?:separated by|on|in|with) [a-z ]{3,30})?"
        ),
        _repeated,
    ),
    (
        (
            rf"shift (?:each|every) letter (?:of|in) {THING} (?:by )?(?P<steps>one|two|three|[123]) "
            r"(?:places?|positions?|letters?|steps?) (?P<way>forwards?|back(?:wards?)?|ahead)(?: in the"
            r" alphabet)?(?: \([^)]{1,40}\))?"
        ),
        _shifted,
    ),
    *STYLES,
    *PIECES,
)
_ASKED = tuple((re.compile(pattern, re.IGNORECASE), made) for pattern, made in _TABLE)
"""Each the whole wish."""
