"""The profiles and the whitelist that come with the program."""

from __future__ import annotations

from pathlib import Path

from hybrid_mcp.domain.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]


def packaged(name: str) -> Path:
    """The packaged file or folder: inside the installed package, or at the root of a source checkout.

    Raises:
        ConfigError: the installation is incomplete.
    """
    # importlib.resources answers the same from the same folder, and loading it takes 15 ms.
    for root in (_PACKAGE, _CHECKOUT):
        if (root / name).exists():
            return root / name
    raise ConfigError(f"{_PACKAGE / name}: does not exist; the installation is incomplete, so install hybrid-mcp again")
