"""Programs that are no dependency: each is installed once, into an environment of its own in the cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache"
EXE = ".exe" if sys.platform == "win32" else ""


class Missing(Exception):
    """It cannot be measured here; the text says why."""


def environment(name: str, requirements: Sequence[str], *, override: str = "") -> Path:
    """The folder of the programs in an environment with these packages. `override`: a requirement that wins.

    Raises:
        Missing: they cannot be installed.
    """
    folder = CACHE / name
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    mark = folder / "installed.txt"
    if mark.exists() and mark.read_text("utf-8").split() == list(requirements):
        return programs
    CACHE.mkdir(exist_ok=True)
    overrides = folder.with_suffix(".override.txt")
    overrides.write_text(f"{override}\n", "utf-8")
    uv, python = str(Path(sys.executable).with_name(f"uv{EXE}")), str(programs / f"python{EXE}")
    install(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
    install(uv, "pip", "install", "--quiet", "--python", python, "--override", str(overrides), *requirements)
    mark.write_text(" ".join(requirements), "utf-8")
    return programs


def install(*command: str) -> None:
    """Run one step of an installation.

    Raises:
        Missing: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{' '.join(command[-2:])} cannot be installed: {done.stderr.strip()[-300:]}")


def bare_variables() -> dict[str, str]:
    """Nothing of the owner's environment but what a program needs to start."""
    return {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
