"""Numbers in an answer that contradict the prompt's own sum, or the answer's own."""

from __future__ import annotations

import re
from fractions import Fraction

from hybrid_mcp.domain.answer_text import Exchange, holds_any, mentions
from hybrid_mcp.domain.answer_values import GROUPING, MOST_NUMBERS, NUMBER, NUMBERS, plain, readings
from hybrid_mcp.domain.arithmetic import MOST_CHARACTERS, worked_out

_LONGEST_QUESTION = 200
_DIGIT = re.compile(r"\d")
_ASKED_SUM = re.compile(
    r"(?:please |can you |could you )?(?:what(?:'s|’s| is)|calculate|compute|evaluate|work out|solve"
    r"|how much is)?[: ]{0,3}"
    r"(?P<sum>[-(]{0,3}\d[\d\s.+*/^()×·÷−–-]{1,100})(?P<rest>[^\d]{0,100})",
    re.IGNORECASE,
)
_ASKED_SHARE = re.compile(
    rf"(?:please )?(?:what(?:'s|’s| is)|calculate|compute|find)? ?(?P<share>{NUMBER}) ?(?:%|percent|per cent) of "
    rf"[$€£]?(?P<whole>{NUMBER})(?P<rest>[^\d]{{0,100}})",
    re.IGNORECASE,
)
_IN_WORDS = (
    ("multiplied|times|x", re.compile(r"(?<=\d) (?:multiplied by|times|x) (?=\d)", re.IGNORECASE), " * "),
    ("divided", re.compile(r"(?<=\d) divided by (?=\d)", re.IGNORECASE), " / "),
    ("plus|added", re.compile(r"(?<=\d) (?:plus|added to) (?=\d)", re.IGNORECASE), " + "),
    ("minus", re.compile(r"(?<=\d) minus (?=\d)", re.IGNORECASE), " - "),
)
"""Each after words, of which one is in it."""
_AS_AN_ORDER = (
    ("add", re.compile(rf"^(?:please )?add ({NUMBER}) (?:and|to) ({NUMBER})", re.IGNORECASE), r"\1 + \2"),
    ("subtract", re.compile(rf"^(?:please )?subtract ({NUMBER}) from ({NUMBER})", re.IGNORECASE), r"\2 - \1"),
    (
        "multiply",
        re.compile(rf"^(?:please )?multiply ({NUMBER}) (?:and|by|with) ({NUMBER})", re.IGNORECASE),
        r"\1 * \2",
    ),
    ("divide", re.compile(rf"^(?:please )?divide ({NUMBER}) by ({NUMBER})", re.IGNORECASE), r"\1 / \2"),
)
_ASKED_ONE = re.compile(
    r"(?:please )?(?:what(?:'s|’s| is) |calculate |compute |find |how much is )?"
    rf"(?:half of (?P<half>{NUMBER})|(?:twice|double) (?P<twice>{NUMBER})|(?P<square>{NUMBER}) squared"
    rf"|(?P<cube>{NUMBER}) cubed)(?P<rest>[^\d]{{0,100}})",
    re.IGNORECASE,
)
"""With nothing before or after: which of two operations comes first would not be plain."""
_ASKED_REST = re.compile(
    r"(?:what(?:'s|’s| is) |find |calculate |compute )?the remainder (?:when|of|if) (?P<whole>\d{1,12})"
    r" (?:is )?divided by (?P<part>\d{1,12})(?P<rest>[^\d]{0,100})",
    re.IGNORECASE,
)
_IN_LETTERS = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)\b",
    re.IGNORECASE,
)
_PLAIN_REST = re.compile(
    r"[\s=?.!,:;]*(?:(?:equals?|is|answer|respond|reply|give|return|show|just|only|with|the|and|in|your|me|a|an|as|final"
    r"|result|number|work|steps|step|by|explain|please|nothing|else|thanks|think|carefully|value"
    r"|digits only)\b[\s=?.!,:;-]*)*",
    re.IGNORECASE,
)
_OTHER_FORMS = re.compile(
    r"10 ?[\^*\u2070\u00b9\u00b2\u00b3\u2074-\u2079]|\de[+-]?\d|[bmr]illion|thousand|hundred", re.IGNORECASE
)
_VAGUE = re.compile(r"remainder|\brest\b|\bR ?\d|\be[+-]?\d|10\s?[\^*]|\\frac|\d\s?/\s?\d|approx|≈", re.IGNORECASE)

_OPERATOR = r"[+*×·⋅÷/]|(?<=\s)[-−](?=\s)|\\times|\\cdot|\\div|x(?=[\s\d])"
_OWN_SUM = re.compile(
    rf"(?<![\d.,$€£])(?P<left>[$€£]?{NUMBER})\s{{0,2}}(?P<sign>{_OPERATOR})\s{{0,2}}(?P<right>[$€£]?{NUMBER})"
    rf"\s{{0,2}}=\s{{0,2}}(?P<result>[$€£]?[-−]?{NUMBER})"
)
_UNIT = r"[a-z]{2,12}"
_OWN_PRODUCT = re.compile(
    rf"(?<![\d.,$€£])(?P<left>{NUMBER})(?: (?P<one>{_UNIT}))? (?P<sign>[*×x]|\\times) (?P<right>{NUMBER})"
    rf"(?: (?P<other>{_UNIT}))? = (?P<result>{NUMBER}) (?P<unit>{_UNIT})\b"
)
"""With a unit at a factor and the same one at the product: then none was turned into another."""
_NAMES_OF_MULTIPLES = (
    "dozen dozens hundred hundreds thousand thousands million millions billion percent per pair pairs half halves third"
    " thirds quarter quarters fourths fifth fifths tenth tenths score gross couple"
)
_MULTIPLES = frozenset(_NAMES_OF_MULTIPLES.split())
_OPENING = re.compile(
    r"(?:^[ \t]*(?:[-*•][ \t]+|\d{1,2}[.)][ \t]+)?|(?P<word>[^\W\d_]{3,20}|[Ss]o|is)[ \t]+|[:.=][ \t]+)"
    r"(?:\*\*|\${1,2}|\\[(\[])?[ \t]?\Z"
)
"""What may stand before a sum that stands for itself: the start of a line or sentence, a word, an equals sign."""
_PART_OF_MORE = {"log", "sqrt", "sin", "cos", "tan", "times", "plus", "minus", "mod", "over", "half", "twice"}
_MORE_AFTER = re.compile(
    r"[ \t]{0,2}(?:[-+*×·⋅÷/−^%!(:\\°]|\.\d|,\d)|[\w]|[ \t]{1,2}(?:r|R|rem|mod|x|thousand|million)\b"
)
_OTHER_SUMS = (
    "modul| mod |binary|octal|hexa|base | bit|xor|clock|wrong|incorrect|mistake|false|error|not equal|instead|field"
    "|orwell|string|concat|riddle|puzzle|joke|pattern|guess|suppose|trick|paradox|floor|integer division|round|approx"
    "|significant|≠"
)
_SUM_GIVEN = re.compile(r"\d\s{0,2}[-+*×x÷/−^]\s{0,2}\d{1,15}\s{0,2}=")
_MOST_SUMS = 40


def misses_the_sum(given: Exchange) -> bool:
    """Whether the prompt is a sum, and the answer gives numbers of which none is its value."""
    value = _value_asked(given.prompt.strip())
    numbers = [] if value is None else NUMBERS.findall(given.said)
    if (
        value is None
        or len(numbers) > MOST_NUMBERS
        or _OTHER_FORMS.search(given.prose)
        or (value.denominator != 1 and _VAGUE.search(given.prose))
    ):
        return False
    numbers += NUMBERS.findall(GROUPING.sub("", given.said))
    known = set(NUMBERS.findall(given.prompt))
    if not numbers or (known.issuperset(numbers) and _IN_LETTERS.search(given.prose)):
        return False
    return len(numbers) <= MOST_NUMBERS and not any(_may_be(number, abs(value)) for number in numbers)


def _value_asked(prompt: str) -> Fraction | None:
    if len(prompt) > _LONGEST_QUESTION or not _DIGIT.search(prompt):
        return None
    share = _ASKED_SHARE.fullmatch(prompt)
    if share is not None and _PLAIN_REST.fullmatch(share["rest"]):
        part, whole = plain(share["share"]), plain(share["whole"])
        return None if part is None or whole is None else part * whole / 100
    over = _ASKED_REST.fullmatch(prompt)
    if over is not None and int(over["part"]) and _PLAIN_REST.fullmatch(over["rest"]):
        return Fraction(int(over["whole"]) % int(over["part"]))
    one = _ASKED_ONE.fullmatch(prompt)
    if one is not None and _PLAIN_REST.fullmatch(one["rest"]):
        return _of_one(one)
    low = prompt.lower()
    for cues, words, sign in (*_AS_AN_ORDER, *_IN_WORDS):
        if holds_any(low, cues.split("|")):
            prompt = words.sub(sign, prompt)
    asked = _ASKED_SUM.fullmatch(prompt)
    if asked is None or len(asked["sum"]) > MOST_CHARACTERS or not _PLAIN_REST.fullmatch(asked["rest"]):
        return None
    text = asked["sum"].strip().rstrip(".")
    return worked_out(text) if re.search(r"[+*/^×·÷−–-]\s*[\d(]", text[1:]) and _has_no_date(text) else None


def _of_one(asked: re.Match[str]) -> Fraction | None:
    kind = next(name for name in ("half", "twice", "square", "cube") if asked[name])
    number = plain(asked[kind])
    if number is None:
        return None
    return {"half": number / 2, "twice": number * 2, "square": number**2, "cube": number**3}[kind]


def _has_no_date(text: str) -> bool:
    """`2024-01-15`, `555-1234` and `24/7` are no sums; a fraction alone is none that anyone asks for."""
    return re.fullmatch(r"[\d./–-]+", text) is None


def _may_be(number: str, value: Fraction) -> bool:
    """Whether the number is the value, or the value rounded to as many decimals as it has."""
    return any(abs(read - value) < Fraction(1, 10**decimals) if value.denominator != 1 else read == value
               for read, decimals in readings(number))  # fmt: skip


def contradicts_itself(given: Exchange) -> bool:
    """Whether the answer holds a plain sum like `12 * 4 = 46` that is wrong."""
    if "=" not in given.prose:
        return False
    found = zip(range(_MOST_SUMS), _OWN_SUM.finditer(given.prose), strict=False)
    products = zip(range(_MOST_SUMS), _OWN_PRODUCT.finditer(given.prose), strict=False)
    if not (
        any(_is_wrong(match, given.prose) for _, match in found)
        or any(
            match["unit"] in {match["one"], match["other"]} and _is_wrong(match, given.prose) for _, match in products
        )
    ):
        return False
    return not (
        mentions(given.asked, _OTHER_SUMS) or mentions(given.prose, _OTHER_SUMS) or _SUM_GIVEN.search(given.asked)
    )


def _is_wrong(match: re.Match[str], text: str) -> bool:
    before, after = text[max(0, match.start() - 30) : match.start()], text[match.end() : match.end() + 12]
    opening = _OPENING.search(before.rpartition("\n")[2])
    if opening is None or opening["word"] in _PART_OF_MORE or _MORE_AFTER.match(after):
        return False
    if _MULTIPLES.intersection(match[0].split()):
        return False
    left, right, result = (plain(match[name].strip("$€£")) for name in ("left", "right", "result"))
    if left is None or right is None or result is None:
        return False
    return not _agrees(left, match["sign"], right, result, match["result"])


def _agrees(left: Fraction, sign: str, right: Fraction, result: Fraction, written: str) -> bool:
    match sign:
        case "+":
            value = left + right
        case "-" | "−":
            value = left - right
        case "/" | "÷" | "\\div":
            if not right:
                return True
            value = left / right
        case _:
            value = left * right
    if value.denominator == 1 and left.denominator == right.denominator == 1:
        return abs(value) == abs(result)
    decimals = len(written.partition(".")[2])
    return abs(abs(value) - abs(result)) <= Fraction(1, 10**decimals)
