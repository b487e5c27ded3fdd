"""What the books say of orders, positions and trades."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.ledger_state import UNKNOWN_OWNER
from core.execution.order import is_order_stale
from core.execution.order_status import DuplicateOrderError
from core.execution.stop_coverage import cover_of, unprotected_in_words
from core.facts import (
    CancelFailed,
    CancelRequested,
    DayStarted,
    OrderNotFound,
    OrderStateUnknown,
    PositionCorrected,
    UpdateIgnored,
)
from core.model.codes import UnprotectedKind
from core.model.order import Effect, OrderStatus, Side, StopHolder
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Money, Price, Quantity
from core.risk.day import entries_taken
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY
from tests.unit.core.execution.books import TEN, Books, a_request, a_stop_plan, an_order

# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_works_until_it_ends() -> None:
    """EX-01"""
    books = Books()
    order = books.creates()
    at_first = (order.status, list(books.ledger.working()))

    books.becomes(order, OrderStatus.SUBMITTED)
    books.becomes(order, OrderStatus.CANCELLED, reason="enough")

    assert at_first == (OrderStatus.PENDING, [order])
    assert (order.status, order.reason, order.broker_order_id) == (OrderStatus.CANCELLED, "enough", "sim-1")
    assert (order.submitted_at, order.ended_at) == (TEN, TEN)
    assert list(books.ledger.working()) == []


def test_an_id_is_used_once_for_ever() -> None:
    """EX-04"""
    books = Books()
    books.creates()

    with pytest.raises(DuplicateOrderError, match="the broker is not called"):
        books.creates()


def test_after_a_week_only_an_orders_id_is_kept() -> None:
    """EX-04"""
    books = Books()
    order = books.buys("10", "100")
    books.becomes(order, OrderStatus.FILLED)
    books.sells("10", "101")
    books.becomes(books.ledger.state.orders[ClientOrderId("exit")], OrderStatus.FILLED)
    books.later(days=7, seconds=1)

    books.fold(DayStarted(THURSDAY, Money(Decimal(200))))

    assert books.ledger.state.orders == {}
    assert books.ledger.state.executions == {}
    assert books.ledger.state.trades == []
    assert books.ledger.order(order.id) is None
    assert books.ledger.has(order.id)
    with pytest.raises(DuplicateOrderError):
        books.ledger.retention.require_new(order.id)


def test_within_the_week_everything_is_kept() -> None:
    """SP-05"""
    books = Books()
    order = books.buys("10", "100")
    books.becomes(order, OrderStatus.FILLED)
    books.later(days=7)

    books.fold(DayStarted(THURSDAY, Money(Decimal(200))))

    assert books.ledger.order(order.id) is order


def test_doubt_ends_with_the_brokers_word() -> None:
    """EX-06"""
    books = Books()
    order = books.creates()
    books.fold(OrderStateUnknown(order.id, "no answer in 8 s"))
    books.later(seconds=2)
    books.fold(OrderStateUnknown(order.id, "no answer again"))
    books.fold(OrderNotFound(order.id))
    books.later(seconds=4)
    books.fold(OrderNotFound(order.id))
    in_doubt = (order.in_doubt_since, order.not_found, order.first_not_found_at)

    books.becomes(order, OrderStatus.SUBMITTED)

    assert in_doubt == (TEN, 2, TEN + timedelta(seconds=2))
    assert order.in_doubt_since is None


def test_a_failed_cancel_changes_nothing() -> None:
    """EX-07"""
    books = Books()
    order = books.creates()
    books.becomes(order, OrderStatus.SUBMITTED)
    books.fold(CancelRequested(order.id, "its time to live is over"))
    books.later(seconds=1)

    books.fold(CancelFailed(order.id, "no answer"))
    failed_at = order.cancel_failed_at
    books.fold(CancelRequested(order.id, "its time to live is over"))

    assert order.status is OrderStatus.SUBMITTED
    assert failed_at == TEN + timedelta(seconds=1)
    assert (order.cancel_requested_at, order.cancel_failed_at) == (TEN, None)
    assert order.is_cancelling


def test_an_ignored_update_is_counted() -> None:
    """EX-02"""
    books = Books()

    books.fold(UpdateIgnored(ClientOrderId("someone"), "an order that is not ours"))

    assert books.ledger.state.updates_ignored == 1


@table(
    "seconds_to_live status is_stale",
    (1, OrderStatus.SUBMITTED, False),
    (0, OrderStatus.SUBMITTED, True),
    (-1, OrderStatus.PARTIALLY_FILLED, True),
    (-1, OrderStatus.FILLED, False),
    (-1, OrderStatus.CANCELLED, False),
)
def test_an_order_is_stale_when_its_time_ends(seconds_to_live: int, status: OrderStatus, is_stale: bool) -> None:
    """EX-07"""
    order = an_order(status=status, expires_at=TEN + timedelta(seconds=seconds_to_live))

    assert is_order_stale(order, TEN) is is_stale


def test_without_a_time_to_live_nothing_is_stale() -> None:
    """EX-07"""
    assert not is_order_stale(an_order(), TEN + timedelta(days=365))


def test_an_order_knows_its_rest_and_its_guard() -> None:
    """OP-06, EX-13"""
    entry = an_order(a_request(quantity="10"), filled="3", stop=a_stop_plan())
    watched = an_order(stop=a_stop_plan(holder=StopHolder.DESK))
    stop = an_order(a_request("stop", Side.SELL, "3", stop="99"))

    assert entry.remaining == 7
    assert (entry.wants_broker_stop, watched.wants_broker_stop) == (True, False)
    assert (entry.is_protective, stop.is_protective) == (False, True)
    assert an_order().average_price is None


# ── positions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_position_is_made_by_fills_alone() -> None:
    """EX-08"""
    books = Books()
    order = books.creates(a_request(quantity="10"))
    before = books.ledger.position(SPY, "vwap")

    books.fills(order, "4", "100.00")
    books.fills(order, "6", "101.00")

    position = books.ledger.position(SPY, "vwap")
    assert before is None
    assert position is not None
    assert (position.quantity, position.average_price) == (10, Decimal("100.6"))
    assert order.average_price == Decimal("100.6")


def test_a_partial_sale_keeps_the_average() -> None:
    """EX-08"""
    books = Books()
    books.buys("10", "100.50")

    books.sells("4", "103")

    position = books.ledger.position(SPY, "vwap")
    assert position is not None
    assert (position.quantity, position.average_price) == (6, Decimal("100.5"))


def test_flat_is_no_position_but_a_trade() -> None:
    """EX-08, EX-18"""
    books = Books()
    books.buys("10", "100.00", intended="99.99")
    exit_order = books.creates(
        a_request("exit", Side.SELL, "10"), intended="101.05", exit_reason=ExitReason.MEAN_REVERSION
    )
    books.fills(exit_order, "4", "101.00")
    books.later(minutes=1)
    books.fills(exit_order, "6", "101.10")

    (trade,) = books.ledger.state.trades
    assert books.ledger.positions() == ()
    assert trade.exit_reason is ExitReason.MEAN_REVERSION
    assert (trade.entry_price, trade.exit_price) == (Decimal(100), Decimal("101.06"))
    assert (trade.intended_entry, trade.intended_exit) == (Decimal("99.99"), Decimal("101.05"))
    assert trade.profit == Decimal("10.6")
    assert trade.slippage == Decimal("0.10") + Decimal("-0.10")
    assert trade.reference == 100
    assert (trade.entry_time, trade.exit_time) == (TEN, TEN + timedelta(minutes=1))


def test_a_days_trades_are_kept_until_the_next() -> None:
    """EX-08: DayStarted may be recorded after the first trade of its day"""
    books = Books()
    books.buys("10", "100")
    books.sells("10", "101")

    kept = []
    for days in (0, 1):
        books.later(days=days)
        books.fold(DayStarted(books.at.date(), Money(Decimal(1000))))
        kept.append(len(books.ledger.state.trades))

    assert kept == [1, 0]


def test_a_short_earns_when_the_price_falls() -> None:
    """EX-08"""
    books = Books()
    short = books.creates(a_request("short", Side.SELL, "5", effect=Effect.SHORT), intended="100.00")
    books.fills(short, "5", "99.90")
    open_profit = books.ledger.open_profit(books.ledger.positions()[0], Price(Decimal(98)))
    cover = books.creates(a_request("cover", Side.BUY, "5", effect=Effect.COVER), intended="97.00")
    books.fills(cover, "5", "97.10")

    (trade,) = books.ledger.state.trades
    assert open_profit == Decimal("9.5")
    assert trade.profit == Decimal("14.0")
    assert trade.slippage == Decimal("1.0")


def test_a_fill_through_zero_flips_the_position() -> None:
    """EX-08"""
    books = Books()
    books.buys("10", "100")

    books.sells("15", "101")

    position = books.ledger.position(SPY, "vwap")
    (trade,) = books.ledger.state.trades
    assert position is not None
    assert (position.quantity, position.average_price, position.entry_order) == (-5, 101, "exit")
    assert (trade.quantity, trade.profit) == (10, 10)


def test_two_strategies_have_a_position_each() -> None:
    """EX-08"""
    books = Books()
    books.buys("10", "100", name="one", strategy="vwap")
    books.buys("5", "102", name="two", strategy="manual")

    assert books.ledger.net_quantity(SPY) == 15
    assert books.ledger.net_quantity(IBM) == 0
    assert len(books.ledger.positions_in(SPY)) == 2


def test_a_late_fill_marks_its_order() -> None:
    """EX-02"""
    books = Books()
    order = books.creates()
    books.becomes(order, OrderStatus.CANCELLED)

    books.fills(order, "2", "100", is_late=True)

    assert (order.status, order.late_fill) == (OrderStatus.CANCELLED, True)
    assert books.ledger.net_quantity(SPY) == 2


def test_a_correction_stays_with_the_sole_owner() -> None:
    """EX-09, EX-13"""
    books = Books()
    entry = books.buys("10", "100")
    books.later(minutes=5)

    books.fold(PositionCorrected(SPY, Quantity(Decimal(8)), Price(Decimal("99.50")), "the broker has 8"))

    (position,) = books.ledger.positions()
    assert (position.strategy, position.entry_order, position.opened_at) == ("vwap", entry.id, TEN)
    assert (position.quantity, position.average_price) == (8, Decimal("99.5"))


@table("strategies", (), ("vwap", "manual"))
def test_a_correction_of_several_has_no_owner(strategies: tuple[str, ...]) -> None:
    """EX-09"""
    books = Books()
    for strategy in strategies:
        books.buys("10", "100", name=strategy, strategy=strategy)

    books.fold(PositionCorrected(SPY, Quantity(Decimal(8)), Price(Decimal("99.50")), "the broker has 8"))
    taken_over = books.ledger.position(SPY, UNKNOWN_OWNER)
    books.fold(PositionCorrected(SPY, Quantity(Decimal(0)), None, "the broker has 0"))

    assert taken_over is not None
    assert (taken_over.quantity, taken_over.average_price) == (8, Decimal("99.5"))
    assert books.ledger.positions() == ()


# ── what is covered, what is on its way, what the day brought ────────────────────────────────────────────────────────


def test_covered_is_what_working_exits_close() -> None:
    """EX-13"""
    books = Books()
    books.buys("10", "100")
    stop = books.creates(a_request("stop", Side.SELL, "6", stop="99"), parent="entry")
    books.fills(stop, "2", "99")
    gone = books.creates(a_request("gone", Side.SELL, "4"))
    books.becomes(gone, OrderStatus.CANCELLED)

    assert books.ledger.exits.covered(SPY, "vwap") == 4
    assert books.ledger.exits.working(SPY, "vwap") == (stop,)


def test_an_exit_at_its_limit_reserves_but_does_not_guard() -> None:
    """EX-13, EX-22: a strategy still watches these shares"""
    books = Books()
    books.buys("10", "100")
    for request in (a_request("stop", Side.SELL, "6", stop="99"), a_request("aim", Side.SELL, "3", limit="105")):
        books.becomes(books.creates(request), OrderStatus.SUBMITTED)

    exits = books.ledger.exits
    assert (exits.reserved(SPY, "vwap"), exits.at_limit(SPY, "vwap"), exits.guarded(SPY, "vwap")) == (9, 3, 6)


def test_a_stop_in_doubt_claims_but_does_not_cover(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-13: six of ten have their stop; the one for the other four was never answered"""
    books = Books()
    books.buys("10", "100")
    books.becomes(books.creates(a_request("stop", Side.SELL, "6", stop="99")), OrderStatus.SUBMITTED)
    doubted = books.creates(a_request("doubted", Side.SELL, "4", stop="99"))
    before = cover_of(books.ledger, books.ledger.positions()[0])

    books.fold(OrderStateUnknown(doubted.id, "no answer"))

    cover = cover_of(books.ledger, books.ledger.positions()[0])
    assert (before.covered, before.doubt) == (10, "")
    assert (cover.covered, cover.in_doubt, cover.doubt) == (6, 4, "stop")
    assert (books.ledger.exits.covered(SPY, "vwap"), books.ledger.exits.reserved(SPY, "vwap")) == (6, 10)
    assert unprotected_in_words(books.ledger) == ((UnprotectedKind.IN_DOUBT, snapshot),)
    books.becomes(doubted, OrderStatus.CANCELLED)
    assert unprotected_in_words(books.ledger) == ((UnprotectedKind.NO_STOP, snapshot),)


def test_entries_on_their_way_by_symbol_and_strategy() -> None:
    """EX-08"""
    books = Books()
    spy = books.creates(a_request("one"))
    ibm = books.creates(a_request("two", symbol=IBM), strategy="manual")
    books.creates(a_request("exit", Side.SELL))

    assert books.ledger.working_entries() == (spy, ibm)
    assert books.ledger.working_entries(IBM) == (ibm,)
    assert books.ledger.working_entries(strategy="vwap") == (spy,)


def test_an_entry_counts_once_a_day() -> None:
    """ST-02, SP-05"""
    books = Books()
    order = books.creates(a_request(quantity="10"))
    books.fills(order, "1", "100")
    books.fills(order, "9", "100")
    books.sells("10", "100")
    counted = books.ledger.entries_filled("vwap", THURSDAY)

    books.later(days=1)
    books.buys("1", "100", name="tomorrow")

    assert counted == 1
    assert books.ledger.entries_filled("vwap", THURSDAY) == 0
    assert books.ledger.entries_filled("vwap", THURSDAY + timedelta(days=1)) == 1
    assert books.ledger.entries_filled("manual", THURSDAY + timedelta(days=1)) == 0


def taken(books: Books, day: date) -> str:
    return str(entries_taken("vwap", day, books.ledger, lambda _strategy: ()))


def test_a_working_partial_of_yesterday_counts_today() -> None:
    """RK-12: a GTC order; it may fill at any moment, and takes a place until it ends or fills"""
    books = Books()
    order = books.creates(a_request(quantity="10"))
    books.becomes(order, OrderStatus.SUBMITTED)
    books.fills(order, "4", "100")
    first = taken(books, THURSDAY)

    books.later(days=1)
    friday = THURSDAY + timedelta(days=1)
    works = taken(books, friday)
    books.fills(order, "5", "100")
    fills = taken(books, friday)
    books.fills(order, "1", "100")
    books.becomes(order, OrderStatus.FILLED)

    assert (first, works, fills) == ("1 filled", "1 working", "1 filled")
    assert taken(books, friday) == "1 filled"


def test_a_cancelled_rest_gives_its_place_back() -> None:
    """RK-12"""
    books = Books()
    order = books.creates(a_request(quantity="10"))
    books.fills(order, "4", "100")
    books.later(days=1)

    books.becomes(order, OrderStatus.CANCELLED)

    assert taken(books, THURSDAY + timedelta(days=1)) == "none so far"


def test_a_replacement_of_yesterdays_entry_counts_once() -> None:
    """RK-12, EX-17: the pair has one place, and a fill of either is the same entry"""
    books = Books()
    old = books.creates(a_request("old", quantity="10"))
    books.becomes(old, OrderStatus.SUBMITTED)
    books.fills(old, "4", "100")
    books.later(days=1)
    friday = THURSDAY + timedelta(days=1)
    new = books.creates(replace(a_request("new", quantity="6"), replaces=old.id))
    under_way = taken(books, friday)
    books.fills(old, "1", "100")
    filled = taken(books, friday)
    books.becomes(new, OrderStatus.SUBMITTED)
    books.becomes(old, OrderStatus.CANCELLED, reason="replaced")
    books.fills(new, "1", "100")

    assert (under_way, filled, taken(books, friday)) == ("1 working", "1 filled", "1 filled")


def test_a_late_fill_of_yesterday_counts_yesterday() -> None:
    """RK-12, EX-06"""
    books = Books()
    old = books.creates(a_request("old", quantity="1"))
    books.later(days=1)
    books.buys("1", "100", name="today")

    books.later(days=-1)
    books.fills(old, "1", "100", is_late=True)

    assert books.ledger.entries_filled("vwap", THURSDAY + timedelta(days=1)) == 1


def test_the_days_result_is_closed_and_open_profit() -> None:
    """RK-03"""
    books = Books()
    books.buys("10", "100", name="yesterday-in")
    books.sells("10", "90", name="yesterday-out")
    yesterday = books.ledger.result_of(THURSDAY, {})
    books.later(days=1)
    friday = THURSDAY + timedelta(days=1)
    books.buys("10", "100", name="in")
    books.sells("10", "101", name="out")
    books.buys("2", "100", name="open")

    assert yesterday == -100
    assert books.ledger.result_of(friday, {SPY: Price(Decimal(97))}) == 10 - 6
    assert books.ledger.result_of(friday, {}) == 10


def test_a_partial_close_counts_on_its_own_day() -> None:
    """RK-03, ST-02"""
    books = Books()
    books.buys("10", "100", name="in")
    books.sells("6", "99", name="half")
    thursday = books.ledger.result_of(THURSDAY, {SPY: Price(Decimal(98))})
    books.later(days=1)
    friday = THURSDAY + timedelta(days=1)

    before = books.ledger.result_of(friday, {SPY: Price(Decimal(98))})
    books.sells("4", "97", name="rest")

    assert thursday == -6 - 8
    assert before == -8
    assert books.ledger.result_of(friday, {}) == -12
    assert books.ledger.state.trades[-1].profit == -18


def test_a_late_sale_leaves_the_days_result() -> None:
    """RK-03, EX-05"""
    books = Books()
    books.buys("10", "100", name="yesterday-in")
    books.later(days=1)
    books.buys("10", "100", name="today-in")
    books.sells("5", "99", name="today-out")
    friday = THURSDAY + timedelta(days=1)
    today = books.ledger.result_of(friday, {})
    books.later(days=-1)

    books.sells("5", "90", name="yesterday-out")

    assert today == -5
    assert books.ledger.result_of(friday, {}) == -5
