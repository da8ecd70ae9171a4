"""What is written for this server: the command that starts it. A key never is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import cast

from hybrid_mcp.install.clients import Dialect

PROGRAM = "hybrid-mcp"
_UV_CACHE = re.compile(r"(archive|environments|builds)-v[0-9]+")
"""Folders of uv's cache in which `uvx` runs a program: gone with the next `uv cache prune`."""
_OURS = re.compile(r"hybrid[-_]mcp", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A server as every client knows it."""

    command: str
    args: tuple[str, ...] = ()

    def fields(self, dialect: Dialect) -> Mapping[str, object]:
        """The entry as a client writes it down."""
        kind = {"type": "stdio"} if dialect.typed else {}
        return {**kind, "command": self.command, "args": list(self.args)}


def entry_of(program: PurePath, prefix: PurePath, options: Sequence[str] = (), python: PurePath | None = None) -> Entry:
    """How a client starts this very installation.

    `prefix` is the environment that it runs from: one that uvx or `pipx run` made for a while is not named, but made
    again. `python` runs the package where the program itself has no file.
    """
    if any(_UV_CACHE.fullmatch(part) for part in prefix.parts):
        return Entry(command="uvx", args=(PROGRAM, *options))
    if any(pair in {("pipx", ".cache"), (".cache", "pipx"), ("pipx", "Cache")} for pair in _pairs(prefix)):
        return Entry(command="pipx", args=("run", PROGRAM, *options))
    if python is not None:
        return Entry(command=str(python), args=("-m", "hybrid_mcp", *options))
    return Entry(command=str(program), args=tuple(options))


def is_ours(found: object) -> bool:
    """Whether an entry starts this server, however it is installed, and not another one of the same name."""
    if not isinstance(found, dict):
        return False
    fields = cast("dict[str, object]", found)
    arguments = fields.get("args")
    words = [fields.get("command"), *(cast("list[object]", arguments) if isinstance(arguments, list) else [])]
    return any(isinstance(word, str) and _OURS.search(word) for word in words)


def _pairs(path: PurePath) -> list[tuple[str, str]]:
    return list(zip(path.parts, path.parts[1:], strict=False))
