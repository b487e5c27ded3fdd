"""Follow the desk's basket: request it, open its screen, and show it again when it asks or ends.

A basket that this desk did not request, for example one from a file, is announced and never takes the focus, because a
key meant for another place could mark one of its orders. A basket that asks is opened once nobody is typing.
"""

from __future__ import annotations

from collections.abc import Callable

from console.keymap import written
from console.proposal_outcome import NO_ANSWER_YET, PATIENCE, last_refusal
from console.screens.basket import BasketScreen
from console.screens.desk_control import holds_key
from console.screens.dialog import DialogHost
from core.messages.commands import OpenBasket, ReversePosition
from core.model.basket import BasketEnd, BasketOrderState, BasketPhase, BasketSource
from core.model.values import TicketId
from core.views import BasketView, DeskView, PositionRow


class BasketFollower:
    """Waits for at most one basket."""

    def __init__(self, behind: DialogHost, ring: Callable[[], None]) -> None:
        self.behind = behind
        self.ring = ring
        self._asked: tuple[int, float] | None = None
        self._known: TicketId | None = None
        self._phase: BasketPhase | None = None
        self._has_looked = False
        self._is_owed_an_answer = False
        """It asks but was not opened yet, because somebody was typing or a dialog was open."""

    def open(self) -> None:
        """Open the current basket; if it has ended, request one for the waiting proposals."""
        view = self.behind.view
        if view is None:
            return
        plan = view.plan
        if plan is not None and (plan.phase is not BasketPhase.OVER or not view.proposals):
            self._show(plan)
        else:
            self.ask_for(BasketSource.PROPOSALS)

    def sign_closes(self) -> None:
        self.ask_for(BasketSource.FLATTEN)

    def ask_for(self, source: BasketSource) -> None:
        view = self.behind.view
        if view is not None:
            self._asked = (last_refusal(view), self.behind.now())
            self.behind.handle.send(OpenBasket(source))
            self.behind.say("trying every order against every check…")

    def reverse(self, held: PositionRow) -> None:
        """Request a basket that closes the position and opens the same quantity on the other side."""
        view = self.behind.view
        if view is not None:
            self._asked = (last_refusal(view), self.behind.now())
            self.behind.handle.send(ReversePosition(held.symbol, held.strategy, held.quantity))
            self.behind.say("trying both orders against every check…")

    def look(self, view: DeskView, may_open: bool, is_typing: bool) -> None:
        """Take a new view; a dialog is never covered unasked."""
        plan = view.plan
        if plan is not None:
            self._look_at(plan, may_open, is_typing)
        self._has_looked = True
        if self._asked is None:
            return
        sequence, since = self._asked
        refused = [row.text for row in view.refusals if row.sequence > sequence and row.kind == "basket"]
        if refused or self.behind.now() - since > PATIENCE:
            self._asked = None
            self.behind.say(refused[-1] if refused else NO_ANSWER_YET, "warning")

    def _look_at(self, plan: BasketView, may_open: bool, is_typing: bool) -> None:
        is_new, phase_before = plan.id != self._known, self._phase
        self._known, self._phase = plan.id, plan.phase
        is_asked_for = self._asked is not None and plan.source is not BasketSource.FILE
        is_in_the_way = plan.source is BasketSource.REVERSAL and not may_open
        if is_new and plan.is_open and is_asked_for and not is_in_the_way:
            self._asked = None
            self._show(plan)
        elif is_new and plan.is_open:
            self._asked = None if is_asked_for else self._asked
            self.ring()
            self._announce(f"the basket {plan.name or plan.source.value} waits for its marks and its key")
        elif phase_before is not plan.phase and plan.phase is BasketPhase.ASKING:
            self.ring()
            self._is_owed_an_answer = True
            in_doubt = any(
                row.standing is BasketOrderState.IN_DOUBT and not row.effect.only_reduces and not row.is_taken_back
                for row in plan.rows
            )
            self._announce(f"the basket ASKS: {'a buy is in doubt' if in_doubt else 'a sell is not filled'}")
        elif self._has_looked and phase_before is not plan.phase and plan.phase is BasketPhase.OVER:
            end = plan.end.value if plan.end is not None else "over"
            is_told = plan.source is BasketSource.FLATTEN and plan.end is BasketEnd.LEFT
            if may_open and not is_told:  # its screen said what becomes of the closes
                self.behind.say(f"basket {end}: {plan.end_reason}; {written('basket')} shows it", "strong")

        is_ours = holds_key(self.behind)
        if plan.phase is BasketPhase.ASKING and self._is_owed_an_answer and may_open and not is_typing and is_ours:
            self._show(plan)

    def _show(self, plan: BasketView) -> None:
        self._is_owed_an_answer = False
        self.behind.ask(BasketScreen(self.behind, plan.id))

    def _announce(self, words: str) -> None:
        self.behind.say(f"{words}; {written('basket')} opens it", "warning")


def waits(plan: BasketView | None) -> bool:
    """Return whether the basket needs the operator: to confirm it or to answer its question."""
    return plan is not None and (plan.is_open or plan.phase is BasketPhase.ASKING)
