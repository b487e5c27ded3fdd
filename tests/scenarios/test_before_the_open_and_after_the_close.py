"""Orders that act outside the regular session: typed, confirmed, filled, and what guards them until the open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from core.execution.order import Order
from core.facts import ConfirmationRefused, ProposalSkipped
from core.messages.commands import EditOrder, ProposeClose, ProposeOrder
from core.model.bar import Bar
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


def a_house(*more: Bar, policy: str = "include_extended", days: tuple[date, ...] = (THURSDAY, FRIDAY)) -> House:
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
        }
    )
    bars = [bar for day in days for bar in minutes("09:30", "10:20", "100", day)]
    bars += [a_bar(clock, "100", day=day) for day in days for clock in ("04:00", "08:00", "17:00")]
    return House([*bars, *more], settings, cash=Decimal(2000)).opens()


def types(house: House, order: ProposeOrder) -> tuple[str, ...]:
    """Why it is not staged; nothing where it is."""
    before = len(house.facts(ProposalSkipped))
    house.presses(order)
    skipped = house.facts(ProposalSkipped)[before:]
    return skipped[0].reasons if skipped else ()


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


# ── before the open ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("a_tick_each_way")
def test_before_the_open_an_entry_fills_and_its_stop_rests_until_the_open() -> None:
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
def test_what_was_filled_before_the_open_is_guarded_from_the_open_on() -> None:
    """RK-20: the desk says so until then, and no longer."""
    house = a_house().until("08:00", FRIDAY)
    buys(house)

    resting = row_of(house)
    house.until("09:31", FRIDAY)

    assert (resting.holder, resting.acts_from) == (StopHolder.BROKER, at("09:30", FRIDAY))
    assert row_of(house).acts_from is None
    assert house.stops[0].status is OrderStatus.SUBMITTED


def test_a_bar_before_the_open_fills_the_limit_that_it_touches() -> None:
    """RK-20"""
    house = a_house(a_bar("08:30", "99.40 99.40 98.90 99.20", day=FRIDAY)).until("08:00", FRIDAY)

    entry = buys(house, FAR)

    assert entry.status is OrderStatus.SUBMITTED
    house.until("08:31", FRIDAY)
    assert (entry.status, paid(entry)) == (OrderStatus.FILLED, "99")


@pytest.mark.usefixtures("a_tick_each_way")
def test_whole_shares_go_without_legs_and_their_stop_follows_the_fill() -> None:
    """RK-20, OP-06: the broker takes no pair of orders for those hours."""
    house = a_house().until("08:00", FRIDAY)

    entry = buys(house, a_typed_buy("1", limit="100.10", stop="99.80"))

    assert (entry.request.legs, entry.request.extended_hours) == ((), True)
    assert house.requests() == ["submit buy limit 1", "submit sell stop 1"]


@pytest.mark.usefixtures("a_tick_each_way")
def test_an_entry_that_works_then_is_changed_and_stays_marked() -> None:
    """RK-20, EX-12: its replacement fills before the open, and its stop follows."""
    house = a_house().until("08:00", FRIDAY)
    buys(house, FAR)

    house.presses(EditOrder(house.entry.id, Quantity(Decimal("0.2")), Price(Decimal("100.10")), None))
    confirms_now(house)
    passes(house, 60)

    new = the_new(house)
    assert (new.request.extended_hours, new.status, paid(new)) == (True, OrderStatus.FILLED, "100.01")
    assert [stop.status for stop in house.stops] == [OrderStatus.SUBMITTED]


def test_an_order_that_the_broker_made_without_the_mark_is_not_ours() -> None:
    """RK-20, EX-04: it would act at other times than were signed."""
    house = a_house().until("08:00", FRIDAY)
    entry = buys(house, FAR)

    (report,) = house.exchange.orders(house.line.at)

    assert is_ours(entry, report)
    assert not is_ours(entry, replace(report, extended_hours=False))


def test_a_restart_before_the_open_keeps_the_order_and_its_stop() -> None:
    """SP-02, RK-20: restarted before the fill and after it."""
    house = a_house(a_bar("08:30", "99.40 99.40 98.90 99.20", day=FRIDAY)).until("08:00", FRIDAY)
    buys(house, FAR)

    house = house.restarted().until("08:31", FRIDAY).restarted().until("08:40", FRIDAY)

    assert house.entry.request.extended_hours is True
    assert (house.held(), [stop.status for stop in house.stops]) == ("0.2", [OrderStatus.SUBMITTED])
    assert_can_be_rebuilt(house)


def test_an_entry_that_is_typed_again_in_the_session_takes_its_legs() -> None:
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
def test_the_hours_are_new_yorks_on_either_side_of_a_change_of_clocks(days: tuple[date, date]) -> None:
    """RK-20"""
    for day in days:
        house = a_house(days=days).until("09:31", days[0])
        house.until("03:59", day) if day == days[1] else house.until("20:00", day)
        assert "session and clock: the market is closed: closed" in types(house, BUY)
        if day == days[0]:
            continue
        house.until("04:00:01", day)
        assert buys(house).status is OrderStatus.FILLED
        house.until("09:31", day)
        assert house.stops[0].status is OrderStatus.SUBMITTED


# ── after the close ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("day", "typed", "ends"), [(FRIDAY, "16:30", "20:00"), (HALF_DAY, "13:30", "17:00")])
def test_what_does_not_fill_expires_with_the_extended_hours(day: date, typed: str, ends: str) -> None:
    """RK-20: after an early close they end early."""
    house = a_house(days=(THURSDAY, day, NEXT_MONDAY)).until(typed, day)
    entry = buys(house, FAR)

    hour, minute = ends.split(":")
    house.until(f"{int(hour) - 1}:59", day)
    assert entry.status is OrderStatus.SUBMITTED
    house.until(f"{hour}:{minute}:05", day)

    assert entry.status is OrderStatus.EXPIRED


def test_an_order_of_the_morning_that_fills_in_the_evening_still_gets_its_stop() -> None:
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


def test_an_order_of_the_session_cannot_be_confirmed_for_the_evening() -> None:
    """RK-20: it was not typed for those hours."""
    house = a_house().until("15:59:30")
    assert types(house, BUY) == ()
    house.opens_ticket()
    house.until("16:00:01")

    house.confirms()
    passes(house, 2)

    assert house.last(ConfirmationRefused).reasons == (
        "session and clock: extended hours until 20:00 New York: it was typed for the regular session; type it again",
    )
    assert house.requests() == []


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (a_typed_buy("0.2", limit=None, stop="99.80"), "only a limit order acts in them; give it a limit"),
        (replace(BUY, time_in_force=TimeInForce.GTC, quantity=Quantity(Decimal(1))),
         "only an order for the day acts in them; make it one"),
    ],
)  # fmt: skip
def test_what_cannot_act_then_is_refused_with_what_to_do(order: ProposeOrder, reason: str) -> None:
    """RK-20, EX-11"""
    house = a_house().until("17:00")

    reasons = types(house, order)

    assert f"session and clock: extended hours until 20:00 New York: {reason}" in reasons
    assert house.desk.stage.proposals() == ()


def test_a_target_is_not_taken_then() -> None:
    """RK-20, EX-12"""
    house = a_house().until("17:00")

    reasons = types(house, replace(BUY, quantity=Quantity(Decimal(1)), target_price=Price(Decimal(101))))

    assert reasons == ("in extended hours the broker holds no target with an entry; type it without one",)


# ── exits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@EITHER
@pytest.mark.usefixtures("a_tick_each_way")
def test_a_limit_order_closes_a_position_in_the_evening_under_either_policy(policy: str) -> None:
    """RK-20, RK-22: an exit always has a way."""
    house = a_house(policy=policy).until("10:05")
    buys(house)
    house.until("17:00")

    assert types(house, a_sale("99.90")) == ()
    assert house.proposal.order.extended_hours is True
    confirms_now(house)
    passes(house, 120)

    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert house.requests()[-1] == "submit sell limit 0.2"


@pytest.mark.usefixtures("a_tick_each_way")
def test_a_sale_that_does_not_fill_by_night_leaves_the_stop_for_the_next_session() -> None:
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
def test_a_sale_that_is_confirmed_at_night_acts_from_the_next_extended_hours_on() -> None:
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
def test_a_close_at_the_market_says_that_it_waits_for_the_open(policy: str) -> None:
    """RK-20, RK-22"""
    house = a_house(policy=policy).until("10:05")
    buys(house)
    house.until("17:00")

    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)

    warned = [f"{v.check}: {v.reason}" for v in house.ticket.review.warnings]
    assert (
        "session and clock: the market is closed: closed; it waits for the open; "
        "a limit order typed now would act at once"
    ) in warned
    assert house.proposal.order.extended_hours is False
