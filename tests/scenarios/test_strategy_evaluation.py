"""After the close each strategy is judged by its trades: retired, paused, kept, or proposed for more (ST-10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.market.calendar import load_calendar
from core.messages.commands import DecidePromotion, ReinstateStrategy
from core.messages.inputs import RegimeArrived
from core.model.bar import Bar
from core.model.codes import HaltCause
from core.model.signal import SuspensionCause
from core.model.sizing import (
    DailyValue,
    MarketMeasure,
    NoMarket,
    NoVix,
    Regime,
    Trend,
    VixLevel,
    VixReading,
    Volatility,
)
from core.risk.regime import last_reading
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import DIP, FALL, RECOVERY, STEADY, House, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import NEW_YORK, SPY, a_bar

FIRST = date(2026, 10, 5)
"""A Monday; no holiday in the weeks after it."""
HOURS = load_calendar(FIRST, date(2026, 11, 30))
"""Nothing is known of the days before the first: no night may ask for them."""
OFF = ("stop_loss_guard", "cooldown", "low_profit", "loss_streak", "max_drawdown", "equity_curve")


def days(count: int) -> list[date]:
    """The trading days from the first on."""
    found = (FIRST + timedelta(days=n) for n in range(count * 2))
    return [day for day in found if day.weekday() < 5][:count]


def settings_with(**evaluation: object) -> Settings:
    return Settings.model_validate(
        {
            "risk": {
                "protections": {name: {"enabled": False} for name in OFF},
                "frequency": {"enabled": False},
                "weekly_loss": {"usd": "100"},
            },
            "evaluation": evaluation,
            "reconciliation": {"every_seconds": 0},
        }
    )


class Months(House):
    """Each day VWAP buys a dip at 10:06; `course` says of each day whether it wins (W), loses (L) or rests (-)."""

    def __init__(self, course: str, settings: Settings | None = None) -> None:
        self.days = days(len(course))
        self.course = dict(zip(self.days, course, strict=True))
        bars: list[Bar] = []
        for day, fate in self.course.items():
            dip = DIP if fate != "-" else "100"
            after = {"W": RECOVERY, "L": FALL, "-": "100"}[fate]
            bars += [*minutes("09:45", "10:04", day=day), a_bar("10:05", dip, day=day)]
            bars += minutes("10:06", "10:07", STEADY if fate != "-" else "100", day=day)
            bars += [a_bar("10:08", after, day=day)]
            bars += minutes("10:09", "10:12", after.split()[-1], day=day)
        bars.append(a_bar("09:30", "100", day=days(len(course) + 1)[-1]))
        super().__init__(bars, settings or settings_with(), HOURS, cash=Decimal(5000))

    def trades(self, day: date) -> None:
        """What VWAP proposes is confirmed, its exit too."""
        self.until("10:06", day)
        if self.desk.stage.proposals():
            self._confirms()
        self.until("10:09", day)
        if self.desk.stage.proposals():
            self._confirms()
        self.until("10:14", day)

    def _confirms(self) -> None:
        self.until_moment(self.line.at + timedelta(seconds=1))
        self.opens_ticket()
        self.until_moment(self.line.at + timedelta(seconds=1))
        self.confirms()
        self.until_moment(self.line.at + timedelta(seconds=5))

    def lives(self, last: int | None = None) -> Months:
        """Every day up to that one, its night included."""
        for day in self.days[: last or len(self.days)]:
            if self.line.at < HOURS.session_on(day).close:  # type: ignore[union-attr]
                self.trades(day)
                self.until("17:00", day)
        return self

    def row(self) -> Any:
        return ViewBuilder(self.engine).draw(self.line.at).strategies[0]

    def nights(self) -> list[date]:
        return [fact.day for fact in self.facts(facts.StrategiesEvaluated)]


def opened(course: str, settings: Settings | None = None) -> Months:
    house = Months(course, settings)
    house.opens()
    return house


def test_two_weeks_pass_before_anything_is_judged() -> None:
    """ST-10"""
    house = opened("LLLLLLLLLL").lives()

    assert len(house.facts(facts.TradeClosed)) == 10
    assert house.nights() == []
    assert_can_be_rebuilt(house)


def test_ten_losses_in_a_row_retire_a_strategy(snapshot: SnapshotAssertion) -> None:
    """ST-10"""
    house = opened("LLLLLLLLLLLL").lives()

    (shut,) = house.facts(facts.StrategySuspended)
    assert (shut.strategy, shut.cause, shut.until) == ("vwap", SuspensionCause.RETIRED, None)
    assert house.nights() == [date(2026, 10, 19)]
    assert len(house.facts(facts.ProposalStaged)) == 11, "it opens nothing any more"
    assert house.desk.orchestrator.no_trade()["DISABLED"] > 0, "it is shut itself, the halt aside"
    assert not house.facts(facts.ProposalSkipped)
    assert house.last(facts.Halted).cause is HaltCause.RETIRED
    assert (shut.reason, house.row().shut, house.row().evaluation) == snapshot
    assert_can_be_rebuilt(house)


def test_only_the_operator_ends_a_retirement() -> None:
    """ST-10"""
    house = opened("LLLLLLLLLLLLLWW")
    house.lives(12)
    house.restarted()
    house.lives(13)
    assert len(house.facts(facts.ProposalStaged)) == 11
    assert house.row().may_be_resumed

    house.presses(ReinstateStrategy("vwap"))
    house.lives()

    assert [fact.cause for fact in house.facts(facts.StrategyReinstated)] == [SuspensionCause.RETIRED]
    assert house.facts(facts.Resumed)
    assert len(house.facts(facts.ProposalStaged)) > 11
    assert len(house.nights()) == 1, "its record begins anew"
    assert_can_be_rebuilt(house)


def test_only_retired_strategies_at_a_start_halt_it() -> None:
    """ST-10: the other one is turned off between two starts"""
    house = opened("LLLLLLLLLLL", with_shares(vwap="0.5", momentum="0.5")).lives()
    assert house.desk.evaluation.is_retired("vwap")
    assert HaltCause.RETIRED not in house.desk.control.halts

    house.settings = with_shares(vwap="0.5")
    house.restarted()

    assert HaltCause.RETIRED in house.desk.control.halts
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("terms", [{}, {"least_sharpe": "-100"}], ids=["sharpe", "win rate"])
def test_a_low_sharpe_ratio_or_win_rate_retires_it(terms: dict[str, str], snapshot: SnapshotAssertion) -> None:
    """ST-10"""
    house = opened("LLLWLLLWLLLW", settings_with(**terms)).lives()

    shut = house.facts(facts.StrategySuspended)[0]
    assert shut.cause is SuspensionCause.RETIRED
    assert shut.reason == snapshot


def test_an_unknown_figure_skips_the_night(snapshot: SnapshotAssertion) -> None:
    """ST-10"""
    house = opened("L----------").lives()

    (night,) = house.facts(facts.StrategiesEvaluated)
    assert not house.facts(facts.StrategySuspended)
    assert (night.results[0].verdict, house.row().evaluation) == snapshot


def test_a_missed_night_is_made_up_once() -> None:
    """ST-10"""
    house = opened("LLLLLLLLLLL")
    house.lives(10)
    house.trades(house.days[10])
    missed = datetime(2026, 10, 20, 7, tzinfo=NEW_YORK)
    house.line.at = missed

    house.restarted()
    house.until_moment(missed + timedelta(minutes=1))
    house.restarted()
    house.until_moment(missed + timedelta(minutes=2))

    assert house.nights() == [date(2026, 10, 19)]
    assert [record.at for record in house.journal.records() if isinstance(record.fact, facts.StrategiesEvaluated)] == [
        missed
    ]


def test_a_crash_in_a_night_judges_again() -> None:
    """ST-10, SP-03"""
    house = opened("LLLLLLLLLLL").lives()
    evaluated = next(r.sequence for r in house.journal.records() if isinstance(r.fact, facts.StrategiesEvaluated))
    for cut in (evaluated - 1, evaluated - 2):
        house.loses_the_journal_after(cut)
        house.restarted()
        house.until_moment(house.line.at + timedelta(minutes=1))

        assert house.desk.evaluation.is_retired("vwap")
        assert HaltCause.RETIRED in house.desk.control.halts
        assert_can_be_rebuilt(house)


GOOD = "WLWWWWLWWWWWWW"


def with_shares(**shares: str) -> Settings:
    """These are on, each with its own allocation."""
    tables = {name: {"enabled": True, "allocation": share} for name, share in shares.items()}
    return Settings.model_validate(settings_with().model_dump() | {"strategies": tables})


WITH_HALF = with_shares(vwap="0.5")


@pytest.mark.parametrize("is_adopted", [True, False])
def test_a_promotion_is_proposed_and_the_operator_decides(is_adopted: bool) -> None:
    """ST-10"""
    house = opened(GOOD, WITH_HALF)
    house.lives(12)

    (proposed,) = house.facts(facts.PromotionProposed)
    assert (proposed.strategy, proposed.step) == ("vwap", Decimal("0.10"))
    assert "profit factor" in proposed.reason
    assert house.row().proposed
    assert house.desk.control.settings == house.settings, "nothing is changed by itself"

    house.presses(DecidePromotion("vwap", is_adopted))
    house.lives()

    allocation = Decimal("0.55") if is_adopted else None
    assert house.facts(facts.PromotionDecided) == [facts.PromotionDecided("vwap", is_adopted, allocation)]
    assert len(house.facts(facts.PromotionProposed)) == 1, "not again the night after"
    assert share_of(house) == (allocation or Decimal("0.5"))
    assert_can_be_rebuilt(house)


def share_of(house: House, strategy: str = "vwap") -> Decimal:
    share = house.desk.allocations.of(strategy)
    assert share is not None
    return share.allocation


def measured(house: Months) -> str:
    """What the gate said of the last entry's share of the account."""
    said = [verdict for fact in house.facts(facts.ProposalStaged) for verdict in fact.review.verdicts]
    return [verdict.reason for verdict in said if verdict.check == "allocation"][-1]


def test_an_adopted_share_holds_from_the_next_day(snapshot: SnapshotAssertion) -> None:
    """ST-10, ST-08: half of the account becomes 55 %, over a restart too; today stays as it was."""
    house = opened(GOOD, WITH_HALF)
    house.lives(12)
    proposed = house.row().proposed

    house.presses(DecidePromotion("vwap", True))
    today, words = share_of(house), dict(house.row().figures)["allocation"]
    house.restarted()
    after_a_restart = share_of(house)
    house.lives(13)
    equity = house.desk.opening.state.equity

    assert (today, after_a_restart, share_of(house)) == (Decimal("0.5"), Decimal("0.5"), Decimal("0.55"))
    assert (proposed, words) == snapshot
    assert equity is not None
    assert measured(house).endswith(f" of {equity * Decimal('0.55'):,.2f} USD with it")
    house.restarted()
    assert share_of(house) == Decimal("0.55")
    assert_can_be_rebuilt(house)


def test_no_more_than_the_whole_account_is_adopted() -> None:
    """ST-08, ST-10: vwap would have 55 % beside the 50 % of momentum. It stays proposed."""
    house = opened(GOOD, with_shares(vwap="0.5", momentum="0.5"))
    house.lives(12)

    house.presses(DecidePromotion("vwap", True))
    house.lives()

    reason = "with 55 % for it the allocations would be 105 % of equity together; lower another one first"
    assert house.facts(facts.PromotionRefused) == [facts.PromotionRefused("vwap", reason)]
    assert not house.facts(facts.PromotionDecided)
    assert share_of(house) == Decimal("0.5")
    assert house.row().proposed.endswith(f"; not now: {reason}")
    assert_can_be_rebuilt(house)


def test_another_setting_ends_an_adopted_share() -> None:
    """ST-08: the settings' figures come first, whatever was adopted."""
    house = opened(GOOD, WITH_HALF)
    house.lives(12)
    house.presses(DecidePromotion("vwap", True))
    night, decided = house.line.at, house.journal.sequence

    for shares, vwap in (
        ({"vwap": "0.5"}, "0.55"),
        ({"vwap": "0.6"}, "0.6"),
        ({"vwap": "0.5", "momentum": "0.48"}, "0.52"),
        ({"vwap": "0.5", "momentum": "0.5"}, "0.5"),
    ):
        house.loses_the_journal_after(decided)
        house.settings, house.line.at = with_shares(**shares), night
        house.restarted()
        house.until("09:50", house.days[12])

        assert share_of(house) == Decimal(vwap), shares
        assert_can_be_rebuilt(house)


def test_without_an_allocation_nothing_is_proposed(snapshot: SnapshotAssertion) -> None:
    """ST-10: what uses everybody's capital has nothing that could grow."""
    house = opened(GOOD).lives(12)

    assert not house.facts(facts.PromotionProposed)
    assert dict(house.row().evaluation)["verdict"] == snapshot


def vix(house: House, day: date, value: str) -> None:
    reading = VixReading(Decimal(value), day, VixLevel.HIGH)
    house.line.take(house.line.at, RegimeArrived(Regime(reading, NoMarket("not asked"))))


def a_market(trend: Trend) -> Regime:
    return Regime(NoVix("not asked"), MarketMeasure(SPY, FIRST, trend, Volatility.USUAL, Decimal(1), Decimal(1)))


def vix_weeks(values: Sequence[str]) -> Months:
    house = opened("W" * len(values))
    for day, value in zip(house.days, values, strict=True):
        house.trades(day)
        house.until("16:05", day)
        vix(house, day, value)
        house.until("17:00", day)
    return house


def test_five_closes_over_30_pause_every_strategy(snapshot: SnapshotAssertion) -> None:
    """ST-10"""
    house = vix_weeks(["31", "32", "31", "30.5", "31", "28", "26", "24.9", "20", "20"])

    (shut,), (over,) = house.facts(facts.StrategySuspended), house.facts(facts.StrategyReinstated)
    assert (shut.strategy, shut.cause) == ("", SuspensionCause.VIX)
    assert (shut.reason, over.reason) == snapshot
    staged = [fact.proposal.signal_time.astimezone(NEW_YORK).day for fact in house.facts(facts.ProposalStaged)]
    assert not {12, 13, 14} & set(staged)
    assert 15 in staged
    assert_can_be_rebuilt(house)


def test_four_closes_over_30_pause_nothing() -> None:
    """ST-10"""
    assert not vix_weeks(["31", "32", "29", "31", "31", "31", "31"]).facts(facts.StrategySuspended)


def told(house: House, *closes: tuple[int, str]) -> None:
    """A history of the VIX is downloaded: days of September or, over 30, of October."""
    days = (FIRST.replace(month=9, day=1) + timedelta(days=day - 1) for day, _ in closes)
    history = [DailyValue(day, Decimal(value)) for day, (_, value) in zip(days, closes, strict=True)]
    reading = last_reading(history)
    assert reading is not None
    house.line.take(house.line.at, RegimeArrived(Regime(reading, NoMarket("not asked"))))


STORMY = ((28, "31"), (29, "32"), (30, "31"), (31, "30.5"), (32, "31"))
"""The five trading days before the first Monday of October."""


def test_a_downloaded_vix_history_pauses_at_once(snapshot: SnapshotAssertion) -> None:
    """ST-10: at its first measurement, and not after five closes that it heard by itself, nor only at night."""
    house = opened("WWW")
    told(house, *STORMY)

    (shut,) = house.facts(facts.StrategySuspended)
    assert (shut.strategy, shut.cause) == ("", SuspensionCause.VIX)
    assert shut.reason == snapshot
    house.lives(1)
    assert not house.facts(facts.ProposalStaged)
    assert_can_be_rebuilt(house)


def test_an_unheard_calm_day_counts() -> None:
    """ST-10: five closes over 30 were heard, and on a day between them, when the desk was off, it closed at 24."""
    house = opened("WWW")
    for last in range(1, 5):
        told(house, *STORMY[:last])
    told(house, *STORMY[:3], (31, "24"), STORMY[-1])

    assert not house.facts(facts.StrategySuspended)


def test_a_low_close_ends_the_pause(snapshot: SnapshotAssertion) -> None:
    """ST-10"""
    house = opened("WWW")
    told(house, *STORMY)
    house.until("17:00", FIRST)
    told(house, *STORMY, (35, "24.9"))

    (over,) = house.facts(facts.StrategyReinstated)
    assert (over.cause, over.reason) == (SuspensionCause.VIX, snapshot)
    assert_can_be_rebuilt(house)


def test_without_evaluation_the_vix_pauses_nothing() -> None:
    """ST-10: evaluation.enabled = false."""
    house = opened("WWW", settings_with(enabled=False))
    told(house, *STORMY)

    assert not house.facts(facts.StrategySuspended)


def test_a_losing_regime_pauses_a_strategy_in_it(snapshot: SnapshotAssertion) -> None:
    """ST-10"""
    house = opened("LWWLWWLWWLWWWWWW", settings_with(regime_trades=3, least_sharpe="-100", more="0"))
    for number, day in enumerate(house.days):
        fate = house.course[day]
        house.until("09:31", day)
        regime = Trend.DOWN if fate == "L" or number >= 12 else Trend.UP
        market = MarketMeasure(SPY, day, regime, Volatility.USUAL, Decimal(1), Decimal(1))
        house.line.take(house.line.at, RegimeArrived(Regime(NoVix("not asked"), market)))
        house.trades(day)
        house.until("17:00", day)

    (shut,) = house.facts(facts.StrategySuspended)
    assert (shut.cause, shut.scope) == (SuspensionCause.REGIME, "down, usual")
    assert shut.reason == snapshot
    staged = {fact.proposal.signal_time.astimezone(NEW_YORK).date() for fact in house.facts(facts.ProposalStaged)}
    assert house.days[11] in staged
    assert not set(house.days[12:]) & staged
    assert house.row().may_be_resumed
    assert_can_be_rebuilt(house)


def test_a_strategy_that_lost_the_week_rests_until_the_next() -> None:
    """ST-10"""
    settings = settings_with(losses_in_a_row=100, least_sharpe="-100", least_win_rate="0")
    risk = settings.risk.model_copy(
        update={"weekly_loss": settings.risk.weekly_loss.model_copy(update={"usd": Decimal("0.3")})}
    )
    house = opened("W" * 10 + "LLLLLL", settings.model_copy(update={"risk": risk}))

    house.lives()

    shut = house.facts(facts.StrategySuspended)[0]
    assert shut.cause is SuspensionCause.WEEK
    assert shut.until is not None
    assert shut.until.astimezone(NEW_YORK).date() == date(2026, 10, 26)


def test_the_trade_that_reaches_the_limit_ends_the_week(snapshot: SnapshotAssertion) -> None:
    """ST-10: also one that is too young to be judged."""
    settings = settings_with()
    risk = settings.risk.model_copy(
        update={"weekly_loss": settings.risk.weekly_loss.model_copy(update={"usd": Decimal("0.3")})}
    )
    house = opened("LLLLLL", settings.model_copy(update={"risk": risk}))
    lost = Decimal(0)
    for day in house.days[:5]:
        house.trades(day)
        lost = -sum((fact.trade.profit for fact in house.facts(facts.TradeClosed)), Decimal(0))
        if lost >= Decimal("0.3"):
            break

    (shut,) = house.facts(facts.StrategySuspended)
    assert house.line.at.astimezone(NEW_YORK).strftime("%H:%M") == "10:14"
    assert (shut.strategy, shut.cause) == ("vwap", SuspensionCause.WEEK)
    assert shut.reason == snapshot
    assert f"{lost:,.2f} USD" in shut.reason
    staged = len(house.facts(facts.ProposalStaged))
    house.trades(house.days[4])
    assert len(house.facts(facts.ProposalStaged)) == staged
    assert_can_be_rebuilt(house)
