"""Never trade, close only, restricted until a day: nothing opens there, exits go on, and only a typed word loosens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Confirm, ListSymbol, OpenTicket, ProposeClose, UnlistSymbol
from core.model.codes import CancelCode, Denial
from core.model.instrument import ListKind
from core.model.order import OrderStatus
from core.model.staging import CheckResult
from core.model.values import Symbol
from core.settings.settings import Settings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import (
    DIP,
    RARELY,
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.plans import a_buy, a_floor, marks, opens, passes, runs_out, signs
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

NEVER, CLOSE_ONLY, RESTRICTED = ListKind
AAA = Symbol("AAA")
FRIDAY, MONDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4)
NO_SPY = ListSymbol(SPY, NEVER, "it owns the other half")


def restricted(until: date, symbol: Symbol = SPY, reason: str = "earnings") -> ListSymbol:
    return ListSymbol(symbol, RESTRICTED, reason, until)


def types(house: House, symbol: Symbol = SPY, limit: str = "99.60", stop: str = "99.30") -> tuple[str, ...]:
    """Why a typed entry is not staged; nothing where it is."""
    before = len(house.facts(facts.ProposalSkipped))
    house.presses(replace(a_typed_buy("0.1", limit=limit, stop=stop), symbol=symbol))
    return tuple(reason for fact in house.facts(facts.ProposalSkipped)[before:] for reason in fact.reasons)


def rows(house: House) -> list[ProtectionRow]:
    found = ViewBuilder(house.engine).draw(house.line.at).protections
    return [row for row in found if row.key.startswith("list/")]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (NO_SPY, "never trade since 2026-11-19: it owns the other half"),
        (ListSymbol(SPY, CLOSE_ONLY, "delisted soon"), "close only since 2026-11-19: delisted soon"),
        (restricted(MONDAY), "restricted until 2026-11-23, since 2026-11-19: earnings"),
    ],
    ids=lambda one: one.kind.name if isinstance(one, ListSymbol) else "",
)
def test_a_listed_symbol_is_declined_and_stays_off(
    command: ListSymbol, words: str, snapshot: SnapshotAssertion
) -> None:
    """RK-26: at once, with reason and date"""
    house = a_house_with_a_proposal(("10:06", "10:30", DIP))
    waiting = house.proposal

    house.presses(command)
    typed = types(house)
    house.until("10:09")

    assert [end.proposal_id for end in house.facts(facts.ProposalEnded)] == [waiting.id]
    assert typed == snapshot
    skipped = house.last(facts.ProposalSkipped)
    assert (skipped.strategy, skipped.checks) == ("vwap", ("lists",))
    assert len(house.facts(facts.ProposalStaged)) == 1


def test_listing_cancels_entries_and_warns_exits() -> None:
    """RK-26, RK-22: the stop stays, the close goes"""
    house = a_floor()
    for limit in (None, "99.50"):
        house.presses(replace(a_typed_buy("10", limit=limit, stop="99"), symbol=AAA))
        house.presses(OpenTicket(house.last(facts.ProposalStaged).proposal.id))
        passes(house, 1)
        ticket = house.last(facts.TicketOpened).ticket
        house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
        passes(house, 61)
    held, resting = [o for o in house.desk.ledger.state.orders.values() if not o.only_reduces]
    assert (held.status, resting.status) == (OrderStatus.FILLED, OrderStatus.SUBMITTED)

    house.presses(ListSymbol(AAA, NEVER, "fraud"))
    passes(house, 2)
    stops = [stop for stop in house.stops if stop.is_working]
    house.presses(ProposeClose(AAA))
    review = house.last(facts.ProposalStaged).review
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    house.confirms()
    passes(house, 61)

    assert resting.status is OrderStatus.CANCELLED
    assert [c.code for c in house.facts(facts.CancelRequested) if c.client_order_id == resting.id] == [
        CancelCode.LISTED
    ]
    assert len(stops) == 1
    assert [v.standing for v in review.verdicts if v.check == "lists"] == [CheckResult.WARNS]
    assert house.held(AAA) == house.held_by_the_broker(AAA) == "0"


def test_a_basket_refuses_a_listed_row(snapshot: SnapshotAssertion) -> None:
    """RK-26, OP-05"""
    house = a_floor()
    house.presses(ListSymbol(AAA, CLOSE_ONLY, "merger"))

    run = opens(house, a_buy("AAA"), a_buy("BBB"))
    marks(house)
    signs(house)
    runs_out(house)

    assert run.plan.lines[0].refusals == snapshot
    assert (house.held(AAA), house.held(Symbol("BBB"))) == ("0", "100")


def test_a_later_list_refuses_the_confirmation() -> None:
    """RK-26: what waits is declined, its ticket with it"""
    house = a_house_with_a_proposal()
    house.opens_ticket()
    passes(house, 1)
    ticket = house.ticket

    house.presses(NO_SPY)
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, None))
    passes(house, 5)

    assert house.desk.ledger.state.orders == {}


def test_a_restriction_ends_with_its_day(snapshot: SnapshotAssertion) -> None:
    """RK-26: on Friday it still shuts, on Monday entries pass"""
    days = [bar for day in (THURSDAY, FRIDAY, MONDAY) for bar in minutes("09:30", "10:10", day=day)]
    house = House(days, Settings(**RARELY)).opens().until("10:05")
    house.presses(restricted(MONDAY))

    friday = types(house.until("10:05", FRIDAY), limit="99.60")
    before = [row.measure for row in rows(house)]
    monday = types(house.until("10:05", MONDAY), limit="99.60")

    assert friday == snapshot
    assert before == ["restricted"]
    assert monday == ()
    assert rows(house) == []
    assert house.desk.lists.state.by_symbol == {}


def test_a_list_entry_survives_a_restart(snapshot: SnapshotAssertion) -> None:
    """RK-26, SP-05"""
    house = a_house_with_a_proposal(("10:06", "10:30", STEADY))
    house.presses(NO_SPY)
    house = house.restarted()
    passes(house, 1)
    after = types(house)

    for word in ("", "loosen", "OVERRIDE"):
        house.presses(UnlistSymbol(SPY, NEVER, word))
    still = types(house)
    house.presses(UnlistSymbol(SPY, NEVER, "LOOSEN"))
    assert_can_be_rebuilt(house)

    assert (after, still) == (still, snapshot)
    assert house.facts(facts.SymbolUnlisted) == [facts.SymbolUnlisted(SPY, NEVER)]
    assert types(house) == ()


def test_of_two_lists_each_is_ended_by_itself(snapshot: SnapshotAssertion) -> None:
    """RK-26"""
    house = a_house_with_a_proposal()
    house.presses(NO_SPY)
    house.presses(restricted(MONDAY))

    house.presses(UnlistSymbol(SPY, NEVER, "LOOSEN"))

    assert types(house) == snapshot


def test_a_watcher_loosens_no_list() -> None:
    """RK-26, OP-13"""
    house = a_house_with_a_proposal()
    holder, watcher = house.attaches("ann"), house.attaches("bob")

    house.presses_at(holder, NO_SPY)
    house.presses_at(watcher, UnlistSymbol(SPY, NEVER, "LOOSEN"))
    refused = house.last(facts.CommandRefused)
    house.presses_at(holder, UnlistSymbol(SPY, NEVER, "LOOSEN"))

    assert (refused.command, refused.code) == ("UnlistSymbol", Denial.NOT_HOLDER)
    assert len(house.facts(facts.SymbolUnlisted)) == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (ListSymbol(SPY, NEVER, "  "), "a reason is needed"),
        (ListSymbol(SPY, RESTRICTED, "earnings"), "restricted needs the day"),
        (restricted(THURSDAY), "restricted needs the day"),
        (restricted(date(2026, 1, 1)), "restricted needs the day"),
        (ListSymbol(SPY, NEVER, "x", MONDAY), "only a restriction has a day"),
        (restricted(FRIDAY), "an earlier end lets more pass"),
    ],
)
def test_a_bad_list_command_changes_nothing(command: ListSymbol, why: str) -> None:
    """RK-26, RK-13"""
    house = a_house_with_a_proposal()
    house.presses(restricted(MONDAY))
    before = house.desk.lists.state

    house.presses(command)

    assert len(house.facts(facts.SymbolListed)) == 1
    assert house.desk.lists.state == before
    assert f"SPY: not listed: {why}" in house.last(facts.ProposalSkipped).reasons[0]


def test_a_later_end_holds_at_once(snapshot: SnapshotAssertion) -> None:
    """RK-26"""
    house = a_house_with_a_proposal()
    house.presses(restricted(FRIDAY))

    house.presses(restricted(MONDAY, reason="earnings moved"))

    assert types(house) == snapshot


def test_each_list_entry_has_a_row() -> None:
    """RK-09, RK-26"""
    house = a_house_in_a_position()
    house.presses(ListSymbol(AAA, NEVER, "fraud"))
    house.presses(restricted(MONDAY))

    never, until = rows(house)

    assert (never.name, never.measure, never.reason, never.is_tripped) == ("AAA", "never trade", "fraud", True)
    assert (never.word.value, never.until) == ("CLOSED", None)
    assert (until.name, until.measure, until.reason) == ("SPY", "restricted", "earnings")
    assert until.since is not None
    assert str(until.until) == "2026-11-23 05:00:00+00:00"
