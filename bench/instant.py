"""A provider in a process of its own that answers at once: what a call takes beside it is overhead.

Run as a module, it serves chat completions in OpenAI's dialect on loopback, over connections that stay open, prints its
address, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import cast

from bench.apart import ROOT, bare_variables
from bench.biller import streamed, whole

INPUT_TOKENS, OUTPUT_TOKENS = 40, 12
_USAGE = {
    "prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS, "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
}  # fmt: skip
_LISTING = {"object": "list", "data": [{"id": "model", "object": "model", "owned_by": "bench"}]}
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@contextmanager
def answering() -> Generator[str]:
    """The provider's URL (without /v1); its process ends with the block."""
    command = [sys.executable, "-P", "-m", "bench.instant"]
    with subprocess.Popen(
        command, env={**bare_variables(), "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(timeout=20)


def _chunked(kind: str, pieces: Iterable[bytes]) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


_STREAMED = _chunked("text/event-stream", streamed(_USAGE))
_WHOLE = _chunked("application/json", whole(_USAGE))
_LISTED = _chunked("application/json", [json.dumps(_LISTING).encode()])


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            length = _LENGTH.search(head)
            after = end + 4 + (int(length[1]) if length else 0)
            if len(self._unread) < after:
                return
            body, self._unread = self._unread[end + 4 : after], self._unread[after:]
            self._transport.write(_answer(head, body))


def _answer(head: bytes, body: bytes) -> bytes:
    if head.startswith(b"GET"):
        return _LISTED
    return _STREAMED if json.loads(body).get("stream") else _WHOLE


async def _main() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
