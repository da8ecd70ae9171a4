"""Reads what answers are judged by while the first one of a process is written."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from importlib import import_module

import anyio
from anyio import to_thread

from hybrid_mcp.domain.completion import Completion

JUDGED_BY = "hybrid_mcp.domain.answer_signs"


async def while_the_judge_reads(asked: Awaitable[Completion]) -> Completion:
    """The answer. No start waits for what the judge reads, which takes half a second, and no other call either: a
    thread reads it. An answer waits for the rest of it, an error does not.
    """
    # While another call's thread reads it, a part of it is there already.
    if hasattr(sys.modules.get(JUDGED_BY), "signs"):
        return await asked
    ended: list[Completion | Exception] = []
    async with anyio.create_task_group() as group:
        group.start_soon(_read)
        try:
            ended.append(await asked)
        except Exception as error:  # noqa: BLE001  # raised below: out of the group it would come as a group of errors
            ended.append(error)
            group.cancel_scope.cancel()
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ended[0]


async def _read() -> None:
    await to_thread.run_sync(import_module, JUDGED_BY, abandon_on_cancel=True)
