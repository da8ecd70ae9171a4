"""Does an answer hold a thing of the kind that was asked for: a number, a value, one of a few?"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hybrid_mcp.domain.answer_nothing import words_of
from hybrid_mcp.domain.answer_text import Exchange, holds_any

_LONGEST_PROMPT = 500
_LONGEST_ANSWER = 500
_FEWEST_WORDS = 4
"""A shorter answer may be a word of another language, or one that stands for a number."""
_ENGLISH_WORDS = "the a an of is are was were in to and that it this for"
_ENGLISH = frozenset(_ENGLISH_WORDS.split())

_NUMBER = re.compile(
    r"\d|\b(?:zero|one|ones|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?|hundreds?|thousands?|\w{1,8}illions?|dozens?|half|halves|quarters?"
    r"|thirds?|fourths?|fifths?|tenths?|once|twice|thrice|double[sd]?|triple[sd]?|twofold|first|second|third|fourth|fifth"
    r"|sixth|seventh|eighth|ninth|tenth|pairs?|couple|both|noughts?|nil|solo|duo|trio|quartet|quintet|sextet|septet|octet|(?-i:[IVXLCDM]{2,}))\b"
    r"|\b(?:an?|the (?:whole|entire|same)) (?:\w+ )?(?:second|minute|hour|day|night|week|fortnight|month|year"
    r"|decade|century|millennium"
    r"|mile|metre|meter|yard|foot|inch|kilo\w*|ton|tonne|pound|ounce|gram|litre|liter|pint|gallon|cup|spoon\w*|euro|dollar"
    r"|cent|penny|lot)\b",
    re.IGNORECASE,
)
_HAS_DIGIT = re.compile(r"\d")
_OF_ITS_OWN = re.compile(
    r"\b(?:double[sd]?|triple[sd]?|half|halves|quarters?|thirds?|first|second|third|both|pairs?)\b", re.IGNORECASE
)
"""Of those one that the prompt names too tells no number, unless a part is asked for."""
_ASKS_PART = re.compile(
    r"\bhow much\b|\bfraction|\bpart\b|\bshare\b|\bpercent|\bhow many of\b|\bproportion", re.IGNORECASE
)
_ROMAN = re.compile(r"\b[IVXLCDM]{2,}\b")
_NO_ROMAN = re.compile(
    r"\b(?:ordinary|arabic|normal|decimal) (?:number|digits?|numerals?)|\bin digits\b", re.IGNORECASE
)
_MAY_MEAN_ONE = re.compile(r"\b(?:single|sole|only|just|alone|each|per|all|every|whole|score|gross)\b", re.IGNORECASE)
_MOST_FOR_ONE = 16
"""Words, of which one of those may tell how many."""
_NO_NUMBER_NEEDED = re.compile(
    r"\bno(?:t|ne|thing|body|where|r)?\b|\bnever\b|n['’]t\b|\bcannot\b|\bwithout\b|\bzero\b|\bfree\b|\bdepend\w*|\bvar(?:y|ies|ied"
    r"|ious|iable)\b|\bmany\b|\bmultiple\b|\bseveral\b|\bfew(?:er)?\b|\bnumerous\b|\bcountless\b|\binfinite\w*|\bunlimited\b"
    r"|\binnumerable\b|\bunknown\b|\bunclear\b|\bas \w+ as\b|\bthan\b|\benough\b|\buntil\b|\btoo\b|\bsame\b"
    r"|\bequal(?:ly)?\b"
    r"|\bsorry\b|\bmissing\b|\bundefined\b|\bimpossible\b|\bnan\b|\bempty\b|\btrick\b|\briddle\b|\bsilent\b|\bforever\b"
    r"|\bthe (?:same )?year (?:of|when|that|in which|before|after)\b"
    r"|\bstill\b|\bongoing\b|\bgoing on\b|\bcurrent(?:ly)?\b|\btoday\b|\bpresent\b|\bnow\b|\byet\b|\bclose\b"
    r"|\bnear(?:by)?\b"
    r"|\bshort\b|\baway\b|\bnumber of\b|\bsong\b|\btitle\b|\bjoke\b|\bas [a-z]\b"
    r"|\b[a-z]{2,12}(?<!un)less\b|\bleft\b[^.]{0,80}\bright\b"
    r"|\bimmediately\b|\binstant\w*|\bneed more\b|\bmore information\b|\bhow (?:many|much|long|far)\b[^?]*\?",
    re.IGNORECASE,
)
_IS_LIST = re.compile(r"[^,]+,[^,]+(?:,| and | or )|\n\s*(?:[-*•]|\w[.)])|\band\b[^.]*\band\b|[`{}=\[\]|<>#$€£();*]")
"""Who names them all has told how many; a formula or code may hold it too."""

_HOW_MANY = (
    r"(?:how (?:many|old|tall|high|heavy|deep|fast|wide|far|long)|how much (?:does|do|did|is|was) [^?]{1,60}weigh"
    r"|(?:what|which) (?:number|percentage|percent|fraction|year|temperature|age)\b|at (?:what|which) temperature)"
)
_ASKS_NUMBER = re.compile(
    rf"(?:^|[.?!:;,\n–-]\s{{0,3}}|\b(?:in|at|on|of|for|by|within|after|to|is|are|has|have|equals?|takes?|cover\w*|to|from|with"
    rf"|contains?|consists? of|lasts?|and|so|then|exactly|about|roughly|approximately|into) )(?P<ask>{_HOW_MANY})"
    r"|^(?:number of|average (?:of|speed)|sum of|square root of|percentage of)\b"
    r"|[-–:,] ?(?:the )?number of (?:them|these|\w+)\??$|\b(?:average speed|in (?:km/h|mph|kwh|degrees|total))\??$"
    r"|\d[^?\n]*= ?(?:[a-z]+ ){0,2}\?\s*$|\bday \d+\b[^?]*\bon (?:which|what) day\b"
    r"|\bwhole number\b|\bas (?:a|an ordinary) (?:percentage|number|decimal)\??$|\bsquare root of \d+\??$",
    re.IGNORECASE,
)
_OF_NUMBERS = ("how ", "number", "percent", "average", "root", "=", "year", "fraction", "temperature", "age", "total",
               "decimal", "sum", "km/h", "mph", "kwh", "degrees", "day")  # fmt: skip
_VAGUE = re.compile(
    r"\b(?:i|my|me|we|our|us|you|your|should|shall|would|could|can|may|might|must|need|recommend\w*|usually|often|typical\w*"
    r"|best|good|ideal|enough|too|estimate|guess|opinion|think|any|if|whether|explain|describe|why|write|function|code"
    r"|formula|script|query|command|sql|excel|python|regex|rewrite|rephrase|translate|summari[sz]e|repeat|complete|essay"
    r"|story|poem|film|movie|novel|book|game|series|fiction\w*|character|list|name|discuss|compare|so many|ever"
    r"|universe|heaven|soul|god|phone|order|model|serial|card"
    r"|account|tracking|reference|version|future|will)\b|\bhow (?:do|does|did|to)\b|how long ago|as many|as much|…",
    re.IGNORECASE,
)
"""Where there may be no one right number, or none that anybody could tell."""

_OF_SOMETHING = re.compile(r"\b(?:it|he|she|his|her)\b", re.IGNORECASE)
"""Of what was not sent, where the prompt holds no number either."""

_FEW: Mapping[str, str] = {
    r"continents?": "africa|asia|europe|america|antarctic|australia|oceania|eurasia|gondwana|pangaea|zealandia",
    r"months?": "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|apr|aug"
    "|sept|oct|nov|dec|ramadan|nisan|tishri|shawwal|muharram|leap|brumaire|thermidor",
    r"(?:week)?days?(?: of the week)?": "monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend|weekday|today"
    "|tomorrow|yesterday|christmas|easter|new year|halloween|eve|epiphany|pentecost|sabbath|ascension|advent|carnival"
    "|shrove|valentine|patrick|holiday|festival|bastille|solstice|equinox|mon|tue|wed|thu|fri|sat|sun"
    "|day of|day after|day before|day when|day that|day on",
    r"planets?": "mercury|venus|earth|mars|jupiter|saturn|uranus|neptune|pluto",
    r"oceans?": "atlantic|pacific|indian|arctic|southern|antarctic",
    r"seasons?": "spring|summer|autumn|fall|winter|wet|dry|rainy|monsoon|hurricane",
    r"chess piece|piece in chess": "king|queen|rook|castle|bishop|knight|pawn|horse|elephant",
}
"""Kinds of which there are only a few, each with words of which one is in every answer that names one."""
_OF_FEW = ("continent", "month", "day", "planet", "ocean", "season", "chess")
_ASKS_ONE_OF_FEW = tuple(
    (
        re.compile(
            rf"(?:^|[,.?!:;\n] ?|\b(?:in|on|of|to|with|from|at|around|is|for) )(?:which|what) (?:{kind})"
            r" (?:is|are|was|were|does|do|did|has|have|had|follows?|comes?|came|lies?|borders?|starts?|begins?"
            r"|ends?|can"
            rf"|will|only|contains?|rotates?|orbits?|on\b|in\b|closest|nearest|hosts?|holds?)\b"
            rf"|(?:in|on|with|to|from|at|around) (?:which|what) (?:{kind})\??$",
            re.IGNORECASE,
        ),
        re.compile(rf"\b(?:{members})", re.IGNORECASE),
    )
    for kind, members in _FEW.items()
)
_OTHER_ANSWER = re.compile(
    r"\bno(?:t|ne|thing|body|where|r)?\b|\bnever\b|n['’]t\b|\bcannot\b|\bneither\b|\ball\b|\bboth\b|\bevery\b|\beach\b|\bany\b"
    r"|\bdepend\w*|\bvar(?:y|ies)\b|\bunknown\b|\bsame\b|\bfirst\b|\bsecond\b|\bthird\b|\bfourth\b|\bfifth\b|\bsixth\b|\bseventh\b"
    r"|\blast\b|\d|\?|\bsorry\b|\bexoplanet\w*|\bdwarf\b",
    re.IGNORECASE,
)


_NEW_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'’-]+")


def lacks_the_number(given: Exchange) -> bool:
    """Whether a plain question for a number is answered by English prose that holds none, in digits or words."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if not holds_any(given.low, _OF_NUMBERS) or not _is_prose(prompt, text) or _HAS_DIGIT.search(text):
        return False
    if not _ASKS_NUMBER.search(given.wish.strip()) or _VAGUE.search(given.wish):
        return False
    if _OF_SOMETHING.search(prompt) and not any(char.isdecimal() for char in prompt):
        return False
    if _MAY_MEAN_ONE.search(text) and len(words_of(text)) <= _MOST_FOR_ONE:
        return False
    if _NO_ROMAN.search(prompt):
        text = _ROMAN.sub(" ", text)
    if not _ASKS_PART.search(prompt):
        named = {word.casefold() for word in _OF_ITS_OWN.findall(prompt)}
        text = _OF_ITS_OWN.sub(lambda found: " " if found[0].casefold() in named else found[0], text)
    return not (_NUMBER.search(text) or _NO_NUMBER_NEEDED.search(text) or _IS_LIST.search(text))


_FORMULA = re.compile(
    r"\b(?:count|sum|avg|average|min|max|round|len|mod|abs|int|median|product|countif|sumif|counta)\s?\(", re.IGNORECASE
)
_SHOWS = re.compile(
    r"\bwhat (?:does|do|will|is|number)\b[^\n]*\b(?:show|display|return|give|result|value|output|print"
    r"|evaluate to|yield)s?\b"
    r"(?![^\n]*\bor\b)",
    re.IGNORECASE,
)
_CELL = re.compile(r"\b[A-Za-z]{1,3}\$?\d{1,5}\b|`[^`\n]*`")
_CALL = re.compile(r"=?[A-Za-z]{2,12}\s?\([^()\n]{0,80}\)")
_TEXT = re.compile(r"\"[^\"\n]{0,200}\"|“[^“”\n]{0,200}”|(?<!\w)'[^'\n]{0,200}'")
"""Of which what is worked out may be one."""
_NO_VALUE = re.compile(
    r"\berror\b|\bnull\b|\bno(?:t|ne|thing)?\b|n['’]t\b|\bempty\b|\bblank\b|[#]|\bdepends\b|\btext\b"
    r"|\bstring\b|\binfinity\b|\bnan\b",
    re.IGNORECASE,
)


def lacks_the_value(given: Exchange) -> bool:
    """Whether a formula or query that comes to a number was to be worked out of the numbers in the prompt, and the
    answer holds none."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if "(" not in given.low or not _FORMULA.search(prompt) or not _SHOWS.search(prompt) or not _is_prose(prompt, text):
        return False
    if _TEXT.search(prompt) or not any(char.isdecimal() for char in _CELL.sub(" ", _CALL.sub(" ", prompt))):
        return False
    said = _CELL.sub(" ", text)
    return not (_NUMBER.search(said) or _NO_VALUE.search(said) or "\n" in text)


def names_none_of_few(given: Exchange) -> bool:
    """Whether one of a few known things was asked for, as a month or a planet, and none of them is in the answer."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if not holds_any(given.low, _OF_FEW) or not holds_any(given.low, ("which ", "what ")):
        return False
    if not _is_prose(prompt, text) or _HAS_DIGIT.search(text) or _VAGUE.search(given.wish):
        return False
    if any(name not in prompt for name in _NEW_NAME.findall(text)):
        return False
    return any(
        asked.search(given.wish.strip()) and not members.search(text) and not _OTHER_ANSWER.search(text)
        for asked, members in _ASKS_ONE_OF_FEW
    )


def _is_prose(prompt: str, text: str) -> bool:
    """Whether the prompt is short, and the answer short and plainly English."""
    if len(prompt) > _LONGEST_PROMPT or len(text) > _LONGEST_ANSWER or not text.isascii() or text.endswith("?"):
        return False
    words = words_of(text)
    return len(words) >= _FEWEST_WORDS and sum(word in _ENGLISH for word in words) > 1
