"""The list of slices: one more is a class and a line, and nothing reaches into one from outside."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import (
    BarClosed,
    EngineStarted,
    Fact,
    Halted,
    OrderCreated,
    OrderFilled,
    SettingsApplied,
    StrategyPaused,
)
from core.model.account import Mode
from core.model.codes import HaltCause
from core.model.values import Symbol
from core.ports import Checkpoint
from core.settings.settings import Settings
from core.trading_state.checkpoint import HIGHS, MEMORIES, CheckpointEncoder, adapters, documents_of, rebuild, states
from core.trading_state.slices import named_folds, table_of
from core.trading_state.state import TradingState
from state.journal import MemoryJournal
from tests.scenarios.house import Drawer, a_house_in_a_position
from tests.unit.core.brokers.trading_floor import NewYorkHours, at


def a_desk(*further: Toy, journal: MemoryJournal | None = None) -> TradingState:
    desk = TradingState("house", Mode.PAPER, NewYorkHours(), journal or MemoryJournal(), further=further)
    desk.at = at("09:30")
    return desk


@dataclass(slots=True)
class ToyState:
    halts: dict[HaltCause, int] = field(default_factory=dict)
    last: datetime | None = None


class Toy:
    """Counts halts: a slice that no other file knows."""

    name = "toy"

    def __init__(self) -> None:
        self.state = ToyState()
        self.folds = {Halted: self._halted}

    def restore(self, state: ToyState) -> None:
        self.state = state

    def _halted(self, at: datetime, fact: Halted) -> None:
        self.state.halts[fact.cause] = self.state.halts.get(fact.cause, 0) + 1
        self.state.last = at


class Hearer(Toy):
    """Hears whatever others fold, and strategies that are paused in a way of its own."""

    name = "hearer"

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.folds = {
            Fact: lambda _at, fact: self.heard.append(type(fact).__name__),
            StrategyPaused: lambda _at, _fact: self.heard.append("own"),
        }


def test_a_new_slice_needs_its_class_and_the_list() -> None:
    """SP-02, SP-03"""
    live, drawer = a_desk(Toy()), Drawer()
    live.record(SettingsApplied(Settings()))
    live.record(Halted(HaltCause.KEY, "by key"))
    drawer.save(CheckpointEncoder(live).encode())
    live.record(Halted(HaltCause.INVARIANT, "broken"))
    assert isinstance(drawer.kept, Checkpoint)
    assert drawer.kept.documents["toy"] == {"halts": {"key": 1}, "last": at("09:30").isoformat().replace("+00:00", "Z")}

    from_documents, from_the_journal = (a_desk(Toy(), journal=live.journal) for _ in range(2))  # type: ignore[arg-type]

    assert rebuild(from_documents, drawer) == rebuild(from_the_journal, None) == ()
    assert states(from_documents)["toy"] == ToyState({HaltCause.KEY: 1, HaltCause.INVARIANT: 1}, at("09:30"))
    assert states(from_documents) == states(from_the_journal) == states(live)


def test_older_documents_leave_a_slice_to_the_journal(snapshot: SnapshotAssertion) -> None:
    """SP-02, SP-07"""
    live, drawer = a_desk(), Drawer()
    live.record(Halted(HaltCause.KEY, "by key"))
    drawer.save(CheckpointEncoder(live).encode())

    again = a_desk(Toy(), journal=live.journal)  # type: ignore[arg-type]

    assert rebuild(again, drawer) == (snapshot,)
    assert states(again)["toy"] == ToyState({HaltCause.KEY: 1}, at("09:30"))


def test_every_slice_has_a_document() -> None:
    """SP-02"""
    desk = a_desk()
    names = [each.name for each in desk.slices]

    assert len(set(names)) == len(names)
    assert {*names, MEMORIES, HIGHS} == documents_of(desk).keys() == adapters(desk).keys()
    assert all(is_dataclass(each.state) and each.folds for each in desk.slices)
    assert {id(value) for value in vars(desk).values() if hasattr(value, "folds")} == set(map(id, desk.slices))


def test_a_state_is_what_a_slice_takes_up() -> None:
    """SP-03"""
    house = a_house_in_a_position()
    desk = TradingState("house", house.desk.mode, house.calendar, house.desk.journal, house.desk.orchestrator.kinds)

    desk.orchestrator.remember(house.desk.orchestrator.memories)
    for mine, theirs in zip(desk.slices, house.desk.slices, strict=True):
        mine.restore(theirs.state)

    assert states(desk) == states(house.desk)


def test_later_slices_see_earlier_folds() -> None:
    """SP-03: the books come before whoever asks them what a fill ended, the stage before whoever asks what it let go"""
    desk = a_desk()
    place = {each.name: number for number, each in enumerate(desk.slices)}

    assert place["orders"] < min(place["exits"], place["protections"], place["sizing"], place["evaluation"])
    assert place["proposals"] < place["shadows"] < place["protections"]
    assert place["strategies"] == len(place) - 1
    assert desk.folds[OrderFilled][0] == desk.ledger.folds[OrderFilled]


def test_a_slice_may_hear_others_facts() -> None:
    """ST-03: the strategies are told anew after whatever may have changed what they are told"""
    toy, hearer = Toy(), Hearer()

    table = table_of([toy, *a_desk().slices[:-1], hearer])
    for fact in (Halted(HaltCause.KEY, "by key"), StrategyPaused("vwap", Symbol("SPY")), EngineStarted()):
        table[type(fact)][-1](at("09:30"), fact)

    assert hearer.heard == ["Halted", "own", "EngineStarted"]
    assert hearer.folds[Fact] not in table[BarClosed]
    assert hearer.folds[Fact] in table[OrderCreated]


def test_only_a_slice_sets_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """SP-03: what a slice needs of another it is given when it is made"""
    found: set[str] = set()

    def guarded(self: Any, name: str, value: object) -> None:
        caller = sys._getframe(1)
        if caller.f_locals.get("self") is not self:
            found.add(f"{type(self).__name__}.{name} in {Path(caller.f_code.co_filename).name}")
        object.__setattr__(self, name, value)

    for each in a_desk().slices:
        monkeypatch.setattr(type(each), "__setattr__", guarded, raising=False)
    house = a_house_in_a_position()
    house.restarted().until("10:15")

    assert found == set()


def test_folds_are_listed_in_slice_order() -> None:
    """SP-07"""
    desk = a_desk()
    owners = {each.name: each for each in desk.slices}

    named = named_folds(desk.slices)

    assert {kind: tuple(fold for _, fold in folds) for kind, folds in named.items()} == desk.folds
    for kind, folds in named.items():
        assert all(fold in (owners[name].folds.get(kind), owners[name].folds.get(Fact)) for name, fold in folds)


class Raising(Toy):
    """Counts a halt, then fails as no fold should."""

    name = "raising"

    def _halted(self, at: datetime, fact: Halted) -> None:
        super()._halted(at, fact)
        raise ZeroDivisionError


def test_a_fact_counts_although_a_fold_raises() -> None:
    """EX-14, EX-22: it is recorded, so it is noted, and no value from before it is kept."""
    noted: list[Fact] = []
    slice_ = Raising()
    desk = TradingState("house", Mode.PAPER, NewYorkHours(), MemoryJournal(), further=[slice_], note=noted.append)
    desk.at, fact = at("09:30"), Halted(HaltCause.KEY, "by key")

    def counted() -> tuple[int, int]:
        def halts() -> int:
            return len(slice_.state.halts)

        return desk.of_records("halts", halts), desk.of_all_but_bars("halts", halts)

    before = counted()
    with pytest.raises(ZeroDivisionError):
        desk.record(fact)

    assert (noted, before, counted()) == ([fact], (0, 0), (1, 1))
