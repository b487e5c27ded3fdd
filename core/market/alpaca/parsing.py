"""Parse Alpaca's messages: bars, quotes, corporate actions and news; the only place where its numbers become Decimals
(MD-07).

An unreadable message becomes `MarketDataBroken` with its place and the reason, never a guess. The normaliser judges
whether readable figures are plausible (a crossed quote, a low over its high).

Parse Alpaca's corporate actions, one list per kind; unreadable ones are reported and left out.
Its `start` and `end` are the days on which an action is processed, for a dividend weeks after its ex date: more is
requested than returned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

from msgpack import Timestamp

from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived, TradingHaltHeard
from core.model.api_contract import ApiField, ApiFieldKind, ApiRecord
from core.model.bar import Bar, Feed, Quote
from core.model.instrument import STOCK_TICKS
from core.model.lazy_dataclass import dataclass
from core.model.news import LONGEST, LONGEST_SOURCE, Headline
from core.model.reference_data import SPLITS, ActionKind, CorporateAction
from core.model.session import XNYS
from core.model.text_sanitizer import foreign, shortened
from core.model.values import Price, Quantity, Symbol, is_number, number_in

TEXT, NUMBER, FLAG, MOMENT, LIST, OBJECT = (
    ApiFieldKind.TEXT,
    ApiFieldKind.NUMBER,
    ApiFieldKind.FLAG,
    ApiFieldKind.MOMENT,
    ApiFieldKind.LIST,
    ApiFieldKind.OBJECT,
)

BAR = ApiRecord(
    "a bar",
    "GET /v2/stocks/bars, and the stream of market data",
    "stock_bar",
    (
        ApiField("t", MOMENT),
        ApiField("o", NUMBER),
        ApiField("h", NUMBER),
        ApiField("l", NUMBER),
        ApiField("c", NUMBER),
        ApiField("v", NUMBER),
    ),
)

QUOTE = ApiRecord(
    "a quote",
    "GET /v2/stocks/quotes/latest, and the stream of market data",
    "stock_quote",
    (
        ApiField("t", MOMENT),
        ApiField("bp", NUMBER),
        ApiField("bs", NUMBER),
        ApiField("ap", NUMBER),
        ApiField("as", NUMBER),
    ),
)

STATUS = ApiRecord(
    "a trading status",
    "the stream of market data",
    "",
    (
        ApiField("t", MOMENT),
        ApiField("sc", TEXT),
        ApiField("sm", TEXT, absent="its code alone says what it is"),
        ApiField("rm", TEXT, absent="no reason was given"),
    ),
)

BARS = ApiRecord(
    "a page of bars",
    "GET /v2/stocks/bars",
    "stock_bars_resp",
    (
        ApiField("bars", OBJECT, absent="asked again, and after three in a row believed: there are none"),
        ApiField("next_page_token", TEXT, absent="it was the last page"),
    ),
)

QUOTES = ApiRecord(
    "the latest quotes",
    "GET /v2/stocks/quotes/latest",
    "stock_latest_quotes_resp",
    (ApiField("quotes", OBJECT, absent="no symbol was quoted: counted, and nothing opens without a quote"),),
)

CORPORATE_ACTIONS = ApiRecord(
    "a page of corporate actions",
    "GET /v1/corporate-actions",
    "corporate_actions_resp",
    (
        ApiField("corporate_actions", OBJECT, absent="there are none"),
        ApiField("next_page_token", TEXT, absent="it was the last page"),
    ),
)

CORPORATE_ACTION = ApiRecord(
    "a corporate action",
    "GET /v1/corporate-actions, a list a kind",
    "",
    (
        ApiField("symbol", TEXT, absent="another field names its share"),
        ApiField("source_symbol", TEXT, absent="it is no spin-off"),
        ApiField("acquiree_symbol", TEXT, absent="it is no merger"),
        ApiField("old_symbol", TEXT, absent="its share keeps its name"),
        ApiField("new_symbol", TEXT, absent="it is no rename and no spin-off"),
        ApiField("acquirer_symbol", TEXT, absent="its shares are paid in cash, or it is no merger"),
        ApiField("ex_date", TEXT, absent="another day is that on which it counts"),
        ApiField("effective_date", TEXT, absent="it has an ex date"),
        ApiField("process_date", TEXT),
        ApiField("payable_date", TEXT, absent="when it is paid is not told"),
        ApiField("special", FLAG, absent="it is no special dividend"),
        ApiField("rate", NUMBER, absent="no cash is paid a share"),
        ApiField("old_rate", NUMBER, absent="the number of shares stays"),
        ApiField("new_rate", NUMBER, absent="the number of shares stays"),
        ApiField("source_rate", NUMBER, absent="it is no spin-off"),
        ApiField("acquiree_rate", NUMBER, absent="it is no merger for shares"),
        ApiField("acquirer_rate", NUMBER, absent="it is no merger for shares"),
        ApiField("cash_rate", NUMBER, absent="it is no merger for shares and cash"),
    ),
)

NEWS = ApiRecord(
    "a page of news",
    "GET /v1beta1/news",
    "news_resp",
    (
        ApiField("news", LIST, absent="there are none"),
        ApiField("next_page_token", TEXT, absent="it was the last page"),
    ),
)

ARTICLE = ApiRecord(
    "an article",
    "GET /v1beta1/news",
    "news",
    (
        ApiField("id", NUMBER),
        ApiField("created_at", MOMENT),
        ApiField("headline", TEXT),
        ApiField("source", TEXT, absent="its source is not named"),
        ApiField("symbols", LIST, absent="it names none, and is left out"),
    ),
)

RECORDS = (BAR, QUOTE, STATUS, BARS, QUOTES, CORPORATE_ACTIONS, CORPORATE_ACTION, NEWS, ARTICLE)
"""All records that this adapter reads from answers; the stream's control messages belong to its protocol."""


FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Range of valid market times."""
LONGEST_SHOWN = 40
LONGEST_SYMBOL = 24
"""Characters, as of an option: reasons and notices name the symbol that shares have after an action."""


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


def _time(fields: _Fields, name: str = "t") -> datetime:
    value = fields.get(name)
    if value is None:
        raise _UnreadableError(f"{name}, its time, is missing")
    try:
        at = _instant(value)
    except (ValueError, OverflowError):
        raise _UnreadableError(f"{name} {shown(value)} is no time") from None
    if at.tzinfo is None:
        raise _UnreadableError(f"{name} {shown(value)} has no zone")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise _UnreadableError(f"{name} {shown(value)} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
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


PLACE = "Alpaca's corporate actions"
Read = CorporateAction | MarketDataBroken


@dataclass(frozen=True, slots=True)
class _Form:
    """The format of one of its lists: the fields of symbol and day, and the meaning of its rates."""

    kind: ActionKind
    symbol: str = "symbol"
    day: str = "ex_date"
    cash: str | None = None
    old: str | None = None
    new: str | None = None
    to: str | None = None


def _splits(kind: ActionKind) -> _Form:
    return _Form(kind, old="old_rate", new="new_rate")


def _merger(cash: str | None = None) -> _Form:
    rates = {"old": "acquiree_rate", "new": "acquirer_rate", "to": "acquirer_symbol"}
    return _Form(ActionKind.MERGER, "acquiree_symbol", "effective_date", cash, **rates)


FORMS: Mapping[str, _Form] = {
    "cash_dividends": _Form(ActionKind.CASH_DIVIDEND, cash="rate"),
    "stock_dividends": _Form(ActionKind.STOCK_DIVIDEND),
    "forward_splits": _splits(ActionKind.SPLIT),
    "reverse_splits": _splits(ActionKind.REVERSE_SPLIT),
    "unit_splits": _Form(ActionKind.OTHER, "old_symbol", "effective_date"),
    "spin_offs": _Form(ActionKind.SPIN_OFF, "source_symbol", old="source_rate", new="new_rate", to="new_symbol"),
    "cash_mergers": _Form(ActionKind.MERGER, "acquiree_symbol", "effective_date", cash="rate"),
    "stock_mergers": _merger(),
    "stock_and_cash_mergers": _merger(cash="cash_rate"),
    "redemptions": _Form(ActionKind.OTHER, day="process_date"),
    "name_changes": _Form(ActionKind.RENAME, "old_symbol", "process_date", to="new_symbol"),
    "worthless_removals": _Form(ActionKind.REMOVAL, day="process_date"),
}
"""A list that is not named here is of another kind, and left out."""


class _UnreadableActionError(ValueError):
    """A field that cannot be read, as text."""


def read_actions(answer: Mapping[str, object], symbols: Sequence[Symbol]) -> list[Read]:
    """Parse one page, for these symbols."""
    lists = answer.get(CORPORATE_ACTIONS.field("corporate_actions").name)
    if lists is None:
        return []
    if not isinstance(lists, Mapping):
        return [MarketDataBroken(PLACE, f"{shown(lists)} is no record by kind")]
    return [read for name, form in FORMS.items() for read in _read_list(name, form, lists.get(name), symbols)]


def _read_list(name: str, form: _Form, rows: object, symbols: Sequence[Symbol]) -> Iterator[Read]:
    if rows is None:
        return
    if not isinstance(rows, list):
        yield MarketDataBroken(PLACE, f"{name}: {shown(rows)} is no list")
        return
    for number, row in enumerate(rows, start=1):
        try:
            action = _read(form, row)
        except _UnreadableActionError as error:
            yield MarketDataBroken(PLACE, f"{name}, {number}: {error}")
            continue
        if action.symbol in symbols:
            yield action


def _read(form: _Form, row: object) -> CorporateAction:
    if not isinstance(row, Mapping):
        raise _UnreadableActionError(f"{shown(row)} is no record")
    symbol = _symbol(row, form.symbol)
    day = _day(row, form.day)
    if day is None:
        raise _UnreadableActionError(f"its {form.day} is missing")
    kind, old, new = _kind(form, row), _figure(row, form.old), _figure(row, form.new)
    if kind in SPLITS and old == new:
        raise _UnreadableActionError(f"it splits {symbol} 1 for 1")
    return CorporateAction(
        symbol,
        kind,
        day,
        _figure(row, form.cash),
        old,
        new,
        _day(row, "payable_date"),
        None if form.to is None else _symbol(row, form.to),
    )


def _kind(form: _Form, row: Mapping[object, object]) -> ActionKind:
    """Return its kind; a dividend is a special one where its flag says so."""
    is_special = form.kind is ActionKind.CASH_DIVIDEND and row.get(CORPORATE_ACTION.field("special").name) is True
    return ActionKind.SPECIAL_DIVIDEND if is_special else form.kind


def _symbol(row: Mapping[object, object], name: str) -> Symbol:
    symbol = row.get(CORPORATE_ACTION.field(name).name)
    is_plain = isinstance(symbol, str) and symbol.isascii() and symbol.isprintable()
    if not isinstance(symbol, str) or not is_plain or not 0 < len(symbol) <= LONGEST_SYMBOL:
        raise _UnreadableActionError(f"its {name} {shown(symbol)} is no symbol")
    return Symbol(symbol)


def _day(row: Mapping[object, object], name: str) -> date | None:
    said = row.get(CORPORATE_ACTION.field(name).name)
    try:
        return None if said is None else date.fromisoformat(str(said))
    except ValueError:
        raise _UnreadableActionError(f"its {name} {shown(said)} is no day") from None


def _figure(row: Mapping[object, object], name: str | None) -> Decimal | None:
    """Parse a figure above zero: a dividend or a split of zero is invalid."""
    if name is None:
        return None
    said = row.get(CORPORATE_ACTION.field(name).name)
    number = None if isinstance(said, bool) else number_in(str(said))
    if number is None or not is_number(number) or number <= 0:
        raise _UnreadableActionError(f"its {name} {shown(said)} is no figure above zero")
    return number


AHEAD = timedelta(minutes=1)
"""Difference between two clocks; an article from later than that is left out."""
MOST_READ = 1000
"""Characters of a headline that are read."""
LONGEST_ID = 20


def read_article(raw: object, symbols: Collection[Symbol], now: datetime) -> Headline | str | None:
    """Parse an article of a page: its headline, why it cannot be read, or None if it names none of the symbols.

    HTML entities are decoded once, and what they stand for is sanitised.
    """
    try:
        fields = _Fields(ARTICLE, _fields(raw))
        named = fields.get("symbols")
        if named is None:
            return None
        if not isinstance(named, list):
            raise _UnreadableError(f"its symbols {shown(named)} are no list")
        known = tuple(symbol for symbol in symbols if symbol in named)
        if not known:
            return None
        at = _time(fields, "created_at")
        if at > now + AHEAD:
            raise _UnreadableError(f"its created_at {shown(fields.get('created_at'))} is in the future")
        headline = _text(fields.get("headline"), LONGEST)
        if not headline:
            raise _UnreadableError(f"its headline {shown(fields.get('headline'))} is no text")
        source = _text(fields.get("source"), LONGEST_SOURCE)
        return Headline(_id(fields), min(at, now), headline, source, known, len(named))
    except _UnreadableError as error:
        return str(error)


def _id(fields: _Fields) -> str:
    value = fields.get("id")
    if isinstance(value, bool) or not isinstance(value, int | str) or not 0 < len(str(value)) <= LONGEST_ID:
        raise _UnreadableError(f"its id {shown(value)} is no number")
    return foreign(str(value))


def _text(value: object, most: int) -> str:
    """Return a foreign text in at most so many cells; empty if there is none."""
    return shortened(unescape(value[:MOST_READ])[: 2 * most], most) if isinstance(value, str) else ""
