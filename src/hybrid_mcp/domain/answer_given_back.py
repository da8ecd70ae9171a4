"""Does an answer give back what it was sent to work on: all of it where a part was wanted, or as it was where it was to
be changed?"""

from __future__ import annotations

import re

from hybrid_mcp.domain.answer_nothing import new_words, words_of
from hybrid_mcp.domain.answer_text import Exchange

_LONGEST_PROMPT = 700
_FEWEST_WORDS = 5
"""A shorter text may be all that there is to say."""
_MOST_MORE = 160
"""Characters that the answer may have besides."""

_QUOTED = re.compile(r"(?:(?<=[\s:(])|^)(?:\"(?P<double>[^\"\n]{20,500})\"|'(?P<single>[^\n]{20,500}?)'(?=\W*(?:\s|$))"
    r"|“(?P<curly>[^“”\n]{20,500})”)", re.MULTILINE)  # fmt: skip
_AFTER_COLON = re.compile(r"(?:: |:\n|\.\n|\?\n)(?P<after>[^\n]{20,500})\s*$")
_ADDRESS = re.compile(r"\bhttps?://[\w.-]{3,80}[/?#][\w./?&=%#+-]{1,200}(?<![.?])")
_PART_OF_ADDRESS = re.compile(
    r"\b(?:domain|host|host ?name|protocol|scheme|path|port|query|parameters?|file ?name|extension|slug|id)\b",
    re.IGNORECASE,
)
_NAMES_OF_TEXTS = {"sentence", "text", "message", "line", "quote", "passage", "following", "given", "phrase"}
_WANTS_PART = re.compile(
    r"^\W{0,20}(?:please )?(?:extract|find|get|return|give|pull out|pick(?: out)?|tell me|take|name|identify|output"
    r"|write out)"
    r"(?: back| me)?(?: only)? (?:the|a|an|just|only)\b"
    r"|\b(?:what|which|who|whom|whose|when|where|how (?:many|much|old|long))\b[^.!\n]{3,}\?"
    r"|\b(?:only|just)\b[^.!\n]{0,30}\b(?:name|word|number|date|code|price|city|day|time|digit|year|address)\b"
    r"|\bwhat(?:'s|’s| is) the\b|\b(?:give|return|answer with|reply with) only\b",
    re.IGNORECASE,
)
_MAY_BE_ALL = re.compile(
    r"\b(?:sentences?|quotes?|quotation|lines?|whole|all|full|entire|paragraph|says?|said|passage|verbatim|exact|repeat"
    r"|translat\w*|language|languages|proverb|meaning|means?|wrong|mistakes?|errors?|correct|fix|grammar|spelling"
    r"|proofread|punctuation|rewrite|rephrase|format|sort|order|list|complete|continue|author|wrote|from what"
    r"|novel|song"
    r"|film|movie|quoted|claim|rule|instruction|command|title|headline|message|review|text of|advice|statement"
    r"|content|contents|print\w*|display\w*|show|code|output|return value|which part|main idea|thesis|moral)\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\W*(?:please )?(?:extract|find|get|return|give|pull out|take|name|identify|output)\b|https?:", re.IGNORECASE
)
_CLAUSES = re.compile(r"[,;]|\b(?:and|but)\b")
_MOST_OF_ONE_CLAUSE = 7
"""Words. A text of one clause may be the whole answer to a question."""
_SEVERAL = re.compile(
    r"\b(?:the|all|what|which|two|three|any|these|those) (?:\w{1,20} )?(?!(?:is|was|does|has|this|its"
    r"|his)\b)\w{2,20}s\b"
    r"|\bwhat (?:happened|happens|did|went)\b|\bpick\b|\bwhich (?:one|is)\b",
    re.IGNORECASE,
)
_IS_SENTENCE = re.compile(r"\Ahttps?:|\A[A-Z].*[.!?](?:\s|\Z)", re.DOTALL)
_TO_BE_CHANGED = re.compile(
    r"^\W{0,20}(?:please |now |can you )?(?:rephrase|paraphrase|reword|summari[sz]e|simplify|expand"
    r"|(?:put|change|turn|convert|rewrite) (?:this|the|it|following|these)\b[^:\n]{0,60}"
    r"(?:into|to|in) (?:the )?(?:passive|third person|reported|indirect|negative|question))",
    re.IGNORECASE,
)
"""Not what may be as it should be already: to fix, to shorten, to take out, to put into another tense."""
_UNLESS = re.compile(r"\bif (?:there|any|needed|necessary|it)\b|\bunless\b|\bwhere needed\b|\bany\b", re.IGNORECASE)
_SENTENCE_OF_TEXT = re.compile(r"(?:: |:\n|\n)(?P<text>[^\n]{8,500})\s*$")


def gives_all_back(given: Exchange) -> bool:
    """Whether a part of a text was asked for, and the answer is all of that text and no word more of it."""
    prompt, text = given.prompt.strip(), given.text.strip()
    found = _material(prompt) if len(prompt) <= _LONGEST_PROMPT else None
    if found is None or len(text) > len(found) + _MOST_MORE or len(words_of(found)) < _FEWEST_WORDS:
        return False
    wish = prompt.replace(found, " ", 1)
    if (
        _MAY_BE_ALL.search(wish)
        or _SEVERAL.search(wish)
        or not _IS_SENTENCE.search(found)
        or not _WANTS_PART.search(wish.strip())
    ):
        return False
    if not _ORDERS.match(wish.strip()) and not (len(words_of(found)) > _MOST_OF_ONE_CLAUSE and _CLAUSES.search(found)):
        return False
    said, held = (" ".join(words_of(one)) for one in (text, found))
    if held not in said or len(said) == len(held) == 0:
        return False
    return not {*new_words(wish, said.replace(held, " "))} - _NAMES_OF_TEXTS


def _material(prompt: str) -> str | None:
    """The only text that a prompt quotes, or what stands after its last colon."""
    quoted = [match["double"] or match["single"] or match["curly"] for match in _QUOTED.finditer(prompt)]
    if len(quoted) == 1:
        return quoted[0]
    addresses = _ADDRESS.findall(prompt)
    if len(addresses) == 1 and _PART_OF_ADDRESS.search(prompt.replace(addresses[0], " ")):
        return addresses[0]
    after = _AFTER_COLON.search(prompt) if not quoted else None
    return None if after is None else after["after"]


_INTO = re.compile(
    r"^\W{0,20}(?:please |now |can you )?(?:translate|put|say|write|give)\b[^\n]{0,200}?\b(?:in|to"
    r"|into) (?P<language>english|german|french|spanish"
    r"|italian|dutch|portuguese)\b",
    re.IGNORECASE,
)
_FEWEST_OF_A_TRANSLATION = 3
"""Words. Fewer may be the same in both languages."""
_LOOSE_TEXT = re.compile(r"['\"‘“](?P<quoted>[^\n]{6,300}?)['\"’”](?!\w)|: ?(?P<after>[^\n]{6,300})\s*$")


def stays_untranslated(given: Exchange) -> bool:
    """Whether a phrase was to be translated, and there is no word in the answer that the phrase does not hold."""
    prompt = given.prompt.strip()
    asked = _INTO.match(prompt) if len(prompt) <= _LONGEST_PROMPT and len(given.text) <= len(prompt) else None
    found = None if asked is None else _LOOSE_TEXT.search(prompt)
    if found is None or "name" in prompt.casefold():
        return False
    source = [*map(_low_word, _LETTERS.findall(found["quoted"] or found["after"]))]
    said = [*map(_low_word, _LETTERS.findall(given.text))]
    if len({*said}) < _FEWEST_OF_A_TRANSLATION or len({*source}) < _FEWEST_OF_A_TRANSLATION:
        return False
    if len({word for word in _LETTERS.findall(given.text) if word.islower()}) < _FEWEST_OF_A_TRANSLATION:
        return False  # names are the same in all languages
    return {*said} <= {*source} and not _ENGLISH.intersection(source)


_LETTERS = re.compile(r"[^\W\d_]+")
_ENGLISH_WORDS = "the of and is are to in it you my for with this that what how where"
_ENGLISH = frozenset(_ENGLISH_WORDS.split())


def _low_word(word: str) -> str:
    return word.casefold()


_TO_GO = re.compile(
    r"^\W{0,20}(?:please |now )?(?:remove|delete|drop|strip|take out|erase)\b[^:\n]{0,80}: ?(?P<text>[^\n]{3,400})$",
    re.IGNORECASE,
)
_WORD_TO_GO = re.compile(
    r"\b(?:the|every|all) (?:words?|letters?) ['\"‘“](?P<word>[^'\"’”\n]{1,30})['\"’”](?!,? (?:and|or) )", re.IGNORECASE
)
_SIGNS_TO_GO = (
    (
        re.compile(r"\b(?:all|every|the|any) (?:the |of the )?(?:digits?|numbers?|figures)\b", re.IGNORECASE),
        re.compile(r"\d"),
    ),
    (re.compile(r"\b(?:all|every) (?:the |of the )?vowels?\b", re.IGNORECASE), re.compile(r"[aeiou]", re.IGNORECASE)),
    (re.compile(r"\b(?:all|every|the) (?:the |of the )?commas?\b", re.IGNORECASE), re.compile(r",")),
    (re.compile(r"\b(?:all|every) (?:the |of the )?(?:hyphens|dashes)\b", re.IGNORECASE), re.compile(r"-")),
)
_BUT_FOR = re.compile(
    r"\b(?:except|but|first|last|second|leading|trailing|duplicate\w*|repeated|double|extra|after|before|only|between|unless|if|end|start|beginning|middle|when)\b",
    re.IGNORECASE,
)


def keeps_what_was_to_go(given: Exchange) -> bool:
    """Whether a word or all digits were to be taken out of a text, and what is hardly longer still holds them."""
    prompt, text = given.prompt.strip(), given.text.strip()
    asked = _TO_GO.match(prompt) if len(prompt) <= _LONGEST_PROMPT else None
    if asked is None or len(text) > len(asked["text"]) + 4:
        return False
    wish = prompt[: asked.start("text")]
    if _BUT_FOR.search(wish) or text.casefold()[:3] != asked["text"].strip(" '\"").casefold()[:3]:
        return False
    word = _WORD_TO_GO.search(wish)
    if word is not None:
        gone = re.compile(rf"(?<!\w){re.escape(word['word'])}(?!\w)", re.IGNORECASE)
        return "letter" not in word[0] and gone.search(asked["text"]) is not None and gone.search(text) is not None
    return any(named.search(wish) and sign.search(asked["text"]) and sign.search(text) for named, sign in _SIGNS_TO_GO)


def stays_as_it_was(given: Exchange) -> bool:
    """Whether a text was to be changed, and the answer is that text to the letter."""
    prompt = given.prompt.strip()
    if len(prompt) > _LONGEST_PROMPT or not _TO_BE_CHANGED.match(prompt) or _UNLESS.search(prompt):
        return False
    found, text = _SENTENCE_OF_TEXT.search(prompt), given.said.strip().strip("\"'“”")
    return found is not None and len(text) >= 8 and found["text"].strip().strip("\"'“”") == text
