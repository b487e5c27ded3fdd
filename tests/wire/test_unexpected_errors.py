"""Something that nobody foresaw, on the wire: a sale leaves although its stop raises, deadlines come beside another."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.commands.assembly.host import Host
from core.facts import Halted
from core.messages.commands import ProposeOrder
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Quantity
from core.workflows.orders.position_close import PositionClose
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, confirm_the_first, environ, opened, two_shares_are_bought, written

A_PART = ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal(1)), OrderType.MARKET, None, None, StopHolder.BROKER)
OFTEN = {"KEYTURN_RECONCILIATION__EVERY_SECONDS": "1"}


def raises(*_: object) -> Any:
    raise ZeroDivisionError("unforeseen")


def test_a_partial_sale_is_sent_when_its_stop_raises(
    market: LoopbackExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-14, EX-22"""
    monkeypatch.setattr(PositionClose, "_put_back", raises)
    with opened(Host.of(environ(market, tmp_path))) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        two_shares_are_bought(desk)
        desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "a covered position")
        desk.sends(A_PART)
        confirm_the_first(desk)
        view = desk.waits(lambda view: view.positions[0].quantity == 1, "the sale")

    assert [position.quantity for position in market.positions()] == [1]
    assert view.status.word == "halted"


def test_books_are_compared_when_a_deadline_raises(
    market: LoopbackExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-14, EX-09: said once, and nothing spins."""
    with opened(Host.of(environ(market, tmp_path, **OFTEN))) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        monkeypatch.setattr(PositionClose, "due", raises)
        before = len(market.received("GET", "/v2/positions"))
        desk.waits(lambda _: len(market.received("GET", "/v2/positions")) >= before + 3, "three more comparisons")

    assert [f.reason for f in written(desk) if isinstance(f, Halted)] == ["ZeroDivisionError: unforeseen"]
