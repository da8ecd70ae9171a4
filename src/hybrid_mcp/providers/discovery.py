"""Which models are there on this machine: everyone is asked at once, and nobody is waited for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

import anyio

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Provider

_SIZE = re.compile(r"(?<![a-z0-9.])e?(?:(\d+)x)?(\d+(?:\.\d+)?) ?([bm])(?![a-z0-9])", re.IGNORECASE)
_UNITS = {"b": 1_000_000_000, "m": 1_000_000}


async def discover(
    specs: Sequence[ProviderSpec], open_provider: Callable[[ProviderSpec], Provider], limit_s: float = 0.3
) -> list[ModelSpec]:
    """The models of all local servers that answer within `limit_s` seconds, smallest first.

    A server that is dead, slow or something else altogether is just absent. What `open_provider` returns stays the
    caller's to close.
    """
    found: list[ModelSpec] = []

    async def ask(spec: ProviderSpec) -> None:
        with anyio.move_on_after(limit_s):
            try:
                found.extend(await open_provider(spec).models())
            except HybridError:
                return

    async with anyio.create_task_group() as group:
        for spec in specs:
            group.start_soon(ask, spec)
    return sorted(found, key=size_key)


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
