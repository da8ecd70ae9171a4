"""Whether a model fits into the memory that is there, and whether it lies on the graphics card as a whole."""

from __future__ import annotations

from hybrid_mcp.domain.profile import ModelSpec, Resident

GB = 1_000_000_000
WORKING_BYTES = GB // 2
"""An estimate: the buffers of a server and the cache of a context of some thousand tokens, which Ollama has by default.
A larger window takes more."""
WHOLE_PERCENT = 90
"""A loaded model with less than this share on the graphics card runs partly on the processor, many times slower."""


def needed_bytes(spec: ModelSpec) -> int | None:
    """What a model takes in memory: as its server tells once it is loaded, before that by an estimate, a tenth more
    than its file and `WORKING_BYTES`. None where neither is known."""
    if spec.resident is not None and spec.resident.memory_bytes is not None:
        return spec.resident.memory_bytes
    return None if spec.file_bytes is None else spec.file_bytes * 11 // 10 + WORKING_BYTES


def is_split(resident: Resident | None) -> bool:
    """Whether a loaded model lies partly on a graphics card and partly beside it. One that uses no card is whole."""
    if resident is None or resident.memory_bytes is None or not resident.card_bytes:
        return False
    return resident.card_bytes * 100 < resident.memory_bytes * WHOLE_PERCENT


def misfit(spec: ModelSpec, memory_bytes: int | None) -> str | None:
    """Why a model cannot run where its models may take `memory_bytes`, and what to do; None where it can, or where
    nobody knows."""
    needed = needed_bytes(spec)
    if needed is None or memory_bytes is None or needed <= memory_bytes:
        return None
    takes = f"takes {gigabytes(needed)}" if spec.resident is not None else f"needs about {gigabytes(needed)}"
    provider = spec.provider
    if provider.memory_bytes is not None:
        there = f"the models of {provider.name} may take {gigabytes(memory_bytes)} (its memory_gb)"
        return f"it {takes} of memory, and {there}: use a smaller quantisation or model, or raise memory_gb"
    return (
        f"it {takes} of memory, and this machine has {gigabytes(memory_bytes)}: use a smaller quantisation or model, "
        f"or set `memory_gb` of provider {provider.name} in the profile, where its graphics cards have more"
    )


def split_note(resident: Resident | None) -> str | None:
    """In words that a loaded model does not lie on the graphics card as a whole; None where it does."""
    if resident is None or not is_split(resident):
        return None
    on_card, whole = gigabytes(resident.card_bytes or 0), gigabytes(resident.memory_bytes or 0)
    return f"runs partly on the processor: {on_card} of its {whole} lie on the graphics card"


def gigabytes(size: int) -> str:
    """A number of bytes in units of 10^9."""
    return f"{size / GB:,.1f} GB"
