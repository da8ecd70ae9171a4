"""The open breakers of all processes of one home, in a small file: a new process leaves alone what others leave alone.

breakers.json   {"provider:model": {"until": "2026-11-20T12:01:00+00:00", "failures": 3, "address": "0f3a..."}, ...}
breakers.lock   held while the file is replaced

It is only advice. A file that cannot be read, or holds anything else, counts as empty, and none of it is ever an error.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import cast

from hybrid_mcp.domain.breaker import MAX_WAIT_S, Opening
from hybrid_mcp.ports import Clock

KEPT = 64
"""Entries: those that stay open longest. A profile has some dozens of models."""
NAME_CHARACTERS = 256
ADDRESS_CHARACTERS = 16
LIMIT_BYTES = 100_000
"""More than `KEPT` entries take: a larger file is none of ours, and not read."""
LOCK_TIMEOUT_S = 0.5
MOST_FAILURES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerFile:
    """Implements `Openings`. `addresses`: of each provider by name: what fails at one address says nothing of another.

    The file is read and written where it stands, without a thread: it is a few kilobytes, and changes when a breaker
    opens or closes.
    """

    path: Path
    clock: Clock
    addresses: Mapping[str, str]
    lock_timeout_s: float = LOCK_TIMEOUT_S

    def read(self) -> Mapping[str, Opening]:
        """The openings of this profile's providers that are still in force, for an hour at the most."""
        ours = [(name, entry) for name, entry in self._entries().items() if self._is_ours(name, entry)]
        return {name: entry.opening for name, entry in ours[:KEPT]}

    def tell(self, name: str, opening: Opening | None) -> None:
        """Write it down, or strike it out, in one step that other processes see whole."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - 0.05 s, and only a breaker that opens needs it

        if len(name) > NAME_CHARACTERS or not name.isprintable():
            return
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=self.lock_timeout_s, mode=0o600):
                entries = dict(self._entries())
                entries.pop(name, None)
                if opening is not None:
                    entries[name] = _Entry(opening=opening, address=self._address(name))
                self._replace(entries)

    def _replace(self, entries: Mapping[str, _Entry]) -> None:
        longest = sorted(entries.items(), key=lambda item: item[1].opening.until, reverse=True)[:KEPT]
        document = {name: entry.as_json() for name, entry in longest}
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600, exist_ok=False)
        new.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        new.replace(self.path)

    def _entries(self) -> Mapping[str, _Entry]:
        """Those in force; none where the file is missing, damaged, or too large."""
        try:
            with self.path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
            document: object = json.loads(data) if len(data) <= LIMIT_BYTES else None
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(document, dict):
            return {}
        now = self.clock.now()
        parsed = {name: _parsed(value) for name, value in cast("dict[str, object]", document).items()}
        return {name: entry for name, entry in parsed.items() if entry is not None and _in_force(name, entry, now)}

    def _is_ours(self, name: str, entry: _Entry) -> bool:
        return name.partition(":")[0] in self.addresses and entry.address == self._address(name)

    def _address(self, name: str) -> str:
        """A short digest: an address is nobody's business who reads the file."""
        return sha256(self.addresses.get(name.partition(":")[0], "").encode()).hexdigest()[:ADDRESS_CHARACTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    opening: Opening
    address: str

    def as_json(self) -> dict[str, object]:
        until = self.opening.until.isoformat(timespec="milliseconds")
        return {"until": until, "failures": self.opening.failures, "address": self.address}


def _in_force(name: str, entry: _Entry, now: datetime) -> bool:
    """No breaker is open for longer than an hour: what would be was written by a clock that was wrong."""
    is_name = len(name) <= NAME_CHARACTERS and name.isprintable()
    return is_name and now < entry.opening.until <= now + timedelta(seconds=MAX_WAIT_S)


def _parsed(value: object) -> _Entry | None:
    if not isinstance(value, dict):
        return None
    fields = cast("dict[str, object]", value)
    until, failures, address = fields.get("until"), fields.get("failures"), fields.get("address")
    if not (isinstance(until, str) and isinstance(address, str) and type(failures) is int):
        return None
    if not (address.isascii() and len(address) <= ADDRESS_CHARACTERS and 0 < failures <= MOST_FAILURES):
        return None
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        return None
    return (
        None
        if moment.utcoffset() is None
        else _Entry(opening=Opening(failures=failures, until=moment), address=address)
    )
