"""Reads what llama.cpp streams for one chat completion."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from hybrid_mcp.domain.completion import Completion, Finish, Usage
from hybrid_mcp.domain.confidence import confidence_of
from hybrid_mcp.domain.errors import ContextTooLong, HybridError, ProviderRejected, ProviderUnavailable
from hybrid_mcp.ports import Progress
from hybrid_mcp.providers.streaming import believable, count

_FINISH: dict[str, Finish] = {"stop": "stop", "length": "length"}


class _Token(TypedDict):
    logprob: float


class _Logprobs(TypedDict):
    content: list[_Token] | None


class _Delta(TypedDict, total=False):
    content: str | None


class _Choice(TypedDict, total=False):
    delta: _Delta
    logprobs: _Logprobs | None
    finish_reason: str | None


class _Details(TypedDict, total=False):
    cached_tokens: int


class _Usage(TypedDict, total=False):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _Details


class _Read(TypedDict):
    processed: int
    total: int


class _Error(TypedDict, total=False):
    code: int
    type: str
    n_prompt_tokens: int
    n_ctx: int


class _Chunk(TypedDict, total=False):
    choices: list[_Choice]
    usage: _Usage
    prompt_progress: _Read
    error: _Error


class AnswerReader:
    """Collects one answer. `stage` says in words for a person what the model is at."""

    def __init__(self, progress: Progress) -> None:
        self.stage = "the embedded model is reading the prompt"
        self._progress = progress
        self._texts: list[str] = []
        self._logprobs: list[float] = []
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._error: HybridError | None = None

    def feed(self, data: dict[str, Any]) -> None:
        """Take the next chunk; its text goes to `progress` at once."""
        chunk = cast("_Chunk", data)
        if "error" in chunk:
            self._error = _error(chunk["error"])
        if "usage" in chunk:
            self._usage = _usage(chunk["usage"])
        if "prompt_progress" in chunk:
            read = chunk["prompt_progress"]
            self.stage = f"the embedded model is reading the prompt: {read['processed']:,} of {read['total']:,} tokens"
        for choice in chunk.get("choices", ()):
            self._feed_choice(choice)

    def completion(self) -> Completion:
        """The whole answer.

        Its confidence is over the tokens that llama.cpp reports: a character that takes several tokens
        counts once, with its last token, and the end-of-text token does not count.

        Raises:
            ContextTooLong: the request has more tokens than the model reads.
            ProviderError: the model reported an error, or the stream ended before the answer did.
        """
        if self._error is not None:
            raise self._error
        if self._finish is None:
            raise ProviderUnavailable("the embedded model broke off its answer: call again", billed=False)
        sure = confidence_of(self._logprobs)
        return Completion(text="".join(self._texts), finish=self._finish, usage=self._usage, confidence=sure)

    def _feed_choice(self, choice: _Choice) -> None:
        scored = choice.get("logprobs")
        if scored is not None:
            self._logprobs += believable(token["logprob"] for token in scored["content"] or ())
        if reason := choice.get("finish_reason"):
            self._finish = _FINISH.get(reason, "other")
        # llama.cpp holds a character back until all of its bytes are there, so a text is always whole.
        if text := choice.get("delta", {}).get("content"):
            self.stage = "the embedded model is writing"
            self._texts.append(text)
            self._progress.delta(text)


def _usage(reported: _Usage) -> Usage:
    return Usage(
        input_tokens=count(reported.get("prompt_tokens")),
        output_tokens=count(reported.get("completion_tokens")),
        cached_tokens=count(reported.get("prompt_tokens_details", {}).get("cached_tokens")),
    )


def _error(reported: _Error) -> HybridError:
    """Its own message is left out: it may quote the request."""
    code, kind = reported.get("code", 500), reported.get("type", "server_error")
    if kind == "exceed_context_size_error":
        return ContextTooLong(
            f"the request has {reported.get('n_prompt_tokens', 0):,} tokens and the embedded model reads at most "
            f"{reported.get('n_ctx', 0):,}: send less context, or use a larger model"
        )
    if code < 500:
        return ProviderRejected(f"the embedded model refused the request (code {code}, {kind}): change the request")
    return ProviderUnavailable(f"the embedded model failed (code {code}, {kind}): call again", billed=False)
