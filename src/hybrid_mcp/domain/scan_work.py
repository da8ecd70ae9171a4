"""The limit of one scan. The domain has no clock, so work is counted, and where it can be, before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

BASE_UNITS = 2_000
CHARACTERS_A_UNIT = 32
"""Ordinary text has a candidate every 50 to 500 characters; a unit takes about 0.4 microseconds."""
MAX_DECODED_CHARACTERS = 250_000


class OutOfWork(Exception):
    """The text holds more candidates than may be checked."""


@dataclass(slots=True)
class Work:
    """`units`: candidates that were checked, `decoded`: characters that came out of base64 and escapes."""

    limit: int
    units: int = 0
    decoded: int = 0

    @classmethod
    def for_text(cls, characters: int) -> Work:
        return cls(limit=BASE_UNITS + characters // CHARACTERS_A_UNIT)

    def spend(self, units: int) -> None:
        """Raises OutOfWork: the limit does not allow for these candidates."""
        self.units += units
        if self.units > self.limit:
            raise OutOfWork

    def spend_characters(self, characters: int) -> None:
        """Raises OutOfWork: more was decoded than may be looked at."""
        self.decoded += characters
        if self.decoded > MAX_DECODED_CHARACTERS:
            raise OutOfWork


class Spot(NamedTuple):
    """Where a kind stands in a view. `exact`: nothing of it lies outside."""

    kind: str
    start: int
    end: int
    exact: bool = True
