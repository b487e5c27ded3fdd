"""An entry with its exits that fills nearly whole: its stop is owed until then, a person is told, and a key ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from console.bell import Bell
from core.facts import OrderFilled, StopInForce, StopOwed
from core.messages.commands import Kill, ProposeClose, RequestCancel
from core.messages.inputs import QuoteArrived
from core.model.codes import OwedReason
from core.model.notice import Severity
from core.model.order import OrderStatus, TimeInForce
from core.model.values import Price
from core.settings.settings import Settings
from core.views import DeskView, PositionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.unit.core.brokers.trading_floor import NEW_YORK, SPY, THURSDAY, a_bar, a_quote

ROOM = {"max_notional": {"usd": "4000"}, "per_trade": {"usd": "40"}, "entries_a_day": 5}
TERMS = Settings.model_validate({"risk": ROOM}).model_copy(update={"notify": settings().notify})
FRIDAY, MONDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4)
DOWN = "100.05 100.05 99.95 100"
"""Touches a limit at 100."""
WAITS, FIVE = timedelta(seconds=60), timedelta(seconds=5)
MATTER = "stop manual SPY"


def nearly_filled(*after: tuple[str, int], shares: int = 29) -> tuple[House, Receivers]:
    """It is 10:10: a buy of 30 at 100 with a stop at 99 and a target at 103, of which so many fill in this minute.

    `after` has further minutes that touch the limit, and how many shares trade in them.
    """
    touched = {"10:10": shares * 10, **{clock: more * 10 for clock, more in after}}
    bars = list(minutes("09:55", "10:09", "101"))
    for minute in range(10, 41):
        clock = f"10:{minute}"
        bars.append(a_bar(clock, DOWN, volume=touched[clock]) if clock in touched else a_bar(clock, "100.5"))
    for day in (FRIDAY, MONDAY):
        bars += minutes("09:30", "10:30", "100.5", day=day)
    receivers = Receivers()
    house = with_receivers(House(bars, TERMS, cash=Decimal(10_000)).opens(), receivers).until("10:05")
    typed = replace(a_typed_buy("30", limit="100", stop="99"), target_price=Price(Decimal(103)))
    house.presses(replace(typed, time_in_force=TimeInForce.GTC))
    confirms_now(house)
    return house.until("10:10"), receivers


def at_the_fill(house: House) -> datetime:
    """Goes on until the first fill is recorded."""
    while not house.facts(OrderFilled):
        passes(house, 0.25)
    return house.facts(OrderFilled)[0].fill.at


def the_view(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def row_of(house: House) -> PositionRow:
    (row,) = the_view(house).positions
    return row


def urgent(receivers: Receivers) -> int:
    return len([sent for sent in receivers.heard if sent.is_urgent])


def stops(house: House) -> list[tuple[Decimal, Decimal | None]]:
    """Stops that the broker has in force: shares and price."""
    held = house.desk.ledger.legs.is_held
    found = [o for o in house.stops if o.status is OrderStatus.SUBMITTED and not held(o)]
    return [(o.remaining, o.request.stop_price) for o in found]


def notices(house: House) -> list[tuple[OwedReason, Decimal]]:
    return [(fact.why, fact.quantity) for fact in house.facts(StopOwed)]


def test_waiting_legs_are_owed_from_the_fill() -> None:
    """EX-22: the row has the shares, since when and why; for a minute it calls nobody"""
    house, receivers = nearly_filled()
    bought = at_the_fill(house)
    passes(house, 4)
    row = row_of(house)

    assert (row.owed, row.owed_why) == (row.quantity, OwedReason.LEGS_WAIT)
    assert row.owed_since is not None
    assert bought <= row.owed_since <= bought + timedelta(seconds=1)
    assert (row.calls_a_person, notices(house), urgent(receivers)) == (False, [], 0)


def test_legs_that_wait_for_a_minute_call_a_person() -> None:
    """EX-22, SY-03: once, however long it lasts; the pane and the bell with it"""
    house, receivers = nearly_filled()
    since = at_the_fill(house)
    house.until("10:35")
    row, (told,) = row_of(house), house.facts(StopOwed)

    assert (told.why, told.quantity, told.since) == (OwedReason.LEGS_WAIT, Decimal(29), row.owed_since)
    notice = house.desk.notifications.state.matters[MATTER].notice
    assert notice.severity is Severity.URGENT
    assert WAITS <= notice.at - since <= WAITS + FIVE
    assert urgent(receivers) == 1
    assert (row.owed, row.calls_a_person) == (Decimal(29), True)
    assert Bell().rings(the_view(house), 0.0)
    assert_can_be_rebuilt(house)


def test_an_entry_that_fills_whole_within_seconds_calls_nobody() -> None:
    """EX-22: in three parts over forty seconds; the shares are counted as unprotected meanwhile"""
    house, receivers = nearly_filled(shares=30)
    at_the_fill(house)
    calls = []
    for _ in range(50):
        passes(house, 1)
        calls.append(row_of(house).calls_a_person)
    house.until("10:20")

    assert (house.held(), stops(house), row_of(house).owed) == ("30", [(30, Decimal(99))], 0)
    assert (any(calls), notices(house), urgent(receivers)) == (False, [], 0)
    assert [fact.why for fact in house.facts(StopInForce)] == [OwedReason.LEGS_WAIT]


def test_a_price_beyond_the_stop_calls_at_once() -> None:
    """EX-22: nothing would sell there"""
    house, receivers = nearly_filled()
    at_the_fill(house)
    passes(house, 4)
    clock = f"{house.line.at.astimezone(NEW_YORK):%H:%M:%S}"
    house.line.take(house.line.at, QuoteArrived(a_quote(clock, "98.90", "98.92")))
    passes(house, 5)

    assert [why for why, _ in notices(house)] == [OwedReason.LEGS_WAIT]
    assert urgent(receivers) == 1


@pytest.mark.parametrize("day", [THURSDAY, FRIDAY, MONDAY])
def test_a_cancel_of_the_rest_sends_the_stop(day: date) -> None:
    """EX-22, OP-06: within five seconds, for what was filled, at the price that was signed; also days later"""
    house, receivers = nearly_filled()
    house.until("10:20", day=day)
    sent, told = urgent(receivers), notices(house)
    house.presses(RequestCancel(house.entry.id))
    passes(house, 5)

    assert (house.entry.status, house.entry.filled_quantity) == (OrderStatus.CANCELLED, 29)
    assert stops(house) == [(29, Decimal(99))]
    assert (row_of(house).owed, MATTER in house.desk.notifications.state.matters) == (0, False)
    assert (sent, told) == (1, [(OwedReason.LEGS_WAIT, Decimal(29))])
    assert (urgent(receivers), notices(house)) == (sent, told)
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("key", [Kill("test"), ProposeClose(SPY)], ids=["kill", "close"])
def test_a_kill_or_a_close_goes_on_beside_it(key: Kill | ProposeClose) -> None:
    """OP-07, EX-21: a kill leaves the shares with their stop; a close sells them"""
    house, receivers = nearly_filled()
    house.until("10:15")
    house.presses(key)
    if isinstance(key, ProposeClose):
        confirms_now(house)
    passes(house, 90)

    assert (house.held(), stops(house)) == (("29", [(29, Decimal(99))]) if isinstance(key, Kill) else ("0", []))
    assert house.desk.owed_stops.all() == ()
    assert urgent(receivers) - isinstance(key, Kill) == 1
    assert_can_be_rebuilt(house)


def test_the_last_share_ends_the_call() -> None:
    """EX-22, EX-13: the legs are in force then"""
    house, _ = nearly_filled(("10:20", 1))
    house.until("10:19")
    was_told = MATTER in house.desk.notifications.state.matters
    house.until("10:22")

    assert was_told
    assert (house.held(), stops(house)) == ("30", [(30, Decimal(99))])
    assert (row_of(house).owed, MATTER in house.desk.notifications.state.matters) == (0, False)
    (over,) = house.facts(StopInForce)
    assert (over.why, over.quantity) == (OwedReason.LEGS_WAIT, 29)


@pytest.mark.parametrize("clock", ["10:10:45", "10:13"])
def test_waiting_legs_outlive_a_restart(clock: str) -> None:
    """EX-22, EX-20: before the call and after it: one call, and the time goes on from the fill"""
    house, receivers = nearly_filled()
    house.until(clock)
    (before,) = house.desk.owed_stops.all()
    with_receivers(house.restarted(), receivers)
    house.until("10:20")

    assert [(owing.since, owing.why) for owing in house.desk.owed_stops.all()] == [(before.since, OwedReason.LEGS_WAIT)]
    assert notices(house) == [(OwedReason.LEGS_WAIT, Decimal(29))]
    assert urgent(receivers) == 1


def test_a_wait_that_grows_is_told_again() -> None:
    """EX-22: one share was told, and then there are 29; within the same minute"""
    house, receivers = nearly_filled(("10:15", 28), shares=1)
    house.until("10:16:30")

    assert notices(house) == [(OwedReason.LEGS_WAIT, Decimal(1)), (OwedReason.LEGS_WAIT, Decimal(29))]
    assert urgent(receivers) == 2
