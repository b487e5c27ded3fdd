"""Weeks in which the clock, the market or a strategy's own curve shuts entries."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.inputs import RegimeArrived
from core.model.sizing import MarketMeasure, NoVix, Regime, Trend, Volatility
from core.settings.settings import Settings
from tests.scenarios.changes import passes
from tests.scenarios.house import DIP, FALL, RECOVERY, STEADY
from tests.scenarios.weeks import (
    AUTUMN,
    HOLIDAY,
    SPRING,
    XOM,
    Minute,
    Week,
    Weeks,
    entries_pass_again,
    id_of,
    it_shuts_until,
    rows_of,
    settings_with,
    told,
    what_closes_still_goes,
)
from tests.unit.core.brokers.trading_floor import SPY, at

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("week", "shut_at_utc", "opens_at_utc"),
    [(SPRING, "Fri 15:06", "Mon 13:45"), (AUTUMN, "Fri 14:06", "Mon 14:45")],
    ids=id_of,
)
def test_time_window(week: Week, shut_at_utc: str, opens_at_utc: str, snapshot: SnapshotAssertion) -> None:
    """RK-07: typed entries from 09:45:00 to 10:05:00 New York, whatever the offset; the pane tells since and until."""
    house = Weeks(week, [], settings_with(window_start="09:45", window_end="10:05")).opens()
    house.until_moment(at("09:45", week.day) - SECOND)
    early = house.refusals()
    house.has_other_things_at_stake()
    house.until("10:05", week.day)
    in_the_last_second, watched = house.refusals(), house.row("window").reason
    house.until("10:05:01", week.day)
    late, over = house.refusals(), house.row("window").reason
    house.until("10:06", week.day)
    what_closes_still_goes(house)
    row = house.row("window")
    house.restarted()
    passes(house, 2)
    unseen = house.row("window")
    opens = at("09:45", week.after[0])
    house.until_moment(opens - SECOND)
    before = house.refusals()
    house.until_moment(opens)

    assert early == before
    assert in_the_last_second == ()
    assert (early, late, watched, over) == snapshot
    assert (row.is_tripped, row.since, row.until) == (unseen.is_tripped, unseen.since, unseen.until)
    assert row.since is not None
    assert row.until is not None
    assert (f"{row.since:%a %H:%M}", f"{row.until:%a %H:%M}") == (shut_at_utc, opens_at_utc)
    entries_pass_again(house, week.after[0], "09:45")


def test_volatility_halt() -> None:
    """RK-08: the market falls by 4 % in a minute and stays there: nothing opens in any symbol."""
    week, terms, end = AUTUMN, {"stop_minutes": 3 * 1440}, "Mon 4 09:06:00"
    story = [Minute(week.day, "10:05", "96", last="10:45")]
    house = Weeks(week, story, settings_with({"volatility_halt": terms})).opens()
    house.has_other_things_at_stake()
    house.until("10:05:59", week.day)
    assert not house.is_refused("volatility halt")
    house.until("10:06:30", week.day)
    assert house.is_refused("volatility halt: global", XOM)

    said = "volatility halt: global: 30 one-minute returns of SPY deviate by 0.730 %, the limit is 0.600 %"
    it_shuts_until(house, said, "volatility_halt", "global", end)

    entries_pass_again(house, week.after[-1])


def measures(house: Weeks, ratio: str, bars_to: date) -> None:
    market = MarketMeasure(SPY, bars_to, Trend.DOWN, Volatility.USUAL, Decimal(ratio) * 4, Decimal(4))
    house.line.take(house.line.at, RegimeArrived(Regime(NoVix("nobody answered"), market)))


def test_trade_frequency() -> None:
    """RK-12: the range grew to 1.62 × its average up to the day before: none that day, of any symbol, at any hour. It
    ends with the next day's measurement, here over a holiday.
    """
    week = HOLIDAY
    said = "trade frequency: SPY's range is 1.62 × its average, over 1.5: none today"
    house = Weeks(week, [], settings_with(frequency={"enabled": True})).opens()
    house.has_other_things_at_stake()
    house.until("10:05", week.day)
    measures(house, "1.62", week.before[-1])
    at_once = house.refusals(), house.refusals(XOM)
    what_closes_still_goes(house)
    before = rows_of(house, "market")
    house.restarted()
    passes(house, 2)
    after_a_restart = rows_of(house, "market"), house.refusals(XOM)
    house.until("15:59:59", week.day)
    last = house.refusals(XOM)
    house.until("09:45", week.after[0])
    unmeasured = house.refusals()
    measures(house, "1.20", week.day)

    assert at_once == ((said,), (said,))
    assert after_a_restart == (before, (said,))
    assert said in last
    assert unmeasured == (said,)
    assert [told(r.at) for r in house.journal.records() if isinstance(r.fact, facts.RegimeMeasured)] == [
        told(at("10:05", week.day)),
        told(at("09:45", week.after[0])),
    ]
    assert house.refusals() == ()
    entries_pass_again(house, week.after[0], "09:46")


def test_an_old_range_measurement_rules_for_seven_days() -> None:
    """RK-12: counted in New York days, so that the moved clock makes none of them shorter or longer."""
    house = Weeks(AUTUMN, [], settings_with(frequency={"enabled": True})).opens().until("10:05", AUTUMN.day)
    measures(house, "1.62", date(2013, 10, 28))

    house.until("09:45", date(2013, 11, 4))
    shut = house.is_refused("trade frequency")
    house.until("09:45", date(2013, 11, 5))

    assert shut
    assert not house.is_refused("trade frequency")


def with_vwap() -> Settings:
    settings = settings_with({"equity_curve": {"trades": 1}})
    vwap = settings.strategies.vwap.model_copy(update={"enabled": True, "symbols": ("SPY",)})
    return settings.model_copy(update={"strategies": settings.strategies.model_copy(update={"vwap": vwap})})


def test_equity_curve(snapshot: SnapshotAssertion) -> None:
    """RK-13: the strategy's trade lost, and it is shut over the weekend. On the next trading day its signal goes on as
    a shadow, whose gain lifts the curve; the next signal is staged. What the operator types is not concerned.
    """
    week, friday, monday = SPRING, SPRING.day, SPRING.after[0]
    story = [
        *(Minute(friday, clock, bar) for clock, bar in (("10:05", DIP), ("10:06", STEADY), ("10:07", FALL))),
        *(Minute(monday, clock, bar) for clock, bar in (("10:05", DIP), ("10:06", STEADY), ("10:07", STEADY))),
        Minute(monday, "10:08", RECOVERY),
        Minute(monday, "10:20", DIP),
    ]
    house = Weeks(week, story, with_vwap()).opens()
    house.has_other_things_at_stake()
    house.until("10:06", friday).opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:08:30", friday)
    trip = house.last(facts.ProtectionTripped)
    assert house.refusals() == house.refusals(XOM) == ()
    what_closes_still_goes(house)

    house.until("10:07:30", monday)
    refused = house.last(facts.ProposalSkipped)
    staged = len(house.facts(facts.ProposalStaged))
    before = rows_of(house, "equity_curve")
    house.restarted()
    passes(house, 2)
    assert rows_of(house, "equity_curve") == before
    house.until_moment(at("10:09", monday) - SECOND)
    assert house.at_of(facts.ProtectionExpired, "equity_curve") == []
    house.until("10:09:01", monday)

    assert (trip.name, trip.scope, trip.until) == ("equity_curve", "vwap", None)
    assert (refused.strategy, refused.checks) == ("vwap", ("equity curve",))
    assert refused.reasons == snapshot
    assert house.at_of(facts.ProtectionExpired, "equity_curve") == [told(at("10:09", monday))]
    assert len(house.facts(facts.ProposalStaged)) == staged
    house.until("10:21:01", monday)
    assert house.proposal.strategy == "vwap"
