"""The exchange's request log, written before requests are handled, and its rebuild.

A record is a flat JSON object of strings. With the same market and the same records an exchange has the same result,
order for order and execution for execution, so that it survives a crash of the desk as a real broker would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import merge
from typing import Protocol

from core.model.bar import Bar, Quote
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, Leg, LegRole, OrderClass, OrderRequest, OrderType, Side, TimeInForce
from core.model.values import ClientOrderId, Fraction, Price, Quantity, Symbol, number_in

Record = Mapping[str, str | None]
"""One request as plain JSON; `at` is ISO 8601 in UTC, numbers are text so that they stay exact."""
YES = "yes"
"""Value of a flag that only some orders have; a missing flag is false."""
OPENING = "open"
"""The first record of an exchange's log: its rules and its symbols, which no later setting changes."""
RULES = (
    "cash",
    "multiplier",
    "slippage",
    "half_spread_ticks",
    "participation",
    "fee_per_share",
    "settlement_days",
)
FRICTIONS = (
    "slippage_by_size",
    "partial_fills",
    "rejections",
    "halts",
    "halt_minutes",
    "margin_interest",
    "sec_fee",
    "taf_fee",
)
"""Later rules, which an opening names only if they are not off."""
EVENTS = "events"
"""Scripted account events; an opening names them if there are any."""
RULES_EDITION = "edition"
"""Edition of the matching rules; an opening without one is of the first."""
MARKET = "market"
"""The market of a demo; an opening without one is of the calm one."""
NUMBERS = (
    "quantity",
    "limit_price",
    "stop_price",
    "trail_price",
    "trail_fraction",
    *(f"{role.value}_{name}_price" for role in LegRole for name in ("stop", "limit")),
)
WORDS = (
    "client_order_id",
    "symbol",
    "side",
    "effect",
    "type",
    "time_in_force",
    "replaces",
    "order_class",
    "extended_hours",
)
FIELDS = frozenset({"request", "at", "symbols", RULES_EDITION, MARKET, EVENTS, *RULES, *FRICTIONS, *NUMBERS, *WORDS})
"""All fields that a record may have."""
MOST_DIGITS = 15
"""Of a number in a record, before or after its point."""
YEARS = range(1900, 2200)


class RequestLog(Protocol):
    """Destination of requests. `append` returns when the record is stored; an exception stops the request."""

    def append(self, record: Record) -> None: ...


class Replayed(Protocol):
    """The part of an exchange that a rebuild needs."""

    def begin_bar(self, bar: Bar, lasts: timedelta | None = None) -> None: ...

    def take_quote(self, quote: Quote) -> None: ...

    def advance(self, at: datetime) -> None: ...

    def repeat(self, record: Record) -> None: ...


class DamagedRecordError(Exception):
    """A record of the log that is no valid request."""


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """An order submitted at `at`."""

    at: datetime
    order: OrderRequest


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """A cancel requested at `at`."""

    at: datetime
    client_order_id: ClientOrderId


@dataclass(frozen=True, slots=True)
class ReplaceRequest:
    """An order submitted at `at` as the replacement of the one that it names."""

    at: datetime
    order: OrderRequest


Request = SubmitRequest | CancelRequest | ReplaceRequest


def encoded(request: Request) -> Record:
    if isinstance(request, CancelRequest):
        return {
            "request": "cancel",
            "at": request.at.isoformat(),
            "client_order_id": request.client_order_id,
        }
    order = request.order
    replaces: dict[str, str] = {} if order.replaces is None else {"replaces": order.replaces}
    return {
        "request": "replace" if isinstance(request, ReplaceRequest) else "submit",
        "at": request.at.isoformat(),
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "effect": order.effect.value,
        "quantity": str(order.quantity),
        "type": order.type.value,
        "time_in_force": order.time_in_force.value,
        "limit_price": None if order.limit_price is None else str(order.limit_price),
        "stop_price": None if order.stop_price is None else str(order.stop_price),
        **replaces,
        **_extras(order),
    }


def decoded(record: Record) -> Request:
    """Decode the request of a record. Raises `DamagedRecordError`."""
    at = time_of(record)
    client_order_id = ClientOrderId(_text(record, "client_order_id"))
    match record.get("request"):
        case "cancel":
            return CancelRequest(at, client_order_id)
        case "submit":
            return SubmitRequest(at, _order(record, client_order_id))
        case "replace":
            replaces = ClientOrderId(_text(record, "replaces"))
            return ReplaceRequest(at, replace(_order(record, client_order_id), replaces=replaces))
        case other:
            raise DamagedRecordError(f"no such request: {other!r}")


def time_of(record: Record) -> datetime:
    return datetime.fromisoformat(_text(record, "at"))


def fault_in(record: Mapping[str, object]) -> str | None:
    """Return why no exchange can have written this record; None if it is valid."""
    for name, value in record.items():
        if not isinstance(value, str | None):
            return f"{name} is no text"
    told: Record = record  # type: ignore[assignment]  # checked above
    try:
        at = time_of(told)
        if at.tzinfo is None or at.year not in YEARS:
            return f"at {told['at']!r} is no time of a market"
        named = (*RULES, *FRICTIONS) if record.get("request") == OPENING else NUMBERS
        for name in named:
            if (fault := _number_fault(name, told.get(name))) is not None:
                return fault
        if record.get("request") == OPENING:
            if not (told.get(RULES_EDITION) or "1").isdigit():
                return f"{RULES_EDITION} {told[RULES_EDITION]!r} is no whole number"
            return None if told.get("symbols") else "it opens an exchange without symbols"
        decoded(told)
    except DamagedRecordError as error:
        return str(error)
    except (ArithmeticError, ValueError) as error:
        return f"it is no request ({error or type(error).__name__})"
    return None


def _number_fault(name: str, text: str | None) -> str | None:
    if text is None or text in ("True", "False"):
        return None
    number = number_in(text)
    if number is None:
        return f"{name} {text!r} is no number"
    is_one = abs((number or number + 1).adjusted()) < MOST_DIGITS
    return None if is_one else f"{name} {text!r} is no number of a request"


def rebuild(
    exchange: Replayed,
    bars: Iterable[Bar],
    quotes: Iterable[Quote],
    records: Iterable[Record],
    until: datetime,
    lasts: timedelta | None = None,
) -> None:
    """Bring a fresh exchange to the state at `until` of the one that wrote the log.

    1. Bars, quotes and records, each in order of time, are merged; at equal times a bar begins, then a quote arrives,
       then the market is walked, then requests are handled, as in live running.
    2. Everything later than `until` is left out.
    3. The market is walked up to `until`.

    The outbox then holds every update since the beginning; ids tell which of them were seen before. The bars are
    minutes unless `lasts` says otherwise.
    """
    for at, _, happening in merge(_bars(bars), _quotes(quotes), _records(records), key=lambda item: item[:2]):
        if at > until:
            break
        if isinstance(happening, Bar):
            exchange.begin_bar(happening, lasts)
        elif isinstance(happening, Quote):
            exchange.take_quote(happening)
        else:
            exchange.repeat(happening)
    exchange.advance(until)


_Happening = tuple[datetime, int, Bar | Quote | Record]


def _bars(bars: Iterable[Bar]) -> Iterator[_Happening]:
    return ((bar.start, 0, bar) for bar in bars)


def _quotes(quotes: Iterable[Quote]) -> Iterator[_Happening]:
    return ((quote.at, 1, quote) for quote in quotes)


def _records(records: Iterable[Record]) -> Iterator[_Happening]:
    return ((time_of(record), 2, record) for record in records)


def _extras(order: OrderRequest) -> dict[str, str]:
    """Encode the fields that only some orders have: their trail, class, legs, and extended hours."""
    legs = {f"{leg.role.value}_{name}": price for leg in order.legs for name, price in _prices(leg)}
    trail = {"trail_price": order.trail_price, "trail_fraction": order.trail_fraction}
    extras = {name: str(number) for name, number in {**trail, **legs}.items() if number is not None}
    if order.extended_hours:
        extras["extended_hours"] = YES
    return extras if order.order_class is OrderClass.SIMPLE else {**extras, "order_class": order.order_class.value}


def _prices(leg: Leg) -> tuple[tuple[str, Price | None], ...]:
    return ("stop_price", leg.stop_price), ("limit_price", leg.limit_price)


def _legs(record: Record) -> Iterator[Leg]:
    for role in LegRole:
        stop, limit = (_price(record, f"{role.value}_{name}_price") for name in ("stop", "limit"))
        if stop is not None or limit is not None:
            yield Leg(role, stop, limit)


def _order(record: Record, client_order_id: ClientOrderId) -> OrderRequest:
    trail_fraction = record.get("trail_fraction")
    return OrderRequest(
        client_order_id=client_order_id,
        symbol=Symbol(_text(record, "symbol")),
        side=Side(_text(record, "side")),
        effect=Effect(_text(record, "effect")),
        quantity=Quantity(Decimal(_text(record, "quantity"))),
        type=OrderType(_text(record, "type")),
        time_in_force=TimeInForce(_text(record, "time_in_force")),
        limit_price=_price(record, "limit_price"),
        stop_price=_price(record, "stop_price"),
        trail_price=_price(record, "trail_price"),
        trail_fraction=None if trail_fraction is None else Fraction(Decimal(trail_fraction)),
        order_class=OrderClass(record.get("order_class") or OrderClass.SIMPLE.value),
        legs=tuple(_legs(record)),
        extended_hours=record.get("extended_hours") == YES,
    )


def _price(record: Record, field: str) -> Price | None:
    text = record.get(field)
    return None if text is None else Price(Decimal(text))


def _text(record: Record, field: str) -> str:
    text = record.get(field)
    if text is None:
        raise DamagedRecordError(f"a record without {field}: {dict(record)!r}")
    return text
