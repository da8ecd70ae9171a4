"""`make test-conformance`: the official suite over HTTP, without fixtures and with them; the Inspector over stdio."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import anyio
import yaml
from mcp import MCPDeprecationWarning

from tests.conformance.inspector import inspected
from tests.conformance.node import SUITE, SUITE_RULES, node_program
from tests.conformance.serving import served

HERE = Path(__file__).parent
REVISIONS = ("2026-07-28", "2025-11-25")
ROW = "{:<22}{:<12}{:>9}{:>8}{:>8}{:>12}{:>12}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of the suite. The keys are scenarios, the values the outcomes of their checks."""

    server: str
    revision: str
    exit_code: int
    required: dict[str, Counter[str]]
    unscored: dict[str, Counter[str]]
    said: str

    def row(self) -> str:
        passed, of = _passed(self.required), len(self.required)
        checks = sum(self.required.values(), Counter[str]())
        return ROW.format(
            self.server, self.revision, of, passed, of - passed,
            f"{checks['SUCCESS']}/{checks['SUCCESS'] + checks['FAILURE']}",
            f"{_passed(self.unscored)}/{len(self.unscored)}",
        )  # fmt: skip


async def main() -> int:
    """The exit code: 0 where only what is listed as an expected failure fails."""
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # the suite wants what the newer revision deprecates
    runs = [ran async for ran in _runs()]
    _say(ROW.format("server", "revision", "required", "passed", "failed", "checks", "not scored"))
    for ran in runs:
        _say(ran.row())
    wrong = [ran for ran in runs if ran.exit_code != 0]
    for ran in wrong:
        _say(f"\n{ran.server}, {ran.revision}: exit code {ran.exit_code}\n{ran.said[ran.said.find('=== SUMMARY') :]}")
    problems = [problem async for problem in inspected(_say)]
    for problem in problems:
        _say(f"Inspector: {problem}")
    return 1 if wrong or problems else 0


async def _runs() -> AsyncGenerator[Ran]:
    for name, fixtures in (("hybrid-mcp", False), ("hybrid-mcp + fixtures", True)):
        with tempfile.TemporaryDirectory() as folder:
            async with served(Path(folder) / "home", fixtures=fixtures) as url:
                for revision in REVISIONS:
                    baseline = None if fixtures else HERE / f"expected-failures-{revision}.yml"
                    yield await _run(name, url, revision, Path(folder) / revision, baseline)


async def _run(name: str, url: str, revision: str, results: Path, baseline: Path | None) -> Ran:
    command = [node_program(), SUITE, "server", "--url", url, "--requirements", revision, "-o", results]
    more = [] if baseline is None else ["--expected-failures", baseline]
    done = await anyio.run_process([*command, *more], check=False)
    found = _outcomes(results)
    rules = yaml.safe_load((SUITE_RULES / f"{revision}.yaml").read_text(encoding="utf-8"))
    return Ran(
        server=name, revision=revision, exit_code=done.returncode, said=done.stdout.decode(),
        required={scenario: found.pop(scenario, Counter()) for scenario in rules["server"]}, unscored=found,
    )  # fmt: skip


def _outcomes(results: Path) -> dict[str, Counter[str]]:
    """Of the checks in each scenario, from the files that the suite writes: server-SCENARIO-TIME/checks.json."""
    found: dict[str, Counter[str]] = {}
    for file in sorted(results.glob("server-*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", file.parent.name)
        checks = json.loads(file.read_text(encoding="utf-8"))
        found[scenario] = Counter(check["status"] for check in checks)
    return found


def _passed(scenarios: dict[str, Counter[str]]) -> int:
    return sum(checks["SUCCESS"] > 0 and checks["FAILURE"] == 0 for checks in scenarios.values())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(anyio.run(main))
