"""`make test-clients`: agent libraries, each in an environment of its own, against our server over stdio and HTTP."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from tests.e2e.test_nothing_is_told import paid_home
from tests.support_e2e import PROGRAM, environment
from tests.support_http import bearer, new_token, served
from tests.support_servers import FakeServer, Received, Reply, openai_chunk, openai_reply

ROOT = Path(__file__).parent.parent.parent
CLIENTS = ROOT / ".cache" / "clients"
NAMES = tuple(sys.argv[1:]) or ("fastmcp", "langchain", "pydantic-ai", "openai-agents")
SLOW_S = 12.0
WORDS = openai_reply(
    openai_chunk("Paid words"), openai_chunk(None, "stop"),
    {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}},
)  # fmt: skip
STEPS: dict[str, tuple[str, str]] = {
    "tools": (
        "answer", "route_completion check_allowed add_to_whitelist budget_status get_completion report_outcome",
    ),
    "local": ("answer", "Paris"),
    "paid": ("answer", "Paid words"),
    "dry_run": ("answer", '"planned"'),
    "unknown": ("refusal", "unknown argument: promt; did you mean prompt?"),
    "check": ("answer", "example.com is not listed in domains"),
    "wish": ("answer", "the owner runs `hybrid-mcp approve"),
    "asked": ("answer", '"added"'),
    "budget": ("answer", '"cap_usd"'),
    "fetch": ("refusal", "no such request_id"),
    "report": ("answer", '"request_id"'),
}  # fmt: skip
"""How each step ends, and what its text holds."""
OVER_HTTP = {"asked": ("answer", '"pending_approval"')}
"""Who holds a token does not answer for the owner."""


@dataclass(slots=True)
class Table:
    """What was found, a client a row; and what is not as it should be."""

    rows: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])


async def main() -> int:
    table = Table()
    async with _place() as given:
        for name in NAMES:
            began = time.monotonic()
            found = await _driven(name, given, table)
            _say(f"{name}: {time.monotonic() - began:.0f} s")
            if found is not None:
                _judge(name, found, table)
    for line in (*table.rows, *table.problems):
        _say(line)
    return 1 if table.problems else 0


@asynccontextmanager
async def _place() -> AsyncGenerator[dict[str, Any]]:
    """A home with a paid model that can be slow, a server over HTTP, and how to start one over stdio."""
    with tempfile.TemporaryDirectory() as folder, FakeServer(_provider) as provider:
        home = paid_home(Path(folder), provider)
        async with served(home, profile="paid", environ={"FAKE_KEY": "k"}) as http:
            yield {
                "command": str(PROGRAM), "args": ["serve", "--profile", "paid"],
                "env": environment(home, FAKE_KEY="k"), "url": f"{http.url}/mcp", "headers": bearer(new_token(home)),
            }  # fmt: skip


def _provider(received: Received) -> Reply:
    if "slowly" not in json.dumps(received.json["messages"]):
        return WORDS

    def body() -> Generator[bytes]:
        time.sleep(SLOW_S)
        yield from (piece for piece in WORDS.body if isinstance(piece, bytes))

    return Reply(content_type="text/event-stream", body=body())


async def _driven(name: str, given: dict[str, Any], table: Table) -> dict[str, Any] | None:
    done = await anyio.run_process(
        [CLIENTS / name / "bin" / "python", "-m", "tests.clients.driving", name],
        input=json.dumps(given).encode(), check=False, cwd=ROOT,
    )  # fmt: skip
    if done.returncode != 0:
        table.problems.append(f"{name}: {done.stderr.decode()[-2000:]}")
        return None
    return json.loads(done.stdout)


def _judge(name: str, found: dict[str, Any], table: Table) -> None:
    for transport in ("stdio", "http"):
        good = 0
        for step, one in found[transport].items():
            kind, holds = {**STEPS, **(OVER_HTTP if transport == "http" else {})}[step]
            if one["kind"] == kind and holds in one["text"].replace('": ', '":'):
                good += 1
            else:
                table.problems.append(f"{name}, {transport}, {step}: {one}")
        table.rows.append(f"{name}, {transport}: {good} of {len(found[transport])} steps as they should be")
    for part, steps in found.items():
        if part not in {"stdio", "http"}:
            told = "; ".join(
                f"{step}: {one['kind']} in {one['seconds']} s {_brief(one)}" for step, one in steps.items()
            )
            table.rows.append(f"{name}, {part}: {told}")
    if "Paid words" not in found["stdio, short, continue"]["last"]["text"]:
        table.problems.append(f"{name}: a call that goes on was not fetched: {found['stdio, short, continue']}")


def _brief(one: dict[str, Any]) -> str:
    return f"({one['text'][:90]})" if one["kind"] == "raised" else ""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(anyio.run(main))
