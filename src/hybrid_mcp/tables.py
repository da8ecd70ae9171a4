"""Rows on stdout: aligned for people, as CSV for spreadsheets and scripts."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence

from hybrid_mcp.domain.money import NANOS_PER_USD, Usd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that begins so (https://owasp.org/www-community/attacks/CSV_Injection)."""


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns under headings. Nothing is cut or wrapped, so that it can be read by programs too."""
    lines = [tuple(headings), *(tuple(map(cell, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def print_csv(headings: Sequence[str], rows: Iterable[Sequence[str | int | Usd | None]]) -> None:
    """RFC 4180, but lines end as in any text file: spreadsheets read that too, and a shell would keep a CR as data.

    Amounts are plain dollars with nine decimals, None is an empty cell, and no text can become a formula.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_csv_cell(value) for value in row] for row in rows)


def cell(value: object) -> str:
    """A value as people read it in a table."""
    return f"{value:.6f}" if isinstance(value, float) else "-" if value is None else str(value)


def _csv_cell(value: str | int | Usd | None) -> str | int:
    match value:
        case None:
            return ""
        case Usd():
            return f"{value.nanos // NANOS_PER_USD}.{value.nanos % NANOS_PER_USD:09d}"
        case int():
            return value
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
