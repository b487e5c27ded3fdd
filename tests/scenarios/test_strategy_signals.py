"""What a strategy says is a fact, and no text of one has a part in what was: folding a journal runs none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.event_text import in_words
from core.messages.inputs import BarArrived
from core.model.bar import Bar
from core.model.signal import EntrySignal, ExitSignal
from core.ports import Recorded
from core.runtime.scripted_operator import ConfirmAll
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.strategies.kit import NO_SETUP, Answer, Context, OwnStrategy
from core.strategies.questions import missed_in
from core.trading_state.checkpoint import checkpoint_of, documents_of, rebuild, states
from core.trading_state.state import TradingState
from core.views.order_chain import chain_of
from state.journal import MemoryJournal
from tests.scenarios.house import (
    DIP,
    STEADY,
    Disk,
    Drawer,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    assert_can_be_rebuilt,
    minutes,
    running,
)
from tests.scenarios.own import (
    CLOCK,
    Endless,
    Flooding,
    Holding,
    Sleeping,
    Watching,
    clock_of,
    endless_from,
    kinds_of,
    overheard,
    remembered,
    settings_with,
)
from tests.unit.core.brokers.trading_floor import THURSDAY, a_bar, at

pytestmark = pytest.mark.usefixtures("a_whole_morning")

FRIDAY = THURSDAY + timedelta(days=1)


def kinds_in_order(house: House) -> list[type[facts.Fact]]:
    return [type(record.fact) for record in house.journal.records()]


def test_a_signal_is_recorded_before_its_proposal() -> None:
    """ST-01"""
    house = a_house_with_a_proposal()

    order = kinds_in_order(house)
    raised = order.index(facts.SignalRaised)
    (signal,) = (fact.signal for fact in house.facts(facts.SignalRaised))
    assert order[raised - 1] is facts.BarClosed
    assert order.index(facts.ProposalStaged) > raised
    assert isinstance(signal, EntrySignal)
    assert (signal.strategy, signal.bar_start, signal.quantity) == ("vwap", at("10:05"), house.proposal.order.quantity)


def test_the_chain_of_an_order_has_its_signal(snapshot: SnapshotAssertion) -> None:
    """EX-18, ST-01: of its own bar, and of no other."""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:12", "99.60 100.20 99.60 100.20"))
    house.until("10:11")

    chain = [record.fact for record in chain_of(house.entry.id, house.journal.records())]
    said = [fact.signal.bar_start for fact in chain if isinstance(fact, facts.SignalRaised)]
    assert [type(fact) for fact in chain[:3]] == [facts.BarClosed, facts.SignalRaised, facts.ProposalStaged]
    assert said == [at("10:05")]
    assert in_words(chain[1]) == snapshot


def test_a_lasting_exit_signal_is_staged_once() -> None:
    """ST-01, OP-06"""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:12", "99.60 100.20 99.60 100.20"))
    house.until("10:11")

    said = [fact.signal.bar_start for fact in house.facts(facts.SignalRaised) if isinstance(fact.signal, ExitSignal)]
    assert said == [at("10:08"), at("10:09"), at("10:10")]
    assert len([p for p in house.facts(facts.ProposalStaged) if p.proposal.exit_reason is not None]) == 1


def test_reasons_for_no_trade_are_one_record_a_session(snapshot: SnapshotAssertion) -> None:
    """ST-03: no line a bar."""
    bars = [*minutes("09:30", "15:59"), *minutes("09:30", "09:45", day=FRIDAY)]
    house = House(bars, settings_with("watching"), kinds=kinds_of(Watching)).opens().until("09:40", FRIDAY)

    order = kinds_in_order(house)
    (counted,) = house.facts(facts.ReasonsCounted)
    assert sum(counted.reasons["vwap/SPY"].values()) == 390
    assert counted.reasons["watching/SPY"] == {"NO_SETUP": 390}
    assert order[order.index(facts.ReasonsCounted) + 1] is facts.BarClosed
    assert house.desk.orchestrator.no_trade()["NO_SETUP"] == 400
    assert house.desk.orchestrator.state.runners["watching/SPY"].anomaly == snapshot
    again = house.restarted()
    assert again.desk.orchestrator.no_trade()["NO_SETUP"] == 400


SHOWN: list[str] = []
"""The bars that strategies of `overheard_kinds` were shown."""


def overheard_kinds(*classes: type[OwnStrategy]) -> StrategyKinds:
    kinds = kinds_of(*classes)
    own = {made.name: overheard(kinds.known[made.name], lambda bar: SHOWN.append(clock_of(bar))) for made in classes}
    return StrategyKinds({**kinds.known, **own}, kinds.faults)


class Watched(MemoryJournal):
    """A journal that says, with each record that is read, whether a strategy has run since the reading began."""

    def records(self, after: int = 0) -> Iterator[Recorded]:
        SHOWN.clear()
        for record in super().records(after):
            assert SHOWN == [], f"a strategy ran before record {record.sequence} was folded"
            yield record


def a_house_of(*classes: type[OwnStrategy], until: str = "10:12") -> House:
    """Those strategies on, and every key turned."""
    names = [made.name for made in classes]
    house = House(minutes("09:30", "15:59"), settings_with(*names), kinds=overheard_kinds(*classes)).opens()
    house.line.operator = ConfirmAll(house.desk)
    return house.until(until)


def taken_up(
    house: House, kinds: StrategyKinds, journal: MemoryJournal | None = None, drawer: Drawer | None = None
) -> TradingState:
    desk = TradingState("house", house.desk.mode, house.calendar, journal or house.journal, kinds)
    assert rebuild(desk, drawer) == ()
    return desk


def test_no_strategy_runs_while_a_journal_is_folded() -> None:
    """ST-01, SP-03"""
    house = a_house_of(Holding)
    watched = Watched()
    watched.lines = house.journal.lines

    desk = taken_up(house, house.kinds, watched)

    assert SHOWN[0] == "09:30"
    assert SHOWN[-1] == "10:11"
    assert states(desk) == states(house.desk)
    assert running(desk) == running(house.desk)
    assert house.facts(facts.OrderCreated)


def test_any_checkpoint_restores_the_same_memory() -> None:
    """ST-01, SP-03: one that buys and sells, one that is sent to another symbol meanwhile."""
    house = House(minutes("09:30", "10:30"), settings_with("holding", "watching"), kinds=kinds_of(Holding, Watching))
    house.opens()
    house.line.operator = ConfirmAll(house.desk)
    drawers = []
    for minute in range(9 * 60 + 33, 10 * 60 + 20, 3):
        house.until(f"{minute // 60:02d}:{minute % 60:02d}")
        drawers.append(Drawer(checkpoint_of(house.desk)))
        if minute == 9 * 60 + 51:
            elsewhere = {"watching": {"symbols": ["IBM"]}}
            changed = settings_with("holding", "watching", strategies=elsewhere, symbols=["SPY", "IBM"])
            house.engine.apply(house.line.at, changed, "house")

    for drawer in (None, *drawers):
        desk = taken_up(house, house.kinds, drawer=drawer)
        assert states(desk) == states(house.desk)
        assert documents_of(desk)["memories"] == documents_of(house.desk)["memories"]


class Edited(Flooding):
    """Another text under the same name: it would buy on every bar."""

    name = "holding"


class Unmakeable(Watching):
    """It raises before it has begun."""

    name = "holding"

    def __init__(self, settings: Any, state: Any) -> None:
        raise RuntimeError("no such indicator")


class Raises(Watching):
    """It raises at every bar."""

    name = "holding"

    def then(self, bar: Bar, context: Context) -> Answer:
        raise KeyError(clock_of(bar))


OTHERS: dict[str, Callable[[], StrategyKinds]] = {
    "edited": lambda: kinds_of(Edited),
    "deleted": lambda: OF_THE_HOUSE,
    "no longer loads": lambda: kinds_of(noting="noting.py: it does not parse"),
    "cannot be made": lambda: kinds_of(Unmakeable),
    "raises": lambda: kinds_of(Raises),
}


def test_a_changed_strategy_file_changes_no_past() -> None:
    """ST-01, SP-03, SP-07: positions, orders, trades, locks and counts, by the journal alone and by a checkpoint."""
    house = a_house_of(Holding, until="10:03")
    drawer = Drawer(checkpoint_of(house.desk))
    held = house.until("10:04").held()
    signals = len(house.facts(facts.SignalRaised))

    for name, kinds in OTHERS.items():
        for kept in (None, drawer):
            assert states(taken_up(house, kinds(), drawer=kept)) == states(house.desk), name

        house.kinds = kinds()
        assert house.restarted().held() == held != "0", name
        assert len(house.facts(facts.SignalRaised)) == signals, name


def test_a_journal_without_signals_folds_the_same() -> None:
    """SP-07: what was proposed, ordered and traded were facts then too."""
    house = a_house_of(Holding)
    before = Disk()
    for record in house.journal.records():
        if not isinstance(record.fact, facts.SignalRaised | facts.ReasonsCounted):
            before.append(record.at, record.fact)

    desk = taken_up(house, house.kinds, before)

    assert states(desk) == states(house.desk)
    assert running(desk) == running(house.desk)


@pytest.mark.parametrize("last", [facts.BarClosed, facts.SignalRaised])
def test_a_crash_behind_a_bar_doubles_nothing(last: type[facts.Fact]) -> None:
    """ST-01, SP-03: the bar told again is known, and a word on a bar of the past is not heard."""
    house = a_house_with_a_proposal()
    records = list(house.journal.records())
    raised = next(r.sequence for r in records if isinstance(r.fact, facts.SignalRaised))
    house.loses_the_journal_after(raised if last is facts.SignalRaised else raised - 1)

    house.restarted()
    house.line.take(house.line.at, BarArrived(a_bar("10:05", DIP), "again"))
    house.until("10:08")

    said = [fact.signal.bar_start for fact in house.facts(facts.SignalRaised)]
    assert said == [at("10:05"), at("10:06")][last is facts.BarClosed :]
    assert [p.proposal.signal_time for p in house.facts(facts.ProposalStaged)] == [at("10:06")]
    assert running(house.desk)["vwap/SPY"].state.bars == 38
    assert_can_be_rebuilt(house)


def test_every_prefix_of_a_day_folds() -> None:
    """SP-03, ST-07"""
    house = a_house_of(Holding, until="10:08")
    records = list(house.journal.records())
    begins = next(
        r.sequence for r in records if isinstance(r.fact, facts.BarClosed) and r.fact.bar.start == at("09:59")
    )

    for record in records[begins:]:
        prefix = Disk()
        for kept in records[: record.sequence]:
            prefix.append(kept.at, kept.fact)
        again = taken_up(house, house.kinds, prefix)
        assert len(again.stage.proposals()) <= 1
        assert remembered(again.orchestrator.memories["holding/SPY"].state)["bars"][-1] == clock_of(again_last(prefix))


def again_last(journal: Disk) -> Bar:
    return [r.fact.bar for r in journal.records() if isinstance(r.fact, facts.BarClosed)][-1]


def test_a_replay_repeats_who_was_too_slow() -> None:
    """MD-05, ST-07: nobody measures the second time, and who had no answer is not asked."""
    classes = (Sleeping, Endless, Watching)
    CLOCK.seconds = 0.0
    settings = settings_with(*(c.name for c in classes), strategies={"faults": 2})
    first = House(a_day(), settings, kinds=kinds_of(*classes))
    first.desk.orchestrator.measure(CLOCK)
    first.opens().until("10:06")

    class Answering(Watching):
        name = "endless"

    again = House(a_day(), first.settings, kinds=kinds_of(Sleeping, Answering, Watching))
    again.desk.orchestrator.knows_who_missed(missed_in(first.journal.records()))
    again.opens().until("10:06")

    assert [f.is_broken_off for f in first.facts(facts.StrategyFailed)] == [True, False] * 2
    assert again.journal.fingerprint() == first.journal.fingerprint()
    assert running(again.desk) == running(first.desk)


def test_a_start_does_not_wait_for_a_missed_bar() -> None:
    """ST-07: it is no bar that it saw."""
    house = House(minutes("09:30", "10:05"), settings_with("endless"), kinds=kinds_of(Endless)).opens().until("10:01")
    remembered = running(house.desk)

    class Untouched(Watching):
        name = "endless"

        def then(self, bar: Bar, context: Context) -> Answer:
            assert clock_of(bar) < "10:00", "it is shown a bar that it missed"
            return NO_SETUP

    house.kinds = kinds_of(Untouched)
    again = house.restarted()

    assert running(again.desk) == remembered
    assert again.facts(facts.StrategyForgot) == []


def test_a_strategy_too_slow_to_catch_up_begins_anew(snapshot: SnapshotAssertion) -> None:
    """ST-07, SP-07: its new text hangs on the morning; the account opens, and the next start waits no more."""

    class Hangs(Endless):
        name = "watching"

    house = House(minutes("09:30", "10:30"), settings_with("watching"), kinds=kinds_of(Watching)).opens().until("10:20")
    hanging = endless_from(kinds_of(Hangs).known["watching"], "10:00")
    house.kinds = StrategyKinds({"watching": overheard(hanging, lambda bar: SHOWN.append(clock_of(bar)))}, {})
    house.restarted()
    assert SHOWN
    memory = running(house.desk)["watching/SPY"]
    SHOWN.clear()
    house.restarted()

    (forgot,) = house.facts(facts.StrategyForgot)
    assert forgot == snapshot
    assert memory.state.plain() is None
    assert SHOWN == []
    assert len(house.facts(facts.SettingsApplied)) == 1
