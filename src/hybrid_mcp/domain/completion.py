"""The request that comes in and the completion that goes out."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.json_schema import words_in
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.tokens import NOTHING, Extent, extent

Quality = Literal["auto", "low", "high"]
Effort = Literal["low", "medium", "high"]
Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "refusal", "other"]

MAX_REQUEST_BYTES = 4_000_000
"""UTF-8 bytes of prompt, context and system prompt together: about a million tokens, more than any model reads."""
MAX_OUTPUT_TOKENS = 200_000
MAX_DEADLINE_S = 3_600.0
MAX_NAME_CHARACTERS = 200
"""Names stand in the ledger and in logs, so they must not carry a text."""
MAX_TEMPERATURE = 2.0
MAX_STOPS = 4
"""As many stop sequences as every API takes, of at most `MAX_STOP_CHARACTERS` each."""
MAX_STOP_CHARACTERS = 100
MAX_SCHEMA_BYTES = 32_000
MAX_ASSERTIONS_BYTES = 100_000

HALF_PAIR_MARK = "\ufdd0"
"""Stands for half a UTF-16 pair where a transport had to replace it: a noncharacter (Unicode 23.7) is in no text."""

DEFAULT_SYSTEM_PROMPT = "You are a helpful assistant. Answer correctly and briefly."
REFUSED = "the model refused"
FINAL_ANSWER = "Final answer"
STEP_BY_STEP = (
    f"Think step by step first. Then write a line that begins with `{FINAL_ANSWER}:`, and after it the answer alone."
)
AS_JSON = "Answer with one JSON value that matches this JSON schema, and with nothing else:"


@dataclass(frozen=True, slots=True)
class Message:
    """`reusable`: so many characters at the beginning may well come again in the next calls."""

    role: Role
    content: str
    reusable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One sub-task, checked.

    `response_schema`: the JSON schema of the wanted answer, as JSON text; empty for plain text. `temperature`: None for
    what this project sends by itself, which is 0 where there is one. `assertions`: Python statements that hold for the
    code in a good answer; no model is told of them.

    Raises:
        InvalidRequest: empty, over a limit, not text, or contradictory. The message names the limit.
    """

    prompt: str
    context: str = ""
    system_prompt: str = ""
    task_type: str | None = None
    quality: Quality = "auto"
    force_local: bool = False
    force_cloud: bool = False
    confidential: bool = False
    preferred_model: str | None = None
    max_cost: Usd | None = None
    max_output_tokens: int = 1024
    deadline_s: float = 50.0
    dry_run: bool = False
    response_schema: str = ""
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    reasoning_effort: Effort | None = None
    assertions: str = ""
    size_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise InvalidRequest("prompt is empty: give the task in `prompt` (the material may go into `context`)")
        size = sum(_checked_size(name, text) for name, text in (*self.texts(), ("assertions", self.assertions)))
        if size > MAX_REQUEST_BYTES:
            raise InvalidRequest(
                f"the request has {size:,} bytes; the limit for prompt, context and system prompt together is "
                f"{MAX_REQUEST_BYTES:,}: send less context, or split the task"
            )
        object.__setattr__(self, "size_bytes", size)
        for name, value in (("task_type", self.task_type), ("preferred_model", self.preferred_model)):
            if value is not None and (len(value) > MAX_NAME_CHARACTERS or not value.isprintable()):
                raise InvalidRequest(f"{name} must be a name of at most {MAX_NAME_CHARACTERS} printable characters")
        if self.force_local and self.force_cloud:
            raise InvalidRequest("force_local and force_cloud exclude each other: set one of them")
        if not 1 <= self.max_output_tokens <= MAX_OUTPUT_TOKENS:
            raise InvalidRequest(f"max_output_tokens must be from 1 to {MAX_OUTPUT_TOKENS:,}")
        if not 0 < self.deadline_s <= MAX_DEADLINE_S:
            raise InvalidRequest(f"deadline_s must be above 0 and at most {MAX_DEADLINE_S:g} seconds")
        _check_wishes(self)

    def texts(self) -> tuple[tuple[str, str], ...]:
        """All that can carry content, by argument name: names too, for they are sent and written down."""
        texts = (("prompt", self.prompt), ("context", self.context), ("system_prompt", self.system_prompt))
        schema = self.response_schema
        shape = (
            ("response_schema", schema), ("words of response_schema", words_in(schema)), ("stop", "\n".join(self.stop)),
        )  # fmt: skip
        names = (("task_type", self.task_type), ("preferred_model", self.preferred_model))
        return (
            *texts,
            *((name, value) for name, value in shape if value),
            *((name, value) for name, value in names if value is not None),
        )

    @property
    def is_repeatable(self) -> bool:
        """Whether the same request asks for the same answer: a temperature asks for another one each time."""
        return not self.temperature

    @property
    def forces(self) -> bool:
        """Whether the caller took the choice of model out of the router's hands."""
        return self.force_local or self.force_cloud or self.preferred_model is not None

    def messages(self, *, step_by_step: bool = False) -> tuple[Message, ...]:
        """The chat to send: always a system prompt of our own, because templates' defaults harm small models."""
        system = self.system_prompt or DEFAULT_SYSTEM_PROMPT
        if self.response_schema:
            system = f"{system}\n{AS_JSON}\n{self.response_schema}"
        elif step_by_step:
            system = f"{system}\n{STEP_BY_STEP}"
        user = f"{self.context}\n\n{self.prompt}" if self.context else self.prompt
        return (Message("system", system), Message("user", user, reusable=len(self.context)))

    def fingerprint(self, scope: str = "") -> str:
        """SHA-256 over everything that can change the answer; `scope` adds the caller's own (profile, settings)."""
        parts = [
            scope, self.prompt, self.context, self.system_prompt, self.task_type, self.quality, self.force_local,
            self.force_cloud, self.confidential, self.preferred_model,
            None if self.max_cost is None else self.max_cost.nanos, self.max_output_tokens, self.response_schema,
            self.temperature, self.stop, self.reasoning_effort, self.assertions,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts as the provider reported them; cached and reasoning tokens are parts of the first two.

    `billed`: what the provider says it charged, where it says so. `surcharge_percent`: what comes on top of the list
    price, because of where or how the answer was made.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    billed: Usd | None = None
    surcharge_percent: int = 0

    def and_then(self, later: Usage) -> Usage:
        """With a later report of the same answer: of each number the larger one, whichever came last."""
        bills = [one for one in (self.billed, later.billed) if one is not None]
        return Usage(
            input_tokens=max(self.input_tokens, later.input_tokens),
            output_tokens=max(self.output_tokens, later.output_tokens),
            cached_tokens=max(self.cached_tokens, later.cached_tokens),
            cache_write_tokens=max(self.cache_write_tokens, later.cache_write_tokens),
            reasoning_tokens=max(self.reasoning_tokens, later.reasoning_tokens),
            billed=max(bills, default=None),
            surcharge_percent=max(self.surcharge_percent, later.surcharge_percent),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One model's answer.

    `reasoning`: what the model wrote before the answer to come to it, where it is no part of the text but was shown.
    `usage` is None where the provider reported none. `streamed`: all that was streamed, also thinking, tool calls and
    further choices, which are no part of the text; nothing where it was not counted. `confidence`: how sure
    the model was (`domain.confidence`), None where its provider tells no probabilities.
    """

    text: str
    finish: Finish
    usage: Usage | None
    confidence: float | None = None
    streamed: Extent = NOTHING
    reasoning: str = ""

    @property
    def written(self) -> Extent:
        """All that the model is known to have written."""
        return self.streamed if self.streamed.bytes else extent(self.text)


def largest_bytes(texts: Iterable[str]) -> int:
    """UTF-8 bytes of the texts in the longest form that a tokenizer may bring them into before it counts.

    Byte-level tokenizers make no more tokens than bytes, but some normalise the text first (Qwen's to NFC, by default
    SentencePiece's to NFKC), and one character may become eighteen by that (U+FDFA).
    """
    return sum(_largest(text) for text in texts)


def _largest(text: str) -> int:
    if text.isascii():
        return len(text)
    # Character by character is never less than the whole, and stays fast where a text was made to be slow.
    return sum(count * _largest_of(character) for character, count in Counter(text).items())


def _largest_of(character: str) -> int:
    forms = (character, unicodedata.normalize("NFC", character), unicodedata.normalize("NFKC", character))
    return max(len(form.encode()) for form in forms)


def _checked_size(name: str, text: str) -> int:
    if "\x00" in text:
        raise InvalidRequest(f"{name} holds a NUL character, which no model can read: send text without it")
    try:
        half = text.find(HALF_PAIR_MARK)
        size = len(text.encode())
    except UnicodeEncodeError as error:
        half, size = error.start, 0
    if half >= 0:
        raise InvalidRequest(
            f"{name} holds half a UTF-16 pair (a lone surrogate) at character {half}: send whole characters"
        )
    return size


def _check_wishes(request: Request) -> None:
    temperature = request.temperature
    if temperature is not None and not 0 <= temperature <= MAX_TEMPERATURE:
        raise InvalidRequest(f"temperature must be from 0 to {MAX_TEMPERATURE:g}; leave it out for the usual 0")
    if len(request.stop) > MAX_STOPS or not all(0 < len(text) <= MAX_STOP_CHARACTERS for text in request.stop):
        raise InvalidRequest(
            f"stop takes at most {MAX_STOPS} sequences of 1 to {MAX_STOP_CHARACTERS} characters: send fewer or shorter "
            "ones"
        )
    if len(request.response_schema.encode()) > MAX_SCHEMA_BYTES:
        raise InvalidRequest(
            f"response_schema has more than {MAX_SCHEMA_BYTES:,} bytes: send a smaller schema, or describe the shape "
            "in `prompt`"
        )
    if len(request.assertions.encode()) > MAX_ASSERTIONS_BYTES:
        raise InvalidRequest(f"assertions has more than {MAX_ASSERTIONS_BYTES:,} bytes: give fewer of them")
    if request.assertions and request.response_schema:
        raise InvalidRequest("assertions are run on Python code, and response_schema asks for JSON: give one of them")
