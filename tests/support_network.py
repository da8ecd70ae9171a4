"""What the tests know of the network that they, and the programs they start, used."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from tests.socket_guard import sitecustomize as guard

OFFENCES = Path(gettempdir()) / f"hybrid-mcp-test-offences-{os.getpid()}"
"""Where the programs that these tests start write down what they should not have done."""


def guarded_programs(offences: Path = OFFENCES) -> dict[str, str]:
    """The environment in which a started Python program is guarded too, and tells its offences in this file."""
    return {"PYTHONPATH": str(Path(guard.__file__).parent), guard.OFFENCES_FILE: str(offences)}


def offences_of_programs() -> list[str]:
    """What started programs did wrong since the last call."""
    try:
        return OFFENCES.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    finally:
        OFFENCES.unlink(missing_ok=True)


@contextmanager
def offences_expected() -> Generator[list[str]]:
    """Collects what the guard refuses in the block, so that the test does not fail for it."""
    before = len(guard.offences)
    found: list[str] = []
    try:
        yield found
    finally:
        found.extend(guard.offences[before:])
        del guard.offences[before:]


@contextmanager
def network_use() -> Generator[list[str]]:
    """Collects every connection and every question for a name in the block, those to this machine too."""
    before = len(guard.seen)
    found: list[str] = []
    try:
        yield found
    finally:
        found.extend(guard.seen[before:])
