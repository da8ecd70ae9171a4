"""Does an answer say what the code in a short prompt prints, where the prompt asks for little else?"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hybrid_mcp.domain import small_python
from hybrid_mcp.domain.answer_text import Exchange, blocks, mentions, without_code

_MOST_PRINTED = 200
_MOST_SAID = 1_500
"""Characters of an answer. What needs more is not looked at."""
_LONGEST_QUESTION = 300
_FENCED = re.compile(r"^ {0,3}```[^\n]*\n.*?^ {0,3}```[ \t]*$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]{1,300})`")
_AFTER_QUESTION = re.compile(r"(?P<ask>[^:?\n]{5,150}[:?])[ \t]*\n*(?P<code>[^?].*)", re.DOTALL)
_WITHIN = re.compile(
    r"(?P<before>.{0,60}?\b(?:does|will|would|of|is) )(?P<code>(?!the |this )\S.{0,200}\))"
    r"(?P<after>(?: [\w ]{2,60})?[ ?.!]{0,3})"
)
_CALL = re.compile(r"[a-zA-Z_]\w*\([^()\n`]{0,60}\)")
_STEMS = "print|output|display|show|produce|return|evaluat|result"
_ASKS = re.compile(
    r"\b(?:print(?:s|ed)?|outputs?|outputted|displays?|displayed|shown?|produces?|returns?|returned|evaluates?|results?"
    r"|return value)\b"
)
_OF_PRINTING = re.compile(r"print|output|display|show|produce")
_PLAIN_WORDS = (
    "what whats what's does do will would is are be gets get the this that these following above below python python3"
    " code program script snippet piece of function expression statement line lines block call called print prints"
    " printed printing output outputs outputted return returns returned evaluate evaluates evaluated to in result"
    " results when if run ran executed execute running executing calling it by from please tell me just only answer"
    " with reply respond give and nothing else exact exactly display displays displayed produce produces show shows"
    " shown final console stdout terminal screen interpreter consider given look at question predict determine think"
    " step carefully here out on after short small brief briefly simple s"
)
_PHRASES = re.compile(
    r"\breturn value\b|\bpython 3\b|\ba (?:small|short|simple|piece)\b|\bi run\b|\byou run\b"
    r"|\bthe (?:printed |final )?value (?:returned|printed)\b"
    r"|\bvalue of (?:the |this |the following )?(?:python )?expression\b"
)
_LANGUAGES = frozenset({"", "python", "py", "python3"})
_OTHER_FORMS = re.compile(
    r"(?![0-9])\d|10 ?\^|10 ?\*\*|\d[eE][+-]?\d|\u00d7 ?10|\\times 10|illion|thousand|hundred", re.IGNORECASE
)

_TOKEN = re.compile(r"(?:(?<![^\s(\[{`'\"=*:,])[-\u2212])?\d+(?:\.\d+)?(?![0-9A-Za-z])|[0-9A-Za-z]+|[^\W_\x00-\x7f]+")
_GROUPING = re.compile(r"(?<=\d)(?:[,_ '\u00a0\u202f]|\{,\}|\\,)(?=\d{3}(?!\d))")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_DIGITS = re.compile(r"\d{4}|\d\.\d|-\d")
"""What another reading of the answer may find: a thousand or more, decimals, a sign."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DIGITS_ALONE = re.compile(r"(?<![a-zA-Z_\d])\d+(?:\.\d+)?")
_BETWEEN = frozenset({"and", "then", "newline", "followed", "by", "line", "is", "equals"})
"""What may stand between two words of one line, as single letters may: `x is 2, y is 1`."""
_MOST_BETWEEN = 3
"""And as many other words that are no numbers: `the quotient 3 and the remainder 1`."""
_NAMES_OF_SIGNS = (
    "empty|asterisk|star|dash|hyphen|hash|equal|dot|period|blank|underscore|pipe|plus|minus|tilde|slash|percent|dollar"
    "|caret|comma|colon|exclamation|question mark|ampersand|bracket|brace|paren|quote|backtick|vertical bar|symbol|sign"
    "|character|line"
)
_IN_PLAIN_WORDS = re.compile(
    r"\b(?:through|times|twice|thrice|each|all|every|both|repeated|multiples?|pairs?|triangle|pattern|rows?|descending|ascending"
    r"|counts|counting|between|up to|down to|reversed?|backwards?|(?:upper|lower)[ -]?case|capitals?|capitalized)\b"
    r"|\bfrom \S{1,20} (?:down |up )?to\b|\b\d+ (?:to|\u2013|-) \d|\.\.\.|\u2026",
    re.IGNORECASE,
)
"""What tells an output of several words without writing it: `the numbers 0 through 4`."""
_NEGATIVE = frozenset({"minus", "negative"})
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_IN_WORDS = {word: str(number) for number, word in enumerate(_UNITS.split())}
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * number for number, word in enumerate(_DECADES.split(), 2)}
_MOST_NODES = 150
"""Of a program, the outer ones first: more than a short one has."""
_OF_SEVERAL = re.compile(r"\w\W+\w")
_OPENING = re.compile(r"return |\w+ = ")
_EXPRESSIONS = (ast.BinOp, ast.Call, ast.List, ast.Tuple, ast.Dict, ast.Subscript, ast.Compare)
_CASES = re.compile(r"upper|lower|title|capitalize|swapcase")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A program, and whether it is what it prints that was asked for, or else the value of its last line."""

    code: str
    prints: bool


def misses_the_output(given: Exchange) -> bool:
    """Whether the prompt asks for little but what its Python code prints or returns, and the answer nowhere says it."""
    if not given.short or len(given.text) > _MOST_SAID or not given.text.strip():
        return False
    asked = _asked(given.prompt.strip()) if mentions(given.prompt, _STEMS) else None
    wanted = None if asked is None else _wanted(asked)
    if asked is None or wanted is None or (_OTHER_FORMS.search(given.said) and re.search(r"\d", wanted)):
        return False
    if not _NUMBER.fullmatch(wanted) and _IN_PLAIN_WORDS.search(without_code(given.said)):
        return False
    return not _says(_without_echo(given.said, asked.code, wanted), wanted, cased=bool(_CASES.search(asked.code)))


def _asked(prompt: str) -> _Asked | None:
    if "```" in prompt:
        if prompt.count("```") != 2:
            return None
        fenced = _FENCED.findall(prompt)
        found = blocks(prompt)
        plain = len(fenced) == len(found) == 1 and found[0].language in _LANGUAGES
        question = _FENCED.sub(" ", prompt)
        return _with_call(question, found[0].code, bool(found[0].language)) if plain else None
    inline = _INLINE.findall(prompt)
    if inline:
        return _of(_INLINE.sub(" ", prompt), inline[0]) if len(inline) == 1 else None
    return _unmarked(prompt)


def _with_call(question: str, code: str, is_python: bool) -> _Asked | None:
    """A block, or what a call of its function returns."""
    calls = _INLINE.findall(question) or _CALL.findall(question)
    if not calls:
        return _of(question, code, is_python=is_python)
    if len(calls) > 1 or calls[0] in code or not _CALL.fullmatch(calls[0]) or not code.lstrip().startswith("def "):
        return None
    return _of(question.replace(calls[0], " ").replace("`", " "), f"{code}\n{calls[0]}", is_python=is_python)


def _unmarked(prompt: str) -> _Asked | None:
    """After the question, or within it where it ends in a bracket."""
    after = _AFTER_QUESTION.fullmatch(prompt)
    if after is not None:
        return _of(after["ask"], after["code"])
    within = _WITHIN.fullmatch(prompt)
    return None if within is None else _of(f"{within['before']} {within['after']}", within["code"])


def _of(question: str, code: str, *, is_python: bool = False) -> _Asked | None:
    """None where the question asks for more, or may be about another language."""
    low = _PHRASES.sub(" return ", question.lower().replace("\u2019", "'"))
    words = re.findall(r"[^\W_][^\W_']*(?:'s)?", low)
    if len(question) > _LONGEST_QUESTION or not set(words) <= set(_PLAIN_WORDS.split()) or not _ASKS.search(low):
        return None
    if low.count("?") > 1 or not (is_python or "python" in low or "print(" in code or code.lstrip().startswith("def ")):
        return None
    return _Asked(code.strip("\n"), prints=bool(_OF_PRINTING.search(low)))


def _wanted(asked: _Asked) -> str | None:
    """The text to look for; None where it is not known, or nothing to speak of."""
    ran = small_python.ran(asked.code)
    if ran is None:
        return None
    is_expression = "\n" not in asked.code and ran.value is not None
    text = ran.printed
    if not ran.printed and ran.value is not None and (is_expression or not asked.prints):
        text = ran.value
    elif not asked.prints and ran.value is not None:
        return None  # it prints, and has a value: either may be meant
    return text.strip() if text.strip() and len(text) <= _MOST_PRINTED else None


def _without_echo(said: str, code: str, wanted: str) -> str:
    """The answer without what it repeats of the code, unless that is part of the very thing to be said."""
    for part in sorted(set(_parts(code)), key=len, reverse=True):
        if _flat(_OPENING.sub("", part)) not in _flat(wanted) and not _has_its_numbers(part, wanted):
            said = _without(_without(said, part), part.replace(", ", ","))
    return said


def _has_its_numbers(part: str, wanted: str) -> bool:
    """Whether it holds the same numbers in the same order, so that saying them says it."""
    numbers = _DIGITS_ALONE.findall(wanted)
    return bool(numbers) and _DIGITS_ALONE.findall(part) == numbers


def _without(said: str, part: str) -> str:
    at = said.find(part)
    while at >= 0:
        before, after = said[at - 1 : at], said[at + len(part) : at + len(part) + 1]
        if not (before.isalnum() and part[0].isalnum()) and not (after.isalnum() and part[-1].isalnum()):
            said = f"{said[:at]} \u2026 {said[at + len(part) :]}"
        at = said.find(part, at + 1)
    return said


def _parts(code: str) -> Iterator[str]:
    """Its lines, and every expression within them that is more than a name or a number."""
    lines = code.split("\n")
    yield from (line.strip() for line in lines if _OF_SEVERAL.search(line))
    for node in itertools.islice(ast.walk(ast.parse(code)), _MOST_NODES):
        if isinstance(node, _EXPRESSIONS) and node.lineno == node.end_lineno:
            line = lines[node.lineno - 1].encode()
            part = line[node.col_offset : node.end_col_offset].decode()
            if _OF_SEVERAL.search(part):
                yield part


def _flat(text: str) -> str:
    return re.sub(r"[\s'\"]", "", text)


def _says(said: str, wanted: str, *, cased: bool) -> bool:
    if _holds(said, wanted, cased=cased):
        return True
    readings = {_GROUPING.sub("", said), _DECIMAL_COMMA.sub(".", said), said.replace("\u2013", "-")} - {said}
    return bool(_DIGITS.search(wanted)) and any(_holds(reading, wanted, cased=cased) for reading in readings)


def _holds(said: str, wanted: str, *, cased: bool) -> bool:
    """Whether all lines stand in it, in their order, each as whole words."""
    tokens, at = _tokens(said, cased=cased), 0
    for line in wanted.split("\n"):
        looked_for = _tokens(line, cased=cased)
        if not looked_for:
            if _flat(line) not in _flat(said) and not mentions(said, _NAMES_OF_SIGNS):
                return False
            continue
        end = _end_of(looked_for, tokens, at)
        if end is None:
            return False
        at = end
    return True


def _tokens(text: str, *, cased: bool) -> list[str]:
    """Words and numbers, numbers in one form whether in digits or in letters."""
    found: list[str] = []
    tens = 0
    for match in _TOKEN.finditer(text.replace("\\n", " ").replace("\\t", " ")):
        token = match[0].replace("\u2212", "-")
        low = token.lower()
        if tens and 0 < int(_IN_WORDS.get(low, 0)) < 10:
            found[-1] = str(tens + int(_IN_WORDS[low]))
        else:
            found.append(_IN_WORDS.get(low) or str(_TENS.get(low, "")) or _plain(token, cased=cased))
        tens = _TENS.get(low, 0)
    return found


def _plain(token: str, *, cased: bool) -> str:
    if _NUMBER.fullmatch(token):
        return token.rstrip("0").rstrip(".") if "." in token else token
    return token if cased and token not in {"True", "False", "None"} else token.lower()


def _end_of(wanted: Sequence[str], tokens: Sequence[str], start: int) -> int | None:
    """Where the first of the places ends at which they follow each other, with a few words allowed between."""
    first = wanted[0]
    of_many_forms = first[0] == "-" or "." in first
    for at in range(start, len(tokens)):
        end = _end_at(wanted, tokens, at) if tokens[at] == first or of_many_forms else None
        if end is not None:
            return end
    return None


def _end_at(wanted: Sequence[str], tokens: Sequence[str], at: int) -> int | None:
    for place, token in enumerate(wanted):
        others = 0
        while place and at < len(tokens) and tokens[at] != token and others <= _MOST_BETWEEN:
            others += not _may_be_between(tokens[at])
            if _NUMBER.fullmatch(tokens[at]) or others > _MOST_BETWEEN:
                return None
            at += 1
        if at >= len(tokens) or not _is_same(token, tokens, at):
            return None
        at += 1
    return at


def _may_be_between(token: str) -> bool:
    return token in _BETWEEN or (len(token) == 1 and token.isalpha())


def _is_same(wanted: str, tokens: Sequence[str], at: int) -> bool:
    said = tokens[at]
    if said == wanted or (wanted == f"-{said}" and at and tokens[at - 1] in _NEGATIVE):
        return True
    if "." not in wanted or not _NUMBER.fullmatch(wanted) or not _NUMBER.fullmatch(said):
        return False
    decimals = len(said.partition(".")[2])
    return decimals > 0 and abs(float(said) - float(wanted)) < 10**-decimals
