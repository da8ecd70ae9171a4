"""Has an answer the form that a short prompt names: an e-mail address, a date, words joined by hyphens, yes or no?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_mcp.domain.answer_text import Exchange, holds_any

_LONGEST_PROMPT = 500
_LONGEST_ANSWER = 1_000

_NOT_THERE = re.compile(r"\bno(?:t|ne|thing)?\b|n['’]t\b|\bmissing\b|\bunknown\b|\bunclear\b", re.IGNORECASE)
_NO_NEED = re.compile(
    r"\balready\b|\bcannot\b|\bcan['’]t\b|\bsorry\b|\binvalid\b|\bimpossible\b|\bonly one\b", re.IGNORECASE
)
_WANTS_CODE = re.compile(
    r"\b(?:function|code|regex|regular expression|pattern|python|java(?:script)?|sql|excel|script|parse|formula"
    r"|strftime"
    r"|library|how (?:do|can|to|would|should)|explain|describe|why|when|who|where|mask|redact|remove|without"
    r"|validate|program"
    r"|difference|called|mean(?:s|ing)?|define|definition|is it|should|example|examples|history|if|unless|may|or)\b",
    re.IGNORECASE,
)
"""Where the form is spoken of, or another one would do too."""
_GET = (
    r"^\W{0,20}(?:please )?(?:extract|find|get|return|give|pull out|pick out|tell me)(?: me)? (?:the |only |just )*"
    r"(?:(?!of|in|for|from|with)\w+['’]?\w* ){0,2}"
)
_MAKE = (
    r"^\W{0,20}(?:please |now |can you )?(?:write|put|convert|turn|change|join|connect|separate|wrap|enclose"
    r"|surround|add|make|give"
    r"|return|output|print|show|say|express|format|rewrite|produce|create|list|type|render|spell)\b[^\n:?.]*\b"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = (
    r"\d{1,4} ?[./-] ?\d|\d ?(?:st|nd|rd|th)\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|today"
    r"|tomorrow|yesterday"
    r"|christmas|easter|new year|halloween|birthday|\w+day\b)"
)
_FOUND_FORMS = (
    ("mail address", rf"{_GET}\be-?mail address\b(?=.*\S@\w)", r"@|\bat\b.*\bdot\b"),
    ("hashtag", rf"{_GET}\bhashtag\b(?=.*\s#\w)", r"#\w|\bhash"),
    (
        "number|code",
        rf"{_GET}\b(?:phone|telephone|flight|zip|account|invoice) (?:number|code)\b(?=.*\d)",
        r"\d",
    ),
    (
        "hh:mm",
        (
            r"\b(?:as|in|into|to|use|using|like|format:?"
            r"|in 24-hour) (?:24-hour )?(?:the )?(?:form(?:at)? )?\(?HH:MM\b(?!:)"
        ),
        r"\d ?[:.h] ?\d\d",
    ),
    ("yyyy-mm-dd", r"\bYYYY-MM-DD\b", r"\d{4}|\d-\d"),
    (
        "what date|which date|(day and month)",
        rf"\A(?=.*\b\d{{1,2}} {_MONTH}|.*\b{_MONTH} \d{{1,2}}\b).*(?:\b(?:what|which) date\b|\(day and month\))",
        _DATE,
    ),
)
_MADE_FORMS = (
    ("hyphen|dash", rf"{_MAKE}(?:with|by|using) (?:a )?(?:hyphens?|dash(?:es)?)\b", r"[-‐–—−]|^\S+$"),
    ("underscore", rf"{_MAKE}(?:with|by|using) (?:an )?underscores?\b", r"_"),
    (
        "comma|csv",
        (
            rf"{_MAKE}(?:with|by|using) commas?\b|{_MAKE}\bcomma-separated\b|{_MAKE}(?:as|in|to|into|produce"
            rf"|output) CSV\b(?! file| to )"
        ),
        r",|^\S+$",
    ),
    ("brackets", rf"{_MAKE}(?:in|with|into) (?:square )?brackets\b|{_MAKE}square brackets\b", r"[\[(]"),
    ("quot", rf"{_MAKE}(?:in|with) (?:double |single )?quot(?:es|ation marks)\b", r"[\"'“”‘’«»]"),
    (
        "camel",
        (
            rf"{_MAKE}(?:in|to|into|as) (?:lower )?camel ?case\b"
            r"|^\W{0,20}(?:lower )?camel ?case (?:version |form )?(?:of|for)\b"
        ),
        r"[a-z0-9][A-Z]|^\S+$",
    ),
    (
        "snake",
        (
            rf"{_MAKE}(?:in|to|into|as) snake[_ ]?case\b"
            r"|^\W{0,20}snake[_ ]?case (?:version |form )?(?:of|for)\b"
        ),
        r"_|^\S+$",
    ),
    (
        "roman",
        rf"{_MAKE}(?:in|to|into|as|using) roman numerals?\b",
        r"(?-i:\b[IVXLCDM]+\b)|\b[ivxlcdm]+\W*$|[\u2160-\u2188]",
    ),
    ("percent", rf"{_MAKE}(?:in|to|into|as) (?:a )?(?:percentage|percent)\b", r"%|percent|per cent|\d"),
    (
        "fraction",
        rf"{_MAKE}(?:in|to|into|as) (?:a )?(?:simple |common |proper )?fraction\b",
        r"\d|/|[¼½¾⅓⅔]|half|halves|third|quarter|fourth|fifth|sixth|eighth|tenth",
    ),
    ("binary", rf"(?=.*\d){_MAKE}(?:in|to|into|as) binary\b", r"[01]"),
    (
        "letter",
        (
            r"^\W{0,20}(?:please )?(?:reply|answer|respond|give|return|write|say)\b[^.?\n:]*\b(?:only|just) the"
            r" (?:first|last) letter\b(?! of each)"
        ),
        r"\b[b-hj-z]\b|['\"‘“][a-z][.]?['\"’”]|^\W*[a-z]\W*$|\bis:? \W*[ai]\W*$|(?-i:\b[AI]\b)",
    ),
    (
        "digit",
        r"\b(?:reply|answer|respond)\b[^.?\n]*\bwith (?:a|one|a single|one single) digit\b",
        r"(?<![\d.,])\d(?!\d|[.,]\d)|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|none)\b",
    ),
    ("numbers|digits|figures|numerals", rf"{_MAKE}(?:in|to|into|as) (?:numbers|digits|figures|numerals)\b", r"\d"),
)


@dataclass(frozen=True, slots=True)
class _Form:
    """`cues`: words without which none asks for it. `asked`: how it is asked for. `form`: what then is in an answer."""

    cues: tuple[str, ...]
    asked: re.Pattern[str]
    form: re.Pattern[str]


def _compiled(forms: Sequence[tuple[str, str, str]]) -> tuple[_Form, ...]:
    flags = re.IGNORECASE | re.DOTALL
    return tuple(
        _Form(tuple(cues.split("|")), re.compile(asked, flags), re.compile(form, flags)) for cues, asked, form in forms
    )


_FOUND, _MADE = _compiled(_FOUND_FORMS), _compiled(_MADE_FORMS)


def lacks_the_form(given: Exchange) -> bool:
    """Whether the prompt says what the answer looks like, and nothing in it looks so."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if len(prompt) > _LONGEST_PROMPT or len(text) > _LONGEST_ANSWER:
        return False
    made, found = (any(_lacks(form, given.low, prompt, text) for form in forms) for forms in (_MADE, _FOUND))
    if not made and (not found or _NOT_THERE.search(text)):
        return False
    wish = prompt.partition(": ")[0] + " " + " ".join(prompt.split("?")[1:])
    return not (_WANTS_CODE.search(wish) or "```" in text or _NO_NEED.search(text))


def _lacks(one: _Form, low: str, prompt: str, text: str) -> bool:
    return holds_any(low, one.cues) and one.asked.search(prompt) is not None and one.form.search(text) is None
