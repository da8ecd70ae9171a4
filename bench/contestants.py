"""What is compared, each called as it is used: a tool over stdio, a library in its process, a gateway over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import psutil
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult
from openai import AsyncOpenAI

from bench.apart import bare_variables
from bench.gateway import gateway
from bench.load import Load, Slice
from bench.paid import nowhere, session
from bench.rival import router_process
from hybrid_mcp.domain.money import Usd

CAP = Usd.limit(100)
PROFILE = """\
profile: overhead
routing_rules:
  complexity_threshold: 0
  always_try_local_first: true
  local_models: ["near:model"]
  cloud_models: ["far:model"]
  fallback: local
providers:
  near: {{kind: openai, base_url: "{url}/v1"}}
  far:
    kind: openai
    base_url: "{url}/v1"
    local: false
    api_key_env: FAR_KEY
    price: {{input_per_mtok: 1, output_per_mtok: 1, context: 8000}}
"""
MAX_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """`process`: whose memory is measured, None where the calls are made in this process.

    `broken`: asked when all is over; what it promises and did not keep, in words.
    """

    name: str
    load: Callable[[Load], Awaitable[Slice]]
    process: psutil.Process | None = None
    broken: Callable[[int], Awaitable[Sequence[str]]] | None = None

    def cpu_s(self) -> float:
        """Seconds of a processor that it has used; of this process where the calls are made in it."""
        used = (self.process or psutil.Process()).cpu_times()
        return used.user + used.system

    def rss_mib(self) -> float | None:
        return None if self.process is None else self.process.memory_info().rss / 2**20


@asynccontextmanager
async def direct(url: str) -> AsyncGenerator[Contestant]:
    """The openai SDK in this process: the floor of everything that asks the provider."""
    async with _sdk(url) as client:
        call = _chat(client)
        yield Contestant(name="openai SDK alone", load=lambda load: load.on(call))


def _chat(client: AsyncOpenAI) -> Callable[[str], Awaitable[None]]:
    async def call(prompt: str) -> None:
        stream = await client.chat.completions.create(
            model="model", messages=[{"role": "user", "content": prompt}], max_tokens=MAX_TOKENS, stream=True,
            stream_options={"include_usage": True},
        )  # fmt: skip
        pieces = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
        assert any(pieces), "an empty answer"

    return call


@asynccontextmanager
async def trivial() -> AsyncGenerator[Contestant]:
    """The floor of every tool on this SDK."""

    def arguments(prompt: str) -> dict[str, Any]:
        return {"a": len(prompt), "b": 1}

    async with _its_process() as process, _smallest("trivial_server.py") as client:
        yield Contestant(name="trivial tool", load=_tool(client, "add", arguments), process=process())


@asynccontextmanager
async def asking(url: str) -> AsyncGenerator[Contestant]:
    """A tool that asks the provider and does nothing else: what is above it is routing, scanning and money."""
    async with _its_process() as process, _smallest("asking_server.py", url) as client:
        load = _tool(client, "ask", lambda prompt: {"prompt": prompt})
        yield Contestant(name="smallest tool that asks", load=load, process=process())


@asynccontextmanager
async def hybrid(url: str, home: Path, *, paid: bool) -> AsyncGenerator[Contestant]:
    """The installed program. Paid: reserved, dispatched and settled on disk; local: one entry in the ledger."""
    (home / "profiles").mkdir(parents=True)
    (home / "profiles" / "paid.yaml").write_text(PROFILE.format(url=url), "utf-8")
    (home / "whitelist.json").write_text(json.dumps({"cloud_apis": ["127.0.0.1"]}), "utf-8")
    force = "force_cloud" if paid else "force_local"

    def arguments(prompt: str) -> dict[str, Any]:
        return {"prompt": prompt, "max_output_tokens": MAX_TOKENS, force: True}

    async with _its_process() as process, session(home, CAP) as client:

        async def broken(calls: int) -> list[str]:
            return _miscounted(await client.call_tool("budget_status", {}), calls, paid=paid)

        name = f"hybrid-mcp, {'paid' if paid else 'local'} model"
        load = _tool(client, "route_completion", arguments)
        yield Contestant(name=name, load=load, process=process(), broken=broken)


def _miscounted(result: CallToolResult, calls: int, *, paid: bool) -> list[str]:
    """Every call must stand in the ledger, as what it was, with nothing left open."""
    told = _structured(result)
    found = {name: told[name] for name in ("cloud_requests", "local_requests", "cached_requests", "reserved_usd")}
    counts = (calls, 0) if paid else (0, calls)
    wanted = {"cloud_requests": counts[0], "local_requests": counts[1], "cached_requests": 0, "reserved_usd": 0.0}
    return [] if found == wanted else [f"the ledger says {found}, {wanted} were expected"]


def _tool(client: Client, tool: str, arguments: Callable[[str], dict[str, Any]]) -> Callable[[Load], Awaitable[Slice]]:
    async def call(prompt: str) -> None:
        _structured(await client.call_tool(tool, arguments(prompt)))

    return lambda load: load.on(call)


def _structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


@asynccontextmanager
async def _smallest(script: str, *arguments: str) -> AsyncGenerator[Client]:
    command = [str(Path(__file__).with_name(script)), *arguments]
    parameters = StdioServerParameters(command=sys.executable, args=command, env=bare_variables())
    with nowhere() as log:
        async with Client(stdio_client(parameters, errlog=log)) as client:
            yield client


@asynccontextmanager
async def _its_process() -> AsyncGenerator[Callable[[], psutil.Process]]:
    """Tells which process was started within the block; the SDK's client keeps it to itself."""
    before = {child.pid for child in psutil.Process().children()}

    def process() -> psutil.Process:
        (new,) = (child for child in psutil.Process().children() if child.pid not in before)
        return new

    yield process


@asynccontextmanager
async def litellm_router(url: str) -> AsyncGenerator[Contestant]:
    """LiteLLM's Router in a process of its own, which also makes the calls: it is a library.

    Raises:
        Missing: it cannot be installed.
    """
    with router_process(url) as process:

        def ask(wanted: Load) -> Slice:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{json.dumps(asdict(wanted))}\n")
            process.stdin.flush()
            return Slice(**json.loads(process.stdout.readline()))

        async def load(wanted: Load) -> Slice:
            return await anyio.to_thread.run_sync(ask, wanted, abandon_on_cancel=True)

        yield Contestant(name="LiteLLM Router", load=load, process=psutil.Process(process.pid))


@asynccontextmanager
async def portkey_gateway(url: str) -> AsyncGenerator[Contestant]:
    """Portkey's gateway, over HTTP with the openai SDK in this process.

    Raises:
        Missing: it cannot be installed, or does not start.
    """
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{url}/v1"}
    with gateway() as (address, pid):
        async with _sdk(address, headers) as client:
            call = _chat(client)
            yield Contestant(name="Portkey gateway", load=lambda load: load.on(call), process=psutil.Process(pid))


def _sdk(url: str, headers: dict[str, str] | None = None) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{url}/v1", api_key="a-key", max_retries=0, default_headers=headers)
