from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.socket_guard import sitecustomize as guard
from tests.support_network import offences_of_programs

guard.install()

# A slow machine is no failure.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine() -> Generator[None]:
    """Fails a test for what it did, also where the code under test swallowed the guard's error."""
    guard.offences.clear()
    guard.seen.clear()
    yield
    assert [*guard.offences, *offences_of_programs()] == []
