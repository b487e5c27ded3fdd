"""The live desk on the loopback exchange: figures that were taken before another order filled, and came after it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from core.facts import ConfirmationRefused, OrderCreated
from core.io.wall_clock import utc_now
from core.messages.commands import Confirm, OpenTicket, ProposeOrder
from core.model.order import Effect, OrderType, StopHolder
from core.model.staging import Ticket
from core.model.values import Price, Quantity
from tests.kit.timeline import timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, Open, a_market, environ, opened, written

DOLLARS = Decimal(40)


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    """Real time, 10:05 in New York, and a cash account of 60 USD."""
    with a_market(cash=Decimal(60), multiplier=Decimal(1)) as exchange:
        yield exchange


def settings(market: LoopbackExchange, home: Path) -> dict[str, str]:
    more = {"KEYTURN_RISK__ENTRIES_A_DAY": "9", "KEYTURN_RISK__PORTFOLIO__MAX_EXPOSURE": "9"}
    more |= {"KEYTURN_RISK__TWINS__ENABLED": "false", "KEYTURN_RISK__PORTFOLIO__SYMBOL_EXPOSURE": "9"}
    more["KEYTURN_RISK__MAX_DAY_VALUE__USD"] = "1000"
    return environ(market, home, **{"KEYTURN_PROFILE": "micro", **more})


def two_tickets(desk: Open) -> list[Ticket]:
    """Each buys 40 USD of SPY at the market."""
    desk.waits(lambda view: view.status.word == "on", "the books agree")
    last = desk.waits(lambda view: view.symbols and view.symbols[0].last, "a price").symbols[0].last
    assert last is not None
    shares = Quantity((DOLLARS / last).quantize(Decimal("0.001")))
    stop = Price((last * Decimal("0.98")).quantize(Decimal("0.01")))
    for _ in range(2):
        desk.sends(ProposeOrder(SPY, Effect.OPEN, shares, OrderType.MARKET, None, stop, StopHolder.BROKER))
    for proposal in desk.waits(lambda view: len(view.proposals) > 1, "two proposals").proposals:
        desk.sends(OpenTicket(proposal.id))
    return [view.ticket for view in desk.waits(lambda view: len(view.tickets) > 1, "two tickets").tickets]


def nobody_asks(market: LoopbackExchange) -> int:
    """How often the account was asked for, once nothing but a key will ask: what is slow next is the key's."""
    timeline().advance(10)
    assert 5 < utc_now().second < 50  # at its turn the bar asks
    return len(market.received("GET", "/v2/account"))


def turns(desk: Open, ticket: Ticket) -> None:
    desk.sends(Confirm(ticket.id, ticket.digest, ticket.order.effect))


def test_two_orders_cannot_spend_the_same_cash(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-03"""
    with opened(Host.of(settings(market, tmp_path))) as desk:
        first, second = two_tickets(desk)
        asked = nobody_asks(market)
        market.make("slow", of="account", seconds=2)
        turns(desk, second)
        desk.waits(lambda _: len(market.received("GET", "/v2/account")) > asked, "the second's figures are taken")
        turns(desk, first)
        desk.waits(lambda view: view.positions, "the first is filled")
        desk.waits(lambda view: second.id not in [row.ticket.id for row in view.tickets] or refused(desk), "an answer")

    told = written(desk)
    bought = [f.order.client_order_id for f in told if isinstance(f, OrderCreated) and not f.order.effect.only_reduces]
    (refusal,) = [fact for fact in told if isinstance(fact, ConfirmationRefused)]
    assert bought == [first.order.client_order_id]
    assert refusal.ticket_id == second.id
    assert [reason.partition(":")[0] for reason in refusal.reasons] == ["self-cross", "buying power"]


def refused(desk: Open) -> bool:
    return bool(desk.runtime.engine.state.stage.state.refusals)
