"""Servers for the provider tests: a scriptable one that can misbehave, and the real server of llama.cpp."""

from __future__ import annotations

import json
import os
import select
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import pytest

from hybrid_mcp.domain.completion import Message, Usage
from hybrid_mcp.domain.profile import ProviderKind, ProviderSpec
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.http import Egress
from tests.support_embedded import model_home

MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
NEVER_LONGER_S = 30.0
"""No test waits longer than this for anything, in seconds."""

SEAL = "SEALED-PROMPT-TEXT"
"""Stands in every prompt of these tests; no error and no log may hold it."""
CALL = ProviderCall(
    model="some-model",
    messages=(Message("system", "Be brief."), Message("user", f"Say hello. {SEAL}")),
    max_output_tokens=64,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came in; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer. `body` is sent piece by piece; an Event is waited for, and "cut" breaks the connection."""

    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Iterable[bytes | threading.Event | Literal["cut"]] = ()


class FakeServer:
    """A server on loopback that answers as the script says, and keeps a log of what it received."""

    def __init__(self, script: Callable[[Received], Reply], tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self._tls = tls
        self.requests: list[Received] = []
        self.hang = threading.Event()  # set when the server closes: put it into a body to hang until then
        self.client_left = threading.Event()
        self._changed = threading.Condition()
        self._server = _TcpServer(("127.0.0.1", 0), self._handle)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def wait_for_requests(self, number: int) -> None:
        """Return when so many requests have come in.

        Raises:
            TimeoutError: they did not.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= number, NEVER_LONGER_S):
                raise TimeoutError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hang.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handle(self, connection: socket.socket) -> None:
        try:
            connection = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
        except OSError:  # the client does not trust us
            return
        with connection:
            self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        received = _read_request(connection)
        if received is None:
            return
        with self._changed:
            self.requests.append(received)
            self._changed.notify_all()
        try:
            self._answer(connection, self.script(received))
        except OSError:
            self.client_left.set()

    def _answer(self, connection: socket.socket, reply: Reply) -> None:
        headers = {
            "Content-Type": reply.content_type, "Transfer-Encoding": "chunked", "Connection": "close", **reply.headers,
        }  # fmt: skip
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        for piece in reply.body:
            if isinstance(piece, bytes):
                connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            elif piece == "cut":
                _reset(connection)
                return
            elif not self._waited(connection, piece):
                return
        connection.sendall(b"0\r\n\r\n")

    def _waited(self, connection: socket.socket, event: threading.Event) -> bool:
        """Wait for the event; False when the client left before, or when the server closes."""
        while not (event.is_set() or self.hang.is_set()):
            readable, _, _ = select.select([connection], [], [], 0.01)
            if readable:
                self.client_left.set()
                return False
        return event.is_set() and not self.hang.is_set()


class _TcpServer(socketserver.ThreadingTCPServer):
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handle: Callable[[socket.socket], None]) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                handle(self.request)

        super().__init__(address, Handler)


def _read_request(connection: socket.socket) -> Received | None:
    connection.settimeout(NEVER_LONGER_S)
    with connection.makefile("rb") as stream:
        first = stream.readline().decode().split()
        if len(first) != 3:
            return None
        headers: dict[str, str] = {}
        while (line := stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))
    return Received(method=first[0], path=first[1], headers=headers, body=body)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    )
    connection.close()


def reply_always(reply: Reply) -> Callable[[Received], Reply]:
    return lambda _: reply


def sse(*events: object, names: Sequence[str] = ()) -> tuple[bytes, ...]:
    """Server-sent events, one piece each; a str goes out as it is."""
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    heads = [f"event: {name}\n" for name in names] or [""] * len(texts)
    return tuple(f"{head}data: {text}\n\n".encode() for head, text in zip(heads, texts, strict=True))


def openai_chunk(text: str | None = None, finish: str | None = None, **more: object) -> dict[str, object]:
    choice = {"index": 0, "delta": {"content": text} if text is not None else {}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


OPENAI_USAGE = {
    "prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25,
    "prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 2},
}  # fmt: skip


def openai_reply(*chunks: object) -> Reply:
    """The given chunks and [DONE]; without any, a whole answer "Hello there" with usage."""
    given = chunks or (
        openai_chunk(""), openai_chunk("Hello"), openai_chunk(" there"), openai_chunk(finish="stop"),
        {**openai_chunk(), "choices": [], "usage": OPENAI_USAGE},
    )  # fmt: skip
    return Reply(content_type="text/event-stream", body=sse(*given, "[DONE]"))


def anthropic_events(*events: dict[str, Any]) -> tuple[bytes, ...]:
    return sse(*events, names=[event["type"] for event in events])


def anthropic_start(**usage: int) -> dict[str, Any]:
    message: dict[str, Any] = {"id": "m", "type": "message", "role": "assistant", "content": [], "stop_reason": None}
    return {"type": "message_start", "message": {**message, "model": "m", "usage": {"output_tokens": 1, **usage}}}


def anthropic_text(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def anthropic_end(stop_reason: str, **usage: int) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": usage}


ANTHROPIC_STOP: dict[str, Any] = {"type": "message_stop"}


def anthropic_reply(*events: dict[str, Any]) -> Reply:
    """The given events; without any, a whole answer "Hello there" with usage."""
    given = events or (
        anthropic_start(input_tokens=12, cache_read_input_tokens=6, cache_creation_input_tokens=2),
        {"type": "ping"}, anthropic_text("Hello"), anthropic_text(" there"),
        anthropic_end("end_turn", output_tokens=5), ANTHROPIC_STOP,
    )  # fmt: skip
    return Reply(content_type="text/event-stream", body=anthropic_events(*given))


def ollama_part(text: str = "", **more: object) -> dict[str, object]:
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": False, **more}


def ollama_end(**more: object) -> dict[str, object]:
    counts: dict[str, object] = {
        "done": True, "done_reason": "stop", "total_duration": 123_456_789_000, "prompt_eval_count": 20,
        "eval_count": 5,
    }  # fmt: skip
    return ollama_part("", **{**counts, **more})


def json_lines(*parts: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(part).encode() + b"\n" for part in parts)


def json_reply(document: object, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=(json.dumps(document).encode(),))


OLLAMA_SHOW: dict[str, Any] = {
    "parameters": 'stop    "<|im_end|>"',
    "model_info": {"general.architecture": "llama", "llama.context_length": 8192},
    "capabilities": ["completion"],
}


def ollama_script(
    chat: Reply | None = None, show: Reply | None = None, tags: Reply | None = None, ps: Reply | None = None
) -> Callable[[Received], Reply]:
    """An Ollama that knows every model and has loaded none; without `chat` it answers "Hello there"."""
    whole = json_lines(ollama_part("Hello"), ollama_part(" there"), ollama_end())
    replies = {
        "/api/chat": chat or Reply(content_type="application/x-ndjson", body=whole),
        "/api/show": show or json_reply(OLLAMA_SHOW),
        "/api/tags": tags or json_reply({"models": []}),
        "/api/ps": ps or json_reply({"models": []}),
    }
    return lambda received: replies.get(received.path, Reply(status=404))


def local_spec(url: str, kind: ProviderKind = "openai", name: str = "here") -> ProviderSpec:
    return ProviderSpec(name=name, kind=kind, base_url=url, host="127.0.0.1", loopback=True, local=True)


def cloud_spec(url: str, kind: ProviderKind = "openai", name: str = "cloudx") -> ProviderSpec:
    """A server on loopback that stands for a far, paid one."""
    return ProviderSpec(
        name=name, kind=kind, base_url=url, host="127.0.0.1", loopback=True, api_key_env=("CLOUDX_KEY",),
        key_needed=True,
    )  # fmt: skip


OPEN = Egress(whitelist=lambda: Whitelist(cloud_apis=("127.0.0.1",)))
"""A policy that lets the stand-in for a far server through."""
CLOSED = Egress(whitelist=Whitelist)
"""The policy of an owner who has allowed nothing: only this machine's own models."""


@dataclass
class Recorder:
    """A Progress that remembers."""

    deltas: list[str] = field(default_factory=list[str])
    asides: list[str] = field(default_factory=list[str])
    usages: list[Usage] = field(default_factory=list[Usage])
    statuses: list[str] = field(default_factory=list[str])

    @property
    def written_bytes(self) -> int:
        """UTF-8 bytes of all that the model wrote, the asides too."""
        return sum(len(piece.encode()) for piece in (*self.deltas, *self.asides))

    def asking(self, model: str) -> None:
        assert model

    def delta(self, text: str) -> None:
        self.deltas.append(text)

    def aside(self, text: str) -> None:
        self.asides.append(text)

    def told(self, usage: Usage) -> None:
        self.usages.append(usage)

    def status(self, text: str) -> None:
        self.statuses.append(text)


@contextmanager
def full_backlog() -> Generator[str]:
    """The URL of a listening port that never completes a connection (on Linux; elsewhere it may be refused)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(address)
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for client in waiting:
                client.close()


def closed_port_url() -> str:
    """The URL of a port where nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


LLAMA_SERVER = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.model_alias = {"smollm2-135m"}
params.n_ctx, params.n_parallel, params.kv_unified = 4096, 2, False
params.sampling.temp = 0.0
params.cpuparams.n_threads, params.cpuparams_batch.n_threads = 1, 2
params.port, params.ui, params.endpoint_slots, params.verbosity = 0, False, True, 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def running_llama_server() -> Generator[tuple[subprocess.Popen[str], str]]:
    """llama.cpp's own server with two slots of 2,048 tokens each: its process, and its base URL without /v1."""
    model = model_home() / "models" / MODEL_FILE
    process = subprocess.Popen(
        [sys.executable, "-c", LLAMA_SERVER, str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture(scope="session")
def llama_server() -> Generator[str]:
    """The base URL of a `running_llama_server` that all tests share."""
    with running_llama_server() as (_, url):
        yield url
