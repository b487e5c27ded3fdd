"""Which workflows are asked for their deadlines, and which are run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.messages.effects import Effect
from core.model.account import Mode
from core.trading_state.state import TradingState
from core.workflows.workflow import Deadlines, HasDeadline
from state.journal import MemoryJournal
from tests.unit.core.brokers.trading_floor import NewYorkHours, at

NOON, LATER = at("12:00"), at("12:05")


class Waits:
    """A workflow that waits until `due_at`, and counts how often it is asked and run."""

    def __init__(self, due_at: datetime | None = LATER) -> None:
        self.due_at, self.asked, self.runs = due_at, 0, 0

    def next_due(self) -> Iterable[datetime]:
        self.asked += 1
        return () if self.due_at is None else (self.due_at,)

    def due(self) -> Iterable[Effect]:
        self.runs += 1
        return ()


class WaitsForFacts(Waits):
    DUE_BY_FACTS = True


class RunsWithOthers(Waits):
    RUNS_WITH_OTHERS = True


class Raises(Waits):
    def next_due(self) -> Iterable[datetime]:
        raise ZeroDivisionError


def planned(*workflows: HasDeadline) -> Deadlines:
    """The deadlines of these workflows, as planned at noon."""
    state = TradingState("house", Mode.PAPER, NewYorkHours(), MemoryJournal())
    state.at = NOON
    deadlines = Deadlines(state, workflows)
    deadlines.next()
    return deadlines


def reached(deadlines: Deadlines, when: datetime) -> None:
    deadlines.state.at = when
    assert list(deadlines.reach()) == []


def test_the_earliest_deadline_is_next() -> None:
    assert planned(Waits(), Waits(NOON), Waits(None)).next() == NOON
    assert planned(Waits(None)).next() is None


def test_a_deadline_that_facts_move_is_asked_once_between_them() -> None:
    """EX-22"""
    kept, asked = WaitsForFacts(), Waits()
    deadlines = planned(kept, asked)
    kept.due_at = asked.due_at = NOON

    assert (deadlines.next(), kept.asked, asked.asked) == (NOON, 1, 2)
    asked.due_at = None
    assert deadlines.next() == LATER
    deadlines.hear()
    assert (deadlines.next(), kept.asked) == (NOON, 2)


def test_a_workflow_runs_at_its_own_deadline() -> None:
    due, waits, never, joins = Waits(NOON), Waits(), Waits(None), RunsWithOthers(None)
    deadlines = planned(due, waits, never, joins)

    reached(deadlines, NOON)
    assert (due.runs, waits.runs, never.runs, joins.runs) == (1, 0, 0, 1)
    reached(deadlines, LATER)
    assert (due.runs, waits.runs, never.runs, joins.runs) == (2, 1, 0, 2)


def test_every_workflow_runs_after_a_fact() -> None:
    """EX-22: any deadline may have moved."""
    waits = Waits()
    deadlines = planned(waits)
    deadlines.hear()

    reached(deadlines, NOON)

    assert waits.runs == 1


def test_a_workflow_without_an_answer_runs_with_every_deadline() -> None:
    """EX-14, EX-22"""
    raises = Raises()
    deadlines = planned(raises)

    reached(deadlines, NOON)
    deadlines.next()
    reached(deadlines, NOON + timedelta(seconds=1))

    assert raises.runs == 2


def test_a_workflow_that_failed_runs_until_it_succeeds() -> None:
    """EX-14, EX-22"""
    failed = Waits()
    deadlines = planned(failed)
    deadlines.give_up_what_is_due()
    deadlines.next()

    reached(deadlines, NOON)
    deadlines.next()
    reached(deadlines, NOON + timedelta(seconds=1))

    assert failed.runs == 1


def test_nothing_is_kept_of_a_look_into_the_future() -> None:
    """SP-06: the disk failed, so what is due now is due again."""
    due = Waits(NOON)
    deadlines = planned(due)

    assert deadlines.next_later() is None
    reached(deadlines, NOON)
    assert due.runs == 1
