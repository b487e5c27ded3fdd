"""Build the effect of an order on a margin account, for its ticket (RK-14)."""

from __future__ import annotations

from core.model.account import Account
from core.risk.checks.funds import margin_effect
from core.risk.gate import Candidate, ReviewContext
from core.risk.margin import MarginEffect
from core.views import MarginView


def margin_view(candidate: Candidate, state: ReviewContext) -> MarginView | None:
    """Return None for a cash account, a closing order, or missing broker data: its check has the reason."""
    if candidate.only_reduces or not isinstance(state.account, Account) or not state.account.lends:
        return None
    effect = margin_effect(candidate, state, state.account)
    if not isinstance(effect, MarginEffect):
        return None
    overnight = effect.overnight if effect.is_over_night else None
    return MarginView(effect.initial, effect.before, effect.after, overnight)
