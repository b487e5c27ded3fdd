"""What else a ticket and the other dialogs can say, where there is the least room for it (OP-03, OP-04, OP-07)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.messages.commands import Confirm
from core.model.account import Mode
from core.model.codes import DeskState, HaltCause, ProposalEnd
from core.views import HaltRow, KillView, ProposalOutcome, TicketView
from tests.snapshots.day import BARE, EFFECTS, ENTRY, EXIT, REFUSED, STATUS, STOP, ago, empty, full
from tests.snapshots.pictures import Views
from tests.snapshots.planned import plan_that_is_over
from tests.snapshots.sizes import SMALL
from tests.snapshots.still import Answer, presses, unanswered
from tests.snapshots.test_dialogs import KILLED
from tests.snapshots.tickets import opened, opens_the_first, with_ticket

HALTED = replace(
    STATUS, word=DeskState.HALTED, halts=(HaltRow(HaltCause.KEY, "by key"),), halted_at=ago(3),
    entries_refused="halted (key): by key",
)  # fmt: skip
QUIET = replace(KILLED, kill=KillView((), (STOP,), (BARE,)))
"""Killed, and nothing works that could open."""
CHANGED: dict[str, Callable[[TicketView], TicketView]] = {
    "refused": lambda view: replace(
        view, refused_because=("price: moved 0.52 USD since review, from 166.76 to 167.28 (limit 0.12); open it again",)
    ),
    "red": lambda view: replace(view, now=REFUSED),
}


async def test_an_armed_ticket_says_exactly_what_is_sent(pictures: Views) -> None:
    async with pictures.desk(full(), SMALL, answer=opened) as still:
        for effect, row in EFFECTS.items():
            await still.shows_next(full(proposals=(row,)))
            await opens_the_first(still)
            await pictures.take(still, effect)
            await still.press("escape")
    assert not pictures.differ


@pytest.mark.parametrize(
    "state", ["fetching", "not-armed", "too-early", "refused", "red", "confirming", "exit-waits", "over"]
)
async def test_a_ticket_in_each_of_its_states(state: str, pictures: Views) -> None:
    answer: Answer = unanswered if state == "fetching" else with_ticket(CHANGED.get(state, lambda view: view))
    waiting = (EXIT, ENTRY) if state == "exit-waits" else (ENTRY,)
    async with pictures.desk(full(proposals=waiting), SMALL, answer=answer) as still:
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
            await still.shows_next(full(proposals=(), endings=ended, number=2))
        await pictures.take(still)
    assert not pictures.differ


async def test_a_live_ticket_asks_for_its_symbol(pictures: Views) -> None:
    view = full(replace(STATUS, mode=Mode.LIVE), proposals=(ENTRY,))
    async with pictures.desk(view, SMALL, answer=opened) as still:
        await opens_the_first(still)
        await still.press("S", "P")
        await pictures.take(still)
    assert not pictures.differ


async def test_the_kill_screen(pictures: Views) -> None:
    flat = full(HALTED, positions=(), kill=KillView((), (), ()))
    await pictures.one(flat, SMALL, presses("ctrl+k"), "halted-flat")
    async with pictures.desk(full(), SMALL) as still:
        for name, view in (("halted", full(HALTED)), ("killed", QUIET)):
            await still.shows_next(view)
            await still.press("ctrl+k")
            await pictures.take(still, name)
            if name != "killed":
                await still.press("escape")
        await still.press(*"REA")
        await pictures.take(still, "killed-typing")
    assert not pictures.differ


async def test_a_new_order_that_is_typed(pictures: Views) -> None:
    keys = ("n", "slash", *"spy", "enter", *"47", "tab", "tab", *"166.76", "tab", *"166.26")
    await pictures.one(full(), SMALL, presses(*keys))
    assert not pictures.differ


async def test_leaving_with_nothing_held(pictures: Views) -> None:
    await pictures.one(empty(), SMALL, presses("q"))
    assert not pictures.differ


async def test_help_for_each_pane(pictures: Views) -> None:
    async with pictures.desk(full(), SMALL) as still:
        for number in "623457":
            await still.press(number, "question_mark")
            await pictures.take(still, number)
            await still.press("escape")
    assert not pictures.differ


async def test_the_details_of_a_row(pictures: Views) -> None:
    async with pictures.desk(full(), SMALL) as still:
        for number in "63457":
            await still.press(number, "end", "enter")
            await pictures.take(still, number)
            await still.press("escape")
    assert not pictures.differ


ASKED = {
    "log-filter": ("6", "slash", *"fill"), "refuse-symbol": ("1", "down", "X"),
    "commands-found": ("home", "ctrl+p", *"stop"), "close-half": ("2", "c", *"50%"), "break-even": ("2", "m", "0"),
    "refusals-too": ("3", "a"),
}  # fmt: skip


async def test_what_a_key_asks(pictures: Views) -> None:
    async with pictures.desk(full(), SMALL) as still:
        for asked, keys in ASKED.items():
            await still.press(*keys)
            await pictures.take(still, asked)
            await still.press("escape")
    assert not pictures.differ


async def test_a_plan_that_is_over_reports(pictures: Views) -> None:
    """EX-10"""
    await pictures.one(plan_that_is_over(), SMALL, presses("p"))
    assert not pictures.differ
