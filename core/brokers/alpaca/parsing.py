"""Parse Alpaca's JSON to our types, orders with their status. Each function raises `UnreadableFieldError` alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from core.brokers.alpaca.contract import (
    ACCOUNT,
    ACTIVE,
    ASSET,
    CLOCK,
    CLOSES,
    CRYPTO,
    DAY,
    FILL,
    LISTED,
    OPTION,
    ORDER,
    POSITION,
    SHARES,
    UPDATE,
)
from core.brokers.alpaca.fields import FILLS, Fields, UnreadableFieldError, event_of, rows, shown
from core.execution.order_status import BROKER_STATUSES
from core.model.account import Account
from core.model.broker import (
    BrokerPosition,
    Execution,
    ForeignPosition,
    OrderReport,
    OrderUpdate,
    UnreadableOrder,
    UnreadablePosition,
    UnreadUpdate,
    UpdateEvent,
)
from core.model.instrument import FRACTIONS, WHOLE_ONES, AssetClass, Borrow, BrokerInstrument
from core.model.order import ORDER_ID, OrderType, Side, TimeInForce
from core.model.reference_data import ListedAsset
from core.model.session import XNYS, Session
from core.model.values import BrokerOrderId, ClientOrderId, ExecutionId, Fraction, Money, Price, Quantity, Symbol

PER_CENT = Decimal(100)
LONGEST_TITLE = 80
"""Letters of an asset's name that are kept."""
LONGEST_NAME = 64
CLASSES = {SHARES: AssetClass.STOCK, OPTION: AssetClass.OPTION, CRYPTO: AssetClass.CRYPTO}
WITH_LEGS = frozenset({"bracket", "oco", "oto"})
AN_ACTIVITY = "::"
"""Separates the time and the execution's own id in an activity's id."""

Word = TypeVar("Word", bound=Enum)


def an_order(raw: object) -> OrderReport:
    """Parse an order with its legs. One for an amount in dollars has no quantity, and is unreadable."""
    report = a_single_order(raw)
    if has_unnamed_legs(raw):
        return replace(report, hides_legs=True)
    legs = _the_order(raw).value("legs")
    if legs is None:
        return report
    return replace(
        report, legs=tuple(a_single_order(leg, may_be_ours=True) for leg in rows(legs, f"{_named('order', raw)}, legs"))
    )


def has_unnamed_legs(raw: object) -> bool:
    """Return whether it has legs that this answer does not show."""
    order = _the_order(raw)
    return order.word("order_class") in WITH_LEGS and not order.value("legs")


def a_single_order(raw: object, *, may_be_ours: bool = False) -> OrderReport:
    """Parse an order without its legs. If it may be ours, an unknown value is no error, because it may have filled."""
    order = _the_order(raw)
    kept = may_be_ours or ORDER_ID.fullmatch(order.text("client_order_id"))
    raw_status = order.text("status")
    filled = order.not_negative("filled_qty")
    average = order.optional_positive("filled_avg_price") if filled else None
    percent = order.optional_positive("trail_percent")
    type_name = "type" if order.word("type") else "order_type"
    side = _known(Side, order, "side") if kept else _one_of(Side, order, "side")
    kind = _known(OrderType, order, type_name) if kept else _one_of(OrderType, order, type_name)
    lasts = _known(TimeInForce, order, "time_in_force")
    return OrderReport(
        client_order_id=ClientOrderId(order.text("client_order_id")),
        broker_order_id=BrokerOrderId(order.text("id")),
        symbol=Symbol(order.text("symbol")),
        side=side,
        type=kind,
        time_in_force=lasts,
        quantity=Quantity(order.positive("qty")),
        limit_price=_price(order, "limit_price"),
        stop_price=_price(order, "stop_price"),
        status=BROKER_STATUSES.get(raw_status),
        raw_status=raw_status,
        filled_quantity=Quantity(filled),
        average_price=None if average is None else Price(average),
        trail_price=_price(order, "trail_price"),
        trail_fraction=None if percent is None else Fraction(percent / 100),
        extended_hours=order.flag("extended_hours"),
        is_replaced=event_of(raw_status) is UpdateEvent.REPLACED,
        is_held=event_of(raw_status) is UpdateEvent.HELD,
        accepted_at=_accepted_at(order),
        unknown_words=tuple(
            f"{name} {order.text(source)}"
            for name, source, found in (
                ("side", "side", side),
                ("type", type_name, kind),
                ("time_in_force", "time_in_force", lasts),
            )
            if found is None
        ),
    )


def what_can_be_read(raw: object, reason: str) -> UnreadableOrder:
    """Parse the readable fields of an unreadable order. Raises if it is no order at all, or has no id."""
    order = Fields(raw, "an order", ORDER)

    def word(name: str) -> str | None:
        try:
            return order.word(name)
        except UnreadableFieldError:
            return None

    name, symbol = word("client_order_id"), word("symbol")
    kind = word("type") or word("order_type")
    return UnreadableOrder(
        reason,
        BrokerOrderId(order.text("id")),
        None if name is None else ClientOrderId(name),
        None if symbol is None else Symbol(symbol),
        side=next((side for side in Side if side.value == word("side")), None),
        type=next((one for one in OrderType if one.value == kind), None),
        left=left_of(order),
        closes=word("position_intent") in CLOSES,
    )


def left_of(order: Fields) -> Quantity | None:
    """Return its unfilled quantity if both figures are readable."""
    try:
        return Quantity(order.positive("qty") - order.not_negative("filled_qty"))
    except UnreadableFieldError:
        return None


def _accepted_at(order: Fields) -> datetime | None:
    """Return the earlier of its two times; None if neither is readable."""
    told = []
    for name in ("created_at", "submitted_at"):
        with suppress(UnreadableFieldError):
            told.append(order.moment(name))
    return min(told, default=None)


def submitted_at(raw: object) -> datetime:
    """Return when an order was submitted, by which Alpaca sorts and pages."""
    order = Fields(raw, "an order", ORDER)
    return order.moment("submitted_at" if order.value("submitted_at") else "created_at")


def an_update(raw: object) -> OrderUpdate:
    """Parse the `data` of one trade update. `qty` and `price` are of this execution, the order's own are cumulative.

    Each may be ours: a leg has an id of the broker's.
    """
    update = Fields(raw, "a trade update", UPDATE)
    event = event_of(update.text("event"))
    report = a_single_order(update.value("order"), may_be_ours=True)
    at = update.moment("timestamp")
    return OrderUpdate(event, at, report, _execution(update, at) if event in FILLS else None)


def an_unread_update(raw: object, reason: str) -> UnreadUpdate:
    """Whose order it names, as far as that can be read."""
    told = raw.get("order") if isinstance(raw, dict) else None
    if not isinstance(told, dict):
        return UnreadUpdate(reason)
    order, names = Fields(told, "an order", ORDER), dict[str, str]()
    for name in ("client_order_id", "id"):
        with suppress(UnreadableFieldError):
            names[name] = order.text(name)
    ours, theirs = names.get("client_order_id"), names.get("id")
    return UnreadUpdate(
        reason, None if ours is None else ClientOrderId(ours), None if theirs is None else BrokerOrderId(theirs)
    )


def an_activity(raw: object) -> tuple[BrokerOrderId, Execution]:
    """Parse a FILL among the account's activities: its order, and the execution with the stream's id."""
    fill = Fields(raw, "a fill", FILL)
    name = fill.text("id").rpartition(AN_ACTIVITY)[2]
    execution = Execution(
        ExecutionId(name),
        fill.moment("transaction_time"),
        Quantity(fill.positive("qty")),
        Price(fill.positive("price")),
    )
    return BrokerOrderId(fill.text("order_id")), execution


def a_position(raw: object) -> BrokerPosition | ForeignPosition:
    """Parse a position in shares, or of another kind."""
    position = Fields(raw, "a position", POSITION)
    size = abs(position.number("qty"))
    sign = 1 if position.known_word("side") == "long" else -1
    symbol, quantity = Symbol(position.text("symbol")), Quantity(size * sign)
    average, asset_class = Price(position.not_negative("avg_entry_price")), position.text("asset_class")
    if asset_class != SHARES:
        return ForeignPosition(symbol, asset_class, quantity, average)
    return BrokerPosition(symbol, quantity, average)


def an_unreadable_position(raw: object, reason: str) -> UnreadablePosition:
    """Return an unreadable position with its symbol, if that is readable."""
    try:
        return UnreadablePosition(Symbol(Fields(raw, "a position", POSITION).text("symbol")), reason)
    except UnreadableFieldError:
        return UnreadablePosition(None, reason)


def an_account(raw: object, at: datetime) -> Account:
    """Parse the account's figures; `at` is the time of the request."""
    account = Fields(raw, "the account", ACCOUNT)
    return Account(
        at=at,
        name=account.text("account_number"),
        equity=Money(account.number("equity")),
        cash=Money(account.number("cash")),
        buying_power=Money(account.number("buying_power")),
        multiplier=account.positive("multiplier"),
        is_blocked=bool(why_blocked(raw)),
        initial_margin=_money(account, "initial_margin"),
        maintenance_margin=_money(account, "maintenance_margin"),
        overnight_buying_power=_money(account, "regt_buying_power"),
        last_equity=_money(account, "last_equity"),
        sells_short=account.value("shorting_enabled") is None or account.flag("shorting_enabled"),
    )


EXTENDED_FRACTIONS, PARTNERSHIP = "fractional_eh_enabled", "ptp_no_exception"
PARTNERSHIP_WARNED = (
    "a publicly traded partnership: Alpaca refuses the entry unless ptp_no_exception_entry is set for the account; "
    "tax is withheld from owners abroad"
)

BLOCKS = {
    "account_blocked": "the account is blocked: write to Alpaca's support",
    "trading_blocked": "trading is blocked on the account: look at its dashboard, or write to Alpaca's support",
    "trade_suspended_by_user": "trading is suspended by its owner: resume it in Alpaca's dashboard",
}


def why_blocked(raw: object) -> str:
    """Return why the account accepts no orders, with the remedy; empty if it does."""
    account = Fields(raw, "the account", ACCOUNT)
    for name, words in BLOCKS.items():
        if account.flag(name):
            return words
    status = account.text("status")
    return "" if status == ACTIVE else f"the account is {status} and not {ACTIVE}: look at Alpaca's dashboard"


def an_instrument(raw: object) -> BrokerInstrument:
    """Parse an asset; its requirements are per cent, and a side without one uses the common one."""
    asset = Fields(raw, _named("asset", raw, "symbol"), ASSET)
    lots = FRACTIONS if asset.flag("fractionable") else WHOLE_ONES
    kind = asset.text("class")
    is_active = asset.known_word("status") == "active"
    borrow, said = _borrow(asset)
    attributes = asset.words("attributes")
    return BrokerInstrument(
        symbol=Symbol(asset.text("symbol")),
        asset_class=CLASSES.get(kind, AssetClass.OTHER),
        lots=lots,
        is_tradable=asset.flag("tradable") and is_active,
        is_shortable=asset.flag("shortable"),
        is_marginable=asset.flag("marginable"),
        long_requirement=_requirement(asset, "margin_requirement_long"),
        short_requirement=_requirement(asset, "margin_requirement_short"),
        borrow=borrow,
        borrow_said=said,
        class_said="" if CLASSES.get(kind) is AssetClass.STOCK else kind,
        attributes=attributes,
        has_extended_fractions=asset.value("attributes") is None or EXTENDED_FRACTIONS in attributes,
        entry_warned=PARTNERSHIP_WARNED if PARTNERSHIP in attributes else "",
    )


def listed_assets(raw: object) -> tuple[ListedAsset, ...]:
    """Return the tradable assets of the list. An unreadable row is skipped; if all are unreadable, it raises."""
    listed, could_read, error = list[ListedAsset](), 0, None
    for row in rows(raw, "the assets"):
        try:
            asset = _listed_asset(row)
        except UnreadableFieldError as unreadable:
            error = unreadable
            continue
        could_read += 1
        listed += [] if asset is None else [asset]
    if error is not None and not could_read:
        raise error
    return tuple(listed)


def _listed_asset(raw: object) -> ListedAsset | None:
    """Return None if it is not traded."""
    row = Fields(raw, _named("asset", raw, "symbol"), LISTED)
    if not row.flag("tradable") or row.text("status") != "active" or row.text("class") != SHARES:
        return None
    symbol = Symbol(row.text("symbol"))
    name, exchange = (row.word("name") or "")[:LONGEST_TITLE], row.word("exchange") or ""
    return ListedAsset(symbol, name, exchange, row.flag("shortable"), row.flag("fractionable"))


def _borrow(asset: Fields) -> tuple[Borrow, str]:
    """Read whether it can be borrowed, from the newer field first; an unknown value is kept as it is."""
    word, is_easy = asset.word("borrow_status"), asset.optional_flag("easy_to_borrow")
    if word in (Borrow.EASY.value, Borrow.HARD.value):
        return Borrow(word), ""
    if word is not None or is_easy is None:
        return Borrow.UNTOLD, word or ""
    return (Borrow.EASY if is_easy else Borrow.HARD), ""


def a_clock(raw: object) -> datetime:
    return Fields(raw, "the clock", CLOCK).moment("timestamp")


def a_session(raw: object) -> Session:
    """Parse a day of the calendar; its times have no zone and are the exchange's, in summer and winter."""
    row = Fields(raw, "a day of the calendar", DAY)
    day = row.day("date")
    try:
        opens, closes = (time.fromisoformat(row.text(name)) for name in ("open", "close"))
    except ValueError as error:
        raise row.unreadable("open or close", "is no time of day") from error
    if opens.tzinfo or closes.tzinfo or not opens < closes:
        raise row.unreadable("open and close", "are no session")
    return Session(day, *(XNYS.at(day, clock) for clock in (opens, closes)))


def _the_order(raw: object) -> Fields:
    return Fields(raw, _named("order", raw), ORDER)


def _named(what: str, raw: object, by: str = "id") -> str:
    name = raw.get(by) if isinstance(raw, dict) else None
    return f"{what} {name}" if isinstance(name, str) and name.isprintable() and len(name) <= LONGEST_NAME else what


def _execution(update: Fields, at: datetime) -> Execution:
    return Execution(
        ExecutionId(update.text("execution_id")),
        at,
        Quantity(update.positive("qty")),
        Price(update.positive("price")),
    )


def _money(fields: Fields, name: str) -> Money | None:
    amount = fields.optional_number(name)
    return None if amount is None else Money(amount)


def _requirement(asset: Fields, name: str) -> Fraction | None:
    told = name if asset.optional_number(name) is not None else "maintenance_margin_requirement"
    if asset.optional_number(told) is None:
        return None
    return Fraction(asset.not_negative(told) / PER_CENT)


def _price(order: Fields, name: str) -> Price | None:
    price = order.optional_positive(name)
    return None if price is None else Price(price)


def _known(words: type[Word], fields: Fields, name: str) -> Word | None:
    """Return None for an unknown value: the order's other fields are still read (EX-05)."""
    text = fields.text(name)
    return next((word for word in words if word.value == text), None)


def _one_of(words: type[Word], fields: Fields, name: str) -> Word:
    text = fields.text(name)
    try:
        return words(text)
    except ValueError:
        raise fields.unreadable(name, f"{shown(text)} is unknown here") from None
