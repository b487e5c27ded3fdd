"""What Alpaca promises of its answers, as far as this adapter reads them (MD-07): one table, held to its description.

A field that is always there makes an answer without it unreadable: nothing is filled in, neither False nor zero.
"""

from __future__ import annotations

from datetime import date

from core.brokers.alpaca.statuses import EVENTS
from core.execution.order_machine import BROKER_STATUSES
from core.model.contract import Field, Kind, Record
from core.model.order import OrderType, Side

TEXT, NUMBER, FLAG, MOMENT, LIST, OBJECT = Kind.TEXT, Kind.NUMBER, Kind.FLAG, Kind.MOMENT, Kind.LIST, Kind.OBJECT

SHARES, CRYPTO, OPTION = "us_equity", "crypto", "us_option"
ASSET_CLASSES = frozenset({SHARES, OPTION, CRYPTO, "ipo"})
SEVERAL_LEGS = "mleg"
CLOSES = frozenset({"buy_to_close", "sell_to_close"})
"""Intents that say that an order closes what is held."""
PLAIN = frozenset({"", "simple"})
ORDER_CLASSES = PLAIN | {"bracket", "oco", "oto", SEVERAL_LEGS}
TIMES_IN_FORCE = frozenset({"day", "gtc", "ioc", "opg", "cls", "fok"})
ACTIVE = "ACTIVE"
ACCOUNT_STATUSES = frozenset(
    {
        *(ACTIVE, "INACTIVE", "PAPER_ONLY", "ONBOARDING", "SUBMISSION_FAILED", "SUBMITTED", "ACCOUNT_UPDATED"),
        *("APPROVAL_PENDING", "REJECTED", "ACCOUNT_CLOSED", "APPROVED", "ACCOUNT_CLOSED_PENDING", "ACTION_REQUIRED"),
        "LIMITED",
    }
)

ACCOUNT = Record(
    "the account",
    "GET /v2/account",
    "Account",
    (
        Field("account_number", TEXT),
        Field("status", TEXT, words=ACCOUNT_STATUSES),
        Field("equity", NUMBER),
        Field("cash", NUMBER),
        Field("buying_power", NUMBER),
        Field("multiplier", NUMBER),
        Field("account_blocked", FLAG),
        Field("trading_blocked", FLAG),
        Field("trade_suspended_by_user", FLAG),
        Field("last_equity", NUMBER, absent="the equity of yesterday's close is not known"),
        Field("initial_margin", NUMBER, absent="what is held requires is not known: entries on margin are refused"),
        Field("maintenance_margin", NUMBER, absent="as initial_margin"),
        Field("regt_buying_power", NUMBER, absent="what may be held over the night is not known"),
    ),
)

ASSET = Record(
    "an asset",
    "GET /v2/assets/{symbol}",
    "Assets",
    (
        Field("symbol", TEXT),
        Field("class", TEXT, words=ASSET_CLASSES),
        Field("status", TEXT, words=frozenset({"active", "inactive"})),
        Field("tradable", FLAG),
        Field("marginable", FLAG),
        Field("shortable", FLAG),
        Field("fractionable", FLAG),
        Field(
            "borrow_status",
            TEXT,
            absent="an answer of before 2026-06-05: easy_to_borrow says it, or nobody does and nothing is sold short",
            words=frozenset({"easy_to_borrow", "hard_to_borrow"}),
        ),
        Field(
            "easy_to_borrow",
            FLAG,
            absent="borrow_status says it, or nobody does and nothing is sold short",
            goes=date(2026, 9, 22),
            instead="borrow_status",
        ),
        Field(
            "attributes",
            LIST,
            absent="none are told",
            words=frozenset(
                {
                    *("ptp_no_exception", "ptp_with_exception", "ipo", "has_options", "options_late_close"),
                    *("fractional_eh_enabled", "overnight_tradable", "overnight_halted"),
                }
            ),
        ),
        Field("margin_requirement_long", NUMBER, absent="maintenance_margin_requirement counts"),
        Field("margin_requirement_short", NUMBER, absent="maintenance_margin_requirement counts"),
        Field(
            "maintenance_margin_requirement",
            NUMBER,
            absent="what a side requires that has none of its own is not known: entries on margin are refused",
            instead="margin_requirement_long, margin_requirement_short",
        ),
    ),
)

ORDER = Record(
    "an order",
    "GET, POST and PATCH /v2/orders, and the stream of order updates",
    "Order",
    (
        Field("id", TEXT),
        Field("client_order_id", TEXT),
        Field("symbol", TEXT, absent="an order of several legs has none of its own"),
        Field("asset_class", TEXT, absent="an order of several legs has none of its own", words=ASSET_CLASSES),
        Field(
            "side",
            TEXT,
            absent="an order of several legs has none of its own",
            words=frozenset(side.value for side in Side),
        ),
        Field("qty", NUMBER, absent="it is for an amount: notional says which"),
        Field("notional", NUMBER, absent="it is for a quantity"),
        Field("order_class", TEXT, words=ORDER_CLASSES),
        Field("type", TEXT, absent="order_type says it", words=frozenset(type_.value for type_ in OrderType)),
        Field("order_type", TEXT, absent="type says it", instead="type"),
        Field("time_in_force", TEXT, words=TIMES_IN_FORCE),
        Field("limit_price", NUMBER, absent="it has no limit"),
        Field("stop_price", NUMBER, absent="it has no stop"),
        Field("trail_price", NUMBER, absent="it does not trail by dollars"),
        Field("trail_percent", NUMBER, absent="it does not trail by a part of the price"),
        Field("extended_hours", FLAG),
        Field("status", TEXT, words=frozenset(BROKER_STATUSES)),
        Field("filled_qty", NUMBER),
        Field("filled_avg_price", NUMBER, absent="nothing is filled, or at a price that is not told"),
        Field("submitted_at", MOMENT, absent="it waits: created_at says when it came"),
        Field("created_at", MOMENT, absent="submitted_at says it"),
        Field("legs", LIST, absent="it has none, or this answer names none: its class says which"),
        Field(
            "position_intent",
            TEXT,
            absent="not told: what is not this desk's may open",
            words=frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"}),
        ),
    ),
)

UPDATE = Record(
    "an order update",
    "the stream of order updates",
    "",
    (
        Field("event", TEXT, words=frozenset(EVENTS)),
        Field("timestamp", MOMENT),
        Field("order", OBJECT),
        Field("execution_id", TEXT, absent="the event is no fill"),
        Field("qty", NUMBER, absent="the event is no fill"),
        Field("price", NUMBER, absent="the event is no fill"),
    ),
)

FILL = Record(
    "a fill",
    "GET /v2/account/activities/FILL",
    "TradingActivities",
    (
        Field("id", TEXT),
        Field("order_id", TEXT),
        Field("transaction_time", MOMENT),
        Field("qty", NUMBER),
        Field("price", NUMBER),
    ),
)

POSITION = Record(
    "a position",
    "GET /v2/positions",
    "Position",
    (
        Field("symbol", TEXT),
        Field("asset_class", TEXT, words=ASSET_CLASSES),
        Field("qty", NUMBER),
        Field("side", TEXT, words=frozenset({"long", "short"})),
        Field("avg_entry_price", NUMBER),
    ),
)

CLOCK = Record("the clock", "GET /v2/clock", "legacy_clock", (Field("timestamp", MOMENT),))

DAY = Record(
    "a day of the calendar",
    "GET /v2/calendar",
    "legacy_calendar_day",
    (Field("date", TEXT), Field("open", TEXT), Field("close", TEXT)),
)

ERROR = Record(
    "a refusal",
    "any answer of 400 to 499",
    "Error",
    (
        Field("code", NUMBER, absent="it is no refusal of Alpaca's: the order is in doubt"),
        Field("message", TEXT, absent="it is no refusal of Alpaca's: the order is in doubt"),
    ),
)

RECORDS = (ACCOUNT, ASSET, ORDER, UPDATE, FILL, POSITION, CLOCK, DAY, ERROR)
"""All that this adapter reads."""
