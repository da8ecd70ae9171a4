"""Reading a streamed answer: what has come so far, and how long the next piece may take."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio

from hybrid_mcp.domain.completion import Completion, Finish, Usage
from hybrid_mcp.domain.errors import ProviderError, ProviderUnavailable
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.tokens import BYTES_PER_TOKEN, dense_bytes
from hybrid_mcp.ports import Progress

LOCAL_FIRST_BYTE_S = 120.0
"""A local model may first be read from a disk, and reads a long prompt at some hundred tokens a second."""
CLOUD_FIRST_BYTE_S = 60.0
"""A cloud model thinks before the first piece, but is never loaded from a disk."""
IDLE_S = 60.0
"""Between two pieces of an answer: even one token a second is far faster."""

COUNT_LIMIT = 1_000_000_000
"""Tokens: a thousand times the longest request that is sent. A larger count is a broken or hostile server's."""
LOGPROB_FLOOR = -1_000.0
"""Far below the logarithm of any probability that a model's 16- or 32-bit numbers can hold (about -104)."""
LOGPROB_CEILING = 0.001  # a certain token's 0, and what rounding adds to it
MOST_BYTES_PER_TOKEN = 2 * BYTES_PER_TOKEN
"""An answer with more dense bytes for each token of its cap is longer than the cap: three times what any text has."""
SPARE_BYTES = 1_024
"""What a gateway may add of its own, such as a few words on why it refused."""

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

    `streamed_bytes`: UTF-8 bytes of the answer and of the thinking that the server shows.
    `name` (`provider:model`) stands in errors; `output_cap` is the number of tokens that was asked for at the most.
    """

    def __init__(self, progress: Progress, *, name: str, output_cap: int) -> None:
        self.begun = False
        self.finish: Finish | None = None
        self.usage: Usage | None = None
        self.streamed_bytes = 0
        self._progress = progress
        self._name = name
        self._output_cap = output_cap
        self._dense_bytes = 0
        self._pieces: list[str] = []
        self._logprobs: list[float] = []

    def add(self, text: str | None) -> None:
        """Take the next piece.

        Raises:
            ProviderUnavailable: the answer is longer than its cap allows.
        """
        if text:
            self._count(text)
            self._pieces.append(text)
            self._progress.delta(text)

    def add_thinking(self, text: object) -> None:
        """Take a piece of thinking: no part of the answer, but written and billed like one.

        Raises:
            ProviderUnavailable: the answer is longer than its cap allows.
        """
        if isinstance(text, str):
            self._count(text)

    @contextmanager
    def accounted(self) -> Generator[None]:
        """A failure inside tells how much came before it."""
        try:
            yield
        except ProviderError as error:
            error.streamed_bytes = self.streamed_bytes
            raise

    def add_logprobs(self, logprobs: Iterable[object]) -> None:
        self._logprobs.extend(believable(logprobs))

    def completion(self) -> Completion:
        """All of it. Usage without a single input token counts as not reported: no chat has none."""
        mean = math.fsum(self._logprobs) / len(self._logprobs) if self._logprobs else None
        usage = self.usage if self.usage is not None and self.usage.input_tokens else None
        return Completion(text="".join(self._pieces), finish=self.finish or "other", usage=usage, mean_logprob=mean)

    def _count(self, text: str) -> None:
        self.streamed_bytes += len(text.encode(errors="surrogatepass"))
        self._dense_bytes += dense_bytes(text)
        if self._dense_bytes > MOST_BYTES_PER_TOKEN * self._output_cap + SPARE_BYTES:
            raise ProviderUnavailable(
                f"{self._name} ignored the output cap: it wrote on past {self.streamed_bytes:,} bytes though at most "
                f"{self._output_cap:,} tokens were asked for, and was broken off; use another model",
                billed=True,
            )


async def read_stream(
    opened: AbstractAsyncContextManager[AsyncIterator[T]],
    take: Callable[[T], None],
    answer: Answer,
    patience: Patience,
) -> None:
    """Open a stream, give each of its items to `take`, and close it, also when cancelled.

    A finished answer whose stream is not ended in time counts as whole.

    Raises:
        TimeoutError: nothing came in time.
    """
    first_by = anyio.current_time() + patience.first_byte_s
    async with AsyncExitStack() as stack:
        with anyio.fail_after(patience.first_byte_s):
            items = await stack.enter_async_context(opened)
        while True:
            left = patience.idle_s if answer.begun else max(0.0, first_by - anyio.current_time())
            with anyio.move_on_after(left) as waiting:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
                answer.begun = True
                take(item)
            if waiting.cancelled_caught:
                if answer.finish is None:
                    raise TimeoutError
                return


def count(value: object) -> int:
    """A reported number of tokens, at most `COUNT_LIMIT`; 0 where it is missing or no number."""
    return min(value, COUNT_LIMIT) if isinstance(value, int) and value > 0 else 0


def believable(logprobs: Iterable[object]) -> Iterator[float]:
    """The values that can be the logarithm of a probability; one that cannot would spoil the mean of all."""
    for value in logprobs:
        if isinstance(value, (int, float)) and LOGPROB_FLOOR <= value <= LOGPROB_CEILING:
            yield float(value)
