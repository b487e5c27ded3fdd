"""Named number types: prices, quantities, money and fractions are Decimals that must not be mixed up."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Decimal
from typing import NewType

Symbol = NewType("Symbol", str)
Price = NewType("Price", Decimal)
"""USD for one share."""
Quantity = NewType("Quantity", Decimal)
"""Shares, never negative on an order; signed on a position (short below zero)."""
Money = NewType("Money", Decimal)
"""USD."""
Fraction = NewType("Fraction", Decimal)
"""A ratio: 0.003, never 0.3 (percent is for the screen alone)."""

ClientOrderId = NewType("ClientOrderId", str)
BrokerOrderId = NewType("BrokerOrderId", str)
AccountId = NewType("AccountId", str)
"""The desk's own name of an account."""
VenueId = NewType("VenueId", str)
"""The market identifier code of a venue (ISO 10383), "XNYS"."""
ExecutionId = NewType("ExecutionId", str)
ProposalId = NewType("ProposalId", str)
TicketId = NewType("TicketId", str)
Digest = NewType("Digest", str)

ZERO = Decimal(0)
NO_SHARES = Quantity(ZERO)
NO_MONEY = Money(ZERO)
CENT = Decimal("0.01")
SUB_PENNY = Decimal("0.0001")
ONE_DOLLAR = Decimal(1)


MOST = Decimal(10) ** 12
"""Upper bound of every price, quantity and amount; a larger number is an error."""


SHORT_ID = 6
"""Characters of an order's id that identify it among those of a day."""
NO_NUMBER = "a quantity and a price must each be a number, below a million million"


def is_number(number: Decimal) -> bool:
    """Whether it is finite and below the upper bound."""
    return number.is_finite() and abs(number) < MOST


_WRITTEN = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")


def number_in(text: str) -> Decimal | None:
    """Parse a number in a text from outside; None if it is no number in plain digits.

    It may have a sign, a point, an exponent, and 40 digits on each side of the point. `1_000`, digits of other scripts,
    `nan` and blanks are no number.
    """
    return Decimal(text) if _WRITTEN.fullmatch(text) else None


def rounded_down(quantity: Decimal, step: Decimal) -> Quantity:
    """Return the largest multiple of `step` that is not above `quantity`."""
    return Quantity((quantity / step).to_integral_value(ROUND_DOWN) * step)


def plain(number: Decimal) -> str:
    """Return the shortest plain text of a number: `0.3`, never `0.300` and never `3E-1`."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(ratio: Decimal, places: int = 2) -> str:
    """As in `0.58 %`: the usual format of a ratio."""
    return f"{ratio * 100:.{places}f} %"


def exact_percent(ratio: Decimal) -> str:
    """As in `33 %`, `0.5 %`: a configured limit or share, without needless places."""
    return f"{plain(ratio * 100)} %"


MOST_PLACES = 9
"""Decimals of a quoted price; an average may have more."""
FOUR_PLACES, NINE_PLACES = Decimal("0.0001"), Decimal("0.000000001")


def priced(price: Decimal) -> str:
    """Return the shortest plain text of a price, at least two decimals: `328.20`, `0.0123`; averages are rounded."""
    exponent = price.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_PLACES:
        price = price.quantize(FOUR_PLACES if abs(price) >= 1 else NINE_PLACES)
    whole, _, part = plain(price).partition(".")
    return f"{whole}.{part:0<2}"
