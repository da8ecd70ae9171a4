"""Is one of the labels that a prompt offers the answer, and does a letter stand before its own choice?"""

from __future__ import annotations

import re

from hybrid_mcp.domain.answer_text import Exchange

_LABELLING = re.compile(
    r"\b(?:classify|categori[sz]e|label|which (?:of (?:these|the following) )?(?:topic|category|class|label|language"
    r"|sentiment|type|kind|genre|group)\b"
    r"|(?:is|are) (?:this|the(?: following)?|['\"‘“]))[^.?!\n]{0,120}?(?P<first>[^,.?!\n]{1,60}?)"
    r"(?P<more>(?:, [^,.?!:\n]{1,30}){0,6}),? or (?P<last>[^,.?!:\n]{1,30}?)(?: \(|[.?!:\n]|$)",
    re.IGNORECASE,
)
_BEFORE_FIRST = re.compile(r".*(?::|\b(?:an?|the|as|either|into|between|it|this))\s+", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the|it)\s+", re.IGNORECASE)
_LABEL = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}")
_TWO_SENTENCES = re.compile(r"(?:[^.!?\n]+(?:[.!?]+|\n+|$)\s*){1,2}")
_WEIGHS = re.compile(
    r"\bnot\b|n't|\b(?:wrong|because|since|while|whereas|unlike|other|rather|instead|than|both|mixed|neither|neutral|none"
    r"|although|though|despite)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r"[\s,\"'*`]*(?:(?:or|and|an?|the)\b[\s\"'*`]*)*")
_UNSURE = re.compile(r"neither|neutral|mixed|none|both|unclear|ambiguous|other|depends|unknown|json", re.IGNORECASE)

_CHOICES = re.compile(r"(?<![^\W_])\(?([A-H])[).:] ?([^\n]{1,80}?)(?=[ ,;]+\(?[A-H][).:] |[.?!] |\n|$)")
_CHOSEN = re.compile(r"(?:\A|\n|[Aa]nswer(?: is)?:? |\bis )[*(]*([A-H])[).:*]{1,3} ?([^\n]{1,80})")


def names_no_label(given: Exchange) -> bool:
    """Whether one of the prompt's labels was to be the answer, and it names none of them, or all of them alike."""
    labels = _labels(given.prompt) if given.short else ()
    if len(labels) < 2 or not given.text.isascii():
        return False
    named = _named(given.said.casefold(), labels)
    if not named:
        return not _UNSURE.search(given.text) and not any(_stem(label) in given.said.casefold() for label in labels)
    said = _TWO_SENTENCES.match(given.prose.strip())
    beginning = "" if said is None else said[0].casefold()
    places = _named(beginning, labels)
    if len(labels) > 2 and len(places) == len(labels) and _are_listed(beginning, places):
        return _named(beginning[max(end for _, end in places.values()) :] + given.said[len(beginning) :], labels) == {}
    return len(places) > 1 and not _WEIGHS.search(given.said)


def _labels(prompt: str) -> tuple[str, ...]:
    """The labels that it offers, in lower case; none where that is not plain."""
    asked = _LABELLING.search(prompt)
    if asked is None:
        return ()
    first = _BEFORE_FIRST.sub("", asked["first"]).strip()
    if first == asked["first"].strip():
        first = first.rpartition(" ")[2]
    labels = [first, *asked["more"].split(",")[1:], asked["last"]]
    plain = tuple(_ARTICLE.sub("", label.strip(" '\"*")).casefold() for label in labels)
    return plain if all(map(_LABEL.fullmatch, plain)) and len(set(plain)) == len(plain) else ()


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
    return all(
        _LISTED.fullmatch(text[end:start]) for (_, end), (start, _) in zip(spans, spans[1:], strict=False)
    )


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
