"""Lays the content of the bundle into a folder, as `mcpb pack` takes it: `python packaging/mcpb/stage.py FOLDER`."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONTENT = ("README.md", "LICENSE", "whitelist.json", "profiles", "src/hybrid_mcp")
"""What hatchling needs to build the package where uv runs it."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+==[^ \\]+(?: ; [^\\]+)?)", re.MULTILINE)


def stage(folder: Path) -> None:
    """Fill the folder, of which nothing older is left."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in CONTENT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    (folder / "server").mkdir()
    shutil.copyfile(HERE / "main.py", folder / "server" / "main.py")
    shutil.copyfile(HERE / "manifest.json", folder / "manifest.json")
    (folder / "pyproject.toml").write_text(_project(), encoding="utf-8")


def _project() -> str:
    """The package's own, with each version that the lock file pins: a lock of uv would name an index."""
    pins = [pin.strip() for pin in _PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))]
    rows = "".join(f'    "{pin}",\n' for pin in pins)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return f"{text}\n[tool.uv]\nconstraint-dependencies = [\n{rows}]\nbuild-constraint-dependencies = [\n{rows}]\n"


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
