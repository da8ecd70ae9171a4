"""Adds an entry to whitelist.json: under a lock, in one step, and never through a link out of the home."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from hybrid_mcp.config.home import ensure_home
from hybrid_mcp.config.packaged import packaged
from hybrid_mcp.config.public_suffix import is_public_suffix
from hybrid_mcp.config.text_file import named, read_text, wrong
from hybrid_mcp.config.whitelist_access import open_to_everyone
from hybrid_mcp.config.whitelist_file import parse_object, parse_whitelist, text_now
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.whitelist import ResourceType, checked_entry, task_key

LOCK_TIMEOUT_S = 10.0
"""Longer than any number of other writers takes, shorter than a caller's patience."""

TRIES = 50
"""A person saves the file once in between; only a program that writes it all the time comes first so often."""

_INDENT = re.compile(r"\n([ \t]+)\S")


def add_entry(path: Path, resource_type: ResourceType, name: str) -> bool:
    """Add an entry to the whitelist file, a task type as allowed; False where it stands there already.

    The first time, the packaged whitelist is copied. A reader sees the old file or the new one, never a part; other
    writers wait. What an editor saves meanwhile, which knows of no lock, is kept too. It blocks on the disk.

    Raises:
        ConfigError: the entry, the file or the folder does not admit it. Nothing was changed.
    """
    # filelock takes 50 ms to load, and only a writer needs it.
    from filelock import FileLock, Timeout  # noqa: PLC0415

    try:
        entry = checked_entry(resource_type, name, is_public_suffix)
    except ValueError as error:
        raise ConfigError(f"{resource_type}: the entry cannot be used: {error}") from None
    ensure_home(path.parent)
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S):
            return _add(path, resource_type, entry)
    except Timeout:
        raise wrong(path, None, "", f"is locked by another program for {LOCK_TIMEOUT_S:g} s; try again") from None
    except OSError as error:
        raise _unwritable(path, error.strerror or "not writable") from None


def _add(path: Path, kind: ResourceType, entry: str) -> bool:
    for _ in range(TRIES):
        found = text_now(path)
        text = read_text(packaged("whitelist.json")) if found is None else found
        target = _target(path)
        parse_whitelist(path, text)
        changed = _with_entry(parse_object(path, text), kind, entry)
        if changed is None:
            return False
        if _replace(target, _written_like(text, changed), lambda found=found: text_now(path) == found):
            return True
    raise _unwritable(path, "another program writes it all the time")


def _target(path: Path) -> Path:
    """The file to replace: the path itself, or where a link inside the home leads."""
    home, target = path.parent.resolve(), path.resolve()
    if not target.is_relative_to(home):
        raise wrong(
            path, None, "", f"is a link to {named(target)}, outside of the home folder; make the change there by hand"
        )
    for place in (target, target.parent):
        if place.exists() and not (place.stat().st_mode & stat.S_IWUSR and os.access(place, os.W_OK)):
            raise _unwritable(place, "it is read-only")
        if open_to_everyone(place):
            raise _unwritable(place, "every user of this machine may write it: `chmod o-w` takes that away")
    return target


def _with_entry(given: Mapping[str, object], kind: ResourceType, entry: str) -> Mapping[str, object] | None:
    """The changed object, None where the entry stands there already."""
    old = given.get(kind)
    if kind == "allowed_for_cloud":
        tasks: dict[str, object] = {**old} if isinstance(old, dict) else {}
        spelled = [name for name in tasks if task_key(name) == task_key(entry)] or [entry]
        changed = {**tasks, **dict.fromkeys(spelled, True)}
        return None if changed == tasks else {**given, kind: changed}
    names: list[object] = [*old] if isinstance(old, list) else []
    present = any(checked_entry(kind, str(name), is_public_suffix) == entry for name in names)
    return None if present else {**given, kind: [*names, entry]}


def _written_like(text: str, changed: Mapping[str, object]) -> bytes:
    """JSON with the indentation and the line ends of the text that it takes the place of."""
    found = _INDENT.search(text)
    written = json.dumps(changed, indent=found[1] if found else 2, ensure_ascii=False) + "\n"
    return (written.replace("\n", "\r\n") if "\r\n" in text else written).encode()


def _replace(target: Path, data: bytes, is_current: Callable[[], bool]) -> bool:
    """One step: the new file appears whole under the old name, with the old one's permissions.

    False, and nothing done, where the old file is not the one any more that the new one was made of.
    """
    # Only a writer needs tempfile, which takes 7 ms to load.
    from tempfile import mkstemp  # noqa: PLC0415

    descriptor, name = mkstemp(prefix=".whitelist-", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        if not is_current():
            return False
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _unwritable(path: Path, reason: str) -> ConfigError:
    return wrong(path, None, "", f"cannot be changed ({reason}); nothing was added. Mend that and try again")
