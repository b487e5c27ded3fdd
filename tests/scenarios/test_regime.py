"""The regime at the desk: what a measurement changes of tickets, of entries a day, and of what a restart remembers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words, kind_of
from core.facts import ProposalSkipped, ProposalStaged, RegimeMeasured
from core.messages.commands import ProposeClose
from core.messages.inputs import RegimeArrived
from core.model.order import Effect
from core.model.sizing import UNKNOWN, MarketMeasure, NoMarket, NoVix, Regime, Trend, VixLevel, VixReading, Volatility
from core.model.staging import CheckResult
from core.settings.risk import FrequencySettings, RiskSettings
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import (
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
)
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

WEDNESDAY = date(2026, 11, 18)
NOBODY = NoVix("nobody answered")
NO_BARS = NoMarket("nobody answered")


def a_vix(value: str, level: VixLevel, day: date = WEDNESDAY) -> VixReading:
    return VixReading(Decimal(value), day, level)


HIGH = a_vix("34.20", VixLevel.HIGH)


def a_market(ratio: str, bars_to: date = WEDNESDAY) -> MarketMeasure:
    return MarketMeasure(SPY, bars_to, Trend.DOWN, Volatility.USUAL, Decimal(ratio) * 4, Decimal(4))


def measures(house: House, vix: VixReading | NoVix = NOBODY, market: MarketMeasure | NoMarket = NO_BARS) -> None:
    house.line.take(house.line.at, RegimeArrived(Regime(vix, market)))


def verdict(house: House, check: str) -> tuple[CheckResult, str]:
    (found,) = (v for v in house.ticket.review.verdicts if v.check == check)
    return found.standing, found.reason


def a_morning(settings: Settings | None = None) -> House:
    """It is 10:00, before the dip that VWAP buys."""
    return House(a_day(("10:06", "10:30", STEADY)), settings).opens().until("10:00")


def test_a_high_vix_warns_on_the_ticket(snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    house = a_morning()
    measures(house, HIGH)
    house.until("10:06").opens_ticket()
    house.until("10:06:02")

    assert verdict(house, "vix")[0] is CheckResult.WARNS
    assert verdict(house, "vix") == snapshot
    house.confirms()
    assert house.until("10:06:30").held() == "0.502"


def test_an_elevated_vix_is_shown_and_warns_of_nothing(snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    house = a_morning()
    measures(house, a_vix("23.40", VixLevel.ELEVATED, date(2026, 11, 13)))
    house.until("10:06").opens_ticket()
    house.until("10:06:02")

    assert verdict(house, "vix")[0] is CheckResult.PASSES
    assert verdict(house, "vix") == snapshot


def test_an_unknown_regime_refuses_nothing(snapshot: SnapshotAssertion) -> None:
    """RK-19, RK-12: nothing is invented."""
    house = a_house_with_a_proposal()
    house.opens_ticket()
    house.until("10:06:02")

    assert house.desk.regime.regime == UNKNOWN
    assert verdict(house, "vix")[0] is verdict(house, "trade frequency")[0] is CheckResult.PASSES
    assert (verdict(house, "vix"), verdict(house, "trade frequency")) == snapshot


def test_a_measurement_is_recorded_once(snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    house = a_morning()

    for _ in range(3):
        measures(house, HIGH, a_market("1"))

    (fact,) = house.facts(RegimeMeasured)
    assert kind_of(fact) == "regime"
    assert in_words(fact) == snapshot


def test_a_failed_measurement_keeps_the_last_regime() -> None:
    """RK-19"""
    house = a_morning()
    measures(house, HIGH, a_market("1"))

    measures(house)
    measures(house, a_vix("12", VixLevel.LOW, date(2026, 11, 17)))
    measures(house, market=a_market("0.5", date(2026, 11, 17)))

    assert house.desk.regime.regime == Regime(HIGH, a_market("1"))
    assert len(house.facts(RegimeMeasured)) == 1


def test_a_restart_keeps_the_regime_and_its_day() -> None:
    """RK-19, SP-03"""
    house = a_morning()
    measures(house, HIGH, a_market("1.62"))

    house = house.restarted()

    assert house.desk.regime.regime == Regime(HIGH, a_market("1.62"))
    assert_can_be_rebuilt(house)


def test_after_wide_days_no_entry_passes(snapshot: SnapshotAssertion) -> None:
    """RK-12"""
    house = a_morning()
    measures(house, market=a_market("1.62"))
    house.until("10:10")
    house.presses(a_typed_buy())
    house.until("10:10:05")

    assert house.facts(ProposalStaged) == []
    assert house.last(ProposalSkipped).checks == ("trade frequency",)
    row = {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}["entries/vwap"]
    assert row.is_tripped
    assert (row.measure, row.reason, house.last(ProposalSkipped).reasons) == snapshot
    assert house.desk.orchestrator.no_trade()["MAX_TRADES_REACHED"] > 0
    assert_can_be_rebuilt(house)


def test_wide_days_never_block_an_exit() -> None:
    """RK-12, RK-22: the measurement comes while one is held; its close goes."""
    house = a_house_in_a_position()
    measures(house, market=a_market("1.62"))

    house.presses(ProposeClose(SPY))
    house.until("10:06:40").opens_ticket()
    house.until("10:06:42")

    assert house.ticket.order.effect is Effect.CLOSE
    assert verdict(house, "trade frequency")[0] is CheckResult.WARNS
    house.confirms()
    assert house.until("10:08").held() == "0"


def test_after_narrow_days_one_more_entry_is_allowed() -> None:
    """RK-12: of the one that the profile allows, two."""
    house = a_morning()
    runner = house.desk.orchestrator.runners[SPY][0]
    before = runner.context.entries_allowed

    measures(house, market=a_market("0.79"))
    house.until("10:03")

    assert (before, runner.context.entries_allowed) == (1, 2)
    assert_can_be_rebuilt(house)


def test_with_the_setting_off_the_range_is_ignored() -> None:
    """RK-12"""
    house = a_morning(Settings(risk=RiskSettings(frequency=FrequencySettings(enabled=False))))
    measures(house, market=a_market("9"))

    assert len(house.until("10:06").facts(ProposalStaged)) == 1


def test_bars_that_ended_long_ago_are_ignored() -> None:
    """RK-12: the source was not there for a week and a day; the day is the profile's."""
    house = a_morning()
    measures(house, market=a_market("9", date(2026, 11, 11)))

    assert len(house.until("10:06").facts(ProposalStaged)) == 1
    assert house.desk.regime.allowance(THURSDAY).entries == 1


def test_the_pane_shows_the_regime_and_trips_nothing(snapshot: SnapshotAssertion) -> None:
    """RK-19, RK-09"""
    house = a_morning()
    before = ViewBuilder(house.engine).draw(house.line.at).protections

    measures(house, HIGH, a_market("1.62"))
    rows = {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}

    assert not {"vix", "market"} & {row.key for row in before}
    assert [(rows[key].name, rows[key].measure, rows[key].reason) for key in ("vix", "market")] == snapshot
    assert not rows["vix"].is_tripped
    assert not rows["market"].is_tripped
