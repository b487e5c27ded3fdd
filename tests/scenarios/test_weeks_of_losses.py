"""Weeks in which the account loses: what a day, a week and a drawdown shut, and until which New York moment."""

from __future__ import annotations

import pytest

from core.facts import DayStarted, ProtectionTripped
from tests.scenarios.weeks import (
    AUTUMN,
    HOLIDAY,
    SPRING,
    Minute,
    Week,
    Weeks,
    entries_pass_again,
    id_of,
    it_shuts_until,
    settings_with,
)
from tests.unit.core.brokers.trading_floor import at


@pytest.mark.parametrize(
    ("week", "end", "in_utc"),
    [
        (SPRING, "Sat 9 00:00:00", "05:00"),
        (AUTUMN, "Sat 2 00:00:00", "04:00"),
    ],
    ids=id_of,
)
def test_daily_loss(week: Week, end: str, in_utc: str) -> None:
    """RK-03: shut for the New York day, whatever its offset; what is made good meanwhile opens nothing."""
    house = Weeks(week, [Minute(week.day, "10:05")], settings_with(daily_loss={"usd": "5"})).opens()
    house.has_other_things_at_stake()
    house.trades_at("10:05")
    until = house.last(ProtectionTripped).until

    it_shuts_until(house, "daily loss: 6.", "daily_loss", "global", end)

    assert f"{until:%H:%M}" == in_utc
    entries_pass_again(house, week.after[0])
    assert house.last(DayStarted).day == week.after[0]


def test_weekly_loss() -> None:
    """RK-03: two days lose the week's limit together; it ends as the next trading week's Monday begins."""
    week, end = SPRING, "Mon 11 00:00:00"
    earlier = week.before[-1]
    settings = settings_with(weekly_loss={"usd": "12"}, daily_loss={"usd": "12"})
    house = Weeks(week, [Minute(earlier, "10:05"), Minute(week.day, "10:05")], settings)
    house.opens().until("09:31", week.before[0])
    house.trades_at("10:05", earlier)
    assert not house.is_refused("weekly loss")
    house.has_other_things_at_stake()
    house.trades_at("10:05")

    it_shuts_until(house, "weekly loss: 12.", "weekly_loss", "global", end)

    entries_pass_again(house, next(day for day in week.after if day.weekday() == 0))


def test_a_week_that_lost_its_limit_is_shut_on_the_half_day_too() -> None:
    """RK-03: Friday after Thanksgiving belongs to the week, and is a new day for the daily loss."""
    settings = settings_with(weekly_loss={"usd": "5"}, daily_loss={"usd": "5"})
    house = Weeks(HOLIDAY, [Minute(HOLIDAY.day, "10:05")], settings).opens()
    house.has_other_things_at_stake()
    house.trades_at("10:05")
    both = [house.is_refused("daily loss"), house.is_refused("weekly loss")]

    house.until("09:45", HOLIDAY.after[0])
    on_the_half_day = [house.is_refused("daily loss"), house.is_refused("weekly loss")]
    house.until("09:45", HOLIDAY.after[1])

    assert both == [True, True]
    assert on_the_half_day == [False, True]
    assert house.refusals() == ()


@pytest.mark.parametrize(
    ("week", "minutes", "end"),
    [
        (SPRING, 3 * 1440, "Mon 11 11:14:00"),
        (AUTUMN, 3 * 1440, "Mon 4 09:14:00"),
    ],
    ids=id_of,
)
def test_max_drawdown(week: Week, minutes: int, end: str) -> None:
    """RK-04: of a balance of 5,009.80 six are lost, over a limit of nine ten-thousandths. Its hours are elapsed hours:
    72 of them are three days on the clock but where that is moved. What closes counts, and leaves it shut since the
    last of them.
    """
    earlier = week.before[-1]
    told = [Minute(earlier, "10:05", "101", last="10:07"), Minute(week.day, "10:05")]
    house = Weeks(week, told, settings_with({"max_drawdown": {"stop_minutes": minutes, "limit": "0.0009"}})).opens()
    house.wins_at("10:05", earlier)
    house.has_other_things_at_stake()
    house.trades_at("10:05")
    since = house.row("max_drawdown/global").since

    it_shuts_until(house, "max drawdown: global: the balance is", "max_drawdown", "global", end)

    assert since is not None
    assert since < at("10:06", week.day)
    assert len(house.at_of(ProtectionTripped, "max_drawdown")) == 3
    entries_pass_again(house, week.after[-1])
