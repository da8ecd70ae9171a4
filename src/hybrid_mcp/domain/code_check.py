"""Code in an answer, and what its run with the caller's assertions shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hybrid_mcp.domain.attempts import Tried
from hybrid_mcp.domain.judging import GOOD, Verdict
from hybrid_mcp.domain.routing import Step

RunOutcome = Literal["passed", "failed", "too_long", "unreadable", "not_run"]

MAX_CODE_BYTES = 500_000
"""More is no answer that assertions are meant for; the sandbox reads it as a whole."""

PASSED = "its code passed the given assertions"
FAILED = "its code fails the given assertions"
NO_CODE = "there is no Python code in it"
OFF = "the owner has not switched this on: `code_check: bubblewrap` in the profile does"
NO_TIME = "the deadline came first: call again with a larger deadline_s"
UNREADABLE = "they are no Python statements: give some such as `assert f(2) == 4`"

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([^\s`]*)")
_PYTHON = frozenset({"python", "py", "python3", "py3"})
_LOOKED_AT = 200
"""Characters of a line: the expression below would take long for a long one."""
_STATEMENT = re.compile(
    r"(?:async def|def|class)\s+\w+.*:|(?:import|from)\s+[\w.]+|@\w|\w+(?:\s*:\s*[\w\[\], |.]+)?\s*=\s*\S"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRun:
    """How it ended. `why`: why it was not run, and what to do. `limit_s`: the seconds that the code had."""

    outcome: RunOutcome
    why: str = ""
    limit_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Block:
    language: str
    text: str


def python_in(answer: str) -> str | None:
    """The code of an answer: its blocks marked as Python joined, else its unmarked ones, else the whole of it where it
    looks like code; None: there is none. Blocks that show a session at the prompt (`>>>`) are no code."""
    blocks = [one for one in _blocks(answer) if one.text.strip() and not one.text.lstrip().startswith(">>>")]
    for chosen in (_PYTHON, {""}):
        found = [one.text for one in blocks if one.language in chosen]
        if found:
            return "\n".join(found)
    if not blocks and any(_STATEMENT.match(line[:_LOOKED_AT]) for line in answer.split("\n")):
        return answer
    return None


def _blocks(answer: str) -> Iterator[_Block]:
    """What stands between fences; the last one may be open. A block within a list is moved to the margin."""
    fence, language, indent, lines = "", "", 0, list[str]()
    for line in answer.split("\n"):
        found = _fence(line)
        if not fence and found:
            fence, language, indent, lines = found[1], found[2].lower().strip("{.}"), found.start(1), []
        elif fence and found and found[1].startswith(fence) and not found[2]:
            yield _Block(language, "\n".join(lines))
            fence = ""
        elif fence:
            lines.append(line[indent:] if not line[:indent].strip() else line)
    if fence:
        yield _Block(language, "\n".join(lines))


def _fence(line: str) -> re.Match[str] | None:
    """Three backticks with another one behind them are code within a line."""
    found = _FENCE.match(line)
    return None if found is None or "`" in line[found.end(1) :] else found


def may_be_run(one: Tried) -> bool:
    """Whether the attempt has an answer that a run could prove: what is cut off or refused is doubtful as it is."""
    return one.completion is not None and one.completion.finish not in {"length", "refusal"}


def without_code(one: Tried) -> Tried:
    return _doubtful(one, NO_CODE) if one.verdict.good else one


def proven(one: Tried, run: CodeRun) -> Tried:
    """The attempt after its code has run; a proof says more than the model's own confidence."""
    match run.outcome:
        case "passed":
            return replace(one, attempt=replace(one.attempt, outcome="ok", reason=""), verdict=GOOD, proof=PASSED)
        case "failed":
            return _doubtful(one, FAILED)
        case "too_long":
            return _doubtful(one, f"its code took longer than {run.limit_s:g} s")
        case "unreadable":
            return unproven(one, UNREADABLE)
        case "not_run":
            return unproven(one, run.why)


def unproven(one: Tried, why: str) -> Tried:
    """The answer stands as it is; the caller is told that nobody has tried it, and it is not kept for the next one."""
    return replace(one, step=_noted(one.step, f"the assertions were not run: {why}"))


def _doubtful(one: Tried, reason: str) -> Tried:
    return one.judged(Verdict(reasons=(reason,), escalate=True))


def _noted(step: Step, note: str) -> Step:
    return replace(step, note="; ".join(filter(None, (step.note, note))))
