"""Which commands a desk may send, and the stop of the engine by the desk in control (OP-13, SY-01).

A command without a desk comes from inside the engine's process; only its sender decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.messages import commands
from core.messages.command_ports import LATE, Denied
from core.messages.desk_commands import (
    AttachDesk,
    DetachDesk,
    EnrollTouchKey,
    KeyPressed,
    LookAt,
    LoseDesk,
    RemoveTouchKey,
    StopEngine,
    TakeKey,
)
from core.messages.effects import EndEngine
from core.model.codes import Denial
from core.model.desk import KeyTurn, seat_of
from core.trading_state.state import TradingState
from core.workflows.workflow import answers

NOBODY_HOLDS = "Rejected: no desk has control. T takes control"
NOT_ATTACHED = "Rejected: its desk is not attached any more. Attach again"
NO_DESK = "Rejected: sender is not an attached desk"
OTHER_HOLD = "the key changed hands since the ticket was on the screen: nothing was confirmed; open it again"
OUTRUN = "a halt that its screen did not show came first, or the engine stood still: nothing ended; look, type it again"
UNPAINTED = "it does not say how its ticket was seen on the screen: nothing was confirmed; open it again"


class DeskRights:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def denial(self, command: commands.Command) -> Denied | None:
        """Return why the command is refused; None if its desk may send it, or it has no desk, and it is in time."""
        if (denied := self._of_its_desk(command)) is not None or not command.came_late:
            return denied
        if isinstance(command, commands.Resume | commands.Rearm):
            return Denied(Denial.OUTRUN, OUTRUN, command.desk)
        loosens = isinstance(command, commands.Loosens) or (
            isinstance(command, commands.RequestCancel) and not self._is_an_entry(command)
        )
        return Denied(Denial.LATE, LATE, command.desk) if loosens else None

    def _of_its_desk(self, command: commands.Command) -> Denied | None:
        desk = command.desk
        if isinstance(command, commands.Halt | commands.Kill | AttachDesk):
            return None
        if desk is None:
            is_of_a_desk = isinstance(command, DetachDesk | LoseDesk | TakeKey)
            return Denied(Denial.NO_DESK, NO_DESK) if is_of_a_desk else None
        if isinstance(command, DetachDesk | LoseDesk):
            return None
        if self.state.desks.desk(desk) is None:
            return Denied(Denial.NOT_ATTACHED, NOT_ATTACHED, desk)
        if self._is_everybodys(command):
            return None
        if not self.state.desks.is_holder(desk):
            return Denied(Denial.NOT_HOLDER, self._held_by_another(), desk)
        if isinstance(command, commands.Confirm | commands.SignBasket) or (
            isinstance(command, commands.AnswerBasket) and command.goes_on
        ):
            if command.hold != self.state.desks.hold:
                return Denied(Denial.OTHER_HOLD, OTHER_HOLD, command.desk)
            return Denied(Denial.UNPAINTED, UNPAINTED, command.desk) if command.proof is None else None
        return None

    def hear(self, command: commands.Command) -> None:
        """Note that the desk is attended."""
        if command.desk is not None and self.state.desks.desk(command.desk) is not None:
            self.state.sightings.heard_from[command.desk] = self.state.at
            if not isinstance(command, LookAt | DetachDesk | LoseDesk):  # an open form looks by itself
                self.state.sightings.key_at = self.state.at

    def _is_everybodys(self, command: commands.Command) -> bool:
        """Every desk may cancel an entry; cancelling a stop or an exit needs desk control.

        A security key is enrolled and removed by a touch, not by control (OP-15).
        """
        if isinstance(command, commands.RequestCancel):
            return self._is_an_entry(command)
        return isinstance(
            command, LookAt | TakeKey | KeyPressed | EnrollTouchKey | RemoveTouchKey | commands.ExplainKill
        )

    def _is_an_entry(self, command: commands.RequestCancel) -> bool:
        """Whether it is an entry or unknown: its cancel leaves no shares unprotected."""
        order = self.state.ledger.order(command.client_order_id)
        return order is None or not order.only_reduces

    def _held_by_another(self) -> str:
        holder = self.state.desks.holder
        if holder is None:
            return NOBODY_HOLDS
        away = "" if holder.away_until is None else ", its link lost,"
        return f"{holder.desk.seat.in_words}{away} has control. Rejected; T takes control"


def seat_at(state: TradingState, command: commands.Keyed) -> tuple[str, str]:
    """Return the terminal and user recorded with a confirmation: of its desk, else of its sender."""
    if command.desk is None:
        return seat_of(command.sender)
    seat = state.desks.seat(command.desk)
    return seat.terminal, seat.user


def turn_of(state: TradingState, command: commands.Confirm | commands.SignBasket) -> tuple[str, str, KeyTurn | None]:
    """Return the same, and the other data recorded of a desk's confirmation."""
    terminal, user = seat_at(state, command)
    if command.desk is None or command.proof is None:
        return terminal, user, None
    address = state.desks.seat(command.desk).address
    return terminal, user, KeyTurn(command.desk, state.desks.hold, command.proof, address)


class EngineStop:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(StopEngine)
    def on_stop(self, command: StopEngine) -> Iterator[EndEngine]:
        who = "a script" if command.desk is None else self.state.desks.seat(command.desk).in_words
        yield EndEngine(f"stopped by {who}")
