"""The time of a book of money: it never goes back."""

from __future__ import annotations

from datetime import datetime, timedelta

from hybrid_mcp.ports import Clock

PACE = 0.5
"""How fast a book's time goes on while the clock is behind it: slower than time, so that the clock catches up."""


class BookClock:
    """The clock's time, but never before the book's last entry: an older period must not begin afresh.

    Where the clock is behind that entry, time goes on from there at `PACE`, so that leases end all the same.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: datetime | None = None
        self._seen_s = 0.0

    def now(self, last: datetime | None) -> datetime:
        """The book's time, given that of its last entry."""
        self.saw(last)
        now = self._clock.now()
        if last is None:
            return now
        return max(now, last + timedelta(seconds=(self._clock.monotonic() - self._seen_s) * PACE))

    def saw(self, last: datetime | None) -> None:
        """From here on the time since the last entry is measured, where it is a new one."""
        if last != self._last:
            self._last, self._seen_s = last, self._clock.monotonic()


AHEAD = timedelta(hours=1)
"""Clocks of healthy machines differ by less."""


def ahead(last: datetime | None, now: datetime) -> tuple[str, ...]:
    """What the owner should know where the book's last entry lies in the future."""
    if last is None or last - now <= AHEAD:
        return ()
    told = (
        f"the ledger's last entry was made on {last:%Y-%m-%d %H:%M} UTC, and this machine's clock is behind that: "
        "check the clock. What is spent counts to that day and its month, until the clock has come there; if the clock "
        "is right now, move ledger.db and ledger.mark away to begin a new book"
    )
    return (told,)
