"""Reading a streamed answer: what has come so far, and how long the next piece may take."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import anyio

from hybrid_mcp.domain.completion import Completion, Finish, Usage
from hybrid_mcp.domain.confidence import confidence_of
from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.tokens import Written
from hybrid_mcp.ports import Progress

LOCAL_FIRST_BYTE_S = 120.0
"""A local model may first be read from a disk, and reads a long prompt at some hundred tokens a second."""
CLOUD_FIRST_BYTE_S = 60.0
"""A cloud model thinks before the first piece, but is never loaded from a disk."""
IDLE_S = 60.0
"""Between two pieces of an answer: even one token a second is far faster."""
USAGE_S = 2.0
"""From the end of an answer to its usage: a server has counted it by then, and sends it at once."""

COUNT_LIMIT = 1_000_000_000
"""Tokens: a thousand times the longest request that is sent. A larger count is a broken or hostile server's."""
LOGPROB_FLOOR = -1_000.0
"""Far below the logarithm of any probability that a model's 16- or 32-bit numbers can hold (about -104)."""
LOGPROB_CEILING = 0.001  # a certain token's 0, and what rounding adds to it
_HALF_PAIR = re.compile("[\ud800-\udfff]")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds until the first piece, and between two pieces. The call's own deadline stands above both."""

    first_byte_s: float
    idle_s: float = IDLE_S


def patience_for(spec: ProviderSpec, first_byte_s: float | None, idle_s: float) -> Patience:
    default = LOCAL_FIRST_BYTE_S if spec.local else CLOUD_FIRST_BYTE_S
    return Patience(first_byte_s=first_byte_s or default, idle_s=idle_s)


class Answer:
    """What has come of one answer so far. `begun`: the server took the request, so it may be billed.

    `name` (`provider:model`) stands in errors; `output_cap` is the number of tokens that was asked for at the most. The
    answer ends before the first of `stop`, also where the server knows none: it is read to its end for its usage.
    """

    def __init__(self, progress: Progress, *, name: str, output_cap: int, stop: Sequence[str] = ()) -> None:
        self.begun = False
        self.finish: Finish | None = None
        self.usage: Usage | None = None
        self.is_counted = False  # whether usage was told with the end of the answer or after it
        self._progress = progress
        self._name = name
        self._output_cap = output_cap
        self._written = Written()
        self._shown = StopAt(stop)
        self._logprobs: list[float] = []

    def add(self, text: str | None) -> None:
        """Take the next piece. Half a UTF-16 pair, which no text has and no transport takes, is replaced.

        Raises:
            ProviderUnavailable: the answer is longer than its cap allows.
        """
        if text:
            whole = _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", text)
            self._count(whole)
            self._show(self._shown.take(whole))
            if dropped := self._shown.dropped():
                self._progress.aside(dropped)

    def aside(self, text: object) -> None:
        """Take a piece of thinking, a tool call or another choice: no part of the answer, but billed like one.

        Raises:
            ProviderUnavailable: the answer is longer than its cap allows.
        """
        if isinstance(text, str) and text:
            self._count(text)
            self._progress.aside(text)

    @property
    def is_full(self) -> bool:
        """Whether the provider says that it has as many tokens as were asked for at the most."""
        return self.usage is not None and self.usage.output_tokens >= self._output_cap

    def tell(self, usage: Usage) -> None:
        """Take what the provider says of the usage; of several reports each number's largest counts."""
        self.usage = usage if self.usage is None else self.usage.and_then(usage)
        self.is_counted = self.finish is not None
        self._progress.told(self.usage)

    def add_logprobs(self, logprobs: Iterable[object]) -> None:
        self._logprobs.extend(believable(logprobs))

    def completion(self) -> Completion:
        """All of it. Usage without a single input token counts as not reported: no chat has none."""
        self._show(self._shown.rest())
        finish = "stop" if self._shown.is_over else self.finish or "other"
        usage = self.usage if self.usage is not None and self.usage.input_tokens else None
        return Completion(
            text=self._shown.text, finish=finish, usage=usage, confidence=confidence_of(self._logprobs),
            streamed=self._written.extent,
        )  # fmt: skip

    def _show(self, text: str) -> None:
        if text:
            self._progress.delta(text)

    def _count(self, text: str) -> None:
        self._written.add(text)
        if self._written.is_longer_than(self._output_cap):
            self._progress.aside(text)  # it was written, and nobody is to read it
            raise ProviderUnavailable(
                f"{self._name} ignored the output cap: it wrote on past {self._written.raw:,} bytes though at most "
                f"{self._output_cap:,} tokens were asked for, and was broken off; use another model",
                billed=True,
            )


class StopAt:
    """A text that ends before the sequence that is whole first in it, whatever pieces it comes in. `is_over`: it did.

    Of two that become whole with the same character the longer one counts.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self.is_over = False
        self._stop = tuple(stop)
        self._pieces: list[str] = []
        self._held: str = ""  # may be the beginning of a sequence
        self._dropped: str = ""

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def take(self, text: str) -> str:
        """What of the text so far belongs to it for certain, and was not given before."""
        if self.is_over:
            self._dropped += text
            return ""
        text = self._held + text
        found = [(at + len(sequence), at) for sequence in self._stop if (at := text.find(sequence)) >= 0]
        if found:
            _, at = min(found)
            self.is_over, self._held, self._dropped = True, "", text[at:]
            return self._kept(text[:at])
        held = max((_overlap(text, sequence) for sequence in self._stop), default=0)
        self._held = text[len(text) - held :]
        return self._kept(text[: len(text) - held])

    def dropped(self) -> str:
        """What came from the sequence on, and was not given before."""
        dropped, self._dropped = self._dropped, ""
        return dropped

    def rest(self) -> str:
        """At the end: what was held back for a sequence that did not come."""
        held, self._held = self._held, ""
        return self._kept(held)

    def _kept(self, text: str) -> str:
        self._pieces.append(text)
        return text


def _overlap(text: str, sequence: str) -> int:
    """How many characters at the end of the text are the beginning of the sequence."""
    longest = min(len(text), len(sequence) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(sequence[:size])), 0)


async def read_stream(
    opened: AbstractAsyncContextManager[AsyncIterator[T]],
    take: Callable[[T], None],
    answer: Answer,
    patience: Patience,
) -> None:
    """Open a stream, give each of its items to `take`, and close it, also when cancelled.

    A finished answer is whole when its stream ends, or when nothing more was worth waiting for. Usage that was told
    before its end, and was not followed by any after it in that time, is only the beginning of the truth, and dropped.

    Raises:
        TimeoutError: nothing came in time.
    """
    waits = _Waits(answer, patience)
    async with AsyncExitStack() as stack:
        with anyio.fail_after(patience.first_byte_s):
            items = await stack.enter_async_context(opened)
        while not waits.over():
            with anyio.move_on_after(waits.left_s()) as waiting:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
                answer.begun = True
                take(item)
            if waiting.cancelled_caught and answer.finish is None:
                raise TimeoutError
        if not answer.is_counted:
            answer.usage = None


class _Waits:
    """How long the next piece may take. Once an answer is finished, all that is left has `USAGE_S` together."""

    def __init__(self, answer: Answer, patience: Patience) -> None:
        self._answer = answer
        self._idle_s = patience.idle_s
        self._first_by = anyio.current_time() + patience.first_byte_s
        self._end = math.inf

    def over(self) -> bool:
        """Whether the answer is finished, and nothing more is waited for."""
        now = anyio.current_time()
        if self._answer.finish is not None and self._end == math.inf:
            self._end = now + min(self._idle_s, USAGE_S)
        return now >= self._end

    def left_s(self) -> float:
        """Seconds."""
        now = anyio.current_time()
        if self._end < math.inf:
            return self._end - now
        return self._idle_s if self._answer.begun else max(0.0, self._first_by - now)


def count(value: object) -> int:
    """A reported number of tokens, at most `COUNT_LIMIT`; 0 where it is missing or no whole number."""
    if not isinstance(value, (int, float)) or not 0 < value < math.inf or value % 1:
        return 0
    return int(min(value, COUNT_LIMIT))


def believable(logprobs: Iterable[object]) -> Iterator[float]:
    """The values that can be the logarithm of a probability; one that cannot would spoil the confidence."""
    for value in logprobs:
        if isinstance(value, (int, float)) and LOGPROB_FLOOR <= value <= LOGPROB_CEILING:
            yield float(value)
