"""`make bench`: what is quick to measure, with the machine's size. `bench.money` has the rest."""

from __future__ import annotations

from bench import egress, ledger_speed, privacy, scoring, startup
from bench.machine import describe


def main() -> None:
    print(describe())
    for part in (startup, scoring, privacy, egress, ledger_speed):
        for line in part.measure():
            print(line)


if __name__ == "__main__":
    main()
