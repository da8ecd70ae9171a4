"""The same load on everything that is compared. Also imported where only the standard library and anyio are."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

import anyio


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What the calls of some seconds took: each of them, and all together. `cpu_s`: of the process that is measured."""

    latencies_s: list[float]
    seconds: float
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """`at_once` callers, each with one call after another, for `seconds` or until `most` calls were begun."""

    at_once: int
    seconds: float
    most: int

    _numbers: ClassVar[count[int]] = count(1)

    async def on(self, call: Callable[[str], Awaitable[None]]) -> Slice:
        """`call` gets a prompt that no other call of this process has: whoever keeps answers has to ask anew."""
        latencies_s: list[float] = []
        left = self.most
        began = time.perf_counter()

        async def caller() -> None:
            nonlocal left
            while left > 0 and time.perf_counter() - began < self.seconds:
                left -= 1
                prompt = f"Which word is number {next(self._numbers)} of the list?"
                sent = time.perf_counter()
                await call(prompt)
                latencies_s.append(time.perf_counter() - sent)

        async with anyio.create_task_group() as group:
            for _ in range(self.at_once):
                group.start_soon(caller)
        return Slice(latencies_s=latencies_s, seconds=time.perf_counter() - began)
