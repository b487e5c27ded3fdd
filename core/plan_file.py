"""A plan out of the operator's own CSV file: every row that cannot be believed is told with its place (OP-05).

A file with one such row becomes no plan at all: half of a rebalancing is another trade than the one that was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from core.csv_table import FIRST_ROW, Row, TableError, columns_of, rows_of, shown
from core.inputs import PlanRow
from core.model.order import Effect, OrderType, TimeInForce
from core.model.values import Fraction, Money, Price, Quantity, Symbol
from core.staging.entries import LONGEST_TTL

NEEDED = ("symbol", "side")
OPTIONAL = (
    "quantity",
    "notional",
    "type",
    "limit_price",
    "stop_price",
    "time_in_force",
    "trigger_price",
    "trail",
    "ttl_seconds",
)
COLUMNS = (*NEEDED, *OPTIONAL)
SIDES: Mapping[str, Effect] = {
    "buy": Effect.OPEN,
    "sell": Effect.CLOSE,
    "short": Effect.SHORT,
    "cover": Effect.COVER,
}
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop-limit": OrderType.STOP_LIMIT,
    "trailing": OrderType.TRAILING_STOP,
}
WITH_LIMIT = (OrderType.LIMIT, OrderType.STOP_LIMIT)
WITH_TRIGGER = (OrderType.STOP, OrderType.STOP_LIMIT)
HUNDRED = Decimal(100)
LASTS = {"day": TimeInForce.DAY, "gtc": TimeInForce.GTC}
SYMBOL = re.compile(r"[A-Z][A-Z0-9./]{0,9}")
LARGEST = Decimal(1_000_000_000)
MOST_ROWS = 200
"""More orders than a person reads before a signing."""
LARGEST_FILE = 1_000_000
"""Bytes, which so many rows never need."""
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
"""A number as people write it: no exponent, no separators, no other script's digits."""


class PlanFileError(TableError):
    """Rows that cannot be believed; `faults` has one line for each, with its place."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def read_plan(path: Path, text: str, deploy: Decimal | None = None) -> tuple[PlanRow, ...]:
    """Every order of a file; `deploy` is shared equally by the rows that open and name no size, USD.

    Raises
    ------
    PlanFileError
        Naming each row at fault.
    TableError
        Where it is no table with these columns.

    Notes
    -----
    What opens has a size: its own, or a part of what is to be deployed, which is tried like any other (RK-18).
    """
    rows = rows_of(path, text, "order")
    places = _places(path, rows[0])
    if len(rows) - 1 > MOST_ROWS:
        raise TableError(f"{path}: {len(rows) - 1} orders, {MOST_ROWS} at most are signed at once; split the file")
    name = path.name.replace(":", "_")
    faults: list[str] = []
    read: list[PlanRow] = []
    for number, row in enumerate(rows[1:], FIRST_ROW):
        place = f"{name}:{number}"
        try:
            one = _row(place, row, places, len(rows[0]))
            _not_twice(place, one, read)
            read.append(one)
        except TableError as error:
            faults.append(str(error))
    bare = [row for row in read if not row.effect.only_reduces and row.quantity is None and row.notional is None]
    if deploy is None:
        faults += [f"{row.place}: no quantity and no notional; write one, or --deploy an amount" for row in bare]
    if faults:
        raise PlanFileError(tuple(sorted(faults, key=lambda fault: int(fault.split(":")[1]))))
    if deploy is not None and not bare:
        raise TableError(f"{path}: every row names its size, so that there is nothing to deploy; leave --deploy out")
    share = Money((deploy or Decimal(0)) / max(1, len(bare)))
    return tuple(replace(row, notional=share) if row in bare else row for row in read)


def _places(path: Path, header: Row) -> dict[str, int]:
    """A column of another name is refused: a limit that is misspelt would be sent at the market."""
    columns_of(path, header, NEEDED)
    names = [name.strip().lower() for name in header]
    if unknown := [name for name in names if name not in COLUMNS]:
        raise TableError(f"{path}:1: no column is called {shown(','.join(unknown))}; there are {','.join(COLUMNS)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TableError(f"{path}:1: the column {', '.join(twice)} is there twice; keep one of them")
    return {name: names.index(name) for name in names}


def _row(place: str, row: Row, places: Mapping[str, int], count: int) -> PlanRow:
    if len(row) != count:
        raise TableError(f"{place}: the line has {len(row)} fields, the header {count}; make them equal")
    fields = {name: row[number].strip() for name, number in places.items()}
    symbol, side = fields["symbol"].upper(), fields["side"].lower()
    if not SYMBOL.fullmatch(symbol):
        raise TableError(f"{place}: symbol {shown(fields['symbol'])} is no symbol such as SPY")
    if side not in SIDES:
        raise TableError(f"{place}: side {shown(fields['side'])} must be {', '.join(SIDES)}")
    effect = SIDES[side]
    quantity, notional = _number(place, "quantity", fields), _number(place, "notional", fields)
    if quantity is not None and notional is not None:
        raise TableError(f"{place}: quantity and notional are both there; leave one of them empty")
    limit, stop = _number(place, "limit_price", fields), _number(place, "stop_price", fields)
    if stop is not None and effect.only_reduces:
        raise TableError(f"{place}: stop_price is the stop of an entry; a sale has none, leave it empty")
    kind = _type(place, fields.get("type", ""), limit, effect)
    trigger = _number(place, "trigger_price", fields)
    trail, part = _trail(place, fields)
    _has(place, kind, "trigger_price", is_there=trigger is not None, is_needed=kind in WITH_TRIGGER)
    trails = trail is not None or part is not None
    _has(place, kind, "trail", is_there=trails, is_needed=kind is OrderType.TRAILING_STOP)
    return PlanRow(
        place=place,
        symbol=Symbol(symbol),
        effect=effect,
        quantity=None if quantity is None else Quantity(quantity),
        notional=None if notional is None else Money(notional),
        type=kind,
        limit_price=None if limit is None else Price(limit),
        stop_price=None if stop is None else Price(stop),
        time_in_force=_lasts(place, fields.get("time_in_force", "")),
        trigger_price=None if trigger is None else Price(trigger),
        trail_price=trail,
        trail_fraction=part,
        ttl_seconds=_ttl(place, fields, effect),
    )


def _has(place: str, kind: OrderType, name: str, *, is_there: bool, is_needed: bool) -> None:
    if is_needed and not is_there:
        raise TableError(f"{place}: a {_word(kind)} order needs a {name}; write it")
    if is_there and not is_needed:
        raise TableError(f"{place}: a {_word(kind)} order has no {name}; leave it empty")


def _trail(place: str, fields: Mapping[str, str]) -> tuple[Price | None, Fraction | None]:
    """`1.50`, USD, or `2%` of the price."""
    text = fields.get("trail", "")
    number = _number(place, "trail", {"trail": text.removesuffix("%").strip()})
    if number is None or not text.endswith("%"):
        return (None if number is None else Price(number)), None
    if number >= HUNDRED:
        raise TableError(f"{place}: trail {shown(text)} must be under 100%")
    return None, Fraction(number / HUNDRED)


def _ttl(place: str, fields: Mapping[str, str], effect: Effect) -> int | None:
    text = fields.get("ttl_seconds", "")
    if not text:
        return None
    if effect.only_reduces:
        raise TableError(f"{place}: ttl_seconds is an entry's own time; a sale has none, leave it empty")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_TTL:
        raise TableError(f"{place}: ttl_seconds {shown(text)} must be whole seconds, from 1 to {LONGEST_TTL}")
    return int(text)


def _type(place: str, text: str, limit: Decimal | None, effect: Effect) -> OrderType:
    if text and text.lower() not in TYPES:
        raise TableError(f"{place}: type {shown(text)} must be {', '.join(TYPES)}; a plan takes no other")
    kind = TYPES.get(text.lower(), OrderType.MARKET if limit is None else OrderType.LIMIT)
    if kind.is_stop and effect.only_reduces:
        raise TableError(f"{place}: a {_word(kind)} order of a plan opens; a sale is market or limit")
    if kind in WITH_LIMIT and limit is None:
        raise TableError(f"{place}: a {_word(kind)} order needs a limit_price; write it")
    if kind not in WITH_LIMIT and limit is not None:
        raise TableError(f"{place}: a {_word(kind)} order has no limit_price; leave it empty, or write limit")
    return kind


def _word(kind: OrderType) -> str:
    return next(word for word, type_ in TYPES.items() if type_ is kind)


def _lasts(place: str, text: str) -> TimeInForce:
    if text and text.lower() not in LASTS:
        raise TableError(f"{place}: time_in_force {shown(text)} must be {' or '.join(LASTS)}")
    return LASTS.get(text.lower(), TimeInForce.DAY)


def _number(place: str, name: str, fields: Mapping[str, str]) -> Decimal | None:
    text = fields.get(name, "")
    if not text:
        return None
    number = number_of(text)
    if number is None:
        raise TableError(f"{place}: {name} {shown(text)} is no number such as 12.5: digits, and one point at most")
    if not 0 < number <= LARGEST:
        raise TableError(f"{place}: {name} {shown(text)} must be above zero and at most {LARGEST:,}")
    return number


def number_of(text: str) -> Decimal | None:
    """None where it is not written in plain digits with one point at most."""
    return Decimal(text) if PLAIN.fullmatch(text) else None


def _not_twice(place: str, row: PlanRow, read: list[PlanRow]) -> None:
    for other in read:
        if (other.symbol, other.effect) == (row.symbol, row.effect):
            raise TableError(f"{place}: {row.symbol} stands at {other.place} already; write one row for it")
