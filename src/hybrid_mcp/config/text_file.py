"""Reads one small text file, with an error that says what to do for each way in which that fails."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hybrid_mcp.domain.errors import ConfigError

MAX_BYTES = 262_144
"""Far above any profile or whitelist that a person keeps."""

Version = tuple[int, int, int]
"""Modification time in nanoseconds, size and inode: they change whenever a file is written or replaced."""

_MARKS = {b"\xef\xbb\xbf": "a byte order mark", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def named(path: Path) -> str:
    """The path on one line, whatever its characters."""
    text = str(path)
    return text if text.isprintable() else repr(text)[1:-1]


def wrong(path: Path, line: int | None, key: str, problem: str) -> ConfigError:
    """`FILE:LINE: KEY: what is wrong; what to do`, without the parts that are not known."""
    place = named(path) if line is None else f"{named(path)}:{line}"
    return ConfigError(f"{place}: {key}: {problem}" if key else f"{place}: {problem}")


def unusable(path: Path, error: OSError | ValueError) -> ConfigError:
    """The system's own reason, such as 'Permission denied'."""
    reason = (error.strerror if isinstance(error, OSError) else None) or "not a usable path"
    return wrong(path, None, "", f"{reason}; check the path and its permissions")


def version(status: os.stat_result) -> Version:
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_text(path: Path) -> str:
    """The file's text: UTF-8 without a byte order mark, at most `MAX_BYTES`.

    Raises:
        ConfigError: it is not that, or cannot be read. The message names the path.
    """
    return read_version(path)[0]


def read_version(path: Path) -> tuple[str, Version]:
    """The text as `read_text` gives it, and the version that was read."""
    try:
        _refuse_other_kinds(path, path.stat().st_mode)
        with path.open("rb") as file:
            read = version(os.fstat(file.fileno()))
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise unusable(path, error) from None
    if len(data) > MAX_BYTES:
        raise wrong(path, None, "", f"is larger than {MAX_BYTES:,} bytes; give the right file")
    return _decoded(path, data), read


def _refuse_other_kinds(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise wrong(path, None, "", "is a folder; give a file in it")
    if not stat.S_ISREG(mode):
        raise wrong(path, None, "", "is not a regular file; give a file")


def _decoded(path: Path, data: bytes) -> str:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            raise wrong(path, 1, "", f"starts with {name}; save the file as UTF-8 without a byte order mark")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise wrong(path, line, "", "is not UTF-8 text; save the file as UTF-8") from None
