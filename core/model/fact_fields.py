"""The fields of facts that the desk compares: names, units, and when a figure is old (OP-14).

A field has the name under which the agents' tools return it; `ALIASES` has the other words that agents use for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import Enum, StrEnum

from core.model.lazy_dataclass import dataclass


class FactField(StrEnum):
    """The fields that the desk can compare; a fact of any other field cannot be checked."""

    # of a symbol's market
    PRICE = "price"
    """Anything from bid to ask of a narrow quote, mid, or the last price."""
    BID = "bid"
    ASK = "ask"
    BID_SIZE = "bid_size"
    ASK_SIZE = "ask_size"
    MID = "mid"
    SPREAD = "spread"
    LAST = "last"
    CLOSE = "close"
    """Of the minute in which its time is."""
    CLOSE_BEFORE = "close_before"
    VOLUME = "volume"
    VWAP = "vwap"
    # of what is held of a symbol
    POSITION = "position"
    """Shares held, negative for a short."""
    QUANTITY = "quantity"
    """Of a position or an order; `source` says of which."""
    AVERAGE = "average_price"
    STOP = "stop_price"
    TARGET = "targets"
    VALUE = "value"
    PROFIT = "profit"
    PROFIT_FRACTION = "profit_fraction"
    PROFIT_IN_R = "profit_in_r"
    UNPROTECTED = "unprotected_shares"
    # of the orders of a symbol
    LIMIT = "limit_price"
    FILLED = "filled_quantity"
    OPEN_ORDERS = "open_orders"
    """Of the symbol, or of all symbols without one."""
    # of the draft
    STOP_DISTANCE = "stop_distance"
    """The way from the draft's entry to its stop, as a fraction of the entry."""
    SIZE = "size"
    """The quantity that the desk gives the draft's entry."""
    # of the account
    EQUITY = "equity"
    BUYING_POWER = "buying_power"
    DAY_CHANGE = "day_change"
    DESKS = "desks_attached"
    PROPOSALS = "proposals_waiting"
    RISK = "risk_of_a_trade"
    LARGEST_ORDER = "largest_order"
    SMALLEST_ORDER = "smallest_order"
    LOSS_LIMIT = "daily_loss_limit"
    LOST_AT_STOPS = "lost_at_stops"
    USED = "used"
    """Of a guard, which `source` names; the guard's own name is a field too, as `daily_loss`."""
    # of the agent
    MOST_VALUE = "most_value_usd"
    PER_HOUR = "drafts_per_hour"
    LEFT = "drafts_left_this_hour"
    WAITING = "drafts_waiting"
    MOST_WAITING = "drafts_waiting_at_most"
    MINUTES = "minutes_a_draft_waits"


class Unit(Enum):
    PRICE = "USD a share"
    MONEY = "USD"
    SHARES = "shares"
    COUNT = "count"
    FRACTION = "fraction"
    """Of one: 0.025 is 2.5 %."""
    MULTIPLE = "multiple of the risk"


class Ages(Enum):
    """When a figure of an earlier time is old."""

    IN_SECONDS = "after seconds"
    IN_A_MINUTE = "after a minute, if it changed"
    BY_CHANGE = "when it changed"
    NEVER = "never"


class FigureFamily(Enum):
    """Figures that the desk reads together."""

    MARKET = "market"
    HOLDING = "holding"
    RESULTS = "results"
    """Of positions, by the newest price."""
    ORDERS = "orders"
    ACCOUNT = "account"
    GUARDS = "guards"
    AGENT = "agent"
    DRAFT = "draft"


OF_HOLDINGS = frozenset({FigureFamily.HOLDING, FigureFamily.ORDERS})
OF_SYMBOLS = OF_HOLDINGS | {FigureFamily.MARKET, FigureFamily.RESULTS}


@dataclass(frozen=True, slots=True)
class FieldTerms:
    """What is known of a field.

    Attributes
    ----------
    is_amount
        Whether it tells an amount of the account, which some agents are not told.
    """

    unit: Unit
    ages: Ages
    families: tuple[FigureFamily, ...]
    is_amount: bool = False


_MARKET, _HOLDING, _ORDERS = (FigureFamily.MARKET,), (FigureFamily.HOLDING,), (FigureFamily.ORDERS,)
_ACCOUNT, _AGENT, _DRAFT = (FigureFamily.ACCOUNT,), (FigureFamily.AGENT,), (FigureFamily.DRAFT,)
_RESULTS = (FigureFamily.RESULTS,)
_HELD_OR_ORDERED = (FigureFamily.HOLDING, FigureFamily.ORDERS)
_AMOUNT = True

TERMS: Mapping[FactField, FieldTerms] = {
    FactField.PRICE: FieldTerms(Unit.PRICE, Ages.IN_SECONDS, _MARKET),
    FactField.BID: FieldTerms(Unit.PRICE, Ages.IN_SECONDS, _MARKET),
    FactField.ASK: FieldTerms(Unit.PRICE, Ages.IN_SECONDS, _MARKET),
    FactField.BID_SIZE: FieldTerms(Unit.SHARES, Ages.IN_SECONDS, _MARKET),
    FactField.ASK_SIZE: FieldTerms(Unit.SHARES, Ages.IN_SECONDS, _MARKET),
    FactField.MID: FieldTerms(Unit.PRICE, Ages.IN_SECONDS, _MARKET),
    FactField.SPREAD: FieldTerms(Unit.PRICE, Ages.IN_SECONDS, _MARKET),
    FactField.LAST: FieldTerms(Unit.PRICE, Ages.IN_SECONDS, _MARKET),
    FactField.CLOSE: FieldTerms(Unit.PRICE, Ages.NEVER, _MARKET),
    FactField.CLOSE_BEFORE: FieldTerms(Unit.PRICE, Ages.BY_CHANGE, _MARKET),
    FactField.VOLUME: FieldTerms(Unit.SHARES, Ages.IN_A_MINUTE, _MARKET),
    FactField.VWAP: FieldTerms(Unit.PRICE, Ages.IN_A_MINUTE, _MARKET),
    FactField.POSITION: FieldTerms(Unit.SHARES, Ages.BY_CHANGE, _HOLDING, _AMOUNT),
    FactField.QUANTITY: FieldTerms(Unit.SHARES, Ages.BY_CHANGE, _HELD_OR_ORDERED, _AMOUNT),
    FactField.AVERAGE: FieldTerms(Unit.PRICE, Ages.BY_CHANGE, _HELD_OR_ORDERED),
    FactField.STOP: FieldTerms(Unit.PRICE, Ages.BY_CHANGE, _HELD_OR_ORDERED),
    FactField.TARGET: FieldTerms(Unit.PRICE, Ages.BY_CHANGE, _HOLDING),
    FactField.VALUE: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, _RESULTS, _AMOUNT),
    FactField.PROFIT: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, _RESULTS, _AMOUNT),
    FactField.PROFIT_FRACTION: FieldTerms(Unit.FRACTION, Ages.IN_A_MINUTE, _RESULTS),
    FactField.PROFIT_IN_R: FieldTerms(Unit.MULTIPLE, Ages.IN_A_MINUTE, _RESULTS),
    FactField.UNPROTECTED: FieldTerms(Unit.SHARES, Ages.BY_CHANGE, _HOLDING, _AMOUNT),
    FactField.LIMIT: FieldTerms(Unit.PRICE, Ages.BY_CHANGE, _ORDERS),
    FactField.FILLED: FieldTerms(Unit.SHARES, Ages.BY_CHANGE, _ORDERS, _AMOUNT),
    FactField.OPEN_ORDERS: FieldTerms(Unit.COUNT, Ages.BY_CHANGE, _ORDERS),
    FactField.STOP_DISTANCE: FieldTerms(Unit.FRACTION, Ages.NEVER, _DRAFT),
    FactField.SIZE: FieldTerms(Unit.SHARES, Ages.NEVER, _DRAFT, _AMOUNT),
    FactField.EQUITY: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, _ACCOUNT, _AMOUNT),
    FactField.BUYING_POWER: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, _ACCOUNT, _AMOUNT),
    FactField.DAY_CHANGE: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, _ACCOUNT, _AMOUNT),
    FactField.DESKS: FieldTerms(Unit.COUNT, Ages.BY_CHANGE, _ACCOUNT),
    FactField.PROPOSALS: FieldTerms(Unit.COUNT, Ages.BY_CHANGE, _ACCOUNT),
    FactField.RISK: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, _ACCOUNT, _AMOUNT),
    FactField.LARGEST_ORDER: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, _ACCOUNT, _AMOUNT),
    FactField.SMALLEST_ORDER: FieldTerms(Unit.MONEY, Ages.BY_CHANGE, _ACCOUNT, _AMOUNT),
    FactField.LOSS_LIMIT: FieldTerms(Unit.MONEY, Ages.BY_CHANGE, _ACCOUNT, _AMOUNT),
    FactField.LOST_AT_STOPS: FieldTerms(Unit.MONEY, Ages.IN_A_MINUTE, (FigureFamily.GUARDS,), _AMOUNT),
    FactField.USED: FieldTerms(Unit.FRACTION, Ages.IN_A_MINUTE, (FigureFamily.GUARDS,), _AMOUNT),
    FactField.MOST_VALUE: FieldTerms(Unit.MONEY, Ages.BY_CHANGE, _AGENT),
    FactField.PER_HOUR: FieldTerms(Unit.COUNT, Ages.BY_CHANGE, _AGENT),
    FactField.LEFT: FieldTerms(Unit.COUNT, Ages.IN_A_MINUTE, _AGENT),
    FactField.WAITING: FieldTerms(Unit.COUNT, Ages.IN_A_MINUTE, _AGENT),
    FactField.MOST_WAITING: FieldTerms(Unit.COUNT, Ages.BY_CHANGE, _AGENT),
    FactField.MINUTES: FieldTerms(Unit.COUNT, Ages.BY_CHANGE, _AGENT),
}

ALIASES: Mapping[str, FactField] = {
    "mid_price": FactField.MID,
    "midpoint": FactField.MID,
    "last_price": FactField.LAST,
    "previous_close": FactField.CLOSE_BEFORE,
    "prev_close": FactField.CLOSE_BEFORE,
    "prior_close": FactField.CLOSE_BEFORE,
    "day_volume": FactField.VOLUME,
    "shares_held": FactField.POSITION,
    "shares": FactField.POSITION,
    "held": FactField.POSITION,
    "average": FactField.AVERAGE,
    "avg_price": FactField.AVERAGE,
    "average_entry_price": FactField.AVERAGE,
    "avg_entry_price": FactField.AVERAGE,
    "entry_price": FactField.AVERAGE,
    "stop": FactField.STOP,
    "target": FactField.TARGET,
    "target_price": FactField.TARGET,
    "market_value": FactField.VALUE,
    "position_value": FactField.VALUE,
    "open_profit": FactField.PROFIT,
    "unrealized_profit": FactField.PROFIT,
    "unrealised_profit": FactField.PROFIT,
    "unrealized_pl": FactField.PROFIT,
    "orders_working": FactField.OPEN_ORDERS,
    "working_orders": FactField.OPEN_ORDERS,
    "account_equity": FactField.EQUITY,
    "net_liquidation": FactField.EQUITY,
    "day_result": FactField.DAY_CHANGE,
    "days_result": FactField.DAY_CHANGE,
    "day_profit": FactField.DAY_CHANGE,
    "day_pnl": FactField.DAY_CHANGE,
    "daily_pnl": FactField.DAY_CHANGE,
    "size_for_risk": FactField.SIZE,
}
_BY_NAME: Mapping[str, FactField] = {**{each.value: each for each in FactField}, **ALIASES}

OLD_AFTER: Mapping[Ages, timedelta] = {
    Ages.IN_SECONDS: timedelta(seconds=10),
    Ages.IN_A_MINUTE: timedelta(minutes=1),
}
GUARD = FieldTerms(Unit.FRACTION, Ages.IN_A_MINUTE, (FigureFamily.GUARDS,), _AMOUNT)
"""Of a field that is the name of a guard."""


def field_named(name: str) -> FactField | None:
    """Return the field of a name or of another word for it; None for a word that is none."""
    return _BY_NAME.get(name)


def terms_named(name: str) -> FieldTerms | None:
    field = field_named(name)
    return None if field is None else TERMS[field]


def is_of_a_symbol(name: str) -> bool:
    """Whether a fact of this field that names no symbol is one of the draft's own; orders are of all symbols then."""
    field = field_named(name)
    return field not in (None, FactField.OPEN_ORDERS) and not OF_SYMBOLS.isdisjoint(TERMS[field].families)


def fields_in_words() -> str:
    """List every field by its unit, as agents read it: `USD a share: price, bid, ask …`."""
    return "; ".join(
        f"{unit.value}: {', '.join(field.value for field, terms in TERMS.items() if terms.unit is unit)}"
        for unit in Unit
    )


TOLERANCES: Mapping[Unit, Decimal] = {
    Unit.MONEY: Decimal("0.005"),
    Unit.SHARES: Decimal(0),
    Unit.COUNT: Decimal(0),
    Unit.FRACTION: Decimal("0.00005"),
    Unit.MULTIPLE: Decimal("0.005"),
}
"""What the rounding of a figure may move it by; a price has half a tick."""
