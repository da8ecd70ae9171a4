"""Who besides the owner could change whitelist.json, and so open a door."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from hybrid_mcp.config.text_file import named


def whitelist_notices(path: Path) -> tuple[str, ...]:
    """What the owner should know about the whitelist file and its folder, one line each; empty where all is well."""
    try:
        return tuple(_notices(path))
    except OSError:
        return ()  # reading it says what is wrong


def open_to_everyone(place: Path) -> bool:
    """Whether every user of this machine may write a file, or put another one into a folder."""
    if os.name != "posix" or not place.exists():
        return False
    mode = place.stat().st_mode
    shared = stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)
    return bool(mode & stat.S_IWOTH) and not shared


def _notices(path: Path) -> Iterator[str]:
    target = path.resolve()
    if not target.is_relative_to(path.parent.resolve()):
        yield f"{named(path)} is a link to {named(target)}, outside of the home folder: entries are added there by hand"
    for place in (target, target.parent):
        if os.name != "posix" or not place.exists():
            continue
        status = place.stat()
        if open_to_everyone(place):
            yield f"{named(place)} may be written by every user of this machine: run `chmod o-w` on it"
        elif status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid):
            yield f"{named(place)} may be written by its group: if that is not meant, run `chmod g-w` on it"
        if status.st_uid not in {0, os.geteuid()}:
            yield f"{named(place)} belongs to another user (number {status.st_uid}), who can open any host"


def _is_own_group(number: int) -> bool:
    """Whether it is the group that many systems make for each user alone, under the user's name."""
    import grp  # noqa: PLC0415 - not on Windows
    import pwd  # noqa: PLC0415

    try:
        group, user = grp.getgrgid(number), pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return group.gr_name == user and set(group.gr_mem) <= {user}
