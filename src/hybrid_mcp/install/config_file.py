"""A client's configuration on disk: read whole, kept beside itself before it changes, replaced in one step."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp

from hybrid_mcp.config.text_file import named, unusable, wrong

MAX_BYTES = 64 * 1024 * 1024
"""Claude Code keeps histories in its file, and even so it is far smaller."""
_MARK = b"\xef\xbb\xbf"
_OTHERS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """What stood there when it was read. `target`: where a link leads, else the path; `data`: None without a file."""

    path: Path
    target: Path
    data: bytes | None
    mode: int

    @property
    def text(self) -> str:
        """Without the byte order mark. Line ends as they are."""
        return (self.data or b"").removeprefix(_MARK).decode()

    def encoded(self, text: str) -> bytes:
        """The text as this file has it: with a byte order mark where it had one.

        Raises:
            ConfigError: a path in it is no Unicode text.
        """
        mark = _MARK if (self.data or b"").startswith(_MARK) else b""
        try:
            return mark + text.encode()
        except UnicodeEncodeError:
            raise wrong(self.path, None, "", "the program's path is no Unicode text; install it elsewhere") from None


def read_config(path: Path, *, within: Path | None, new_mode: int) -> ConfigFile:
    """The file, read through a link, if that does not lead out of `within`.

    Raises:
        ConfigError: it is none that can be changed safely.
    """
    try:
        target = path.resolve()
        if within is not None and not target.is_relative_to(within.resolve()):
            raise wrong(path, None, "", f"leads out of the project, to {named(target)}; make the change there by hand")
        status = target.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise wrong(path, None, "", "is a link to a file that does not exist; mend the link") from None
        return ConfigFile(path=path, target=path.resolve(), data=None, mode=new_mode)
    except (OSError, ValueError, RuntimeError) as error:
        raise unusable(path, error if isinstance(error, OSError) else ValueError()) from None
    _refuse_unsafe(path, target, status)
    return ConfigFile(path=path, target=target, data=_read(path, target), mode=stat.S_IMODE(status.st_mode))


def replace_config(file: ConfigFile, data: bytes, now: datetime) -> Path | None:
    """Write the file, for its readers in one step, after a copy of the old one was made; the copy's path.

    Raises:
        ConfigError: it was changed since it was read, or cannot be written. It is as it was.
    """
    try:
        file.target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _written(file, data)
        try:
            if _now(file.target) != file.data:
                raise wrong(file.path, None, "", "was changed by another program meanwhile; nothing was written. Again")
            kept = None if file.data is None else _keep(file, file.data, now)
            temporary.replace(file.target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(file.path, error) from None
    return kept


def _written(file: ConfigFile, data: bytes) -> Path:
    descriptor, name = mkstemp(prefix=f".{file.target.name}-", suffix=".tmp", dir=file.target.parent)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    Path(name).chmod(file.mode)
    return Path(name)


def _keep(file: ConfigFile, data: bytes, now: datetime) -> Path:
    """A copy under a name that is free, for the same eyes as the file."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 1_000):
        again = "" if number == 1 else f"-{number}"
        path = file.target.with_name(f"{file.target.name}.{stamp}{again}.bak")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), file.mode)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        return path
    raise wrong(file.path, None, "", "has a thousand copies of this second beside it; take them away")


def _now(target: Path) -> bytes | None:
    try:
        return target.read_bytes()
    except FileNotFoundError:
        return None


def _refuse_unsafe(path: Path, target: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise wrong(path, None, "", "is not a regular file; nothing was changed")
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        raise wrong(path, None, "", "belongs to another user; run this as that user")
    if not (status.st_mode & stat.S_IWUSR and os.access(target, os.W_OK)):
        raise wrong(path, None, "", "is read-only; nothing was changed")


def _read(path: Path, target: Path) -> bytes:
    try:
        with target.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unusable(path, error) from None
    if len(data) > MAX_BYTES:
        raise wrong(path, None, "", f"is larger than {MAX_BYTES:,} bytes; nothing was changed")
    for mark, name in _OTHERS.items():
        if data.startswith(mark):
            raise wrong(path, 1, "", f"is {name}; save the file as UTF-8. Nothing was changed")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise wrong(path, line, "", "is not UTF-8 text; save the file as UTF-8. Nothing was changed") from None
    return data
