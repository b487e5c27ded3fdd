"""Entries a day: what was filled, what works and what is confirmed takes one, for a strategy over all symbols."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.order import Order
from core.facts import ConfirmationRefused, EngineStarted, OrderCreated, ProposalSkipped, ProposalStaged
from core.messages.commands import Confirm, EditOrder, OpenTicket, RequestCancel
from core.messages.effects import CancelOrder, SubmitOrder
from core.model.bar import Bar
from core.model.order import Effect as OrderEffect
from core.model.order import OrderStatus
from core.model.values import Price, Symbol
from core.settings.settings import Settings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import STEADY, House, a_day, a_typed_buy, minutes
from tests.scenarios.plans import SETTINGS, a_buy, a_floor, marks, opens, runs_out, signs, the_plan
from tests.unit.core.brokers.trading_floor import IBM, SPY

FRIDAY = date(2026, 11, 20)
AIG = Symbol("AIG")
SECOND = timedelta(seconds=1)


def settings(**risk: object) -> Settings:
    named = {"max_open_positions": 5, "entries_a_day": 1, "portfolio": {"max_exposure": "10"}, **risk}
    return Settings.model_validate({"symbols": ["SPY", "IBM", "AIG"], "risk": named})


def in_ibm(bars: list[Bar]) -> list[Bar]:
    return [replace(bar, symbol=IBM) for bar in bars]


def still_in_aig() -> list[Bar]:
    """A market in which no strategy finds anything."""
    return [replace(bar, symbol=AIG) for bar in minutes("09:30", "15:59", "100", every=10)]


def two_that_signal_in_one_minute(
    *then: tuple[str, str, str], rules: dict[str, Decimal] | None = None, **risk: object
) -> House:
    """It is 10:06: VWAP has staged an entry in SPY and one in IBM."""
    bars = a_day(*(then or (("10:06", "10:30", STEADY),)))
    terms: dict[str, Decimal] = {"cash": Decimal(1000), **(rules or {})}
    house = House(bars + in_ibm(bars) + still_in_aig(), settings(**risk), **terms).opens().until("10:06:01")
    assert sorted(p.symbol for p in house.desk.stage.proposals()) == [IBM, SPY]
    return house


def opens_ticket_of(house: House, symbol: Symbol) -> None:
    (proposal,) = [p for p in house.desk.stage.proposals() if p.symbol == symbol]
    house.presses(OpenTicket(proposal.id))


def turns_the_key_of(house: House, symbol: Symbol) -> None:
    (ticket,) = [t for t in house.desk.stage.state.tickets.values() if t.order.symbol == symbol]
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces))


def sent(house: House) -> list[Order]:
    return [o for o in house.desk.ledger.state.orders.values() if not o.only_reduces]


def row(house: House, key: str = "entries/vwap") -> ProtectionRow:
    return next(r for r in ViewBuilder(house.engine).draw(house.line.at).protections if r.key == key)


def types(house: House, symbol: Symbol, limit: str = "99.40") -> tuple[str, ...]:
    """A typed entry far below the market; why it is not staged, where it is not."""
    before = len(house.facts(ProposalSkipped))
    house.presses(replace(a_typed_buy("0.1", limit=limit, stop="99.10"), symbol=symbol))
    return tuple(reason for fact in house.facts(ProposalSkipped)[before:] for reason in fact.reasons)


def types_and_confirms(house: House, symbol: Symbol) -> Order:
    assert types(house, symbol) == ()
    opens_ticket_of(house, symbol)
    house.until_moment(house.line.at + SECOND)
    turns_the_key_of(house, symbol)
    house.until_moment(house.line.at + SECOND)
    return next(o for o in sent(house) if o.request.symbol == symbol)


def test_one_of_two_simultaneous_signals_passes(snapshot: SnapshotAssertion) -> None:
    """RK-12: both are staged, for nothing is taken yet; the first key takes the day's entry."""
    house = two_that_signal_in_one_minute()
    for symbol in (SPY, IBM):
        opens_ticket_of(house, symbol)
    house.until("10:06:02")
    turns_the_key_of(house, SPY)
    house.until("10:06:03")
    turns_the_key_of(house, IBM)
    house.until("10:06:30")

    assert [o.request.symbol for o in sent(house)] == [SPY]
    (reason,) = house.last(ConfirmationRefused).reasons
    assert reason == snapshot


def test_the_first_confirmation_takes_the_last_entry() -> None:
    """RK-12"""
    house = two_that_signal_in_one_minute()
    for symbol in (SPY, IBM):
        opens_ticket_of(house, symbol)
    house.until("10:06:02")
    house.slows_down(1)
    turns_the_key_of(house, SPY)
    turns_the_key_of(house, IBM)
    house.until("10:06:30")

    assert [o.request.symbol for o in sent(house)] == [SPY]
    assert len(house.facts(ConfirmationRefused)) == 1


def test_a_confirmed_entry_counts_unsent(snapshot: SnapshotAssertion) -> None:
    """RK-12: while its figures are still on their way; not once it was refused"""
    house = two_that_signal_in_one_minute()
    assert types(house, AIG) == ()
    opens_ticket_of(house, AIG)
    house.until_moment(house.line.at + SECOND)
    house.slows_down(1)
    turns_the_key_of(house, AIG)

    assert types(house, SPY) == snapshot
    house.restarted()
    house.until_moment(house.line.at + 3 * SECOND)
    assert sent(house) == []
    assert types(house, SPY) == ()


def test_with_two_entries_left_both_pass() -> None:
    """RK-12"""
    house = two_that_signal_in_one_minute(entries_a_day=2)
    for symbol in (SPY, IBM):
        opens_ticket_of(house, symbol)
    house.until("10:06:02")
    for symbol in (SPY, IBM):
        turns_the_key_of(house, symbol)
    house.until("10:06:30")

    assert sorted(o.request.symbol for o in sent(house)) == [IBM, SPY]
    assert (row(house).used, row(house).is_full) == (1, True)


def test_a_cancelled_unfilled_entry_is_given_back(snapshot: SnapshotAssertion) -> None:
    """RK-12: what is typed counts among what is typed"""
    house = two_that_signal_in_one_minute()
    order = types_and_confirms(house, AIG)

    assert types(house, SPY) == snapshot
    house.presses(RequestCancel(order.id))
    house.until_moment(house.line.at + 5 * SECOND)
    assert house.desk.ledger.state.orders[order.id].status is OrderStatus.CANCELLED
    assert not any("trade frequency" in reason for reason in types(house, SPY))


def test_a_typed_entry_takes_none_of_a_strategy() -> None:
    """RK-12"""
    house = two_that_signal_in_one_minute()
    types_and_confirms(house, AIG)
    opens_ticket_of(house, SPY)
    house.until_moment(house.line.at + SECOND)
    turns_the_key_of(house, SPY)
    house.until("10:06:30")

    assert sorted(o.request.symbol for o in sent(house)) == [AIG, SPY]


def test_a_rejected_entry_takes_none() -> None:
    """RK-12"""
    house = two_that_signal_in_one_minute()
    opens_ticket_of(house, SPY)
    house.until("10:06:02")
    house.line.refuses_the_next_order("insufficient buying power")
    turns_the_key_of(house, SPY)
    house.until("10:06:05")
    assert sent(house)[0].status is OrderStatus.REJECTED
    opens_ticket_of(house, IBM)
    house.until("10:06:06")
    turns_the_key_of(house, IBM)
    house.until("10:06:30")

    assert house.held(IBM) == "0.502"


def test_an_order_in_doubt_takes_one() -> None:
    """RK-12, EX-06"""
    house = two_that_signal_in_one_minute(("10:06", "10:30", STEADY))
    house.line.breaks_at(SubmitOrder, arrives=False)
    opens_ticket_of(house, SPY)
    house.until("10:06:02")
    turns_the_key_of(house, SPY)
    house.until("10:06:05")
    assert house.desk.ledger.chains.is_in_doubt(sent(house)[0])

    assert row(house).used == 1
    house.until("10:15")
    assert sent(house)[0].status is OrderStatus.CANCELLED
    assert row(house).used == 0


def test_a_partial_fill_takes_one() -> None:
    """RK-12"""
    then = (("10:06", "10:06", "99.60"), ("10:07", "10:30", "99.90"))
    house = two_that_signal_in_one_minute(*then, rules={"participation": Decimal("0.000002")})
    opens_ticket_of(house, SPY)
    house.until("10:06:02")
    turns_the_key_of(house, SPY)
    house.until("10:09")
    (order,) = sent(house)

    assert order.status is OrderStatus.CANCELLED
    assert 0 < order.filled_quantity < order.request.quantity
    assert row(house).used == 1


@pytest.mark.parametrize("restarts", [False, True])
def test_a_restart_keeps_the_count(restarts: bool, snapshot: SnapshotAssertion) -> None:
    """RK-12, RK-09: but for a key that was turned and not sent, which is void"""
    house = two_that_signal_in_one_minute()
    order = types_and_confirms(house, AIG)
    if restarts:
        house.restarted()
        house.until_moment(house.line.at + 5 * SECOND)
        assert len(house.facts(EngineStarted)) == 2

    assert house.desk.ledger.state.orders[order.id].is_working
    assert types(house, SPY) == snapshot


def test_the_next_day_has_its_own_entries() -> None:
    """RK-12"""
    bars = a_day(("10:06", "10:40", STEADY)) + minutes("09:30", "10:30", "99.60", FRIDAY)
    house = House(bars + in_ibm(bars) + still_in_aig(), settings(), cash=Decimal(1000)).opens().until("10:06:01")
    types_and_confirms(house, AIG)
    house.until("10:06", FRIDAY)

    assert types(house, SPY) == ()


def test_an_edit_takes_no_further_entry() -> None:
    """RK-12, EX-17"""
    house = two_that_signal_in_one_minute()
    order = types_and_confirms(house, AIG)
    house.presses(EditOrder(order.id, order.request.quantity, Price(Decimal("99.30")), None))
    (proposal,) = [p for p in house.desk.stage.proposals() if p.order.replaces == order.id]
    house.presses(OpenTicket(proposal.id))
    house.until_moment(house.line.at + SECOND)
    turns_the_key_of(house, AIG)
    house.until_moment(house.line.at + 5 * SECOND)

    assert [o.request.limit_price for o in sent(house) if o.is_working] == [Decimal("99.30")]
    assert row(house, "entries/manual").used == 1


def test_an_exit_takes_no_entry(snapshot: SnapshotAssertion) -> None:
    """RK-12, RK-22"""
    house = two_that_signal_in_one_minute()
    opens_ticket_of(house, SPY)
    house.until("10:06:02")
    turns_the_key_of(house, SPY)
    house.until("10:06:30")
    house.presses(replace(a_typed_buy("0.502", limit=None, stop=None), effect=OrderEffect.CLOSE))

    (review,) = [f.review for f in house.facts(ProposalStaged) if f.proposal.order.effect is OrderEffect.CLOSE]
    assert {v.check: v.reason for v in review.verdicts}["trade frequency"] == snapshot


def test_a_plan_opens_no_more_than_are_left(snapshot: SnapshotAssertion) -> None:
    """RK-12, OP-05: its dry run says which; those that are signed and have not had their turn count"""
    few = SETTINGS.model_copy(update={"risk": SETTINGS.risk.model_copy(update={"entries_a_day": 2})})
    house = a_floor(few)
    opens(house, a_buy("GGG"), a_buy("HHH"), a_buy("III"))
    run = the_plan(house)
    refused = {line.proposal.symbol: line.refusals for line in run.plan.lines}
    marks(house)
    signs(house)
    signed = house.desk.signed_entries("manual")
    runs_out(house)

    assert (refused[Symbol("GGG")], refused[Symbol("HHH")]) == ((), ())
    assert refused[Symbol("III")] == snapshot
    assert len(signed) == 2
    assert [o.request.symbol for o in sent(house)] == ["GGG", "HHH"]
    assert len(house.facts(OrderCreated)) == 4  # each with its stop


def test_a_pending_cancel_gives_nothing_back() -> None:
    """RK-12"""
    house = two_that_signal_in_one_minute()
    order = types_and_confirms(house, AIG)
    house.line.breaks_at(CancelOrder, arrives=False, times=3)
    house.presses(RequestCancel(order.id))
    house.until_moment(house.line.at + SECOND)

    assert types(house, SPY)[0].startswith("trade frequency: FULL")
