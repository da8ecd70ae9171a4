"""Is an answer right? Strict enough that a wrong one does not pass; what is said after the answer does not count."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import cast

_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n+")
_LETTER = re.compile(r"(?:^|\b[Aa]nswer(?: is)?:? +|\bis |\*\*|\()\(?([A-D])\b(?=[).:,*]|\s*$|\s*\n)", re.MULTILINE)
_OBJECT = re.compile(r"\{[^{}]*\}")
SENTENCES = 2
"""The answer to a question of one line stands in the first sentences."""


def check(kind: str, prompt: str, text: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> bool:
    """Whether `text` answers `prompt`, a question of this kind, with one of `right` and none of `wrong`."""
    first = right[0]
    match kind:
        case "choice":
            passed = _chosen(prompt, text) == first
        case "extraction":
            passed = _extracted(text, cast("dict[str, object]", json.loads(first)))
        case "arithmetic" | "word problem":
            passed = _result(text, first)
        case "yesno":
            passed = _first_of(("yes", "no"), _plain(text)) == first
        case "classify":
            passed = _named(_plain(_beginning(text)), (*right, *wrong)) == {first}
        case "text" | "code":
            passed = _exact(prompt, text, first)
        case _:
            passed = _says(prompt, text, right)
    return passed


def _plain(text: str) -> str:
    """Lower case, no accents, words of letters and digits with one blank between them."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _beginning(text: str) -> str:
    parts = [part for part in _SENTENCE.split(text.strip()) if part.strip()]
    return " ".join(parts[:SENTENCES])


def _says(prompt: str, text: str, right: tuple[str, ...]) -> bool:
    if len(right[0]) <= 2 and right[0].isalpha():  # a symbol: case counts
        return any(re.search(rf"(?<![\w']){re.escape(one)}(?![\w'])", _without(prompt, text)) for one in right)
    said = f" {_plain(_beginning(text).replace('₂', '2').replace('₃', '3').replace('₄', '4').replace(',', ''))} "
    return any(f" {_plain(one)} " in said for one in right)


def _without(prompt: str, text: str) -> str:
    """Without an echo of the question, in which the answer does not stand."""
    return _beginning(text).replace(prompt, " ")


def _numbers(text: str) -> list[str]:
    return [f"{float(one.replace(',', '')):.10g}" for one in _NUMBER.findall(text)]


def _result(text: str, right: str) -> bool:
    """The last number, or that of a first sentence which has only one."""
    numbers, first = _numbers(text), _numbers(_SENTENCE.split(text.strip())[0])
    return bool(numbers) and (numbers[-1] == right or (len(set(first)) == 1 and first[0] == right))


def _first_of(words: tuple[str, ...], plain: str) -> str | None:
    return next((word for word in plain.split() if word in words), None)


def _named(plain: str, labels: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for label in sorted(labels, key=len, reverse=True):  # "not spam" before "spam"
        shorter = re.sub(rf"\b{_plain(label)}\b", " ", plain)
        if shorter != plain:
            found.add(label)
        plain = shorter
    return found


def _chosen(prompt: str, text: str) -> str | None:
    options = re.findall(r"([A-D])\) (.+?)(?=[ ,]+[A-D]\)|\. Answer)", prompt)
    letters = set(_LETTER.findall(text))
    if letters:
        return letters.pop() if len(letters) == 1 else None
    named = [letter for letter, said in options if f" {_plain(said)} " in f" {_plain(_beginning(text))} "]
    return named[0] if len(named) == 1 else None


def _extracted(text: str, right: dict[str, object]) -> bool:
    found = _OBJECT.search(text)
    try:
        value: object = json.loads(found.group()) if found else None
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    said = cast("dict[str, object]", value)
    return said.keys() == right.keys() and all(_plain(str(said[key])) == _plain(str(right[key])) for key in right)


def _exact(prompt: str, text: str, right: str) -> bool:
    if right.startswith("#"):
        return _result(text, right[1:])
    if right.startswith(">"):
        wanted = right[1:].split()
        return any([word for word in _plain(line).split() if word in wanted] == wanted for line in text.splitlines())
    words = re.findall(r"\w+", text)
    if "write nothing else" in prompt:
        return words == [right]
    if listed := re.fullmatch(r"Which word is the longest: (.*)\?", prompt):
        # All of them may be listed first; what is named last is the answer.
        named = [word for word in words if word in listed.group(1).split(", ")]
        return bool(named) and named[-1] == right
    others = [word for word in re.findall(r"[a-z]{4,}", prompt) if word != right]
    lists = re.findall(r"(?:: |\[)([a-z', ]+)", prompt)
    rivals = {word for one in lists for word in re.findall(r"[a-z]{4,}", one)} & set(others)
    named = [word for word in words if word == right or word in rivals]
    return bool(named) and (
        named[0] == right if len(set(named)) > 1 and text.count(",") == 0 else set(named) == {right}
    )
