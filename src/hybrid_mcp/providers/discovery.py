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

MODELS_KEPT = 100
"""Of one server, the first in its own order: a person has some dozens, and each costs a question for its details."""
NAME_CHARACTERS = 500
LARGEST = 10**15
"""No file has so many bytes, no model so many parameters, no window so many tokens: what is larger is no number."""
HERE_S = 1.0
"""A server of this machine may be slow to answer just because it is at work: all of it takes the processor."""
ELSEWHERE_S = 0.3
"""One in the local network answers in a few milliseconds, or is switched off."""
_SIZE = re.compile(
    r"(?<![a-z0-9.])e?(?:(\d{1,3})x)?(\d{1,6}(?:\.\d{1,6})?) ?([bm])(?![a-z0-9])", re.IGNORECASE | re.ASCII
)
_UNITS = {"b": 1_000_000_000, "m": 1_000_000}


async def discover(
    specs: Sequence[ProviderSpec],
    answers: Callable[[ProviderSpec], Awaitable[bool]],
    open_provider: Callable[[ProviderSpec], Provider],
    patience_s: float = math.inf,
) -> list[ModelSpec]:
    """The models of all local servers that answer, smallest first. Nobody is waited for longer, in each of two steps,
    than its place asks for, and than `patience_s` seconds.

    A server that is dead, slow or something else altogether is just absent. Only one that `answers` is opened, because
    that loads an SDK. What `open_provider` returns stays the caller's to close.
    """
    alive: list[ProviderSpec] = []

    async def knock(spec: ProviderSpec) -> None:
        if await answers(spec):
            alive.append(spec)

    await _all_within([(partial(knock, spec), min(patience_s, _patience_s(spec))) for spec in specs])

    found: list[ModelSpec] = []

    async def ask(provider: Provider) -> None:
        found.extend(await provider.models())

    # Opened before the clock runs: loading an SDK takes longer than any local server does.
    opened = [(open_provider(spec), min(patience_s, _patience_s(spec))) for spec in alive]
    await _all_within([(partial(ask, provider), limit_s) for provider, limit_s in opened])
    return sorted(found, key=size_key)


def _patience_s(spec: ProviderSpec) -> float:
    return HERE_S if spec.loopback else ELSEWHERE_S


async def _all_within(works: Sequence[tuple[Callable[[], Awaitable[None]], float]]) -> None:
    """Do all at once, each within its seconds."""

    async def one(work: Callable[[], Awaitable[None]], limit_s: float) -> None:
        with anyio.move_on_after(limit_s):
            try:
                await work()
            except HybridError:
                return

    async with anyio.create_task_group() as group:
        for work, limit_s in works:
            group.start_soon(one, work, limit_s)


def size_key(model: ModelSpec) -> tuple[float, str]:
    """Orders models from small to large, those of unknown size last."""
    return (model.parameters or math.inf, model.name)


def parameters_in(name: str) -> int | None:
    """The number of parameters that a model's name tells, such as `qwen2.5:0.5b` or `mixtral-8x7b`."""
    found = _SIZE.search(name)
    if found is None:
        return None
    experts, number, unit = found.groups()
    return known(round(int(experts or 1) * float(number) * _UNITS[unit.lower()]))


def known(value: object) -> int | None:
    """A size or number of tokens that a server tells; None where it is no number or an absurd one."""
    return value if isinstance(value, int) and 0 < value <= LARGEST else None


def is_name(text: str) -> bool:
    """Whether a terminal can show it as it is: a server's text may hold escape sequences."""
    return 0 < len(text) <= NAME_CHARACTERS and text.isprintable()
