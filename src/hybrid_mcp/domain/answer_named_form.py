"""Has an answer the form that a short prompt names: an e-mail address, a date, words joined by hyphens, yes or no?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hybrid_mcp.domain.answer_text import Exchange

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
    (rf"{_GET}\be-?mail address\b(?=.*\S@\w)", r"@|\bat\b.*\bdot\b"),
    (rf"{_GET}\bhashtag\b(?=.*\s#\w)", r"#\w|\bhash"),
    (
        rf"{_GET}\b(?:phone|telephone|flight|zip|account|invoice) (?:number|code)\b(?=.*\d)",
        r"\d",
    ),
    (
        (
            r"\b(?:as|in|into|to|use|using|like|format:?"
            r"|in 24-hour) (?:24-hour )?(?:the )?(?:form(?:at)? )?\(?HH:MM\b(?!:)"
        ),
        r"\d ?[:.h] ?\d\d",
    ),
    (r"\bYYYY-MM-DD\b", r"\d{4}|\d-\d"),
    (rf"\A(?=.*\b\d{{1,2}} {_MONTH}|.*\b{_MONTH} \d{{1,2}}\b).*(?:\b(?:what|which) date\b|\(day and month\))", _DATE),
)
_MADE_FORMS = (
    (rf"{_MAKE}(?:with|by|using) (?:a )?(?:hyphens?|dash(?:es)?)\b", r"[-‐–—−]|^\S+$"),
    (rf"{_MAKE}(?:with|by|using) (?:an )?underscores?\b", r"_"),
    ((rf"{_MAKE}(?:with|by|using) commas?\b|{_MAKE}\bcomma-separated\b|{_MAKE}(?:as|in|to|into|produce"
        rf"|output) CSV\b(?! file| to )"), r",|^\S+$"),
    (rf"{_MAKE}(?:in|with|into) (?:square )?brackets\b|{_MAKE}square brackets\b", r"[\[(]"),
    (rf"{_MAKE}(?:in|with) (?:double |single )?quot(?:es|ation marks)\b", r"[\"'“”‘’«»]"),
    ((rf"{_MAKE}(?:in|to|into|as) (?:lower )?camel ?case\b|^\W{{0,20}}(?:lower )?camel ?case (?:version |form )?(?:of"
        rf"|for)\b"), r"[a-z0-9][A-Z]|^\S+$"),
    ((rf"{_MAKE}(?:in|to|into|as) snake[_ ]?case\b|^\W{{0,20}}snake[_ ]?case (?:version |form )?(?:of"
        rf"|for)\b"), r"_|^\S+$"),
    (rf"{_MAKE}(?:in|to|into|as|using) roman numerals?\b", r"(?-i:\b[IVXLCDM]+\b)|\b[ivxlcdm]+\W*$|[\u2160-\u2188]"),
    (rf"{_MAKE}(?:in|to|into|as) (?:a )?(?:percentage|percent)\b", r"%|percent|per cent|\d"),
    (rf"{_MAKE}(?:in|to|into|as) (?:a )?(?:simple |common |proper )?fraction\b", (r"\d|/|[¼½¾⅓⅔]|half|halves"
        r"|third|quarter|fourth|fifth|sixth|eighth|tenth")),
    (rf"(?=.*\d){_MAKE}(?:in|to|into|as) binary\b", r"[01]"),
    (
        (r"^\W{0,20}(?:please )?(?:reply|answer|respond|give|return|write|say)\b[^.?\n:]*\b(?:only|just) the (?:first"
        r"|last) letter\b(?! of each)"),
        r"\b[b-hj-z]\b|['\"‘“][a-z][.]?['\"’”]|^\W*[a-z]\W*$|\bis:? \W*[ai]\W*$|(?-i:\b[AI]\b)",
    ),
    (
        r"\b(?:reply|answer|respond)\b[^.?\n]*\bwith (?:a|one|a single|one single) digit\b",
        r"(?<![\d.,])\d(?!\d|[.,]\d)|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|none)\b",
    ),
    (rf"{_MAKE}(?:in|to|into|as) (?:numbers|digits|figures|numerals)\b", r"\d"),
)  # fmt: skip


def _compiled(forms: Sequence[tuple[str, str]]) -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple(
        (re.compile(asked, re.IGNORECASE | re.DOTALL), re.compile(form, re.IGNORECASE | re.DOTALL))
        for asked, form in forms
    )


_FOUND, _MADE = _compiled(_FOUND_FORMS), _compiled(_MADE_FORMS)
"""What the prompt says that the answer looks like, and what then is in it."""


def lacks_the_form(given: Exchange) -> bool:
    """Whether the prompt says what the answer looks like, and nothing in it looks so."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if len(prompt) > _LONGEST_PROMPT or len(text) > _LONGEST_ANSWER:
        return False
    wish = prompt.partition(": ")[0] + " " + " ".join(prompt.split("?")[1:])
    if _WANTS_CODE.search(wish) or "```" in text or _NO_NEED.search(text):
        return False
    return any(asked.search(prompt) and not form.search(text) for asked, form in _MADE) or (
        not _NOT_THERE.search(text) and any(asked.search(prompt) and not form.search(text) for asked, form in _FOUND)
    )
