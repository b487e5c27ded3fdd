"""Markets that are not New York's, each a value, with the exchange's own calendar."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from core.market.calendar import ExchangeCalendar, load_calendar
from core.model.bar import Bar
from core.model.session import ExtendedHours, Venue
from core.model.values import Price, Quantity, Symbol, VenueId

LONDON = Venue(
    id=VenueId("XLON"), name="London", short="LDN", zone=ZoneInfo("Europe/London"), calendar="XLON", opens=time(8),
    closes=time(16, 30), currency="GBP",
)  # fmt: skip
"""Nothing trades outside of its session."""

SYDNEY = Venue(
    id=VenueId("XASX"), name="Sydney", short="SYD", zone=ZoneInfo("Australia/Sydney"), calendar="XASX",
    opens=time(10), closes=time(16), currency="AUD",
    extended=ExtendedHours(begin=time(7), end=time(18, 50), early=time(15), end_of_a_half_day=time(15, 30)),
)  # fmt: skip
"""In summer its session crosses the midnight of UTC, and its evening is New York's early morning."""

FIRST, LAST = date(2026, 9, 1), date(2026, 12, 31)
WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)
SPY = Symbol("SPY")


@cache
def calendar_of(venue: Venue) -> ExchangeCalendar:
    return load_calendar(FIRST, LAST, venue)


def there(venue: Venue, clock: str, day: date = THURSDAY) -> datetime:
    """A time of day there, as UTC."""
    return venue.at(day, time.fromisoformat(clock))


def a_bar_there(venue: Venue, clock: str, prices: str, day: date = THURSDAY) -> Bar:
    """`prices` are open, high, low and close, one price for all four where there is one."""
    numbers = [Price(Decimal(text)) for text in prices.split()]
    opened, high, low, close = numbers * 4 if len(numbers) == 1 else numbers
    return Bar(SPY, there(venue, clock, day), opened, high, low, close, Quantity(Decimal(100_000)))
