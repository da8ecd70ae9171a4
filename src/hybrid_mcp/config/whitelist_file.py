"""whitelist.json: read whole or refused, seen anew at every change, and added to without losing anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_args

from hybrid_mcp.config.packaged import packaged
from hybrid_mcp.config.public_suffix import is_public_suffix
from hybrid_mcp.config.scalars import shown, suggestion
from hybrid_mcp.config.text_file import read_text, unusable, wrong
from hybrid_mcp.domain.whitelist import RESOURCE_TYPES, ResourceType, Whitelist, checked_entry

KEYS: tuple[ResourceType, ...] = get_args(ResourceType)
_NOTHING: list[object] = []


def load_whitelist(path: Path) -> Whitelist:
    """The lists of a whitelist file; a missing key is an empty list.

    Raises:
        ConfigError: `FILE:LINE: KEY: what is wrong; what to do`. A file with one bad entry is refused whole.
    """
    return parse_whitelist(path, read_text(path))


class LiveWhitelist:
    """The whitelist as the file stands now: called, it reads the file, and takes it apart anew where it has changed.

    Without a file the packaged default holds. A file that is broken, or that was there and is gone, refuses all: an
    older or a default list might allow what the owner has taken out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._was_there = False
        self._read: tuple[str, Whitelist] | None = None
        self._default: Whitelist | None = None

    def __call__(self) -> Whitelist:
        """The lists that hold now.

        Raises:
            ConfigError: the file cannot be used as it stands.
        """
        text = text_now(self._path)
        if text is None:
            return self._without_file()
        self._was_there = True
        # The text itself is compared: two changes within one tick of the disk's clock have the same time and size.
        if self._read is None or self._read[0] != text:
            self._read = text, parse_whitelist(self._path, text)
        return self._read[1]

    def _without_file(self) -> Whitelist:
        if self._was_there:
            raise wrong(self._path, None, "", "was there and is gone; put it back, or start again to use the default")
        if self._default is None:
            self._default = load_whitelist(packaged("whitelist.json"))
        return self._default


def text_now(path: Path) -> str | None:
    """The text of the file that stands there, None where there is none.

    Raises:
        ConfigError: it cannot be read, or is a link to nothing.
    """
    try:
        path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise wrong(path, None, "", "is a link to a file that does not exist; mend the link") from None
        return None
    except (OSError, ValueError) as error:
        raise unusable(path, error) from None
    return read_text(path)


def parse_whitelist(path: Path, text: str) -> Whitelist:
    """The lists in the text of a whitelist file; `path` is only named in errors."""
    given = parse_object(path, text)
    for key in given:
        if key not in KEYS:
            meant = RESOURCE_TYPES.get(key)
            remedy = f"did you mean {meant}?" if meant else suggestion(key, KEYS)
            raise wrong(path, None, shown(key), f"unknown key; {remedy}")
    return Whitelist(
        cloud_apis=_names(path, given, "cloud_apis"),
        domains=_names(path, given, "domains"),
        mcp_servers=_names(path, given, "mcp_servers"),
        allowed_for_cloud=_tasks(path, given),
    )


def parse_object(path: Path, text: str) -> Mapping[str, object]:
    """The JSON object of the file, in which no key stands twice."""
    try:
        found: object = json.loads(text, object_pairs_hook=lambda pairs: _unique(path, pairs))
    except json.JSONDecodeError as error:
        raise wrong(path, error.lineno, "", f"is not JSON: {error.msg} (column {error.colno}); mend it there") from None
    except (ValueError, RecursionError):
        raise wrong(path, None, "", "holds a number or a nesting that no whitelist has; take it out") from None
    if not isinstance(found, _Object):
        raise wrong(path, None, "", f"must be a JSON object with the keys {', '.join(KEYS)}")
    return found


class _Object(dict[str, object]):
    """A JSON object, told apart from every other dict for the type checker."""


def _unique(path: Path, pairs: list[tuple[str, object]]) -> _Object:
    found = _Object()
    for key, value in pairs:
        if key in found:
            raise wrong(path, None, shown(key), "stands twice; keep one of them")
        found[key] = value
    return found


def _names(path: Path, given: Mapping[str, object], kind: ResourceType) -> tuple[str, ...]:
    listed = given.get(kind, _NOTHING)
    if not isinstance(listed, list):
        raise wrong(path, None, kind, 'must be a list of names, such as ["api.example.com"]')
    entries = cast("list[object]", listed)
    return tuple(dict.fromkeys(_entry(path, kind, f"{kind}[{index}]", entry) for index, entry in enumerate(entries)))


def _tasks(path: Path, given: Mapping[str, object]) -> Mapping[str, bool]:
    tasks = given.get("allowed_for_cloud", _Object())
    if not isinstance(tasks, _Object):
        raise wrong(path, None, "allowed_for_cloud", 'must be an object of task types, such as {"code_review": true}')
    for name, value in tasks.items():
        if not isinstance(value, bool):
            raise wrong(path, None, f"allowed_for_cloud.{shown(name)}", "must be true or false, without quotes")
    return MappingProxyType(
        {_entry(path, "allowed_for_cloud", "allowed_for_cloud", name): value is True for name, value in tasks.items()}
    )


def _entry(path: Path, kind: ResourceType, key: str, entry: object) -> str:
    if not isinstance(entry, str):
        raise wrong(path, None, key, "must be a name in quotes")
    try:
        return checked_entry(kind, entry, is_public_suffix)
    except ValueError as error:
        raise wrong(path, None, key, f"{shown(entry)}: {error}") from None
