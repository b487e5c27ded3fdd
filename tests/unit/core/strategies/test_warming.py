"""A strategy that was stopped and started anywhere goes on as one that had been running (ST-01, SP-03)."""

from __future__ import annotations

import random
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from core.facts import BarClosed, ReasonsCounted, SettingsApplied
from core.model.bar import Bar
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import NO_SHARES, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.settings.strategies import StrategiesSettings
from core.strategies.builtin import HOUSE
from core.strategies.memory import Memories, OrchestratorState, StrategyMemory
from core.strategies.orchestrator import Orchestrator
from core.strategies.trade_plan import TradePlan
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import NewYorkHours
from tests.unit.core.strategies.recorded import OPEN, Trader, a_context, daily_bars, minute_bars, series
from tests.unit.core.test_orchestrator import Holdings

PLANNED = [name for name in HOUSE if name != "vwap"]
SHORT: dict[str, dict[str, Any]] = {
    "momentum": {"bars": 3, "strength_bars": 4, "volume_bars": 5, "minimum_gain": "0.001", "range_bars": 3},
    "breakout": {"bars": 4, "counted_bars": 9, "confirming_bars": 2, "volume_bars": 3, "volume_factor": 0},
    "mean_reversion": {"bars": 6, "deviations": 1, "range_bars": 3},
    "sma": {"pairs": [[2, 5], [3, 7]], "regime_bars": 9, "minimum_confidence": 0, "range_bars": 3},
}
"""Windows so short that a few bars fill them, and signals are many."""
ADAPTER = TypeAdapter(OrchestratorState)
MEMORIES = TypeAdapter(Memories)
OF_TRADES = {"plan", "entered_on"}
"""What a strategy remembers of its own signals, and no bar can tell it."""


def terms_of(name: str, **values: Any) -> Any:
    return type(StrategiesSettings().of(name)).model_validate({"enabled": True, **values})


def measured(state: Any) -> dict[str, object]:
    return {f.name: getattr(state, f.name) for f in fields(state) if f.name not in OF_TRADES}


def warmed(name: str, terms: Any, bars: list[Bar], until: int) -> tuple[Any, Any]:
    """One that ran from the first bar on, and one that saw no more bars than it asks for; nothing was opened."""
    running, late = HOUSE[name].make(terms, None), HOUSE[name].make(terms, None)
    for bar in bars[:until]:
        running.on_bar(bar, a_context(bar))
    for bar in bars[until - late.bars_needed : until]:  # type: ignore[attr-defined]
        late.on_bar(bar, a_context(bar))
    return running, late


@pytest.mark.parametrize("name", PLANNED)
@settings(max_examples=12)
@given(bars=series(least=30, most=90), data=st.data())
def test_bars_needed_restore_the_measures(name: str, bars: list[Bar], data: st.DataObject) -> None:
    """ST-01: to the last digit, wherever it is started."""
    terms = terms_of(name, **SHORT[name])
    needed = HOUSE[name].make(terms, None).bars_needed  # type: ignore[attr-defined]
    running, late = warmed(name, terms, bars, data.draw(st.integers(needed, len(bars))))

    assert measured(late.state) == measured(running.state)


@table("name", *PLANNED)
def test_recorded_bars_restore_the_measures(name: str) -> None:
    """ST-01: at ten bars of the four days."""
    bars, terms = minute_bars("AIG")[:800], terms_of(name)
    chance = random.Random(name)
    needed = HOUSE[name].make(terms, None).bars_needed  # type: ignore[attr-defined]
    places = sorted(chance.sample(range(needed, len(bars)), 10))
    running = HOUSE[name].make(terms, None)
    for number, bar in enumerate(bars[: places[-1]], 1):
        running.on_bar(bar, a_context(bar))
        if number in places:
            late = HOUSE[name].make(terms, None)
            for seen in bars[number - needed : number]:
                late.on_bar(seen, a_context(seen))
            assert measured(late.state) == measured(running.state)


@table("name", *list(HOUSE))
@table("source", "minutes", "days")
def test_restarts_change_no_answer(name: str, source: str) -> None:
    """ST-01, SP-03: every signal, every reason, and the state at the end."""
    bars = minute_bars()[:600] if source == "minutes" else daily_bars(count=350)
    terms, adapter = terms_of(name, **SHORT.get(name, {})), TypeAdapter(HOUSE[name].state)
    places = set(random.Random(f"{name} {source}").sample(range(len(bars)), 20))
    running, stopped = Trader(HOUSE[name].make(terms, None)), Trader(HOUSE[name].make(terms, None))

    for number, bar in enumerate(bars):
        if number in places:
            written = adapter.dump_json(stopped.strategy.state)
            stopped.strategy = HOUSE[name].make(terms, adapter.validate_json(written))
        assert running.shows([bar]) == stopped.shows([bar])

    assert stopped.strategy.state == running.strategy.state
    assert running.entries or name == "vwap"


ON = Settings.model_validate(
    {
        "symbols": ["SPY", "IBM"],
        "risk": {"window_start": "09:30", "window_end": "15:59"},
        "strategies": {name: {"enabled": True, **SHORT[name]} for name in PLANNED},
    }
)


class Book(Holdings):
    """Holdings that fill every signal at once."""

    def __init__(self) -> None:
        super().__init__(allowed=1000)
        self.positions: dict[tuple[Symbol, str], tuple[Quantity, Price]] = {}

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]:
        return self.positions.get((symbol, strategy), (NO_SHARES, None))

    def take(self, answer: EntrySignal | ExitSignal) -> None:
        if isinstance(answer, EntrySignal):
            self.positions[answer.symbol, answer.strategy] = (answer.quantity, answer.limit_price)
        else:
            self.positions.pop((answer.symbol, answer.strategy), None)


Kept = tuple[OrchestratorState, dict[str, StrategyMemory]]


def told(bars: list[Bar], stops: set[int]) -> tuple[list[object], Kept]:
    """Everything that the strategies said, the orchestrator being written and read again before some of the bars."""
    book, said = Book(), []
    orchestrator = Orchestrator(NewYorkHours(), book)
    orchestrator.folds[SettingsApplied](bars[0].start, SettingsApplied(ON))
    orchestrator.catch_up()
    for number, bar in enumerate(bars):
        if number in stops:
            state = ADAPTER.validate_json(ADAPTER.dump_json(orchestrator.state))
            memories = MEMORIES.validate_json(MEMORIES.dump_json(orchestrator.memories))
            orchestrator = Orchestrator(NewYorkHours(), book, in_force=lambda: ON)
            orchestrator.remember(memories)
            orchestrator.restore(state)
            orchestrator.catch_up()
        if (counted := orchestrator.session_over(bar)) is not None:
            orchestrator.folds[ReasonsCounted](bar.end, counted)
            orchestrator.catch_up()
        orchestrator.folds[BarClosed](bar.end, BarClosed(bar))
        for answer in orchestrator.ask(bar):
            said.append(answer)
            book.take(answer)
            orchestrator.contexts.is_dirty = True
    return said, (orchestrator.state, orchestrator.memories)


def test_all_of_them_go_on_after_twenty_starts() -> None:
    """ST-01, ST-07, SP-03: the signals, the counted reasons, each memory."""
    both = [*minute_bars("SPY")[:400], *minute_bars("IBM")[:400]]
    bars = sorted(both, key=lambda bar: (bar.start, bar.symbol))
    stops = set(random.Random(20).sample(range(len(bars)), 20))

    said, state = told(bars, set())
    again, restored = told(bars, stops)

    assert again == said
    assert restored == state
    assert {answer.strategy for answer in said} >= set(PLANNED)  # type: ignore[attr-defined]


def test_a_foreign_memory_is_refused() -> None:
    """SP-03: the desk then folds its journal."""
    with pytest.raises(ValidationError):
        MEMORIES.validate_python({"sma/SPY": {"state": {"pairs": "many"}}})


def test_a_disabled_strategy_still_checks_exits() -> None:
    """ST-03, ST-09"""
    orchestrator = Orchestrator(NewYorkHours(), Holdings())
    at = OPEN
    orchestrator.folds[SettingsApplied](at, SettingsApplied(Settings()))
    orchestrator.catch_up()
    assert [runner.strategy.name for runner in orchestrator.runners[Symbol("SPY")]] == ["vwap"]

    orchestrator.folds[SettingsApplied](at, SettingsApplied(ON))
    orchestrator.folds[SettingsApplied](at, SettingsApplied(Settings()))
    orchestrator.catch_up()

    assert [runner.strategy.name for runner in orchestrator.runners[Symbol("SPY")]] == list(HOUSE)


def test_windows_of_another_length_begin_anew() -> None:
    """SP-03, RK-13: a state that its settings no longer fit is not bent into them."""
    for name in PLANNED:
        short = HOUSE[name].make(terms_of(name, **SHORT[name]), None)
        assert HOUSE[name].make(terms_of(name, **SHORT[name]), short.state).state is short.state
        assert HOUSE[name].make(terms_of(name), short.state).state is not short.state


def test_untouched_settings_are_not_written() -> None:
    """SP-01: and those of a strategy that was turned on come back whole."""
    assert list(Settings().model_dump()["strategies"]) == ["vwap"]
    assert Settings.model_validate_json(ON.model_dump_json()) == ON


@table("name", *PLANNED)
def test_new_windows_keep_stop_and_target(name: str) -> None:
    """ST-09, SP-03: no bar could tell them, and a position that forgot its stop has none."""
    orchestrator = Orchestrator(NewYorkHours(), Holdings())
    orchestrator.folds[SettingsApplied](OPEN, SettingsApplied(ON))
    orchestrator.catch_up()
    runner = orchestrator.roster.runner(name, Symbol("SPY"))
    assert runner is not None
    plan = TradePlan(Price(Decimal(99)), Price(Decimal(103)), Decimal(100))
    runner.strategy.state.plan = plan

    longer = {n: {"enabled": True} for n in PLANNED}
    orchestrator.folds[SettingsApplied](
        OPEN, SettingsApplied(ON.model_copy(update={"strategies": StrategiesSettings.model_validate(longer)}))
    )
    orchestrator.catch_up()

    again = orchestrator.roster.runner(name, Symbol("SPY"))
    assert again is not None
    assert again.strategy.state is not runner.strategy.state
    assert again.strategy.state.plan == plan
    assert Symbol("SPY") in orchestrator.wanting_history()
