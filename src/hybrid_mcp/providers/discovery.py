"""Which models are there on this machine: everyone is asked at once, and nobody is waited for."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Provider

_SIZE = re.compile(r"(?<![a-z0-9.])e?(?:(\d+)x)?(\d+(?:\.\d+)?) ?([bm])(?![a-z0-9])", re.IGNORECASE)
_UNITS = {"b": 1_000_000_000, "m": 1_000_000}


async def discover(
    specs: Sequence[ProviderSpec],
    answers: Callable[[ProviderSpec], Awaitable[bool]],
    open_provider: Callable[[ProviderSpec], Provider],
    limit_s: float = 0.3,
) -> list[ModelSpec]:
    """The models of all local servers that answer, smallest first; nobody is waited for longer than `limit_s` seconds.

    A server that is dead, slow or something else altogether is just absent. Only one that `answers` is opened, because
    that loads an SDK. What `open_provider` returns stays the caller's to close.
    """
    alive: list[ProviderSpec] = []

    async def knock(spec: ProviderSpec) -> None:
        if await answers(spec):
            alive.append(spec)

    await _all_within(limit_s, [partial(knock, spec) for spec in specs])

    found: list[ModelSpec] = []

    async def ask(provider: Provider) -> None:
        found.extend(await provider.models())

    # Opened before the clock runs: loading an SDK takes longer than any local server does.
    opened = [open_provider(spec) for spec in alive]
    await _all_within(limit_s, [partial(ask, provider) for provider in opened])
    return sorted(found, key=size_key)


async def _all_within(limit_s: float, works: Sequence[Callable[[], Awaitable[None]]]) -> None:
    async def one(work: Callable[[], Awaitable[None]]) -> None:
        with anyio.move_on_after(limit_s):
            try:
                await work()
            except HybridError:
                return

    async with anyio.create_task_group() as group:
        for work in works:
            group.start_soon(one, work)


def size_key(model: ModelSpec) -> tuple[float, str]:
    """Orders models from small to large, those of unknown size last."""
    return (model.parameters or math.inf, model.name)


def parameters_in(name: str) -> int | None:
    """The number of parameters that a model's name tells, such as `qwen2.5:0.5b` or `mixtral-8x7b`."""
    found = _SIZE.search(name)
    if found is None:
        return None
    experts, number, unit = found.groups()
    return round(int(experts or 1) * float(number) * _UNITS[unit.lower()])
