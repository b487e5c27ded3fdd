"""Orders that act outside the regular session: typed, confirmed, filled, and what guards them until the open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.order import Order
from core.facts import ConfirmationRefused, ProposalSkipped
from core.messages.commands import EditOrder, OpenTicket, ProposeClose, ProposeOrder, RequestCancel
from core.model.bar import Bar
from core.model.codes import CancelCode
from core.model.order import Effect, OrderStatus, OrderType, StopHolder, TimeInForce
from core.model.values import Price, Quantity, plain
from core.settings.settings import Settings
from core.views import PositionRow
from core.views.builders.desk import ViewBuilder
from core.workflows.orders.order_updates import is_ours
from tests.scenarios.changes import confirms_now, passes, the_new
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar, at

FRIDAY, HALF_DAY, NEXT_MONDAY = date(2026, 11, 20), date(2026, 11, 27), date(2026, 11, 30)
EITHER = pytest.mark.parametrize("policy", ["regular_only", "include_extended"])
BUY = a_typed_buy("0.2", limit="100.10", stop="99.80")
FAR = a_typed_buy("0.2", limit="99.00", stop="98.00")
"""Far below the market: it waits."""


def a_house(
    *more: Bar,
    policy: str = "include_extended",
    days: tuple[date, ...] = (THURSDAY, FRIDAY),
    compared_every: int = 1800,
) -> House:
    settings = Settings.model_validate(
        {
            "risk": {
                "session": {"policy": policy},
                "window_start": "00:00",
                "window_end": "23:59",
                "max_notional": {"usd": "500"},
                "per_trade": {"usd": "5"},
                "entries_a_day": 9,
            },
            "strategies": {"vwap": {"enabled": False}},
            "reconciliation": {"every_seconds": compared_every},
        }
    )
    bars = [bar for day in days for bar in minutes("09:30", "10:20", "100", day)]
    bars += [a_bar(clock, "100", day=day) for day in days for clock in ("04:00", "08:00", "17:00")]
    return House([*bars, *more], settings, cash=Decimal(2000)).opens()


def types(house: House, order: ProposeOrder) -> tuple[str, ...]:
    """The checks that refuse it; none where it is staged."""
    before = len(house.facts(ProposalSkipped))
    house.presses(order)
    skipped = house.facts(ProposalSkipped)[before:]
    return skipped[0].checks if skipped else ()


def buys(house: House, order: ProposeOrder = BUY) -> Order:
    assert types(house, order) == ()
    confirms_now(house)
    passes(house, 60)
    return house.entry


def paid(order: Order) -> str:
    return plain(order.filled_cost / order.filled_quantity)


def a_sale(limit: str) -> ProposeOrder:
    price = Price(Decimal(limit))
    return ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal("0.2")), OrderType.LIMIT, price, None, StopHolder.YOU)


def row_of(house: House) -> PositionRow:
    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    return row


@pytest.mark.usefixtures("a_tick_each_way")
def test_early_entry_fills_and_its_stop_rests() -> None:
    """RK-20, OP-06: the market goes through the stop at 08:30 and nothing happens; at the open it sells."""
    early = [a_bar("08:00", "100", day=FRIDAY), a_bar("08:30", "100 100 99.50 99.50", day=FRIDAY)]
    falls = minutes("09:30", "09:35", "99.60", FRIDAY)
    house = a_house(*early, *falls, days=(THURSDAY,)).until("08:00", FRIDAY)

    entry = buys(house)

    assert (entry.status, paid(entry)) == (OrderStatus.FILLED, "100.01")
    (stop,) = house.stops
    assert (stop.request.type, stop.request.extended_hours, stop.status) == (
        OrderType.STOP, False, OrderStatus.SUBMITTED,
    )  # fmt: skip
    house.until("09:29:59", FRIDAY)
    assert (stop.status, house.held_by_the_broker()) == (OrderStatus.SUBMITTED, "0.2")
    assert row_of(house).acts_from == at("09:30", FRIDAY)
    assert_can_be_rebuilt(house)

    house.until("09:31", FRIDAY)
    assert (stop.status, house.held(), house.held_by_the_broker()) == (OrderStatus.FILLED, "0", "0")


@pytest.mark.usefixtures("a_tick_each_way")
def test_stop_of_an_early_fill_acts_from_the_open() -> None:
    """RK-20: the desk says so until then, and no longer."""
    house = a_house().until("08:00", FRIDAY)
    buys(house)

    resting = row_of(house)
    house.until("09:31", FRIDAY)

    assert (resting.holder, resting.acts_from) == (StopHolder.BROKER, at("09:30", FRIDAY))
    assert row_of(house).acts_from is None
    assert house.stops[0].status is OrderStatus.SUBMITTED


def test_early_bar_fills_a_touched_limit() -> None:
    """RK-20"""
    house = a_house(a_bar("08:30", "99.40 99.40 98.90 99.20", day=FRIDAY)).until("08:00", FRIDAY)

    entry = buys(house, FAR)

    assert entry.status is OrderStatus.SUBMITTED
    house.until("08:31", FRIDAY)
    assert (entry.status, paid(entry)) == (OrderStatus.FILLED, "99")


@pytest.mark.usefixtures("a_tick_each_way")
def test_early_entry_has_no_legs() -> None:
    """RK-20, OP-06: the broker takes no pair of orders for those hours."""
    house = a_house().until("08:00", FRIDAY)

    entry = buys(house, a_typed_buy("1", limit="100.10", stop="99.80"))

    assert (entry.request.legs, entry.request.extended_hours) == ((), True)
    assert house.sent() == [("submit", "buy", "limit", "1"), ("submit", "sell", "stop", "1")]


@pytest.mark.usefixtures("a_tick_each_way")
def test_edited_early_entry_stays_extended() -> None:
    """RK-20, EX-12: its replacement fills before the open, and its stop follows."""
    house = a_house().until("08:00", FRIDAY)
    buys(house, FAR)

    house.presses(EditOrder(house.entry.id, Quantity(Decimal("0.2")), Price(Decimal("100.10")), None))
    confirms_now(house)
    passes(house, 60)

    new = the_new(house)
    assert (new.request.extended_hours, new.status, paid(new)) == (True, OrderStatus.FILLED, "100.01")
    assert [stop.status for stop in house.stops] == [OrderStatus.SUBMITTED]


def test_order_without_the_mark_is_not_ours() -> None:
    """RK-20, EX-04: it would act at other times than were signed, and no time says that the broker changed it"""
    house = a_house().until("08:00", FRIDAY)
    entry = buys(house, FAR)

    (report,) = house.exchange.orders(house.line.at)
    before_its_answer = replace(entry, broker_order_id=None)

    assert is_ours(house.desk, before_its_answer, replace(report, accepted_at=None))
    assert not is_ours(house.desk, before_its_answer, replace(report, accepted_at=None, extended_hours=False))


def test_restart_keeps_an_early_order_and_its_stop() -> None:
    """SP-02, RK-20: restarted before the fill and after it."""
    house = a_house(a_bar("08:30", "99.40 99.40 98.90 99.20", day=FRIDAY)).until("08:00", FRIDAY)
    buys(house, FAR)

    house = house.restarted().until("08:31", FRIDAY).restarted().until("08:40", FRIDAY)

    assert house.entry.request.extended_hours is True
    assert (house.held(), [stop.status for stop in house.stops]) == ("0.2", [OrderStatus.SUBMITTED])


def test_entry_of_the_session_has_legs() -> None:
    """RK-20: only what is typed in extended hours is marked."""
    house = a_house().until("09:31", FRIDAY)

    entry = buys(house, a_typed_buy("1", limit="100.10", stop="99.80"))

    assert (len(entry.request.legs), entry.request.extended_hours) == (1, False)


@pytest.mark.parametrize(
    "days",
    [
        (date(2026, 10, 30), date(2026, 11, 2)),  # winter time begins between them
        (date(2027, 3, 12), date(2027, 3, 15)),  # and ends
    ],
)
@pytest.mark.usefixtures("a_tick_each_way")
def test_hours_follow_new_york_clock_changes(days: tuple[date, date]) -> None:
    """RK-20"""
    for day in days:
        house = a_house(days=days).until("09:31", days[0])
        house.until("03:59", day) if day == days[1] else house.until("20:00", day)
        assert types(house, BUY)[0] == "session and clock"
        if day == days[0]:
            continue
        house.until("04:00:01", day)
        assert buys(house).status is OrderStatus.FILLED
        house.until("09:31", day)
        assert house.stops[0].status is OrderStatus.SUBMITTED


@pytest.mark.parametrize(("day", "typed", "ends"), [(FRIDAY, "16:30", "20:00"), (HALF_DAY, "13:30", "17:00")])
def test_unfilled_entry_expires_with_the_hours(day: date, typed: str, ends: str) -> None:
    """RK-20: after an early close they end early."""
    house = a_house(days=(THURSDAY, day, NEXT_MONDAY)).until(typed, day)
    entry = buys(house, FAR)

    hour, minute = ends.split(":")
    house.until(f"{int(hour) - 1}:59", day)
    assert entry.status is OrderStatus.SUBMITTED
    house.until(f"{hour}:{minute}:05", day)

    assert entry.status is OrderStatus.EXPIRED


def test_evening_fill_still_gets_its_stop() -> None:
    """RK-20, OP-06: what was signed holds to the next close, for the stop acts only then."""
    evening = a_bar("17:10", "99.20 99.20 98.90 99.10", day=THURSDAY)
    house = a_house(evening, a_bar("09:00", "100")).until("09:20")
    entry = buys(house, FAR)
    assert entry.status is OrderStatus.SUBMITTED

    house.until("17:15")

    assert entry.status is OrderStatus.FILLED
    (stop,) = house.stops
    assert stop.status is OrderStatus.SUBMITTED
    house.until("09:45", FRIDAY)
    assert (stop.status, row_of(house).acts_from) == (OrderStatus.SUBMITTED, None)


def test_session_order_is_refused_in_the_evening(snapshot: SnapshotAssertion) -> None:
    """RK-20: it was not typed for those hours."""
    house = a_house().until("15:59:30")
    assert types(house, BUY) == ()
    house.opens_ticket()
    house.until("16:00:01")

    house.confirms()
    passes(house, 2)

    assert house.last(ConfirmationRefused).checks == ("session and clock",)
    assert house.last(ConfirmationRefused).reasons == snapshot
    assert house.sent() == []


def test_impossible_extended_entries_are_refused(snapshot: SnapshotAssertion) -> None:
    """RK-20, EX-11, EX-12: one at the market, one until cancelled, and one with a target"""
    house = a_house().until("17:00")
    whole = replace(BUY, quantity=Quantity(Decimal(1)))
    orders = {
        "at the market": a_typed_buy("0.2", limit=None, stop="99.80"),
        "until cancelled": replace(whole, time_in_force=TimeInForce.GTC),
        "with a target": replace(whole, target_price=Price(Decimal(101))),
    }
    for order in orders.values():
        house.presses(order)

    assert house.desk.stage.proposals() == ()
    skipped = house.facts(ProposalSkipped)
    assert ["session and clock" in fact.checks for fact in skipped] == [True, True, False]
    assert dict(zip(orders, (fact.reasons for fact in skipped), strict=True)) == snapshot


@EITHER
@pytest.mark.usefixtures("a_tick_each_way")
def test_limit_closes_a_position_in_the_evening(policy: str) -> None:
    """RK-20, RK-22: an exit always has a way."""
    house = a_house(policy=policy).until("10:05")
    buys(house)
    house.until("17:00")

    assert types(house, a_sale("99.90")) == ()
    assert house.proposal.order.extended_hours is True
    confirms_now(house)
    passes(house, 120)

    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert house.sent()[-1] == ("submit", "sell", "limit", "0.2")


@pytest.mark.usefixtures("a_tick_each_way")
def test_unfilled_sale_restores_the_stop() -> None:
    """RK-20, EX-21: typed before the open it works until 20:00; what was signed puts the stop back then."""
    house = a_house(days=(THURSDAY, FRIDAY, date(2026, 11, 23))).until("08:00", FRIDAY)
    buys(house)
    assert types(house, a_sale("105.00")) == ()
    confirms_now(house)
    passes(house, 5)
    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED]

    house.until("20:01", FRIDAY)

    assert house.sale.status is OrderStatus.EXPIRED
    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED, OrderStatus.SUBMITTED]
    house.until("09:45", date(2026, 11, 23))
    assert (house.held_by_the_broker(), house.stops[-1].status) == ("0.2", OrderStatus.SUBMITTED)


@pytest.mark.usefixtures("a_tick_each_way")
def test_night_sale_acts_in_the_next_hours() -> None:
    """RK-20, RK-22: and if it does not fill by the night after, its stop comes back for the session that follows."""
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    house = a_house(days=(THURSDAY, FRIDAY, monday, tuesday)).until("17:00", FRIDAY)
    buys(house)
    house.until("19:59:58", FRIDAY)
    assert types(house, a_sale("105.00")) == ()
    house.until("20:00:30", FRIDAY)
    confirms_now(house)
    house.until("10:00", monday)
    assert (house.sale.request.extended_hours, house.sale.status) == (True, OrderStatus.SUBMITTED)

    house.until("20:01", monday)

    assert house.sale.status is OrderStatus.EXPIRED
    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED, OrderStatus.SUBMITTED]


@EITHER
def test_market_close_warns_it_waits_for_the_open(policy: str, snapshot: SnapshotAssertion) -> None:
    """RK-20, RK-22"""
    house = a_house(policy=policy).until("10:05")
    buys(house)
    house.until("17:00")

    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)

    assert [v.reason for v in house.ticket.review.warnings if v.check == "session and clock"] == snapshot
    assert house.proposal.order.extended_hours is False


@EITHER
@pytest.mark.usefixtures("a_tick_each_way")
def test_a_queued_market_close_makes_way_by_a_key(policy: str, snapshot: SnapshotAssertion) -> None:
    """RK-22: a limit typed beside it names the key, and sells in the evening after it"""
    house = a_house(policy=policy).until("10:05")
    buys(house)
    house.until("17:00")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 5)

    house.presses(a_sale("99.90"))
    why = house.last(ProposalSkipped).reasons
    (queued,) = house.desk.ledger.working()
    house.presses(RequestCancel(queued.id))
    passes(house, 10)
    assert types(house, a_sale("99.90")) == ()
    confirms_now(house)
    passes(house, 120)

    assert why == snapshot
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert house.sent()[-1] == ("submit", "sell", "limit", "0.2")


@pytest.mark.parametrize("limit", ["99.00", "95.00"])
def test_a_market_close_that_waits_for_the_open_cancels_our_entry(limit: str) -> None:
    """RK-25: nobody knows the price of the open; in the session a distant entry stays"""
    house = a_house().until("10:05")
    buys(house)
    house.until("17:00")
    assert types(house, a_typed_buy("0.2", limit=limit, stop="90.00")) == ()
    (typed,) = [
        waiting for waiting in house.desk.stage.proposals() if waiting.order.limit_price == Price(Decimal(limit))
    ]
    house.presses(OpenTicket(typed.id))
    passes(house, 1)
    house.confirms()
    passes(house, 5)
    (resting,) = house.desk.ledger.working_entries()

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 10)

    assert resting.status is OrderStatus.CANCELLED
    assert resting.cancel_code is CancelCode.MAKES_WAY
    assert house.sent()[-1] == ("submit", "sell", "market", "0.2")


@EITHER
@pytest.mark.usefixtures("a_tick_each_way")
def test_a_lost_fill_of_the_evening_is_known_within_a_minute(policy: str) -> None:
    """EX-09, EX-22: the books are compared while an order could fill"""
    house = a_house(policy=policy, compared_every=60).until("10:05")
    buys(house)
    house.until("17:00:30")
    assert types(house, a_sale("99.90")) == ()
    house.line.is_deaf = True
    confirms_now(house)
    passes(house, 62)

    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
