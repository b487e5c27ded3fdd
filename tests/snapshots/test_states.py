"""What else a ticket and the other dialogs can say, where there is the least room for it (OP-03, OP-04, OP-07)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.messages.commands import Confirm
from core.model.account import Mode
from core.model.codes import DeskState, HaltCause, ProposalEnd
from core.views import DeskView, HaltRow, KillView, ProposalOutcome, TicketView
from tests.snapshots.conftest import Compare
from tests.snapshots.day import BARE, EFFECTS, ENTRY, EXIT, REFUSED, STATUS, STOP, ago, empty, full
from tests.snapshots.planned import plan_that_is_over
from tests.snapshots.sizes import SMALL
from tests.snapshots.still import Answer, Still, presses, unanswered
from tests.snapshots.test_dialogs import KILLED
from tests.snapshots.tickets import opened, opens_the_first, with_ticket

HALTED = replace(
    STATUS,
    word=DeskState.HALTED,
    halts=(HaltRow(HaltCause.KEY, "by key"),),
    halted_at=ago(3),
    entries_refused="halted (key): by key",
)
QUIET = replace(KILLED, kill=KillView((), (STOP,), (BARE,)))
"""Killed, and nothing works that could open."""
CHANGED: dict[str, Callable[[TicketView], TicketView]] = {
    "refused": lambda view: replace(
        view, refused_because=("price: moved 0.52 USD since review, from 166.76 to 167.28 (limit 0.12); open it again",)
    ),
    "red": lambda view: replace(view, now=REFUSED),
}


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_armed_ticket_says_exactly_what_is_sent(effect: str, looks_as_before: Compare) -> None:
    assert looks_as_before(full(proposals=(EFFECTS[effect],)), SMALL, opens_the_first, answer=opened)


@pytest.mark.parametrize(
    "state", ["fetching", "not-armed", "too-early", "refused", "red", "confirming", "exit-waits", "over"]
)
def test_a_ticket_in_each_of_its_states(state: str, looks_as_before: Compare) -> None:
    async def steps(still: Still) -> None:
        still.desk.open_ticket(ENTRY.id)
        await still.settle()
        if state in ("confirming", "exit-waits"):
            await still.after(0.5)
        if state in ("too-early", "confirming"):
            await still.press("B")
        if state == "confirming":
            await still.after(0.2)
            assert any(isinstance(command, Confirm) for command in still.sent)
        if state == "over":
            ended = (ProposalOutcome(ENTRY.id, ProposalEnd.EXPIRED, "90 s after its bar"),)
            still.shows(full(proposals=(), endings=ended, number=2))
            await still.settle()

    answer: Answer = unanswered if state == "fetching" else with_ticket(CHANGED.get(state, lambda view: view))
    waiting = (EXIT, ENTRY) if state == "exit-waits" else (ENTRY,)
    assert looks_as_before(full(proposals=waiting), SMALL, steps, answer=answer)


def test_a_live_ticket_asks_for_its_symbol(looks_as_before: Compare) -> None:
    async def steps(still: Still) -> None:
        await opens_the_first(still)
        await still.press("S", "P")

    view = full(replace(STATUS, mode=Mode.LIVE), proposals=(ENTRY,))
    assert looks_as_before(view, SMALL, steps, answer=opened)


KILLS: dict[str, tuple[DeskView, tuple[str, ...]]] = {
    "halted": (full(HALTED), ()),
    "halted-flat": (full(HALTED, positions=(), kill=KillView((), (), ())), ()),
    "killed": (QUIET, ()),
    "killed-typing": (QUIET, ("R", "E", "A")),
}


@pytest.mark.parametrize("state", KILLS)
def test_the_kill_screen(state: str, looks_as_before: Compare) -> None:
    view, typed = KILLS[state]
    assert looks_as_before(view, SMALL, presses("ctrl+k", *typed))


def test_a_new_order_that_is_typed(looks_as_before: Compare) -> None:
    keys = ("n", "slash", *"spy", "enter", *"47", "tab", "tab", *"166.76", "tab", *"166.26")
    assert looks_as_before(full(), SMALL, presses(*keys))


def test_leaving_with_nothing_held(looks_as_before: Compare) -> None:
    assert looks_as_before(empty(), SMALL, presses("q"))


@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6", "7"])
def test_help_for_each_pane(number: str, looks_as_before: Compare) -> None:
    assert looks_as_before(full(), SMALL, presses(number, "question_mark"))


@pytest.mark.parametrize("number", ["3", "4", "5", "6", "7"])
def test_the_details_of_a_row(number: str, looks_as_before: Compare) -> None:
    assert looks_as_before(full(), SMALL, presses(number, "end", "enter"))


ASKED = {
    "refuse-symbol": ("1", "down", "X"),
    "close-half": ("2", "c", *"50%"),
    "break-even": ("2", "m", "0"),
    "log-filter": ("6", "slash", *"fill"),
    "refusals-too": ("3", "a"),
    "commands-found": ("ctrl+p", *"stop"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_a_key_asks(asked: str, looks_as_before: Compare) -> None:
    assert looks_as_before(full(), SMALL, presses(*ASKED[asked]))


def test_a_plan_that_is_over_reports(looks_as_before: Compare) -> None:
    """EX-10"""
    assert looks_as_before(plan_that_is_over(), SMALL, presses("p"))
