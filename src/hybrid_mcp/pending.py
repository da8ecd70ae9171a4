"""Calls under way: each has a name, and one whose client did not wait for it can be picked up by that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from hybrid_mcp.domain.completion import MAX_DEADLINE_S, Request, Usage
from hybrid_mcp.domain.errors import InvalidRequest, NoRoute

if TYPE_CHECKING:
    from hybrid_mcp.app import App
    from hybrid_mcp.domain.answer import Answer
    from hybrid_mcp.domain.budget import Account

MOST_RUNNING = 32
"""Calls of one client that go on by themselves at once: an agent that fetches none of them is in a loop."""
MOST_KEPT = 100
"""Results of one client that wait to be fetched; the oldest makes place for the next."""


class Pulse:
    """Implements `Progress`: remembers what to tell a client that asks what a call is at."""

    def __init__(self) -> None:
        self.words = "routing"
        self._characters = 0

    def asking(self, model: str) -> None:
        self._characters, self.words = 0, f"asking {model}"

    def delta(self, text: str) -> None:
        self._characters += len(text)
        self.words = f"answering, {self._characters:,} characters so far"

    def aside(self, text: str) -> None:
        self.words = "thinking"

    def told(self, usage: Usage) -> None:
        pass

    def status(self, text: str) -> None:
        self.words = text


@dataclass(slots=True, kw_only=True)
class Work:
    """One call. `outcome` is None while it runs; after it, nothing of the request is kept."""

    id: str
    account: Account
    request: Request
    attempt_s: float
    started: float
    pulse: Pulse = field(default_factory=Pulse)
    outcome: Answer | Exception | None = None
    done: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Pending:
    """Runs calls in a task group of the server's own, so that they may outlive the requests that began them.

    Each client has its own: it learns nothing of the calls of others, and they take no place of its calls.
    """

    def __init__(self) -> None:
        self.group: TaskGroup | None = None
        self._works: dict[str, Work] = {}

    def start(self, app: App, request: Request, account: Account) -> Work:
        """Begin a call that may take `MAX_DEADLINE_S` seconds.

        Raises:
            NoRoute: too many of them run.
        """
        running = [work.id for work in self._of(account) if work.outcome is None]
        if len(running) >= MOST_RUNNING or self.group is None:
            raise NoRoute(
                f"{len(running)} calls go on already, which is the limit: fetch one with get_completion "
                f"({', '.join(running[:3])}), or call without on_deadline"
            )
        long = replace(request, deadline_s=MAX_DEADLINE_S)
        work = Work(
            id=app.service.new_id(), account=account, request=long, attempt_s=request.deadline_s,
            started=app.service.clock.monotonic(),
        )  # fmt: skip
        self._works[work.id] = work
        self._forget_oldest(account)
        self.group.start_soon(self._run, app, work)
        return work

    def find(self, request_id: str, account: Account) -> Work:
        """The client's own call of that name.

        Raises:
            InvalidRequest: there is none.
        """
        work = self._works.get(request_id)
        if work is None or work.account != account:
            raise InvalidRequest(
                'no such request_id: only your own calls with on_deadline="continue" can be fetched while this '
                f"server runs, and the last {MOST_KEPT} are kept"
            )
        return work

    async def aclose(self) -> None:
        """Break off what runs, and wait until it is settled."""
        for work in self._works.values():
            work.scope.cancel()
        for work in self._works.values():
            await work.done.wait()

    async def _run(self, app: App, work: Work) -> None:
        try:
            with work.scope:
                work.outcome = await app.service.complete(
                    work.request, work.pulse, work.account, work.id, work.attempt_s
                )
        except Exception as error:  # noqa: BLE001 - it is raised where the call is fetched, and must not end the others
            work.outcome = error
        finally:
            work.outcome = work.outcome or NoRoute("the call was broken off before it was finished: call again")
            work.request = replace(work.request, prompt="-", context="", system_prompt="", response_schema="")
            work.done.set()

    def break_off(self, is_gone: Callable[[str], bool]) -> None:
        """End the calls of clients that are gone."""
        for work in self._works.values():
            if work.outcome is None and is_gone(work.account.client):
                work.scope.cancel()

    def _of(self, account: Account) -> list[Work]:
        return [work for work in self._works.values() if work.account == account]

    def _forget_oldest(self, account: Account) -> None:
        kept = self._of(account)
        finished = [work.id for work in kept if work.outcome is not None]
        for name in finished[: max(0, len(kept) - MOST_KEPT)]:
            del self._works[name]
