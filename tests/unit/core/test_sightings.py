"""What a decision reads and no fact holds stands in one place, and a disk that fails moves the desk by it alone."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import fields
from inspect import getdoc

import pytest
from syrupy.assertion import SnapshotAssertion

from core.messages.commands import Halt, Kill, Rearm
from core.model.account import Mode
from core.model.codes import DeskState, HaltCause
from core.ports import JournalWriteError
from core.trading_state.checkpoint import documents_of, states
from core.trading_state.sightings import Sightings
from core.trading_state.state import TradingState
from core.workflows.operator.kill_switch import REARM
from state.journal import MemoryJournal
from tests.scenarios.house import House, a_house_in_a_position, rebuilt
from tests.unit.core.brokers.trading_floor import NewYorkHours

OF_A_DESK = {
    "account_name", "mode", "calendar", "journal", "at", "_known", "_known_over_bars",
    "_note", "_listeners", "_bar_listeners", "_watchers",
    "news", "folds", "slices",
}  # fmt: skip
"""What a desk has beside its slices and its sightings: what it was made with, its time, who hears it."""


def test_each_sighting_says_what_decides_by_it() -> None:
    """SP-03: one that nothing decides by says that"""
    lines = re.findall(r"^(\w[\w, ]*)$", getdoc(Sightings) or "", re.M)
    told = {name for line in lines for name in line.split(", ")}

    assert {each.name for each in fields(Sightings)} == told - {"Attributes"}


def test_a_desk_holds_slices_and_sightings_only() -> None:
    """SP-03"""
    desk = TradingState("house", Mode.PAPER, NewYorkHours(), MemoryJournal())

    loose = {name for name, value in vars(desk).items() if value not in desk.slices}

    assert loose == OF_A_DESK | {"sightings", "highs"}


def test_a_rebuild_knows_no_sighting() -> None:
    """SP-03"""
    house = a_house_in_a_position()

    again = rebuilt(house.desk).sightings

    assert house.desk.sightings.quotes
    assert again == Sightings(departing=again.departing)


def takes_no_line(house: House) -> None:
    def full(*_: object) -> int:
        raise JournalWriteError("no space left on the device")

    house.journal.append = full  # type: ignore[method-assign]


def takes_lines_again(house: House) -> None:
    del house.journal.append


def a_kill_on_a_full_disk() -> House:
    house = a_house_in_a_position()
    takes_no_line(house)
    house.presses(Kill("key"))
    return house


@pytest.mark.parametrize("naked", [False, True])
def test_a_failing_disk_halts_without_state(naked: bool, snapshot: SnapshotAssertion) -> None:
    """SP-06, SP-03: what no record says is a sighting"""
    house = a_house_in_a_position()
    before, kept = deepcopy(states(house.desk)), documents_of(house.desk)
    takes_no_line(house)

    house.presses(Kill("key", naked))

    control = house.desk.control
    assert (states(house.desk), documents_of(house.desk)) == (before, kept)
    assert (control.word(), control.killed_by, control.killed_at) == (DeskState.KILLED, "key", house.line.at)
    assert (control.naked_at is not None) is naked
    assert HaltCause.JOURNAL in control.halts
    assert control.halted_at == house.line.at
    assert control.refusal() == snapshot


def test_an_unwritten_kill_is_written_later() -> None:
    """SP-06, OP-07"""
    house = a_kill_on_a_full_disk()
    takes_lines_again(house)

    house.presses(Kill("key"))

    assert house.desk.control.state.killed_by == "key"


def test_a_rearm_ends_the_unwritten_kill() -> None:
    """OP-07, SP-06: the disk is believed by a start alone"""
    house = a_kill_on_a_full_disk()
    takes_lines_again(house)

    house.presses(Rearm(REARM, tuple(order.id for order in house.desk.ledger.working())))

    control = house.desk.control
    assert (control.killed_by, control.naked_at, control.word()) == (None, None, DeskState.HALTED)
    assert house.switch.door is None


def test_a_halt_before_the_disk_says_since_when() -> None:
    """OP-07"""
    house = a_house_in_a_position()
    house.presses(Halt("key"))
    since = house.line.at
    house.until("10:07")
    house.engine.lose_disk("no space left")

    control = house.desk.control
    assert control.halted_at == since
    assert set(control.halts) == {HaltCause.KEY, HaltCause.JOURNAL}
    assert set(control.state.halts) == {HaltCause.KEY}
