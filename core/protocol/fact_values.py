"""Parse the values and times of facts as agents write them, or say what to write; nothing is guessed (OP-14).

Each reader returns None for a text that it does not take.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from core.model.fact_fields import Unit
from core.model.values import number_in

SCALES = {"": Decimal(1), "K": Decimal(1_000), "M": Decimal(1_000_000), "B": Decimal(1_000_000_000)}
_VALUE = re.compile(
    r"(?P<sign>[+-]?)(?P<dollar>\$?)(?P<inner>[+-]?)"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?P<scale>[KMBkmb]?)(?P<end>\s?%|\s?USD)?"
)
IN_USD = frozenset({Unit.PRICE, Unit.MONEY})
_EPOCH = re.compile(r"(?P<seconds>[0-9]{10})(?:\.(?P<part>[0-9]{1,6}))?|(?P<milliseconds>[0-9]{13})")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(1971, 2200)
"""Years of a fact's time; others cannot be shown in every zone."""
EXAMPLES = {
    None: "a number as 510.20 or 1,234.50",
    Unit.PRICE: "USD as 510.20 or 1,234.50",
    Unit.MONEY: "USD as 12500.75, 1,234.50 or 1.2M",
    Unit.SHARES: "shares as 5, 1,200 or 1.2M",
    Unit.COUNT: "a count as 3",
    Unit.FRACTION: "a fraction as 0.025, or 2.5%",
    Unit.MULTIPLE: "a multiple of the risk as 1.5",
}


def value_in(text: str, unit: Unit | None) -> Decimal | None:
    """Parse `1,234.50`, `$510.20`, `2.5%`, `1.2M`; a sign of another unit than the field's is not taken.

    Parameters
    ----------
    unit
        Of the field; None for a field that the desk does not know.
    """
    if (exact := number_in(text)) is not None:
        return exact
    found = _VALUE.fullmatch(text.strip(" "))
    if found is None or (found["sign"] and found["inner"]):
        return None
    ends = (found["end"] or "").strip()
    is_of_dollars, is_percent = bool(found["dollar"]) or ends == "USD", ends == "%"
    if (is_of_dollars and (is_percent or (unit is not None and unit not in IN_USD))) or (
        is_percent and (found["scale"] or (unit is not None and unit is not Unit.FRACTION))
    ):
        return None
    number = Decimal(found["number"].replace(",", "")) * SCALES[found["scale"].upper()]
    signed = -number if "-" in (found["sign"], found["inner"]) else number
    return signed / 100 if is_percent else signed


def time_in(text: str) -> datetime | time | None:
    """Parse ISO 8601 with an offset or `Z`, seconds or milliseconds of the epoch, or a clock of the exchange.

    A clock is `09:45` or `09:45:10`, on the exchange's day of the draft.
    """
    if (clock := _CLOCK.fullmatch(text)) is not None:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        return time(hour, minute, second)
    if (epoch := _EPOCH.fullmatch(text)) is not None:
        if epoch["milliseconds"]:
            at = BEGIN + timedelta(milliseconds=int(epoch["milliseconds"]))
        else:
            at = BEGIN + timedelta(seconds=int(epoch["seconds"]), microseconds=int((epoch["part"] or "").ljust(6, "0")))
        return at if at.year in YEARS else None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None and at.year in YEARS else None
    except (ValueError, OverflowError):
        return None
