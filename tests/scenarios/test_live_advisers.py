"""Advisers in real time: each in a thread of its own that trading never waits for (OP-09)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import pytest

from core.advisers import Adviser, Shown
from core.facts import AdviceGiven, AdviserFailed, AdviserOverstepped, AdviserPaused, Fact, OrderCreated
from core.messages.commands import Kill
from core.model.recommendation import Advice
from core.runtime.advisers import AdviserPool
from core.runtime.live import LiveRuntime
from core.settings.service import AdvisersSettings
from tests.scenarios.live_floor import LiveHouse
from tests.scenarios.test_live_runtime import a_ticket, at_the_dip

pytestmark = pytest.mark.usefixtures("timeline")

FAST = AdvisersSettings.model_construct(every_seconds=0.05, answer_seconds=0.1, most=3, failures=3)  # type: ignore[arg-type]
"""Settings take whole seconds; a test has no time for them."""


class Hanging:
    name = "hanging"
    is_deterministic = False

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = 0

    def advise(self, shown: Shown) -> Iterable[Advice]:
        self.asked += 1
        self.released.wait(20)
        return ()


class Endless(Hanging):
    name = "endless"

    def advise(self, shown: Shown) -> Iterator[Advice]:
        while True:
            self.asked += 1
            yield Advice(f"number {self.asked}")


class Raising(Hanging):
    name = "raising"

    def advise(self, shown: Shown) -> Iterable[Advice]:
        raise MemoryError("no room for the model")


class Killing(Hanging):
    """Has come by the runtime, and hides what it is told."""

    name = "killing"
    runtime: LiveRuntime

    def advise(self, shown: Shown) -> Iterator[Advice]:
        try:
            self.runtime.send(Kill("adviser"))
        except PermissionError:
            yield Advice("all is well")


def asked_fast(house: LiveHouse, *advisers: Adviser) -> None:
    runtime, desk = house.runtime, house.engine.state
    runtime.streams.advisers = advisers
    made = runtime.streams._consulting

    def consulting() -> AdviserPool:
        slow = made()
        return AdviserPool(advisers, FAST, slow._draw, lambda name: name not in desk.advice.state.paused)

    runtime.streams._consulting = consulting  # type: ignore[method-assign]


def told(house: LiveHouse, kind: type[Fact]) -> list[Fact]:
    return [r.fact for r in house.journal.records() if isinstance(r.fact, kind)]


def test_bad_advisers_change_nothing_in_trading() -> None:
    """OP-09"""
    hanging = Hanging()
    house = LiveHouse(at_the_dip())
    asked_fast(house, hanging, Endless(), Raising())
    with house:
        house.presses(a_ticket(house))
        house.waits(lambda view: view.positions and view.positions[0].covered, "a covered position")
        house.waits(lambda _: len(told(house, AdviserPaused)) == 3, "all three rest")
        view = house.waits(lambda view: view.advice.rows, "what was said")
    hanging.released.set()

    reasons = {fact.adviser: fact.reason for fact in told(house, AdviserFailed)}  # type: ignore[union-attr]
    assert reasons == {
        "hanging": "gave no answer in 0.1 s",
        "endless": "said more than 3 advices at once",
        "raising": "MemoryError: no room for the model",
    }
    assert hanging.asked == 3
    assert len(told(house, AdviceGiven)) == 9
    assert len(told(house, OrderCreated)) == 2
    assert view.status.word == "on"


def test_an_adviser_that_kills_is_refused() -> None:
    """OP-09, OP-07: only a person kills."""
    killing = Killing()
    house = LiveHouse(at_the_dip())
    killing.runtime = house.runtime
    asked_fast(house, killing)
    with house:
        view = house.waits(lambda view: view.advice.oversteps, "it is told")

    assert told(house, AdviserOverstepped)[0] == AdviserOverstepped("killing", "send Kill")
    assert view.status.killed_by is None
    assert house.runtime.latch.shut() is None
    assert any(row.kind == "CRITICAL" for row in view.log)


class Patient(Killing):
    """Waits until nobody listens any more, and tries then."""

    name = "patient"

    def advise(self, shown: Shown) -> Iterator[Advice]:
        self.released.wait(0.3)
        return super().advise(shown)


def test_a_late_adviser_that_kills_is_refused() -> None:
    """OP-09"""
    patient = Patient()
    house = LiveHouse(at_the_dip())
    patient.runtime = house.runtime
    asked_fast(house, patient)
    with house:
        view = house.waits(lambda view: view.advice.oversteps, "it is told")

    assert told(house, AdviserOverstepped)[0] == AdviserOverstepped("patient", "send Kill")
    assert view.status.killed_by is None
