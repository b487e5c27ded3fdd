"""The fields of Alpaca's answers that this adapter reads (MD-07): one table, checked against Alpaca's description.

If a required field is missing the answer is unreadable: nothing is filled in, neither False nor zero.
"""

from __future__ import annotations

from datetime import date

from core.brokers.alpaca.fields import EVENTS
from core.execution.order_status import BROKER_STATUSES
from core.model.api_contract import ApiField, ApiFieldKind, ApiRecord
from core.model.order import Side

TEXT, NUMBER, FLAG, MOMENT, LIST, OBJECT = (
    ApiFieldKind.TEXT,
    ApiFieldKind.NUMBER,
    ApiFieldKind.FLAG,
    ApiFieldKind.MOMENT,
    ApiFieldKind.LIST,
    ApiFieldKind.OBJECT,
)

SHARES, CRYPTO, OPTION = "us_equity", "crypto", "us_option"
ASSET_CLASSES = frozenset({SHARES, OPTION, CRYPTO, "ipo"})
EXCHANGES = frozenset({"AMEX", "ARCA", "BATS", "NYSE", "NASDAQ", "NYSEARCA", "OTC"})
SEVERAL_LEGS = "mleg"
CLOSES = frozenset({"buy_to_close", "sell_to_close"})
"""Intents of an order that closes a position."""
PLAIN = frozenset({"", "simple"})
ORDER_CLASSES = PLAIN | {"bracket", "oco", "oto", SEVERAL_LEGS}
ORDER_TYPES = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
TIMES_IN_FORCE = frozenset({"day", "gtc", "ioc", "opg", "cls", "fok"})
ACTIVE = "ACTIVE"
ACCOUNT_STATUSES = frozenset(
    {
        *(ACTIVE, "INACTIVE", "PAPER_ONLY", "ONBOARDING", "SUBMISSION_FAILED", "SUBMITTED", "ACCOUNT_UPDATED"),
        *("APPROVAL_PENDING", "REJECTED", "ACCOUNT_CLOSED", "APPROVED", "ACCOUNT_CLOSED_PENDING", "ACTION_REQUIRED"),
        "LIMITED",
    }
)

ACCOUNT = ApiRecord(
    "the account",
    "GET /v2/account",
    "Account",
    (
        ApiField("account_number", TEXT),
        ApiField("status", TEXT, words=ACCOUNT_STATUSES),
        ApiField("equity", NUMBER),
        ApiField("cash", NUMBER),
        ApiField("buying_power", NUMBER),
        ApiField("multiplier", NUMBER),
        ApiField("account_blocked", FLAG),
        ApiField("trading_blocked", FLAG),
        ApiField("trade_suspended_by_user", FLAG),
        ApiField("last_equity", NUMBER, absent="the equity of yesterday's close is not known"),
        ApiField("initial_margin", NUMBER, absent="what is held requires is not known: entries on margin are refused"),
        ApiField("maintenance_margin", NUMBER, absent="as initial_margin"),
        ApiField("shorting_enabled", FLAG, absent="whether the account may sell short is left to its answer"),
        ApiField("regt_buying_power", NUMBER, absent="what may be held over the night is not known"),
    ),
)

LISTED = ApiRecord(
    "an asset of the list",
    "GET /v2/assets",
    "Assets",
    (
        ApiField("symbol", TEXT),
        ApiField("class", TEXT, words=ASSET_CLASSES),
        ApiField("status", TEXT, words=frozenset({"active", "inactive"})),
        ApiField("tradable", FLAG),
        ApiField("shortable", FLAG),
        ApiField("fractionable", FLAG),
        ApiField("name", TEXT, absent="it is found by its symbol alone"),
        ApiField("exchange", TEXT, absent="where it is listed is not shown", words=EXCHANGES),
    ),
)

ASSET = ApiRecord(
    "an asset",
    "GET /v2/assets/{symbol}",
    "Assets",
    (
        ApiField("symbol", TEXT),
        ApiField("class", TEXT, words=ASSET_CLASSES),
        ApiField("status", TEXT, words=frozenset({"active", "inactive"})),
        ApiField("tradable", FLAG),
        ApiField("marginable", FLAG),
        ApiField("shortable", FLAG),
        ApiField("fractionable", FLAG),
        ApiField(
            "borrow_status",
            TEXT,
            absent="an answer of before 2026-06-05: easy_to_borrow says it, or nobody does and nothing is sold short",
            words=frozenset({"easy_to_borrow", "hard_to_borrow"}),
        ),
        ApiField(
            "easy_to_borrow",
            FLAG,
            absent="borrow_status says it, or nobody does and nothing is sold short",
            goes=date(2026, 9, 22),
            instead="borrow_status",
        ),
        ApiField(
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
        ApiField("margin_requirement_long", NUMBER, absent="maintenance_margin_requirement counts"),
        ApiField("margin_requirement_short", NUMBER, absent="maintenance_margin_requirement counts"),
        ApiField(
            "maintenance_margin_requirement",
            NUMBER,
            absent="the requirement of a side without a field is unknown: entries on margin are refused",
            instead="margin_requirement_long, margin_requirement_short",
        ),
    ),
)

ORDER = ApiRecord(
    "an order",
    "GET, POST and PATCH /v2/orders, and the stream of order updates",
    "Order",
    (
        ApiField("id", TEXT),
        ApiField("client_order_id", TEXT),
        ApiField("symbol", TEXT, absent="an order of several legs has none itself"),
        ApiField("asset_class", TEXT, absent="an order of several legs has none itself", words=ASSET_CLASSES),
        ApiField(
            "side",
            TEXT,
            absent="an order of several legs has none itself",
            words=frozenset(side.value for side in Side),
        ),
        ApiField("qty", NUMBER, absent="it is for an amount: notional says which"),
        ApiField("notional", NUMBER, absent="it is for a quantity"),
        ApiField("order_class", TEXT, words=ORDER_CLASSES),
        ApiField("type", TEXT, absent="order_type says it", words=ORDER_TYPES),
        ApiField("order_type", TEXT, absent="type says it", instead="type"),
        ApiField("time_in_force", TEXT, words=TIMES_IN_FORCE),
        ApiField("limit_price", NUMBER, absent="it has no limit"),
        ApiField("stop_price", NUMBER, absent="it has no stop"),
        ApiField("trail_price", NUMBER, absent="it does not trail by dollars"),
        ApiField("trail_percent", NUMBER, absent="it does not trail by a part of the price"),
        ApiField("extended_hours", FLAG),
        ApiField("status", TEXT, words=frozenset(BROKER_STATUSES)),
        ApiField("filled_qty", NUMBER),
        ApiField("filled_avg_price", NUMBER, absent="nothing is filled, or at a price that is not told"),
        ApiField("submitted_at", MOMENT, absent="it waits: created_at says when it came"),
        ApiField("created_at", MOMENT, absent="submitted_at says it"),
        ApiField("legs", LIST, absent="it has none, or this answer names none: its class says which"),
        ApiField(
            "position_intent",
            TEXT,
            absent="not told: what is not this desk's may open",
            words=frozenset({"buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"}),
        ),
    ),
)

UPDATE = ApiRecord(
    "an order update",
    "the stream of order updates",
    "",
    (
        ApiField("event", TEXT, words=frozenset(EVENTS)),
        ApiField("timestamp", MOMENT),
        ApiField("order", OBJECT),
        ApiField("execution_id", TEXT, absent="the event is no fill"),
        ApiField("qty", NUMBER, absent="the event is no fill"),
        ApiField("price", NUMBER, absent="the event is no fill"),
    ),
)

FILL = ApiRecord(
    "a fill",
    "GET /v2/account/activities/FILL",
    "TradingActivities",
    (
        ApiField("id", TEXT),
        ApiField("order_id", TEXT),
        ApiField("transaction_time", MOMENT),
        ApiField("qty", NUMBER),
        ApiField("price", NUMBER),
        ApiField("symbol", TEXT),
        ApiField("side", TEXT, words=frozenset({"buy", "sell", "sell_short"})),
    ),
)

ACTIVITY_TYPES = frozenset(
    {
        "FILL",
        "TRANS",
        "MISC",
        "ACATC",
        "ACATS",
        "CFEE",
        "CGD",
        "CSD",
        "CSW",
        "DIV",
        "DIVCGL",
        "DIVCGS",
        "DIVFEE",
        "DIVFT",
        "DIVNRA",
        "DIVROC",
        "DIVTW",
        "DIVTXEX",
        "FEE",
        "INT",
        "INTNRA",
        "INTTW",
        "JNL",
        "JNLC",
        "JNLS",
        "MA",
        "NC",
        "OPASN",
        "OPCA",
        "OPCSH",
        "OPEXC",
        "OPEXP",
        "OPTRD",
        "PTC",
        "PTR",
        "REORG",
        "SPIN",
        "SPLIT",
        "FOPT",
    }
)
"""Known kinds of activities; another is read as `OTHER`."""

ACTIVITY = ApiRecord(
    "an activity",
    "GET /v2/account/activities",
    "NonTradeActivities",
    (
        ApiField("id", TEXT),
        ApiField("activity_type", TEXT, words=ACTIVITY_TYPES),
        ApiField("date", TEXT),
        ApiField("activity_sub_type", TEXT, absent="its type says all"),
        ApiField("net_amount", NUMBER, absent="it moves no cash"),
        ApiField("currency", TEXT, absent="USD"),
        ApiField("symbol", TEXT, absent="it is of no symbol"),
        ApiField("qty", NUMBER, absent="it names no shares"),
        ApiField("per_share_amount", NUMBER, absent="it names no rate"),
        ApiField("status", TEXT, absent="it stands", words=frozenset({"executed", "correct", "canceled"})),
    ),
)

POSITION = ApiRecord(
    "a position",
    "GET /v2/positions",
    "Position",
    (
        ApiField("symbol", TEXT),
        ApiField("asset_class", TEXT, words=ASSET_CLASSES),
        ApiField("qty", NUMBER),
        ApiField("side", TEXT, words=frozenset({"long", "short"})),
        ApiField("avg_entry_price", NUMBER),
    ),
)

CLOCK = ApiRecord(
    "the clock",
    "GET /v2/clock",
    "legacy_clock",
    (
        ApiField("timestamp", MOMENT),
        ApiField("is_open", FLAG, absent="it says nothing of the market: the calendar alone counts"),
        ApiField("next_open", MOMENT, absent="as is_open"),
        ApiField("next_close", MOMENT, absent="as is_open"),
    ),
)

DAY = ApiRecord(
    "a day of the calendar",
    "GET /v2/calendar",
    "legacy_calendar_day",
    (ApiField("date", TEXT), ApiField("open", TEXT), ApiField("close", TEXT)),
)

ERROR = ApiRecord(
    "a refusal",
    "any answer of 400 to 499",
    "Error",
    (
        ApiField("code", NUMBER, absent="it is no refusal of Alpaca's: the order is in doubt"),
        ApiField("message", TEXT, absent="it is no refusal of Alpaca's: the order is in doubt"),
    ),
)

RECORDS = (ACCOUNT, ASSET, LISTED, ORDER, UPDATE, FILL, ACTIVITY, POSITION, CLOCK, DAY, ERROR)
"""All records that this adapter reads."""
