"""Finds a profile by name or path: the owner's folder first, then the ones that come with the program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hybrid_mcp.config.packaged import packaged
from hybrid_mcp.config.profile_file import LoadedProfile, read_profile
from hybrid_mcp.config.scalars import near, shown
from hybrid_mcp.config.text_file import named, unusable
from hybrid_mcp.domain.errors import ConfigError

DEFAULT_PROFILE = "balanced"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEntry:
    """A profile that `--profile NAME` finds. `own`: it lies in the home folder."""

    name: str
    path: Path
    own: bool


def list_profiles(home: Path) -> tuple[ProfileEntry, ...]:
    """Every profile by name; one in the home folder hides a packaged one of the same name.

    Raises:
        ConfigError: the folder of profiles cannot be read.
    """
    found = {entry.name: entry for entry in _entries(packaged("profiles"), own=False)}
    found |= {entry.name: entry for entry in _entries(home / "profiles", own=True)}
    return tuple(found[name] for name in sorted(found))


def find_profile(selector: str, home: Path) -> Path:
    """The file of `--profile NAME|PATH`.

    Raises:
        ConfigError: no profile has this name; the message lists near names and all that exist.
    """
    if _is_path(selector):
        return _expanded(selector)
    for folder in (home / "profiles", packaged("profiles")) if _NAME.fullmatch(selector) else ():
        path = folder / f"{selector}.yaml"
        if _exists(path):
            return path
    names = [entry.name for entry in list_profiles(home)]
    close = near(selector, names)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise ConfigError(
        f"profile {shown(selector)} is not known; {hint}Known: {', '.join(names)}. A file of your own is given by its "
        f"path, or lies in {named(home / 'profiles')}"
    )


def check_profile(path: Path) -> LoadedProfile:
    """What `hybrid-mcp profiles check PATH` reads.

    Raises:
        ConfigError: the first thing that is wrong with the file.
    """
    return read_profile(path)


def _entries(folder: Path, *, own: bool) -> tuple[ProfileEntry, ...]:
    try:
        if not folder.is_dir():
            return ()
        paths = [path for path in folder.iterdir() if path.suffix == ".yaml" and _NAME.fullmatch(path.stem)]
    except OSError as error:
        raise unusable(folder, error) from None
    return tuple(ProfileEntry(name=path.stem, path=path, own=own) for path in paths)


def _is_path(selector: str) -> bool:
    return "/" in selector or "\\" in selector or selector.lower().endswith((".yaml", ".yml"))


def _expanded(selector: str) -> Path:
    try:
        return Path(selector).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"profile {shown(selector)}: the home of that user is not known; write the whole path"
        ) from None


def _exists(path: Path) -> bool:
    try:
        return path.exists() or path.is_symlink()
    except OSError as error:
        raise unusable(path, error) from None
