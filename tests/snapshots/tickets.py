"""The engine's answer to whoever opens a ticket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

from core.messages.commands import Command, OpenTicket
from core.model.values import TicketId
from core.views import DeskView, TicketView
from tests.snapshots.day import ticket
from tests.snapshots.still import Answer, Still


def with_ticket(change: Callable[[TicketView], TicketView]) -> Answer:
    """An engine that opens what is asked for, changed."""

    def answer(view: DeskView, command: Command) -> DeskView:
        if not isinstance(command, OpenTicket):
            return view
        row = next(row for row in view.proposals if row.id == command.proposal_id)
        return replace(view, tickets=(change(ticket(row)),))

    return answer


def numbered(change: Callable[[TicketView], TicketView]) -> Callable[[TicketView], TicketView]:
    """Each ticket that is opened has an id of its own."""
    numbers = count(1)

    def changed(view: TicketView) -> TicketView:
        made = change(view)
        return replace(made, ticket=replace(made.ticket, id=TicketId(f"t{next(numbers)}")))

    return changed


opened = with_ticket(lambda view: view)


async def opens_the_first(still: Still) -> None:
    """And waits until it is armed."""
    await still.press("1", "enter")
    await still.after(0.5)
