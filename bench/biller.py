"""A far provider in a process of its own that keeps its own bill: nobody else knows for sure what was spent.

Run as a program, it serves chat completions in OpenAI's dialect on loopback, prints its address, and ends when its
standard input does. A request is billed when it has come in whole: one line in the bill before the first byte of the
answer. Whoever asked may be dead by then; a real provider bills that too.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

PIECES = 4
"""An answer is streamed in so many pieces, so that its reader can be killed in the middle."""
WORDS = "Paid words. "


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Nano-dollars a token, the length of every answer in tokens, and how long it takes in milliseconds, at random."""

    input_nanos: int
    output_nanos: int
    answer_tokens: int
    latency_ms: tuple[int, int] = (50, 300)
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The bill of a provider that listens at `url` (without /v1)."""

    url: str
    path: Path

    def lines(self) -> list[int]:
        """What each request was billed, in nano-dollars."""
        return [int(line.split()[0]) for line in self.path.read_text("ascii").splitlines()]

    def nanos(self) -> int:
        return sum(self.lines())


@contextmanager
def billing(path: Path, tariff: Tariff) -> Generator[Bill]:
    """A provider that bills into the new file `path`, in a process that ends with the block."""
    path.touch(exist_ok=False)
    command = [sys.executable, __file__, str(path), json.dumps(asdict(tariff))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Bill(url=process.stdout.readline().strip(), path=path)
        finally:
            process.stdin.close()
            process.wait(timeout=20)


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def __init__(self, bill: Path, tariff: Tariff) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._tariff = tariff
        self._random = random.Random(tariff.seed)  # noqa: S311 - the same pauses in every run, no secret
        self._bill = os.open(bill, os.O_WRONLY | os.O_APPEND)
        self._lock = threading.Lock()
        self._number = 0

    def charge(self, prompt_tokens: int, asked_tokens: int) -> tuple[int, float]:
        """Bill one request. Returns the answer's length in tokens, and how long it takes in seconds."""
        tokens = min(self._tariff.answer_tokens, asked_tokens)
        nanos = prompt_tokens * self._tariff.input_nanos + tokens * self._tariff.output_nanos
        with self._lock:
            self._number += 1
            os.write(self._bill, f"{nanos} {self._number}\n".encode())
            return tokens, self._random.uniform(*self._tariff.latency_ms) / 1000

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:  # its sender died while it was sending
            return
        asked = json.loads(body)
        prompt_tokens = 8 + len(json.dumps(asked["messages"])) // 4
        asked_tokens = asked.get("max_tokens") or asked["max_completion_tokens"]
        tokens, seconds = cast("_Server", self.server).charge(prompt_tokens, asked_tokens)
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens}
        time.sleep(seconds / 2)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if asked.get("stream") else "application/json")
        self.end_headers()
        pieces = list(streamed(usage) if asked.get("stream") else whole(usage))
        for piece in pieces:
            time.sleep(seconds / 2 / len(pieces))
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        pass


def streamed(usage: dict[str, int]) -> Iterator[bytes]:
    """The events of a streamed answer."""
    for _ in range(PIECES):
        yield _event([{"index": 0, "delta": {"content": WORDS}, "finish_reason": None}])
    yield _event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    yield _event([], usage=usage) + b"data: [DONE]\n\n"


def _event(choices: list[dict[str, Any]], **more: object) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def whole(usage: dict[str, int]) -> Iterator[bytes]:
    """The same answer in one piece."""
    message = {"role": "assistant", "content": WORDS * PIECES}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    yield json.dumps(answer).encode()


def _main(bill: str, tariff: str) -> None:
    with _Server(Path(bill), Tariff(**json.loads(tariff))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
