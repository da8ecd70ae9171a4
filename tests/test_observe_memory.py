from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from hybrid_mcp.observe.memory import machine_memory_bytes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads what Linux tells of its memory")
def test_this_machines_memory_is_what_its_system_tells():
    total = re.search(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    assert total is not None
    assert machine_memory_bytes() == int(total[1]) * 1024


def test_this_machine_has_memory():
    assert (machine_memory_bytes() or 0) > 100_000_000


@pytest.mark.skipif(os.name != "posix", reason="asks another way on Windows")
@pytest.mark.parametrize("told", [-1, 0, OSError(), ValueError()])
def test_a_system_that_does_not_tell_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch, told: int | Exception):
    def sysconf(_: str) -> int:
        if isinstance(told, Exception):
            raise told
        return told if _ == "SC_PHYS_PAGES" else 4096

    monkeypatch.setattr(os, "sysconf", sysconf)
    assert machine_memory_bytes() is None
