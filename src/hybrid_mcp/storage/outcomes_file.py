"""The file of outcomes and its secret: opening them safely, and their errors in words."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import anyio

from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage.filesystem import network_file_system
from hybrid_mcp.storage.sqlite_file import OLDEST_SQLITE, journal_mode, transaction

APPLICATION_ID = 0x48594D4C
"""Marks the file as this program's ("HYML")."""
SCHEMA_VERSION = 2
SECRET_BYTES = 16
HOW_TO_RESET = "`hybrid-mcp scorer reset` begins anew"


class OtherVersion(StorageError):
    """The file is ours, and of a version that this one does not read."""


@contextmanager
def in_words(path: Path) -> Generator[None]:
    """Lets nobody cancel the block, and raises StorageError with the file and what to do."""
    with anyio.CancelScope(shield=True):
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"the outcomes in {path} cannot be used (SQLite: {error}); {HOW_TO_RESET}") from error
        except (ValueError, OverflowError) as error:
            raise StorageError(f"the outcomes in {path} are damaged ({error}); {HOW_TO_RESET}") from error
        except OSError as error:
            raise StorageError(f"the outcomes in {path} cannot be used: {error.strerror or error}") from error


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the file, or create it for its owner alone.

    Raises:
        StorageError: it is none of ours, or lies where it cannot be kept safely. It is left as it is.
        sqlite3.Error, OSError: anything else that is wrong with it.
    """
    _refuse(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    # A superuser may write what is marked read-only, and is not meant to.
    mode = "rw" if path.stat().st_mode & 0o222 else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", timeout=busy_timeout_s, isolation_level=None, uri=True
    )
    try:
        _prepare(connection, path, writable=mode == "rw")
    except BaseException:
        connection.close()
        raise
    return connection


def read_secret(path: Path) -> bytes:
    """What the marks are found with: a file of its own, so that a copy of the outcomes alone tells no words.

    Raises:
        StorageError: it is no secret of ours.
    """
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        with path.open("rb") as known:
            found = known.read(SECRET_BYTES + 1)
        if len(found) != SECRET_BYTES:
            raise StorageError(f"{path} holds no secret of {SECRET_BYTES} bytes; {HOW_TO_RESET}") from None
        return found
    found = secrets.token_bytes(SECRET_BYTES)
    with os.fdopen(file, "wb") as new:
        new.write(found)
    return found


def secret_print(secret: bytes) -> bytes:
    return blake2b(b"print", key=secret, digest_size=8).digest()


def begin_anew(connection: sqlite3.Connection, secret: bytes) -> None:
    """Forget everything, inside a transaction; other processes notice."""
    connection.execute("DELETE FROM request")
    connection.execute("DELETE FROM place")
    connection.execute("DELETE FROM home")
    connection.execute("INSERT INTO home VALUES (1, ?, ?, 0)", (secret_print(secret), secrets.token_bytes(8)))


def _refuse(path: Path) -> None:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StorageError(f"the outcomes in {path} need SQLite 3.37 or newer, this is {sqlite3.sqlite_version}")
    if path.is_symlink():
        raise StorageError(f"{path} is a link, and outcomes are kept in the home alone: remove it")
    if (shared := network_file_system(path)) is not None:
        raise StorageError(f"{path} is on a network file system ({shared}), where its locks cannot be trusted")


def _prepare(connection: sqlite3.Connection, path: Path, *, writable: bool) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    if writable and not _pragma(connection, "user_version"):
        if journal_mode(sqlite3.sqlite_version_info) == "wal":
            connection.execute("PRAGMA journal_mode = WAL")
        with transaction(connection):
            if not _pragma(connection, "user_version") and not _has_tables(connection):
                _create(connection, path)
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StorageError(f"{path} is no file of outcomes, and was left as it is: move it away")
    if _pragma(connection, "user_version") != SCHEMA_VERSION:
        raise OtherVersion(f"{path} is of another version of hybrid-mcp: {HOW_TO_RESET}")
    connection.execute(f"PRAGMA query_only = {int(not writable)}")


def _create(connection: sqlite3.Connection, path: Path) -> None:
    statement = ""
    for line in files("hybrid_mcp.storage").joinpath("outcomes.sql").read_text("utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    begin_anew(connection, read_secret(secret_path(path)))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def secret_path(path: Path) -> Path:
    return path.with_suffix(".key")


def _has_tables(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
