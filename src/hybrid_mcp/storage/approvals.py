"""Requests that wait for the owner, and the audit trail, as one append-only file of JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal, cast

from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.ports import ApprovalRequest, Clock

PENDING_FOR = timedelta(days=7)
REFUSED_FOR = timedelta(days=7)
LOCK_TIMEOUT_S = 10.0
Event = Literal["requested", "opening", "granted", "refused", "added", "denied"]

_HOSTS = frozenset({"cloud_apis", "domains"})
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """Implements `Approvals` on `audit.jsonl`. Nothing is rewritten: a request waits until a later line ends it."""

    path: Path
    clock: Clock

    def record(self, event: Event, request: ApprovalRequest, state: str | None = None) -> None:
        """Append one line, safe against other processes. `state`: what the whitelist says of it then.

        Raises:
            StorageError: the file cannot be written.
        """
        with self._opened() as file:
            self._append(file, event, request, state)

    def file(self, request: ApprovalRequest, limit: int) -> ApprovalRequest | None:
        """The request for the same that waits already, else this one, filed; None where `limit` others wait.

        Raises:
            StorageError: the file cannot be read or written.
        """
        with self._opened() as file:
            file.seek(0)
            waiting = self._waiting(_events(file.read()))
            same = next((one for one in waiting if _resource(one) == _resource(request)), None)
            if same is None and len(waiting) < limit:
                self._append(file, "requested", request)
                return request
        return same

    def pending(self) -> tuple[ApprovalRequest, ...]:
        """Requests of the last week that nobody has answered, the oldest first.

        Raises:
            StorageError: the file cannot be read.
        """
        return self._waiting(_events(self._read()))

    def is_refused(self, request: ApprovalRequest) -> bool:
        """Whether the owner has said no to the same within the last week, and not yes since.

        Raises:
            StorageError: the file cannot be read.
        """
        refused, oldest = False, self.clock.now() - REFUSED_FOR
        for at, event, one in _events(self._read()):
            if _resource(one) == _resource(request) and event in {"refused", "granted", "added"}:
                refused = event == "refused" and at >= oldest
        return refused

    def _waiting(self, events: Iterable[_Told]) -> tuple[ApprovalRequest, ...]:
        waiting: dict[tuple[str, str], ApprovalRequest] = {}
        oldest = self.clock.now() - PENDING_FOR
        for at, event, request in events:
            if event in {"granted", "refused", "added"}:
                waiting.pop(_resource(request), None)
            elif event == "requested" and at >= oldest:
                waiting[_resource(request)] = request
        return tuple(waiting.values())

    def _append(self, file: BinaryIO, event: Event, request: ApprovalRequest, state: str | None = None) -> None:
        line = {
            "at": self.clock.now().isoformat(timespec="seconds"), "event": event, "id": request.id,
            "resource_type": request.resource_type, "resource_name": request.resource_name,
            "reason": request.reason, "client": request.client,
        }  # fmt: skip
        if state is not None:
            line["before" if event == "opening" else "after"] = state
        # A line that a crash tore off must not swallow this one.
        file.write(b"\n" * _is_torn(file) + json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())

    @contextmanager
    def _opened(self) -> Generator[BinaryIO]:
        """The file, under its lock: to read, and to append to. Only its owner may read what was asked."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - 0.05 s, and only who asks for something needs it

        self._refuse_a_link()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_S, mode=0o600):
                flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _NO_LINKS | _BINARY
                with os.fdopen(os.open(self.path, flags, 0o600), "r+b") as file:
                    if os.name == "posix":
                        os.fchmod(file.fileno(), 0o600)
                    yield file
        except Timeout:
            raise StorageError(f"{self.path}: another process holds its lock: try again, or end that process") from None
        except OSError as error:
            raise StorageError(f"{self.path}: cannot be written ({error.strerror}): check the folder") from error

    def _read(self) -> bytes:
        self._refuse_a_link()
        try:
            with os.fdopen(os.open(self.path, os.O_RDONLY | _NO_LINKS | _BINARY), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StorageError(f"{self.path}: cannot be read: check the file") from error

    def _refuse_a_link(self) -> None:
        if self.path.is_symlink():
            raise StorageError(f"{self.path}: is a link; the audit trail stays in the home folder: put a file there")


_Told = tuple[datetime, str, ApprovalRequest]


def _resource(request: ApprovalRequest) -> tuple[str, str]:
    """What is the same for the owner: a host opens alike on either list of hosts."""
    kind = "hosts" if request.resource_type in _HOSTS else request.resource_type
    return kind, request.resource_name


def _is_torn(file: BinaryIO) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _events(data: bytes) -> Iterator[_Told]:
    yield from filter(None, map(_parsed, data.split(b"\n")))


def _parsed(line: bytes) -> _Told | None:
    """One event; None for a line that a crash tore off, which grants nothing."""
    try:
        return _event(line)
    except (ValueError, KeyError, TypeError):
        return None


def _event(line: bytes) -> _Told:
    data = cast("dict[str, str]", json.loads(line))
    request = ApprovalRequest(
        id=data["id"], resource_type=data["resource_type"], resource_name=data["resource_name"],
        reason=data["reason"], client=data["client"],
    )  # fmt: skip
    return datetime.fromisoformat(data["at"]), data["event"], request
