"""Is one of the labels that a prompt offers the answer, and does a letter stand before its own choice?"""

from __future__ import annotations

import re
from itertools import pairwise

from hybrid_mcp.domain.answer_text import Exchange

_LABELLING = re.compile(
    r"\b(?:classify|categori[sz]e|label|which (?:of (?:these|the following) )?(?:topic|category|class|label|language"
    r"|sentiment|type|kind|genre|group)\b|(?:is|are) (?:(?:this|these|the)\b|['\"‘“]))",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"[.?!\n]")
_LAST_ENDS = re.compile(r" \(|[.?!:,\n]|$")
_LONGEST_HEAD, _LONGEST_LABEL, _MOST_LABELS = 200, 30, 8
_BEFORE_FIRST = re.compile(r".*(?::|\b(?:an?|the|as|either|into|between|it|this))\s+", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the|it)\s+", re.IGNORECASE)
_SHORTEST = 3
_NO_LABELS = {"not", "otherwise", "else", "yes"}
_LABEL = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+|\n+|$)\s*")
_AGAIN = re.compile(r"(?:it|this(?: \w+)?|the \w+) is (?:an? |the )?['\"*]*", re.IGNORECASE)
_WEIGHS = re.compile(
    r"\bnot\b|n't|\b(?:wrong|because|since|while|whereas|unlike|other|rather|instead|than|both|mixed|neither|neutral|none"
    r"|although|though|despite|would|could|might)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r"[\s,\"'*`]*(?:(?:or|and|an?|the)\b[\s\"'*`]*)*")
_UNSURE = re.compile(r"neither|neutral|mixed|none|both|unclear|ambiguous|other|depends|unknown|json", re.IGNORECASE)

_CHOICES = re.compile(r"(?<![^\W_])\(?([A-H])[).:] ?([^\n]{1,80}?)(?=[ ,;]+\(?[A-H][).:] |[.?!] |\n|$)")
_CHOSEN = re.compile(r"(?:\A|\n|[Aa]nswer(?: is)?:? |\bis )[*(]*([A-H])[).:*]{1,3} ?([^\n]{1,80})")


def names_no_label(given: Exchange) -> bool:
    """Whether one of the prompt's labels was to be the answer, and it names none of them, or several alike."""
    labels = _labels(given.prompt) if given.short else ()
    if len(labels) < 2 or not given.text.isascii():
        return False
    named = _named(given.said.casefold(), labels)
    if not named:
        words = {word for label in labels for word in label.split() if len(word) >= _SHORTEST}
        return not _UNSURE.search(given.text) and not any(_stem(word) in given.said.casefold() for word in words)
    return _names_several(given.prose.strip().casefold(), labels) and not _WEIGHS.search(given.said)


def _names_several(said: str, labels: tuple[str, ...]) -> bool:
    first = _SENTENCE.match(said)
    if first is None:
        return False
    places, rest = _named(first[0], labels), said[first.end() :]
    if len(places) == len(labels) > 2 and _are_listed(first[0], places):
        # It may say of all that were offered which one it is.
        return not _named(first[0][max(end for _, end in places.values()) :] + rest, labels)
    again = _AGAIN.match(rest)
    other = again and next((label for label in labels if rest.startswith(label, again.end())), None)
    return len(places) > 1 or (len(places) == 1 and other is not None and other not in places)


def _labels(prompt: str) -> tuple[str, ...]:
    """The labels that it offers, in lower case; none where that is not plain."""
    place = prompt.find(" or ")
    head = _SENTENCE_ENDS.split(prompt[max(0, place - _LONGEST_HEAD) : max(0, place)])[-1]
    asked = _LABELLING.search(head)
    last = _LAST_ENDS.split(prompt[place + 4 : place + 4 + _LONGEST_LABEL + 1], maxsplit=1)[0]
    if asked is None or len(last) > _LONGEST_LABEL:
        return ()
    beginning, *more = head[asked.end() - 1 :].removesuffix(",").split(",")
    before = _BEFORE_FIRST.match(beginning)
    first = beginning[before.end() :].strip() if before else beginning.strip().rpartition(" ")[2]
    labels = [first, *more[: _MOST_LABELS - 2], last]
    plain = tuple(_ARTICLE.sub("", label.strip(" '\"*")).casefold() for label in labels)
    if not all(map(_LABEL.fullmatch, plain)) or len(set(plain)) < len(plain) or _NO_LABELS.intersection(plain):
        return ()
    return plain if min(map(len, plain)) >= _SHORTEST else ()


def _stem(label: str) -> str:
    """`politics` is said by `political`."""
    return label[: max(4, len(label) * 2 // 3)]


def _named(text: str, labels: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Where each label first stands: a longer one ("not spam") hides the shorter one in it."""
    found: dict[str, tuple[int, int]] = {}
    for label in sorted(labels, key=len, reverse=True):
        pattern = re.compile(rf"(?<![\w-]){re.escape(label)}(?![\w-])")
        match = pattern.search(text)
        if match is not None:
            found[label] = match.span()
            text = pattern.sub(lambda one: " " * len(one[0]), text)
    return found


def _are_listed(text: str, places: dict[str, tuple[int, int]]) -> bool:
    """Whether nothing but commas and `or` stands between them."""
    spans = sorted(places.values())
    return all(_LISTED.fullmatch(text[end:start]) for (_, end), (start, _) in pairwise(spans))


def has_another_letter(given: Exchange) -> bool:
    """Whether the letter that it chooses stands before the words of another choice."""
    if not given.short:
        return False
    choices = {letter: said.strip(" .").casefold() for letter, said in _CHOICES.findall(given.prompt)}
    if len(choices) < 3 or sorted(choices) != list("ABCDEFGH"[: len(choices)]):
        return False
    return any(_is_another(letter, said.strip().casefold(), choices) for letter, said in _CHOSEN.findall(given.said))


def _is_another(letter: str, said: str, choices: dict[str, str]) -> bool:
    meant = [one for one, words in choices.items() if re.match(rf"{re.escape(words)}(?![\w.,]\w|\w)", said)]
    return letter in choices and bool(meant) and letter not in meant
