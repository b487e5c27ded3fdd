"""The market-data side of the API: bars by pages, and the latest bars, quotes and snapshots."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from starlette.routing import Route

from core.model.bar import ONE_MINUTE, Bar, Quote
from core.model.values import Price, Quantity, Symbol
from tests.wire.exchange.door import Answer, Call, Door
from tests.wire.exchange.floor import Floor
from tests.wire.exchange.query import moment, whole
from tests.wire.exchange.refusal import RefusalError, invalid, malformed
from tests.wire.exchange.words import Json, bar_json, quote_json, stamp

MOST_BARS, FEW_BARS = 10_000, 1000
MOST_ACTIONS, FEW_ACTIONS = 1000, 100
MOST_ARTICLES, FEW_ARTICLES = 50, 10
NAMES_OF_A_SHARE = ("symbol", "source_symbol", "acquiree_symbol", "old_symbol")
A_DAY = timedelta(days=1)


def bars(floor: Floor, call: Call) -> Answer:
    """One page, symbol by symbol in the order of their names; the token names the first bar of the next one."""
    now = floor.catch_up()
    step = frame_of(call.query.get("timeframe", "1Min"))
    limit = whole(call.query, "limit", FEW_BARS)
    if not 0 < limit <= MOST_BARS:
        raise malformed(f"limit must be between 1 and {MOST_BARS}")
    start = moment(call.query, "start") or floor.start_of_day()
    end = min((moment(call.query, "end") or now) + timedelta(microseconds=1), now)
    found = [
        (symbol, bar)
        for symbol in sorted(symbols_of(floor, call))
        for bar in in_order(adjusted(floor, framed(floor, symbol, start, end, step), call), call)
    ]
    first = offset_of(call.query.get("page_token"))
    page, rest = found[first : first + limit], found[first + limit :]
    said: dict[str, list[Json]] = {}
    for symbol, bar in page:
        said.setdefault(symbol, []).append(timed_bar(bar))
    return Answer({"bars": said, "next_page_token": token_of(first + limit) if rest else None})


def latest_bars(floor: Floor, call: Call) -> Answer:
    floor.catch_up()
    latest = {symbol: floor.latest_bar(symbol) for symbol in symbols_of(floor, call)}
    return Answer({"bars": {symbol: timed_bar(bar) for symbol, bar in latest.items() if bar}})


def latest_quotes(floor: Floor, call: Call) -> Answer:
    floor.catch_up()
    quotes = {symbol: floor.quote(symbol) for symbol in symbols_of(floor, call)}
    return Answer({"quotes": {s: timed_quote(floor.shown_wrong(q)) for s, q in quotes.items() if isinstance(q, Quote)}})


def snapshots(floor: Floor, call: Call) -> Answer:
    floor.catch_up()
    return Answer(
        {symbol: _snapshot(floor, symbol) for symbol in symbols_of(floor, call) if symbol in floor.tape.symbols}
    )


def corporate_actions(floor: Floor, call: Call) -> Answer:
    """Those that are processed from `start` to `end`, by kind; the token names the first one of the next page."""
    first, last = (day_of(call.query.get(name), floor.catch_up().date()) for name in ("start", "end"))
    limit, offset = whole(call.query, "limit", FEW_ACTIONS), offset_of(call.query.get("page_token"))
    if not 0 < limit <= MOST_ACTIONS:
        raise malformed(f"limit must be between 1 and {MOST_ACTIONS}")
    named = {symbol for symbol in call.query.get("symbols", "").split(",") if symbol}
    found = [
        (kind, row)
        for kind, row in floor.announced
        if not isinstance(row, dict)
        or (named & {row.get(name) for name in NAMES_OF_A_SHARE} and first <= str(row.get("process_date")) <= last)
    ]
    said: dict[str, list[Json]] = {}
    for kind, row in found[offset : offset + limit]:
        said.setdefault(kind, []).append(row)
    more = token_of(offset + limit) if len(found) > offset + limit else None
    return Answer({"corporate_actions": said, "next_page_token": more})


def news(floor: Floor, call: Call) -> Answer:
    """Articles that name one of the symbols and were updated since `start`, the newest first; anything else as it is.

    What a test wrote down instead of a list is the answer itself.
    """
    if not isinstance(floor.news, list):
        return Answer({"news": floor.news, "next_page_token": None})
    limit, offset = whole(call.query, "limit", FEW_ARTICLES), offset_of(call.query.get("page_token"))
    if not 0 < limit <= MOST_ARTICLES:
        raise malformed(f"limit must be between 1 and {MOST_ARTICLES}")
    named, start = set(symbols_of(floor, call)), moment(call.query, "start") or floor.start_of_day()
    found = [row for row in floor.news if _is_about(row, named, start)]
    found.sort(key=lambda row: str(row.get("updated_at")) if isinstance(row, dict) else "", reverse=True)
    more = token_of(offset + limit) if len(found) > offset + limit else None
    return Answer({"news": found[offset : offset + limit], "next_page_token": more})


def _is_about(row: object, named: set[Symbol], start: datetime) -> bool:
    """What cannot be read, or was never updated, is about everything."""
    if not isinstance(row, dict) or not isinstance(row.get("symbols"), list) or row.get("updated_at") is None:
        return True
    return bool(named & set(row["symbols"])) and str(row["updated_at"]) >= stamp_of_a_minute(start)


def day_of(said: str | None, otherwise: date) -> str:
    """As it is written, which sorts as the days do. Raises `RefusalError`."""
    try:
        return date.fromisoformat(said).isoformat() if said else otherwise.isoformat()
    except ValueError:
        raise malformed(f"invalid date: {said}") from None


def data_routes(door: Door) -> list[Route]:
    routes: tuple[tuple[str, str, Callable[[Floor, Call], Answer]], ...] = (
        ("bars/latest", "bars", latest_bars),
        ("bars", "bars", bars),
        ("quotes/latest", "quotes", latest_quotes),
        ("snapshots", "quotes", snapshots),
    )
    return [
        *(door.route("GET", f"/v2/stocks/{path}", kind, act) for path, kind, act in routes),
        door.route("GET", "/v1/corporate-actions", "corporate-actions", corporate_actions),
        door.route("GET", "/v1beta1/news", "news", news),
    ]


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def symbols_of(floor: Floor, call: Call) -> list[Symbol]:
    """Raises `RefusalError`, for all of them where one is unknown."""
    named = [Symbol(symbol) for symbol in call.query.get("symbols", "").split(",") if symbol]
    if not named:
        raise RefusalError(400, 40010000, "symbols is required")
    for symbol in floor.unknown.intersection(named):
        raise RefusalError(400, 40010000, f"invalid symbol: {symbol}")
    return named


def frame_of(said: str) -> timedelta:
    """Minutes and hours of a day, or the day."""
    number, unit = said.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), said.lstrip("0123456789")
    steps = {"Min": ONE_MINUTE, "T": ONE_MINUTE, "Hour": timedelta(hours=1), "H": timedelta(hours=1)}
    if unit in ("Day", "D") and number == "1":
        return A_DAY
    if unit not in steps or not number.isdigit() or not 0 < int(number) < 60:
        raise invalid(f"invalid timeframe: {said}")
    return int(number) * steps[unit]


def framed(floor: Floor, symbol: Symbol, start: datetime, end: datetime, step: timedelta) -> list[Bar]:
    """Minute bars put together into longer ones; each begins at a multiple of `step` in its New York day.

    A day is one bar, also the one of twenty-five hours on which the clocks go back.
    """
    minutes = floor.bars(symbol, start, end)
    if step == ONE_MINUTE:
        return minutes
    groups: dict[datetime, list[Bar]] = {}
    for bar in minutes:
        midnight = floor.midnight_before(bar.start)
        begins = midnight if step >= A_DAY else midnight + (bar.start - midnight) // step * step
        groups.setdefault(begins, []).append(bar)
    return [together(begins, group) for begins, group in groups.items()]


def together(begins: datetime, group: list[Bar]) -> Bar:
    volume = sum((bar.volume for bar in group), Decimal(0))
    high, low = max(bar.high for bar in group), min(bar.low for bar in group)
    return Bar(group[0].symbol, begins, group[0].open, Price(high), Price(low), group[-1].close, Quantity(volume))


def adjusted(floor: Floor, found: list[Bar], call: Call) -> list[Bar]:
    """In shares of today, where that is asked for."""
    if call.query.get("adjustment", "raw") == "raw":
        return found
    return [after_split(bar, *floor.splits[bar.symbol]) if bar.symbol in floor.splits else bar for bar in found]


def after_split(bar: Bar, at: datetime, ratio: Decimal) -> Bar:
    if bar.start >= at:
        return bar
    opened, high, low, close = (Price(price / ratio) for price in (bar.open, bar.high, bar.low, bar.close))
    return Bar(bar.symbol, bar.start, opened, high, low, close, Quantity(bar.volume * ratio))


def in_order(found: list[Bar], call: Call) -> list[Bar]:
    return found[::-1] if call.query.get("sort", "asc") == "desc" else found


def timed_bar(bar: Bar) -> Json:
    return {"t": stamp_of_a_minute(bar.start), **bar_json(bar)}


def timed_quote(quote: Quote) -> Json:
    return {"t": stamp(quote.at), **quote_json(quote)}


def stamp_of_a_minute(at: datetime) -> str:
    """Market data has no nanoseconds where there are none."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def token_of(number: int) -> str:
    return urlsafe_b64encode(str(number).encode()).decode()


def offset_of(token: str | None) -> int:
    try:
        return int(urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise malformed("invalid page_token") from None


def _snapshot(floor: Floor, symbol: Symbol) -> Json:
    minute, quote = floor.latest_bar(symbol), floor.quote(symbol)
    days = [floor.start_of_day() - timedelta(days=5), floor.start_of_day()]
    daily = [framed(floor, symbol, start, floor.walked, A_DAY) for start in days]
    earlier = [bar for bar in daily[0] if bar.start < days[1]]
    trade = minute and {
        "t": stamp(minute.end),
        "x": "V",
        "p": float(minute.close),
        "s": 100,
        "c": ["@"],
        "i": 1,
        "z": "B",
    }
    return {
        "latestTrade": trade or None,
        "latestQuote": timed_quote(floor.shown_wrong(quote)) if isinstance(quote, Quote) else None,
        "minuteBar": minute and timed_bar(minute),
        "dailyBar": timed_bar(daily[1][-1]) if daily[1] else None,
        "prevDailyBar": timed_bar(earlier[-1]) if earlier else None,
    }
