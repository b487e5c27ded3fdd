"""Parse Alpaca's messages to bars and quotes; the only place where its numbers become Decimals.

An unreadable message becomes `MarketDataBroken` with its place and the reason, never a guess. The normaliser judges
whether readable figures are plausible (a crossed quote, a low over its high).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from msgpack import Timestamp

from core.market.alpaca.contract import BAR, QUOTE, STATUS
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived, TradingHaltHeard
from core.model.api_contract import ApiRecord
from core.model.bar import Bar, Feed, Quote
from core.model.instrument import STOCK_TICKS
from core.model.session import XNYS
from core.model.values import Price, Quantity, Symbol, is_number

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Range of valid market times."""
LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Fields:
    """A record, read by its table alone."""

    table: ApiRecord
    raw: Mapping[object, object]

    def get(self, name: str) -> object:
        """Return a field; None if it is absent, although each that is read here is required."""
        return self.raw.get(self.table.field(name).name)


class _UnreadableError(ValueError):
    """A field that cannot be read, as text."""


def read_bar(symbol: Symbol, raw: object, place: str) -> BarArrived | MarketDataBroken:
    """Parse a bar of the stream or history (`o h l c v t`)."""
    try:
        fields = _Fields(BAR, _fields(raw))
        bar = Bar(
            symbol,
            _time(fields),
            _price(fields, "o"),
            _price(fields, "h"),
            _price(fields, "l"),
            _price(fields, "c"),
            _quantity(fields, "v"),
        )
    except _UnreadableError as error:
        return MarketDataBroken(place, f"{symbol} bar: {error}")
    return BarArrived(bar, f"{place}, {symbol} {XNYS.told(bar.start, '%Y-%m-%d %H:%M')}")


def read_quote(symbol: Symbol, raw: object, place: str, feed: Feed) -> QuoteArrived | MarketDataBroken:
    """Parse a quote of the stream or the latest quotes (`bp bs ap as t`)."""
    try:
        fields = _Fields(QUOTE, _fields(raw))
        quote = Quote(
            symbol,
            _time(fields),
            _price(fields, "bp"),
            _quantity(fields, "bs"),
            _price(fields, "ap"),
            _quantity(fields, "as"),
            feed,
        )
    except _UnreadableError as error:
        return MarketDataBroken(place, f"{symbol} quote: {error}")
    return QuoteArrived(quote)


HALTING = {
    "1": "opening delay",
    "2": "trading halt",
    "4": "no open, no resume",
    "H": "trading halt",
    "P": "volatility trading pause",
    "Q": "quotation resumption, no trades yet",
}
"""Codes after which a symbol does not trade: of the tapes A and B as figures, of C and O as letters."""
RESUMING = frozenset({"3", "T"})
OTHERS = frozenset("56789ACDEF")
"""Other codes: indications, imbalances, restrictions of short sales, price bands."""


def read_status(symbol: Symbol, raw: object, place: str) -> TradingHaltHeard | MarketDataBroken | None:
    """Parse a trading status of the stream (`sc sm rc rm t`); None for one that neither halts nor resumes.

    An unknown code halts if its text does, and is reported as unreadable otherwise.
    """
    try:
        fields = _Fields(STATUS, _fields(raw))
        at = _time(fields)
    except _UnreadableError as error:
        return MarketDataBroken(place, f"{symbol} status: {error}")
    code = fields.get("sc")
    said = [shown(text).strip("'") for text in (fields.get("sm"), fields.get("rm")) if isinstance(text, str) and text]
    words = ", ".join(said) or HALTING.get(str(code), "no words with it")
    if not isinstance(code, str):  # not one of their codes
        code = None if code is None else shown(code)
    if code in RESUMING:
        return TradingHaltHeard(symbol, False, at, words)
    if code in HALTING or (code not in OTHERS and any(word in words.lower() for word in ("halt", "pause", "suspen"))):
        return TradingHaltHeard(symbol, True, at, words)
    return None if code in OTHERS else MarketDataBroken(place, f"{symbol} status: {shown(code)} ({words}) is not known")


def shown(value: object) -> str:
    """Format an external value without control characters and not too long."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # a number of five thousand digits, a list that contains itself
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _fields(raw: object) -> Mapping[object, object]:
    if not isinstance(raw, Mapping):
        raise _UnreadableError(f"{shown(raw)} is no record")
    return raw


def _price(fields: _Fields, name: str) -> Price:
    """Round to the nearest tick: no order can name the price of a trade between two (at the middle of a quote)."""
    return STOCK_TICKS.nearest(_number(fields, name))


def _quantity(fields: _Fields, name: str) -> Quantity:
    return Quantity(_number(fields, name))


def _number(fields: _Fields, name: str) -> Decimal:
    """Return exactly the digits on the wire: a float's shortest text is the written one."""
    value = fields.get(name)
    if value is None:
        raise _UnreadableError(f"{name} is missing")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _UnreadableError(f"{name} {shown(value)} is not a number")
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except ValueError:  # an integer with more digits than Python prints
        raise _UnreadableError(f"{name} is beyond all measure") from None
    if not is_number(number):
        raise _UnreadableError(f"{name} {shown(str(number))} is no number to reckon with")
    return number


def _time(fields: _Fields) -> datetime:
    value = fields.get("t")
    if value is None:
        raise _UnreadableError("t, its time, is missing")
    try:
        at = _instant(value)
    except (ValueError, OverflowError):
        raise _UnreadableError(f"t {shown(value)} is no time") from None
    if at.tzinfo is None:
        raise _UnreadableError(f"t {shown(value)} has no zone")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise _UnreadableError(f"t {shown(value)} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return at.astimezone(UTC)


def _instant(value: object) -> datetime:
    if isinstance(value, Timestamp):
        at: datetime = value.to_datetime()
        return at
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    raise ValueError
