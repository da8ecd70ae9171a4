"""The tokens of HTTP clients, in a small file that only its owner may read: their digests, never they themselves.

tokens.json         {"tokens": [{"id": "token-0f3a...", "name": "laptop", "sha256": "9b1c...", "created": "2026-..."}]}
tokens.json.lock    held while the file is replaced
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from hybrid_mcp.config.home import ensure_home
from hybrid_mcp.config.text_file import Version, read_version, unusable, version, wrong
from hybrid_mcp.config.whitelist_access import open_to_everyone
from hybrid_mcp.domain.bearer import KeptToken
from hybrid_mcp.domain.errors import InvalidRequest

TOKENS_FILE = "tokens.json"
LOCK_TIMEOUT_S = 10.0
MOST_TOKENS = 500
"""More would not fit into the file that is read for it, and every one of them is somebody whom the owner knows."""

_REMEDY = "mend it, or move it away and make the tokens anew with `hybrid-mcp token add NAME`"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFile:
    """Adds and takes away in one step that others see whole. A file that is broken stays as it is."""

    path: Path

    def tokens(self) -> tuple[KeptToken, ...]:
        """Those that are kept now, none where there is no file.

        Raises:
            ConfigError: the file cannot be used as it stands.
        """
        return _read(self.path)[1]

    def add(self, token: KeptToken) -> None:
        """Keep one more.

        Raises:
            InvalidRequest: the name is taken.
            ConfigError: the file cannot be used, or not written. Nothing was changed.
        """
        with self._locked() as kept:
            if any(one.name == token.name for one in kept):
                raise InvalidRequest(
                    f"a token named {token.name} is there already: take another name, or first run "
                    f"`hybrid-mcp token revoke {token.name}`"
                )
            if len(kept) >= MOST_TOKENS:
                raise InvalidRequest(f"there are {len(kept)} tokens already, which is the limit: revoke one first")
            self._replace((*kept, token))

    def revoke(self, name: str) -> KeptToken:
        """Take one away.

        Raises:
            InvalidRequest: there is none of that name.
            ConfigError: the file cannot be used, or not written. Nothing was changed.
        """
        with self._locked() as kept:
            found = next((one for one in kept if one.name == name), None)
            if found is None:
                raise InvalidRequest(f"there is no token named {name[:64]!r}: `hybrid-mcp token list` shows all")
            self._replace(tuple(one for one in kept if one is not found))
            return found

    @contextmanager
    def _locked(self) -> Generator[tuple[KeptToken, ...]]:
        # filelock takes 50 ms to load, and only a writer needs it.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        ensure_home(self.path.parent)
        try:
            with FileLock(f"{self.path}.lock", timeout=LOCK_TIMEOUT_S, mode=0o600):
                yield self.tokens()
        except Timeout:
            raise wrong(
                self.path, None, "", f"is locked by another program for {LOCK_TIMEOUT_S:g} s; try again"
            ) from None
        except OSError as error:
            raise unusable(self.path, error) from None

    def _replace(self, tokens: Sequence[KeptToken]) -> None:
        """The new file appears whole under the old name; `mkstemp` makes it for its owner alone."""
        # Only a writer needs tempfile, which takes 7 ms to load.
        from tempfile import mkstemp  # noqa: PLC0415

        descriptor, name = mkstemp(prefix=".tokens-", suffix=".tmp", dir=self.path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps({"tokens": [_as_json(one) for one in tokens]}, indent=2).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)


class LiveTokens:
    """The tokens as the file stands now: called, it looks whether the file has changed, and only then reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[Version | None, tuple[KeptToken, ...]] | None = None

    def __call__(self) -> tuple[KeptToken, ...]:
        """Those that hold now.

        Raises:
            ConfigError: the file cannot be used as it stands.
        """
        if self._read is None or self._read[0] != _version_now(self._path):
            self._read = None
            self._read = _read(self._path)
        return self._read[1]


def _version_now(path: Path) -> Version | None:
    try:
        return version(path.stat())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise unusable(path, error) from None


def _read(path: Path) -> tuple[Version | None, tuple[KeptToken, ...]]:
    if path.is_symlink():
        raise wrong(path, None, "", "is a link; tokens stay in the home folder: put the file itself there")
    if _version_now(path) is None:
        return None, ()
    for place in (path, path.parent):
        if open_to_everyone(place):
            raise wrong(
                place, None, "", "every user of this machine may write it, and so let anybody in: run `chmod o-w` on it"
            )
    text, read = read_version(path)
    return read, _parsed(path, text)


def _parsed(path: Path, text: str) -> tuple[KeptToken, ...]:
    try:
        document: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise wrong(path, error.lineno, "", f"is not JSON: {error.msg}; {_REMEDY}") from None
    except (ValueError, RecursionError):
        raise wrong(path, None, "", f"holds no tokens; {_REMEDY}") from None
    rows = cast("dict[str, object]", document).get("tokens") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise wrong(path, None, "tokens", f"must be a list; {_REMEDY}")
    tokens = tuple(_token(path, number, row) for number, row in enumerate(cast("list[object]", rows)))
    fields: list[Callable[[KeptToken], str]] = [lambda one: one.id, lambda one: one.name, lambda one: one.digest]
    if any(len({field(one) for one in tokens}) < len(tokens) for field in fields):
        raise wrong(path, None, "tokens", f"two have the same name, id or sha256; {_REMEDY}")
    return tokens


def _token(path: Path, number: int, row: object) -> KeptToken:
    fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    texts = {key: value for key, value in fields.items() if isinstance(value, str)}
    if texts.keys() != {"id", "name", "sha256", "created"} or len(texts) != len(fields):
        raise wrong(path, None, f"tokens[{number}]", f"must have the texts id, name, sha256 and created; {_REMEDY}")
    try:
        created = datetime.fromisoformat(texts["created"])
        return KeptToken(id=texts["id"], name=texts["name"], digest=texts["sha256"], created=created)
    except ValueError as error:
        raise wrong(path, None, f"tokens[{number}]", f"{error}; {_REMEDY}") from None


def _as_json(token: KeptToken) -> dict[str, str]:
    return {
        "id": token.id, "name": token.name, "sha256": token.digest,
        "created": token.created.isoformat(timespec="seconds"),
    }  # fmt: skip
