"""What strategies are shown, what is kept of their answers, and when they are shut."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import BarClosed, EngineStarted, Fact, ReasonsCounted, SettingsApplied, StrategyFailed, StrategyPaused
from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.recommendation import Recommendation
from core.model.session import XNYS
from core.model.signal import EntrySignal, ExitSignal, NoTradeReason
from core.model.values import NO_SHARES, Price, Quantity, Symbol
from core.risk.sizing import Conditions
from core.risk.strategy_evaluation import Suspension
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.strategies import StrategiesSettings, VwapSettings
from core.settings.types import AmountSettings
from core.strategies.base import Context
from core.strategies.orchestrator import ENOUGH_FOR_AN_ANOMALY, Orchestrator
from core.strategies.questions import RAISED
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, NewYorkHours, a_bar, at

FRIDAY = THURSDAY + timedelta(days=1)
ALL = NoTradeReason


@dataclass
class Holdings:
    """What the books and the stage would say."""

    position: tuple[Quantity, Price | None] = (NO_SHARES, None)
    held_back: Quantity = NO_SHARES
    entries: int = 0
    allowed: int = 1
    waiting: bool = False
    unanswered: int = 0
    equity: Decimal | None = Decimal(200)
    result: Decimal = Decimal(0)
    own_result: Decimal | None = Decimal(0)
    sized_by: Conditions = field(default_factory=lambda: Conditions(equity=Decimal(200)))
    asked: list[dict[Symbol, Price]] = field(default_factory=list)
    adopted: Recommendation | None = None
    by_night: Suspension | None = None

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]:
        return self.position

    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None:
        return at("09:31") if self.position[0] else None

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        return self.held_back

    def entries_filled(self, strategy: str, day: date) -> int:
        return self.entries

    def entries_allowed(self, day: date, strategy: str) -> int:
        return self.allowed

    def is_waiting(self, symbol: Symbol, strategy: str) -> bool:
        return self.waiting

    def queued(self) -> int:
        return self.unanswered

    def recommendation(self, symbol: Symbol, strategy: str) -> Recommendation | None:
        return self.adopted

    def shut(self, strategy: str, at: datetime) -> Suspension | None:
        return self.by_night

    def opening_equity(self, day: date) -> Decimal | None:
        return self.equity

    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions:
        return self.sized_by

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal:
        self.asked.append(dict(last))
        return self.result

    def result_of_strategy(self, strategy: str, day: date, last: dict[Symbol, Price]) -> Decimal | None:
        return self.own_result


def holding(quantity: str, price: str) -> tuple[Quantity, Price | None]:
    return Quantity(Decimal(quantity)), Price(Decimal(price))


class Stand:
    """An orchestrator with the settings in force, and bars to show it."""

    def __init__(self, holdings: Holdings | None = None, settings: Settings | None = None) -> None:
        self.holdings = holdings or Holdings()
        self.settings = settings or Settings()
        self.orchestrator = Orchestrator(NewYorkHours(), self.holdings, in_force=lambda: self.settings)
        self.said: list[EntrySignal | ExitSignal | StrategyFailed] = []
        self.applies(self.settings)

    def applies(self, settings: Settings) -> None:
        self.orchestrator.folds[SettingsApplied](at("09:00"), SettingsApplied(settings))  # type: ignore[arg-type]
        self.orchestrator.catch_up()

    def shows(self, *bars: Bar, moment: datetime | None = None) -> None:
        """The bars are folded, and each is asked about; `said` is what the last one brought."""
        for bar in bars:
            if (counted := self.orchestrator.session_over(bar)) is not None:
                self.orchestrator.folds[ReasonsCounted](bar.end, counted)  # type: ignore[arg-type]
                self.orchestrator.catch_up()
            self.orchestrator.folds[BarClosed](moment or bar.end, BarClosed(bar))  # type: ignore[arg-type]
            self.said = list(self.orchestrator.ask(bar))

    def shows_minutes(self, count: int, price: str = "100", day: date = THURSDAY) -> None:
        start = at("09:30", day)
        for number in range(count):
            clock = f"{9 + (30 + number) // 60:02d}:{(30 + number) % 60:02d}"
            bar = a_bar(clock, price, day=day)
            assert bar.start == start + timedelta(minutes=number)
            self.shows(bar)

    def changes(self) -> None:
        """Some fact that a strategy may care about."""
        self.orchestrator.folds[Fact](at("09:00"), EngineStarted())  # type: ignore[arg-type]

    @property
    def context(self) -> Context:
        return self.orchestrator.runners[SPY][0].context

    def last(self) -> str:
        return self.orchestrator.memories["vwap/SPY"].last_answer


def a_dip() -> Bar:
    return a_bar("10:05", "100 100 99.60 99.60")


def test_a_dip_becomes_a_signal() -> None:
    """ST-02, ST-07"""
    stand = Stand()
    stand.shows_minutes(35)

    stand.shows(a_dip())

    assert [type(answer) for answer in stand.said] == [EntrySignal]
    assert stand.last() == "SIGNAL"


def test_every_reason_for_not_trading_is_counted() -> None:
    """ST-03"""
    stand = Stand()

    stand.shows_minutes(35)

    assert stand.orchestrator.no_trade() == {"OUTSIDE_WINDOW": 11, "PRICE_ABOVE_THRESHOLD": 5, "WARMING_UP": 19}
    assert stand.last() == "PRICE_ABOVE_THRESHOLD"


@table(
    "holdings reason",
    (Holdings(waiting=True), "PROPOSAL_WAITING"),
    (Holdings(unanswered=10), "SIGNAL"),
    (Holdings(unanswered=11), "BACK_PRESSURE"),
    (Holdings(entries=1), "MAX_TRADES_REACHED"),
    (Holdings(position=holding("0.5", "99.60"), held_back=Quantity(Decimal("0.5")), entries=1), "IN_POSITION"),
    (Holdings(result=Decimal(-10)), "DAY_DISABLED"),
    (Holdings(result=Decimal("-9.99")), "SIGNAL"),
    (Holdings(equity=None), "SIGNAL"),
)
def test_a_context_has_books_and_stage(holdings: Holdings, reason: str) -> None:
    """ST-03, ST-02"""
    stand = Stand(holdings)
    stand.shows_minutes(35)

    stand.shows(a_dip())

    assert stand.last() == reason


def test_a_slow_broker_blocks_no_exit() -> None:
    """EX-15: exits always pass."""
    stand = Stand(Holdings(unanswered=11, position=holding("0.5", "99.60"), entries=1))

    stand.shows_minutes(35)

    assert [type(answer) for answer in stand.said] == [ExitSignal]
    assert stand.last() == "SIGNAL"


def test_a_disabled_strategy_does_nothing() -> None:
    """OP-08, ST-03"""
    off = Settings(strategies=StrategiesSettings(vwap=VwapSettings(enabled=False)))
    stand = Stand(settings=off)

    stand.shows_minutes(35)
    stand.shows(a_dip())

    assert stand.orchestrator.no_trade() == {"DISABLED": 36}


def test_the_daily_loss_shuts_for_the_day() -> None:
    """ST-02, SP-05"""
    stand = Stand(Holdings(position=holding("0.5", "99.60")))
    stand.shows_minutes(35)
    stand.holdings.result = Decimal(-10)
    stand.shows(a_bar("10:05", "99.90"))
    asked = stand.holdings.asked[-1]
    stand.holdings.result = Decimal(0)
    stand.holdings.position = (NO_SHARES, None)
    stand.changes()
    stand.shows(a_bar("10:06", "99.60"))
    same_day = stand.last()

    stand.shows_minutes(40, day=FRIDAY)

    assert asked == {SPY: Decimal("99.90")}
    assert same_day == "DAY_DISABLED"
    assert stand.last() == "PRICE_ABOVE_THRESHOLD"


def test_a_strategy_is_shut_by_its_own_loss() -> None:
    """RK-07: for the day, also once it is made good, and only where the loss is known"""
    limits = {"daily_loss": {"usd": "2"}}
    stand = Stand(settings=Settings.model_validate({"strategies": {"vwap": {"limits": limits}}}))
    stand.shows_minutes(35)
    answers = []
    for minute, result in enumerate((None, "-1.99", "-2", "0")):
        stand.holdings.own_result = None if result is None else Decimal(result)
        stand.changes()
        stand.shows(a_bar(f"10:{5 + minute:02}", "99.60"))
        answers.append(stand.last())
    stand.holdings.own_result = Decimal(0)
    stand.shows_minutes(40, day=FRIDAY)

    assert answers == ["SIGNAL", "SIGNAL", "DAY_DISABLED", "DAY_DISABLED"]
    assert stand.orchestrator.state.lost_on == {"vwap": THURSDAY}
    assert stand.last() == "PRICE_ABOVE_THRESHOLD"


def test_an_exit_is_handed_over_like_an_entry() -> None:
    """ST-02"""
    stand = Stand(Holdings(position=holding("0.5", "99.60")))

    stand.shows(a_bar("09:30", "100"))

    (answer,) = stand.said
    assert isinstance(answer, ExitSignal)


def test_a_context_is_cached_between_facts() -> None:
    """MD-05: what a strategy is told follows from the facts, bars aside."""
    stand = Stand()
    stand.shows(a_bar("09:30", "100"))
    stand.holdings.waiting = True

    stand.shows(a_bar("09:31", "100"))
    before = stand.context.is_waiting
    stand.changes()
    stand.shows(a_bar("09:32", "100"))

    assert (before, stand.context.is_waiting) == (False, True)


def test_window_and_flat_time_follow_the_session() -> None:
    """RK-07, ST-02: 13:00 closes the day after Thanksgiving."""
    stand = Stand()
    half_day = date(2026, 11, 27)

    stand.shows(a_bar("09:30", "100", day=half_day))

    assert stand.context.windows == ((at("10:00", half_day), at("11:30", half_day)),)
    assert stand.context.flat_from == at("12:55", half_day)


@table("not_for flat", (["vwap"], "15:55"), ([], "15:30"))
def test_nothing_is_bought_that_the_exits_sell(not_for: list[str], flat: str) -> None:
    """ST-09: they sell half an hour before the close what they guard, so it is bought no later"""
    stand = Stand(settings=Settings.model_validate({"exits": {"flat_minutes": 30, "not_for": not_for}}))

    stand.shows(a_bar("09:30", "100"))

    assert stand.context.flat_from == at(flat)


def test_a_relative_limit_follows_the_opening_equity() -> None:
    """RK-02, RK-03"""
    part = AmountSettings(usd=None, of_equity=Decimal("0.01"))
    stand = Stand(Holdings(equity=Decimal(5000)), Settings(risk=RiskSettings(per_trade=part)))

    stand.shows(a_bar("09:30", "100"))
    known = stand.context.risk_per_trade
    stand.holdings.equity = None
    stand.changes()
    stand.shows(a_bar("09:31", "100"))

    assert (known, stand.context.risk_per_trade) == (Decimal(50), None)


@table("has_heard_of_it", True, False)
def test_a_late_bar_counts_for_its_own_day(has_heard_of_it: bool) -> None:
    """SP-03: a rebuild sized on the equity of the day of the session's first bar, the desk on today's"""

    class OfFriday(Holdings):
        def opening_equity(self, day: date) -> Decimal | None:
            return Decimal(50_000) if day == FRIDAY else None

    stand = Stand(OfFriday())
    if has_heard_of_it:
        stand.shows(a_bar("14:59", "100"))
    stand.shows(a_bar("15:00", "100"), moment=at("09:31", FRIDAY))

    (runner,) = stand.orchestrator.runners[SPY]
    assert runner.day == FRIDAY
    assert runner.context.risk_per_trade == stand.settings.risk.per_trade.of(Decimal(50_000))


def test_one_reason_all_session_is_flagged(snapshot: SnapshotAssertion) -> None:
    """ST-03"""
    stand = Stand(settings=Settings(strategies=StrategiesSettings(vwap=VwapSettings(minimum_bars=1000))))
    stand.shows_minutes(ENOUGH_FOR_AN_ANOMALY)
    during = stand.orchestrator.state.runners["vwap/SPY"].anomaly

    stand.shows(a_bar("09:30", "100", day=FRIDAY))

    assert during == ""
    assert stand.orchestrator.state.runners["vwap/SPY"].anomaly == (snapshot)


@table("bars", ENOUGH_FOR_AN_ANOMALY - 1, 60)
def test_an_ordinary_session_is_no_anomaly(bars: int) -> None:
    """ST-03"""
    minimum = 1000 if bars < ENOUGH_FOR_AN_ANOMALY else 20
    stand = Stand(settings=Settings(strategies=StrategiesSettings(vwap=VwapSettings(minimum_bars=minimum))))
    stand.shows_minutes(bars)

    stand.shows(a_bar("09:30", "100", day=FRIDAY))

    assert stand.orchestrator.state.runners["vwap/SPY"].anomaly == ""


def test_a_raising_strategy_is_skipped_and_shown(snapshot: SnapshotAssertion) -> None:
    """ST-07"""
    stand = Stand(settings=Settings(symbols=("SPY", "IBM")))
    runner = stand.orchestrator.runners[SPY][0]
    on_bar = runner.strategy.on_bar
    runner.strategy.on_bar = _raises  # type: ignore[method-assign]
    stand.shows(a_bar("09:30", "100"), a_bar("09:30", "50", symbol=IBM))
    said = stand.last()
    runner.strategy.on_bar = on_bar  # type: ignore[method-assign]
    stand.shows(a_bar("09:31", "100"))

    assert said == snapshot
    assert stand.orchestrator.no_trade() == {RAISED: 1, "WARMING_UP": 2}


def _raises(_bar: Bar, _context: Context) -> None:
    raise ZeroDivisionError("no volume")


def test_an_untraded_symbols_bar_is_only_marked() -> None:
    """MD-01"""
    stand = Stand()

    stand.shows(a_bar("09:30", "50", symbol=IBM))

    assert stand.orchestrator.state.marks == {IBM: Decimal(50)}
    assert stand.orchestrator.no_trade() == {}


def test_a_bar_outside_sessions_is_an_error() -> None:
    """EX-14, MD-03"""
    with pytest.raises(TypeError, match="outside of every session"):
        Stand().shows(a_bar("09:00", "100"))


def test_new_settings_keep_the_memory() -> None:
    """SP-03"""
    stand = Stand()
    stand.shows_minutes(5)

    stand.applies(Settings(symbols=("SPY", "IBM")))
    stand.shows(a_bar("09:35", "100"))

    assert stand.orchestrator.memories["vwap/SPY"].state.bars == 6
    assert set(stand.orchestrator.runners) == {SPY, IBM}


def test_saved_memories_are_taken_up() -> None:
    """SP-03"""
    stand, other = Stand(), Stand()
    stand.shows_minutes(5)

    other.orchestrator.remember(stand.orchestrator.memories)
    other.orchestrator.restore(stand.orchestrator.state)
    other.orchestrator.catch_up()
    other.shows(a_bar("09:35", "100"))

    assert other.orchestrator.memories["vwap/SPY"].state.bars == 6


def test_new_york_time_holds_over_daylight_saving() -> None:
    """RK-03"""
    opens = Settings().risk.window_start

    assert XNYS.at(date(2026, 7, 16), opens).hour == 14
    assert XNYS.at(date(2026, 11, 19), opens).hour == 15


def test_an_entry_despite_a_pause_is_dropped() -> None:
    """ST-03, OP-01"""
    stand = Stand()
    stand.shows_minutes(35)
    stand.orchestrator.folds[StrategyPaused](at("10:05"), StrategyPaused("vwap", SPY))
    stand.orchestrator.runners[SPY][0].strategy.on_bar = _signals  # type: ignore[method-assign]

    stand.shows(a_dip())

    assert stand.said == []
    assert stand.last() == "PAUSED"


def _signals(bar: Bar, _context: Context) -> EntrySignal:
    return EntrySignal(
        "vwap", SPY, bar.start, bar.close, Price(bar.close - 1), StopHolder.BROKER, Quantity(Decimal(1)), bar.close, ""
    )


def test_a_switched_off_session_is_no_anomaly() -> None:
    """ST-03: that it answered nothing else was somebody's word."""
    stand = Stand(settings=Settings(strategies=StrategiesSettings(vwap=VwapSettings(enabled=False))))
    stand.shows_minutes(ENOUGH_FOR_AN_ANOMALY)
    assert stand.orchestrator.memories["vwap/SPY"].reasons == {"DISABLED": ENOUGH_FOR_AN_ANOMALY}

    stand.shows(a_bar("09:30", "100", day=FRIDAY))

    assert stand.orchestrator.state.runners["vwap/SPY"].anomaly == ""
