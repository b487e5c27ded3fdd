"""The indexes and running sums of working orders answer as a scan of every order does, whatever happens to them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.exit_rules import ExitWatch
from core.facts import BrokerWarned, OrderRestated, OrderRevived, WarningConfirmed
from core.model.order import Effect, OrderStatus, Side, StopHolder
from core.model.order_terms import StatedTerms
from core.model.staging import at_stake
from core.model.values import ZERO, BrokerOrderId, ClientOrderId, Quantity, Symbol
from core.risk.checks.exposure import places_taken
from core.risk.exposure import DayValueState, exposure_by_symbol, exposure_of, open_losses, value_taken
from core.risk.sizing_inputs import held_in
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, NewYorkHours
from tests.unit.core.execution.books import Books, a_request, a_stop_plan

ENDS = (OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.FILLED)
EFFECTS = {Effect.OPEN: Side.BUY, Effect.SHORT: Side.SELL, Effect.CLOSE: Side.SELL}
STOPS = (None, a_stop_plan("97"), a_stop_plan("98", StopHolder.YOU))
OWNERS = some.tuples(some.sampled_from((SPY, IBM)), some.sampled_from(("vwap", "momentum")))

created = some.tuples(
    some.just("create"), OWNERS, some.sampled_from(list(EFFECTS)), some.integers(1, 50), some.integers(9_000, 11_000),
    some.sampled_from(STOPS),
)  # fmt: skip
happened = some.tuples(
    some.sampled_from(("replace", "replace", "take", "fill", "end", "end", "restate", "revive", "warn", "confirm")),
    some.integers(0, 99),
    some.integers(1, 9),
)
stories = some.lists(some.one_of(created, happened), min_size=3, max_size=40)


def played(books: Books, story: list[tuple[Any, ...]]) -> None:
    """Fold one fact after the other; what an order cannot meet as it is leaves it alone."""
    for what, *terms in story:
        if what == "create":
            (symbol, strategy), effect, quantity, cents, stop = terms
            request = replace(
                a_request("", EFFECTS[effect], str(quantity), effect=effect, limit=str(Decimal(cents) / 100)),
                client_order_id=ClientOrderId(f"order-{len(books.ledger.state.orders)}"),
                symbol=symbol,
            )
            books.creates(request, strategy=strategy, stop=None if effect is Effect.CLOSE else stop)
        elif books.ledger.state.orders:
            number, size = terms
            meets(books, what, list(books.ledger.state.orders.values())[number % len(books.ledger.state.orders)], size)
        books.later(seconds=1)


def meets(books: Books, what: object, order: Order, size: int) -> None:
    if what == "revive" and not order.is_working:
        books.fold(OrderRevived(order.id, BrokerOrderId("sim-2")))
    if not order.is_working:
        return
    match what:
        case "replace":
            name = ClientOrderId(f"order-{len(books.ledger.state.orders)}")
            request = replace(order.request, client_order_id=name, quantity=Quantity(Decimal(size)), replaces=order.id)
            books.creates(request, strategy=order.strategy, stop=order.stop)
        case "take" if order.status is OrderStatus.PENDING:
            books.becomes(order, OrderStatus.SUBMITTED)
        case "fill" if order.remaining > 0:
            books.fills(order, order.remaining * size / 10, "100")
            if size % 2:
                books.becomes(order, OrderStatus.PARTIALLY_FILLED)
        case "end":
            books.becomes(order, ENDS[size % len(ENDS)])
        case "restate":
            before = StatedTerms.of_order(order.request)
            books.fold(OrderRestated(order.id, before, replace(before, quantity=Quantity(before.quantity + size))))
        case "warn":
            books.fold(BrokerWarned(order.id, ("fast market",)))
        case "confirm":
            books.fold(WarningConfirmed(order.id))
        case _:
            pass


def answered(ledger: Ledger, but: Order | None) -> dict[str, object]:
    """Return what the limits ask the ledger."""
    request = None if but is None else but.request
    days = {strategy: set(ledger.unfilled_entries(strategy, THURSDAY)) for strategy in ("vwap", "momentum")}
    return {
        "loss": open_losses(ledger, lambda _symbol: None, ExitWatch(ledger).desk_stop, None if but is None else but.id),
        "exposure": exposure_of(ledger, lambda _symbol: None, request),
        "by symbol": exposure_by_symbol(ledger, lambda _symbol: None, request),
        "day value": value_taken(THURSDAY, DayValueState(), ledger, tuple, request).working,
        "days": days,
        "untouched": {order_id for group in ledger.entry_groups() for order_id in group.untouched},
        "places": places_taken(ledger),
        "held": set(held_in(ledger)),
        "working": [order.id for order in ledger.working()],
        "exits": [order.id for order in ledger.working_exits()],
        "pending": [order.id for order in ledger.pending()],
        "warned": [order.id for order in ledger.warned()],
        "sides": {(s, side): {o.id for o in ledger.working_on(s, side)} for s in (SPY, IBM) for side in Side},
        "owned": {owner: [o.id for o in ledger.lines.owned(*owner)] for owner in owners_of(ledger)},
        "lines": {
            (order_id, only): [o.id for o in ledger.lines.grown({order_id}, only_reducing=only)]
            for order_id in ledger.state.orders
            for only in (False, True)
        },
    }


def owners_of(ledger: Ledger) -> set[tuple[Symbol, str]]:
    return {(order.request.symbol, order.strategy) for order in ledger.state.orders.values()}


def line_of(ledger: Ledger, first: ClientOrderId, only: bool) -> list[ClientOrderId]:
    """Return an order and all that followed from it, by passes over all orders."""
    known = [order for order in ledger.state.orders.values() if order.only_reduces or not only]
    names, size = {first}, 0
    while size != len(names):
        size = len(names)
        names |= {o.id for o in known if o.request.replaces in names or (o.role is not None and o.parent in names)}
    return [order.id for order in known if order.id in names]


def scanned(ledger: Ledger, but: Order | None) -> dict[str, object]:
    """Return the same by a scan of every order; a position counts as it does in the ledger's own answer."""
    left_out = () if but is None else (but.id, but.request.replaces)
    working = [order for order in ledger.state.orders.values() if order.is_working]
    entries = [order for order in working if not order.only_reduces]
    counted = [order for order in entries if order.id not in left_out]
    held = ledger.positions()
    by_symbol: dict[Symbol, Decimal] = {}
    for position in held:
        worth = position.instrument.notional(abs(position.quantity), position.average_price)
        by_symbol[position.symbol] = by_symbol.get(position.symbol, ZERO) + worth
    for order in counted:
        by_symbol[order.request.symbol] = by_symbol.get(order.request.symbol, ZERO) + cost(order)
    return {
        "loss": sum((loss(ledger, o) for o in entries if but is None or o.id != but.id), of_positions(ledger)),
        "exposure": sum(by_symbol.values(), ZERO),
        "by symbol": by_symbol,
        "day value": sum((max(cost(o) - of_replaced(ledger, o, left_out), ZERO) for o in counted), ZERO),
        "days": {
            s: {o.id for o in entries if o.strategy == s and is_unfilled(ledger, o)} for s in ("vwap", "momentum")
        },
        "untouched": {order.id for order in entries if order.is_untouched},
        "places": {(p.symbol, p.strategy) for p in held} | {(o.request.symbol, o.strategy) for o in entries},
        "held": {(p.symbol, p.quantity > 0) for p in held} | {(o.request.symbol, is_buy(o)) for o in entries},
        "working": [order.id for order in working],
        "exits": [order.id for order in working if order.only_reduces],
        "pending": [order.id for order in working if order.status is OrderStatus.PENDING],
        "warned": [order.id for order in working if order.warned_at is not None],
        "sides": {
            (symbol, side): {o.id for o in working if (o.request.symbol, o.request.side) == (symbol, side)}
            for symbol in (SPY, IBM)
            for side in Side
        },
        "owned": {
            owner: [o.id for o in ledger.state.orders.values() if (o.request.symbol, o.strategy) == owner]
            for owner in owners_of(ledger)
        },
        "lines": {
            (order_id, only): line_of(ledger, order_id, only)
            for order_id in ledger.state.orders
            for only in (False, True)
        },
    }


def cost(order: Order) -> Decimal:
    return (order.request.quantity - order.filled_quantity) * (order.request.limit_price or ZERO)


def loss(ledger: Ledger, order: Order) -> Decimal:
    price = order.request.limit_price or ZERO
    return order.remaining * at_stake(price, price, order.stop) if ledger.chains.replaced(order) is None else ZERO


def of_positions(ledger: Ledger) -> Decimal:
    """Return the open loss of the positions alone."""
    bare = Ledger(NewYorkHours())
    ended = {i: replace(o, status=OrderStatus.EXPIRED) if o.is_working else o for i, o in ledger.state.orders.items()}
    bare.restore(replace(ledger.state, orders=ended))
    return open_losses(bare, lambda _symbol: None, ExitWatch(bare).desk_stop)


def of_replaced(ledger: Ledger, order: Order, left_out: tuple[ClientOrderId | None, ...]) -> Decimal:
    old = ledger.chains.replaced(order)
    return ZERO if old is None or old.id in left_out else cost(old)


def is_unfilled(ledger: Ledger, order: Order) -> bool:
    return not ledger.chains.has_filled_on(THURSDAY, order) and ledger.chains.replaced(order) is None


def is_buy(order: Order) -> bool:
    return order.request.side is Side.BUY


@settings(max_examples=200)
@given(stories, some.integers(0, 99))
def test_running_sums_equal_a_scan_of_every_order(story: list[tuple[Any, ...]], number: int) -> None:
    """RK-21, RK-23, RK-12"""
    books = Books()
    played(books, story)
    orders = list(books.ledger.state.orders.values())

    for but in (None, orders[number % len(orders)] if orders else None):
        assert answered(books.ledger, but) == scanned(books.ledger, but)


@settings(max_examples=100)
@given(stories)
def test_a_restored_ledger_has_the_same_sums(story: list[tuple[Any, ...]]) -> None:
    """SP-03: also after further facts"""
    books, again = Books(), Books()
    played(books, story)
    again.at = books.at
    again.ledger.restore(deepcopy(books.ledger.state))

    assert answered(again.ledger, None) == answered(books.ledger, None)

    played(books, story)
    played(again, story)

    assert answered(again.ledger, None) == answered(books.ledger, None)
