"""The thresholds of confidence that were calibrated in this home.

confidence.json        {"here:m": {"threshold": -0.8, "asked": 80, "right": 41, "auc": 0.72, "at": "2026-11-20T..."}}
confidence.json.lock   held while the file is replaced
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import cast

from hybrid_mcp.config.home import ensure_home
from hybrid_mcp.config.scalars import shown
from hybrid_mcp.config.text_file import named, read_text, unusable, wrong
from hybrid_mcp.domain.calibration import Calibrated

CONFIDENCE_FILE = "confidence.json"
LOCK_TIMEOUT_S = 10.0
LONGEST_NAME = 512

_REMEDY = "mend it, or move it away and run `hybrid-mcp models calibrate` again"
_NONE: Mapping[str, Calibrated] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceFile:
    """Changes one model's row in one step that others see whole, and never through a link out of the home. A file that
    is broken stays as it is."""

    path: Path

    def calibrated(self) -> Mapping[str, Calibrated]:
        """What is kept now, by `provider:model`; nothing where there is no file.

        Raises:
            ConfigError: the file cannot be used as it stands.
        """
        try:
            if not self.path.is_symlink() and not self.path.exists():
                return _NONE
        except OSError as error:
            raise unusable(self.path, error) from None
        return _parsed(self.path, read_text(self.path))

    def put(self, model: str, calibrated: Calibrated | None) -> Calibrated | None:
        """Keep it for the model, or forget what is kept where it is None; returned is what was kept before.

        Raises:
            ConfigError: the file cannot be used, or not written. Nothing was changed.
        """
        with self._locked():
            kept = dict(self.calibrated())
            before = kept.pop(model, None)
            if calibrated is not None:
                kept[model] = calibrated
            if before != calibrated:
                target = self._target()
                with self._written(target, kept) as temporary:
                    temporary.replace(target)
            return before

    def try_writing(self) -> None:
        """All that `put` does but for the change, for whoever has long to work before there is something to keep.

        Raises:
            ConfigError: the file cannot be used, or not written.
        """
        with self._locked():
            kept = self.calibrated()
            with self._written(self._target(), kept):
                pass

    @contextmanager
    def _locked(self) -> Generator[None]:
        # filelock takes 50 ms to load, and only a writer needs it.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        ensure_home(self.path.parent)
        try:
            with FileLock(f"{self.path}.lock", timeout=LOCK_TIMEOUT_S, mode=0o600):
                yield
        except Timeout:
            raise wrong(
                self.path, None, "", f"is locked by another program for {LOCK_TIMEOUT_S:g} s; try again"
            ) from None
        except OSError as error:
            raise unusable(self.path, error) from None

    def _target(self) -> Path:
        """The file to replace: the path itself, or where a link inside the home leads."""
        target = self.path.resolve()
        if not target.is_relative_to(self.path.parent.resolve()):
            outside = f"is a link to {named(target)}, outside of the home folder; make the change there by hand"
            raise wrong(self.path, None, "", outside)
        return target

    @contextmanager
    def _written(self, target: Path, kept: Mapping[str, Calibrated]) -> Generator[Path]:
        """A whole new file beside the target, gone afterwards unless it took its place; `mkstemp` makes it for its
        owner alone."""
        # Only a writer needs tempfile, which takes 7 ms to load.
        from tempfile import mkstemp  # noqa: PLC0415

        descriptor, name = mkstemp(prefix=".confidence-", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                rows = {model: _as_json(one) for model, one in kept.items()}
                file.write(json.dumps(rows, indent=2, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)


def _parsed(path: Path, text: str) -> Mapping[str, Calibrated]:
    try:
        document: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise wrong(path, error.lineno, "", f"is not JSON: {error.msg}; {_REMEDY}") from None
    except (ValueError, RecursionError):
        raise wrong(path, None, "", f"holds no thresholds; {_REMEDY}") from None
    if not isinstance(document, dict):
        raise wrong(path, None, "", f"must be a JSON object with the names of models as keys; {_REMEDY}")
    rows = cast("dict[str, object]", document)
    return MappingProxyType({name: _calibrated(path, name, row) for name, row in rows.items()})


def _calibrated(path: Path, name: str, row: object) -> Calibrated:
    fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    if not (":" in name and name.isprintable() and len(name) <= LONGEST_NAME):
        raise wrong(path, None, shown(name), f"is no provider:model; {_REMEDY}")
    try:
        threshold, asked, right, auc, at = (fields[key] for key in ("threshold", "asked", "right", "auc", "at"))
    except KeyError as error:
        raise wrong(path, None, shown(name), f"has no {error.args[0]}; {_REMEDY}") from None
    if not (_is_number(threshold) and type(asked) is type(right) is int and _is_number(auc) and isinstance(at, str)):
        raise wrong(path, None, shown(name), f"threshold, asked, right and auc are numbers, `at` is a time; {_REMEDY}")
    try:
        return Calibrated(
            threshold=float(cast("float", threshold)), asked=cast("int", asked), right=cast("int", right),
            auc=float(cast("float", auc)), at=_time(at),
        )  # fmt: skip
    except (ValueError, OverflowError) as error:
        raise wrong(path, None, shown(name), f"{error}; {_REMEDY}") from None


def _time(text: str) -> datetime:
    """In UTC, whatever its offset; without one it is no moment, and stays as it is written."""
    try:
        at = datetime.fromisoformat(text)
        return at if at.utcoffset() is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"at is no time: {shown(text)}") from None


def _is_number(value: object) -> bool:
    return type(value) in {int, float}


def _as_json(one: Calibrated) -> dict[str, object]:
    at = one.at.isoformat(timespec="seconds")
    return {"threshold": one.threshold, "asked": one.asked, "right": one.right, "auc": one.auc, "at": at}
