"""The desk and its basket: asked for, followed to its screen, and brought back to the operator when it asks or ends.

A basket that nobody at this desk asked for, one of a file, is announced and never takes the keyboard: a key that was
meant for another place would mark one of its orders. One that asks comes up as soon as nobody is typing.
"""

from __future__ import annotations

from collections.abc import Callable

from console.keymap import written
from console.proposal_outcome import NO_ANSWER_YET, PATIENCE, last_refusal
from console.screens.basket import BasketScreen
from console.screens.dialog_host import DialogHost
from console.screens.key_holder import holds_key
from core.messages.commands import OpenBasket, ReversePosition
from core.model.basket import BasketOrderState, BasketPhase, BasketSource
from core.model.values import TicketId
from core.views import BasketView, DeskView, PositionRow


class BasketFollower:
    """At most one basket is waited for."""

    def __init__(self, behind: DialogHost, ring: Callable[[], None]) -> None:
        self.behind = behind
        self.ring = ring
        self._asked: tuple[int, float] | None = None
        self._known: TicketId | None = None
        self._phase: BasketPhase | None = None
        self._has_looked = False
        self._is_owed_an_answer = False
        """It asks, and did not come up yet: somebody was typing, or a dialog was open."""

    def open(self) -> None:
        """The basket that there is, where it still wants something of the operator; else one of what waits."""
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
        """All of it closed and as much the other way, as it stands on the screen."""
        view = self.behind.view
        if view is not None:
            self._asked = (last_refusal(view), self.behind.now())
            self.behind.handle.send(ReversePosition(held.symbol, held.strategy, held.quantity))
            self.behind.say("trying both orders against every check…")

    def look(self, view: DeskView, may_open: bool, is_typing: bool) -> None:
        """One picture; a dialog is never covered by another uninvited."""
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
            if may_open:
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
    """Whether it wants something of the operator: its marks and its key, or the answer to what it asks."""
    return plan is not None and (plan.is_open or plan.phase is BasketPhase.ASKING)
