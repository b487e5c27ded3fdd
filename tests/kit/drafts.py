"""An operator's answers to the draft of a number, as the desk that shows it gives them."""

from __future__ import annotations

from core.messages.commands import AdoptDraft, DeclineDraft
from core.model.values import Digest
from core.trading_state.state import TradingState


def adopts(state: TradingState, number: int = 1) -> AdoptDraft:
    return AdoptDraft(number, digest_of(state, number))


def declines(state: TradingState, number: int, reason: str = "") -> DeclineDraft:
    return DeclineDraft(number, digest_of(state, number), reason)


def digest_of(state: TradingState, number: int) -> Digest:
    known = state.drafts.outcome(number)
    assert known is not None, f"there is no draft {number}"
    return known.draft.digest
