"""Compare the facts of a draft with the desk's own figures (OP-14).

A price is compared with the quote of its time and with the minutes around it. It matches within `TOLERANCE` of the
price or two ticks, because a quote moves between the reading and the draft. A figure of the account matches within
`ACCOUNT_TOLERANCE`. A position, an average and a stop match exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from core.model.bar import ONE_MINUTE, Quote
from core.model.draft import CheckedFact, DraftFact, FactField, FactResult
from core.model.lazy_dataclass import dataclass
from core.model.values import CENT, NO_SHARES, Price, Quantity

TOLERANCE = Decimal("0.002")
"""Of a price: the move that SPY rarely makes in the seconds between a reading and a draft."""
AROUND = Decimal("0.005")
"""The same where the desk knows neither a quote nor the close of that minute, but only closes beside it."""
ACCOUNT_TOLERANCE = Decimal("0.005")
DISTANCE_TOLERANCE = Decimal("0.0001")
OF_NOW = timedelta(minutes=1)
"""A fact of this age is one of now."""
AHEAD = timedelta(seconds=5)
"""How far another clock may be ahead of the desk's."""

NOT_KNOWN = "the desk has no such figure"
NO_FIELD = "the desk does not know this field"
OF_TOMORROW = "its time is in the future"
CHANGED_SINCE = "the desk knows only the figure of now"


@dataclass(frozen=True, slots=True)
class SymbolFigures:
    """The desk's figures of one symbol.

    Attributes
    ----------
    closes
        Of the last minutes, by the start of the minute, oldest first. USD.
    held
        Shares, negative for a short.
    stop
        The nearest stop in force, USD; None without one.
    """

    quote: Quote | None = None
    closes: Sequence[tuple[datetime, Price]] = ()
    held: Quantity = NO_SHARES
    average: Price | None = None
    stop: Price | None = None


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """USD; None while unknown."""

    equity: Decimal | None
    buying_power: Decimal | None


def check(
    fact: DraftFact, at: datetime, symbol: SymbolFigures, account: AccountFigures, distance: Decimal | None
) -> CheckedFact:
    """Compare one fact.

    Parameters
    ----------
    symbol
        The figures of its symbol; without prices if the desk does not follow it.
    distance
        The way from the draft's entry to its stop as a fraction of the entry; None without a stop or a price.
    """
    if fact.at is not None and fact.at > at + AHEAD:
        return CheckedFact(fact, FactResult.DIFFERS, None, OF_TOMORROW)
    try:
        field = FactField(fact.field)
    except ValueError:
        return CheckedFact(fact, FactResult.UNKNOWN, None, NO_FIELD)
    is_of_now = fact.at is None or at - fact.at <= OF_NOW
    match field:
        case FactField.PRICE | FactField.BID | FactField.ASK:
            return _of_price(fact, field, at, symbol)
        case FactField.STOP_DISTANCE:
            return _beside(fact, distance, DISTANCE_TOLERANCE)
        case FactField.EQUITY | FactField.BUYING_POWER:
            ours = account.equity if field is FactField.EQUITY else account.buying_power
            return _of_figure(fact, ours, is_of_now, None if ours is None else abs(ours) * ACCOUNT_TOLERANCE)
        case FactField.POSITION:
            return _of_figure(fact, symbol.held, is_of_now, Decimal(0))
        case FactField.AVERAGE:
            return _of_figure(fact, symbol.average, is_of_now, CENT / 2)
        case FactField.STOP:
            return _of_figure(fact, symbol.stop, is_of_now, Decimal(0))


def _of_figure(fact: DraftFact, ours: Decimal | None, is_of_now: bool, tolerance: Decimal | None) -> CheckedFact:
    """Compare with the figure of now; an older fact that differs may have been true then."""
    checked = _beside(fact, ours, tolerance or Decimal(0))
    if checked.result is FactResult.DIFFERS and not is_of_now:
        return CheckedFact(fact, FactResult.UNKNOWN, ours, CHANGED_SINCE)
    return checked


def _beside(fact: DraftFact, ours: Decimal | None, tolerance: Decimal) -> CheckedFact:
    if ours is None:
        return CheckedFact(fact, FactResult.UNKNOWN, None, NOT_KNOWN)
    is_equal = abs(fact.value - ours) <= tolerance
    return CheckedFact(fact, FactResult.MATCHES if is_equal else FactResult.DIFFERS, ours)


def _of_price(fact: DraftFact, field: FactField, at: datetime, symbol: SymbolFigures) -> CheckedFact:
    """Compare with each price that the desk knows of the fact's time; the nearest one is shown."""
    time = fact.at or at
    known, tolerance = list(_prices_at(time, field, symbol)), TOLERANCE
    if not known:
        known, tolerance = list(_prices_around(time, symbol)), AROUND
    if not known:
        return CheckedFact(fact, FactResult.UNKNOWN, None, NOT_KNOWN)
    nearest = min(known, key=lambda price: abs(price - fact.value))
    return _beside(fact, nearest, max(nearest * tolerance, 2 * CENT))


def _prices_at(time: datetime, field: FactField, symbol: SymbolFigures) -> Iterator[Decimal]:
    """Yield the quote of that time, and if that minute has closed, its close and those of its neighbours."""
    quote = symbol.quote
    if quote is not None and abs(quote.at - time) <= OF_NOW:
        yield {FactField.BID: quote.bid, FactField.ASK: quote.ask}.get(field, quote.mid)
    if any(start <= time < start + ONE_MINUTE for start, _ in symbol.closes):
        yield from _prices_around(time, symbol)


def _prices_around(time: datetime, symbol: SymbolFigures) -> Iterator[Decimal]:
    for start, close in symbol.closes:
        if start - ONE_MINUTE <= time <= start + 3 * ONE_MINUTE:
            yield close
