"""What a prompt shows of its difficulty, as numbers: what the learned score is made of, in training and at run time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log1p

_SEPARATORS = bytes(code if code > 127 or chr(code).isalnum() else 32 for code in range(256))
"""What ends a word: every ASCII byte that is no letter or digit. Bytes, because that is many times faster."""
_NO_SIGNS = bytes(set(range(256)) - set(b"?!=+*/<>\\$^{}();[]"))
_TYPOGRAPHIC = "\u2018\u2019\u201c\u201d\u2013\u2014\u2026"
_SCANNED_CHARACTERS = 8_192
"""Of a long prompt only this many characters at the start and at the end are looked at."""
MOST_WORDS = _SCANNED_CHARACTERS + 1
"""So many words the part that is looked at has at most."""
_MOST_CHARACTERS = 1_500
_LONGEST_MEAN_WORD = 12.0
COMMON_MEAN_WORD = 4.6
_SUPPOSED_WORDS = 5
"""So many words of common length, all different, are supposed besides those seen: a mean of two words says little."""

_WORD_GROUPS: Mapping[str, str] = {
    "quantity": "half twice double triple percent each per total remaining times more fewer less average ratio sum"
    " altogether left cost costs price many much number rate dollars hours minutes days weeks year years equal equally"
    " dozen",
    "maths_words": "equation polynomial integer integers triangle circle angle probability matrix vector function"
    " theorem group ring field prime modulo derivative integral limit graph axis real complex root roots divisor"
    " perimeter area volume radius degree degrees sequence",
    "coding_words": "python function code program algorithm java javascript sql array string returns return"
    " implement regex html css api class method loop integer output input script",
    "reasoning_words": "prove proof derive solve calculate compute determine deduce justify infer conclude verify",
    "conditions": "if suppose assume assuming given let when whenever unless must otherwise such where then",
    "negations": "not except never neither nor no without cannot least false incorrect isn doesn don unless",
    "question_words": "what which who whom whose when where",
    "how_words": "how why",
    "plain_words": "write story poem poems email essay letter blog post describe rewrite rephrase summarize summarise"
    " translate draft character imagine pretend speech slogan haiku lyrics paragraph article list define spell name",
    "person_words": "i you your my me we our he she his her him they their",
    "function_words": "the a an of in to and is are was were be been for on with as by at from it this that or which"
    " has have had",
}
FUNCTION_WORDS = frozenset(_WORD_GROUPS["function_words"].split())
SIGNALS: Mapping[str, tuple[str, ...]] = {
    "length": ("length", "sentence_length"),
    "numbers": ("digits", "numbers", "quantity"),
    "maths": ("operators", "latex", "maths_words"),
    "code": ("code_characters", "coding_words"),
    "reasoning": ("reasoning_words", "conditions", "negations"),
    "wording": (
        "word_length", "variety", "function_words", "question_words", "how_words", "plain_words", "person_words",
    ),
}  # fmt: skip
"""The named signals, and the numbers that each one is made of. `words`, from the word table, is the last signal."""
NAMES = tuple(name for names in SIGNALS.values() for name in names)
EASIER = frozenset(
    {"word_length", "variety", "function_words", "question_words", "how_words", "plain_words", "person_words"}
)
"""More of these means an easier prompt; more of any other a harder one. Training holds to these signs."""

_SIGN_OF = {name: bytes([place]) for place, name in enumerate(_WORD_GROUPS)}
_GROUPS_OF: Mapping[str, bytes] = {
    word: b"".join(sign for name, sign in _SIGN_OF.items() if word in _WORD_GROUPS[name].split())
    for word in " ".join(_WORD_GROUPS.values()).split()
}
"""A byte for each group that a word is in: bytes are joined and counted many times faster than anything else."""


def scanned(prompt: str) -> str:
    """The part of the prompt that is looked at."""
    if len(prompt) <= 2 * _SCANNED_CHARACTERS:
        return prompt
    return f"{prompt[:_SCANNED_CHARACTERS]} {prompt[-_SCANNED_CHARACTERS:]}"


def words_of(text: str) -> list[str]:
    """The text's words in lower case, in their order."""
    if not text.isascii():
        for mark in _TYPOGRAPHIC:
            text = text.replace(mark, " ")
    return text.encode().lower().translate(_SEPARATORS).decode().split()


def features(text: str, size: int, spelled: Sequence[str], distinct: int) -> list[float]:
    """The numbers named in `NAMES`.

    `text`: what is scanned of the prompt. `size`: the whole prompt's, in characters of English. `spelled`: the text's
    words, of which so many are `distinct`.
    """
    number_of_words = max(1, len(spelled))
    # Without all that is not counted, because then counting takes hardly any time.
    signs = text.encode().translate(None, _NO_SIGNS).count
    sentences = max(1, text.count(". ") + signs(b"?") + signs(b"!") + text.endswith("."))
    numerals = [word for word in spelled if word < ":"]
    letters = len("".join(spelled))
    if letters > _LONGEST_MEAN_WORD * number_of_words:
        # A script without spaces, whose words are whole sentences.
        letters = COMMON_MEAN_WORD * number_of_words
    supposed = number_of_words + _SUPPOSED_WORDS
    each = 10 / supposed
    heard = b"".join(filter(None, map(_GROUPS_OF.get, spelled)))
    found = {
        "length": log1p(min(size, _MOST_CHARACTERS) / 50),
        "sentence_length": log1p(size / 5 / sentences),
        "digits": len("".join(numerals)) * 10 / (len(text) + 20),
        "numbers": log1p(len(numerals)),
        "operators": log1p(sum(map(signs, b"=+*/<>"))),
        "latex": log1p(signs(b"\\") + signs(b"$") / 2 + signs(b"^")),
        "code_characters": log1p(sum(map(signs, b"{}();[]"))),
        "word_length": (letters + COMMON_MEAN_WORD * _SUPPOSED_WORDS) / supposed,
        "variety": (distinct + _SUPPOSED_WORDS) / supposed,
        **{name: heard.count(sign) * each for name, sign in _SIGN_OF.items()},
    }
    return [found[name] for name in NAMES]
