"""The home folder: where it is, and that it can be used."""

from __future__ import annotations

import stat
from pathlib import Path

from hybrid_mcp.config.text_file import unusable, wrong

APP_NAME = "hybrid-mcp"


def find_home(given: Path | str | None) -> Path:
    """The absolute path of the home folder; by default the platform's folder for a user's data. Nothing is created.

    Raises:
        ConfigError: something else than a folder stands there, or it cannot be looked at.
    """
    home = _absolute(Path(given)) if given is not None else _platform_folder()
    try:
        is_folder = stat.S_ISDIR(home.stat().st_mode)
    except FileNotFoundError:
        return home
    except (OSError, ValueError) as error:
        raise unusable(home, error) from None
    if not is_folder:
        raise wrong(home, None, "", "is not a folder; give another home with --home or HYBRID_MCP_HOME")
    return home


def ensure_home(home: Path) -> None:
    """Create the home folder, for its owner alone, where it does not exist yet.

    Raises:
        ConfigError: it cannot be created.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise wrong(
            home, None, "", f"cannot be created ({error.strerror}); give another home with --home or HYBRID_MCP_HOME"
        ) from None


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except (RuntimeError, OSError):
        raise wrong(path, None, "", "cannot be made a whole path; write it from the root on") from None


def _platform_folder() -> Path:
    # Loaded only where no home is given.
    from platformdirs import user_data_path  # noqa: PLC0415

    return user_data_path(APP_NAME, appauthor=False)
