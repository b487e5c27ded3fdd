"""Short sales on the loopback exchange: what the asset says of lending decides, in the words of 2026 (MD-07)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from console.commands.assembly.host import Host
from core.messages.commands import ProposeOrder
from core.model.instrument import Borrow, BrokerInstrument
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, Quantity
from tests.kit.rows import cases
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, a_market, confirm_the_first, environ, opened, says

HARD = "SPY is hard to borrow: needs a locate, which this desk does not ask for"


@contextmanager
def lending(borrow: Borrow, said: str = "") -> Iterator[LoopbackExchange]:
    lent = BrokerInstrument(SPY, borrow=borrow, borrow_said=said)
    with a_market(instruments=(lent,)) as exchange:
        yield exchange


def a_short_of_one() -> ProposeOrder:
    return ProposeOrder(
        SPY, Effect.SHORT, Quantity(Decimal(1)), OrderType.MARKET, None, Price(Decimal(700)), StopHolder.BROKER
    )


def test_a_borrowable_share_is_sold_short(tmp_path: Path) -> None:
    """MD-07, EX-11: the asset has `borrow_status`, and no `easy_to_borrow` any more."""
    with lending(Borrow.EASY) as market, opened(Host.of(environ(market, tmp_path))) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.symbols, "the books agree")
        desk.sends(a_short_of_one())
        confirm_the_first(desk)
        held = desk.waits(lambda view: view.positions, "the short").positions[0]

    assert held.quantity == -1


@cases(
    "borrow said words",
    (Borrow.HARD, "", HARD),
    (Borrow.UNTOLD, "by_appointment", "said in a word unknown here, 'by_appointment'"),
)
def test_a_share_hard_to_borrow_is_not_sold_short(tmp_path: Path, borrow: Borrow, said: str, words: str) -> None:
    """MD-07, EX-11"""
    with lending(borrow, said) as market, opened(Host.of(environ(market, tmp_path))) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.symbols, "the books agree")
        desk.waits(lambda view: words in (view.symbols[0].short_refused or ""), "the order form says it")
        desk.sends(a_short_of_one())
        view = desk.waits(lambda view: says(view, words), "the refusal")
        sent = market.received("POST", "/v2/orders")

    assert (view.proposals, sent) == ((), [])
