"""Every dialog in every state at every size, as it was looked at and found right (OP-03, OP-04, OP-07)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.desk import Desk
from core.inputs import Command, Confirm, OpenTicket
from core.model.account import Mode
from core.model.codes import DeskState, HaltCause, ProposalEnd
from core.views import DeskView, Ending, HaltRow, KillView, ReloadView, TicketView
from tests.snapshots.day import (
    BARE,
    EFFECTS,
    ENTRY,
    EXIT,
    HELD,
    REFUSED,
    STATUS,
    STOP,
    WORKING,
    ago,
    empty,
    full,
    ticket,
)
from tests.snapshots.still import Still, at_every_size, still_desk

Compare = Callable[[Desk], None]
HALTED = replace(
    STATUS,
    word=DeskState.HALTED,
    halts=(HaltRow(HaltCause.KEY, "by key"),),
    halted_at=ago(3),
    entries_refused="halted (key): by key",
)
KILLED = replace(
    STATUS,
    word=DeskState.KILLED,
    killed_by="key",
    killed_at=ago(60),
    entries_refused="killed by key; Ctrl+K, then type REARM to trade again",
)


def with_ticket(change: Callable[[TicketView], TicketView]) -> Callable[[DeskView, Command], DeskView]:
    """An engine that opens what is asked for, changed."""

    def answer(view: DeskView, command: Command) -> DeskView:
        if not isinstance(command, OpenTicket):
            return view
        row = next(row for row in view.proposals if row.id == command.proposal_id)
        return replace(view, tickets=(change(ticket(row)),))

    return answer


opened = with_ticket(lambda view: view)


async def open_first(still: Still) -> None:
    await still.press("1", "enter")


@at_every_size
@pytest.mark.parametrize("effect", EFFECTS)
async def test_an_armed_ticket_says_exactly_what_is_sent(
    effect: str, size: tuple[int, int], looks_as_before: Compare
) -> None:
    async with still_desk(full(proposals=(EFFECTS[effect],)), size, opened) as still:
        await open_first(still)
        await still.after(0.5)
        looks_as_before(still.desk)


@at_every_size
@pytest.mark.parametrize(
    "state", ["fetching", "not-armed", "too-early", "refused", "red", "confirming", "exit-waits", "over"]
)
async def test_a_ticket_in_each_of_its_states(state: str, size: tuple[int, int], looks_as_before: Compare) -> None:
    change: dict[str, Callable[[TicketView], TicketView]] = {
        "refused": lambda view: replace(view, refused_because=("the price moved 0.31 % against you: 166.76 → 167.28",)),
        "red": lambda view: replace(view, now=REFUSED),
    }
    answer = with_ticket(change.get(state, lambda view: view)) if state != "fetching" else lambda view, _: view
    waiting = (EXIT, ENTRY) if state == "exit-waits" else (ENTRY,)
    async with still_desk(full(proposals=waiting), size, answer) as still:
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
            ended = (Ending(ENTRY.id, ProposalEnd.EXPIRED, "90 s after its bar"),)
            still.shows(full(proposals=(), endings=ended, number=2))
            await still.settle()
        looks_as_before(still.desk)


@at_every_size
@pytest.mark.parametrize("state", ["halted", "halted-flat", "killed", "killed-waiting", "killed-typing"])
async def test_the_kill_screen(state: str, size: tuple[int, int], looks_as_before: Compare) -> None:
    flat = {"positions": (), "kill": KillView((), (), ())}
    views = {
        "halted": full(HALTED),
        "halted-flat": full(HALTED, **flat),
        "killed": full(KILLED, kill=KillView((), (STOP,), (BARE,))),
        "killed-waiting": full(KILLED, kill=KillView((WORKING,), (STOP,), (BARE,))),
        "killed-typing": full(KILLED, kill=KillView((), (STOP,), (BARE,))),
    }
    async with still_desk(views[state], size) as still:
        await still.press("ctrl+k")
        if state == "killed-typing":
            await still.press("R", "E", "A")
        looks_as_before(still.desk)


@at_every_size
async def test_a_new_order_begins_empty(size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(), size) as still:
        await still.press("n")
        looks_as_before(still.desk)


@at_every_size
async def test_a_new_order_that_is_typed(size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(), size) as still:
        await still.press("n", *"spy", "tab", "tab", *"47", "tab", "tab", *"166.76", "tab", *"166.26")
        looks_as_before(still.desk)


@at_every_size
async def test_a_stop_is_cancelled_by_a_question_with_its_name(size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(), size) as still:
        await still.press("3", "down", "d")
        looks_as_before(still.desk)


@at_every_size
@pytest.mark.parametrize("holds", ["everything", "nothing"])
async def test_leaving_says_what_it_means(holds: str, size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(positions=(HELD, BARE)) if holds == "everything" else empty(), size) as still:
        await still.press("q")
        looks_as_before(still.desk)


@at_every_size
@pytest.mark.parametrize("number", ["1", "2", "3", "4", "5", "6", "7"])
async def test_help_for_each_pane(number: str, size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(), size) as still:
        await still.press(number, "question_mark")
        looks_as_before(still.desk)


@at_every_size
@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6", "7"])
async def test_the_details_of_a_row(number: str, size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(), size) as still:
        await still.press(number, "end", "enter")
        looks_as_before(still.desk)


ASKED = {
    "decline": ("1", "x", *"spread too wide"),
    "refuse-symbol": ("1", "down", "X"),
    "close": ("2", "c"),
    "close-half": ("2", "c", *"50%"),
    "move-stop": ("2", "m"),
    "break-even": ("2", "m", "0"),
    "edit-order": ("3", "e"),
    "log-filter": ("6", "slash", *"fill"),
    "refusals-too": ("3", "a"),
    "commands": ("ctrl+p",),
    "commands-found": ("ctrl+p", *"stop"),
}


@at_every_size
@pytest.mark.parametrize("asked", ASKED)
async def test_what_a_key_asks(asked: str, size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(), size) as still:
        await still.press(*ASKED[asked])
        looks_as_before(still.desk)


RELOAD = ReloadView(
    tighter=("risk.daily_loss 0.02 of equity → 0.01 of equity", "risk.max_open_positions 30 → 10"),
    looser=("risk.max_notional 0.08 of equity → 0.20 of equity", "risk.protections.cooldown.enabled true → false"),
    restart=("symbols SPY, IBM → SPY, IBM, AIG",),
    digest="0123456789abcdef",
)


@at_every_size
async def test_limits_that_are_reloaded_stand_old_to_new(size: tuple[int, int], looks_as_before: Compare) -> None:
    """RK-13"""
    async with still_desk(full(reload=RELOAD), size) as still:
        await still.press("ctrl+p", *"reload", "enter", *"LOO")
        looks_as_before(still.desk)


@at_every_size
async def test_a_tickets_order_is_edited_on_it(size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(proposals=(ENTRY,)), size, opened) as still:
        await open_first(still)
        await still.press("e")
        looks_as_before(still.desk)


@at_every_size
async def test_the_guide(size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(), size) as still:
        still.desk.action_guide()
        await still.settle()
        looks_as_before(still.desk)


@at_every_size
async def test_a_live_ticket_asks_for_its_symbol(size: tuple[int, int], looks_as_before: Compare) -> None:
    async with still_desk(full(replace(STATUS, mode=Mode.LIVE), proposals=(ENTRY,)), size, opened) as still:
        await open_first(still)
        await still.after(0.5)
        await still.press("S", "P")
        looks_as_before(still.desk)
