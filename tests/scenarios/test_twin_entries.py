"""An entry that is like one of the last minute needs its own word, typed before its key and judged by the engine."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Confirm, Decline, OpenTicket, ProposeClose, RequestCancel
from core.model.staging import Ticket
from core.model.values import Symbol
from core.settings.settings import Settings
from core.views import TicketView
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import STEADY, House, a_day, a_typed_buy
from tests.scenarios.plans import SETTINGS, a_buy, a_floor, marks, opens, passes, runs_out, signs, the_plan

AAA = Symbol("AAA")


def opens_ticket(house: House, quantity: str = "10", limit: str | None = "100", symbol: str = "AAA") -> Ticket:
    house.presses(replace(a_typed_buy(quantity, limit=limit, stop="99"), symbol=Symbol(symbol)))
    house.presses(OpenTicket(house.last(facts.ProposalStaged).proposal.id))
    passes(house, 1)
    return house.last(facts.TicketOpened).ticket


def turns(house: House, ticket: Ticket, word: str = "", seconds: float = 1) -> None:
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces, word=word))
    passes(house, seconds)


def buys(house: House, quantity: str = "10", limit: str | None = "100", word: str = "", symbol: str = "AAA") -> None:
    turns(house, opens_ticket(house, quantity, limit, symbol), word)


def sent(house: House, symbol: str = "AAA") -> list[str]:
    """The quantities of its entries that were sent."""
    orders = (fact.order for fact in house.facts(facts.OrderCreated))
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


def test_twin_needs_its_word(snapshot: SnapshotAssertion) -> None:
    """RK-25: its ticket says which it is like, and the engine judges the word, never the screen alone"""
    house = a_floor_with_an_entry()
    first = house.entry

    ticket = opens_ticket(house)
    view, words = shown(house, ticket), twin(house, ticket)
    turns(house, ticket)
    turns(house, ticket, "twin")
    refused = [reason for fact in house.facts(facts.ConfirmationRefused) for reason in fact.reasons]
    still = sent(house)
    turns(house, ticket, "TWIN")

    assert view.word == "TWIN"
    assert len(refused) == 2
    assert [text.replace(first.id[:6], "ORDER") for text in (*words, refused[0])] == snapshot
    assert still == ["10"]
    assert sent(house) == ["10", "10"]
    assert [fact.like for fact in house.facts(facts.TwinConfirmed)] == [first.id]


def test_twin_is_alike_in_symbol_side_quantity_and_price() -> None:
    """RK-25: within a tenth and 0.2 %; of a market order the price that it would pay now"""
    house = a_floor_with_an_entry()
    for quantity, limit, symbol, is_twin in (
        ("11", "100", "AAA", True),
        ("9", "100.20", "AAA", True),
        ("9", "99.80", "AAA", True),
        ("11.1", "100", "AAA", False),
        ("8.9", "100", "AAA", False),
        ("10", "100.21", "AAA", False),
        ("10", "99.79", "AAA", False),
        ("10", "100", "BBB", False),
        ("10", None, "AAA", True),
    ):
        ticket = opens_ticket(house, quantity, limit, symbol)

        assert bool(shown(house, ticket).word) is is_twin, (quantity, limit, symbol)
        house.presses(Decline(ticket.proposal_id, "only asked"))
    for quantity, refusals in (("11", 1), ("11.1", 1)):
        turns(house, opens_ticket(house, quantity))
        assert len(house.facts(facts.ConfirmationRefused)) == refusals, quantity


def test_entry_after_a_minute_is_no_twin() -> None:
    """RK-25"""
    house = a_floor_with_an_entry()

    passes(house, 58)
    early = opens_ticket(house)
    turns(house, early)
    passes(house, 2)
    late = opens_ticket(house)
    turns(house, late)

    assert len(house.facts(facts.ConfirmationRefused)) == 1
    assert sent(house) == ["10", "10"]


def test_unfilled_order_has_no_twin() -> None:
    """RK-25: cancelled before it filled"""
    house = a_floor()
    buys(house, limit="99.50")
    house.presses(RequestCancel(house.entry.id))
    passes(house, 2)

    buys(house, limit="99.50")

    assert house.facts(facts.ConfirmationRefused) == []
    assert sent(house) == ["10", "10"]


def test_two_keys_send_one_of_two_twins() -> None:
    """RK-25, OP-03: the second ticket asked for no word when its key came, and is judged again at its turn"""
    house = a_floor()
    first, second = opens_ticket(house), opens_ticket(house)
    house.slows_down(1)

    turns(house, first, seconds=0)
    turns(house, second, seconds=5)

    assert sent(house) == ["10"]
    (refused,) = house.facts(facts.ConfirmationRefused)
    assert refused.ticket_id == second.id
    assert refused.reasons[0].partition(": ")[0] == "twin"


def test_exit_is_no_twin() -> None:
    """RK-25, RK-22: two sales of the same, one after the other"""
    house = a_floor_with_an_entry()
    passes(house, 61)
    for _ in range(2):
        house.presses(ProposeClose(AAA, quantity=house.entry.request.quantity / 2))  # type: ignore[arg-type]
        house.presses(OpenTicket(house.proposal.id))
        passes(house, 1)
        turns(house, house.last(facts.TicketOpened).ticket, seconds=3)
    passes(house, 61)

    assert house.facts(facts.ConfirmationRefused) == []
    assert house.held(AAA) == "0"


def test_lost_word_is_typed_again_after_a_crash() -> None:
    """RK-25, SP-05, EX-20: fail closed"""
    house = a_floor_with_an_entry()
    ticket = opens_ticket(house)
    house.slows_down(2)
    turns(house, ticket, "TWIN", seconds=0)
    (received,) = [r.sequence for r in house.journal.records() if isinstance(r.fact, facts.TwinConfirmed)]
    assert len(house.facts(facts.ConfirmationReceived)) == 2

    house.loses_the_journal_after(received - 1)
    house = house.restarted()
    passes(house, 10)
    again = opens_ticket(house)
    turns(house, again)

    assert sent(house) == ["10"]
    assert house.last(facts.ConfirmationRefused).reasons[0].partition(": ")[0] == "twin"


def test_disabled_check_asks_for_no_word() -> None:
    """RK-25"""
    risk = SETTINGS.risk.model_copy(update={"twins": SETTINGS.risk.twins.model_copy(update={"enabled": False})})
    house = a_floor_with_an_entry(SETTINGS.model_copy(update={"risk": risk}))

    buys(house)

    assert sent(house) == ["10", "10"]


def test_twin_of_a_strategy_needs_the_word() -> None:
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
    proposed = house.last(facts.ProposalStaged)
    assert proposed.proposal.strategy == "vwap"

    house.presses(OpenTicket(proposed.proposal.id))
    passes(house, 1)
    ticket = house.last(facts.TicketOpened).ticket
    turns(house, ticket)
    before = sent(house, "SPY")
    turns(house, ticket, "TWIN")

    assert [v.check for v in proposed.review.warnings if v.check == "twin"] == ["twin"]
    assert before == ["0.5"]
    assert len(sent(house, "SPY")) == 2


def test_twin_in_a_basket_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-25, OP-05: marked or not"""
    house = a_floor_with_an_entry()

    run = opens(house, a_buy("AAA", "10", limit="100"), a_buy("BBB", "10", limit="100"))
    first = run.plan.lines[0].refusals
    marks(house)
    signs(house)
    runs_out(house)

    assert [text.replace(house.entry.id[:6], "ORDER") for text in first] == snapshot
    assert (sent(house), sent(house, "BBB")) == (["10"], ["10"])


def test_later_twin_is_left_out_at_its_turn() -> None:
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
