"""When a file was made, which a copy of it never has in common with it."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from functools import cache

UNKNOWN = 0

_STATX_BTIME = 0x800
_AT_EMPTY_PATH = 0x1000
_SIZE, _MASK_AT, _BTIME_AT = 256, 0, 80
"""Of `struct statx` in Linux (include/uapi/linux/stat.h)."""


def made_ns(file: int) -> int:
    """When the open file was made, in nanoseconds since 1970; `UNKNOWN` where the system cannot tell.

    Windows cannot: it gives a file that is put in another's place the time of the other one for a while.
    """
    if sys.platform == "darwin":
        return round(os.fstat(file).st_birthtime * 1_000_000_000)
    if sys.platform == "linux":
        return _from_statx(file)
    return UNKNOWN


def _from_statx(file: int) -> int:
    """Python's own `os.stat` does not tell it on Linux before 3.15."""
    found = _statx()(file)
    (known,) = struct.unpack_from("=I", found, _MASK_AT)
    seconds, nanos = struct.unpack_from("=qI", found, _BTIME_AT)
    return seconds * 1_000_000_000 + nanos if known & _STATX_BTIME else UNKNOWN


@cache
def _statx() -> Callable[[int], bytes]:
    """Of the C library: what it knows of an open file, all zeros where that is nothing."""
    try:
        import ctypes  # noqa: PLC0415 - only an opened ledger needs it

        function = ctypes.CDLL(None).statx
    except (ImportError, OSError, AttributeError):  # a Python without it, or an older C library
        return lambda _: bytes(_SIZE)

    def asked(file: int) -> bytes:
        buffer = ctypes.create_string_buffer(_SIZE)
        failed = function(file, b"", _AT_EMPTY_PATH, _STATX_BTIME, buffer)
        return bytes(_SIZE) if failed else buffer.raw

    return asked
