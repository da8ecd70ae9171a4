"""The Inspector's command line, with the installed program over stdio, in both eras of the protocol."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from tests.conformance.node import INSPECTOR, node_program
from tests.support_e2e import PROGRAM, environment, write_profile
from tests.support_embedded import home_with_model

ERAS = ("modern", "legacy")
PASSED, TOOL_ERROR = 0, 5
"""Exit codes; 6 would be a schema that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the Inspector is to do, how it is to end, and a word that its answer is to hold."""

    method: str
    arguments: tuple[str, ...] = ()
    exit_code: int = PASSED
    holds: str = ""

    def __str__(self) -> str:
        return " ".join((self.method, *self.arguments[:2]))


def call(tool: str, exit_code: int = PASSED, holds: str = "", **arguments: Any) -> Step:
    given = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
    return Step(method="tools/call", arguments=given, exit_code=exit_code, holds=holds)


STEPS = (
    Step(method="tools/list", arguments=("--strict",), holds="route_completion"),
    Step(method="resources/list", holds="hybrid://whitelist"),
    Step(method="resources/templates/list", holds="hybrid://usage/{period}"),
    Step(method="resources/read", arguments=("--uri", "hybrid://profile"), holds="embedded-only"),
    Step(method="prompts/list", holds='"name":"delegate"'),
    call("route_completion", holds="Paris", prompt="What is the capital of France?"),
    call("route_completion", holds="planned", prompt="Refactor it", dry_run=True),
    call("route_completion", TOOL_ERROR, "did you mean prompt?", promt="Do it"),
    call("check_allowed", holds='"allowed":false', resource_type="domains", resource_name="example.com"),
    call("add_to_whitelist", holds="pending_approval", resource_type="domains", resource_name="example.com"),
    call("budget_status", holds='"cap_usd":5'),
    call("get_completion", TOOL_ERROR, "no such request_id", request_id="none"),
    call("report_outcome", TOOL_ERROR, "request_id", request_id="none", ok=True),
)


async def inspected(say: Callable[[str], None]) -> AsyncGenerator[str]:
    """What went otherwise than it should."""
    with tempfile.TemporaryDirectory() as folder:
        home = home_with_model(Path(folder))
        write_profile(home)
        for era in ERAS:
            problems = [problem async for problem in _in_era(home, era)]
            say(f"Inspector, {era:<6} {len(STEPS) - len(problems)} of {len(STEPS)} steps as they should be")
            for problem in problems:
                yield problem


async def _in_era(home: Path, era: str) -> AsyncGenerator[str]:
    # The Inspector keeps its own environment from the server, so the home is given by name.
    for step in STEPS:
        server = [PROGRAM, "serve", "--home", home, "--profile", "test"]
        how = ["--protocol-era", era, "--format", "json", "--method", step.method, *step.arguments]
        done = await anyio.run_process(
            [node_program(), INSPECTOR, "--cli", *server, *how], check=False,
            env=environment(home, MCP_CATALOG_PATH=str(home / "catalog.json")),
        )  # fmt: skip
        said = done.stdout.decode()
        if done.returncode != step.exit_code:
            why = done.stderr.decode()[-500:]
            yield f"{era}: {step}: exit code {done.returncode} instead of {step.exit_code}: {why}"
        elif step.holds not in said and json.dumps(step.holds)[1:-1] not in said:
            yield f"{era}: {step}: {step.holds!r} is not in {said[:1000]}"
