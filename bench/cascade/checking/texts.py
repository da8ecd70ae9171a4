"""Plain words of an answer: without the question that it repeats, without markup, in sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SUBSTITUTES = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2212": "-", "\u2014": " - ",
        "\u00a0": " ", "\u202f": " ", "\u00df": "ss", "\u0153": "oe", "\u00e6": "ae", "\u00f8": "o",
        "\u00d7": "x", "\u00f7": "/", "\u00b2": "^2", "\u00b3": "^3",
    }
)  # fmt: skip
_LATEX = (
    (re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\boxed\{([^{}]*)\}"), r" the answer is \1 "),
    (re.compile(r"\\times|\\cdot"), "x"),
    (re.compile(r"\\div"), "/"),
    (re.compile(r"\\approx"), "\u2248"),
    (re.compile(r"\\log"), "log"),
    (re.compile(r"\\[()\[\]]|\\(?=[%$])"), " "),
)
_EMPHASIS = re.compile(
    r"(?<![\w*])\*{1,3}(?=[^\s*])([^*\n]+?)(?<=\S)\*{1,3}(?![\w*])|\*\*|```[A-Za-z]*\n?|`|(?<!\w)__|__(?!\w)"
)
_LINE_MARK = re.compile(r"^[ \t]*(?:#+[ \t]+(?=\S)|>[ \t]+|[-*\u2022][ \t]+(?!\d))", re.MULTILINE)
_SENTENCE = re.compile(
    r"(?<!\bmr\.)(?<!\bmrs\.)(?<!\bms\.)(?<!\bdr\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?;])"
    r"(?:(?<!;)\s+(?=\S)|(?<=;)\s+(?=[a-z]{2})|[\"')]+\s+(?=(?-i:[^a-z])))|\n+",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"\(?(?:\d{1,2}|[a-h])[.)]")
_POLITE = re.compile(
    r"^\W*(?:sure(?: thing)?|of course|certainly|absolutely|okay|ok|alright|(?:great|good) question)\b[,!.:]\s+(?=\S)"
    r"|\s+(?:let me know if|i hope (?:this|that)|hope (?:this|that) helps|feel free to)[^\n]*$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[\s*#\"]*(?:(?:final |correct |short )?answer|a|output|result|response|solution)\s*:[\s*]*(?=\S)", re.IGNORECASE
)
_ASKED_LABEL = re.compile(r"^\W*(?:question|q|prompt|input|user)\s*:[\s*]*(?=\S)", re.IGNORECASE)
_ASIDES = re.compile(
    r"(?:^|(?<=\s))(?:while|although|though|despite|even though|unlike)\b[^.,\n]*,"
    r"|^(?:between|among|out of|comparing)\b[^.,\n]*,"
    r"|\bfrom\s+[\w:]+\s+(?=to\b)",
    re.IGNORECASE | re.MULTILINE,
)
COPIED_WORDS = 4
"""So many words in a row that also stand in the question are its words, not the answer's."""
ECHO = 0.6
LEAST_ECHO = 8


def plain(text: str) -> str:
    """Lower case, no accents, no Markdown or LaTeX; lines are kept."""
    return _unmarked(text).lower()


def _unmarked(text: str) -> str:
    text = text.translate(_SUBSTITUTES)
    for pattern, said in _LATEX:
        text = pattern.sub(said, text)
    if not text.isascii():
        text = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    text = _EMPHASIS.sub(lambda found: found[1] or "", _LINE_MARK.sub("", text))
    return re.sub(r"[ \t]+", " ", text).strip()


@lru_cache(maxsize=64)
def words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[a-z0-9]+", plain(text)))


def own_text(prompt: str, text: str) -> str:
    """Without the question where the answer begins with it, without courtesies and labels such as "Answer:"."""
    text = _POLITE.sub("", text.strip())
    text = _after_echo(prompt, _ASKED_LABEL.sub("", text))
    return _LABEL.sub("", text).strip()


def _after_echo(prompt: str, text: str) -> str:
    asked = [one for one in prompt.lower() if one.isalnum()]
    if len(asked) < LEAST_ECHO and not text.startswith(prompt + "\n"):
        return text
    place = 0
    for end, one in enumerate(text.lower()):
        if not one.isalnum():
            continue
        if one != asked[place]:
            return text
        place += 1
        if place == len(asked):
            return _after_marks(prompt, text[end + 1 :])
    return text


def _after_marks(prompt: str, rest: str) -> str:
    """Without the marks that the question ends with, in any spacing."""
    last = re.search(r"[\W_]*$", prompt)
    for mark in last[0].split() if last else ():
        for one in mark:
            rest = rest.lstrip().removeprefix(one)
    return rest


def sentences(prompt: str, text: str) -> list[str]:
    """The plain sentences of an answer, those left out that ask or only repeat a passage of the question."""
    found: list[str] = []
    for part in _SENTENCE.split(_ASIDES.sub(" ", _unmarked(text))):
        sentence = _LABEL.sub("", part.strip()).lower()
        if found and _LIST_MARK.fullmatch(found[-1]):
            sentence = f"{found.pop()} {sentence}"
        if sentence:
            found.append(sentence)
    own = [one for one in found if not _asks(prompt, one) and not _repeats(prompt, one)]
    return own or ([] if len(found) > 1 else found)


def _asks(prompt: str, sentence: str) -> bool:
    said, asked = words(sentence), words(prompt)
    is_question = sentence.rstrip("\"')").endswith("?") and len(said) > 1
    return is_question and sum(one in asked for one in said) >= ECHO * len(said)


def _repeats(prompt: str, sentence: str) -> bool:
    said = words(sentence)
    return len(said) >= LEAST_ECHO and f" {' '.join(said)} " in f" {' '.join(words(prompt))} "


def copied(prompt: str, sentence: str) -> list[str]:
    """The runs of words in a sentence that it copies from the question."""
    asked = f" {' '.join(words(prompt))} "
    tokens = list(re.finditer(r"[a-z0-9]+", sentence))
    runs: list[str] = []
    place = 0
    while place < len(tokens):
        end = place
        while end < len(tokens) and f" {' '.join(one[0] for one in tokens[place : end + 1])} " in asked:
            end += 1
        if end - place >= COPIED_WORDS:
            runs.append(sentence[tokens[place].start() : tokens[end - 1].end()])
        place = max(end, place + 1)
    return runs
