"""Is an answer in another language than its prompt, though nothing asked for that?"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping

from hybrid_mcp.domain.answer_text import mentions

_SCRIPTS: tuple[tuple[str, int, int], ...] = (
    ("Latin", 0x00C0, 0x024F), ("Greek", 0x0370, 0x03FF), ("Cyrillic", 0x0400, 0x04FF), ("Hebrew", 0x0590, 0x05FF),
    ("Arabic", 0x0600, 0x06FF), ("Devanagari", 0x0900, 0x097F), ("Thai", 0x0E00, 0x0E7F), ("Kana", 0x3041, 0x30FF),
    ("Han", 0x3400, 0x9FFF), ("Hangul", 0xAC00, 0xD7A3),
)  # fmt: skip
"""Blocks of Unicode 15; Latin has the letters of ASCII too."""
_FIRSTS = [first for _, first, _ in _SCRIPTS]
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
_DENSE = {"Han": 3, "Kana": 2, "Hangul": 2}
"""A sign of these scripts says as much as so many letters."""
_PROMPT_LETTERS, _ANSWER_LETTERS = 12, 40

_FUNCTION_WORDS: Mapping[str, str] = {
    "English": "the of and is are was were what how why which this that with from they their have has would should"
    " there please write give been it you your",
    "German": "der das und ist nicht ein eine einen dem den mit auf für von zu sich auch wie wird sind bitte oder aus"
    " bei nach werden ich wir sie",
    "French": "le les des est et dans une du pour pas sur avec vous nous qui ce sont plus cette être ou au aux il",
    "Spanish": "el los las y una por para con del es que más como su está pero este esta son lo cómo cuál",
    "Italian": "il gli della che di è per con una sono nel del alla più anche questo questa come dei delle non perché",
    "Portuguese": "o os as em um uma não para com do da dos das é que mais como por são foi você pelo",
    "Dutch": "het een van en is dat niet op te zijn voor met die deze wordt aan ook naar wat hoe je",
}
_LANGUAGES_OF: Mapping[str, tuple[str, ...]] = {
    word: tuple(language for language, words in _FUNCTION_WORDS.items() if word in words.split())
    for word in " ".join(_FUNCTION_WORDS.values()).split()
}
_WORD = re.compile(r"[^\W\d_]{1,20}")
_MOST_CHARACTERS = 1_500
_MENTIONED = (
    "translat|languag|bilingual|vocabular|pronounc|phrase|recit|quot|lyric|anthem|prayer|proverb|original"
    "|script|alphabet|english|german|french|spanish|italian|portug|dutch|russian|ukrain|chinese|mandarin"
    "|japanese|korean|arabic|hebrew|hindi|greek|thai|polish|latin|swedish|turkish|romaji|pinyin|kanji|hiragana"
    "|haiku|cyrillic|unicode|i18n|locale|übersetz|sprache|deutsch|englisch|französisch|spanisch|traduc|traduis"
    "|traduir|langue|anglais|français|allemand|idioma|lengua|inglés|español|francés|alemán|lingua|inglese"
    "|italiano|inglês|língua|vertaal|taal|engels|nederlands|перев|язык|английск|русск|немецк|语|語|言|英文|中文|日文|翻"
    "|訳|번역|영어|한국어|말로|الإنجليزية|العربية|ترجم|अनुवाद|हिंदी|अंग्रेज"
)


def is_in_another_language(wish: str, asked: str, prose: str) -> bool:
    """Whether both languages are sure, they differ, and all that was asked neither names a language nor is in it."""
    return _are_different(wish, asked, prose) and not mentions(asked, _MENTIONED)


def _are_different(wish: str, asked: str, prose: str) -> bool:
    wanted = _script_of(wish, _PROMPT_LETTERS)
    given = None if wanted is None else _script_of(prose, _ANSWER_LETTERS)
    if given is None:
        return False
    if wanted == given == "Latin":
        return _differ(wish, asked, prose)
    if given == "Latin":
        # Names, formulas and code are in Latin letters everywhere.
        return _language_of(prose, 8) is not None and _sizes(asked)["Latin"] < _PROMPT_LETTERS
    related = {wanted, given} <= {"Han", "Kana"} and given == "Han"  # Japanese may be all in Han
    return wanted != given and not related and not _sizes(asked)[given]


def _script_of(text: str, fewest: int) -> str | None:
    text = text[:_MOST_CHARACTERS]
    if text.isascii():
        return "Latin" if _latin_of(text) >= fewest else None
    sizes = _sizes(text)
    total = sizes.total()
    if total < fewest:
        return None
    if sizes["Kana"] and sizes["Kana"] * 5 >= sizes["Han"]:
        sizes["Kana"], sizes["Han"] = sizes["Kana"] + sizes["Han"], 0
    script, size = sizes.most_common(1)[0]
    return script if size * 10 >= total * 7 else None


def _latin_of(text: str) -> int:
    return len(text.encode("ascii", "ignore").translate(None, _NO_LETTERS))


def _sizes(text: str) -> Counter[str]:
    sizes = Counter[str]()
    if latin := _latin_of(text):
        sizes["Latin"] = latin
    if text.isascii():
        return sizes
    for sign, count in Counter(text).items():
        script = _script(ord(sign))
        if script is not None:
            sizes[script] += count * _DENSE.get(script, 1)
    return sizes


def _script(code: int) -> str | None:
    """Of what is not ASCII."""
    place = bisect_right(_FIRSTS, code) - 1
    if place < 0:
        return None
    script, _, last = _SCRIPTS[place]
    return script if code <= last else None


def _differ(wish: str, asked: str, prose: str) -> bool:
    wanted = _language_of(wish, 3)
    given = None if wanted is None else _language_of(prose, 8)
    return given is not None and wanted != given and _hits(asked)[given] <= 1


def _language_of(text: str, fewest: int) -> str | None:
    """The Latin language whose function words stand out: three times as many as of any other."""
    hits = _hits(text).most_common(2)
    if not hits or hits[0][1] < fewest or (len(hits) > 1 and hits[0][1] < 3 * hits[1][1]):
        return None
    return hits[0][0]


def _hits(text: str) -> Counter[str]:
    counts, hits = Counter(_WORD.findall(text[:_MOST_CHARACTERS].lower())), Counter[str]()
    for word in counts.keys() & _LANGUAGES_OF.keys():
        for language in _LANGUAGES_OF[word]:
            hits[language] += counts[word]
    return hits
