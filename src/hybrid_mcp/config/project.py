"""Which project's budget is spent: a folder, or a name. Resolved once, when the program starts."""

from __future__ import annotations

import os
from pathlib import Path

from hybrid_mcp.config.scalars import shown
from hybrid_mcp.config.text_file import named
from hybrid_mcp.domain.errors import ConfigError

MAX_NAME_CHARACTERS = 200


def find_project(flag: str | None, variable: str | None) -> str:
    """The project of `--project`, else of HYBRID_MCP_PROJECT as it was read, else the folder of the start.

    Raises:
        ConfigError: the flag is neither a folder nor a name, or the folder of the start is gone.
    """
    if flag is None:
        return variable or _started_in()
    try:
        return read_project(flag)
    except ValueError as error:
        raise ConfigError(f"--project: {error}") from None


def read_project(text: str) -> str:
    """An existing folder as its whole path without links, so that all ways to write it are one project; else the name.

    Raises:
        ValueError: neither a folder nor a name.
    """
    given = text.strip()
    folder = _folder(given) if given else None
    if folder is not None:
        return folder
    if "${" in given:
        # Taken as a name, it would be one budget for every project.
        raise ValueError(f"{shown(given)} holds a variable that the client did not fill in; write a folder or a name")
    if not given.isprintable() or not 0 < len(given) <= MAX_NAME_CHARACTERS:
        raise ValueError(
            f"{shown(given)} is neither a folder nor a name; use 1 to {MAX_NAME_CHARACTERS} visible characters"
        )
    return given


def _started_in() -> str:
    try:
        return _key(Path.cwd().resolve())
    except OSError:
        raise ConfigError(
            "the folder in which hybrid-mcp was started cannot be found any more; name the project with --project or "
            "HYBRID_MCP_PROJECT"
        ) from None


def _folder(given: str) -> str | None:
    try:
        path = Path(given).expanduser()
        return _key(path.resolve()) if path.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        # What cannot be looked at is no folder that the program could have been started in.
        return None


def _key(folder: Path) -> str:
    """Printable, and the same for every spelling that the platform takes for the same."""
    return named(Path(os.path.normcase(folder)))
