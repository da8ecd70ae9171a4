"""How much memory this machine has."""

from __future__ import annotations

import os
import sys


def machine_memory_bytes() -> int | None:
    """All of the main memory, used or not; None where the system does not tell."""
    if sys.platform == "win32":
        return _on_windows()
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    return size if size > 0 else None


if sys.platform == "win32":
    import ctypes

    class _MemoryStatus(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong), ("load", ctypes.c_ulong), ("total_physical", ctypes.c_ulonglong),
            ("free_physical", ctypes.c_ulonglong), ("total_page_file", ctypes.c_ulonglong),
            ("free_page_file", ctypes.c_ulonglong), ("total_virtual", ctypes.c_ulonglong),
            ("free_virtual", ctypes.c_ulonglong), ("free_extended_virtual", ctypes.c_ulonglong),
        )  # fmt: skip

    def _on_windows() -> int | None:
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        told = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total_physical) if told else None
