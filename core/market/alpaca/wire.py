"""From what Alpaca sends to bars and quotes of ours: the one place where its numbers become Decimals.

A message that cannot be read becomes `MarketDataBroken` with its place and the reason, never a guess. Whether a figure
that can be read makes sense (a crossed quote, a low over its high) is the normaliser's to judge.
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
from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.quote import Feed, Quote
from core.model.values import Price, Quantity, Symbol, is_number
from core.model.venues import XNYS

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""No market time lies outside of them."""
LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Fields:
    """A record, read by its table alone."""

    table: ApiRecord
    raw: Mapping[object, object]

    def get(self, name: str) -> object:
        """None where it is absent: each that is read here is always there."""
        return self.raw.get(self.table.field(name).name)


class _UnreadableError(ValueError):
    """One field's trouble, in words."""


def read_bar(symbol: Symbol, raw: object, place: str) -> BarArrived | MarketDataBroken:
    """A bar as the stream and history write it (`o h l c v t`)."""
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
    """A quote as the stream and the latest quotes write it (`bp bs ap as t`)."""
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
"""Codes that say something else of a symbol: indications, imbalances, restrictions of short sales, price bands."""


def read_status(symbol: Symbol, raw: object, place: str) -> TradingHaltHeard | MarketDataBroken | None:
    """A trading status of the stream (`sc sm rc rm t`); None for one that neither halts nor resumes.

    A code that nobody knows halts where its words do, and is told as unreadable where they do not.
    """
    try:
        fields = _Fields(STATUS, _fields(raw))
        at = _time(fields)
    except _UnreadableError as error:
        return MarketDataBroken(place, f"{symbol} status: {error}")
    code = fields.get("sc")
    said = [shown(text).strip("'") for text in (fields.get("sm"), fields.get("rm")) if isinstance(text, str) and text]
    words = ", ".join(said) or HALTING.get(str(code), "no words with it")
    if not isinstance(code, str):  # no code of theirs, whatever it is
        code = None if code is None else shown(code)
    if code in RESUMING:
        return TradingHaltHeard(symbol, False, at, words)
    if code in HALTING or (code not in OTHERS and any(word in words.lower() for word in ("halt", "pause", "suspen"))):
        return TradingHaltHeard(symbol, True, at, words)
    return None if code in OTHERS else MarketDataBroken(place, f"{symbol} status: {shown(code)} ({words}) is not known")


def shown(value: object) -> str:
    """Something from outside, without control characters and not too long."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # a number of five thousand digits, a list in itself
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _fields(raw: object) -> Mapping[object, object]:
    if not isinstance(raw, Mapping):
        raise _UnreadableError(f"{shown(raw)} is no record")
    return raw


def _price(fields: _Fields, name: str) -> Price:
    """To the nearest tick: no order can name the price of a trade between two (at the middle of a quote)."""
    return STOCK_TICKS.nearest(_number(fields, name))


def _quantity(fields: _Fields, name: str) -> Quantity:
    return Quantity(_number(fields, name))


def _number(fields: _Fields, name: str) -> Decimal:
    """Exactly the digits on the wire: a float's shortest text is what was written there."""
    value = fields.get(name)
    if value is None:
        raise _UnreadableError(f"{name} is missing")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _UnreadableError(f"{name} {shown(value)} is not a number")
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except ValueError:  # an integer of more digits than Python writes down
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
