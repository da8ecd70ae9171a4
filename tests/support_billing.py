"""A far server that keeps its own bill of what it really generated, whatever becomes of the answer on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ProviderKind
from tests.support_servers import (
    ANTHROPIC_STOP,
    NEVER_LONGER_S,
    FakeServer,
    Received,
    Reply,
    anthropic_end,
    anthropic_events,
    anthropic_start,
    anthropic_text,
    json_reply,
    openai_chunk,
    sse,
)

INPUT_NANOS, OUTPUT_NANOS = 1_000, 2_000
"""What a token costs: $1 and $2 a million."""
WORDS_PER_PIECE = 10
FRAMING_TOKENS = 12

Piece = bytes | threading.Event | Literal["cut"]
Told = tuple[int | None, int | None]
"""The tokens in and out that a server tells of; None is the truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one request asks for: what it truly has in tokens, and at most `cap` tokens out."""

    kind: ProviderKind
    tokens_in: int
    cap: int

    @classmethod
    def of(cls, kind: ProviderKind, received: Received) -> Order:
        sent: dict[str, Any] = received.json
        texts = [sent.get("system", ""), *(message["content"] for message in sent["messages"])]
        tokens = FRAMING_TOKENS + sum(len(text.encode()) for text in texts) // 4
        return cls(kind=kind, tokens_in=tokens, cap=sent["max_tokens"])

    def begin(self, tokens_in: int | None = None) -> tuple[bytes, ...]:
        """The stream's first event. `tokens_in` None: no word of the usage."""
        if self.kind == "openai":
            return sse(openai_chunk(""))
        return anthropic_events(anthropic_start(**({} if tokens_in is None else {"input_tokens": tokens_in})))

    def words(self, number: int) -> tuple[bytes, ...]:
        """So many tokens of text, some to a piece."""
        return tuple(self._piece(text) for text in _texts(number))

    def thoughts(self, number: int) -> tuple[bytes, ...]:
        """So many tokens of thinking that the server shows."""
        if self.kind == "openai":
            deltas = [{"index": 0, "delta": {"reasoning_content": text}} for text in _texts(number)]
            return sse(*(openai_chunk(choices=[delta]) for delta in deltas))
        deltas = [{"type": "thinking_delta", "thinking": text} for text in _texts(number)]
        return anthropic_events(*({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas))

    def finish(self, tokens: tuple[int, int] | None) -> tuple[bytes, ...]:
        """The reason to stop, and the usage where it is told. Anthropic's dialect has both in one event."""
        if self.kind == "anthropic":
            return anthropic_events(
                anthropic_end("end_turn", **({} if tokens is None else {"output_tokens": tokens[1]}))
            )
        stop = openai_chunk(None, "stop")
        if tokens is None:
            return sse(stop)
        return sse(stop, openai_chunk(choices=[], usage={"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}))

    def counted(self, tokens_out: int) -> tuple[bytes, ...]:
        """Usage by itself, in the middle or after the end."""
        if self.kind == "openai":
            counts = {"prompt_tokens": self.tokens_in, "completion_tokens": tokens_out}
            return sse(openai_chunk(choices=[], usage=counts))
        return anthropic_events({"type": "message_delta", "delta": {}, "usage": {"output_tokens": tokens_out}})

    def close(self) -> tuple[bytes, ...]:
        return sse("[DONE]") if self.kind == "openai" else anthropic_events(ANTHROPIC_STOP)

    def error(self, kind: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": kind, "message": "out of order"}}

    def _piece(self, text: str) -> bytes:
        return sse(openai_chunk(text))[0] if self.kind == "openai" else anthropic_events(anthropic_text(text))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the server does. `tokens_out` None: it bills nothing; else what it generates before the first byte goes out.

    `silent`: not even a status comes.
    """

    reply: Reply
    tokens_out: int | None
    silent: bool = False


Behaviour = Callable[["Biller", Order], Served]


class Biller:
    """Serves each request with the next behaviour, the last one for ever, and bills it before it answers."""

    def __init__(self, kind: ProviderKind, *behaviours: Behaviour) -> None:
        self.kind: ProviderKind = kind
        self.behaviours = list(behaviours)
        self.server = FakeServer(self._serve)
        self.heard = threading.Event()  # set it when a piece was read: `writes_on` waits for that
        self._nanos: list[int] = []

    @property
    def bill(self) -> Usd:
        return Usd(sum(self._nanos))

    @property
    def requests(self) -> int:
        return len(self.server.requests)

    def charge(self, tokens_in: int, tokens_out: int) -> None:
        self._nanos.append(INPUT_NANOS * tokens_in + OUTPUT_NANOS * tokens_out)

    def _serve(self, received: Received) -> Reply:
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        order = Order.of(self.kind, received)
        served = behaviour(self, order)
        if served.tokens_out is not None:
            self.charge(order.tokens_in, served.tokens_out)
        if served.silent:
            self.server.hang.wait(NEVER_LONGER_S)
        return served.reply


def answers(words: int = 100, *, told: Told | None = (None, None)) -> Behaviour:
    """A whole answer of so many tokens, and what is told of its usage."""

    def serve(_: Biller, order: Order) -> Served:
        tokens = None if told is None else (_or(told[0], order.tokens_in), _or(told[1], words))
        body = (*order.begin(tokens and tokens[0]), *order.words(words), *order.finish(tokens), *order.close())
        return Served(reply=_stream(body), tokens_out=words)

    return serve


def times_the_cap(factor: float, *, told: Told | None) -> Behaviour:
    """A whole answer so many times as long as its cap allows."""
    return lambda biller, order: answers(round(factor * order.cap), told=told)(biller, order)


def thinks_unseen(*, told: int | None) -> Behaviour:
    """All of the cap goes into thinking that is not shown. `told`: the output that it tells instead, None: nothing."""

    def serve(_: Biller, order: Order) -> Served:
        if order.kind == "openai":
            counts = {"prompt_tokens": order.tokens_in} | ({} if told is None else {"completion_tokens": told})
            end = sse(openai_chunk(None, "length"), openai_chunk(choices=[], usage=counts))
        else:
            end = anthropic_events(anthropic_end("max_tokens", **({} if told is None else {"output_tokens": told})))
        return Served(reply=_stream((*order.begin(order.tokens_in), *end, *order.close())), tokens_out=order.cap)

    return serve


def counts_on(*counts: int | None, words: int = 20, end: Literal["close", "hang", "cut"] = "close") -> Behaviour:
    """Tells the output again and again, first before the end, and bills the largest. None: as many as the cap."""

    def serve(biller: Biller, order: Order) -> Served:
        told = [order.cap if one is None else one for one in counts]
        pieces = list(order.begin(order.tokens_in))
        pieces += [*order.words(words), *order.counted(told[0]), *order.finish(None)]
        for more in told[1:]:
            pieces += order.counted(more)
        last: dict[str, tuple[Piece, ...]] = {"close": order.close(), "hang": (biller.server.hang,), "cut": ("cut",)}
        true = order.cap if end == "hang" else max(told)
        return Served(reply=_stream((*pieces, *last[end])), tokens_out=true)

    return serve


def thinks(factor: int) -> Behaviour:
    """So many times the cap of thinking, and no answer."""

    def serve(_: Biller, order: Order) -> Served:
        written = factor * order.cap
        return Served(reply=_stream((*order.begin(order.tokens_in), *order.thoughts(written))), tokens_out=written)

    return serve


def writes_on(factor: int) -> Behaviour:
    """So many times the cap as fast as it is read, each piece billed before it goes out."""

    def serve(biller: Biller, order: Order) -> Served:
        def written() -> Iterator[Piece]:
            for piece in order.words(factor * order.cap):
                biller.charge(0, WORDS_PER_PIECE)
                biller.heard = threading.Event()
                yield piece
                yield biller.heard

        return Served(reply=_stream(chain(order.begin(order.tokens_in), written())), tokens_out=0)

    return serve


def cuts(*, after: Literal["begin", "words", "finish"], words: int = 40) -> Behaviour:
    """A connection that breaks, while the server goes on and bills all that it may write."""
    return lambda biller, order: Served(reply=_stream((*_until(order, after, words), "cut")), tokens_out=order.cap)


def ends(*, after: Literal["begin", "words", "finish"], words: int = 40) -> Behaviour:
    """The same, with a clean end of the connection."""
    return lambda biller, order: Served(reply=_stream(_until(order, after, words)), tokens_out=order.cap)


def hangs(*, after: Literal["nothing", "begin", "words"], words: int = 40) -> Behaviour:
    """Silence, while the server goes on and bills all that it may write."""

    def serve(biller: Biller, order: Order) -> Served:
        if after == "nothing":
            return Served(reply=Reply(), tokens_out=order.cap, silent=True)
        body = (*_until(order, after, words), biller.server.hang)
        return Served(reply=_stream(body), tokens_out=order.cap)

    return serve


def fails(status: int) -> Behaviour:
    """An error that comes after all the work was done, and is billed."""
    return lambda biller, order: Served(reply=json_reply(order.error("api_error"), status=status), tokens_out=order.cap)


def fails_in_the_stream() -> Behaviour:
    """The same in a stream that had begun well."""

    def serve(_: Biller, order: Order) -> Served:
        error = order.error("api_error")
        last = sse(error) if order.kind == "openai" else anthropic_events(error)
        return Served(reply=_stream((*order.begin(order.tokens_in), *last)), tokens_out=order.cap)

    return serve


def asks_to_wait(seconds: float) -> Behaviour:
    """Too many requests: nothing is done, and nothing is billed."""
    return lambda biller, order: Served(
        reply=json_reply(order.error("rate_limit_error"), status=429, Retry_After=str(seconds)), tokens_out=None
    )


def _texts(tokens: int) -> list[str]:
    words = [_word(number) for number in range(tokens)]
    return ["".join(words[start : start + WORDS_PER_PIECE]) for start in range(0, tokens, WORDS_PER_PIECE)]


def _word(number: int) -> str:
    """One token, and another one each time: the judge takes a text that repeats itself for a broken one."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    first, second, third = number // 676 % 26, number // 26 % 26, number % 26
    return f"{letters[first]}{letters[second]}{letters[third]}d "


def _or(told: int | None, truth: int) -> int:
    return truth if told is None else told


def _until(order: Order, after: Literal["begin", "words", "finish"], words: int) -> tuple[bytes, ...]:
    begun = order.begin(order.tokens_in)
    if after == "begin":
        return begun
    written = (*begun, *order.words(words))
    return written if after == "words" else (*written, *order.finish(None))


def _stream(body: Sequence[Piece] | Iterator[Piece]) -> Reply:
    return Reply(content_type="text/event-stream", body=body)
