"""Build the advisory stream: valid advice, newest first."""

from __future__ import annotations

from datetime import datetime

from core.event_text.advice import idea_in_words
from core.trading_state.account_history import Given, key_of
from core.trading_state.state import TradingState
from core.views import AdviceRow, AdviceView
from core.workflows.strategies.advice import why_not


def advice_view(state: TradingState, at: datetime) -> AdviceView:
    advice = state.advice.state
    return AdviceView(
        rows=tuple(_row(state, given, at) for given in reversed(advice.given) if at < given.expires_at),
        advisers=tuple(
            (name, f"asked no more: {advice.paused[name]}" if name in advice.paused else "asked")
            for name in state.control.settings.advisers.enabled
        ),
        oversteps=advice.oversteps,
    )


def _row(state: TradingState, given: Given, at: datetime) -> AdviceRow:
    idea = given.idea
    reason = why_not(state, given, at) if idea is not None else ""
    is_adopted = (
        idea is not None and state.advice.state.adopted_from.get(key_of(idea.strategy, idea.symbol)) == given.number
    )
    return AdviceRow(
        number=given.number,
        adviser=given.adviser,
        at=given.at,
        text=given.text,
        idea=idea,
        idea_in_words="" if idea is None else idea_in_words(idea),
        expires_at=given.expires_at,
        is_adopted=is_adopted,
        takes_it=idea is not None and not reason,
        why_not=reason,
    )
