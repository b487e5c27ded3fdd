"""An entry that is like one of the last minute needs its own word, typed before its key and judged by the engine."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import (
    ConfirmationReceived,
    ConfirmationRefused,
    OrderCreated,
    ProposalStaged,
    TicketOpened,
    TwinConfirmed,
)
from core.messages.commands import Confirm, OpenTicket, ProposeClose, RequestCancel
from core.model.staging import Ticket
from core.model.values import Symbol
from core.settings.settings import Settings
from core.views import TicketView
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import STEADY, House, a_day, a_typed_buy, assert_can_be_rebuilt
from tests.scenarios.plans import SETTINGS, a_buy, a_floor, marks, opens, passes, runs_out, signs, the_plan

AAA = Symbol("AAA")


def opens_ticket(house: House, quantity: str = "10", limit: str | None = "100", symbol: str = "AAA") -> Ticket:
    house.presses(replace(a_typed_buy(quantity, limit=limit, stop="99"), symbol=Symbol(symbol)))
    house.presses(OpenTicket(house.last(ProposalStaged).proposal.id))
    passes(house, 1)
    return house.last(TicketOpened).ticket


def turns(house: House, ticket: Ticket, word: str = "", seconds: float = 1) -> None:
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces, word=word))
    passes(house, seconds)


def buys(house: House, quantity: str = "10", limit: str | None = "100", word: str = "", symbol: str = "AAA") -> None:
    turns(house, opens_ticket(house, quantity, limit, symbol), word)


def sent(house: House, symbol: str = "AAA") -> list[str]:
    """The quantities of its entries that were sent."""
    orders = (fact.order for fact in house.facts(OrderCreated))
    return [str(o.quantity) for o in orders if o.symbol == symbol and not o.effect.only_reduces]


def shown(house: House, ticket: Ticket) -> TicketView:
    views = ViewBuilder(house.engine).draw(house.line.at).tickets
    return next(view for view in views if view.ticket.id == ticket.id)


def twin(house: House, ticket: Ticket) -> list[str]:
    return [verdict.reason for verdict in shown(house, ticket).now.warnings if verdict.check == "twin"]


def a_floor_with_an_entry(settings: Settings = SETTINGS) -> House:
    house = a_floor(settings)
    buys(house)
    assert sent(house) == ["10"]
    return house


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_entry_like_it_within_the_minute_goes_with_its_own_word_alone() -> None:
    """RK-25: its ticket says which it is like, and the engine judges the word, never the screen alone"""
    house = a_floor_with_an_entry()
    first = house.entry

    ticket = opens_ticket(house)
    view, words = shown(house, ticket), twin(house, ticket)
    turns(house, ticket)
    turns(house, ticket, "twin")
    refused = [reason for fact in house.facts(ConfirmationRefused) for reason in fact.reasons]
    still = sent(house)
    turns(house, ticket, "TWIN")

    assert view.word == "TWIN"
    assert words == [f"like {first.id[:6]} BUY 10 AAA 100.00 of 10:00:01 New York: type TWIN before its key"]
    assert len(refused) == 2
    assert (
        refused[0]
        == f"twin: like {first.id[:6]} BUY 10 AAA 100.00 of 10:00:01 New York: type TWIN, then B; open it again"
    )
    assert still == ["10"]
    assert sent(house) == ["10", "10"]
    assert [fact.like for fact in house.facts(TwinConfirmed)] == [first.id]
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(
    ("quantity", "limit", "symbol", "is_twin"),
    [
        ("11", "100", "AAA", True),
        ("9", "100.20", "AAA", True),
        ("9", "99.80", "AAA", True),
        ("11.1", "100", "AAA", False),
        ("8.9", "100", "AAA", False),
        ("10", "100.21", "AAA", False),
        ("10", "99.79", "AAA", False),
        ("10", "100", "BBB", False),
        ("10", None, "AAA", True),
    ],
)
def test_like_is_the_symbol_the_side_a_tenth_of_the_quantity_and_two_thousandths_of_the_price(
    quantity: str, limit: str | None, symbol: str, is_twin: bool
) -> None:
    """RK-25: of a market order the price that it would pay now"""
    house = a_floor_with_an_entry()

    ticket = opens_ticket(house, quantity, limit, symbol)

    assert bool(shown(house, ticket).word) is is_twin
    turns(house, ticket)
    assert len(house.facts(ConfirmationRefused)) == int(is_twin)


def test_after_the_minute_it_is_no_twin() -> None:
    """RK-25"""
    house = a_floor_with_an_entry()

    passes(house, 58)
    early = opens_ticket(house)
    turns(house, early)
    passes(house, 2)
    late = opens_ticket(house)
    turns(house, late)

    assert len(house.facts(ConfirmationRefused)) == 1
    assert sent(house) == ["10", "10"]


def test_what_ended_without_a_fill_is_doubled_by_nothing() -> None:
    """RK-25: cancelled before it filled"""
    house = a_floor()
    buys(house, limit="99.50")
    house.presses(RequestCancel(house.entry.id))
    passes(house, 2)

    buys(house, limit="99.50")

    assert house.facts(ConfirmationRefused) == []
    assert sent(house) == ["10", "10"]


def test_two_keys_turned_together_send_one_of_two_twins() -> None:
    """RK-25, OP-03: the second ticket asked for no word when its key came, and is judged again at its turn"""
    house = a_floor()
    first, second = opens_ticket(house), opens_ticket(house)
    house.slows_down(1)

    turns(house, first, seconds=0)
    turns(house, second, seconds=5)

    assert sent(house) == ["10"]
    (refused,) = house.facts(ConfirmationRefused)
    assert refused.ticket_id == second.id
    assert refused.reasons[0].startswith("twin: like ")


def test_an_exit_is_no_twin() -> None:
    """RK-25, RK-22: two sales of the same, one after the other"""
    house = a_floor_with_an_entry()
    passes(house, 61)
    for _ in range(2):
        house.presses(ProposeClose(AAA, quantity=house.entry.request.quantity / 2))  # type: ignore[arg-type]
        house.presses(OpenTicket(house.proposal.id))
        passes(house, 1)
        turns(house, house.last(TicketOpened).ticket, seconds=3)
    passes(house, 61)

    assert house.facts(ConfirmationRefused) == []
    assert house.held(AAA) == "0"


def test_the_minute_outlives_a_restart_and_a_word_that_a_crash_lost_is_typed_again() -> None:
    """RK-25, SP-05, EX-20: fail closed"""
    house = a_floor_with_an_entry()
    ticket = opens_ticket(house)
    house.slows_down(2)
    turns(house, ticket, "TWIN", seconds=0)
    (received,) = [r.sequence for r in house.journal.records() if isinstance(r.fact, TwinConfirmed)]
    assert len(house.facts(ConfirmationReceived)) == 2

    house.loses_the_journal_after(received - 1)
    house = house.restarted()
    passes(house, 10)
    again = opens_ticket(house)
    turns(house, again)

    assert sent(house) == ["10"]
    assert house.last(ConfirmationRefused).reasons[0].startswith("twin: like ")


def test_switched_off_nothing_asks_for_a_word() -> None:
    """RK-25"""
    risk = SETTINGS.risk.model_copy(update={"twins": SETTINGS.risk.twins.model_copy(update={"enabled": False})})
    house = a_floor_with_an_entry(SETTINGS.model_copy(update={"risk": risk}))

    buys(house)

    assert sent(house) == ["10", "10"]


# ── a strategy, a basket ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_strategys_proposal_like_a_typed_entry_waits_for_its_word_too() -> None:
    """RK-25: it is staged with the warning, and its key alone sends nothing"""
    settings = Settings.model_validate(
        {"risk": {"max_open_positions": 3, "several_strategies_a_symbol": True, "portfolio": {"max_exposure": "10"}}}
    )
    house = House(a_day(("10:06", "10:30", STEADY)), settings, cash=Decimal(1000)).opens().until("10:05:50")
    house.presses(a_typed_buy("0.5", limit="99.60", stop="99.30"))
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    turns(house, house.ticket)
    house.until("10:06:01")
    proposed = house.last(ProposalStaged)
    assert proposed.proposal.strategy == "vwap"

    house.presses(OpenTicket(proposed.proposal.id))
    passes(house, 1)
    ticket = house.last(TicketOpened).ticket
    turns(house, ticket)
    before = sent(house, "SPY")
    turns(house, ticket, "TWIN")

    assert [v.check for v in proposed.review.warnings if v.check == "twin"] == ["twin"]
    assert before == ["0.5"]
    assert len(sent(house, "SPY")) == 2


def test_a_basket_takes_no_word_so_a_twin_in_it_is_refused_and_the_rest_goes() -> None:
    """RK-25, OP-05: marked or not"""
    house = a_floor_with_an_entry()

    run = opens(house, a_buy("AAA", "10", limit="100"), a_buy("BBB", "10", limit="100"))
    first = run.plan.lines[0].refusals
    marks(house)
    signs(house)
    runs_out(house)

    assert first[0].endswith("type TWIN before its key; a basket takes no word, open it by itself")
    assert (sent(house), sent(house, "BBB")) == (["10"], ["10"])


def test_a_basket_that_was_signed_before_its_twin_came_leaves_it_out_at_its_turn() -> None:
    """RK-25, OP-02: each is checked afresh at its turn"""
    house = a_floor()
    opens(house, a_buy("AAA", "10", limit="100"), a_buy("BBB", "10", limit="100"))
    marks(house)
    ticket = opens_ticket(house)
    house.slows_down(0.5)
    signs(house)
    turns(house, ticket, seconds=0)
    house.slows_down(0.1)
    runs_out(house)

    assert sent(house) == ["10"]
    assert the_plan(house).report is not None
    assert sent(house, "BBB") == ["10"]
