"""A confirmed close whose cancels the broker does not answer: when it is late, told, and taken back (EX-21, EX-22)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core import facts
from core.messages.commands import ProposeClose, RequestCancel, TakeBackExits
from core.messages.effects import CancelOrder
from core.model.broker import BrokerPosition, Capabilities
from core.model.order import StopHolder
from core.model.values import Price, Quantity
from core.settings.settings import Settings
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy
from tests.scenarios.receivers import Receivers, with_receivers
from tests.scenarios.receivers import settings as with_notices
from tests.scenarios.test_clock_jumps import FORWARD, hears
from tests.scenarios.test_held_exits import confirms_a_close, is_refused
from tests.scenarios.test_limited_queries import HOURS, at_a_limit, fills_the_minute
from tests.scenarios.test_lost_stops import elsewhere, stop_at, wide
from tests.scenarios.test_restored_stops import LONG, owed, watched
from tests.scenarios.test_self_cross import loses_cancels_of
from tests.scenarios.test_stops_after_a_close import enters, holding_six, quiet_but, working
from tests.unit.core.brokers.trading_floor import SPY

pytestmark = pytest.mark.usefixtures("timeline", "differing")


def closes(house: House, shares: str | None = None) -> None:
    house.presses(ProposeClose(SPY, quantity=None if shares is None else Quantity(Decimal(shares))))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 1)


def taken_back() -> House:
    """In a clock's doubt, the cancel of its stop has no answer; taken back after its time."""
    house = holding_six(LONG)
    hears(house, FORWARD)
    loses_cancels_of(house, stop_at(house, "99").id)
    closes(house)
    passes(house, 70)
    house.presses(TakeBackExits(SPY, "manual"))
    return house


def told(house: House) -> list[str]:
    return [fact.notice.words for fact in house.facts(facts.NotificationDue) if "is not sent" in fact.notice.words]


@pytest.mark.parametrize("in_doubt", [False, True])
def test_a_close_of_watched_shares_passes_over_an_entry(in_doubt: bool) -> None:
    """EX-22, EX-23: its cancel has no answer; it holds none of the shares"""
    house = House(quiet_but(LONG), wide(ROOMY), cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:05")
    watched(house, LONG)
    enters(house, LONG, "5", "99.00", "97", stop_holder=StopHolder.DESK)
    house.desk.sightings.capabilities = Capabilities(refuses_wash_trades=True)
    if in_doubt:
        hears(house, FORWARD)
    (entry,) = house.desk.ledger.working_entries()
    loses_cancels_of(house, entry.id)
    house.presses(ProposeClose(SPY))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.desk.sightings.capabilities = Capabilities()
    house.confirms()
    passes(house, 200)

    assert entry.id in house.last(facts.TicketOpened).ticket.cancels
    assert house.held_by_the_broker() == "0"


def test_a_new_close_is_not_late_by_an_older_cancel(differing: dict[str, Decimal]) -> None:
    """EX-22: an entry's cancel hangs since minutes; a close that names it has its own time"""
    differing["by"] = Decimal(0)
    house = holding_six(LONG)
    enters(house, LONG, "5", "99.50", "97", stop_holder=StopHolder.DESK)
    (entry,) = house.desk.ledger.working_entries()
    house.desk.sightings.capabilities = Capabilities(refuses_wash_trades=True)
    loses_cancels_of(house, entry.id)
    house.presses(RequestCancel(entry.id))
    passes(house, 120)
    closes(house)
    passes(house, 3)

    assert (house.line.view().positions[0].exit_late_since, told(house)) == (None, [])


@pytest.mark.parametrize("seconds", [0, 120, 700])
@pytest.mark.parametrize("restarts", [False, True])
def test_the_stop_of_a_close_taken_back_comes_back(seconds: int, restarts: bool) -> None:
    """EX-21: its cancel takes effect so much later; after five minutes somebody else cancelled it, and that is told"""
    house = taken_back()
    stop = stop_at(house, "99")
    if restarts:
        house.restarted()
    passes(house, seconds)
    elsewhere(house, stop)
    passes(house, 200)

    assert house.held_by_the_broker() == "6"
    assert (working(house), bool(owed(house))) == (([], True) if seconds > 300 else (["sell stop 6 99"], False))


@pytest.mark.parametrize("restarts", [False, True])
def test_the_next_close_sells_once(restarts: bool) -> None:
    """EX-21, OP-01: a part is sold at the next key, and its stop goes on for the rest"""
    house = taken_back()
    closes(house, "2")
    if restarts:
        house.restarted()
    else:
        del house.line.ask  # the broker answers again
    passes(house, 300)

    assert (house.held(), house.held_by_the_broker(), working(house)) == ("4", "4", ["sell stop 4 99"])


def test_a_close_beside_a_gone_stop_lapses() -> None:
    """EX-21, EX-23: of two stops one is gone and the other has no answer; both are there again"""
    house = holding_six(LONG)
    enters(house, LONG, "4", "100.10", "98.50")
    hears(house, FORWARD)
    loses_cancels_of(house, stop_at(house, "99").id)
    closes(house)
    passes(house, 100)

    assert working(house) == ["sell stop 4 98.5", "sell stop 6 99"]


def test_a_held_close_that_begins_and_hangs_is_told_again() -> None:
    """RK-24, EX-22: first for want of room, then because its cancel has no answer"""
    house = at_a_limit(with_receivers(a_house_in_a_position(HOURS, settings=with_notices()), Receivers()))
    fills_the_minute(house)
    hears(house, FORWARD)
    house.line.breaks_at(CancelOrder, arrives=False, times=500)
    confirms_a_close(house)
    is_refused(house, 80)
    before = len(told(house))
    passes(house, 200)

    assert (before, len(told(house))) == (0, 1)


def test_a_reverse_split_of_two_owners_owes_each_its_whole() -> None:
    """EX-22: 200 and 51 are 100 and 25, half a share was paid out; the broker has taken both stops"""
    risk = {"per_trade": {"usd": "60"}, "max_notional": {"usd": "20000"}, "portfolio": {"max_exposure": 9}}
    table = {"risk": {**risk, "max_open_positions": 2}, "strategies": {"vwap": {"quantity_step": "1"}}}
    settings = Settings.model_validate(table)
    house = a_house_with_a_proposal(("10:06", "15:59", STEADY), settings=settings, cash=Decimal(100_000))
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    house.presses(a_typed_buy("51", limit="99.70", stop="99.00"))
    confirms_now(house)
    house.until("10:07")
    assert house.held() == "251"
    there, books = BrokerPosition(SPY, Quantity(Decimal(125)), Price(Decimal("199.2"))), house.exchange.books
    house.exchange.books = lambda at: replace(books(at), positions=(there,))  # type: ignore[method-assign]
    for stop in house.stops:
        elsewhere(house, stop)
    passes(house, 70)
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 130)

    assert sorted(quantity for quantity, _ in owed(house)) == ["100", "25"]
