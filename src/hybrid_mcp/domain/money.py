"""Money as whole nano-dollars (1 USD = 1,000,000,000), so that a sum of calls is exact."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

NANOS_PER_USD = 1_000_000_000
MAX_NANOS = 2**62
"""Largest amount, 4.6 billion dollars: two of them still add up inside SQLite's signed 64-bit integer."""


@dataclass(frozen=True, slots=True, order=True)
class Usd:
    """An amount in whole nano-dollars, never negative.

    Raises:
        ValueError: negative, or above `MAX_NANOS`.
    """

    nanos: int

    def __post_init__(self) -> None:
        if not 0 <= self.nanos <= MAX_NANOS:
            raise ValueError(f"an amount of money must be between $0 and ${MAX_NANOS // NANOS_PER_USD:,}")

    @classmethod
    def cost(cls, dollars: Decimal | int) -> Usd:
        """Whole nano-dollars of a price or cost in dollars, rounded up: a cost is never understated."""
        return cls(_to_nanos(Decimal(dollars), ROUND_CEILING))

    @classmethod
    def limit(cls, dollars: Decimal | str | float) -> Usd:
        """Whole nano-dollars of a cap in dollars, rounded down: a cap is never overstated.

        Raises:
            ValueError: not a finite number, negative, or too large.
        """
        try:
            number = Decimal(str(dollars))
        except InvalidOperation as error:
            raise ValueError("an amount of money must be a number of dollars, such as 2.50") from error
        return cls(_to_nanos(number, ROUND_FLOOR))

    @property
    def dollars(self) -> float:
        """The amount in dollars, for display and JSON only."""
        return self.nanos / NANOS_PER_USD

    def __add__(self, other: Usd) -> Usd:
        return Usd(self.nanos + other.nanos)

    def minus(self, other: Usd) -> Usd:
        """The difference, and $0 where `other` is the larger one."""
        return Usd(max(0, self.nanos - other.nanos))

    def times(self, count: int) -> Usd:
        return Usd(self.nanos * count)

    def __str__(self) -> str:
        text = f"{Decimal(self.nanos) / NANOS_PER_USD:.9f}"
        whole, fraction = text.split(".")
        return f"${int(whole):,}.{fraction.rstrip('0').ljust(2, '0')}"


ZERO = Usd(0)


def _to_nanos(dollars: Decimal, rounding: str) -> int:
    if not dollars.is_finite():
        raise ValueError("an amount of money must be a finite number of dollars")
    if dollars > MAX_NANOS // NANOS_PER_USD:
        raise ValueError(f"an amount of money must be at most ${MAX_NANOS // NANOS_PER_USD:,}")
    return int((dollars * NANOS_PER_USD).to_integral_value(rounding=rounding))
