"""A trailing stop and a target for what is held: what each takes the place of, and what is refused (EX-12, EX-21)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.execution.order import Order
from core.facts import CancelRequested, ProposalEnded, ProposalSkipped, TradeClosed
from core.messages.commands import Decline, ProposeClose, RequestCancel, SetTarget, TrailStop
from core.messages.inputs import QuoteArrived
from core.model.codes import CancelCode
from core.model.order import LegRole, OrderClass, OrderType, StopKnown, TimeInForce
from core.model.signal import ExitReason
from core.model.values import Fraction, Price
from core.trading_state.watched_symbols import see_trail
from core.views.builders.desk import ViewBuilder
from core.workflows.staging.manual_proposals import BESIDE_A_TRAIL, NO_DISTANCE
from tests.kit.rows import cases
from tests.scenarios.changes import ABOVE, ROOMY, confirms_now, passes
from tests.scenarios.exchange_requests import BUY, CANCEL, LIMIT, SELL, sent, submit
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_typed_buy
from tests.unit.core.brokers.trading_floor import SPY, a_quote

VWAP, TRAIL = "vwap", OrderType.TRAILING_STOP


def usd(text: str) -> Price:
    return Price(Decimal(text))


def a_trail(part: str = "0.005") -> TrailStop:
    return TrailStop(SPY, VWAP, trail_fraction=Fraction(Decimal(part)))


def in_a_position(*then: tuple[str, str, str]) -> House:
    """20 SPY of VWAP at 99.60, their stop at 99.30."""
    house = House(a_day(*(then or (("10:06", "10:30", STEADY),))), ROOMY, cash=Decimal(10_000)).opens().until("10:06")
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    assert house.held() == "20"
    return house


def with_a_target() -> House:
    """15 typed SPY with a stop at 99.30 and a target at 101."""
    house = House(a_day(("10:06", "10:30", ABOVE)), ROOMY, cash=Decimal(10_000)).opens().until("10:08")
    house.presses(replace(a_typed_buy("15"), limit_price=usd("99.70"), target_price=usd("101")))
    confirms_now(house)
    house.until("10:08:30")
    assert house.held() == "15"
    return house


def working_trail(house: House) -> Order:
    return next(order for order in house.desk.ledger.working() if order.request.type.trails)


def known_of(house: House) -> StopKnown:
    return ViewBuilder(house.engine).draw(house.line.at).positions[0].stop_known


def refused(house: House) -> tuple[str, ...]:
    return house.last(ProposalSkipped).reasons


def test_a_trail_takes_the_place_of_the_stop() -> None:
    """EX-12, EX-18, EX-21: the stop is gone before the new one leaves, and every share is covered again"""
    then = (
        ("10:06", "10:08", STEADY),
        ("10:09", "10:09", "99.60 101 99.60 101"),
        ("10:10", "10:20", "101 101 100 100"),
    )
    house = in_a_position(*then)

    house.presses(a_trail())
    confirms_now(house)
    house.until("10:08:30")
    assert sent(house) == [submit(BUY, LIMIT, "20"), CANCEL, submit(SELL, TRAIL, "20")]
    assert [fact.code for fact in house.facts(CancelRequested)] == [CancelCode.EXCHANGED]
    assert house.desk.ledger.exits.covered(SPY, VWAP) == 20

    house.until("10:12")
    trade = house.last(TradeClosed).trade
    assert (trade.exit_reason, trade.exit_price > 100) == (ExitReason.TRAILING_STOP, True)


def test_no_quote_lowers_a_trail_that_the_broker_did_not_price() -> None:
    """EX-12"""
    house = in_a_position()
    house.presses(a_trail())
    confirms_now(house)
    house.until("10:06:40")
    seen = []
    for middle in ("99.60", "99.40"):
        house.line.take(house.line.at, QuoteArrived(a_quote("10:06:40", middle, middle)))
        seen.append(ViewBuilder(house.engine).draw(house.line.at).positions[0].stop_price)
    assert len({*seen}) == 1, [str(price) for price in seen]
    assert known_of(house) is StopKnown.GUESSED
    see_trail(house.engine.state, working_trail(house), usd("99.20"))
    assert known_of(house) is StopKnown.PASSED


def test_a_target_and_the_stop_become_a_pair() -> None:
    """EX-12: the stop stays where it was, as the other half"""
    house = in_a_position()

    house.presses(SetTarget(SPY, VWAP, usd("100.50")))
    assert ViewBuilder(house.engine).draw(house.line.at).proposals[0].is_target
    confirms_now(house)
    passes(house, 5)

    assert sent(house) == [submit(BUY, LIMIT, "20"), CANCEL, submit(SELL, LIMIT, "20")]
    assert [fact.code for fact in house.facts(CancelRequested)] == [CancelCode.EXCHANGED]
    pair = next(o for o in house.desk.ledger.state.orders.values() if o.request.order_class is OrderClass.OCO)
    stop = next(o for o in house.desk.ledger.state.orders.values() if o.parent == pair.id)
    assert (pair.request.limit_price, stop.request.stop_price) == (Decimal("100.50"), Decimal("99.30"))
    assert house.desk.ledger.exits.covered(SPY, VWAP) == 20
    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert (row.stop_price, row.targets) == (Decimal("99.30"), (Decimal("100.50"),))


def test_a_rejected_pair_gives_the_stop_back() -> None:
    """EX-21"""
    house = in_a_position()
    house.presses(SetTarget(SPY, VWAP, usd("100.50")))

    house.opens_ticket()
    passes(house, 1)
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    assert (ticket.stop_goes_back, ticket.stop_lasts) == (True, TimeInForce.DAY)
    house.confirms()
    house.line.refuses_the_next_order("no pairs today")
    passes(house, 5)

    assert house.desk.ledger.exits.covered(SPY, VWAP) == 20
    (stop,) = [o for o in house.stops if o.is_working]
    assert (stop.request.type, stop.request.stop_price) == (OrderType.STOP, Decimal("99.30"))


def test_a_close_withdraws_a_trail_that_waits() -> None:
    """OP-04: a proposal that waits for its key blocks neither a close nor the next trail"""
    house = in_a_position()
    house.presses(a_trail())
    first = house.proposal.id
    house.presses(a_trail("0.01"))
    second = house.proposal
    assert house.last(ProposalEnded).proposal_id == first
    assert second.order.trail_fraction == Decimal("0.01")

    house.presses(ProposeClose(SPY, strategy=VWAP))
    assert house.last(ProposalEnded).proposal_id == second.id
    assert house.proposal.order.type is OrderType.MARKET

    house.presses(a_trail())
    assert house.proposal.order.type is OrderType.MARKET


def test_what_cannot_guard_is_refused() -> None:
    """EX-12: a target on the wrong side would sell at once; a distance is one number below the price"""
    house = in_a_position()
    for target in ("99", "99.59", "0"):
        house.presses(SetTarget(SPY, VWAP, usd(target)))
        assert not house.desk.stage.proposals(), target
    wrong = (None, None), ("0", None), ("100", None), (None, "1"), (None, "0"), ("1", "0.01")
    for price, part in wrong:
        command = TrailStop(
            SPY, VWAP, None if price is None else usd(price), None if part is None else Fraction(Decimal(part))
        )
        house.presses(command)
        assert refused(house) == (NO_DISTANCE,), command
    house.presses(SetTarget(SPY, "momentum", usd("101")))
    assert not house.desk.stage.proposals()

    house.presses(a_trail())
    confirms_now(house)
    passes(house, 5)
    house.presses(SetTarget(SPY, VWAP, usd("101")))
    assert refused(house) == (BESIDE_A_TRAIL,)


def test_fractions_neither_trail_nor_pair() -> None:
    """EX-12: the broker takes either for whole shares only, so the stop is not cancelled for one"""
    house = a_house_in_a_position()
    for command in (a_trail(), SetTarget(SPY, house.entry.strategy, usd("101"))):
        house.presses(command)
        assert not house.desk.stage.proposals()
    assert house.desk.ledger.exits.covered(SPY, VWAP) == Decimal("0.502")


def test_a_ticket_names_the_target_that_it_loses() -> None:
    """EX-21: closing a part puts the stop back and no target, and the ticket says which is lost"""
    house = with_a_target()
    for command, lost in (
        (ProposeClose(SPY, part=Fraction(Decimal("0.5")), strategy="manual"), ("101.00",)),
        (TrailStop(SPY, "manual", trail_price=usd("0.50")), ("101.00",)),
        (SetTarget(SPY, "manual", usd("102")), ()),
        (ProposeClose(SPY, strategy="manual"), ()),
    ):
        for waiting in house.desk.stage.proposals():
            house.presses(Decline(waiting.id, "for the test"))
        house.presses(command)
        house.opens_ticket()
        passes(house, 1)
        (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
        assert ticket.lost_targets == lost, command


@cases(
    "guard lost back",
    (a_trail(), (), ("10 trailing stop 0.5 % behind, from about 99.08, now 99.08",)),
    (SetTarget(SPY, VWAP, usd("100.50")), ("100.50",), ("10 at 99.30",)),
)
def test_a_half_close_says_what_guards_the_rest(
    guard: TrailStop | SetTarget, lost: tuple[str, ...], back: tuple[str, ...]
) -> None:
    """EX-21, OP-03: a trailing stop comes back as it trails; a pair's stop without its target"""
    house = in_a_position()
    house.presses(guard)
    confirms_now(house)
    passes(house, 5)

    house.presses(ProposeClose(SPY, part=Fraction(Decimal("0.5")), strategy=VWAP))
    house.opens_ticket()
    passes(house, 1)
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    house.confirms()
    passes(house, 10)

    assert (ticket.lost_targets, ticket.put_back_in_words) == (lost, back)
    (stop,) = [o for o in house.desk.ledger.state.orders.values() if o.is_working]
    assert (stop.request.type.trails, stop.request.quantity) == (isinstance(guard, TrailStop), Decimal(10))


def test_a_half_close_names_a_target_without_a_stop() -> None:
    """EX-21: nothing is put back, and the ticket says so of the target too"""
    house = in_a_position()
    house.presses(SetTarget(SPY, VWAP, usd("100.50")))
    target = house.proposal
    assert target.order.legs
    stop = house.stops[-1]
    house.presses(Decline(target.id, "for the test"))
    house.presses(RequestCancel(stop.id))
    passes(house, 5)
    house.presses(SetTarget(SPY, VWAP, usd("100.50")))
    assert not house.proposal.order.legs
    confirms_now(house)
    passes(house, 5)

    house.presses(ProposeClose(SPY, part=Fraction(Decimal("0.5")), strategy=VWAP))
    house.opens_ticket()
    passes(house, 1)
    (ticket,) = ViewBuilder(house.engine).draw(house.line.at).tickets

    assert (ticket.lost_targets, ticket.put_back_in_words) == (("100.50",), ())


def test_a_pair_lasts_as_long_as_its_stop() -> None:
    """EX-12: a stop good until cancelled is not replaced by a day order"""
    house = with_a_target()
    house.presses(SetTarget(SPY, "manual", usd("102")))
    stop = next(o for o in house.desk.ledger.state.orders.values() if o.role is LegRole.STOP)
    assert house.proposal.order.time_in_force is stop.request.time_in_force
