from __future__ import annotations

from dataclasses import replace

import pytest

from hybrid_mcp.domain.memory import GB, is_split, misfit, needed_bytes, split_note
from hybrid_mcp.domain.profile import ModelSpec, Resident
from tests.support_routing import HERE

MODEL = ModelSpec(provider=HERE, model="m")


@pytest.mark.parametrize(
    ("file_bytes", "resident", "needed"),
    [
        (None, None, None),
        (None, Resident(), None),
        (0, None, GB // 2),
        (10 * GB, None, 11 * GB + GB // 2),
        (10 * GB, Resident(), 11 * GB + GB // 2),
        (10 * GB, Resident(memory_bytes=9 * GB), 9 * GB),
        (None, Resident(memory_bytes=9 * GB), 9 * GB),
    ],
)
def test_what_a_model_takes_is_estimated_from_its_file_until_its_server_tells(
    file_bytes: int | None, resident: Resident | None, needed: int | None
):
    assert needed_bytes(replace(MODEL, file_bytes=file_bytes, resident=resident)) == needed


@pytest.mark.parametrize(
    ("resident", "split"),
    [
        (None, False),
        (Resident(), False),
        (Resident(memory_bytes=100), False),
        (Resident(card_bytes=50), False),
        (Resident(memory_bytes=100, card_bytes=0), False),
        (Resident(memory_bytes=100, card_bytes=1), True),
        (Resident(memory_bytes=100, card_bytes=89), True),
        (Resident(memory_bytes=100, card_bytes=90), False),
        (Resident(memory_bytes=100, card_bytes=100), False),
    ],
)
def test_a_model_is_split_where_a_graphics_card_holds_some_of_it_and_clearly_not_all(
    resident: Resident | None, *, split: bool
):
    assert is_split(resident) is split
    assert (split_note(resident) is not None) is split


def test_how_a_model_is_split_is_told_in_numbers():
    told = split_note(Resident(memory_bytes=20 * GB, card_bytes=11_600_000_000))
    assert told == "runs partly on the processor: 11.6 GB of its 20.0 GB lie on the graphics card"


@pytest.mark.parametrize(
    ("file_bytes", "there", "fits"),
    [
        (10 * GB, 11 * GB + GB // 2, True),
        (10 * GB, 11 * GB + GB // 2 - 1, False),
        (10 * GB, None, True),
        (None, 1, True),
    ],
)
def test_a_model_fits_up_to_the_last_byte(file_bytes: int | None, there: int | None, *, fits: bool):
    assert (misfit(replace(MODEL, file_bytes=file_bytes), there) is None) is fits


def test_a_loaded_model_is_judged_by_what_it_takes_in_truth():
    spec = replace(MODEL, provider=replace(HERE, memory_bytes=12 * GB), file_bytes=11 * GB)
    assert misfit(replace(spec, resident=Resident(memory_bytes=12 * GB)), 12 * GB) is None
    told = misfit(replace(spec, resident=Resident(memory_bytes=13 * GB)), 12 * GB)
    assert told is not None
    assert told.startswith("it takes 13.0 GB of memory, and the models of here may take 12.0 GB")
