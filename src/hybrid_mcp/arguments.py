"""What the commands' arguments have in common: types, forms of output, and values read from their texts."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from hybrid_mcp.domain.money import Usd
from hybrid_mcp.launch import Common

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Csv = Annotated[bool, Parameter(name="--csv", negative="", help="Print CSV, amounts in dollars.")]
Form = Literal["table", "json", "csv"]

STDIN = "\0stdin"
"""Stands for `-` among the arguments, which the parser would take for an option; no argument can hold a NUL."""
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class WrongUsage(Exception):
    """The arguments cannot be meant so; the message says why."""


class Given:
    """Holds the shared options from the parser's outer to its inner step."""

    value = Common()


def form(*, as_json: bool, as_csv: bool) -> Form:
    """Raises WrongUsage where both were asked for."""
    if as_json and as_csv:
        raise WrongUsage("--json and --csv exclude each other: give one of them")
    return "json" if as_json else "csv" if as_csv else "table"


def prompt_of(text: str) -> str:
    """The prompt that was given, or standard input where it was `-`."""
    return sys.stdin.read() if text == STDIN else text


def limit(option: str, text: str | None) -> Usd | None:
    """Raises WrongUsage where the text is no amount of dollars."""
    try:
        return None if text is None else Usd.limit(text)
    except ValueError as error:
        raise WrongUsage(f"{option}: {error}") from None


def schema_of(option: str, text: str | None) -> str:
    """The JSON schema that was given, as it is or as the path of its file.

    Raises:
        WrongUsage: it cannot be read.
    """
    if text is None:
        return ""
    if not text.strip():
        raise WrongUsage(f"{option} is empty; give the path of a JSON schema, or the schema itself")
    try:
        given = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        return json.dumps(json.loads(given), ensure_ascii=False, separators=(",", ":"))
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no JSON"
        raise WrongUsage(f"{option}: {why}; give the path of a JSON schema, or the schema itself") from None


def assertions_in(option: str, path: Path | None) -> str:
    """The text of the file, empty where none was named.

    Raises:
        WrongUsage: it cannot be read, or holds nothing.
    """
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no text in UTF-8"
        raise WrongUsage(f"{option}: {why}; give the path of a file of Python assertions") from None
    if not text.strip():
        raise WrongUsage(f"{option}: the file is empty; write assertions into it, such as `assert f(2) == 4`")
    return text


def month_of(option: str, text: str | None) -> str | None:
    """Raises WrongUsage where the text is no month."""
    if text is None or _MONTH.fullmatch(text):
        return text
    raise WrongUsage(f"{option}: {text[:40]!r} is not a month: write year and month as YYYY-MM, such as 2026-11")
