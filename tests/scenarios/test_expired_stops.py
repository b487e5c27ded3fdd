"""What is held over night is not left without a word: a stop that ended with its day is asked for again (EX-13)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.facts import ProposalEnded, ProposalStaged
from core.messages.commands import Decline, OpenTicket, ProposeClose, ProposeOrder
from core.messages.effects import SubmitOrder
from core.model.codes import GuardCode, ProposalEnd
from core.model.order import Effect, OrderStatus, OrderType, StopHolder, TimeInForce
from core.model.signal import ExitReason
from core.model.staging import Proposal
from core.model.values import Quantity
from core.views import DeskView
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.notification_delivery import of_exit
from core.workflows.protection.owed_stops import WITH_ITS_DAY
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.test_extended_hours import a_house as a_house_of
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)


def a_house(*quantities: str, stops: tuple[str, ...] = ("99.80",), friday: str = "100") -> House:
    """Typed buys at 100 with their stops, on a Thursday; Friday's bars at another price."""
    bars = [*minutes("09:30", "09:50", friday, FRIDAY), *minutes("09:30", "09:50", friday, MONDAY)]
    house = a_house_of(*bars, days=(THURSDAY,)).until("10:00")
    for quantity, stop in zip(quantities, stops, strict=True):
        house.presses(a_typed_buy(quantity, limit="100.10", stop=stop))
        confirms_now(house)
        passes(house, 60)
    return house


def pictured(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def life_of_the_stop(house: House) -> tuple[TimeInForce | None, datetime | None]:
    (row,) = pictured(house).positions
    return row.stop_lasts, row.stop_ends_at


def asked_for(house: House) -> list[Proposal]:
    return [f.proposal for f in house.facts(ProposalStaged) if f.proposal.reason == WITH_ITS_DAY.words]


def test_fraction_needs_a_new_stop_each_evening() -> None:
    """EX-13, OP-06: an order of the day again; Alpaca takes no other for fractions."""
    house = a_house("0.2").until("16:01")

    (stop,) = house.stops
    assert stop.status is OrderStatus.EXPIRED
    (proposal,) = asked_for(house)
    assert proposal.is_guard
    assert (proposal.order.stop_price, proposal.order.quantity) == (stop.request.stop_price, stop.request.quantity)
    assert (proposal.order.type, proposal.order.time_in_force) == (OrderType.STOP, TimeInForce.DAY)

    confirms_now(house)
    house.until("09:45", FRIDAY)
    assert house.stops[-1].status is OrderStatus.SUBMITTED
    house.until("16:01", FRIDAY)
    assert len(asked_for(house)) == 2


def test_whole_shares_get_one_gtc_stop() -> None:
    """EX-13: where the broker made the first stop with the entry, as a leg of the day."""
    house = a_house("2")
    close = house.desk.calendar.session_on(THURSDAY).close
    stop = next(row for row in pictured(house).orders if row.is_protective)
    assert (stop.time_in_force, stop.ends_at) == (TimeInForce.DAY, close)
    assert life_of_the_stop(house) == (TimeInForce.DAY, close)
    house.until("16:01")
    assert life_of_the_stop(house) == (None, None)

    (proposal,) = asked_for(house)
    assert proposal.order.time_in_force is TimeInForce.GTC
    confirms_now(house)
    house.until("16:01", MONDAY)
    assert life_of_the_stop(house) == (TimeInForce.GTC, None)

    assert len(asked_for(house)) == 1
    assert house.stops[-1].status is OrderStatus.SUBMITTED


def test_overnight_fall_is_stopped_at_the_open() -> None:
    """EX-13: at the open, below the stop, and said as the stop's."""
    house = a_house("2", friday="98").until("16:01")
    confirms_now(house)

    house.until("09:45", FRIDAY)

    assert house.held() == house.held_by_the_broker() == "0"
    (trade,) = house.desk.ledger.state.trades
    assert trade.exit_reason is ExitReason.STOP_LOSS


def test_expired_stops_merge_at_the_nearer_price() -> None:
    """EX-13"""
    house = a_house("0.2", "0.3", stops=("99.70", "99.80")).until("16:01")

    waiting = house.desk.stage.proposals()
    assert [(str(p.order.quantity), str(p.order.stop_price)) for p in waiting] == [("0.5", "99.80")]


def test_restart_after_the_close_asks_for_the_stop() -> None:
    """EX-13, EX-20: the desk was not there when the stop ended."""
    house = a_house("0.2").until("15:59")
    house.exchange.advance(house.line.at.replace(hour=21, minute=30))
    house.restarted()
    house.until("17:30")

    assert [p.reason for p in house.desk.stage.proposals()] == [WITH_ITS_DAY.words]


def test_closed_position_needs_no_new_stop() -> None:
    """EX-13: its proposal goes with the position."""
    house = a_house("0.2").until("16:01")
    (proposal,) = asked_for(house)
    house.until("09:40", FRIDAY)
    house.presses(ProposeClose(SPY))
    house.presses(OpenTicket(next(p.id for p in house.desk.stage.proposals() if p.is_exit)))
    passes(house, 1)
    house.confirms()
    passes(house, 60)

    assert house.held() == "0"
    assert [f.end for f in house.facts(ProposalEnded) if f.proposal_id == proposal.id] == [ProposalEnd.WITHDRAWN]


def test_a_lost_sale_and_stop_are_sent_again() -> None:
    """EX-13, EX-21, EX-22: both were lost on the way, and no key is asked for."""
    house = a_house_in_a_position(("10:06", "15:59", STEADY))
    part = Quantity(Decimal("0.2"))
    house.presses(ProposeOrder(SPY, Effect.CLOSE, part, OrderType.MARKET, None, None, StopHolder.BROKER))
    house.line.breaks_at(SubmitOrder, arrives=False, times=2)
    confirms_now(house)
    passes(house, 150)

    working = [o for o in house.stops if o.is_working]
    assert sum(o.request.quantity for o in working) == Decimal(house.held_by_the_broker()) == Decimal("0.302")
    assert house.desk.stage.proposals() == ()


def test_an_exit_that_expired_is_proposed_at_once() -> None:
    """EX-13, EX-22: its day passed while the desk was off; whoever signed it declined the stop and is not there"""
    monday = minutes("09:30", "09:50", "100", MONDAY)
    house = a_house_of(*monday, days=(THURSDAY,)).until("10:00")
    house.presses(a_typed_buy("2", limit="100.10", stop="99.80"))
    confirms_now(house)
    house.until("16:01")
    (stop,) = asked_for(house)
    house.presses(ProposeClose(SPY))
    house.presses(OpenTicket(house.desk.stage.proposals()[-1].id))
    passes(house, 1)
    house.confirms()
    passes(house, 1)
    house.presses(Decline(stop.id, ""))
    house = house.is_off_until(at("09:30:30", MONDAY)).restarted().until("09:30:32", MONDAY)

    assert house.sale.status is OrderStatus.EXPIRED
    (proposal,) = house.desk.stage.proposals()
    assert (proposal.guard, proposal.order.quantity) == (GuardCode.EXIT_WITH_ITS_DAY, house.sale.request.quantity)
    assert proposal.is_exit
    assert of_exit(proposal) is not None
    house = house.restarted().until("09:35", MONDAY)
    assert [p.id for p in house.desk.stage.proposals()] == [proposal.id]
