"""A desk that starts late goes on as one that had been running: by its journal, and by the broker's history (ST-01)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.effects import FetchHistory, LookUpSymbols
from core.messages.inputs import BarArrived, HistoryFetched
from core.model.bar import Bar
from core.model.broker import NoAnswer
from core.model.values import Symbol
from core.runtime.scripted_operator import ConfirmAll
from core.settings.settings import Settings
from core.strategies.builtin import HOUSE
from core.trading_state.checkpoint import states
from core.workflows.staging.proposal_lifecycle import TOO_LATE
from tests.scenarios.house import RARELY, House, assert_can_be_rebuilt
from tests.scenarios.house import running as remembered
from tests.scenarios.weeks import OTHERS
from tests.unit.core.strategies.recorded import minute_bars
from tests.unit.core.strategies.test_warming import OF_TRADES, SHORT

SPY = Symbol("SPY")
PLANNED = [name for name in HOUSE if name != "vwap"]
RISK: dict[str, Any] = {
    "window_start": "09:30",
    "window_end": "15:59",
    "entries_a_day": 1000,
    "per_trade": {"usd": "20"},
    "max_notional": {"usd": "150"},
    "daily_loss": {"usd": "150"},
    "weekly_loss": {"usd": "190"},
    "frequency": {"enabled": False},
    "protections": {name: {"enabled": False} for name in OTHERS},
}


def trades_by(name: str, **terms: Any) -> Settings:
    """One strategy alone, with windows so short that a day has many signals."""
    strategies: dict[str, Any] = {"vwap": {"enabled": name == "vwap", "entry_deviation": "0.0005"}}
    if name != "vwap":
        strategies[name] = {"enabled": True, **SHORT[name], **terms}
    return Settings.model_validate({"symbols": ["SPY"], "risk": RISK, "strategies": strategies, **RARELY})


LONG: dict[str, dict[str, Any]] = {
    "momentum": {"volume_bars": 120},
    "breakout": {"counted_bars": 150},
    "mean_reversion": {"bars": 100},
    "sma": {"regime_bars": 100},
}
"""Windows that no morning fills: without the days before they would be others."""


@cache
def recorded() -> tuple[Bar, ...]:
    """The first one and a half hours of three days of 2013."""
    return tuple(bar for bar in minute_bars("SPY") if bar.start.day < 10 and bar.start.hour < 15)


THIRD = datetime(2013, 10, 9, 13, 30, tzinfo=UTC)
LATE = THIRD + timedelta(minutes=44, seconds=20)


@cache
def morning() -> tuple[Bar, ...]:
    """Of the third day, until the desk starts."""
    return tuple(bar for bar in recorded() if bar.start >= THIRD and bar.end <= LATE)


def attended(house: House) -> House:
    """Somebody confirms whatever is proposed."""
    house.line.operator = ConfirmAll(house.desk)
    return house


def told(house: House) -> tuple[list[Any], ...]:
    """Every proposal, order and trade; what was asked, and of whom, is the start's own."""
    return (
        [(f.proposal, None) for f in house.facts(facts.ProposalStaged)],
        [(f.strategy, f.reasons, f.signal_time) for f in house.facts(facts.ProposalSkipped)],
        [f.order for f in house.facts(facts.OrderCreated)],
        [f.trade for f in house.facts(facts.TradeClosed)],
    )


def a_run(name: str, stops: Sequence[datetime], bars: Sequence[Bar]) -> House:
    house = attended(House(bars, trades_by(name)).opens())
    for stop in stops:
        house = attended(house.until_moment(stop).restarted())
    return house.until_moment(bars[-1].end + timedelta(minutes=5))


@pytest.mark.parametrize("name", ["vwap", "mean_reversion", "sma"])
def test_four_restarts_change_nothing(name: str) -> None:
    """ST-01, SP-03, SP-05: the same signals, orders, trades and memories, to the last digit."""
    whole = minute_bars("SPY")
    bars = (*whole[:220], *whole[390:400])
    chance = random.Random(f"starts of {name}")
    stops = sorted(bar.end + timedelta(seconds=30) for bar in chance.sample(bars[:-1], 4))

    running, stopped = a_run(name, [], bars), a_run(name, stops, bars)

    assert told(stopped) == told(running)
    assert len(running.facts(facts.OrderCreated)) >= 3
    assert states(stopped.desk)["strategies"] == states(running.desk)["strategies"]
    assert remembered(stopped.desk) == remembered(running.desk)
    assert states(stopped.desk)["exits"] == states(running.desk)["exits"]
    assert not stopped.facts(facts.HistoryLoaded)


def a_desk_from(moment: datetime, settings: Settings, history: tuple[Bar, ...] | None = None) -> House:
    """It starts at that moment for the first time; the broker knows of every bar before."""
    house = House([bar for bar in recorded() if bar.end > moment], settings)
    bars = recorded() if history is None else history

    def past(asked: FetchHistory) -> tuple[Bar, ...]:
        return tuple(bar for bar in bars if asked.start <= bar.start < asked.end)

    house.line.history = past
    house.line.at = moment
    return attended(house.opens())


def a_late_desk(settings: Settings, *, comes_first: bool) -> House:
    """It starts in the third morning, and hears its bars before or after the history of the days before."""
    house = a_desk_from(LATE, settings)
    if not comes_first:
        house.until_moment(LATE + timedelta(seconds=1))
    for bar in morning():
        house.line.take(house.line.at, BarArrived(bar, "history"))
    return house


def measured(house: House, name: str) -> dict[str, object]:
    """What no trade has a part in."""
    state = house.desk.orchestrator.runners[SPY][-1].strategy.state
    return {f.name: getattr(state, f.name) for f in fields(state) if f.name not in OF_TRADES}


def signals(house: House, since: datetime) -> list[tuple[datetime, str, object]]:
    return [
        (p.signal_time, p.order.effect.value, p.intended_price)
        for p in (f.proposal for f in house.facts(facts.ProposalStaged))
        if p.signal_time >= since
    ]


@pytest.mark.parametrize("name", PLANNED)
def test_history_alone_gives_the_same_signals(name: str) -> None:
    """ST-01, ST-03: from the third morning on; nothing of the history was proposed."""
    running = a_run(name, [], recorded())

    late = a_desk_from(THIRD, trades_by(name)).until_moment(recorded()[-1].end + timedelta(minutes=5))

    (taken,) = late.facts(facts.HistoryLoaded)
    assert taken.bars[-1].end <= THIRD
    assert measured(late, name) == measured(running, name)
    assert signals(late, THIRD) == signals(running, THIRD)
    assert signals(late, recorded()[0].start)[0][0] >= THIRD


@pytest.mark.parametrize("name", ["breakout", "sma"])
def test_a_midday_start_folds_history_and_the_morning(name: str) -> None:
    """ST-01, MD-02: whatever comes first, the history of the days or the morning's bars."""
    long = trades_by(name, **LONG[name])
    running = attended(House(recorded(), long).opens()).until_moment(recorded()[-1].end + timedelta(minutes=5))

    for comes_first in (True, False):
        late = a_late_desk(long, comes_first=comes_first)
        late.until_moment(recorded()[-1].end + timedelta(minutes=5))

        assert len(late.facts(facts.HistoryLoaded)) == 1
        assert measured(late, name) == measured(running, name)
        assert all(since > LATE - timedelta(seconds=150) for since, _, _ in signals(late, recorded()[0].start))
        assert all(
            TOO_LATE in f.reasons for f in late.facts(facts.ProposalSkipped) if f.signal_time < morning()[-2].start
        )
        assert_can_be_rebuilt(late)


def test_halt_and_size_ranges_take_in_history() -> None:
    """RK-08, RK-10, ST-01: whatever comes first, they go on as those of a desk that ran from the first day on."""
    long = trades_by("momentum", **LONG["momentum"])
    running = House(recorded(), long).opens().until_moment(LATE).desk

    for comes_first in (True, False):
        late = a_late_desk(long, comes_first=comes_first).until_moment(LATE + timedelta(seconds=30))

        assert len(late.facts(facts.HistoryLoaded)) == 1
        halt, ranges = late.desk.protections.volatility_halt.state, late.desk.sizing.ranges.state
        assert halt.symbols == running.protections.volatility_halt.state.symbols
        assert len(halt.symbols[SPY].days) == 2
        assert ranges == running.sizing.ranges.state
        assert not late.facts(facts.ProtectionTripped)
        assert_can_be_rebuilt(late)


def test_missed_days_are_loaded_and_the_plan_kept() -> None:
    """ST-01, ST-09: windows with a hole in them are no windows; the trade's own stop and target no bar could tell."""
    settings = trades_by("sma", holds_overnight=True)
    bars = recorded()
    stop = next(bar.end for bar in bars if (bar.start.day, bar.start.hour) == (7, 14)) + timedelta(seconds=30)
    back = THIRD
    house = attended(House(bars, settings).opens()).until_moment(stop)
    plan = house.desk.orchestrator.runners[SPY][-1].strategy.state.plan

    house.line.at = back
    house._take_up(back)
    house.line.history = lambda asked: tuple(bar for bar in bars if asked.start <= bar.start < asked.end)
    house.opens()
    assert house.desk.orchestrator.wanting_history() == (SPY,)
    house.until_moment(back + timedelta(seconds=30))

    (taken,) = house.facts(facts.HistoryLoaded)
    running = HOUSE["sma"].make(settings.strategies.sma, None)
    everything = House(bars, settings).opens().until_moment(back)
    assert taken.bars[-1].end <= back
    assert house.desk.orchestrator.runners[SPY][-1].strategy.state.plan == plan
    assert measured(house, "sma") == measured(everything, "sma")
    assert type(running.state) is type(house.desk.orchestrator.runners[SPY][-1].strategy.state)


def test_without_history_it_warms_up_and_asks_again(snapshot: SnapshotAssertion) -> None:
    """ST-03, MD-02: fail closed; it is said once, and the windows fill by themselves."""
    house = a_desk_from(THIRD, trades_by("sma"), history=())
    asked: list[datetime] = []

    def refused(effect: FetchHistory) -> Any:
        asked.append(house.line.at)
        return NoAnswer("the connection broke")

    house.line.history = refused
    house.until_moment(THIRD + timedelta(minutes=5))

    assert len(asked) > 2
    (told_once,) = house.facts(facts.MarketDataQuarantined)
    assert told_once.reason == snapshot
    assert not house.facts(facts.ProposalStaged)
    house.until_moment(THIRD + timedelta(minutes=20))
    assert house.desk.orchestrator.wanting_history() == ()


def test_a_stale_history_answer_is_asked_again() -> None:
    """MD-02, ST-01: no minute falls between history and stream."""
    late = a_desk_from(LATE, trades_by("sma", **LONG["sma"]))
    whole, asked = late.line.history, []

    def behind(effect: FetchHistory | LookUpSymbols) -> tuple[Bar, ...]:
        if isinstance(effect, LookUpSymbols):
            return whole(effect)
        asked.append(effect)
        return whole(effect)[:-1] if len(asked) == 1 else whole(effect)

    late.line.history = behind
    for bar in morning():
        late.line.take(late.line.at, BarArrived(bar, "history"))
    late.until_moment(LATE + timedelta(seconds=39))

    assert len(asked) == 2
    (taken,) = late.facts(facts.HistoryLoaded)
    assert taken.bars[-1].start == late.facts(facts.BarClosed)[-1].bar.start


def test_an_unrequested_history_is_ignored() -> None:
    """MD-03"""
    house = House(recorded()[:40], trades_by("vwap")).opens().until_moment(recorded()[20].end)
    at = house.line.at
    house.line.take(at, HistoryFetched((SPY,), at - timedelta(days=1), at, recorded()[:10]))
    assert not house.facts(facts.HistoryLoaded)
