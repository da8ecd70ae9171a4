"""A call that tells its client every few seconds that it is alive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
from mcp.server.mcpserver.exceptions import ToolError

from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.host import Calls, Host, in_words
from hybrid_mcp.pending import Pulse, Work

if TYPE_CHECKING:
    from hybrid_mcp.app import App
    from hybrid_mcp.domain.completion import Request

HEARTBEAT_S = 2.0
"""Clients reset their time-outs on progress; the promise is one notification at least every 3 seconds."""


async def with_heartbeat(host: Host, request: Request, ctx: Calls) -> Answer:
    """Run the call and tell the client every few seconds that it is alive."""
    pulse, app, account = Pulse(), host.app(), host.account()
    outcomes: list[Answer | HybridError] = []

    async def run() -> None:
        try:
            outcomes.append(await app.service.complete(request, pulse, account))
        except HybridError as error:
            # Raised inside the group it would reach the client as a group of errors.
            outcomes.append(error)

    await _beating(run, pulse, ctx)
    return _answer_of(outcomes[0])


async def started(host: Host, request: Request, ctx: Calls) -> Answer:
    """Run the call for as long as it takes; at its deadline say by which name it can be fetched.

    A client that cancels the request ends the call.
    """
    app = host.app()
    with in_words():
        work = host.pending.start(app, request, host.account())
    try:
        return await fetched(app, work, request.deadline_s, ctx)
    except anyio.get_cancelled_exc_class():
        work.scope.cancel()
        raise


async def fetched(app: App, work: Work, wait_s: float, ctx: Calls) -> Answer:
    """The call's answer, or after `wait_s` seconds what it is at.

    Raises:
        ToolError: it ended without an answer.
    """
    with anyio.move_on_after(wait_s):
        await _beating(work.done.wait, work.pulse, ctx)
    if work.outcome is not None:
        return _answer_of(work.outcome)
    service = app.service
    ran_s = service.clock.monotonic() - work.started
    return Answer(
        request_id=work.id, status="running", complexity=await service.experience.score(work.request),
        latency_ms=round(ran_s * 1000),
        reason=f"still running after {ran_s:.0f} s ({work.pulse.words}): call get_completion with this request_id",
        budget=await service.purse.view(work.request, work.account),
    )  # fmt: skip


def _answer_of(outcome: Answer | Exception) -> Answer:
    if isinstance(outcome, HybridError):
        raise ToolError(str(outcome)) from outcome
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def _beating(work: Callable[[], Awaitable[object]], pulse: Pulse, ctx: Calls) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_beat, pulse, ctx)
        await work()
        group.cancel_scope.cancel()


async def _beat(pulse: Pulse, ctx: Calls) -> None:
    """Tell it at each beat, with a value that always grows."""
    count = 0
    while True:
        await anyio.sleep(HEARTBEAT_S)
        count += 1
        await ctx.report_progress(count, None, pulse.words)
