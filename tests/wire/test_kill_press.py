"""The latch between the press and its command: on the wire, with the engine busy at something else in that instant."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from console.commands.assembly.host import Host
from core.messages.commands import Command, Confirm, Halt, Kill, OpenTicket
from core.model.account import ConnectionState
from core.model.order import OrderStatus
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import a_buy_of_two, environ, opened


class HeldBack(deque[Any]):
    """An inbox to whose head a press comes only when the test lets it: the instant between latch and command, long."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go, self.has_begun = threading.Event(), threading.Event()

    def appendleft(self, item: Any) -> None:
        self.has_begun.set()
        self.may_go.wait(30)
        super().appendleft(item)


@pytest.mark.parametrize("press", [Halt("key"), Kill("key")])
def test_a_kill_press_holds_an_order_before_its_command(
    market: LoopbackExchange, tmp_path: Path, press: Command
) -> None:
    """OP-07, OP-08: what the engine obeys in that instant lets the latch go for nobody."""
    with opened(Host.of(environ(market, tmp_path))) as desk:
        desk.waits(
            lambda view: [connection.state for connection in view.status.connections].count(ConnectionState.UP) == 3,
            "three lamps",
        )
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        desk.sends(a_buy_of_two())
        proposal = desk.waits(lambda view: view.proposals, "the proposal").proposals[0]
        desk.sends(OpenTicket(proposal.id))
        ticket = desk.waits(lambda view: view.tickets, "the ticket").tickets[0].ticket
        desk.runtime._commands = held_back = HeldBack()
        pressing = threading.Thread(target=desk.runtime.send, args=(press,), daemon=True)
        pressing.start()
        assert held_back.has_begun.wait(5)

        desk.sends(Confirm(ticket.id, ticket.digest, ticket.order.effect))
        view = desk.waits(lambda view: view.orders and not view.orders[0].status.is_working, "the order's end")
        held_back.may_go.set()
        pressing.join(5)

    assert view.orders[0].status is OrderStatus.CANCELLED
    assert "halted by key" in view.orders[0].reason
    assert market.received("POST", "/v2/orders") == []
