"""Alpaca's words: what the simulated exchange knows, in the fields and formats of Alpaca's JSON.

Money and quantities are text, times RFC 3339 in UTC with nanoseconds, prices of market data plain numbers. The real
broker keeps more than a simulated account has; fields without a source here say what an account without that feature
would: nothing pending, nothing accrued.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.model.account import Account
from core.model.bar import Bar, Quote
from core.model.broker import BrokerPosition, Execution, OrderReport
from core.model.instrument import AssetClass, BrokerInstrument
from core.model.order import Side
from core.model.reconciliation import Activity, ActivityKind
from core.model.session import Session
from core.model.values import ZERO, Symbol, plain
from tests.wire.exchange.hours import NEW_YORK
from tests.wire.exchange.papers import STAMP_OF, Paper, id_of

Json = dict[str, Any]

CENTS = Decimal("0.01")
CLASSES = {AssetClass.STOCK: "us_equity", AssetClass.OPTION: "us_option", AssetClass.CRYPTO: "crypto"}


def stamp(at: datetime) -> str:
    """`2026-11-19T15:00:00.123456000Z`"""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def money(number: Decimal) -> str:
    """To the cent at least."""
    return plain(number) if number != number.quantize(CENTS) else format(number.quantize(CENTS), "f")


def order_json(report: OrderReport, paper: Paper, status: str | None = None, legs: list[Json] | None = None) -> Json:
    """One order. `status` is said in place of the exchange's own; `legs` is None where nobody asked for them."""
    stamps = {name: stamp(paper.stamps[name]) if name in paper.stamps else None for name in STAMP_OF.values()}
    return {
        "id": paper.id, "client_order_id": report.client_order_id, "created_at": stamp(paper.submitted_at),
        "updated_at": stamp(paper.updated_at), "submitted_at": stamp(paper.submitted_at), **stamps,
        "replaced_by": paper.replaced_by, "replaces": paper.replaces, "asset_id": id_of("asset", report.symbol),
        "symbol": report.symbol, "asset_class": "us_equity", "notional": None, "qty": plain(report.quantity),
        "filled_qty": plain(report.filled_quantity), "filled_avg_price": text(report.average_price),
        "order_class": paper.order_class, "order_type": report.type.value, "type": report.type.value,
        "side": report.side.value, "position_intent": paper.intent, "time_in_force": report.time_in_force.value,
        "limit_price": text(report.limit_price), "stop_price": text(report.stop_price),
        "status": status or paper.said_status or report.raw_status, "extended_hours": report.extended_hours,
        "legs": legs or None,
        "trail_percent": text(None if report.trail_fraction is None else report.trail_fraction * 100),
        "trail_price": text(report.trail_price), "hwm": text(paper.high_water), **paper.group,
    }  # fmt: skip


def update_json(
    event: str, at: datetime, order: Json, execution: Execution | None = None, position: Decimal = ZERO
) -> Json:
    """One message of the stream of trade updates."""
    data: Json = {"event": event, "timestamp": stamp(at), "order": order}
    if execution is not None:
        data |= {
            "execution_id": id_of("execution", execution.id),
            "price": plain(execution.price),
            "qty": plain(execution.quantity),
            "position_qty": plain(position),
        }
    return {"stream": "trade_updates", "data": data}


def fill_json(report: OrderReport, paper: Paper, number: int) -> Json:
    """One execution as an account activity; `number` counts from 0."""
    execution = report.executions[number]
    filled = sum((e.quantity for e in report.executions[: number + 1]), ZERO)
    is_last = filled == report.quantity
    return {
        "id": f"{execution.at.astimezone(UTC):%Y%m%d%H%M%S%f}"[:17] + f"::{id_of('execution', execution.id)}",
        "activity_type": "FILL", "transaction_time": stamp(execution.at),
        "type": "fill" if is_last else "partial_fill", "price": plain(execution.price),
        "qty": plain(execution.quantity), "side": report.side.value, "symbol": report.symbol,
        "leaves_qty": plain(report.quantity - filled), "order_id": paper.id, "cum_qty": plain(filled),
        "order_status": "filled" if is_last else "partially_filled",
    }  # fmt: skip


ACTIVITY_WORDS = {
    ActivityKind.FEE: "FEE", ActivityKind.DIVIDEND: "DIV", ActivityKind.INTEREST: "INT", ActivityKind.TRANSFER: "CSD",
    ActivityKind.SHARES: "JNLS", ActivityKind.SPLIT: "SPLIT", ActivityKind.OTHER: "MISC",
}  # fmt: skip


def activity_json(activity: Activity) -> Json:
    """Anything but a fill; a withdrawal has a word of its own."""
    is_withdrawal = activity.kind is ActivityKind.TRANSFER and activity.amount < ZERO
    optional = {"symbol": activity.symbol, "qty": text(activity.quantity), "per_share_amount": text(activity.rate)}
    return {
        "id": f"{activity.day:%Y%m%d}000000000::{id_of('activity', activity.id)}",
        "activity_type": "CSW" if is_withdrawal else ACTIVITY_WORDS[activity.kind], "date": activity.day.isoformat(),
        "net_amount": money(activity.amount), "currency": "USD", "status": "executed",
        **{name: value for name, value in optional.items() if value is not None},
    }  # fmt: skip


def position_json(position: BrokerPosition, price: Decimal, before: Decimal, held: Decimal) -> Json:
    """One position; `before` is the last close, `held` the shares that working orders hold."""
    quantity, average = position.quantity, position.average_price
    cost, value = quantity * average, quantity * price
    gain = value - cost
    part = gain / abs(cost) if cost else ZERO
    return {
        "asset_id": id_of("asset", position.symbol), "symbol": position.symbol, "exchange": "ARCA",
        "asset_class": "us_equity", "asset_marginable": True, "avg_entry_price": text(average),
        "qty": plain(quantity),
        "qty_available": plain(abs(quantity) - held if quantity > ZERO else held - abs(quantity)),
        "side": "long" if quantity > ZERO else "short", "market_value": plain(value), "cost_basis": plain(cost),
        "unrealized_pl": plain(gain), "unrealized_plpc": plain(part), "unrealized_intraday_pl": plain(gain),
        "unrealized_intraday_plpc": plain(part), "current_price": plain(price), "lastday_price": plain(before),
        "change_today": plain((price - before) / before if before else ZERO),
    }  # fmt: skip


def account_json(account: Account, positions: Mapping[Symbol, Decimal], opened: datetime) -> Json:
    """The account; `positions` are market values, signed."""
    long = sum((value for value in positions.values() if value > ZERO), ZERO)
    short = sum((value for value in positions.values() if value < ZERO), ZERO)
    is_margin = account.multiplier > 1
    return {
        "id": id_of("account", account.name),
        "account_number": f"PA{UUID(id_of('account', account.name)).int % 10**10:010d}", "status": "ACTIVE",
        "crypto_status": "INACTIVE", "currency": "USD", "buying_power": money(account.buying_power),
        "regt_buying_power": money(account.overnight_buying_power or ZERO),
        "non_marginable_buying_power": money(max(account.cash - account.unsettled, ZERO)),
        "cash": money(account.cash), "accrued_fees": "0", "portfolio_value": money(account.equity),
        "trading_blocked": False, "transfers_blocked": False, "account_blocked": False,
        "created_at": stamp(opened), "trade_suspended_by_user": False, "multiplier": plain(account.multiplier),
        "shorting_enabled": is_margin, "equity": money(account.equity),
        "last_equity": money(account.equity if account.last_equity is None else account.last_equity),
        "long_market_value": money(long), "short_market_value": money(short),
        "initial_margin": money(account.initial_margin or ZERO),
        "maintenance_margin": money(account.maintenance_margin or ZERO), "last_maintenance_margin": "0", "sma": "0",
        "options_buying_power": "0", "options_approved_level": 0, "options_trading_level": 0,
    }  # fmt: skip


def per_cent(requirement: Decimal | None) -> str:
    """Of the whole, where the exchange lends nothing."""
    return plain((Decimal(1) if requirement is None else requirement) * 100)


def asset_json(instrument: BrokerInstrument, is_marginable: bool) -> Json:
    return {
        "id": id_of("asset", instrument.symbol), "class": CLASSES[instrument.asset_class], "exchange": "ARCA",
        "symbol": instrument.symbol, "name": f"{instrument.symbol} of the loopback exchange", "status": "active",
        "tradable": instrument.is_tradable, "marginable": is_marginable, "maintenance_margin_requirement": 30,
        "margin_requirement_long": per_cent(instrument.long_requirement),
        "margin_requirement_short": per_cent(instrument.short_requirement), "shortable": instrument.is_shortable,
        "borrow_status": instrument.borrow_said or instrument.borrow.value,
        "fractionable": instrument.is_fractionable, "attributes": list(instrument.attributes),
    }  # fmt: skip


def clock_json(at: datetime, is_open: bool, next_open: datetime, next_close: datetime) -> Json:
    """New York time with its offset, as the broker has it; the stamp itself with nanoseconds."""
    here = at.astimezone(NEW_YORK)
    offset = here.isoformat()[-6:]
    return {
        "timestamp": f"{here:%Y-%m-%dT%H:%M:%S.%f}000{offset}",
        "is_open": is_open,
        "next_open": next_open.astimezone(NEW_YORK).isoformat(),
        "next_close": next_close.astimezone(NEW_YORK).isoformat(),
    }


def session_json(session: Session) -> Json:
    """One day of the calendar: naive New York times."""
    opens, closes = session.open.astimezone(NEW_YORK), session.close.astimezone(NEW_YORK)
    return {
        "date": session.day.isoformat(), "open": f"{opens:%H:%M}", "close": f"{closes:%H:%M}", "session_open": "0400",
        "session_close": "2000", "settlement_date": session.day.isoformat(),
    }  # fmt: skip


def bar_json(bar: Bar) -> Json:
    """A bar without its time. Trades are counted in lots of a hundred; the average is that of high, low and close."""
    return {
        "o": float(bar.open), "h": float(bar.high), "l": float(bar.low), "c": float(bar.close), "v": int(bar.volume),
        "n": max(1, int(bar.volume) // 100),
        "vw": float(((bar.high + bar.low + bar.close) / 3).quantize(Decimal("0.0001"))),
    }  # fmt: skip


def quote_json(quote: Quote) -> Json:
    """A quote without its time."""
    return {
        "bx": "V", "bp": float(quote.bid), "bs": int(quote.bid_size), "ax": "V", "ap": float(quote.ask),
        "as": int(quote.ask_size), "c": ["R"], "z": "B",
    }  # fmt: skip


def side_that_closes(quantity: Decimal) -> Side:
    return Side.SELL if quantity > ZERO else Side.BUY
