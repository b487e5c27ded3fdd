"""The desk and its plan: asked for, followed to its screen, and brought back to the operator when it asks or ends."""

from __future__ import annotations

from collections.abc import Callable

from console.awaited import NO_ANSWER_YET, PATIENCE, last_refusal
from console.keymap import written
from console.screens.behind import Behind
from console.screens.plan import PlanScreen
from core.inputs import OpenPlan
from core.model.plan import PlanPhase, PlanSource
from core.model.values import TicketId
from core.views import DeskView, PlanView


class PlanFollower:
    """At most one plan is waited for."""

    def __init__(self, behind: Behind, ring: Callable[[], None]) -> None:
        self.behind = behind
        self.ring = ring
        self._asked: tuple[int, float] | None = None
        self._known: TicketId | None = None
        self._phase: PlanPhase | None = None
        self._has_looked = False

    def open(self) -> None:
        """The plan that there is, where it still wants something of the operator; else one of what waits."""
        view = self.behind.view
        if view is None:
            return
        plan = view.plan
        if plan is not None and (plan.phase is not PlanPhase.OVER or not view.proposals):
            self.behind.ask(PlanScreen(self.behind, plan.id))
        else:
            self.ask_for(PlanSource.PROPOSALS)

    def ask_for(self, source: PlanSource) -> None:
        view = self.behind.view
        if view is not None:
            self._asked = (last_refusal(view), self.behind.now())
            self.behind.handle.send(OpenPlan(source))
            self.behind.say("trying every order against every check…")

    def look(self, view: DeskView, may_open: bool) -> None:
        """One picture; a dialog is never covered by another uninvited."""
        plan = view.plan
        if plan is not None:
            self._look_at(plan, may_open)
        self._has_looked = True
        if self._asked is None:
            return
        sequence, since = self._asked
        refused = [row.text for row in view.refusals if row.sequence > sequence and row.kind == "plan"]
        if refused or self.behind.now() - since > PATIENCE:
            self._asked = None
            self.behind.say(refused[-1] if refused else NO_ANSWER_YET, "warning")

    def _look_at(self, plan: PlanView, may_open: bool) -> None:
        is_new, phase_before = plan.id != self._known, self._phase
        self._known, self._phase = plan.id, plan.phase
        was_asked_for = self._asked is not None and is_new
        if is_new and plan.is_open:
            self._asked = None
            self._show(plan, may_open or was_asked_for, "a plan waits for its marks and its key")
        elif phase_before is not plan.phase and plan.phase is PlanPhase.ASKING:
            self.ring()
            self._show(plan, may_open, "the plan ASKS: a sell is not filled")
        elif self._has_looked and phase_before is not plan.phase and plan.phase is PlanPhase.OVER:
            end = plan.end.value if plan.end is not None else "over"
            if may_open:
                self.behind.say(f"plan {end}: {plan.end_reason}; {written('plan')} shows it", "strong")

    def _show(self, plan: PlanView, may_open: bool, words: str) -> None:
        if may_open:
            self.behind.ask(PlanScreen(self.behind, plan.id))
        else:
            self.behind.say(f"{words}; {written('plan')} opens it", "warning")
