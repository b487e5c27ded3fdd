"""Which request waits for which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.execution.gateway import LaneKind, lane_of
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchBooks,
    FetchFigures,
    FetchHistory,
    LatchKill,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
)
from core.model.order import Effect as OrderEffect
from core.model.order import Side
from core.model.staging import Approval
from core.model.values import ClientOrderId, ProposalId, Symbol, TicketId
from tests.kit.rows import table
from tests.unit.core.execution.books import TEN, a_request

ENTRY = a_request(limit="100")
EXIT = replace(ENTRY, side=Side.SELL, effect=OrderEffect.CLOSE)
APPROVAL = Approval("a-1", TicketId("t-1"), None, ENTRY.digest("paper"), TEN)
ONE, OTHER, IBM = ClientOrderId("one"), ClientOrderId("other"), Symbol("IBM")
FIGURES = FetchFigures(ProposalId("p"), None, IBM)


@table(
    "first second",
    (SubmitOrder(ENTRY, APPROVAL), SubmitOrder(replace(ENTRY, symbol=IBM), APPROVAL)),
    (SubmitOrder(ENTRY, APPROVAL), ReplaceOrder(replace(ENTRY, replaces=ONE), APPROVAL, None)),
    (SubmitOrder(EXIT, APPROVAL), ReplaceOrder(replace(EXIT, replaces=ONE), APPROVAL, None)),
)
def test_orders_that_go_one_after_the_other(first: Effect, second: Effect) -> None:
    """EX-22"""
    assert lane_of(first) == lane_of(second)
    assert lane_of(first).width == 1


def test_independent_requests_do_not_wait() -> None:
    """EX-22, OP-07"""
    apart: list[Effect] = [
        SubmitOrder(ENTRY, APPROVAL), SubmitOrder(EXIT, APPROVAL), SubmitOrder(replace(EXIT, symbol=IBM), APPROVAL),
        CancelOrder(ONE, None), CancelOrder(OTHER, None), LookUpOrder(ONE), LookUpOrder(OTHER), FIGURES,
        replace(FIGURES, proposal_id=ProposalId("another")), FetchAccount(), FetchBooks(),
        FetchHistory((IBM,), TEN, TEN),
    ]  # fmt: skip

    assert len({lane_of(effect) for effect in apart}) == len(apart)


def test_a_hanging_cancel_holds_no_repeat() -> None:
    """EX-22, OP-07"""
    assert LaneKind.CANCELS.width > 1
    assert LaneKind.LOOK_UPS.width > 1


def test_what_is_no_request_has_no_lane() -> None:
    """EX-22"""
    with pytest.raises(TypeError, match="LatchKill"):
        lane_of(LatchKill("key"))
