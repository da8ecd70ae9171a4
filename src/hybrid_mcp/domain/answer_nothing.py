"""Does an answer to an open question say anything that the question does not hold?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hybrid_mcp.domain.answer_text import Exchange, holds_any

_LONGEST_PROMPT = 250
_LONGEST_ANSWER = 400
_FEWEST_WORDS = 4
"""A shorter answer may name a thing that rightly stands in the question: `the eye` that an eye doctor looks at."""

_STUB = re.compile(
    r"\W*(?:(?:so|then|therefore|thus),? )?(?:the|my) (?:final |correct |right |best |short )?answer"
    r"(?: to (?:the|this|your|that) (?:question|problem|riddle))?(?: is| would be)?(?: as follows)?\W*",
    re.IGNORECASE,
)
_ASKS_FOR_STUB = re.compile(
    r"answer is|the answer|opposite|complete|continue|repeat|translat|rephrase|\bwrite\b|\btype\b|\bsay\b",
    re.IGNORECASE,
)

_STUB_AT_END = re.compile(
    r"(?:\A|[.!?:)]\s|\n)(?:so,? |therefore,? |thus,? )?(?:the|my) (?:final |correct |right |best )?answer"
    r"(?: to (?:the|this|your|that) (?:question|problem|riddle))? is:?\s*\Z",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w\s.,'\"‘’“”;:?!°%-]+")
"""Nothing of code or formulas, where a sign may be the answer."""
_OPEN = re.compile(
    r"\b(?:what(?:'s|’s)?|which|who(?:'s|’s|m|se)?|where)\b(?! (?:if|about|happens|do (?:i|we)|should)\b)"
    r"|^(?:name|(?:\w+ )?(?:term|word|name) for) |\bhow (?:many|much|old|long|far|tall)\b"
    r"|(?:\bis|\bare|\bcalled|\bknown as|\bnamed)(?: an?| the)?[\s.…:_?]*$",
    re.IGNORECASE,
)
_FORM_ALONE = re.compile(
    r"(?:please|just|only|one word|a single word|in one|short|brief|answer|reply|respond|give (?:only|just|me)|surname"
    r"|last name|no explanation)\b",
    re.IGNORECASE,
)
"""How the answer is to look, in a sentence of its own."""
_SENTENCE_BREAK = re.compile(r"(?<=[^\W\d_]{2}[.!?…])['\"’”)]*\s+(?=\S)|\n+")
_GIVEN_TO_CHOOSE = re.compile(
    r"\bor\b|/|\bvs\b|\bversus\b|\bbetween\b|\bof (?:these|those|them|the)\b(?= (?:two|three|four|five|following|above"
    r"|words?|items?|lists?)\b|[:,?])|\bfollowing\b|\b(?:first|last|both|either)\b|\bthan\b"
    r"|\b(?:which|who|what)(?: one)? (?:is|are|was|were|comes?|came) (?:\w{2,12}er|more|less)\b|,[^,]*,|: ?\S+ \S+",
    re.IGNORECASE,
)
_OF_THE_WORDS_THEMSELVES = re.compile(
    r"\b(?:words?|letters?|spell(?:s|ed|ing)?|spelt|plural|singular|tense|participle|verb|noun|adjective|adverb|prefix"
    r"|suffix|syllables?|rhymes?|pronounced?|anagram|palindrome|backwards?|acronym|abbreviat\w*|initials?|sentence|phrase"
    r"|subject|object|quote|text|passage|paragraph|repeat|echo|copy|print(?:s|ed)?|outputs?|returns?|display(?:s|ed)?"
    r"|type|written|write|translat\w*|languages?|german|french|spanish|italian|dutch|english|latin|colou?rs?|shapes?"
    r"|flavou?rs?|tastes?|smells?|named? after|made (?:of|from|out)|ingredients?|riddle|joke|pun|same|mean(?:s|t)?"
    r"|definition|define|command|keyword|function|code|file|variable)\b",
    re.IGNORECASE,
)
"""Of such the answer may stand in the question: the plural of `sheep`, the colour of an orange."""
_QUOTED_WORDS = re.compile(r"(?<!\w)['\"‘“][^'\"’”\n]{1,120} [^'\"’”\n]{1,120}['\"’”](?!\w)")

_WORD = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")
_SAYS_NOTHING_WORDS = (
    "a an the of in on at to for by with from as into and that which who whom whose what where it its this"
    " these those they them their there is are was were be been being isn has have had do does did will would"
    " can could may might must i you your we our my answer correct called call known refer referred referring"
    " refers term type kind itself themselves himself herself specific particular certain context simply also"
    " commonly often usually typically generally actually considered so then such when how many much indeed"
    " very just one's name named"
)
_SAYS_NOTHING = frozenset(_SAYS_NOTHING_WORDS.split())
_LINK = re.compile(r"\b(?:is|are|was|were|be|called|as|by|equals?|means?)\b", re.IGNORECASE)
_LETTERS_OF_A_THING = 4
_LOOKED_AT = 800
"""Characters of an answer."""
_TWICE = re.compile(
    r"(?<![\w-])(?P<thing>(?!this|that)[^\W\d_]{1,20}(?: [^\W\d_]{1,20}){1,4})['\"]?,? (?:or|specifically"
    r"|namely|also known as|also called)"
    r" (?:also )?['\"]?(?P=thing)['\"]?(?=[.,;)]|$)"
    r"|['\"](?P<quoted>[^'\"\n]{5,60})['\"],? (?:or|specifically|namely|also known as"
    r"|also called) ['\"](?P=quoted)['\"]",
    re.IGNORECASE,
)
_BETWEEN_THE_SAME = (" or ", " specifically ", " namely ", " also known as ", " also called ")
_DIGITS = re.compile(r"\d+(?:[.,/]\d+)*")
_OTHER_UNIT = re.compile(r"\bhow (?:many|much|long)\b|\bconvert\b|\b(?:in|to|into) [a-z]{2,14}\??\s*$", re.IGNORECASE)
_UNIT_ASKED = re.compile(r"\b(?:how many|how much|in|to|into) ([^\W\d_]{1,20})", re.IGNORECASE)
_SAME_AMOUNT = re.compile(
    r"(?<![\d.,/])(\d[\d ./,]{0,12}? [^\W\d_]{1,14}) (?:is|are|equals?)(?: (?:equal|equivalent|converted) to"
    r"| the same as"
    r"| exactly| approximately| about)? \1(?![\w/]|[.,]\d)",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^(?:the )?(?:final |correct )?answer is:? ", re.IGNORECASE)
_LEFT_OPEN = (
    (
        re.compile(
            r"\bsolve\b|\b(?:find|what(?:'s|’s| is)|value of|for) [a-z]\b|\b[a-z](?: is| =| equals)?\s*\??$",
            re.IGNORECASE,
        ),
        re.compile(r"[^=\n]{0,40}[a-z0-9)] ?[-+*/×÷^] ?[a-z0-9(][^=\n]{0,40}= ?[^=\n]{1,40}", re.IGNORECASE),
    ),
    (
        re.compile(r"\d,? ?(?:_{2,}|\.\.\.|…)|\d, ?\?|\bnext\b|\bcontinue\b|\bmissing\b", re.IGNORECASE),
        re.compile(r"(?:-?\d{1,9}, ?){3,30}-?\d{1,9}"),
    ),
)
"""An equation and a row of numbers: where they are to be solved or continued, and how they look."""
_KIND_ALONE = re.compile(r"(?:it is |it['’]s |that is |the answer is )?an? (?P<noun>[a-z]{3,20})[.!]?", re.IGNORECASE)
_QUOTES = re.compile(r"['\"][^'\"\n]{1,100}['\"]|: ?(?:[A-Z] ){2,20}[A-Z]\b")
_AS_MUCH_AS = re.compile(r"\bas \w+ as\b", re.IGNORECASE)
_WHO = re.compile(r"who", re.IGNORECASE)
_WORD_FOR = re.compile(r"\b(?:words?|terms?|phrase|type|mean(?:s|t)?|same)\b", re.IGNORECASE)
_THING = re.compile(r"^(?:an?|the) ['\"‘“]?", re.IGNORECASE)
_BEFORE_A_VERB = frozenset({"to", "can", "will", "who", "must", "that", "which", "they", "you", "we", "people"})
_ENDINGS = ("'s", "’s", "ing", "ed", "es", "s", "e")
_PRONOUNS = frozenset({"i", "you", "your", "we", "our", "my", "me"})


def says_nothing(given: Exchange) -> bool:
    """Whether an open question of one sentence is answered by one that holds no word, number or name but its own, or
    by the start of an answer alone."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if len(text) > _LONGEST_ANSWER or not text:
        return False
    if _STUB.fullmatch(text):
        return given.short and not _ASKS_FOR_STUB.search(prompt)
    if len(prompt) > _LONGEST_PROMPT:
        return False
    if _gives_the_kind(prompt, text) or _says_itself(prompt, text):
        return True
    return not _holds_more(prompt, text) and (_gives_numbers_back(prompt, text) or _holds_no_more(prompt, text))


def _holds_no_more(prompt: str, text: str) -> bool:
    asked = question(prompt)
    if asked is None or not _PLAIN.fullmatch(text) or text.endswith("?"):
        return False
    words = words_of(text)
    if len(words) < _FEWEST_WORDS or _SAYS_NOTHING.issuperset(words) or _holds_more(asked, text):
        return False
    return _is_empty(asked, text)


def stops_before_it(given: Exchange) -> bool:
    """Whether the answer ends in the words that lead to one."""
    end = given.said[-200:]
    if not given.short or not end.rstrip().removesuffix(":").lower().endswith(" is"):
        return False
    return _STUB_AT_END.search(end) is not None and not _ASKS_FOR_STUB.search(given.prompt)


def says_it_twice(given: Exchange) -> bool:
    """Whether it names a thing, and the same again as if it were another: `a table, specifically a table`."""
    said = given.prose[:_LOOKED_AT]
    found = _TWICE.search(said) if holds_any(said.lower(), _BETWEEN_THE_SAME) else None
    thing = "" if found is None else (found["thing"] or found["quoted"])
    return len(thing) > _LETTERS_OF_A_THING and thing.casefold() not in given.asked.casefold()


def question(prompt: str) -> str | None:
    """The only sentence of a prompt that asks openly; None where its answer may rightly stand in it."""
    if len(prompt) > _LONGEST_PROMPT or not _PLAIN.fullmatch(prompt):
        return None
    sentences = _SENTENCE_BREAK.split(prompt)
    asked = [one for one in sentences if not _FORM_ALONE.match(one)]
    if len(asked) != 1 or not _OPEN.search(asked[0]) or _QUOTED_WORDS.search(prompt):
        return None
    return None if _GIVEN_TO_CHOOSE.search(asked[0]) or _OF_THE_WORDS_THEMSELVES.search(asked[0]) else asked[0]


def new_words(asked: str, text: str) -> list[str]:
    """Words of the text, without those that say nothing, of which no form is in what was asked."""
    return [*_new_words(asked, text)]


def _holds_more(asked: str, text: str) -> bool:
    return any(_new_words(asked, text))


def _new_words(asked: str, text: str) -> Iterator[str]:
    known = set(map(_stem, words_of(asked)))
    words = (found[0].casefold() for found in _WORD.finditer(text))
    return (word for word in words if _stem(word) not in known and _says_something(word, known))


def words_of(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _says_something(word: str, known: set[str]) -> bool:
    if word in _PRONOUNS:
        return not known & _PRONOUNS
    return word not in _SAYS_NOTHING


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending).removesuffix("e")
    return word


def _gives_numbers_back(prompt: str, text: str) -> bool:
    """Whether an amount that was to be said in another unit is said to be itself, or an equation or row that was to be
    solved or continued is given back as it was."""
    said = set(_DIGITS.findall(text))
    if not said or not said <= set(_DIGITS.findall(prompt)):
        return False
    same = _SAME_AMOUNT.search(text) if _OTHER_UNIT.search(prompt) else None
    if same is not None:
        unit = _stem(words_of(same[1])[-1])
        return unit not in {_stem(word.casefold()) for word in _UNIT_ASKED.findall(prompt)}
    whole = _LEAD.sub("", text).strip(" .'\"$")
    if whole not in prompt:
        return False
    return any(wish.search(prompt) and form.fullmatch(whole) for wish, form in _LEFT_OPEN)


def _gives_the_kind(prompt: str, text: str) -> bool:
    """Whether it is `a fruit` where the prompt asks which fruit."""
    kind = _KIND_ALONE.fullmatch(text)
    if kind is None or _GIVEN_TO_CHOOSE.search(_QUOTES.sub(" ", prompt)):
        return False
    noun = re.escape(kind["noun"])
    return (
        re.search(
            rf"\b(?:which|to (?:get|find|make|form) an?|guess the|name (?:the|an?)) {noun}\b(?! of\b)", prompt, re.I
        )
        is not None
    )


def _says_itself(prompt: str, text: str) -> bool:
    """Whether its only sentence says of a thing that it is that thing: `a legal term for it is a legal term`."""
    end = _end_of(text)
    thing = " ".join(_THING.sub("", end.partition(" in ")[0].strip(" '\"‘’“”.*!")).removesuffix(" itself").split())
    subject = text.removesuffix(end) if text.endswith(end) else text[: text.rfind(end)]
    if not thing or thing.lower() not in subject.lower() or _SENTENCE_BREAK.search(text):
        return False
    if not _OPEN.search(prompt) or _GIVEN_TO_CHOOSE.search(prompt):
        return False
    if _OF_THE_WORDS_THEMSELVES.search(_WORD_FOR.sub(" ", prompt)) or _holds_more(prompt, f"{subject} {thing}"):
        return False
    if any(char.isdecimal() for char in thing) or _stem(thing.casefold()) in _SAYS_NOTHING:
        return False
    found = [*re.finditer(rf"(?<![\w-]){re.escape(thing)}(?![\w-])", subject, re.IGNORECASE)]
    return any(_stands_as_noun(subject, match) for match in found)


def _stands_as_noun(subject: str, match: re.Match[str]) -> bool:
    """No name, no part of a compound, and no verb."""
    before = words_of(subject[: match.start()])
    if before and match[0][0].isupper():
        return False
    after = _WORD.match(subject[match.end() :].lstrip(" '\"’”,)"))
    if before and before[-1] in _BEFORE_A_VERB:
        return False
    # The head of a school may be called the head.
    return after is None or (after[0].casefold() in _SAYS_NOTHING and after[0].casefold() != "of")


def _is_empty(asked: str, text: str) -> bool:
    """Whether what it says at its end is no name, no compound of the question's words, and no part of one."""
    end = _end_of(text)
    if _AS_MUCH_AS.search(text) or (_WHO.match(asked) and _names(asked) & {*_WORD.findall(text)}):
        return False
    said = [word for word in _WORD.findall(end) if word.casefold() not in _SAYS_NOTHING]
    if any(char.isdecimal() for char in end) or re.search(r"\band\b", end) or "-" in end:
        return False
    if any(word[0].isupper() and not text.lstrip("'\"“‘").startswith(word) for word in said):
        return False
    stems = [_stem(word.casefold()) for word in said]
    return not stems or any(_follows(stems, [*run], asked) for run in _runs(asked, len(stems)))


def _names(asked: str) -> set[str]:
    return {match[0].removesuffix("'s") for match in _WORD.finditer(asked) if match.start() and match[0][0].isupper()}


def _end_of(text: str) -> str:
    """What stands after the last word that links."""
    last = re.split(r"[.!?]\s+", text.rstrip(" .!?\"'”’"))[-1]
    links = [*_LINK.finditer(last)]
    return last[links[-1].end() :] if links else last


def _runs(asked: str, size: int) -> Iterator[Sequence[re.Match[str]]]:
    """So many of its words that say something, one after the other."""
    words = [word for word in _WORD.finditer(asked) if word[0].casefold() not in _SAYS_NOTHING]
    return (words[at : at + size] for at in range(len(words) - size + 1))


def _follows(stems: Sequence[str], run: Sequence[re.Match[str]], asked: str) -> bool:
    if [_stem(word[0].casefold()) for word in run] != [*stems]:
        return False
    before, after = words_of(asked[: run[0].start()]), _WORD.match(asked[run[-1].end() :].lstrip(" "))
    if before and before[-1] in _BEFORE_A_VERB:
        return False
    return after is None or (after[0].casefold() in _SAYS_NOTHING and after[0].casefold() != "of")
