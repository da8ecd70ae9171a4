"""What everything was measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import UTC, datetime


def describe() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
