"""Does an answer to `A, B or C?` choose: does it name one of them, and not all of them alike?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from hybrid_mcp.domain.answer_text import Exchange, holds_any

_LONGEST_PROMPT = 600
_LONGEST_ANSWER = 400
_MOST_PLACES = 40

_MARK = "[\\s'\"‘’“”*`(]"
_LEAD = rf"{_MARK}*(?:(?:an?|the|as|to|in|on|into|by|for|is|it) {_MARK}*)?"
_WORD = r"[^\W_](?:[\w'’+#-]{0,30}[^\W_])?"
_PAIR = re.compile(rf"(?<!\w)(?P<one>{_WORD})['\"’”*`)]{{0,2}},? (?:or|/) {_LEAD}(?P<other>{_WORD})", re.IGNORECASE)
_ASKED_PAIR = re.compile(
    rf"(?<!\w)(?P<one>{_WORD})['\"’”)]?,? or {_LEAD}(?P<other>{_WORD})(?P<rest>[^.?!:\n]{{0,60}})(?:[?:\n]|[.!]? *$)"
    rf"|[({{[](?P<left>{_WORD}) ?/ ?(?P<right>{_WORD})[)}}\]]",
    re.IGNORECASE,
)
_QUOTED_PAIR = re.compile(r"['\"]([^'\"\n]{2,40})['\"],? or ['\"]([^'\"\n]{2,40})['\"](?=\W*$)")
_QUOTED_OR = tuple(f"{one}{comma} or {other}" for one in "'\"" for comma in ("", ",") for other in "'\"")
_NO_CHOICE = re.compile(
    r"^\W{0,20}(?:can|could|may|might|does|do|did|will|have|has|is there|are there|how|why|when|where|if|write"
    r"|translate|rewrite"
    r"|rephrase|repeat|complete|continue|correct|fix|proofread|summari[sz]e|quote|read|title|explain|describe|tell me"
    r"|give me|list|define|compare|discuss|imagine|suggest|name|make|give an|give some|create|invent|ask|use"
    r"|draw|show|would you)\b"
    r"|\bmore or less\b|\bor (?:not|so|other|more|less|else|both|any|something|anything|someone|anyone|perhaps|maybe"
    r"|rather)\b"
    r"|\b(?:mean(?:s|t)?|defin\w*|idiom|phrase|expression|saying|any|either|whether|all|each|every|both|available|offers?|open|sells?|accepts?|allow(?:s|ed)?|supports?"
    r"|includes?|contains?|spelled|spelt|pronounced|should|shall|prefer|favou?rite|opinion|would|difference"
    r"|works?|ways?|examples?|says?|shouts?|cr(?:y|ies)|sings?)\b",
    re.IGNORECASE,
)
"""Of these both may be right, or neither may be meant."""
_WEIGHS = re.compile(
    r"\bnot\b|n['’]t\b|\b(?:because|since|while|whereas|unlike|rather|instead|than|either|both|mixed|neither|none|although|though"
    r"|despite|would|could|might|may|can|cannot|but|yet|however|also|if|whether|depend(?:s|ing)?|between|partly|mostly"
    r"|usually|sometimes|unclear|ambiguous|unsure|unknown|know|need|tell|say|please|same|equal(?:ly)?|fine|okay|prefer"
    r"|personal|choice|choose|up to|first|second|third|former|latter|last|no|never|any|every|all|some|who"
    r"|which (?:one|of)|when"
    r"|assum\w*|sure|each|varies|by)\b|\?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|yes|no|true|false)\b", re.IGNORECASE)

_MOST_BEFORE_A_FRAGMENT = 2
"""Words of the first choice."""

_ITEM = r"['\"‘“]?[^\W_][\w'’+#-]{0,30}(?: [\w'’+#-]{1,30}){0,4}['\"’”]?"
_COMMAS = rf"{_ITEM}(?:(?:, | ?[/|] ?){_ITEM}){{1,9}}(?:,? or {_ITEM})?"
_SHOWN = re.compile(
    rf"[({{\[](?P<brackets>{_COMMAS})\??[)}}\]]"
    rf"|\b(?:options|labels|categories|classes|choices|one of|choos(?:e|ing) (?:one )?from|pick from"
    rf"|answer with|reply with)"
    rf"(?: are| these)?: ?(?P<named>{_COMMAS})(?=[.?!\n]|$)"
    rf"|\b(?:choos(?:e|ing)|pick) (?:one )?from (?P<chosen>{_COMMAS})(?=[.?!:\n]|$)",
    re.IGNORECASE,
)
"""Labels that are to be said as they are."""
_SHOWS = ("(", "[", "{", "options", "labels", "categories", "classes", "choices", "one of", "choos", "pick",
          "answer with", "reply with")  # fmt: skip
"""What it is never without."""
_ORDERED_LABEL = re.compile(
    r"\b(?:[Rr]eply|[Oo]utput|[Aa]nswer|[Ss]ay|[Rr]espond|[Rr]eturn|[Ww]rite)(?: with)? ['\"]?([A-Z]{2,20})\b(?!\()"
)
_ORDERS = ("reply", "output", "answer", "say", "respond", "return", "write")
_CODE = re.compile(r"\b(?:code|function|script|program|query|sql|json|python|each|every|list)\b|[{};]", re.IGNORECASE)
_NAME = r"[A-Z][\w'’-]{1,30}(?: [A-Z][\w'’-]{1,30}){0,2}"
_NAMES = re.compile(rf"[,:?] (?P<names>{_NAME}(?:, {_NAME}){{0,6}},? or {_NAME})\?")
_OF_PEOPLE = re.compile(r"\bwh(?:o|om|ose)\b", re.IGNORECASE)
"""They have several names."""
_SORTS = re.compile(
    r"\b(?:classify|categor\w+|label|sentiment|mood|tone|topic|intent|which|what|choose|pick|select|assign|sort|put|tag"
    r"|type|kind|decide|say if|nli|task)\b",
    re.IGNORECASE,
)
_NO_LABELS = re.compile(
    r"\be\.?g\b|\bi\.e|such as|for example|\bincluding\b|\blike\b|\beach\b|\bthese\b|\ball\b|\bscore\b"
    r"|\bnumber\b|\bletter\b"
    r"|\bnothing\b|\bor another\b|\botherwise\b|\bnone\b|\bother\b|\bcode\b|\bfunction\b|\bjson\b|translate"
    r"|\b(?:in|into|as) (?-i:[A-Z])[a-z]+",
    re.IGNORECASE,
)
_ELSE = re.compile(
    r"\bnot\b|n['’]t\b|\bcannot\b|\b(?:none|other|another|together|neither|both|all|either|first|second|third|fourth|fifth|sixth|former|latter|last"
    r"|zero|two|three|four|five|six|seven|eight|nine|ten|middle|unclear|unknown|unsure|depends|sorry|more|same"
    r"|equal|tie)\b|\bone\b(?! of)|\d|\?|(?<![^\W_])[A-Ha-h][).:]",
    re.IGNORECASE,
)
_ALIKE = 4
"""So many first letters make two forms of one word."""
_FEWEST_OF_AN_ECHO = 3
"""Words."""
_LEADING = re.compile(
    rf"(?P<leading>{_ITEM}(?:, {_ITEM}){{0,6}},? or {_ITEM})(?:\?\s+|: ?|\n)(?P<thing>\S[^\n]*(?:\n[^\n]+){{0,3}})"
    rf"|(?P<aspect>[^\n(]{{3,60}}\([^()\n]{{3,80}}\)): ?(?P<material>\S[^\n]*)",
    re.IGNORECASE,
)
_SMALL_WORDS = {"a", "an", "the", "in", "on", "of", "to", "at", "by", "for", "is", "it", "as", "with", "and"}
_WORDS = re.compile(r"[^\W_]+")
_ALL_OF_THEM = re.compile(r"[\s*_]*(?:are|is) all\b", re.IGNORECASE)
_ASKED_FOR_ONE = re.compile(
    r"\b(?:the|an?) (?:one|odd|synonym|antonym|opposite|word|item|number|animal|correct|right|wrong|\w+) (?:of"
    r"|that|out|which)\b"
    r"|\bwhich (?:one )?(?:is|was|of these is|word)\b",
    re.IGNORECASE,
)
_WHICH_OF_SEVERAL = re.compile(
    rf"(?:\b(?:which|what|whom?)\b[^.?!:\n]{{5,200}}"
    rf"|^[^.?!:\n]{{5,200}}): ?(?P<list>{_ITEM}(?:, {_ITEM}){{1,6}},? or {_ITEM})\?",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"\b(?:should|would|could|can|do|you|i|we|best|better|where|how|why)\b", re.IGNORECASE)
_FEWEST_OF_A_SENTENCE = 8
"""Words. A shorter answer may be another word for one of them."""
_ONE_OF_LIST = re.compile(
    rf": ?(?P<list>{_ITEM}(?:, {_ITEM}){{2,9}})\. [^.\n]{{0,40}}\b(?:only|just) the (?:first|second|third"
    rf"|fourth|fifth|last|middle"
    r"|longest|shortest)\b(?! (?:two|three|four|five|letters?|words))",
    re.IGNORECASE,
)
_COLON_LIST = re.compile(rf": ?(?P<list>{_ITEM}(?:, {_ITEM}){{2,9}})(?:,? or {_ITEM})?[.?!]?$", re.IGNORECASE)


def repeats_the_choices(given: Exchange) -> bool:
    """Whether one of two or more was to be chosen, and a short answer only names them again, side by side."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if len(prompt) > _LONGEST_PROMPT or len(text) > _LONGEST_ANSWER:
        return False
    pair = _pair_asked(prompt)
    return (
        _repeats_quoted(prompt, text)
        or _calls_all_right(prompt, text)
        or (pair is not None and _repeats_both(pair, prompt, text))
    )


def _repeats_both(pair: tuple[str, str], prompt: str, text: str) -> bool:
    low = text.casefold()
    at = _place_of(pair, low)
    if at is not None and _is_echo(text, prompt):
        return True
    if at is None or _NUMBER.search(" ".join(pair)):
        return False
    others = low[: at[0]] + " … " + low[at[1] :]
    if any(_has_word(word, others) for word in pair):
        return False
    asked = {word.casefold() for word in _WEIGHS.findall(prompt)}
    return asked.issuperset(word.casefold() for word in _WEIGHS.findall(_sentence(others)))


def _pair_asked(prompt: str) -> tuple[str, str] | None:
    """The two words around the only `or` of its question."""
    found = [*islice(_ASKED_PAIR.finditer(prompt), 2)] if holds_any(prompt.lower(), (" or ", "/")) else []
    if len(found) != 1:
        return None
    start = max(prompt.rfind(mark, 0, found[0].start()) for mark in (". ", "? ", ": ", "\n", "! ")) + 1
    if _NO_CHOICE.search(prompt[start : found[0].end()].strip()) or _NO_CHOICE.match(prompt):
        return None
    first = len(_WORDS.findall(prompt[start : found[0].start()])) <= _MOST_BEFORE_A_FRAGMENT
    if (found[0]["rest"] or "").strip(" '\"’”)") and not first:
        return None  # `a fight or flight response` is one thing
    one, other = (found[0]["one"] or found[0]["left"]), (found[0]["other"] or found[0]["right"])
    return (one.casefold(), other.casefold()) if one.casefold() != other.casefold() else None


def _repeats_quoted(prompt: str, text: str) -> bool:
    """`'for example' or 'that is'`: said once more, and nowhere one of them alone."""
    found = [*_QUOTED_PAIR.finditer(prompt)] if holds_any(prompt, _QUOTED_OR) else []
    if len(found) != 1 or _NO_CHOICE.match(prompt) or _WEIGHS.search(text.replace(found[0][0], " ")):
        return False
    low, pair = text.casefold(), found[0][0].casefold().replace('"', "'")
    return low.replace('"', "'").count(pair) == 1 and all(low.count(one.casefold()) == 1 for one in found[0].groups())


def _place_of(pair: tuple[str, str], low: str) -> tuple[int, int] | None:
    found = zip(range(_MOST_PLACES), _PAIR.finditer(low), strict=False)
    places = [match.span() for _, match in found if (match["one"], match["other"]) == pair]
    return places[0] if len(places) == 1 else None


def _has_word(word: str, low: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", low) is not None


def _sentence(text: str) -> str:
    """The one in which the dots stand."""
    start = max(text.rfind(mark, 0, text.find("…")) for mark in (". ", "\n", "! ")) + 1
    end = text.find(". ", text.find("…"))
    return text[start : end if end >= 0 else len(text)]


def _calls_all_right(prompt: str, text: str) -> bool:
    middle = _ONE_OF_LIST.search(prompt)
    if middle is not None and text.strip(" .!").casefold() == middle["list"].casefold():
        return True
    asked = _COLON_LIST.search(prompt)
    if asked is None or not _ASKED_FOR_ONE.search(prompt[: asked.start()]):
        return False
    wanted, said = asked["list"].casefold(), text.casefold()
    if said.strip(" .!\"'") == wanted:
        return True
    return said.startswith(wanted) and _ALL_OF_THEM.match(said[len(wanted) :]) is not None


def names_no_choice(given: Exchange) -> bool:
    """Whether one of the labels or names that the prompt shows was to be the answer, and none of their words is in it,
    or it is only what was to be labelled."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if len(prompt) > _LONGEST_PROMPT or len(text) > _LONGEST_ANSWER or not text:
        return False
    shown = [*_shown(prompt)]
    if any(_is_echo(text, thing) and not _names_any(options, text) for options, thing in _labelled(prompt, shown)):
        return True
    if not text.isascii() or all(_names_any(options, text) for options in _to_be_named(prompt, text, shown)):
        return False
    return not _ELSE.search(text) and len(_WORDS.findall(text)) >= _FEWEST_OF_AN_ECHO


def _to_be_named(prompt: str, text: str, shown: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    yield from shown
    yield from _ordered(prompt)
    asked = _WHICH_OF_SEVERAL.search(prompt) if ":" in prompt and " or " in prompt.lower() else None
    if asked is None or _NO_LABELS.search(asked[0]) or _ADVICE.search(asked[0]):
        return
    if len(_WORDS.findall(text)) >= _FEWEST_OF_A_SENTENCE:
        yield _parts(asked["list"])


def _labelled(prompt: str, shown: Iterable[Sequence[str]]) -> Iterator[tuple[Sequence[str], str]]:
    """Choices with what stands after them: that is to have one of them."""
    found = _LEADING.fullmatch(prompt) if holds_any(prompt.lower(), (" or ", "(")) else None
    if found is not None and not _NO_LABELS.search(found["leading"] or found["aspect"]):
        if found["leading"]:
            yield _parts(found["leading"]), found["thing"]
        else:
            yield _parts(found["aspect"].partition("(")[2].rstrip(")")), found["material"]
    for options in shown:
        yield options, prompt


def _ordered(prompt: str) -> Iterator[Sequence[str]]:
    """`If it is even, reply BLUE, otherwise reply RED`."""
    labels = {one.casefold() for one in _ORDERED_LABEL.findall(prompt)} if holds_any(prompt.lower(), _ORDERS) else ()
    if len(labels) > 1 and not _CODE.search(prompt):
        yield [*labels]


def _shown(prompt: str) -> Iterator[Sequence[str]]:
    low = prompt.lower()
    found = _SHOWN.search(prompt) if holds_any(low, _SHOWS) else None
    if found is not None and _SORTS.search(prompt):
        options = _parts(found["brackets"] or found["named"] or found["chosen"])
        outside = prompt[: found.start()]
        if len(options) > 2 and not _NO_LABELS.search(outside) and not _NO_LABELS.search(found[0]):
            yield options
    names = _NAMES.search(prompt) if " or " in low and "?" in low else None
    if names is not None and not _NO_CHOICE.match(prompt) and not _OF_PEOPLE.search(prompt):
        yield _parts(names["names"])


def _parts(options: str) -> Sequence[str]:
    parts = re.split(r",? or |, | ?[/|] ?", options, flags=re.IGNORECASE)
    return [part.strip(" '\"‘’“”?.").casefold() for part in parts]


def _names_any(options: Sequence[str], text: str) -> bool:
    said = [word[:_ALIKE] for word in _WORDS.findall(text.casefold())]
    return any(word[:_ALIKE] in said for option in options for word in _telling(option))


def _telling(option: str) -> Sequence[str]:
    """Its words, without articles and the like where there are others."""
    words = _WORDS.findall(option)
    return [word for word in words if word not in _SMALL_WORDS] or words


def _is_echo(text: str, thing: str) -> bool:
    said, held = (" ".join(_WORDS.findall(one.casefold())) for one in (text, thing))
    return len(said.split()) >= _FEWEST_OF_AN_ECHO and f" {said} " in f" {held} "
