"""Is one of the labels that a prompt offers the answer, and does a letter stand before its own choice?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from hybrid_mcp.domain.answer_text import Exchange, holds_any

_ASPECT = r"(?:sentiment|tone|mood|emotion|topic|category|language|genre|class|type|label)"
_NOUN = (
    r"(?:ticket|message|review|text|e-?mail|sentence|tweet|comment|word|post|headline|title|statement|article|feedback"
    r"|request|issue)"
)
_ONE = rf"(?:this|the)(?: following)? {_NOUN}"
_LABEL = r"[a-z]{3,20}(?:[ -][a-z]{2,20}){0,2}"
_LABELS = rf"{_LABEL}(?:, ?{_LABEL}){{0,6}},? or {_LABEL}"
_ARTICLE = r"(?:an?|the) "
_WITH_ARTICLES = rf"{_ARTICLE}{_LABEL}(?:, ?{_ARTICLE}{_LABEL}){{1,6}},? or {_ARTICLE}{_LABEL}"
_QUOTED = r"['\"‘“].{1,600}['\"’”]"
_PLAIN = rf"(?:{_NOUN}: )?\S.{{0,600}}"
_PERHAPS_WITH_ARTICLES = _WITH_ARTICLES.replace(_ARTICLE, f"(?:{_ARTICLE})?").replace("{1,6}", "{0,6}")
_ORDER = (
    rf"(?:please )?(?:classify|categori[sz]e|label)(?: {_ONE}| the {_ASPECT}(?: of {_ONE})?| this)?"
    rf" (?:as|into) (?:either )?(?P<labels>{_LABELS})[.:]\s{{0,3}}(?P<thing>{_PLAIN})"
)
_WHICH = (
    rf"which {_ASPECT} (?:best )?(?:fits|is (?:this|it)(?: {_NOUN})?|matches|applies)(?: best)?[:,] "
    rf"(?P<labels>{_LABELS})\?\s{{1,3}}(?P<thing>{_QUOTED})"
)
_IS_NOUN = rf"is (?:this|the following) {_NOUN} (?P<labels>{_PERHAPS_WITH_ARTICLES})\?\s{{1,3}}(?P<thing>{_QUOTED})"
_IS_THIS = rf"is this (?P<labels>{_WITH_ARTICLES})\?\s{{1,3}}(?P<thing>{_QUOTED})"
_IS_WORD = rf"is (?P<thing>['\"‘“][^'\"\n]{{1,60}}['\"’”]) (?P<labels>{_WITH_ARTICLES})\?"
_LABELLING = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in (_ORDER, _WHICH, _IS_NOUN, _IS_THIS, _IS_WORD)
)
"""The whole prompt: one thing that is to have one of a few labels."""
_SEPARATOR = re.compile(rf"(?:,? or |, ?)(?:{_ARTICLE})?", re.IGNORECASE)
_NO_LABELS = re.compile(r"\b(?:not|otherwise|else|yes|and|then|but|with|for|only|other|neither|both|none)\b")
_ANOTHER_FORM = re.compile(
    r"\b(?:answer|reply|respond|return|output|write|print|use|each|these|those|every|all|both|list)\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+|\n+|$)\s*")
_AGAIN = re.compile(r"(?:it|this(?: \w+)?|the \w+) is (?:an? |the )?['\"*]*", re.IGNORECASE)
_WEIGHS = re.compile(
    r"\bnot\b|n['’]t|\b(?:wrong|because|since|while|whereas|unlike|other|rather|instead|than|all|both|mixed|either|neither"
    r"|neutral|none|although|though|despite|would|could|might|may|can|but|yet|however|also|if|depends|between|partly"
    r"|mostly|usually|sometimes|somewhat|unclear|ambiguous|unsure)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r"[\s,/\"'*`]*(?:(?:or|and|an?|the)\b[\s\"'*`]*)*")
_OR = re.compile(r"\bor\b")
_WORDS = re.compile(r"[^\W_]+")
_MOST_CHARACTERS = 1_000
_FEWEST_OF_A_PART = 4
"""Words. Fewer may be a quote that tells the label."""

_CHOICES = re.compile(r"(?<![^\W_])\(?([A-H])[).:] ?([^\n]{1,80}?)(?=[ ,;]{1,3}\(?[A-H][).:] |[.?!] |\n|$)")
_THIRDS = ("C)", "C.", "C:")
_CHOSEN = re.compile(r"(?:\A|\n|[Aa]nswer(?: is)?:? |\bis )[*(]*([A-H])[).:*]{1,3} ?([^\n]{1,80})")
_CHOOSES = re.compile(r"\b(?:which|what|who|where|when|pick|choose|select|correct|answer)\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"\b(?:shuffle|re-?order|rename|re-?write|re-?label|swap|arrange|order|sort|rank|match|replace|change|move|assign|mix"
    r"|each|every|number (?:the|these|them)|steps|list|all|rotate|reverse|randomi[sz]e|translate|edit|improve|fix)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Offered:
    """`labels`, in lower case, of which one is to be said of `thing`."""

    labels: tuple[str, ...]
    thing: str


def names_no_label(given: Exchange) -> bool:
    """Whether one of the prompt's labels was to be the answer, and it names several alike, or none but repeats what was
    to be labelled.

    Another word for a label may be as good as the label.
    """
    offered = _offered(given.prompt.strip()) if given.short and len(given.text) <= _MOST_CHARACTERS else None
    if offered is None:
        return False
    said = given.prose.strip().casefold()
    if not _named(said, offered.labels):
        return _is_echo(said, offered.thing)
    return _names_several(said, offered.labels) and not _WEIGHS.search(_without(said, offered.labels))


def _offered(prompt: str) -> _Offered | None:
    """None where that is not plain, or the thing itself names a label."""
    for pattern in _LABELLING:
        found = pattern.fullmatch(prompt)
        if found is None:
            continue
        thing = found["thing"].casefold()
        labels = tuple(part.strip() for part in _SEPARATOR.split(_without_article(found["labels"].casefold())))
        if any(_NO_LABELS.search(label) and not _negates(label, labels) for label in labels):
            return None
        if len(set(labels)) < len(labels) or _ANOTHER_FORM.search(prompt.replace(found["thing"], " ")):
            return None
        if not thing.startswith(("'", '"', "‘", "“")) and _ANOTHER_FORM.search(thing):
            return None
        return None if _named(thing, labels) else _Offered(labels, thing)
    return None


def _without_article(labels: str) -> str:
    return re.sub(rf"^{_ARTICLE}", "", labels)


def _negates(label: str, labels: tuple[str, ...]) -> bool:
    """`not spam` beside `spam`."""
    return label.removeprefix("not ") in labels and label.startswith("not ")


def _is_echo(said: str, thing: str) -> bool:
    """Whether it is what was to be labelled, or a part of it of some length."""
    words, held = _WORDS.findall(said), _WORDS.findall(thing)
    if words == held:
        return len(words) > 1
    return len(words) >= _FEWEST_OF_A_PART and f" {' '.join(words)} " in f" {' '.join(held)} "


def _names_several(said: str, labels: tuple[str, ...]) -> bool:
    first = _SENTENCE.match(said)
    if first is None:
        return False
    places, rest = _named(first[0], labels), said[first.end() :]
    if len(places) > 1:
        # It may say of all that were offered which one it is, or why it cannot be told.
        start, end = min(start for start, _ in places.values()), max(end for _, end in places.values())
        listed = _are_listed(first[0], places) and (len(places) > 2 or _OR.search(first[0][start:end]) is not None)
        return listed and not _WORDS.search(first[0][end:] + rest)
    again = _AGAIN.match(rest)
    other = rest[again.end() :].rstrip(" .!'\"*") if again else ""
    return len(places) == 1 and other in labels and other not in places


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


def _without(text: str, labels: tuple[str, ...]) -> str:
    for label in sorted(labels, key=len, reverse=True):
        text = text.replace(label, " ")
    return text


def _are_listed(text: str, places: dict[str, tuple[int, int]]) -> bool:
    """Whether nothing but commas and `or` stands between them."""
    spans = sorted(places.values())
    return all(_LISTED.fullmatch(text[end:start]) for (_, end), (start, _) in pairwise(spans))


def has_another_letter(given: Exchange) -> bool:
    """Whether the letter that it chooses stands before the words of another choice."""
    if not given.short or not holds_any(given.prompt, _THIRDS):
        return False
    if not _CHOOSES.search(given.prompt) or _CHANGES.search(given.prompt):
        return False
    choices = {letter: said.strip(" .").casefold() for letter, said in _CHOICES.findall(given.prompt)}
    if len(choices) < 3 or sorted(choices) != list("ABCDEFGH"[: len(choices)]):
        return False
    return any(_is_another(letter, said.strip().casefold(), choices) for letter, said in _CHOSEN.findall(given.said))


def _is_another(letter: str, said: str, choices: dict[str, str]) -> bool:
    meant = [
        one for one, words in choices.items() if re.match(rf"{re.escape(words)}[\s*\"']*(?:[.!;:(](?!\w)|$)", said)
    ]
    return letter in choices and bool(meant) and letter not in meant
