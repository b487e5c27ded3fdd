"""An order of one leg in shares is what it ever was; one that names its legs can be written, signed and refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest
from syrupy.assertion import SnapshotAssertion

from core.brokers.alpaca.order_format import a_submission
from core.execution.gateway import Gateway
from core.facts import OrderCreated
from core.messages.effects import SubmitOrder
from core.model.broker import Refused
from core.model.instrument import WHOLE_ONES, AssetClass, Instrument, share
from core.model.order import (
    Effect,
    InstrumentLeg,
    InstrumentOrder,
    OrderRequest,
    OrderType,
    SeveralLegsError,
    Side,
    traded_in,
)
from core.model.staging import Approval, CheckResult, NoStop
from core.model.values import ClientOrderId, Digest, Price, ProposalId, Quantity, Symbol, TicketId
from core.risk.gate import Candidate
from core.risk.standard_gate import standard_gate
from state.codec import GENESIS, decode, encode
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import Floor
from tests.unit.core.risk.reviews import a_desk

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SPY = Symbol("SPY")


def a_call(strike: int) -> Instrument:
    return Instrument(Symbol(f"SPY261218C00{strike}000"), AssetClass.OPTION, Decimal(100), lots=WHOLE_ONES)


def a_limit(symbol: Symbol = SPY, side: Side = Side.BUY, effect: Effect = Effect.OPEN) -> OrderRequest:
    return OrderRequest(
        ClientOrderId("0123456789abcdef"), symbol, side, effect, Quantity(Decimal(2)), OrderType.LIMIT,
        limit_price=Price(Decimal("3.10")),
    )  # fmt: skip


def a_spread(effect: Effect = Effect.OPEN) -> InstrumentOrder:
    legs = (InstrumentLeg(a_call(500), Quantity(Decimal(1))), InstrumentLeg(a_call(510), Quantity(Decimal(-1))))
    plain = a_limit(effect=effect)
    return InstrumentOrder(
        plain.client_order_id, plain.symbol, plain.side, effect, plain.quantity, plain.type,
        limit_price=plain.limit_price, instrument_legs=legs,
    )  # fmt: skip


def created(order: OrderRequest) -> OrderCreated:
    return OrderCreated(
        order=order, proposal_id=ProposalId("p"), strategy="manual", signal_time=AT, stop=None, parent=None,
        exit_reason=None, intended_price=None, reference=None, expires_at=None,
    )  # fmt: skip


def test_a_share_order_has_one_leg() -> None:
    """MD-07"""
    bought, sold = a_limit(), a_limit(side=Side.SELL, effect=Effect.SHORT)

    assert bought.instrument_legs == (InstrumentLeg(share(SPY), Quantity(Decimal(1))),)
    assert bought.moves(bought.quantity) == ((share(SPY), Decimal(2)),)
    assert sold.moves(sold.quantity) == ((share(SPY), Decimal(-2)),)
    assert bought.is_of_one_leg


def test_a_share_orders_digest_is_unchanged() -> None:
    """SP-07, OP-02: its digest and its line in a journal, letter by letter"""
    order = a_limit()
    said = "paper\x1f0123456789abcdef\x1fSPY\x1fbuy\x1fopen\x1f2\x1flimit\x1fday\x1f3.1\x1f-"

    line, _ = encode(1, AT, created(order), GENESIS)

    assert order.digest("paper") == sha256(said.encode()).hexdigest()
    assert (
        b'"order":{"client_order_id":"0123456789abcdef","symbol":"SPY","side":"buy","effect":"open","quantity":"2",'
        b'"type":"limit","time_in_force":"day","limit_price":"3.10","stop_price":null,"replaces":null,'
        b'"trail_price":null,"trail_fraction":null,"order_class":"simple","legs":[],"extended_hours":false}'
    ) in line
    assert traded_in(share(SPY), order) is order


@table("order", traded_in(a_call(500), a_limit(a_call(500).symbol)), a_spread())
def test_an_order_with_legs_round_trips(order: InstrumentOrder) -> None:
    """SP-07"""
    line, _ = encode(1, AT, created(order), GENESIS)

    read = decode(line[:-1]).fact

    assert isinstance(read, OrderCreated)
    assert read.order == order
    assert type(read.order) is InstrumentOrder


def test_each_leg_is_signed() -> None:
    """OP-02: another instrument, multiplier or ratio is another order"""
    spread = a_spread()
    first, second = spread.instrument_legs
    others = [
        replace(spread, instrument_legs=(first, replace(second, ratio=Quantity(Decimal(-2))))),
        replace(spread, instrument_legs=(first, replace(second, instrument=a_call(520)))),
        replace(
            spread,
            instrument_legs=(replace(first, instrument=replace(first.instrument, multiplier=Decimal(10))), second),
        ),
        a_limit(),
    ]

    assert len({order.digest("paper") for order in (spread, *others)}) == 5


def test_one_leg_costs_by_its_instrument() -> None:
    """EX-08"""
    call = traded_in(a_call(500), a_limit(a_call(500).symbol))

    assert (call.cost(Decimal("3.10")), call.risk(Decimal("0.50"))) == (620, 100)
    assert (a_limit().cost(Decimal("3.10")), a_limit().risk(Decimal("0.50"))) == (Decimal("6.20"), 1)
    assert call.moves(call.quantity) == ((a_call(500), Decimal(2)),)


def test_each_leg_has_its_signed_quantity() -> None:
    """MD-07"""
    spread = a_spread()

    assert spread.moves(spread.quantity) == ((a_call(500), Decimal(2)), (a_call(510), Decimal(-2)))
    with pytest.raises(SeveralLegsError):
        _ = spread.instrument


def test_a_contradicting_leg_is_refused() -> None:
    """EX-11: no record of one refuses a start, so the gate does"""
    one = traded_in(a_call(500), a_limit(a_call(500).symbol))
    assert isinstance(one, InstrumentOrder)
    leg = one.instrument_legs[0]

    for legs in [(), (replace(leg, instrument=a_call(510)),), (replace(leg, ratio=Quantity(Decimal(-1))),)]:
        candidate = Candidate(replace(one, instrument_legs=legs), NoStop("it closes"), "manual", AT, is_manual=True)
        assert [v.check for v in standard_gate().review(candidate, a_desk()).refusals] == ["legs"]
    assert one.is_of_one_leg


@pytest.mark.parametrize("effect", [Effect.OPEN, Effect.CLOSE])
def test_the_gate_refuses_multi_leg_orders(effect: Effect, snapshot: SnapshotAssertion) -> None:
    """RK-01, EX-11: it says why, and no check weighs what it cannot"""
    candidate = Candidate(a_spread(effect), NoStop("it closes"), "manual", AT, is_manual=True)

    review = standard_gate().review(candidate, a_desk())

    assert [(v.check, v.standing) for v in review.verdicts] == [("legs", CheckResult.REFUSES)]
    assert review.verdicts[0].reason == snapshot


class Open:
    def shut(self) -> str | None:
        return None


def test_the_gateway_sends_no_multi_leg_order(snapshot: SnapshotAssertion) -> None:
    """OP-02, EX-11"""
    order = a_spread()
    approval = Approval("a", TicketId("t"), None, Digest(order.digest("paper")), AT + timedelta(seconds=5))

    withheld = Gateway("paper", Open()).refusal(SubmitOrder(order, approval), AT)

    assert withheld is not None
    assert withheld.words == snapshot


def test_no_adapter_takes_a_multi_leg_order(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    with pytest.raises(SeveralLegsError):
        a_submission(a_spread())

    floor = Floor()
    answer = floor.exchange.submit(AT, a_spread())
    assert isinstance(answer, Refused)
    assert answer.message == snapshot
    assert floor.exchange.orders(AT) == ()
