"""Does an answer keep to the form that a short prompt plainly sets: so many items or words, a choice, a range?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hybrid_mcp.domain.answer_text import Exchange, holds_any

_NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve"
_COUNTS = {
    word: number
    for number, word in enumerate(_NUMBER_WORDS.split(), start=2)
} | {str(number): number for number in range(2, 31)}  # fmt: skip
_COUNT = rf"(?P<count>{'|'.join(sorted(_COUNTS, key=len, reverse=True))})"
_ITEMS = re.compile(
    rf"\b(?:list|name|give(?: me)?|suggest|provide|generate|come up with|tell me|write)"
    rf"(?: me)? (?:(?:the|exactly|top|best"
    rf"|main|most|only|a list of|any) ){{0,3}}{_COUNT} (?:(?!(?:in|as|to|into|with|by) )[a-z]{{2,20}} ){{0,2}}?"
    r"(?P<noun>[a-z]{2,20}s)\b",
    re.IGNORECASE,
)
_LISTS = ("list", "name", "give", "suggest", "provide", "generate", "come up", "tell me", "write")
_NO_ITEMS = (
    "words sentences paragraphs lines letters characters syllables minutes hours days weeks months years times percent"
    " digits pages sections chapters stanzas verses columns rows points tokens bytes as is has was does its less plus"
    " vs this dimensions steps sides dollars euros levels"
)
_ABOUT = re.compile(
    r"at least|at most|up to|about|around|or more|or so|minimum|maximum|\bmin\b|\bmax\b|\beach\b|\bper\b|pros|between"
    r"|story|poem|essay|code|function|python|json|table|csv|\bor\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(?:#{1,6} |[*_]{2})?(\d{1,3})[.)]", re.MULTILINE)
_BULLETED = re.compile(r"^(?:[-*•+]|–) ", re.MULTILINE)
_HEADED = re.compile(r"^(?:#{1,6} |\*\*|[^-*•+\n]{2,60}:\s*$)", re.MULTILINE)
"""Bullets below headings are no items of the list that was asked for."""
_SEPARATORS = re.compile(r",|;|/|\b(?:and|or)\b|&|、|\n")
_MOST_INLINE = 200

_WORDS_ASKED = re.compile(
    r"\b(?P<kind>exactly|under|at most|up to|no more than|fewer than|less than|max(?:imum)?"
    r"|within|in|a|an|of|at least)?"
    r"(?: (?:about|around|roughly))? ?(?P<words>\d{1,4})[ -]words?\b",
    re.IGNORECASE,
)
_WRITING = re.compile(
    r"^\W{0,20}(?:please |now )?(?:write|compose|draft|summari[sz]e|describe|explain|generate|produce)\b"
    r"|\b(?:in|under)\b",
    re.I,
)
_AT_MOST = {"under", "at most", "up to", "no more than", "fewer than", "less than", "max", "maximum", "within", "in"}
_ONE_WORD = re.compile(
    r"\b(?:answer|reply|respond|answer only|response)\b[^.?\n]{0,20} (?:in|with|using|only) "
    r"(?:exactly |just |only )?(?:a |one )(?:single )?word\b|\bin (?:exactly |just )?one word\b",
    re.IGNORECASE,
)
_MOST_FOR_ONE_WORD = 12
_ONE_SENTENCE = re.compile(
    r"\bin (?:exactly |just |only )?(?:one|a|a single|one single|one short) sentence\b|\bone-sentence\b", re.IGNORECASE
)
_MOST_FOR_ONE_SENTENCE = 4
_SENTENCE_END = re.compile(r"[^\W\d_]{3,}[.!?][ \n]+(?=[A-ZÀ-Þ])")

_YES_OR_NO = re.compile(
    r"\b(?:answer|reply|respond|say)\b[^.?\n]{0,30}? [\"'*“]?(?:yes|true)[\"'*”]? or [\"'*“]?(?:no|false)[\"'*”]?"
    r"(?! or\b|,? (?:and|then|with|followed))",
    re.IGNORECASE,
)
_THIRD_WAY = re.compile(r"unknown|unsure|maybe|unclear|n/a|not sure|don't know|depends|otherwise|json", re.IGNORECASE)
_YES_NO_WORDS = re.compile(
    r"\b(?:yes|no|true|false|not|nope|yeah|yep|correct|incorrect|right|wrong|ja|nein|oui|non|sí|si)\b|n't",
    re.IGNORECASE,
)

_OPTION = re.compile(r"^[ \t]*\(?([A-H])[).:][ \t]+([^\n]{1,120})$", re.MULTILINE)
_WANTS_OPTION = re.compile(r"\b(?:which|choose|select|pick|answer|what|letter|correct|option)\b", re.IGNORECASE)
_NO_OPTION = re.compile(r"\bnone\b|\bneither\b|\ball\b|\bboth\b", re.IGNORECASE)

_ONE_LETTER = re.compile(r"\b(?:with|only|just|give)\b[^.?\n]{0,20}\bletter\b", re.IGNORECASE)
_LETTER_NAMED = re.compile(r"(?<![^\W_])\(?([A-H])\)|\banswer(?: is)?:? \**\(?([A-H])\b")
_WEIGHS = re.compile(r"not|wrong|because|since|while|whereas|unlike|other|n't|rather|instead|than", re.IGNORECASE)
_MOST_FOR_A_LETTER = 400

_RANGE = re.compile(
    r"\b(?:number|integer|score|rating|rate|scale)\b[^.?\n]{0,40}?\b(?:between|from) "
    r"(?P<low>\d{1,6}) (?:and|to) (?P<high>\d{1,6})\b",
    re.IGNORECASE,
)  # fmt: skip
_WORKED_OUT = re.compile(r"\b(?:sum|product|total|average|mean|count|how many|add|multiply|squares?)\b", re.IGNORECASE)
_BARE_NUMBER = re.compile(r"[\s\"'*]*(-?\d{1,12}(?:\.\d{1,6})?)[\s\"'*.]*")
_MOST_FOR_A_NUMBER = 60
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def breaks_the_count(given: Exchange) -> bool:
    """Whether the prompt sets a number of items, and a plain list has clearly another."""
    asked = _ITEMS.findall(given.wish) if holds_any(given.low, _LISTS) else []
    match = _ITEMS.search(given.wish) if len(asked) == 1 else None
    if match is None or _ABOUT.search(given.wish) or match["noun"].lower() in _NO_ITEMS.split():
        return False
    if re.search(r"\d", given.wish[: match.start()] + given.wish[match.end() :]) or len(given.text) > 6_000:
        return False
    wanted = _COUNTS[match["count"].lower()]
    found = _items(given.prose, wanted)
    return found is not None and found != wanted


def _items(text: str, wanted: int) -> int | None:
    """How many items a text plainly has; None where that is in doubt."""
    numbers, bullets = [int(number) for number in _NUMBERED.findall(text)], len(_BULLETED.findall(text))
    if numbers:
        return len(numbers) if numbers == list(range(1, len(numbers) + 1)) else None
    if bullets and not _HEADED.search(text):
        return bullets if bullets < wanted or bullets > 2 * wanted else None
    line = text.strip()
    if len(line) > _MOST_INLINE or line.count("\n") > 1 or re.search(r"[.!?:]\s", line):
        return None
    parts = [part for part in _SEPARATORS.split(line) if part.strip()]
    return len(parts) if len(parts) < wanted and all(len(part.split()) <= 4 for part in parts) else None


def breaks_the_length(given: Exchange) -> bool:
    """Whether the prompt sets a number of words or one sentence, and the answer is far from it."""
    if not given.short or not given.text.isascii():
        return False
    of_words = "word" in given.low
    if of_words and _ONE_WORD.search(given.wish) and _words_of(given) > _MOST_FOR_ONE_WORD:
        return True
    of_one_sentence = "sentence" in given.low and _ONE_SENTENCE.search(given.wish)
    if of_one_sentence and len(_SENTENCE_END.findall(given.prose)) >= _MOST_FOR_ONE_SENTENCE:
        return not re.search(
            r"code|script|function|\beach\b|\bevery\b|\bper\b|story|then\b|also\b|list|steps", given.wish, re.IGNORECASE
        )
    asked = [*_WORDS_ASKED.finditer(given.wish)] if of_words and _WRITING.search(given.wish) else []
    return len(asked) == 1 and _is_far_off(_words_of(given), int(asked[0]["words"]), (asked[0]["kind"] or "").lower())


def _words_of(given: Exchange) -> int:
    """About as many."""
    return len(_WORD.findall(given.said)) if len(given.said) == len(given.text) else len(given.text) // 6


def _is_far_off(words: int, wanted: int, kind: str) -> bool:
    if kind in _AT_MOST:
        return words > 1.5 * wanted + 10
    if kind == "exactly":
        return words > 1.5 * wanted + 10 or words < wanted / 2
    return kind in {"a", "an", "of", "at least"} and wanted >= 100 and words < 0.4 * wanted


def misses_the_choice(given: Exchange) -> bool:
    """Whether yes or no, or one of the options named, was to be the answer, and none of them is in it."""
    if holds_any(given.low, ("yes", "true")) and _YES_OR_NO.search(given.wish) and not _THIRD_WAY.search(given.wish):
        return _YES_NO_WORDS.search(given.said) is None and given.text.isascii()
    options = _OPTION.findall(given.prompt) if given.short and "\n" in given.prompt else []
    letters = [letter for letter, _ in options]
    if len(options) < 3 or letters != list("ABCDEFGH"[: len(letters)]) or not _WANTS_OPTION.search(given.prompt):
        return False
    names_all = _OPTION.findall(given.said) == options and not _OPTION.sub("", given.said).strip()
    return names_all or not _names_one(options, given.said)


def names_two_choices(given: Exchange) -> bool:
    """Whether one letter was to be the answer, and it names several, without weighing one against the other."""
    if "letter" not in given.low or len(given.text) > _MOST_FOR_A_LETTER or not _ONE_LETTER.search(given.prompt):
        return False
    offered = {letter for letter, _ in _LETTER_NAMED.findall(given.prompt)}
    named = {one or other for one, other in _LETTER_NAMED.findall(given.text)} & offered
    return len(offered) >= 3 and len(named) >= 2 and not _WEIGHS.search(given.text)


def _names_one(options: Sequence[tuple[str, str]], said: str) -> bool:
    if _NO_OPTION.search(said) or re.search(
        rf"(?<![^\W_])[{options[0][0]}-{options[-1][0]}](?![^\W_])", said, re.IGNORECASE
    ):
        return True
    low = said.casefold()
    return any(
        part in low
        for _, option in options
        for part in _WORD.findall(option.casefold())
        if len(part) >= 3 or part.isdigit()
    )


def is_out_of_range(given: Exchange) -> bool:
    """Whether a number between two others was asked for, and the answer is nothing but one outside."""
    number = _BARE_NUMBER.fullmatch(given.text) if given.short and len(given.text) <= _MOST_FOR_A_NUMBER else None
    asked = [] if number is None else _RANGE.findall(given.wish)
    if number is None or len(asked) != 1 or _WORKED_OUT.search(given.wish):
        return False
    low, high = map(int, asked[0])
    return low < high and not low <= float(number[1]) <= high
