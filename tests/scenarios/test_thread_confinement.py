"""The engine's thread alone reads the desk: whoever waits elsewhere was given values (ST-03, EX-22)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.engine import Engine
from core.messages.commands import Halt, Kill
from core.model.account import Mode
from core.runtime.market_history import PastWatch
from core.trading_state.state import TradingState
from state.journal import MemoryJournal
from tests.scenarios.live_floor import LiveHouse
from tests.scenarios.test_live_runtime import a_ticket, at_the_dip
from tests.scenarios.test_past_days import CALENDAR, Broker
from tests.unit.core.brokers.trading_floor import NewYorkHours

pytestmark = pytest.mark.usefixtures("timeline")

TESTS = str(Path(__file__).parents[1])


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, house: LiveHouse) -> Iterator[set[str]]:
    """Who reads a desk, an engine or a slice in another thread than the engine's, by the line of the program."""
    found: set[str] = set()

    def read(self: Any, name: str) -> Any:
        if threading.get_ident() != house.thread.ident and not name.startswith("__"):
            frame = sys._getframe(1)
            place = frame.f_code.co_filename
            if not place.startswith(TESTS):
                found.add(f"{type(self).__name__}.{name} in {Path(place).name}, {frame.f_code.co_name}")
        return object.__getattribute__(self, name)

    slices = TradingState("kinds", Mode.PAPER, NewYorkHours(), MemoryJournal()).slices
    with monkeypatch.context() as patch:
        for kind in (TradingState, Engine, *map(type, slices)):
            patch.setattr(kind, "__getattribute__", read, raising=False)
        yield found


def test_only_the_engines_thread_reads_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22, OP-08: requests in their lanes, figures, books, the days before today's"""
    floor, known = at_the_dip(), Broker()
    house = LiveHouse(floor)
    risk = house.engine.state.control
    house.runtime.streams.past = PastWatch(
        known.minutes, known.days, CALENDAR, floor.now, lambda: risk.settings.risk.protections.volatility_halt
    )
    with watched(monkeypatch, house) as found, house:
        house.presses(a_ticket(house))
        house.waits(lambda view: view.positions and view.positions[0].covered, "a covered position")
        house.waits(lambda _: known.asked, "the days before today's")
        house.runtime.watch(None)
        house.runtime.attend(True)
        house.runtime.clock()
        house.presses(Halt("key"))
        house.presses(Kill("key"))
        house.waits(lambda view: view.status.word == "killed", "the kill")

    assert found == set()
    assert [each for each in floor.asked if each.startswith("submit")] == ["submit buy limit", "submit sell stop"]
