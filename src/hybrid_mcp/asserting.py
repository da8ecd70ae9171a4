"""Tries the code of an answer with the caller's assertions, where the owner has switched that on."""

from __future__ import annotations

from hybrid_mcp.domain.attempts import Tried
from hybrid_mcp.domain.code_check import (
    MAX_CODE_BYTES,
    NO_TIME,
    OFF,
    may_be_run,
    proven,
    python_in,
    unproven,
    without_code,
)
from hybrid_mcp.ports import CodeRunner, Progress

TOO_LONG = f"the code has more than {MAX_CODE_BYTES:,} characters: ask for less at once"


async def with_assertions(
    one: Tried, assertions: str, runner: CodeRunner | None, left_s: float, progress: Progress
) -> Tried:
    """The attempt, and what its code is worth: good where it passes, doubtful where it does not.

    `runner`: None where the owner has not switched this on. Where nothing was run, the answer is told so and no more.
    """
    if not assertions or one.completion is None or not may_be_run(one):
        return one
    if runner is None:
        return unproven(one, OFF)
    code = python_in(one.completion.text[: 2 * MAX_CODE_BYTES])
    if code is None:
        return without_code(one)
    if max(len(code), len(one.completion.text) / 2) > MAX_CODE_BYTES:
        return unproven(one, TOO_LONG)
    if left_s <= 0:
        return unproven(one, NO_TIME)
    progress.status("running its code with the given assertions")
    return proven(one, await runner.run(code, assertions, left_s))
