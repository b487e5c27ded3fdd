"""Momentum, breakout and mean reversion: their entries, their ends, and what they make of an adopted recommendation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.model.bar import Bar
from core.model.recommendation import Recommendation
from core.model.signal import EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import Price, Quantity, Symbol
from core.settings.strategies import BreakoutSettings, MeanReversionSettings, MomentumSettings, StrategiesSettings
from core.strategies.breakout import BreakoutStrategy
from core.strategies.builtin import HOUSE
from core.strategies.mean_reversion import MeanReversionStrategy
from core.strategies.momentum import MomentumStrategy
from core.strategies.trade_plan import TradePlanStrategy
from tests.kit.rows import cases, table
from tests.unit.core.strategies.recorded import OPEN, SPY, Trader, daily_bars, minute_bars

REASON = NoTradeReason


def bar_at(minute: int, close: str, volume: int = 1000, high: str | None = None, low: str | None = None) -> Bar:
    middle = Decimal(close)
    top, bottom = Decimal(high or middle + Decimal("0.05")), Decimal(low or middle - Decimal("0.05"))
    start = OPEN + timedelta(minutes=minute)
    return Bar(SPY, start, Price(middle), Price(top), Price(bottom), Price(middle), Quantity(Decimal(volume)))


def walk(*closes: str, after: int = 0, volume: int = 1000) -> list[Bar]:
    return [bar_at(after + number, close, volume) for number, close in enumerate(closes)]


def flat(count: int = 30) -> list[Bar]:
    """A market that swings by four cents around 100 USD, so that there is a range and a deviation."""
    return walk(*("100.02" if number % 2 else "99.98" for number in range(count)))


def momentum(**terms: Any) -> MomentumStrategy:
    return MomentumStrategy(MomentumSettings.model_validate({"enabled": True, "strength_limit": 100, **terms}))


def breakout(**terms: Any) -> BreakoutStrategy:
    return BreakoutStrategy(BreakoutSettings.model_validate({"enabled": True, **terms}))


def reversion(**terms: Any) -> MeanReversionStrategy:
    return MeanReversionStrategy(MeanReversionSettings.model_validate({"enabled": True, **terms}))


def entry_of(trader: Trader) -> EntrySignal:
    assert len(trader.entries) == 1
    return trader.entries[0]


def shown(strategy: TradePlanStrategy, *bars: Bar, **told: object) -> Trader:
    trader = Trader(strategy)
    trader.shows(flat())
    trader.shows(bars, **told)
    return trader


def ended_by(trader: Trader) -> ExitReason:
    assert len(trader.exits) == 1
    return trader.exits[0].exit_reason


# ── momentum ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_momentum_buys_a_rise_on_volume(snapshot: SnapshotAssertion) -> None:
    """ST-04"""
    entry = entry_of(shown(momentum(), bar_at(30, "100.50", volume=3000)))

    way = entry.limit_price - entry.stop_price
    assert entry.limit_price == Decimal("100.50")
    assert Decimal("0.2") < way < Decimal("0.5")
    assert entry.target_price is not None
    assert abs((entry.target_price - entry.limit_price) / way - Decimal("1.5")) < Decimal("0.05")
    assert entry.reason == snapshot


@table(
    "strategy bar reason",
    (momentum(), bar_at(30, "100.20", volume=3000), REASON.NO_SETUP),
    (momentum(), bar_at(30, "100.50", volume=1000), REASON.THIN_VOLUME),
    (momentum(strength_limit=60), bar_at(30, "100.50", volume=3000), REASON.WEAK_SETUP),
    (momentum(strength_bars=40), bar_at(30, "100.50", volume=3000), REASON.WARMING_UP),
    (momentum(requires_recommendation=True), bar_at(30, "100.50", volume=3000), REASON.NO_RECOMMENDATION),
    (momentum(enabled=False), bar_at(30, "100.50", volume=3000), REASON.DISABLED),
    (momentum(quantity_step=1000), bar_at(30, "100.50", volume=3000), REASON.ZERO_SIZE),
)
def test_momentum_says_why_it_does_not(strategy: MomentumStrategy, bar: Bar, reason: NoTradeReason) -> None:
    """ST-03, ST-04"""
    trader = Trader(strategy)
    trader.shows(flat())

    assert trader.shows([bar]) == NoTrade(reason)


@table(
    "told reason",
    ({"is_paused": True, "is_enabled": False}, REASON.PAUSED),
    ({"is_day_disabled": True}, REASON.DAY_DISABLED),
    ({"windows": ()}, REASON.OUTSIDE_WINDOW),
    ({"windows": ((OPEN + timedelta(hours=2), OPEN + timedelta(hours=3)),)}, REASON.OUTSIDE_WINDOW),
    ({"flat_from": OPEN + timedelta(minutes=30)}, REASON.OUTSIDE_WINDOW),
    ({"entries_filled": 1, "entries_allowed": 1}, REASON.MAX_TRADES_REACHED),
    ({"is_waiting": True}, REASON.PROPOSAL_WAITING),
    ({"is_broker_behind": True}, REASON.BACK_PRESSURE),
    ({"risk_per_trade": None}, REASON.ZERO_SIZE),
)
def test_general_reasons_keep_it_out(told: dict[str, object], reason: NoTradeReason) -> None:
    """ST-03"""
    trader = Trader(momentum())
    trader.shows(flat())

    assert trader.shows([bar_at(30, "100.50", volume=3000)], **told) == NoTrade(reason)


@table(
    "closes exit_reason",
    (("99.90",), ExitReason.STOP_LOSS),
    (("101.60",), ExitReason.TAKE_PROFIT),
    (tuple("100.50" for _ in range(10)), ExitReason.SIGNAL),
)
def test_its_trade_ends_by_one_of_three_exits(closes: tuple[str, ...], exit_reason: ExitReason) -> None:
    """ST-04, ST-09"""
    trader = shown(momentum(), bar_at(30, "100.50", volume=3000), *walk(*closes, after=31))

    assert ended_by(trader) is exit_reason
    assert trader.exits[0].quantity == trader.entries[0].quantity


def test_the_stop_rule_sells_uncovered_shares() -> None:
    """ST-09"""
    trader = shown(momentum(), bar_at(30, "100.50", volume=3000))

    answer = trader.shows([bar_at(31, "99.90")], covered=Quantity(trader.held - Decimal("0.5")))

    assert isinstance(answer, ExitSignal)
    assert (answer.exit_reason, answer.quantity) == (ExitReason.STOP_LOSS, Decimal("0.5"))


def test_before_the_close_it_is_flat() -> None:
    """ST-09"""
    trader = shown(momentum(), bar_at(30, "100.50", volume=3000))

    trader.shows([bar_at(31, "100.60")], flat_from=OPEN)

    assert ended_by(trader) is ExitReason.FORCE_FLAT


# ── breakout ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_breakout_buys_the_first_new_high() -> None:
    """ST-04: and the next one, still over it, is no new breakout."""
    trader = shown(breakout(), bar_at(30, "100.30", volume=3000))
    entry = entry_of(trader)
    second = shown(breakout(), bar_at(30, "100.30", volume=1000), bar_at(31, "100.60", volume=9000))

    assert entry.reference == Decimal("100.07")
    assert second.entries == []
    assert second.reasons[REASON.THIN_VOLUME] == 1


def test_a_close_within_the_buffer_is_none() -> None:
    """ST-04"""
    assert shown(breakout(), bar_at(30, "100.10", volume=3000)).entries == []


def test_back_under_its_level_a_breakout_is_sold() -> None:
    """ST-04"""
    trader = shown(breakout(stop_ranges=9), bar_at(30, "100.30", volume=3000), bar_at(31, "100.05"))

    assert ended_by(trader) is ExitReason.SIGNAL
    assert trader.exits[0].reference == Decimal("100.07")


def a_false_one(minute: int) -> list[Bar]:
    """Over every high of the last twenty bars, on no volume, and back."""
    return [*walk("100.40", "99.95", after=minute), *flat_after(minute + 2, 22)]


def flat_after(minute: int, count: int) -> list[Bar]:
    return walk(*("100.02" if number % 2 else "99.98" for number in range(count)), after=minute)


def test_false_breakouts_shut_the_symbol() -> None:
    """ST-04"""
    strategy = breakout(maximum_false=2)
    trader = Trader(strategy)
    trader.shows(flat())
    trader.shows(a_false_one(30))
    assert len(strategy.state.false_ages) == 1

    trader.shows(a_false_one(54))
    answer = trader.shows([bar_at(78, "100.60", volume=9000)])

    assert answer == NoTrade(REASON.FALSE_BREAKOUTS)
    assert len(strategy.state.false_ages) == 2


def test_false_breakouts_are_forgotten_in_time() -> None:
    """ST-04"""
    strategy = breakout(maximum_false=2, counted_bars=30)
    trader = Trader(strategy)
    trader.shows([*flat(), *a_false_one(30), *a_false_one(54)])
    assert len(strategy.state.false_ages) == 1

    trader.shows([bar_at(78, "100.60", volume=9000)])

    assert len(trader.entries) == 1


def test_a_lasting_breakout_is_not_false() -> None:
    """ST-04"""
    strategy = breakout(confirming_bars=3)
    trader = Trader(strategy)
    trader.shows([*flat(), *walk("100.40", "100.41", "100.42", "100.43", "99.00", after=30)])

    assert strategy.state.false_ages == []
    assert strategy.state.attempts == []


# ── mean reversion ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_mean_reversion_buys_low_and_sells_back() -> None:
    """ST-04"""
    trader = shown(reversion(), bar_at(30, "99.80"), bar_at(31, "100.00"))

    assert entry_of(trader).limit_price == Decimal("99.80")
    assert entry_of(trader).target_price is None
    assert ended_by(trader) is ExitReason.MEAN_REVERSION


def test_a_stale_trade_is_sold_after_its_hours() -> None:
    """ST-04: to the minute, by the bars' own time."""
    strategy = reversion(max_hold_hours="0.1", stop_ranges=9, deviations=2)
    trader = shown(strategy, bar_at(30, "99.80"), *[bar_at(31 + n, f"{99.79 - n / 100:.2f}") for n in range(9)])

    assert ended_by(trader) is ExitReason.TIME_EXIT
    assert trader.exits[0].bar_start == OPEN + timedelta(minutes=36)


def test_a_still_market_has_no_deviation() -> None:
    """ST-04"""
    trader = Trader(reversion())

    trader.shows(walk(*("100" for _ in range(40))))

    assert trader.entries == []
    assert set(trader.reasons) == {REASON.WARMING_UP, REASON.NO_SETUP}


# ── recommendations ──────────────────────────────────────────────────────────────────────────────────────────────────


def advice(strategy: str, entry: str = "100.01", stop: str = "99.11", target: str = "102.37") -> Recommendation:
    return Recommendation(
        strategy=strategy, symbol=SPY, entry=Price(Decimal(entry)), stop=Price(Decimal(stop)),
        target=Price(Decimal(target)), quantity=Quantity(Decimal("1.234567")),
        expires_at=OPEN + timedelta(minutes=60), source="the example adviser",
    )  # fmt: skip


MAKERS = {"momentum": momentum, "breakout": breakout, "mean_reversion": reversion}
each_one = pytest.mark.parametrize("name", MAKERS)


def advised(name: str, recommendation: Recommendation, close: str = "99.99", **terms: Any) -> Trader:
    trader = Trader(MAKERS[name](**terms))
    trader.shows([*flat(), bar_at(30, "99.98" if name == "mean_reversion" else "100.04")])
    trader.entries.clear()
    trader.shows([bar_at(31, close if name == "mean_reversion" else "100.06")], recommendation=recommendation)
    return trader


@each_one
@pytest.mark.parametrize("requires", [True, False])
def test_a_recommendation_is_taken_unchanged(name: str, requires: bool, snapshot: SnapshotAssertion) -> None:
    """ST-04: entry, stop, target and quantity, to the last digit."""
    trader = advised(name, advice(name), requires_recommendation=requires)

    entry = entry_of(trader)
    assert (entry.limit_price, entry.stop_price, entry.target_price, entry.quantity) == (
        Decimal("100.01"),
        Decimal("99.11"),
        Decimal("102.37"),
        Decimal("1.234567"),
    )
    assert entry.reason == snapshot


@each_one
def test_its_stop_and_target_end_the_trade(name: str) -> None:
    """ST-04, ST-09"""
    stopped, gained = advised(name, advice(name)), advised(name, advice(name))

    stopped.shows([bar_at(32, "99.10")])
    gained.shows([bar_at(32, "102.40")])

    assert ended_by(stopped) is ExitReason.STOP_LOSS
    assert ended_by(gained) is ExitReason.TAKE_PROFIT


@each_one
@cases(
    "change reason",
    ({"stop": Price(Decimal("100.50"))}, REASON.RECOMMENDATION_INVALID),
    ({"target": Price(Decimal("99.90"))}, REASON.RECOMMENDATION_INVALID),
    ({"quantity": Quantity(Decimal(0))}, REASON.RECOMMENDATION_INVALID),
    ({"target": Price(Decimal("Infinity"))}, REASON.RECOMMENDATION_INVALID),
    ({"symbol": Symbol("IBM")}, REASON.RECOMMENDATION_INVALID),
    ({"strategy": "sma"}, REASON.RECOMMENDATION_INVALID),
    ({"expires_at": OPEN + timedelta(minutes=31, seconds=59)}, REASON.RECOMMENDATION_EXPIRED),
    ({"entry": Price(Decimal("101.50"))}, REASON.RECOMMENDATION_AWAY),
)
def test_one_that_does_not_hold_opens_nothing(name: str, change: dict[str, Any], reason: NoTradeReason) -> None:
    """ST-04: nothing of its own takes its place."""
    trader = advised(name, replace(advice(name), **change))

    assert trader.entries == []
    assert trader.reasons[reason] == 1


@table(
    "strategy bars",
    (momentum(), walk("99.90", after=30)),
    (reversion(), walk("100.10", after=30)),
    (breakout(maximum_false=1), walk("100.40", "99.95", after=30)),
)
def test_a_contradicted_recommendation_opens_nothing(strategy: TradePlanStrategy, bars: list[Bar]) -> None:
    """ST-04"""
    trader = Trader(strategy)
    trader.shows([*flat(), *bars[:-1]])

    answer = trader.shows(bars[-1:], recommendation=advice(strategy.name))

    assert answer == NoTrade(REASON.RECOMMENDATION_CONTRADICTED)


# ── recorded bars ────────────────────────────────────────────────────────────────────────────────────────────────────


@table("name", *[name for name in HOUSE if name != "vwap"])
def test_recorded_minutes_are_traded(name: str) -> None:
    """ST-03, ST-04, ST-05: every bar has one answer."""
    kind, terms = HOUSE[name], {"enabled": True, "minimum_gain": "0.002", "minimum_confidence": "0.3"}
    strategy = kind.make(_terms_of(name, terms), None)
    trader, bars = Trader(strategy), minute_bars("SPY")

    trader.shows(bars)

    assert trader.entries
    assert len(trader.entries) - len(trader.exits) in (0, 1)
    assert trader.reasons.total() + len(trader.entries) + len(trader.exits) == len(bars)
    assert len(trader.reasons) >= 2


def test_ten_recorded_years_are_traded() -> None:
    """ST-04, ST-05"""
    bars = daily_bars("SPY", 2500)
    for name in HOUSE:
        if name != "vwap":
            trader = Trader(
                HOUSE[name].make(
                    _terms_of(name, {"enabled": True, "max_hold_hours": 240, "counted_bars": 40, "volume_factor": 1}),
                    None,
                )
            )
            trader.shows(bars)
            assert len(trader.entries) >= 5, name


def _terms_of(name: str, values: dict[str, object]) -> Any:
    kind = type(StrategiesSettings().of(name))
    return kind.model_validate({key: value for key, value in values.items() if key in kind.model_fields})


@cases("name", *HOUSE)
def test_entries_and_exits_share_one_analysis(name: str) -> None:
    """MD-04: each indicator takes a bar once and keeps its result, for entries as for exits"""
    kind, bars = HOUSE[name], minute_bars()[:390]
    terms = StrategiesSettings().of(name).model_copy(update={"enabled": False})
    without, holder = Trader(kind.make(terms, None)), Trader(kind.make(terms, None))

    for bar in bars:
        without.shows([bar])
        holder.held, holder.price = Quantity(Decimal(10)), bar.close  # what it sold comes back
        holder.shows([bar])
        figures = without.strategy.figures(bar.start.date())
        assert figures == holder.strategy.figures(bar.start.date())

    assert figures
    assert holder.exits or name == BreakoutStrategy.name  # that one leaves by the level of its own entry
    assert not without.exits
