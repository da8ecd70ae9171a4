"""Is an answer none at all: what was sent given back, a chat template's own signs, or a question for a question?"""

from __future__ import annotations

import re

from hybrid_mcp.domain.answer_nothing import new_words
from hybrid_mcp.domain.answer_text import Exchange, mentions
from hybrid_mcp.domain.completion import DEFAULT_SYSTEM_PROMPT

_TOKENS = (
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>",
    "<|begin_of_text|>", "<|assistant|>", "<|user|>", "<|system|>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>",
    "<start_of_turn>", "<end_of_turn>", "<｜end▁of▁sentence｜>",
)  # fmt: skip
_ABOUT_TOKENS = (
    "token|template|chatml|llama|mistral|gemma|prompt format|tuning|fine-tune|im_start|im_end|[inst|<<sys|marker|</s>"
)
_ASKS = re.compile(r"\b(?:what|which|who|where|when|how|or)\b", re.IGNORECASE)
"""Without such a word the same with a full stop may say yes."""
_FEWEST_CHARACTERS = 25
_COMPARED_CHARACTERS = 2_000
_WANTS_ECHO = (
    "repeat|echo|copy|verbatim|as is|as it is|unchanged|proofread|correct|rewrite|rephrase|format|translat"
    "|system prompt|instructions|complete|continue|fill|wiederhol|abschreib|répét|repit|повтор|重复|繰り返"
)
_CLOSED_QUESTION = re.compile(
    r"(?:is|are|was|were|does|did|has|who|when|where|which|how (?:many|much|old|far|long|tall)"
    r"|what (?:is|are|was|year))\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:this|that|these|those|it|its|my|our|we|i|you|your|he|she|they|question|ask|quiz|riddle|joke|rephrase|following|above"
    r"|said|says|title)\b|:|…",
    re.IGNORECASE,
)  # fmt: skip


_TRANSLATION = re.compile(
    r"\btranslat|\b(?:word|phrase|term) for\b|\bhow do you say\b|\bmean in \w+|\bin (?:english|french|german|spanish"
    r"|italian|portuguese|dutch)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"['\"‘“]([^\W\d_][^'\"’”\n]{1,40})['\"’”]")
_THE_SAME = re.compile(r"same|loan|cognate|also|unchanged|borrow", re.IGNORECASE)
_SHORT_ANSWER = 200


def leaks(given: Exchange) -> bool:
    """Whether signs of a chat template stand in the answer's prose, and nothing that was asked is about them."""
    return any(token in given.prose for token in _TOKENS) and not mentions(given.asked, _ABOUT_TOKENS)


def echoes(given: Exchange) -> bool:
    """Whether the answer is the prompt or the system prompt, with hardly a word more."""
    sent = (given.prompt, given.system or DEFAULT_SYSTEM_PROMPT)
    return any(_is_same(given.text, one) for one in sent) and not mentions(given.wish, _WANTS_ECHO)


def _is_same(text: str, sent: str) -> bool:
    size = len(sent)
    if not size or not size * 0.9 <= len(text) <= size * 1.1 + 10:
        return False
    marks = "\"'* .:?" if _ASKS.search(sent[:_COMPARED_CHARACTERS]) else "\"'* .:"
    said, there = (" ".join(one[:_COMPARED_CHARACTERS].casefold().split()).strip(marks) for one in (text, sent))
    if len(there) < _FEWEST_CHARACTERS:
        return False
    if said.startswith(there) and new_words(there, said[len(there) :]):
        return False  # a sentence that the prompt began
    return said.startswith(there) or (len(text) > _COMPARED_CHARACTERS and there.startswith(said))


def asks_back(given: Exchange) -> bool:
    """Whether a closed question that needs no more to know is answered by nothing but a question."""
    prompt, text = given.prompt.strip(), given.text.strip()
    if len(prompt) > 150 or len(text) > 200 or not prompt.endswith("?") or not text.endswith("?"):
        return False
    if _OPEN.search(prompt) or not _CLOSED_QUESTION.match(prompt):
        return False
    return not any(mark in text[:-1] for mark in ".!:\n?")


def keeps_the_word(given: Exchange) -> bool:
    """Whether one quoted word was to be translated, and a short answer quotes nothing but that, as both."""
    asked = _QUOTED.findall(given.prompt) if given.short and len(given.text) <= _SHORT_ANSWER else []
    if len(asked) != 1 or not _TRANSLATION.search(given.wish + given.prompt) or _THE_SAME.search(given.text):
        return False
    if mentions(given.prompt, "how do you say"):
        return False  # a loanword may be said as it is
    quoted = [word.strip(".,!") for word in _QUOTED.findall(given.text)]
    return len(quoted) > 1 and set(quoted) == {asked[0]}
