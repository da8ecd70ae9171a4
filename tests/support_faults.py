"""A far server in the tests' own event loop that fails in every way servers fail, and keeps its bill all the same.

It speaks the chat of OpenAI, Anthropic and Ollama, by path. A request is known by the tag in its prompt (`[s12c0]`).
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import struct
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
from anyio import TypedAttributeProvider
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSStream

from hybrid_mcp.domain.answer import Outcome
from hybrid_mcp.domain.profile import ProviderKind
from tests.support_billing import INPUT_NANOS, OUTPUT_NANOS
from tests.support_servers import (
    ANTHROPIC_STOP,
    OLLAMA_SHOW,
    anthropic_end,
    anthropic_events,
    anthropic_start,
    anthropic_text,
    json_lines,
    ollama_end,
    ollama_part,
    openai_chunk,
    sse,
)

GOOD_TEXT = "Grüße, a good answer"
"""One token for each word."""
GOOD_TOKENS = 4
BOMB = gzip.compress(b" " * 10_000_000)
"""Ten megabytes in ten kilobytes."""

_CHATS: Mapping[str, ProviderKind] = {
    "/v1/chat/completions": "openai", "/v1/messages": "anthropic", "/api/chat": "ollama",
}  # fmt: skip
_LISTS = frozenset({"/v1/models", "/api/tags", "/api/show", "/api/ps"})
_TAG = re.compile(r"\[(\w+)\]")
_HEAD_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request for an answer: what it truly has in tokens, and at most `cap` tokens out."""

    kind: ProviderKind
    model: str
    tag: str
    tokens_in: int
    cap: int
    sent: str

    @classmethod
    def of(cls, kind: ProviderKind, body: bytes) -> Ask:
        sent: dict[str, Any] = json.loads(body)
        text = " ".join([sent.get("system", ""), *(message["content"] for message in sent["messages"])])
        found = _TAG.search(text)
        cap = sent["options"]["num_predict"] if kind == "ollama" else sent["max_tokens"]
        return cls(
            kind=kind, model=sent["model"], tag=found[1] if found else "", tokens_in=12 + len(text.encode()) // 4,
            cap=cap, sent=text,
        )  # fmt: skip

    def begin(self) -> tuple[bytes, ...]:
        match self.kind:
            case "openai":
                return sse(openai_chunk(""))
            case "anthropic":
                return anthropic_events(anthropic_start(input_tokens=self.tokens_in))
            case _:
                return ()

    def text(self, *texts: str) -> tuple[bytes, ...]:
        match self.kind:
            case "openai":
                return sse(*map(openai_chunk, texts))
            case "anthropic":
                return anthropic_events(*map(anthropic_text, texts))
            case _:
                return json_lines(*map(ollama_part, texts))

    def finish(self, tokens_out: int | None) -> tuple[bytes, ...]:
        """The reason to stop, and the usage where it is told."""
        match self.kind:
            case "openai":
                counts = {"prompt_tokens": self.tokens_in, "completion_tokens": tokens_out}
                usage = () if tokens_out is None else (openai_chunk(choices=[], usage=counts),)
                return sse(openai_chunk(None, "stop"), *usage)
            case "anthropic":
                usage = {} if tokens_out is None else {"output_tokens": tokens_out}
                return anthropic_events(anthropic_end("end_turn", **usage))
            case _:
                counts = {"prompt_eval_count": self.tokens_in, "eval_count": tokens_out}
                return json_lines(ollama_end(**(counts if tokens_out is not None else dict.fromkeys(counts))))

    def close(self) -> tuple[bytes, ...]:
        match self.kind:
            case "openai":
                return sse("[DONE]")
            case "anthropic":
                return anthropic_events(ANTHROPIC_STOP)
            case _:
                return ()

    def document(self, text: str) -> tuple[bytes, ...]:
        """An event, or for Ollama a line, that holds just this."""
        names = ["content_block_delta"] if self.kind == "anthropic" else []
        return (f"{text}\n".encode(),) if self.kind == "ollama" else sse(text, names=names)

    def error(self, code: str = "api_error") -> dict[str, Any]:
        """An error's document. It repeats the whole prompt, as some servers do."""
        words = f"out of order while reading: {self.sent}"
        if self.kind == "ollama":
            return {"error": words}
        return {"type": "error", "error": {"type": code, "message": words}}

    def whole(self) -> tuple[bytes, ...]:
        return (*self.begin(), *self.text(*_pieces(GOOD_TEXT)), *self.finish(GOOD_TOKENS), *self.close())


def _pieces(text: str) -> list[str]:
    return re.findall(r"\S+\s*", text)


class Talk:
    """One request and the answer to it. What goes out goes out in chunks, one for each piece."""

    def __init__(self, ask: Ask, stream: ByteStream, server: FaultServer) -> None:
        self.ask = ask
        self.is_whole = False
        self._stream = stream
        self._server = server
        self._begun = False

    def bill(self, tokens_out: int | None = None) -> None:
        """Write down what this answer costs; None: all of its cap."""
        written = self.ask.cap if tokens_out is None else tokens_out
        self._server.bills[self.ask.tag, self.ask.model] += INPUT_NANOS * self.ask.tokens_in + OUTPUT_NANOS * written

    async def head(self, status: int = 200, content_type: str | None = None, **headers: str) -> None:
        self._begun = True
        usual = "application/x-ndjson" if self.ask.kind == "ollama" else "text/event-stream"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        fields = {"Content-Type": content_type or usual, "Transfer-Encoding": "chunked", **named}
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in fields.items())]
        await self._stream.send("\r\n".join([*lines, "", ""]).encode())

    async def say(self, *pieces: bytes) -> None:
        if not self._begun:
            await self.head()
        await self.raw(b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece))

    async def raw(self, data: bytes) -> None:
        await self._stream.send(data)

    async def end(self) -> None:
        """The answer is whole, and the connection can be used again."""
        await self.say()
        await self.raw(b"0\r\n\r\n")
        self.is_whole = True

    async def refuse(self, status: int, code: str = "api_error", **headers: str) -> None:
        await self.head(status, "application/json", **headers)
        await self.say(json.dumps(self.ask.error(code)).encode())
        await self.end()

    async def hang(self) -> None:
        """Until the client leaves."""
        while True:
            await self._stream.receive()

    def cut(self) -> None:
        """The end of the connection will be a reset."""
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        with suppress(OSError):  # the client was faster
            raw = self._stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - no Django here
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


Act = Callable[[Talk], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`outcomes`: what may become of an attempt that meets it. `billed`: all of the cap is, before it begins.

    `large`: megabytes are sent.
    """

    act: Act
    outcomes: frozenset[Outcome]
    billed: bool = True
    large: bool = False

    async def __call__(self, talk: Talk) -> None:
        if self.billed:
            talk.bill()
        await self.act(talk)


FAULTS: dict[str, Fault] = {}
"""Every fault by its name."""


def _named(*outcomes: Outcome, billed: bool = True, large: bool = False) -> Callable[[Act], Act]:
    def add(act: Act) -> Act:
        name = act.__name__.removeprefix("_").replace("_", " ")
        FAULTS[name] = Fault(act=act, outcomes=frozenset(outcomes), billed=billed, large=large)
        return act

    return add


@_named("ok", billed=False)
async def _good(talk: Talk) -> None:
    talk.bill(GOOD_TOKENS)
    await talk.say(*talk.ask.whole())
    await talk.end()


@_named("ok", billed=False)
async def _good_and_closed(talk: Talk) -> None:
    talk.bill(GOOD_TOKENS)
    await talk.head(Connection="close")
    await talk.say(*talk.ask.whole())
    await talk.raw(b"0\r\n\r\n")


@_named("ok")
async def _good_without_usage(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.text(GOOD_TEXT), *talk.ask.finish(None), *talk.ask.close())
    await talk.end()


@_named("ok", billed=False)
async def _half_a_character_in_each_chunk(talk: Talk) -> None:
    talk.bill(GOOD_TOKENS)
    whole = b"".join(talk.ask.whole()).replace(b"\\u00fc", "ü".encode()).replace(b"\\u00df", "ß".encode())
    middle = whole.index("ü".encode()) + 1
    await talk.say(whole[:middle])
    await talk.say(whole[middle:])
    await talk.end()


@_named("ok", billed=False)
async def _choices_without_anything(talk: Talk) -> None:
    talk.bill(GOOD_TOKENS)
    nothing = {
        "openai": sse(openai_chunk(choices=[]), openai_chunk(choices=None)),
        "anthropic": anthropic_events({"type": "ping"}, anthropic_text("")),
    }
    before, *rest = talk.ask.whole()
    await talk.say(before, *nothing.get(talk.ask.kind, json_lines(ollama_part(""))), *rest)
    await talk.end()


@_named("ok")
async def _silence_where_usage_was_due(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.text(GOOD_TEXT), *talk.ask.finish(None))
    await talk.hang()


@_named("failed")
async def _an_empty_answer(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.finish(0), *talk.ask.close())
    await talk.end()


@_named("failed")
async def _not_a_byte(talk: Talk) -> None:
    await talk.end()


@_named("failed", billed=False)
async def _tool_calls_that_nobody_asked_for(talk: Talk) -> None:
    talk.bill(9)
    function = {"name": "shell", "arguments": '{"command": "ls"}'}
    called = {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": function}]}
    delta = {"type": "input_json_delta", "partial_json": function["arguments"]}
    calls = {
        "openai": sse(openai_chunk(choices=[{"index": 0, "delta": called, "finish_reason": "tool_calls"}])),
        "anthropic": anthropic_events(
            {"type": "content_block_delta", "index": 0, "delta": delta}, anthropic_end("tool_use", output_tokens=9)
        ),
    }
    asked = {"function": {"name": "shell", "arguments": {"command": "ls"}}}
    message = {"role": "assistant", "content": "", "tool_calls": [asked]}
    theirs = json_lines(ollama_part(message=message), ollama_end())
    await talk.say(*talk.ask.begin(), *calls.get(talk.ask.kind, theirs), *talk.ask.close())
    await talk.end()


@_named("timeout")
async def _silence(talk: Talk) -> None:
    await talk.hang()


@_named("timeout")
async def _silence_after_the_headers(talk: Talk) -> None:
    await talk.head()
    await talk.hang()


@_named("timeout")
async def _silence_in_the_stream(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.text("Half "))
    await talk.hang()


@_named("timeout")
async def _one_byte_at_a_time(talk: Talk) -> None:
    await talk.head()
    for byte in b"".join(talk.ask.text("word " * 100)):
        await talk.say(bytes([byte]))
        await anyio.sleep(0.02)


@_named("timeout", "failed")
async def _nothing_but_comments(talk: Talk) -> None:
    """Lines of JSON know none: there it is a blank line, which is no document."""
    await talk.head()
    while True:
        await talk.say(b"\n" if talk.ask.kind == "ollama" else b": still working\n\n")
        await anyio.sleep(0.02)


@_named("failed")
async def _a_reset_before_any_answer(talk: Talk) -> None:
    talk.cut()


@_named("failed")
async def _a_reset_after_the_headers(talk: Talk) -> None:
    await talk.head()
    talk.cut()


@_named("failed")
async def _a_reset_in_the_stream(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.text("Half "))
    talk.cut()


@_named("failed")
async def _closed_before_any_answer(talk: Talk) -> None:
    del talk


@_named("failed")
async def _closed_in_the_stream(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.text("Half "))


@_named("failed")
async def _ended_in_the_stream(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.text("Half "))
    await talk.end()


@_named("rate_limited", billed=False)
async def _told_to_wait(talk: Talk) -> None:
    await talk.refuse(429, "rate_limit_error")


@_named("rate_limited", billed=False)
async def _told_to_wait_a_moment(talk: Talk) -> None:
    await talk.refuse(429, "rate_limit_error", Retry_After="0.1")


@_named("rate_limited", billed=False)
async def _told_to_wait_for_an_hour(talk: Talk) -> None:
    await talk.refuse(429, "rate_limit_error", Retry_After="3600")


@_named("rate_limited", billed=False)
async def _told_to_wait_until_a_date(talk: Talk) -> None:
    now, then = "Fri, 20 Nov 2026 12:00:00 GMT", "Fri, 20 Nov 2026 12:00:01 GMT"
    await talk.refuse(429, "rate_limit_error", Date=now, Retry_After=then)


def _status(status: int, outcome: Outcome, *, billed: bool) -> None:
    async def act(talk: Talk) -> None:
        await talk.refuse(status)

    FAULTS[f"status {status}"] = Fault(act=act, outcomes=frozenset({outcome}), billed=billed)


for _code in (500, 502, 503, 529):
    _status(_code, "failed", billed=True)
for _code in (401, 402, 403, 404, 307):
    _status(_code, "refused", billed=False)
_status(400, "refused", billed=True)
_status(408, "timeout", billed=True)
_status(413, "failed", billed=False)


@_named("failed")
async def _an_error_instead_of_a_stream(talk: Talk) -> None:
    await talk.refuse(200)


@_named("failed")
async def _an_error_in_the_stream(talk: Talk) -> None:
    error = talk.ask.error()
    event = anthropic_events(error) if talk.ask.kind == "anthropic" else talk.ask.document(json.dumps(error))
    await talk.say(*talk.ask.begin(), *talk.ask.text("Half "), *event)
    await talk.end()


@_named("failed")
async def _no_json(talk: Talk) -> None:
    await talk.say(*talk.ask.document("this is no JSON"))
    await talk.hang()


@_named("failed")
async def _half_a_document(talk: Talk) -> None:
    await talk.say(*talk.ask.begin(), *talk.ask.document('{"choices": [{"delta'))
    await talk.end()


@_named("failed")
async def _another_shape(talk: Talk) -> None:
    odd = {"type": "content_block_delta", "delta": 5, "choices": [{"delta": "x"}], "message": "y"}
    await talk.say(*talk.ask.document(json.dumps(odd)))
    await talk.hang()


@_named("failed")
async def _bytes_that_are_no_text(talk: Talk) -> None:
    await talk.say(b"data: \xff\xfe\xff\n\n")
    await talk.end()


@_named("failed")
async def _a_page_for_people(talk: Talk) -> None:
    await talk.head(content_type="text/html")
    await talk.say(b"<html><body>Please log in to this network</body></html>\n")
    await talk.end()


@_named("failed")
async def _no_http(talk: Talk) -> None:
    await talk.raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


@_named("failed", large=True)
async def _a_line_of_ten_megabytes(talk: Talk) -> None:
    await talk.say(b"data: ")
    for _ in range(160):
        await talk.say(b"x" * 65_536)


@_named("failed", large=True)
async def _an_event_that_never_ends(talk: Talk) -> None:
    """Hundreds of thousands of short lines: a reader that copies what it has for each of them comes to a stop."""
    lines = b"x: y\n" * 13_000
    while True:
        await talk.say(lines)


@_named("failed", "timeout", large=True)
async def _a_line_in_crumbs(talk: Talk) -> None:
    """A long line, each byte a chunk of its own."""
    crumbs = [b"x"] * 20_000
    while True:
        await talk.say(*crumbs)


@_named("failed", large=True)
async def _a_bomb(talk: Talk) -> None:
    await talk.head(Content_Encoding="gzip")
    await talk.say(BOMB)
    await talk.end()


@_named("failed", large=True)
async def _far_more_than_was_asked_for(talk: Talk) -> None:
    await talk.say(*talk.ask.begin())
    while True:
        await talk.say(*talk.ask.text("word " * talk.ask.cap))


Choose = Callable[[Ask], Fault]


@dataclass(slots=True, kw_only=True)
class FaultServer:
    """Answers each request as `choose` says. `bills`: what was generated, in nano-dollars by tag and model.

    `connections`: how many were ever opened. `listing`: the faults of its list of models, in order, good ones after.
    """

    choose: Choose
    models: Sequence[str]
    port: int = 0
    tls_port: int = 0
    connections: int = 0
    open: int = 0
    asks: list[Ask] = field(default_factory=list[Ask])
    bills: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where nobody trusts the certificate."""
        return f"https://127.0.0.1:{self.tls_port}"

    async def handle(self, stream: ByteStream) -> None:
        self.connections += 1
        self.open += 1
        try:
            async with stream:
                await self._serve(stream)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.IncompleteRead):
            pass
        finally:
            self.open -= 1

    async def _serve(self, stream: ByteStream) -> None:
        reader, goes_on = BufferedByteReceiveStream(stream), True
        while goes_on:
            path, body = await _read_request(reader)
            if path in _LISTS:
                goes_on = await self._list(path, stream)
            else:
                goes_on = await self._chat(Ask.of(_CHATS[path], body), stream)

    async def _chat(self, ask: Ask, stream: ByteStream) -> bool:
        self.asks.append(ask)
        talk = Talk(ask, stream, self)
        await self.choose(ask)(talk)
        return talk.is_whole

    async def _list(self, path: str, stream: ByteStream) -> bool:
        documents: dict[str, object] = {
            "/v1/models": {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]},
            "/api/tags": {"models": [{"name": name} for name in self.models]},
            "/api/show": OLLAMA_SHOW,
            "/api/ps": {"models": []},
        }
        body = json.dumps(documents[path]).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        await stream.send(head.encode() + body)
        return True


@asynccontextmanager
async def fault_server(
    choose: Choose, models: Sequence[str], tls: ssl.SSLContext | None = None
) -> AsyncGenerator[FaultServer]:
    """A server that listens until the block ends; with `tls` on a second port too."""
    server = FaultServer(choose=choose, models=models)
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(await anyio.create_tcp_listener(local_host="127.0.0.1"))
        trap = await stack.enter_async_context(await anyio.create_tcp_listener(local_host="127.0.0.1"))
        group = await stack.enter_async_context(anyio.create_task_group())
        server.port, server.tls_port = (_port(one) for one in (plain, trap))
        group.start_soon(plain.serve, server.handle)
        if tls is not None:
            group.start_soon(trap.serve, partial(_shake_hands, tls))
        try:
            yield server
        finally:
            group.cancel_scope.cancel()


def _port(listener: TypedAttributeProvider) -> int:
    return listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django here


async def _shake_hands(tls: ssl.SSLContext, stream: ByteStream) -> None:
    """Nobody who looks at the certificate goes on from here."""
    async with stream:
        with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
            await (await TLSStream.wrap(stream, server_side=True, ssl_context=tls)).receive()
            raise AssertionError("a request came to a server that nobody may trust")


async def _read_request(reader: BufferedByteReceiveStream) -> tuple[str, bytes]:
    """The path and the body."""
    head = (await reader.receive_until(b"\r\n\r\n", _HEAD_LIMIT_BYTES)).decode("latin-1")
    length = re.search(r"(?im)^content-length:\s*(\d+)", head)
    body = await reader.receive_exactly(int(length[1])) if length else b""
    return head.split(" ", 2)[1], body
