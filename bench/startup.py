"""From the start of the process to the first `tools/list` over stdio, side by side with the smallest server."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROUNDS = 15
PROGRAM = Path(sys.executable).with_name("hybrid-mcp")
TRIVIAL = Path(__file__).with_name("trivial_server.py")

_INITIALIZE: dict[str, Any] = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"},
    },
}  # fmt: skip
_INITIALIZED: dict[str, Any] = {"jsonrpc": "2.0", "method": "notifications/initialized"}
_LIST: dict[str, Any] = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`seconds` to the answer, `rss_mib` of the server process then."""

    seconds: float
    rss_mib: float


def measure() -> list[str]:
    """Lines for the report: medians, and the median of the ratios of each pair."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "HYBRID_MCP_HOME": home}
        floor_command, command = [sys.executable, str(TRIVIAL)], [str(PROGRAM), "serve"]
        # Once each for the file cache and the .pyc files.
        _start(floor_command, env)
        _start(command, env)
        pairs = [(_start(command, env), _start(floor_command, env)) for _ in range(ROUNDS)]
    ours, floor = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    time_ratio = statistics.median(a.seconds / b.seconds for a, b in pairs)
    memory_ratio = statistics.median(a.rss_mib / b.rss_mib for a, b in pairs)
    seconds = f"hybrid-mcp {_median(ours, 'seconds'):.3f}, trivial server {_median(floor, 'seconds'):.3f}"
    memory = f"hybrid-mcp {_median(ours, 'rss_mib'):.0f}, trivial server {_median(floor, 'rss_mib'):.0f}"
    return [
        f"first tools/list, seconds: {seconds}, ratio {time_ratio:.2f} (target 1.25)",
        f"RSS after it, MiB: {memory}, ratio {memory_ratio:.2f} (target 1.50)",
    ]


def _median(starts: Sequence[Start], field: str) -> float:
    return statistics.median(float(getattr(start, field)) for start in starts)


def _start(command: list[str], env: dict[str, str]) -> Start:
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _send(process.stdin, _INITIALIZE)
        process.stdout.readline()
        _send(process.stdin, _INITIALIZED)
        _send(process.stdin, _LIST)
        answer = json.loads(process.stdout.readline())
        seconds = time.perf_counter() - began
        assert answer["result"]["tools"], answer
        return Start(seconds=seconds, rss_mib=_rss_mib(process.pid))
    finally:
        process.stdin.close()
        process.wait(timeout=20)


def _send(stream: IO[str], message: dict[str, Any]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def _rss_mib(pid: int) -> float:
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(text) / 1024
