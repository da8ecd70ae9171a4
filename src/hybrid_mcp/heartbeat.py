"""A call that tells its client every few seconds that it is alive."""

from __future__ import annotations

import anyio
from mcp.server.mcpserver.exceptions import ToolError

from hybrid_mcp.app import App
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.completion import Request, Usage
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.host import Calls

HEARTBEAT_S = 2.0
"""Clients reset their time-outs on progress; the promise is one notification at least every 3 seconds."""


async def with_heartbeat(app: App, request: Request, ctx: Calls) -> Answer:
    """Run the call and tell the client every few seconds that it is alive."""
    pulse = _Pulse()
    outcomes: list[Answer | HybridError] = []
    async with anyio.create_task_group() as group:
        group.start_soon(pulse.beat, ctx)
        try:
            outcomes.append(await app.service.complete(request, pulse, app.account))
        except HybridError as error:
            # Raised inside the group it would reach the client as a group of errors.
            outcomes.append(error)
        group.cancel_scope.cancel()
    outcome = outcomes[0]
    if isinstance(outcome, HybridError):
        raise ToolError(str(outcome)) from outcome
    return outcome


class _Pulse:
    """Implements `Progress`: remembers what to tell, and tells it at each beat with a value that always grows."""

    def __init__(self) -> None:
        self._characters = 0
        self._words = "routing"

    def asking(self, model: str) -> None:
        self._characters, self._words = 0, f"asking {model}"

    def delta(self, text: str) -> None:
        self._characters += len(text)
        self._words = f"answering, {self._characters:,} characters so far"

    def aside(self, text: str) -> None:
        self._words = "thinking"

    def told(self, usage: Usage) -> None:
        pass

    def status(self, text: str) -> None:
        self._words = text

    async def beat(self, ctx: Calls) -> None:
        count = 0
        while True:
            await anyio.sleep(HEARTBEAT_S)
            count += 1
            await ctx.report_progress(count, None, self._words)
