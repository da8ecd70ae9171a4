"""The same load on LiteLLM's Router with a provider budget, in an environment of its own: it is no dependency."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.apart import EXE, ROOT, Missing, bare_variables, environment
from bench.biller import Bill, billing
from bench.stress import Load
from hybrid_mcp.domain.money import NANOS_PER_USD

REQUIREMENTS = ("litellm==1.109.1", "redis==8.1.0")
NO_PRICES = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""No price list from the network."""
SCRIPT = Path(__file__).with_name("litellm_router.py")
SETTLE_S = 3.0
"""It copies what was spent to Redis every second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """`billed` in nano-dollars. `afterwards`: how one more call in each process ended when all had settled."""

    ends: Counter[str]
    afterwards: Counter[str]
    billed: int


def prepared() -> Path:
    """The Python of LiteLLM's environment.

    Raises:
        Missing: it cannot be installed.
    """
    # It asks for the newest certificates, which an index may not have yet; here nothing leaves the machine.
    return environment("litellm", REQUIREMENTS, override="certifi") / f"python{EXE}"


@contextmanager
def redis() -> Generator[int]:
    """The port of a Redis or Valkey of our own that keeps nothing.

    Raises:
        Missing: neither is installed.
    """
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        raise Missing("no redis-server or valkey-server is installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Missing("redis-server did not start")


def rival(folder: Path, load: Load, *, redis_port: int | None) -> Rival:
    """The load; the Routers of all processes share what they know through Redis where its port is given.

    Raises:
        Missing: see `prepared`.
    """
    python = prepared()
    with billing(folder / "bill", load.call.tariff) as bill, ExitStack() as stack:
        processes = [_start(stack, python, _asked(load, bill, number, redis_port)) for number in range(load.processes)]
        for process in processes:
            _read(process, "ready")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [json.loads(_read(process)) for process in processes]
        billed = bill.nanos()
    ends: Counter[str] = Counter()
    afterwards: Counter[str] = Counter()
    for one in told:
        ends.update(one["ends"])
        afterwards[one["afterwards"]] += 1
    return Rival(ends=ends, afterwards=afterwards, billed=billed)


@contextmanager
def router_process(url: str) -> Generator[subprocess.Popen[str]]:
    """`bench.litellm_slices`, ready for its first line, and killed at the end of the block.

    Raises:
        Missing: see `prepared`; or it cannot be started.
    """
    command = [str(prepared()), "-P", "-m", "bench.litellm_slices", url]
    env = {**bare_variables(), **NO_PRICES, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            _read(process, "ready")
            yield process
        finally:
            process.kill()


def _asked(load: Load, bill: Bill, process: int, redis_port: int | None) -> dict[str, object]:
    tariff = load.call.tariff
    return {
        "url": bill.url, "cap": load.cap.dollars, "input": tariff.input_nanos / NANOS_PER_USD,
        "output": tariff.output_nanos / NANOS_PER_USD, "calls": load.calls, "at_once": load.at_once,
        "max_tokens": load.call.max_output_tokens, "process": process, "redis": redis_port, "settle_s": SETTLE_S,
    }  # fmt: skip


def _start(stack: ExitStack, python: Path, asked: dict[str, object]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [python, "-P", str(SCRIPT), json.dumps(asked)], env={**bare_variables(), **NO_PRICES},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    stack.enter_context(process)
    stack.callback(process.kill)
    return process


def _read(process: subprocess.Popen[str], expected: str | None = None) -> str:
    """The next line that it prints, which is the expected one where it prints more."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == expected or (expected is None and line.startswith("{")):
            return line
    raise Missing("LiteLLM ended before it was done")
