"""A process that makes paid calls through the product's own service, several at once and without end, until killed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path

import anyio

from bench.paid import Call, settings
from hybrid_mcp.app import App, open_app
from hybrid_mcp.domain.completion import Request, Usage
from hybrid_mcp.domain.errors import BudgetExceeded, HybridError, NoRoute
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.observe.silent import Silent

PRELOADED = ("__main__", "bench.worker", "hybrid_mcp.providers.catalog", "hybrid_mcp.providers.openai")
CALLERS = 6
"""Calls at once in each worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What to ask for, on which home folder, under which monthly budget. `name` makes the prompts its own."""

    home: Path
    call: Call
    cap: Usd
    name: str

    def request(self, number: int, caller: int) -> Request:
        return Request(
            prompt=f"Question {number} of {self.name}.{caller}", force_cloud=True, deadline_s=self.call.deadline_s,
            max_output_tokens=self.call.max_output_tokens,
        )  # fmt: skip


def start_worker(work: Work) -> BaseProcess:
    """A fork of a process that has imported everything, where the platform has such; else a new one."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(PRELOADED))
        worker: BaseProcess = context.Process(target=_work, args=(work,), daemon=True)
    else:
        worker = multiprocessing.get_context("spawn").Process(target=_work, args=(work,), daemon=True)
    worker.start()
    return worker


async def call_once(work: Work) -> Sequence[str]:
    """One call by this process; what went wrong, in words."""
    app = open_app(settings(work.home, work.cap), Silent())
    try:
        await app.service.complete(work.request(0, 0), _Unheard(), app.account)
    except HybridError as error:
        return [f"a call did not pass under a cap of {work.cap}: {error}"]
    finally:
        await app.aclose()
    return []


def _work(work: Work) -> None:
    anyio.run(_call_on_and_on, work)


async def _call_on_and_on(work: Work) -> None:
    app = open_app(settings(work.home, work.cap), Silent())
    async with anyio.create_task_group() as group:
        for caller in range(CALLERS):
            group.start_soon(_one_after_another, app, work, caller)


async def _one_after_another(app: App, work: Work, caller: int) -> None:
    for number in count():
        try:
            await app.service.complete(work.request(number, caller), _Unheard(), app.account)
        except (BudgetExceeded, NoRoute):
            # The money is used up: it is asked for again and again, as a stubborn agent would.
            await anyio.sleep(0.05)


class _Unheard:
    """Implements `Progress`."""

    def asking(self, model: str) -> None:
        pass

    def delta(self, text: str) -> None:
        pass

    def aside(self, text: str) -> None:
        pass

    def told(self, usage: Usage) -> None:
        pass

    def status(self, text: str) -> None:
        pass
