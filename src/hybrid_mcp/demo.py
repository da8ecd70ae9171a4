"""The main job, shown: a real MCP session over stdio with real prompts and a real model on this machine."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, TextIO, cast

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from hybrid_mcp.launch import OK, REFUSED, Common

PROMPTS: tuple[dict[str, Any], ...] = (
    {"prompt": "What is the capital of France?"},
    {"prompt": "List three colours of the rainbow.", "max_output_tokens": 64},
    {
        "prompt": "Refactor this module, design the tests and analyze the tradeoffs.",
        "context": "def add(a, b):\n    return a + b\n",
        "dry_run": True,
    },
)


async def run_demo(common: Common) -> int:
    """Start the server as a client would, list its tools, route the prompts and show what it says."""
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            return await _session(common, log)
        except Exception:
            # The server's own words tell why it went away; nobody else would show them.
            log.seek(0)
            sys.stderr.write(log.read())
            raise


async def _session(common: Common, log: TextIO) -> int:
    _say("starting `hybrid-mcp serve` over stdio, as Claude Desktop or Cursor would")
    async with Client(stdio_client(_server(common), errlog=log)) as client:
        tools = await client.list_tools()
        _say(f"tools: {', '.join(tool.name for tool in tools.tools)}\n")
        for arguments in PROMPTS:
            result = await client.call_tool("route_completion", arguments, progress_callback=_Waiting().show)
            if result.is_error:
                _say("".join(getattr(block, "text", "") for block in result.content))
                return REFUSED
            _show(arguments, cast("dict[str, Any]", result.structured_content))
        budget = (await client.call_tool("budget_status", {})).structured_content
    _show_budget(cast("dict[str, Any]", budget))
    return OK


def _server(common: Common) -> StdioServerParameters:
    options = [] if common.profile is None else ["--profile", common.profile]
    options += [] if common.home is None else ["--home", str(common.home)]
    options += [] if common.project is None else ["--project", common.project]
    options += ["--airgap"] if common.airgap else []
    return StdioServerParameters(
        command=sys.executable, args=["-m", "hybrid_mcp", "serve", *options], env=dict(os.environ)
    )


@dataclass(slots=True)
class _Waiting:
    told: str = ""

    async def show(self, progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        if message and message != self.told:
            _say(f"  ... {message}")
            self.told = message


def _show(arguments: dict[str, Any], answer: dict[str, Any]) -> None:
    _say(f"> {arguments['prompt']}")
    score = answer["complexity"]
    if answer["status"] == "planned":
        _say(f"  plan only (dry_run), score {score['score']:.2f} {score['signals']}")
        _say(f"  would try: {', '.join(step['model'] for step in answer['plan'])}")
        for one in answer["excluded"]:
            _say(f"  left out {one['model']}: {one['reason']}")
    else:
        _say(f"  {answer['text'].strip()}")
        where = "on this machine" if answer["local"] else "in the cloud"
        kept = ", from the cache" if answer["cached"] else ""
        _say(f"  {answer['model']} {where}{kept}, score {score['score']:.2f}, {answer['latency_ms']} ms")
    _say(f"  why: {answer['reason']}")
    _say(f"  cost ${answer['cost_usd']:g}, left this month {_usd(answer['budget']['month_remaining_usd'])}\n")


def _show_budget(budget: dict[str, Any]) -> None:
    _say(
        f"budget of this month: {_usd(budget['cap_usd'])}, spent {_usd(budget['spent_usd'])}, "
        f"answers: {budget['local_requests']} local, {budget['cloud_requests']} cloud; "
        f"saved {_usd(budget['saved_usd'])} against {budget['baseline_model'] or 'no cloud model'}"
    )


def _usd(amount: float | None) -> str:
    return "no cap" if amount is None else f"${amount:g}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
