"""`make bench`: everything that is measured, with the machine's size."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from bench import scoring, startup


def main() -> None:
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )
    for part in (startup, scoring):
        for line in part.measure():
            print(line)


if __name__ == "__main__":
    main()
