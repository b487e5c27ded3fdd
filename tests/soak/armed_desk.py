"""The real desk on the real driver, with one screen whose key is armed, again and again: for the tests beside it.

Arguments: the file for what happens, and the letter of a screen: `B` `H` `S` `C` `R` tickets, `P` a basket, `K` and `F`
the kill screen, `D` a question. Lines are `monotonic-time word rest`: `armed` and `not-armed` for the screen, `acted`
for each act that the desk asked of its engine. The engine never hears of these, so that the screen can stand there
again; everything before them is real.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from console.arming import REDUCES_AFTER
from console.client.handle import EngineHandle
from console.desk import DeskApp
from console.screens.basket import BasketScreen
from console.screens.dialog import ArmedQuestion, Dialog
from console.screens.kill import KillScreen
from console.screens.ticket import TicketPhase, TicketScreen
from core.messages.commands import (
    AnswerBasket,
    Command,
    Confirm,
    Kill,
    MarkInBasket,
    MoveStop,
    OpenBasket,
    OpenTicket,
    ProposeClose,
    ProposeFlattening,
    RefuseSymbol,
    SignBasket,
)
from core.model.basket import BasketSource
from core.model.desk import PaintProof
from core.model.order import Effect
from core.model.values import Price, ProposalId, Symbol
from core.runtime.scripted_operator import turn_of
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView, ProposalRow
from tests.accidents.house import ARMED, LONG, SHORT, WiredDesk
from tests.kit.simulated_runtime import order_in, runtime
from tests.real.recording_desk import RecordWriter

ACTS = (Confirm, SignBasket, AnswerBasket, Kill, ProposeFlattening, RefuseSymbol)
EFFECTS = {"B": Effect.OPEN, "H": Effect.SHORT, "S": Effect.CLOSE, "C": Effect.COVER}
LOOK = 0.1
AT_REST = 0.3
"""Seconds without a key after which the screen is put there again."""
BEHIND_ESCAPE = 4.0
"""The same for the kill screen: the chord by which it comes makes a `K` behind a cut escape a key that is meant."""
TIMEOUT = 2.0
"""Seconds in which what was asked of the engine shows."""


class HeldBack(EngineHandle):
    """Writes down what a confirming key asks for, and asks the engine for nothing of it, but where the keeper does."""

    def __init__(self, record: RecordWriter) -> None:
        super().__init__(lambda _stack: runtime())
        self._record = record

    def send(self, command: Command) -> None:
        if isinstance(command, ACTS):
            self._record("acted", type(command).__name__)
        else:
            super().send(command)

    def send_all_the_same(self, command: Command) -> None:
        super().send(command)


class KeptDesk(DeskApp):
    """Puts the screen of its letter there whenever it is not, and nobody types."""

    CSS_PATH = WiredDesk.CSS_PATH

    def __init__(self, record: RecordWriter, letter: str) -> None:
        self.held_back = HeldBack(record)
        super().__init__(self.held_back)
        self._record = record
        self._letter = letter
        self._asked_at: object = None
        self._asked_until = 0.0
        self._was_armed: bool | None = None
        self._ready_since: float | None = None

    def on_mount(self) -> None:
        self.set_interval(LOOK, self._keep)

    # ── the screen

    def _keep(self) -> None:
        view = self.view
        if view is None:
            return
        is_armed = self._is_armed()
        if is_armed is not self._was_armed:
            self._was_armed = is_armed
            self._record("armed" if is_armed else "not-armed")
        is_waiting = self.now() < self._asked_until and view_of(view) == self._asked_at
        at_rest = BEHIND_ESCAPE if self._letter in "KF" else AT_REST
        if is_waiting or self.now() - self.keyboard.heard_at < at_rest:
            return
        top = self.screen_stack[-1]
        if not self._is_wanted(top):
            if len(self.screen_stack) > 1 and isinstance(top, Dialog):
                top.dismiss()
            else:
                self._put(view)
        elif (isinstance(top, TicketScreen) and top.phase not in (TicketPhase.READY, TicketPhase.FETCHING)) or (
            isinstance(top, BasketScreen) and (top._sent is not None or top.plan is None or not top.plan.is_open)
        ):
            top.dismiss()

    def _is_armed(self) -> bool:
        top = self.screen_stack[-1]
        if isinstance(top, KillScreen):
            return self._letter in "KF" and not top.is_killed and self.port.is_kill_open() and self.link.doubt is None
        if isinstance(top, TicketScreen):
            return top.phase is TicketPhase.READY and top.armed_in_words() in ARMED and self._is_wanted(top)
        if isinstance(top, BasketScreen):
            return top.plan is not None and top._state(top.plan).text in ARMED
        if isinstance(top, ArmedQuestion):
            left = top.armed.seconds_left(top.shown, "D", REDUCES_AFTER)
            return left == 0 and self.link.doubt is None
        return False

    def _is_wanted(self, top: object) -> bool:
        match self._letter:
            case "K" | "F":
                return isinstance(top, KillScreen)
            case "P":
                return isinstance(top, BasketScreen)
            case "D":
                return isinstance(top, ArmedQuestion)
        if not isinstance(top, TicketScreen) or top.standing.row is None:
            return isinstance(top, TicketScreen)
        return self._fits(top.standing.row)

    def _fits(self, row: ProposalRow) -> bool:
        if self._letter == "R":
            return row.replaces is not None
        return row.replaces is None and row.effect is EFFECTS[self._letter]

    # ── how it comes there

    def _put(self, view: DeskView) -> None:
        put: dict[str, Callable[[DeskView], None]] = {"K": self._kill, "F": self._kill, "P": self._plan, "D": self._ask}
        put.get(self._letter, self._ticket)(view)

    def _kill(self, view: DeskView) -> None:
        if self._letter == "F" and not view.positions:
            self._holds(view, LONG, Effect.OPEN)
        else:
            self.port.press_kill()

    def _ticket(self, view: DeskView) -> None:
        row = next((row for row in view.proposals if self._fits(row)), None)
        held = {position.symbol: position for position in view.positions}
        if row is not None:
            self.open_ticket(row.id)
        elif self._letter in "BH":
            self._stages(LONG if self._letter == "B" else SHORT, EFFECTS[self._letter])
        elif self._letter == "C" and SHORT not in held:
            self._holds(view, SHORT, Effect.SHORT)
        elif self._letter != "C" and LONG not in held:
            self._holds(view, LONG, Effect.OPEN)
        elif self._letter == "R" and held[LONG].stop_price is not None:
            stop = held[LONG].stop_price
            assert stop is not None
            self._send(MoveStop(LONG, held[LONG].strategy, Price(stop + Decimal("0.05"))))
        elif self._letter in "SC":
            self._send(ProposeClose(SHORT if self._letter == "C" else LONG))

    def _plan(self, view: DeskView) -> None:
        plan = view.plan
        if not view.proposals:
            self._stages(LONG, Effect.OPEN)
        elif plan is None or not plan.is_open:
            self._send(OpenBasket(BasketSource.PROPOSALS))
        elif plan.digest is None:
            self._send(MarkInBasket(plan.id, plan.rows[0].proposal_id, is_marked=True))
        else:
            self.ask(BasketScreen(self, plan.id))

    def _ask(self, view: DeskView) -> None:
        if view.proposals:
            self.row_actions.do("refuse symbol", view.proposals[0].id)
        else:
            self._stages(LONG, Effect.OPEN)

    def _send(self, command: Command) -> None:
        assert self.view is not None
        self._asked_at, self._asked_until = view_of(self.view), self.now() + TIMEOUT
        self.held_back.send_all_the_same(command)

    def _stages(self, symbol: Symbol, effect: Effect) -> None:
        """Within its market, with a stop at the broker."""
        self._send(order_in(symbol, effect, self._price(symbol)))

    def _price(self, symbol: Symbol) -> Decimal:
        assert isinstance(self.held_back._runtime, VirtualRuntime)
        line = self.held_back._runtime
        quote = line.exchange.quote(line.at, symbol)
        return Decimal(getattr(quote, "ask", 0))

    def _holds(self, view: DeskView, symbol: Symbol, effect: Effect) -> None:
        """What the screen needs: bought or sold short by the keeper, with the real ticket."""
        row = next((row for row in view.proposals if row.symbol == symbol and row.effect is effect), None)
        if row is None:
            self._stages(symbol, effect)
            return
        ticket = next((it.ticket for it in view.tickets if it.ticket.proposal_id == row.id), None)
        if ticket is None:
            self._send(OpenTicket(ProposalId(row.id)))
        else:
            hold, proof = view.status.key.hold, PaintProof.ANSWERED
            self._send(replace(turn_of(ticket), hold=hold, proof=proof))


def view_of(view: DeskView) -> object:
    """What a command changes."""
    plan = view.plan
    return (
        [row.id for row in view.proposals],
        [ticket.ticket.id for ticket in view.tickets],
        [(row.symbol, row.stop_price) for row in view.positions],
        plan and (plan.id, plan.phase, plan.digest),
    )


def main() -> None:
    path, letter = sys.argv[1:]
    record = RecordWriter(path)
    desk = KeptDesk(record, letter)
    record("ready")
    desk.run()


if __name__ == "__main__":
    main()
