"""One reading of the broker's clock and account serves tickets of a few seconds; what decides reads anew (OP-03)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.facts import TicketOpened
from core.messages.commands import OpenTicket, ProposeFlattening
from core.messages.effects import FetchFigures
from core.messages.inputs import FiguresFetched
from core.model.account import Account
from core.model.broker import FreshFigures, NoAnswer
from core.model.staging import Ticket
from core.model.values import ProposalId, Symbol
from core.runtime.scripted_operator import turn_of
from core.workflows.staging.tickets import Tickets
from tests.scenarios.house import House
from tests.scenarios.plans import a_buy, marks, opens, passes, runs_out, signs
from tests.scenarios.test_requests_a_minute import a_wide_floor, named

SYMBOLS = [Symbol(name) for name in named(3)]


def holding() -> House:
    """Three positions with their stops, and an exit of each on the stage."""
    house, _ = a_wide_floor(3)
    house.until("10:00")
    opens(house, *(a_buy(symbol, "10") for symbol in SYMBOLS))
    marks(house)
    signs(house)
    runs_out(house, 300)
    house.presses(ProposeFlattening())
    passes(house, 10)
    return house


def exits(house: House) -> list[ProposalId]:
    return [proposal.id for proposal in house.desk.stage.proposals() if proposal.is_exit]


def opened(house: House, proposal_id: ProposalId, seconds: float = 0.5) -> Ticket:
    house.presses(OpenTicket(proposal_id))
    passes(house, seconds)
    return next(t for t in house.desk.stage.state.tickets.values() if t.proposal_id == proposal_id)


def asked(house: House) -> list[bool]:
    """From here on, of each question for a ticket whether it is for its quote alone."""
    found: list[bool] = []
    send = house.line._send

    def note(request: object) -> None:
        effect = request.effect  # type: ignore[attr-defined]
        if isinstance(effect, FetchFigures):
            found.append(effect.is_quote_alone)
        send(request)  # type: ignore[arg-type]

    house.line._send = note  # type: ignore[method-assign]
    return found


def figures_of(house: House) -> FreshFigures:
    """Those that the last ticket was opened on."""
    shown = house.engine.the(Tickets).opened_on
    assert shown is not None
    assert shown[1] is not None
    return shown[1]


def test_tickets_of_a_few_seconds_share_a_reading() -> None:
    """OP-03, RK-24: each its own quote; after five seconds it is asked anew"""
    house = holding()
    first, second, third = exits(house)
    quotes_alone = asked(house)

    opened(house, first)
    opened(house, second, 5)
    figures = figures_of(house)
    opened(house, third)

    assert quotes_alone == [False, True, False]
    assert isinstance(figures.account, Account)
    assert figures.quote.symbol == house.desk.stage.state.proposals[second].symbol  # type: ignore[union-attr]
    assert isinstance(figures.broker_time, datetime)


def test_a_shared_clock_goes_on() -> None:
    """EX-23, RK-20: by as much as passed since it was told; no skew comes of it"""
    house = holding()
    first, second, _ = exits(house)

    opened(house, first, 4)
    told = figures_of(house).broker_time
    opened(house, second, 0.5)

    passed = figures_of(house).broker_time - told  # type: ignore[operator]
    assert 3.9 < passed.total_seconds() < 4.2


def test_a_key_reads_anew() -> None:
    """OP-03: never from what another ticket was opened on"""
    house = holding()
    ticket = opened(house, exits(house)[0])
    quotes_alone = asked(house)

    house.presses(turn_of(ticket))

    assert quotes_alone == [False]


def test_a_reading_that_failed_serves_nobody_later() -> None:
    """OP-03"""
    house = holding()
    first, second, _ = exits(house)
    ask = house.line.ask

    def fails(effect: object) -> object:
        found = ask(effect)  # type: ignore[arg-type]
        if isinstance(found, FiguresFetched) and isinstance(found.answer, FreshFigures):
            return replace(found, answer=replace(found.answer, broker_time=NoAnswer("nothing")))
        return found

    house.line.ask = fails  # type: ignore[method-assign, assignment]
    quotes_alone = asked(house)

    opened(house, first)
    opened(house, second)

    assert quotes_alone == [False, False]


def test_a_quote_waits_for_the_reading_beside_it() -> None:
    """OP-03: it comes first where the reading is on its way; both tickets open on whole figures"""
    house = holding()
    first, second, _ = exits(house)
    quotes_alone = asked(house)

    house.presses(OpenTicket(first))
    house.presses(OpenTicket(second))
    passes(house, 1)

    assert quotes_alone == [False, True]
    assert len(house.facts(TicketOpened)[-2:]) == 2
    assert isinstance(figures_of(house).account, Account)


def test_two_exits_decided_at_once_share_a_reading() -> None:
    """OP-03: it left no earlier than either key; neither has a warning of missing figures"""
    house = holding()
    tickets = [opened(house, proposal_id) for proposal_id in exits(house)[:2]]
    quotes_alone = asked(house)

    for ticket in tickets:
        house.presses(turn_of(ticket))
    passes(house, 1)

    sales = [o for o in house.desk.ledger.state.orders.values() if o.only_reduces and not o.stands_by]
    assert quotes_alone == [False, True]
    assert len(sales) == 2
