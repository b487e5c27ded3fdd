"""Parse Alpaca's JSON to our types, orders with their status. Each function raises `UnreadableFieldError` alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
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
    NO_ID,
    BrokerClock,
    BrokerPosition,
    Execution,
    ForeignPosition,
    MarketHours,
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
from core.model.values import BrokerOrderId, ClientOrderId, ExecutionId, Fraction, Money, Price, Quantity

PER_CENT = Decimal(100)
LONGEST_TITLE = 80
"""Letters of an asset's name that are kept."""
LONGEST_NAME = 64
CLASSES = {SHARES: AssetClass.STOCK, OPTION: AssetClass.OPTION, CRYPTO: AssetClass.CRYPTO}
WITH_LEGS = frozenset({"bracket", "oco", "oto"})
AN_ACTIVITY = "::"
"""Separates the time and the execution's own id in an activity's id."""

Word = TypeVar("Word", bound=Enum)
Value = TypeVar("Value")
SetAside = Callable[[str, object], None]
"""Notes a fault and where it was found, while the rest is used (EX-26)."""


def drop(_reason: str, _raw: object) -> None:
    """Note nothing."""


def an_order(raw: object) -> OrderReport:
    """Parse an order with its legs. One for an amount in dollars has no quantity, and is unreadable.

    A leg that cannot be read counts as one that this answer does not list: the order is looked up for it.
    """
    report = a_single_order(raw)
    if has_unnamed_legs(raw):
        return replace(report, hides_legs=True)
    legs = _the_order(raw).value("legs")
    if legs is None:
        return report
    listed = list[OrderReport]()
    with suppress(UnreadableFieldError):
        for leg in rows(legs, f"{_named('order', raw)}, legs"):
            with suppress(UnreadableFieldError):
                listed.append(a_single_order(leg, may_be_ours=True))
    whole = tuple(leg for leg in listed if not leg.unread_terms)
    if isinstance(legs, list) and len(whole) == len(legs):
        return replace(report, legs=whole)
    words = (*report.unknown_words, f"legs {shown(legs)}")
    return replace(report, legs=whole, hides_legs=True, unknown_words=words)


def has_unnamed_legs(raw: object) -> bool:
    """Return whether it has legs that this answer does not show; an unreadable class may have some."""
    order = _the_order(raw)
    try:
        return order.word("order_class") in WITH_LEGS and not order.value("legs")
    except UnreadableFieldError:
        return not order.value("legs")


def a_single_order(raw: object, *, may_be_ours: bool = False) -> OrderReport:
    """Parse an order without its legs.

    If it may be ours, an unknown or unreadable term is no error, because the order may have filled: the term is named
    in `unknown_words`, and its ids, symbol and filled quantity are enough (EX-05).
    """
    order = _the_order(raw)
    kept = may_be_ours or bool(ORDER_ID.fullmatch(order.text("client_order_id")))
    unread, words = list[str](), list[str]()

    def term(read: Callable[[str], Value], name: str, attribute: str = "") -> Value | None:
        try:
            return read(name)
        except UnreadableFieldError:
            if not kept:
                raise
            words.append(f"{name} {shown(order.raw.get(name))}")
            unread.extend([attribute] if attribute else [])
            return None

    def word(kind: type[Word], name: str) -> Word | None:
        text = term(order.text, name)
        found = next((each for each in kind if each.value == text), None)
        if text is not None and found is None:
            if not kept and kind is not TimeInForce:
                raise order.unreadable(name, f"{shown(text)} is unknown here")
            words.append(f"{name} {text}")
        return found

    type_name = "type" if order.raw.get("type") else "order_type"
    side, kind, lasts = word(Side, "side"), word(OrderType, type_name), word(TimeInForce, "time_in_force")
    raw_status = term(order.text, "status") or ""
    term(order.word, "order_class")
    filled = order.not_negative("filled_qty")
    average = term(order.optional_positive, "filled_avg_price") if filled else None
    is_by_amount = order.raw.get("qty") is None and order.raw.get("notional") is not None
    quantity = order.positive("qty") if is_by_amount else term(order.positive, "qty", "quantity")
    prices = {
        name: None if price is None else Price(price)
        for name in ("limit_price", "stop_price", "trail_price")
        for price in (term(order.optional_positive, name, name),)
    }
    percent = term(order.optional_positive, "trail_percent", "trail_fraction")
    return OrderReport(
        client_order_id=ClientOrderId(order.text("client_order_id")),
        broker_order_id=BrokerOrderId(order.identifier("id")),
        symbol=order.symbol(),
        side=side,
        type=kind,
        time_in_force=lasts,
        quantity=Quantity(filled if quantity is None else quantity),
        limit_price=prices["limit_price"],
        stop_price=prices["stop_price"],
        status=BROKER_STATUSES.get(raw_status),
        raw_status=raw_status,
        filled_quantity=Quantity(filled),
        average_price=None if average is None else Price(average),
        trail_price=prices["trail_price"],
        trail_fraction=None if percent is None else Fraction(percent / 100),
        extended_hours=term(order.flag, "extended_hours", "extended_hours") or False,
        is_replaced=event_of(raw_status) is UpdateEvent.REPLACED,
        is_held=event_of(raw_status) is UpdateEvent.HELD,
        accepted_at=_accepted_at(order),
        unknown_words=tuple(words),
        unread_terms=tuple(unread),
    )


def what_can_be_read(raw: object, reason: str) -> UnreadableOrder:
    """Parse the readable fields of an unreadable order; without any it is still one."""
    if not isinstance(raw, dict):
        return UnreadableOrder(reason, NO_ID, None, None)
    order = Fields(raw, "an order", ORDER)

    def word(name: str) -> str | None:
        try:
            return order.word(name)
        except UnreadableFieldError:
            return None

    name, kind = word("client_order_id"), word("type") or word("order_type")
    broker_id, symbol = NO_ID, None
    with suppress(UnreadableFieldError):
        broker_id = BrokerOrderId(order.identifier("id"))
    with suppress(UnreadableFieldError):
        symbol = order.optional_symbol()
    return UnreadableOrder(
        reason,
        broker_id,
        None if name is None else ClientOrderId(name),
        symbol,
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
    for name, read in (("client_order_id", order.text), ("id", order.identifier)):
        with suppress(UnreadableFieldError):
            names[name] = read(name)
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
    return BrokerOrderId(fill.identifier("order_id")), execution


def a_position(raw: object) -> BrokerPosition | ForeignPosition:
    """Parse a position in shares, or of another kind."""
    position = Fields(raw, "a position", POSITION)
    size, side = position.number("qty"), position.known_word("side")
    if side == "long" and size < 0:
        raise position.unreadable("qty", f"{shown(position.raw.get('qty'))} contradicts side 'long'")
    symbol, quantity = position.symbol(), Quantity(size if side == "long" else -abs(size))
    average, asset_class = Price(position.not_negative("avg_entry_price")), position.text("asset_class")
    if asset_class != SHARES:
        return ForeignPosition(symbol, asset_class, quantity, average)
    return BrokerPosition(symbol, quantity, average)


def an_unreadable_position(raw: object, reason: str) -> UnreadablePosition:
    """Return an unreadable position with its symbol, if that is readable."""
    try:
        return UnreadablePosition(Fields(raw, "a position", POSITION).symbol(), reason)
    except UnreadableFieldError:
        return UnreadablePosition(None, reason)


def an_account(raw: object, at: datetime, set_aside: SetAside = drop) -> Account:
    """Parse the account's figures; `at` is the time of the request. An odd figure that may be missing counts so."""
    account = Fields(raw, "the account", ACCOUNT)

    def optional(read: Callable[[str], Value | None], name: str) -> Value | None:
        try:
            return read(name)
        except UnreadableFieldError as error:
            set_aside(f"{error}; taken for missing", raw)
            return None

    def money(name: str) -> Money | None:
        amount = optional(account.optional_number, name)
        return None if amount is None else Money(amount)

    sells_short = optional(account.optional_flag, "shorting_enabled")
    return Account(
        at=at,
        name=account.text("account_number"),
        equity=Money(account.number("equity")),
        cash=Money(account.number("cash")),
        buying_power=Money(account.number("buying_power")),
        multiplier=account.positive("multiplier"),
        blocked_because=why_blocked(raw),
        initial_margin=money("initial_margin"),
        maintenance_margin=money("maintenance_margin"),
        overnight_buying_power=money("regt_buying_power"),
        last_equity=money("last_equity"),
        sells_short=sells_short is None or sells_short,
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
        symbol=asset.symbol(),
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


def listed_assets(raw: object, set_aside: SetAside = drop) -> tuple[ListedAsset, ...]:
    """Return the tradable assets of the list. An unreadable row is set aside; if all are unreadable, it raises."""
    listed, could_read, faults = list[ListedAsset](), 0, list[UnreadableFieldError]()
    for row in rows(raw, "the assets"):
        try:
            asset = _listed_asset(row)
        except UnreadableFieldError as fault:
            faults.append(fault)
            continue
        could_read += 1
        listed += [] if asset is None else [asset]
    if faults and not could_read:
        raise faults[-1]
    if faults:
        set_aside(f"{len(faults)} assets left out of the list, the last: {faults[-1]}", raw)
    return tuple(listed)


def _listed_asset(raw: object) -> ListedAsset | None:
    """Return None if it is not traded."""
    row = Fields(raw, _named("asset", raw, "symbol"), LISTED)
    if not row.flag("tradable") or row.text("status") != "active" or row.text("class") != SHARES:
        return None
    symbol = row.symbol()
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


def a_clock(raw: object, set_aside: SetAside = drop) -> BrokerClock:
    """Parse the clock; without readable hours the time alone."""
    row = Fields(raw, "the clock", CLOCK)
    at = row.moment("timestamp")
    if row.optional_flag("is_open") is None:
        return BrokerClock(at)
    try:
        return BrokerClock(at, MarketHours(row.flag("is_open"), row.moment("next_open"), row.moment("next_close")))
    except UnreadableFieldError as error:
        set_aside(f"GET /clock: {error}", raw)
        return BrokerClock(at)


def a_session(raw: object, set_aside: SetAside = drop) -> Session | date:
    """Parse a day of the calendar; its times have no zone and are the exchange's, in summer and winter.

    Return the day alone if its times cannot be read.
    """
    row = Fields(raw, "a day of the calendar", DAY)
    day = row.day("date")
    try:
        return _session(row, day)
    except UnreadableFieldError as error:
        set_aside(f"{day}: {error}", raw)
        return day


def _session(row: Fields, day: date) -> Session:
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


def _requirement(asset: Fields, name: str) -> Fraction | None:
    told = name if asset.optional_number(name) is not None else "maintenance_margin_requirement"
    if asset.optional_number(told) is None:
        return None
    return Fraction(asset.not_negative(told) / PER_CENT)


def _price(order: Fields, name: str) -> Price | None:
    price = order.optional_positive(name)
    return None if price is None else Price(price)
