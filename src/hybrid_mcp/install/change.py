"""A change of a client's configuration: thought out first, shown, and then written as it was shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

from hybrid_mcp.config.text_file import named, wrong
from hybrid_mcp.install import jsonc_edit, toml_edit
from hybrid_mcp.install.clients import Dialect
from hybrid_mcp.install.config_file import ConfigFile, replace_config
from hybrid_mcp.install.entry import Entry, is_ours
from hybrid_mcp.install.jsonc import Broken

Kind = Literal["add", "update", "remove", "nothing"]
_SHOWN = ("type", "command", "args")
"""What we write. Other fields of an entry are its owner's, and may hold keys."""


class Editor(Protocol):
    """What a form of file can do, on texts alone. Each raises Broken."""

    def entry(self, text: str, key: str, name: str) -> object: ...

    def with_entry(self, text: str, key: str, name: str, fields: Mapping[str, object]) -> str: ...

    def without_entry(self, text: str, key: str, name: str) -> str: ...

    def entry_text(self, text: str, key: str, name: str, kept: Iterable[str]) -> str: ...


_EDITORS: Mapping[str, Editor] = MappingProxyType({"json": jsonc_edit, "toml": toml_edit})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`after`: the whole file as it will be; `diff`: what of it is new or gone, without anything that may be secret."""

    kind: Kind
    file: ConfigFile
    after: bytes
    diff: str

    def write(self, now: datetime) -> Path | None:
        """Raises ConfigError. The path of the copy of what stood there, None without a file."""
        return replace_config(self.file, self.after, now)


def installing(file: ConfigFile, dialect: Dialect, name: str, entry: Entry) -> Change:
    """What brings the entry into the file.

    Raises:
        ConfigError: the file is broken, or another server has the name.
    """
    edit, text, fields = _EDITORS[dialect.form], file.text, entry.fields(dialect)
    try:
        found = edit.entry(text, dialect.key, name)
        if found is not None and not is_ours(found):
            raise _other(file, dialect, name)
        after = edit.with_entry(text, dialect.key, name, fields)
    except Broken as error:
        raise _broken(file, error) from None
    kind: Kind = "add" if found is None else "nothing" if after == text else "update"
    return _change(kind, file, dialect, name, after)


def uninstalling(file: ConfigFile, dialect: Dialect, name: str) -> Change:
    """What takes the entry out of the file.

    Raises:
        ConfigError: the file is broken, or another server has the name.
    """
    edit, text = _EDITORS[dialect.form], file.text
    try:
        found = edit.entry(text, dialect.key, name)
        if found is None:
            return _change("nothing", file, dialect, name, text)
        if not is_ours(found):
            raise _other(file, dialect, name)
        return _change("remove", file, dialect, name, edit.without_entry(text, dialect.key, name))
    except Broken as error:
        raise _broken(file, error) from None


def _change(kind: Kind, file: ConfigFile, dialect: Dialect, name: str, after: str) -> Change:
    edit = _EDITORS[dialect.form]
    old, new = (edit.entry_text(text, dialect.key, name, _SHOWN).splitlines() for text in (file.text, after))
    place = named(file.target)
    rows = difflib.unified_diff(old, new, place, f"{place} ({dialect.key})", n=99, lineterm="")
    return Change(kind=kind, file=file, after=file.encoded(after), diff="\n".join(rows))


def _other(file: ConfigFile, dialect: Dialect, name: str) -> Exception:
    return wrong(
        file.path, None, f"{dialect.key}.{name}", "is another server, which stays; give --name with another name"
    )


def _broken(file: ConfigFile, error: Broken) -> Exception:
    return wrong(file.path, error.line, "", f"{error}; mend it there. Nothing was changed")
