"""The process of a strategy: how it begins, answers one bar or many, is lost and is ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import OrderCreated, StrategyFailed
from core.market.calendar import load_calendar
from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.runtime.feed import bar_item
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.strategy_host.hosted import foresee
from core.runtime.strategy_host.process import LoadRefused, LostError, StrategyProcess
from core.strategies.base import OverdueError
from core.strategies.builtin import StrategyKinds
from core.strategies.questions import shown
from state.user_strategies import example_strategy
from tests.kit.warm_processes import cold
from tests.scenarios.house import House, minutes, running
from tests.scenarios.own import (
    Endless,
    Holding,
    Raising,
    Spoiling,
    Watching,
    kind_of,
    kinds_of,
    remembered,
    settings_with,
    text_of,
)
from tests.unit.core.brokers.trading_floor import THURSDAY, a_bar

WAIT = 120.0
"""Seconds after which an answer has failed to come; no test waits for them to pass."""
ENDLESS_WORDS = (
    text_of(Endless)
    .replace('name = "endless"', 'name = "dips"')
    .replace(
        "def then(self, bar", "def figures(self, day):\n        while True:\n            pass\n\n    def then(self, bar"
    )
)


def a_process(text: str) -> StrategyProcess:
    return StrategyProcess("dips", "dips.py", text, timeout=WAIT)


def test_a_refused_text_leaves_no_process(snapshot: SnapshotAssertion) -> None:
    """ST-01"""
    process = a_process("import os")

    assert process.ready(WAIT) == LoadRefused(snapshot)
    assert not process.is_running


def test_strings_hash_alike_in_each_process() -> None:
    """MD-05: so that a set of strings has one order"""
    processes = [a_process("raise RuntimeError(hash('SPY'))") for _ in range(2)]

    with cold():
        refusals = {process.ready(WAIT) for process in processes}

    assert len(refusals) == 1
    assert isinstance(refusals.pop(), LoadRefused)


def test_a_hung_process_is_replaced_an_ended_one_not() -> None:
    """ST-07"""
    process = a_process(ENDLESS_WORDS)
    with cold():
        assert process.ready(WAIT) is None
    process.ask("make", 0, {}, None)
    first = process.generation

    with pytest.raises(OverdueError):
        process.ask("figures", 0, "2026-01-05", seconds=0)

    assert not process.is_running
    assert process.ready(WAIT) is None
    assert process.generation == first + 1

    process.end()
    with pytest.raises(LostError, match="its process is not there"):
        process.ask("make", 0, {}, None)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("import_('os')._exit(3)", r"its process ended by itself \(3\)"),
        ("import_('os').close(1)", "its process closed its pipe|its process ended by itself"),
        ("import_('os').write(1, bytes([255]) * 8)", "its process wrote what is no answer"),
        ("import_('os').write(1, bytes([0, 0, 0, 1]))", "its process wrote what is no answer"),
    ],
)
def test_how_a_process_was_lost_is_said(act: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ST-07"""
    if "close" not in act:  # it ends by itself, however long the machine takes to say so
        monkeypatch.setattr("core.runtime.strategy_host.process.A_MOMENT", WAIT)
    text = example_strategy("dips").replace(
        '        return (("falls', f'        import_ = __import__\n        x = {act}\n        return (("falls'
    )
    process = a_process(text)
    assert process.ready(WAIT) is None
    process.ask("make", 0, {}, None)

    with pytest.raises(LostError, match=words):
        process.ask("figures", 0, "2026-01-05")

    assert not process.is_running


def test_an_unasked_answer_ends_the_process() -> None:
    """ST-01: what it says next would be taken for the answer to another question."""
    twice = "import_ = __import__\n        import_('os').write(1, bytes([0, 0, 0, 2]) + b'[]')\n        return (("
    process = a_process(example_strategy("dips").replace("        return ((", f"        {twice}"))
    process.ready(WAIT)
    process.ask("make", 0, {}, None)

    with pytest.raises(LostError, match="its process wrote what is no answer"):
        process.ask("figures", 0, "2026-01-05")


HOARDING = """

class Hoarding(Holding):
    name = "hoarding"
    State = Hoard

    def on_bar(self, bar, context):
        self.state.closes += [bar.close] * 40
        self.state.bars.append(clock_of(bar))
        return self.then(bar, context)
"""
HOARD = """

@dataclass(slots=True)
class Hoard:
    bars: list[str] = field(default_factory=list)
    closes: list[Decimal] = field(default_factory=list)
"""
CRASHING = """

class Crashing(Watching):
    name = "crashing"

    def then(self, bar, context):
        if clock_of(bar) == "10:20":
            __import__("os")._exit(3)
        return NO_SETUP
"""
SIZING = """

class Sizing(Watching):
    name = "sizing"

    def then(self, bar, context):
        for _ in range(3):
            context.conditions()
        stop = bar.close * Decimal("1.1" if clock_of(bar) < "10:15" else "0.99")  # the first buys nothing
        return self.buy(bar, context, stop=stop, reason="it is time")
"""
STRATEGIES = {
    "dips": example_strategy("dips"),
    "holding": text_of(Holding),
    "raising": text_of(Raising),
    "spoiling": text_of(Spoiling),
    "hoarding": text_of(Holding) + HOARD + HOARDING,
    "crashing": text_of(Watching) + CRASHING,
    "sizing": text_of(Watching) + SIZING,
}


def waves() -> list[Bar]:
    """A market that goes up and down, so that there is something to buy on many bars."""
    bars = []
    for n in range(75):
        price = Decimal(100) + Decimal("0.05") * (n % 9 if n % 2 else -(n % 7))
        bars.append(a_bar(f"{9 + (30 + n) // 60:02d}:{(30 + n) % 60:02d}", f"{price} {price + 1} {price - 1} {price}"))
    return bars


def played(name: str, batch: str, bars: list[Bar]) -> House:
    """Each in a process of its own, so that none knows what another was told."""
    kinds = StrategyKinds({**kinds_of().known, name: kind_of(name, f"{STRATEGIES[name]}\n# {batch}\n")}, {})
    if batch:
        foresee(kinds, [[bar_item(BarArrived(bar, "batch")) for bar in bars]])
    house = House(bars, settings_with(name, vwap=False), kinds=kinds).opens()
    house.line.operator = ConfirmAll(house.desk)
    house.until("10:25")
    House.built.clear()
    return house


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_batches_give_the_same_answers(name: str) -> None:
    """ST-01, MD-05, AN-04"""
    bars = waves()

    alone, ahead = played(name, "", bars), played(name, "in batches", bars)

    assert [r.fact for r in ahead.journal.records()] == [r.fact for r in alone.journal.records()]
    assert memory(ahead, name) == memory(alone, name)


def memory(house: House, name: str) -> Any:
    return remembered(running(house.desk)[f"{name}/SPY"].state)


def test_bars_that_did_not_come_are_not_remembered() -> None:
    """ST-01: a minute is left out that was foreseen, and others are another price."""
    bars = waves()
    others = [bar for n, bar in enumerate(bars) if n not in (20, 21, 50)]
    alone = played("hoarding", "", others)
    kinds = StrategyKinds(
        {**kinds_of().known, "hoarding": kind_of("hoarding", STRATEGIES["hoarding"] + "\n# wrongly\n")}, {}
    )
    foresee(kinds, [[bar_item(BarArrived(bar, "batch")) for bar in bars]])
    house = House(others, settings_with("hoarding", vwap=False), kinds=kinds).opens()
    house.line.operator = ConfirmAll(house.desk)
    house.until("10:25")
    early = memory(house, "hoarding")["bars"]  # in the middle of a batch
    house.until("10:25")
    House.built.clear()

    assert early[-1] == "10:24"
    assert memory(house, "hoarding") == memory(alone, "hoarding")
    assert house.facts(OrderCreated) == alone.facts(OrderCreated) != []
    assert house.facts(StrategyFailed) == []


def test_past_bars_are_shown_in_few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """ST-01"""
    from core.runtime.strategy_host.process import StrategyProcess
    from core.settings.strategies import UserStrategySettings

    made: Any = kind_of("watching", text_of(Watching)).make(UserStrategySettings(), None)
    asked: list[object] = []
    ask = StrategyProcess.ask

    def counted(self: StrategyProcess, *question: object, **terms: Any) -> list[Any]:
        asked.append(question[0])
        return ask(self, *question, **terms)

    monkeypatch.setattr(StrategyProcess, "ask", counted)

    seen = shown(made, minutes("09:30", "15:59"), load_calendar(THURSDAY, THURSDAY))

    assert seen == 390
    assert asked.count("show") <= 4
    assert len(made.state.plain()["bars"]) == 390
