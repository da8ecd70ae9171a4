"""Requests that wait for the owner, and the audit trail, as one append-only file of JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, cast

from filelock import FileLock, Timeout

from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.ports import ApprovalRequest, Clock

PENDING_FOR = timedelta(days=7)
LOCK_TIMEOUT_S = 10.0
Event = Literal["requested", "granted", "refused", "added", "denied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """Implements `Approvals` on `audit.jsonl`. Nothing is rewritten: a request waits until a later line ends it."""

    path: Path
    clock: Clock

    def record(self, event: Event, request: ApprovalRequest) -> None:
        """Append one line, safe against other processes.

        Raises:
            StorageError: the file cannot be written.
        """
        line = {
            "at": self.clock.now().isoformat(timespec="seconds"), "event": event, "id": request.id,
            "resource_type": request.resource_type, "resource_name": request.resource_name,
            "reason": request.reason, "client": request.client,
        }  # fmt: skip
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (
                FileLock(self.path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_S),
                self.path.open("a", encoding="utf-8") as file,
            ):
                # A line that a crash tore off must not swallow this one.
                file.write("\n" * self._is_torn() + json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except Timeout:
            raise StorageError(f"{self.path}: another process holds its lock: try again, or end that process") from None
        except OSError as error:
            raise StorageError(f"{self.path}: cannot be written ({error.strerror}): check the folder") from error

    def pending(self) -> tuple[ApprovalRequest, ...]:
        """Requests of the last week that nobody has answered, the oldest first.

        Raises:
            StorageError: the file cannot be read.
        """
        waiting: dict[str, ApprovalRequest] = {}
        oldest = self.clock.now() - PENDING_FOR
        for at, event, request in self._lines():
            if event != "requested":
                waiting.pop(request.id, None)
            elif at >= oldest:
                waiting[request.id] = request
        return tuple(waiting.values())

    def _lines(self) -> Iterator[tuple[datetime, str, ApprovalRequest]]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"{self.path}: cannot be read: check the file") from error
        yield from filter(None, map(_parsed, text.split("\n")))

    def _is_torn(self) -> bool:
        if not self.path.exists() or self.path.stat().st_size == 0:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"


def _parsed(line: str) -> tuple[datetime, str, ApprovalRequest] | None:
    """One event; None for a line that a crash tore off, which grants nothing."""
    try:
        return _event(line)
    except (ValueError, KeyError, TypeError):
        return None


def _event(line: str) -> tuple[datetime, str, ApprovalRequest]:
    data = cast("dict[str, str]", json.loads(line))
    request = ApprovalRequest(
        id=data["id"], resource_type=data["resource_type"], resource_name=data["resource_name"],
        reason=data["reason"], client=data["client"],
    )  # fmt: skip
    return datetime.fromisoformat(data["at"]), data["event"], request
