"""Drives the server with one client library, in that library's environment; JSON in, JSON out."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from tests.clients.adapters import CLIENTS, Connect, Refused, Session, Where

SHORT_S = 8.0
"""Less than the slow call takes, and enough to start a server on a busy machine."""
PATIENT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`kind`: the text is an answer, what the tool refused with, or what the client raised of its own."""

    kind: str
    text: str
    seconds: float


async def outcome(session: Session, name: str, **arguments: Any) -> Outcome:
    began = time.monotonic()
    try:
        kind, text = "answer", await session.call(name, arguments)
    except Refused as error:
        kind, text = "refusal", str(error)
    except Exception as error:  # noqa: BLE001 - what a client raises is what is looked at
        kind, text = "raised", f"{type(error).__name__}: {error}"
    return Outcome(kind=kind, text=text, seconds=round(time.monotonic() - began, 1))


async def every_tool(connect: Connect, where: Where, me: str) -> dict[str, Outcome]:
    async with connect(where, PATIENT_S, owner=False) as session:
        tools = Outcome(kind="answer", text=" ".join(await session.tools()), seconds=0)
        paid = await outcome(session, "route_completion", prompt=f"Do it, {me}", force_cloud=True)
        known = json.loads(paid.text)["request_id"] if paid.kind == "answer" else "none"
        return {
            "tools": tools,
            "paid": paid,
            "local": await outcome(
                session, "route_completion", prompt="What is the capital of France?", force_local=True
            ),
            "dry_run": await outcome(session, "route_completion", prompt="Refactor it", dry_run=True),
            "unknown": await outcome(session, "route_completion", prompt="Do it", promt="Do it"),
            "check": await outcome(session, "check_allowed", resource_type="domains", resource_name="example.com"),
            "wish": await outcome(session, "add_to_whitelist", resource_type="domains", resource_name="example.com"),
            "budget": await outcome(session, "budget_status"),
            "fetch": await outcome(session, "get_completion", request_id="none"),
            "report": await outcome(session, "report_outcome", request_id=known, ok=True),
        }


async def asked_in_the_client(connect: Connect, where: Where, me: str) -> Outcome:
    async with connect(where, PATIENT_S, owner=True) as session:
        return await outcome(session, "add_to_whitelist", resource_type="domains", resource_name=f"{me}.example.org")


async def slow(connect: Connect, where: Where, me: str, timeout_s: float | None) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    try:
        async with connect(where, timeout_s, owner=False) as session:
            asked = {"prompt": f"slowly, {me} {timeout_s}", "force_cloud": True}
            found["slow"] = await outcome(session, "route_completion", **asked)
            found["after"] = await outcome(session, "budget_status")
    except Exception as error:  # noqa: BLE001 - langchain cannot close after a call that it gave up
        found["close"] = Outcome(kind="raised", text=f"{type(error).__name__}: {error}", seconds=0)
    return found


async def continued(connect: Connect, where: Where, me: str, timeout_s: float | None) -> dict[str, Outcome]:
    """What a client with a short time-out can do without a setting of its own."""
    async with connect(where, timeout_s, owner=False) as session:
        await outcome(session, "budget_status")
        asked = {"prompt": f"slowly, {me}, go on", "force_cloud": True, "deadline_s": 3, "on_deadline": "continue"}
        began, first = time.monotonic(), await outcome(session, "route_completion", **asked)
        last, calls = first, 1
        while last.kind == "answer" and (status := json.loads(last.text))["status"] == "running" and calls < 20:
            last = await outcome(session, "get_completion", request_id=status["request_id"], wait_s=3)
            calls += 1
    whole = Outcome(kind=last.kind, text=last.text, seconds=round(time.monotonic() - began, 1))
    return {"first": first, "last": whole, "calls": Outcome(kind="answer", text=str(calls), seconds=0)}


async def main(name: str, given: dict[str, Any]) -> dict[str, Any]:
    connect, can_ask = CLIENTS[name], name != "openai-agents"
    stdio = Where(command=given["command"], args=tuple(given["args"]), env=given["env"])
    http = Where(url=given["url"], headers=given["headers"])
    found: dict[str, Any] = {}
    for transport, where in (("stdio", stdio), ("http", http)):
        me = f"{name}-{transport}"
        found[transport] = await every_tool(connect, where, me)
        if can_ask:
            found[transport]["asked"] = await asked_in_the_client(connect, where, me)
        found[f"{transport}, its own time-out"] = await slow(connect, where, me, None)
    # openai-agents has 5 seconds of its own.
    short = SHORT_S if can_ask else None
    found["stdio, short"] = await slow(connect, stdio, f"{name}-short", short)
    found["stdio, short, continue"] = await continued(connect, stdio, name, short)
    return {part: {step: asdict(one) for step, one in steps.items()} for part, steps in found.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1], json.load(sys.stdin)))))
