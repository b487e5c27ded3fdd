"""Weeks of trades that go wrong: what the protections that count them shut, for how long, and what they forget when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from core.facts import ProtectionTripped
from tests.scenarios.weeks import (
    AUTUMN,
    BAC,
    HOLIDAY,
    SPRING,
    SUMMER_MONDAY,
    WINTER_MONDAY,
    XOM,
    Minute,
    Week,
    Weeks,
    a_stop_is_moved_and_fills,
    all_is_killed_and_armed_again,
    an_entry_is_cancelled,
    entries_pass_again,
    id_of,
    it_ends_on_the_second,
    it_shuts_until,
    settings_with,
)

THREE_DAYS = {"stop_minutes": 3 * 1440}
USUAL: dict[str, int] = {}


def a_week_of_losses(week: Week, name: str, terms: dict[str, int], *losses: Minute) -> Weeks:
    """Every one but those of the day itself is told; on the day other things are at stake."""
    house = Weeks(week, losses, settings_with({name: terms})).opens()
    for loss in losses:
        if loss.day != week.day:
            house.trades_at(loss.clock, loss.day)
    house.has_other_things_at_stake()
    assert not house.is_refused(name.replace("_", " "))
    for loss in losses:
        if loss.day == week.day:
            house.trades_at(loss.clock)
    return house


def test_stop_loss_guard() -> None:
    """RK-05: the third stop-out in a row, on the third day of it, shuts its symbol and no other."""
    week, terms, end = SPRING, THREE_DAYS, "Mon 11 11:05:20"
    losses = [Minute(day, "10:05") for day in (*week.before[:2], week.day)]
    house = a_week_of_losses(week, "stop_loss_guard", terms, *losses)
    assert house.refusals(XOM) == ()

    said = "stop loss guard: SPY: 3 stop-outs in a row, the limit is 3"
    it_shuts_until(house, said, "stop_loss_guard", "SPY", end)

    entries_pass_again(house, week.after[-1])


@pytest.mark.parametrize(
    ("week", "clock", "first", "trips"),
    [(SUMMER_MONDAY, "10:30", date(2013, 3, 4), True), (WINTER_MONDAY, "09:40", date(2013, 10, 28), False)],
    ids=id_of,
)
def test_a_stop_out_counts_for_a_week_of_elapsed_hours(week: Week, clock: str, first: date, trips: bool) -> None:
    """RK-05: of 10:05 a week ago. By the clock 10:30 is more than a week later, and 09:40 less; the one is 167 h 25 min
    later, the other 168 h 35 min.
    """
    week = replace(week, before=(first, *week.before))
    losses = [Minute(first, "10:05"), Minute(week.before[-1], "10:05"), Minute(week.day, clock)]
    house = Weeks(week, losses, settings_with({"stop_loss_guard": USUAL})).opens()

    for loss in losses:
        house.trades_at(loss.clock, loss.day)

    assert house.is_refused("stop loss guard") is trips
    assert len(house.facts(ProtectionTripped)) == trips


@pytest.mark.usefixtures("a_bar_at_once")
def test_cooldown() -> None:
    """RK-06: a loss of 0.6 % pauses its symbol, and no other."""
    week, terms, end = HOLIDAY, USUAL, "Wed 27 10:20:20"
    house = a_week_of_losses(week, "cooldown", terms, Minute(week.day, "10:05"))
    assert house.refusals(XOM) == ()

    it_shuts_until(house, "cooldown: SPY: a loss of 0.61 %, 0.50 % and more pause", "cooldown", "SPY", end)

    entries_pass_again(house, week.after[-1])


@pytest.mark.usefixtures("a_bar_at_once")
def test_low_profit() -> None:
    """RK-08: three trades of one day that lost 1.8 % together; one of the day before counts no more."""
    week, terms, end = HOLIDAY, USUAL, "Wed 27 11:05:20"
    earlier = Minute(week.before[-1], "09:55")
    losses = [Minute(week.day, clock) for clock in ("10:01", "10:03", "10:05")]
    house = a_week_of_losses(week, "low_profit", terms, earlier, *losses)
    assert house.refusals(XOM) == ()

    said = "low profit: SPY: 3 trades made -1.83 %, -1.00 % is required"
    it_shuts_until(house, said, "low_profit", "SPY", end)

    entries_pass_again(house, week.after[-1])


def test_loss_streak() -> None:
    """RK-09: five losses in a row over three days shut whoever made them."""
    week, terms, end = SPRING, THREE_DAYS, "Mon 11 11:05:20"
    losses = [Minute(day, clock) for day in week.before[:2] for clock in ("10:05", "10:20")]
    house = a_week_of_losses(week, "loss_streak", terms, *losses, Minute(week.day, "10:05"))
    assert house.is_refused("loss streak: manual", XOM)

    said = "loss streak: manual: 5 losses in a row, the limit is 5"
    it_shuts_until(house, said, "loss_streak", "manual", end)

    entries_pass_again(house, week.after[-1])


@pytest.mark.parametrize(
    ("week", "end", "after"),
    [
        (AUTUMN, "Mon 4 00:00:00", date(2013, 11, 4)),
        (HOLIDAY, "Tue 3 00:00:00", date(2013, 12, 3)),
    ],
    ids=id_of,
)
def test_day_trades(week: Week, end: str, after: date) -> None:
    """RK-15: three day trades shut entries until the first is five business days old; the holiday is none, the half day
    is one. An entry that waits, or a position of today, could be the third, and shuts as long as it is there.
    """
    week = replace(week, before=week.before[-2:], after=(after,))
    house = Weeks(week, [Minute(day, "10:05") for day in week.before], settings_with({"day_trades": {"enabled": True}}))
    house.opens()
    for day in week.before:
        house.trades_at("10:05", day)

    house.until("09:48", week.day)
    house.buys(XOM, "1", limit="96", stop="95")
    assert house.is_refused("day trades: 2")
    an_entry_is_cancelled(house, XOM)
    house.buys(BAC, "1", stop="99")
    assert house.is_refused("day trades: 2")
    all_is_killed_and_armed_again(house)
    house.until("10:11:30", week.day)
    a_stop_is_moved_and_fills(house)

    assert house.at_of(ProtectionTripped, "day_trades") == [f"{week.day:%a %-d} 10:14:00"]
    said = "day trades: global: 3 day trades in 5 business days, one more could be number 4"
    it_ends_on_the_second(house, said, "day_trades", "global", end)
    entries_pass_again(house, after)
