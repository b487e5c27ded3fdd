"""An entry never meets an order of one's own; an exit that would takes that entry back, and sells what is left."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Confirm, OpenTicket, ProposeClose, ProposeOrder, RequestCancel
from core.messages.effects import CancelOrder, Effect
from core.messages.inputs import Input
from core.model.broker import Capabilities
from core.model.codes import AuthorizationCode, CancelCode
from core.model.order import Effect as OrderEffect
from core.model.order import OrderType, StopHolder
from core.model.values import Price, Quantity, Symbol
from core.runtime.pending_requests import no_answer
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import FRACTIONS, confirms_now
from tests.scenarios.exchange_requests import CANCEL, MARKET, SELL, sent, submit
from tests.scenarios.house import STEADY, House, a_day, a_typed_buy, minutes
from tests.scenarios.plans import a_buy, a_floor, a_sale, marks, opens, passes, runs_out, signs
from tests.scenarios.test_refused_stops import Refusals
from tests.unit.core.brokers.trading_floor import SPY

AAA = Symbol("AAA")
AS_AT_ALPACA = Capabilities(refuses_wash_trades=True)


BESIDE_A_STOP = (
    "self-cross: the position's stop stands there, {stop} SELL 0.5 SPY stop 99.00: no part of a share is added while "
    "it works; take whole shares, or close first"
)


def types(house: House, quantity: str = "10", limit: str | None = "99.50", stop: str = "99", **terms: object) -> None:
    house.presses(replace(a_typed_buy(quantity, limit=limit, stop=stop), symbol=AAA, **terms))  # type: ignore[arg-type]
    passes(house, 0.1)


def opens_the_last(house: House) -> None:
    house.presses(OpenTicket(house.last(facts.ProposalStaged).proposal.id))
    passes(house, 1)


def confirms_the_last(house: House) -> None:
    ticket = house.last(facts.TicketOpened).ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces))
    passes(house, 1)


def why_not(house: House) -> tuple[str, ...]:
    return house.last(facts.ProposalSkipped).reasons


def holding(quantity: str = "10", capabilities: Capabilities | None = None) -> House:
    """10 AAA were bought by hand at the market; the broker holds their stop at 99."""
    house = a_floor()
    if capabilities is not None:
        house.desk.sightings.capabilities = capabilities
    types(house, quantity, None)
    opens_the_last(house)
    confirms_the_last(house)
    passes(house, 61)
    assert house.held(AAA) == quantity
    return house


def adds(house: House, quantity: str = "5", limit: str = "99.50", stop: str = "99") -> None:
    """One more entry of it rests below the market, without legs: the desk watches its stop."""
    types(house, quantity, limit, stop, stop_holder=StopHolder.DESK)
    opens_the_last(house)
    confirms_the_last(house)
    passes(house, 61)


def a_typed_exit(limit: str, quantity: str = "4") -> ProposeOrder:
    return ProposeOrder(
        symbol=AAA,
        effect=OrderEffect.CLOSE,
        quantity=Quantity(Decimal(quantity)),
        type=OrderType.LIMIT,
        limit_price=Price(Decimal(limit)),
        stop_price=None,
        stop_holder=StopHolder.BROKER,
    )


def resting(house: House) -> str:
    """The only working entry, in the state that it is in."""
    entries = [o for o in house.desk.ledger.state.orders.values() if not o.only_reduces]
    return entries[-1].status.name


def test_an_entry_crossing_an_own_sale_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-25: by hand, at a limit over it; one under it passes"""
    house = holding()
    house.presses(a_typed_exit("100.20"))
    opens_the_last(house)
    confirms_the_last(house)
    sale = next(o for o in house.desk.ledger.working() if o.only_reduces and not o.is_protective)

    types(house, "3", "100.20")
    refused = why_not(house)
    types(house, "3", "100.19")

    assert sale.id[:6] in refused[0]
    assert refused == snapshot
    assert [p.order.limit_price for p in house.desk.stage.proposals()] == [Decimal("100.19")]


def test_a_later_sale_refuses_the_confirmation(snapshot: SnapshotAssertion) -> None:
    """RK-25, OP-03: all checks run again at the key"""
    house = holding()
    types(house, "3", "100.30")
    opens_the_last(house)
    entry = house.ticket
    house.presses(a_typed_exit("100.20"))
    opens_the_last(house)
    confirms_the_last(house)

    house.presses(Confirm(entry.id, entry.digest, entry.order.effect, None))
    passes(house, 1)

    assert house.last(facts.ConfirmationRefused).checks == ("self-cross",)
    assert house.last(facts.ConfirmationRefused).reasons == snapshot


def test_a_basket_row_crossing_an_own_order_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-25, OP-05"""
    house = holding()
    house.presses(a_typed_exit("100.20"))
    opens_the_last(house)
    confirms_the_last(house)

    run = opens(house, a_buy("AAA", "3", limit="100.25"), a_buy("BBB", "3"))

    first, second = (line.refusals for line in run.plan.lines)
    assert (first, second) == (snapshot, ())


def test_a_strategy_entry_crossing_a_typed_order_fails() -> None:
    """RK-25, OP-12: a typed short sale rests where VWAP wants to buy"""
    settings = Settings.model_validate({"risk": {"max_open_positions": 3, "max_notional": {"usd": "500"}}})
    house = House(a_day(("10:06", "10:30", STEADY)), settings, cash=Decimal(5000), multiplier=Decimal(2))
    house.opens().until("10:02")
    short = ProposeOrder(
        symbol=SPY,
        effect=OrderEffect.SHORT,
        quantity=Quantity(Decimal(1)),
        type=OrderType.LIMIT,
        limit_price=Price(Decimal("100.80")),
        stop_price=Price(Decimal("101.50")),
        stop_holder=StopHolder.BROKER,
    )
    house.presses(short)
    passes(house, 0.1)
    opens_the_last(house)
    confirms_the_last(house)
    own = house.entry
    assert own.is_working

    house.until("10:06:01")

    skipped = house.last(facts.ProposalSkipped)
    assert (skipped.strategy, skipped.checks[0]) == ("vwap", "self-cross")
    assert own.id[:6] in skipped.reasons[0]


@pytest.mark.parametrize(
    ("is_alpaca", "found"), [(False, ()), (True, BESIDE_A_STOP)], ids=["prices alone", "as at Alpaca"]
)
def test_a_purchase_over_a_simple_stop_is_foreseen(is_alpaca: bool, found: object) -> None:
    """RK-25, EX-11: its own table says that a limit buy over a stop sale is always rejected"""
    house = House([*minutes("09:55", "10:40")], FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    house.desk.sightings.capabilities = AS_AT_ALPACA if is_alpaca else Capabilities()
    house.presses(a_typed_buy("0.5", limit="100.10", stop="99"))
    confirms_now(house)
    house.until("10:08")
    (stop,) = house.stops
    before = len(house.facts(facts.ProposalSkipped))

    house.presses(a_typed_buy("0.2", limit="99.50", stop="99"))

    reasons = tuple(reason for fact in house.facts(facts.ProposalSkipped)[before:] for reason in fact.reasons)
    assert reasons == (() if not found else (str(found).format(stop=stop.id[:6]),))


def loses_cancels_of(house: House, order_id: str) -> None:
    """No request to cancel this order arrives, nor is answered."""
    ask = house.line.ask

    def answer(effect: Effect) -> Input:
        if isinstance(effect, CancelOrder) and effect.client_order_id == order_id:
            return no_answer(effect, "no answer")
        return ask(effect)

    house.line.ask = answer  # type: ignore[method-assign]


def a_desk_with_fractions(*held: tuple[str, str | None, str]) -> House:
    """As at Alpaca; these were bought by hand, each (quantity, limit, stop)."""
    risk = FRACTIONS.risk.model_copy(update={"max_open_positions": 3})
    settings = FRACTIONS.model_copy(update={"risk": risk})
    house = House([*minutes("09:30", "15:40")], settings, cash=Decimal(10_000)).opens().until("10:05")
    house.desk.sightings.capabilities = AS_AT_ALPACA
    for quantity, limit, stop in held:
        buys(house, quantity, limit, stop)
        passes(house, 60)
    return house


def buys(house: House, quantity: str, limit: str | None, stop: str) -> None:
    house.presses(a_typed_buy(quantity, limit=limit, stop=stop))
    passes(house, 1)
    opens_the_last(house)
    confirms_the_last(house)


def test_an_entry_with_an_unacceptable_stop_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-25, EX-13: a part of a share has a simple stop, and one's own simple purchase rests; whole shares have legs"""
    house = a_desk_with_fractions(("0.2", "97", "96"))
    (resting_buy,) = house.desk.ledger.working_entries()

    house.presses(a_typed_buy("0.5", limit=None, stop="99"))
    passes(house, 1)
    refused = why_not(house)
    before = len(house.facts(facts.ProposalSkipped))
    house.presses(a_typed_buy("1", limit=None, stop="99"))
    passes(house, 1)

    assert resting_buy.id[:6] in refused[0]
    assert refused == snapshot
    assert len(house.facts(facts.ProposalSkipped)) == before


def test_an_entry_barring_anothers_stop_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-25, EX-13: it has no stop of its own at the broker, and would rest where the other's is to go"""
    house = a_desk_with_fractions(("0.2", "97", "96"))
    (first,) = house.desk.ledger.working_entries()

    house.presses(replace(a_typed_buy("0.5", limit="96.50", stop="95"), stop_holder=StopHolder.DESK))
    passes(house, 1)

    (reason,) = why_not(house)
    assert first.id[:6] in reason
    assert reason == snapshot


def barred() -> House:
    """A stop that the broker refused, for the checks let a purchase rest that came before the switch was on."""
    house = a_desk_with_fractions()
    house.desk.sightings.capabilities = Capabilities()
    buys(house, "0.2", "97", "96")
    passes(house, 30)
    Refusals(house, times=2)
    house.presses(a_typed_buy("0.5", limit=None, stop="99"))
    passes(house, 1)
    opens_the_last(house)
    ticket = house.last(facts.TicketOpened).ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, None))
    passes(house, 0.15)
    house.desk.sightings.capabilities = AS_AT_ALPACA
    passes(house, 90)
    return house


def guards(house: House) -> list[Decimal]:
    return [p.order.quantity for p in house.desk.stage.proposals() if p.is_guard]


def test_a_purchase_barring_a_stop_is_cancelled(snapshot: SnapshotAssertion) -> None:
    """RK-25, EX-13: refused once more it waits once more, and nothing new may rest beside it"""
    house = barred()
    assert [o for o in house.desk.ledger.working_entries() if not o.is_cancelling] == []
    waits = guards(house)

    house.presses(a_typed_buy("0.1", limit="97", stop="96"))
    passes(house, 1)
    beside = why_not(house)
    for _ in range(2):
        (guard,) = [p for p in house.desk.stage.proposals() if p.is_guard]
        house.presses(OpenTicket(guard.id))
        passes(house, 1)
        confirms_the_last(house)
        passes(house, 30)
        waits += guards(house)

    assert waits == [Decimal("0.5"), Decimal("0.5")]
    assert beside == snapshot
    assert [o.request.quantity for o in house.stops if o.is_working] == [Decimal("0.5")]


def test_an_exit_cancels_the_crossing_entry_first(snapshot: SnapshotAssertion) -> None:
    """RK-25, EX-21: the ticket names it; nothing is sold before the broker says that it is gone"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)

    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    shown = ViewBuilder(house.engine).draw(house.line.at).tickets[0].cancels_in_words
    before = len(sent(house))
    confirms_the_last(house)
    passes(house, 61)

    assert shown == snapshot
    assert resting(house) == "CANCELLED"
    assert CancelCode.MAKES_WAY in [c.code for c in house.facts(facts.CancelRequested)]
    assert sent(house)[before:] == [CANCEL, CANCEL, submit(SELL, MARKET, "10")]
    assert (house.held(AAA), house.held_by_the_broker(AAA)) == ("0", "0")


def test_a_limit_exit_above_the_entry_leaves_it() -> None:
    """RK-25"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)

    house.presses(a_typed_exit("100.50", "10"))
    opens_the_last(house)
    confirms_the_last(house)
    passes(house, 5)

    assert resting(house) == "SUBMITTED"


def test_a_refused_sale_after_a_cancel_loses_nothing() -> None:
    """RK-25, EX-21: its stop goes back for what is held"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)
    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    house.line.refuses_the_next_order("no")
    confirms_the_last(house)
    passes(house, 30)

    working = [o for o in house.stops if o.is_working]
    assert house.held(AAA) == house.held_by_the_broker(AAA) == "10"
    assert sum(o.remaining for o in working) == 10


def test_an_uncancelled_entry_keeps_the_position() -> None:
    """RK-25, EX-21, EX-22: the close ends, says so, and its stop guards on"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)
    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    house.line.breaks_at(CancelOrder, arrives=False, times=99)
    confirms_the_last(house)
    passes(house, 200)

    house.line.mends()
    passes(house, 60)

    assert house.held(AAA) == house.held_by_the_broker(AAA) == "10"
    assert sum(o.remaining for o in house.stops if o.is_working) == 10


def test_a_restart_between_cancel_and_sale_goes_on() -> None:
    """RK-25, EX-20"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)
    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    house.slows_down(2)
    ticket = house.last(facts.TicketOpened).ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, None))
    passes(house, 3)
    assert [c for c in house.facts(facts.CancelRequested) if c.code is CancelCode.MAKES_WAY]

    house = house.restarted()
    passes(house, 120)

    assert resting(house) == "CANCELLED"
    assert (house.held(AAA), house.held_by_the_broker(AAA)) == ("0", "0")


def test_an_ended_entry_does_not_delay_the_exit() -> None:
    """RK-25, EX-22: what was to make way for it is gone already"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)
    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    (entry,) = house.desk.ledger.working_entries()
    house.presses(RequestCancel(entry.id))
    passes(house, 2)
    confirms_the_last(house)
    passes(house, 61)

    assert house.facts(facts.ConfirmationRefused) == []
    assert house.held(AAA) == "0"


def test_a_basket_sale_cancels_the_entry_in_its_turn() -> None:
    """RK-25, EX-10"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)

    opens(house, a_sale("AAA"))
    marks(house)
    signs(house)
    runs_out(house)

    assert resting(house) == "CANCELLED"
    assert house.held(AAA) == house.held_by_the_broker(AAA) == "0"


def test_a_market_exit_leaves_a_distant_entry() -> None:
    """RK-25, EX-22: on a broker that takes both, only what it would meet makes way"""
    house = holding()
    adds(house, limit="90", stop="89")

    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    (entry,) = house.desk.ledger.working_entries()
    named = house.last(facts.TicketOpened).ticket.cancels
    confirms_the_last(house)
    passes(house, 61)

    assert entry.id not in named
    assert resting(house) == "SUBMITTED"
    assert house.held(AAA) == "0"


def test_an_exit_leaves_an_entry_with_exempt_legs() -> None:
    """RK-25, EX-22: as at Alpaca"""
    house = holding(capabilities=AS_AT_ALPACA)
    types(house, "5", "99.50")
    opens_the_last(house)
    confirms_the_last(house)
    passes(house, 61)

    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    confirms_the_last(house)
    passes(house, 61)

    assert resting(house) == "SUBMITTED"
    assert house.held(AAA) == "0"


@pytest.mark.parametrize(("is_alpaca", "held"), [(False, "0"), (True, "10")], ids=["prices alone", "as at Alpaca"])
def test_a_stuck_entry_delays_no_acceptable_exit(is_alpaca: bool, held: str) -> None:
    """RK-25, EX-22: its cancel is never answered; with the table the close is said to be over, and waits for a key"""
    house = holding(capabilities=AS_AT_ALPACA)
    adds(house)
    house.presses(ProposeClose(AAA))
    opens_the_last(house)
    (entry,) = house.desk.ledger.working_entries()
    assert entry.id in house.last(facts.TicketOpened).ticket.cancels
    if not is_alpaca:
        house.desk.sightings.capabilities = Capabilities()
    loses_cancels_of(house, entry.id)
    confirms_the_last(house)
    passes(house, 100)

    waiting = [p.order.quantity for p in house.desk.stage.proposals() if p.is_exit]
    assert house.held(AAA) == held
    assert waiting == ([Decimal(10)] if is_alpaca else [])
    if is_alpaca:
        assert house.held_by_the_broker(AAA) == "10"
        assert sum(o.remaining for o in house.stops if o.is_working) == 10
        assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(facts.AuthorizationEnded)]
