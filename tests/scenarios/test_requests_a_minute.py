"""All requests of any minute, counted at the exchange, stay under the broker's limit and leave the reserve (RK-24)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from core.brokers.alpaca.connection import ALPACA
from core.messages.commands import Kill, OpenTicket, ProposeFlattening
from core.messages.inputs import ConnectionChanged
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.basket import BasketPhase
from core.model.values import ProposalId, Symbol
from core.runtime.scripted_operator import turn_of
from core.settings.settings import Settings
from core.workflows.orders.request_reserve import held_exits
from tests.scenarios.house import House, minutes
from tests.scenarios.plans import SETTINGS, a_buy, a_sale, marks, opens, passes, runs_out, signs, the_plan
from tests.scenarios.request_meter import RequestMeter
from tests.unit.core.brokers.trading_floor import THURSDAY

HALF_DAY = date(2026, 11, 27)
"""From 09:30 to 13:00."""
LIMIT = 200
RESERVE = 50
MANY = RESERVE + 2
"""Entries, more than the reserve."""
SELLS_SECONDS = 300


def named(count: int) -> list[str]:
    return [f"S{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(count)]


def terms(count: int) -> Settings:
    """Room for so many positions, and sells that are waited for through minutes."""
    risk = {"max_open_positions": 100, "entries_a_day": 1000}
    wide = {
        **SETTINGS.model_dump(mode="json"),
        "symbols": ["SPY", *named(count)],
        "staging": {"basket": {"sells_seconds": SELLS_SECONDS}},
        "execution": {"max_queued": 1000},
    }
    return Settings.model_validate({**wide, "risk": {**wide["risk"], **risk}})


def a_wide_floor(
    count: int, first: str = "09:59", last: str = "10:11", every: int = 4, day: date = THURSDAY
) -> tuple[House, RequestMeter]:
    """So many symbols at 100, a broker with Alpaca's limit, both streams up; requests are counted from the start."""
    settings = terms(count)
    bars = [bar for s in settings.symbols for bar in minutes(first, last, day=day, symbol=Symbol(s), every=every)]
    house = House(bars, settings, cash=Decimal(1_000_000), multiplier=Decimal(2))
    house.desk.sightings.capabilities = ALPACA.capabilities
    house.desk.sightings.has_own_clock = True
    meter = RequestMeter(house)
    house.opens()
    for line in (Channel.TRADES, Channel.DATA):
        house.line.take(house.line.at, ConnectionChanged(ConnectionStatus(line, ConnectionState.UP, house.line.at)))
    return house, meter


def buys(house: House, symbols: list[str], limit: str | None = None) -> None:
    """By baskets of thirty, a minute apart; each with its stop."""
    for first in range(0, len(symbols), 30):
        opens(house, *(a_buy(symbol, "10", limit=limit) for symbol in symbols[first : first + 30]))
        marks(house)
        signs(house)
        runs_out(house, 300)
        passes(house, 61)


def test_a_basket_of_30_unsettled_sells() -> None:
    """RK-24, EX-10: their stops make way, the books are polled for minutes, and the reserve stays whole"""
    house, meter = a_wide_floor(30)
    house.until("10:00")
    buys(house, named(30))
    held = [house.held(Symbol(name)) for name in named(30)]

    opens(house, *(a_sale(name, limit="105") for name in named(30)), a_buy("SPY", "10"))
    marks(house)
    signs(house)
    passes(house, 70)

    assert held == ["10"] * 30
    assert the_plan(house).phase is BasketPhase.WAITING
    assert meter.by_kind()["SubmitOrder"] == 60
    assert meter.longest_without("FetchBooks", 0) <= 60
    assert meter.most() <= LIMIT - RESERVE


def test_a_kill_beyond_the_limit() -> None:
    """RK-24, OP-07: the cancels that have no room go one a second"""
    house, meter = a_wide_floor(12)
    house.until("10:00")
    buys(house, named(12), limit="99.50")
    house.desk.messages.count(house.line.at, LIMIT - 8 - house.desk.messages.requests(house.line.at))
    killed_at = house.line.at

    house.presses(Kill("key"))
    passes(house, 15)

    after = [(at - killed_at).total_seconds() for at, kind in meter.times if kind == "CancelOrder"]
    assert after == [0.0] * 9 + [1.0, 2.0, 3.0]
    assert [order for order in house.desk.ledger.working() if not order.only_reduces] == []


def test_queries_leave_room_for_a_kill_of_all_entries() -> None:
    """RK-24, OP-07: more entries work than are reserved for; books after a gap wait, each cancel leaves at once"""
    house, meter = a_wide_floor(MANY)
    house.until("10:00")
    buys(house, named(MANY), limit="99.50")
    house.desk.messages.count(house.line.at, LIMIT - MANY - house.desk.messages.requests(house.line.at))
    for state in (ConnectionState.DOWN, ConnectionState.UP):
        connection = ConnectionStatus(Channel.TRADES, state, house.line.at)
        house.line.take(house.line.at, ConnectionChanged(connection))
    passes(house, 12)
    killed_at, asked = house.line.at, meter.by_kind()["FetchBooks"]

    house.presses(Kill("key"))
    cancels = [at for at, kind in meter.times if kind == "CancelOrder"]
    passes(house, 65)

    assert cancels == [killed_at] * MANY
    assert meter.by_kind()["FetchBooks"] > asked
    assert [order for order in house.desk.ledger.working() if not order.only_reduces] == []
    assert meter.most() <= LIMIT - RESERVE


def test_200_symbols_leave_the_reserve() -> None:
    """RK-24, EX-17: assets are spread, and the books are compared every minute"""
    house, meter = a_wide_floor(200, "09:30", "10:44", every=60, day=HALF_DAY)
    house.until("09:36", HALF_DAY)
    buys(house, named(8))
    house.until("10:45", HALF_DAY)

    assert len(house.desk.ledger.positions()) == 8
    assert len(house.desk.sightings.instruments) == 201
    assert meter.longest_without("FetchBooks", 600) <= 70
    assert meter.most() <= LIMIT - RESERVE


def closes_by_tickets(house: House, proposals: list[ProposalId]) -> None:
    """Each is opened and confirmed within half a second."""
    for proposal_id in proposals:
        house.presses(OpenTicket(proposal_id))
        passes(house, 0.3)
        (ticket,) = (t for t in house.desk.stage.state.tickets.values() if t.proposal_id == proposal_id)
        house.presses(turn_of(ticket))
        passes(house, 0.2)


def test_closes_without_room_wait_with_their_stops() -> None:
    """RK-24, EX-22: those that fit go at once, and each other one within a minute"""
    house, _ = a_wide_floor(12)
    house.until("10:00")
    buys(house, named(12))
    house.until("10:09")
    house.presses(ProposeFlattening())
    proposals = [proposal.id for proposal in house.desk.stage.proposals() if proposal.is_exit]
    house.desk.messages.count(house.line.at, 145 - house.desk.messages.requests(house.line.at))

    closes_by_tickets(house, proposals)
    waiting = held_exits(house.desk)
    stops = [order for held in waiting for order in held.stops if order.is_working and not order.is_cancelling]
    shown = [row for row in house.line.view().positions if row.exit_waits_since is not None]
    passes(house, 62)

    sales = [order for order in house.desk.ledger.state.orders.values() if order.only_reduces and not order.stands_by]
    made_way = {o.request.symbol: o.cancel_requested_at for o in house.desk.ledger.state.orders.values() if o.stands_by}
    bare = [order.created_at - (made_way[order.request.symbol] or order.created_at) for order in sales]
    assert len(waiting) == len(stops) == len(shown) > 2
    assert (len(sales), held_exits(house.desk)) == (12, [])
    assert max(bare) < timedelta(seconds=1)
