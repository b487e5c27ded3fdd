"""Entries that fill one after the other, and stops that are renewed again and again, end their strategy's entries."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Confirm, EditOrder, OpenTicket, OverrideProtection
from core.model.codes import CancelCode, ProposalEnd
from core.model.order import OrderStatus
from core.model.staging import CheckResult
from core.model.values import Price, Quantity, Symbol
from core.settings.settings import Settings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import FRACTIONS, ROOMY, a_house_in_a_thin_market, confirms_now
from tests.scenarios.house import (
    DIP,
    RECOVERY,
    STEADY,
    House,
    a_house_in_a_position,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.plans import SETTINGS, a_buy, a_floor, opens, passes
from tests.scenarios.test_owed_stops import working_stops
from tests.scenarios.test_refused_stops import Refusals

NAME = "repeated_execution"


def counting(settings: Settings, **terms: object) -> Settings:
    """The same, with these figures of the protection."""
    risk = settings.risk
    mine = risk.protections.repeated_execution.model_copy(update=terms)
    protections = risk.protections.model_copy(update={NAME: mine})
    return settings.model_copy(update={"risk": risk.model_copy(update={"protections": protections})})


AGAIN = counting(
    Settings.model_validate({"risk": {"entries_a_day": 9, "protections": {"cooldown": {"enabled": False}}}}), fills=1
)


def row(house: House, scope: str) -> ProtectionRow:
    rows = ViewBuilder(house.engine).draw(house.line.at).protections
    return next(r for r in rows if r.key == f"{NAME}/{scope}")


def buys(house: House, symbol: str, limit: str | None = None) -> None:
    """A typed entry, opened, confirmed, and as far as it gets in two seconds."""
    asked = a_typed_buy("10", limit=limit, stop="99")
    house.presses(replace(asked, symbol=Symbol(symbol)))
    passes(house, 0.1)
    waiting = [p for p in house.desk.stage.proposals() if p.symbol == symbol]
    if not waiting:
        return
    house.presses(OpenTicket(waiting[-1].id))
    passes(house, 1)
    (ticket,) = house.desk.stage.state.tickets.values()
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces))
    passes(house, 61)


def why_not(house: House) -> tuple[str, ...]:
    return house.last(facts.ProposalSkipped).reasons


def by_hand(fills: int = 2, minutes: int = 10) -> House:
    """Two entries in AAA were typed and filled."""
    house = a_floor(counting(SETTINGS, fills=fills, minutes=minutes))
    for quantity in ("10", "20"):
        buys(house, "AAA")
        assert quantity == house.held(Symbol("AAA"))
    return house


def test_a_strategy_that_filled_too_often_stops_opening(snapshot: SnapshotAssertion) -> None:
    """RK-24, RK-22: its proposal is refused and followed as a shadow; the exit is only warned"""
    house = a_house_in_a_position(
        ("10:06", "10:08", STEADY), ("10:09", "10:12", RECOVERY), ("10:13", "10:30", DIP), settings=AGAIN
    )
    tripped = house.last(facts.ProtectionTripped)

    house.until("10:10:30")
    exit_review = house.last(facts.ProposalStaged).review
    house.confirms_at("10:10:40")
    house.until("10:20")

    assert (tripped.name, tripped.scope, tripped.until) == (NAME, "SPY vwap", None)
    warned = [v for v in exit_review.verdicts if v.check == "repeated execution"]
    assert [v.standing for v in warned] == [CheckResult.WARNS]
    assert house.held() == "0"
    skipped = house.last(facts.ProposalSkipped)
    assert (skipped.strategy, skipped.checks) == ("vwap", ("repeated execution",))
    assert (tripped.reason, skipped.reasons) == snapshot


def test_typed_entries_end_with_the_last_allowed_fill(snapshot: SnapshotAssertion) -> None:
    """RK-24: of that symbol alone"""
    house = by_hand()

    buys(house, "AAA")
    refused = why_not(house)
    buys(house, "BBB")

    assert refused == snapshot
    assert (house.held(Symbol("AAA")), house.held(Symbol("BBB"))) == ("20", "10")


def test_fills_further_apart_do_not_count_together() -> None:
    """RK-24"""
    house = by_hand(minutes=1)

    buys(house, "AAA")

    assert house.facts(facts.ProtectionTripped) == []
    assert house.held(Symbol("AAA")) == "30"


def test_an_entry_that_fills_in_parts_counts_once() -> None:
    """RK-24, EX-05"""
    house = a_floor(counting(SETTINGS, fills=2), participation=Decimal("0.00005"))

    buys(house, "AAA")
    passes(house, 120)

    assert len([o for o in house.desk.ledger.state.orders.values() if not o.only_reduces]) == 1
    assert house.held(Symbol("AAA")) == "10"
    assert row(house, "AAA manual").measure == "1 of 2"
    assert house.facts(facts.ProtectionTripped) == []


def test_a_basket_row_that_repeats_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-24, OP-05: it cannot be marked so that it goes"""
    house = by_hand()

    run = opens(house, a_buy("AAA"), a_buy("BBB"))

    first, second = (line.refusals for line in run.plan.lines)
    assert first == snapshot
    assert second == ()


def test_waiting_and_working_entries_end_with_the_trip() -> None:
    """RK-24: its proposal leaves the stage, its resting entry is taken back; no protective order is touched"""
    house = a_floor(counting(SETTINGS, fills=2))
    buys(house, "AAA", "99.50")
    resting = house.entry
    house.presses(replace(a_typed_buy("10", limit=None, stop="99"), symbol=Symbol("AAA")))
    waiting = house.proposal
    for _ in range(2):
        buys(house, "AAA")

    passes(house, 2)

    assert resting.status is OrderStatus.CANCELLED
    assert [c.code for c in house.facts(facts.CancelRequested)] == [CancelCode.REPEATED]
    ended = [e for e in house.facts(facts.ProposalEnded) if e.proposal_id == waiting.id]
    assert [e.end for e in ended] == [ProposalEnd.BLOCKED]
    assert len([stop for stop in house.stops if stop.is_working]) == 2
    assert house.held(Symbol("AAA")) == "20"


def test_a_replaced_entry_counts_once() -> None:
    """RK-24: seven of fifteen fill, its first replacement fills nothing, and its second one the rest"""
    roomy = counting(ROOMY, fills=2)
    house = a_house_in_a_thin_market(settings=roomy).until("10:11:05")
    filled_first = house.entry.filled_quantity
    for limit in ("99.50", "99.65"):
        (working,) = house.desk.ledger.working_entries()
        house.presses(EditOrder(working.id, Quantity(Decimal(15)), Price(Decimal(limit)), None))
        confirms_now(house)
        passes(house, 3)
    passes(house, 70)

    fills = [order.filled_quantity for order in house.desk.ledger.state.orders.values() if not order.only_reduces]
    assert filled_first > 0
    assert [bool(each) for each in fills] == [True, False, True]
    assert house.facts(facts.ProtectionTripped) == []
    assert row(house, "SPY manual").measure == "1 of 2"


def test_it_stays_shut_until_the_word_is_typed(snapshot: SnapshotAssertion) -> None:
    """RK-24, SP-05, RK-06"""
    house = by_hand()

    house = house.restarted()
    passes(house, 1)
    shut = row(house, "AAA manual")
    house.presses(OverrideProtection(NAME, "AAA manual", "override"))
    buys(house, "AAA")
    still = house.held(Symbol("AAA"))
    house.presses(OverrideProtection(NAME, "AAA manual", "OVERRIDE"))
    assert_can_be_rebuilt(house)
    buys(house, "AAA")

    assert (shut.is_tripped, shut.until, shut.override) == (True, None, snapshot)
    assert still == "20"
    assert len(house.facts(facts.ProtectionOverridden)) == len(house.facts(facts.ProtectionExpired)) == 1
    assert house.held(Symbol("AAA")) == "30"
    assert row(house, "AAA manual").measure == "1 of 2"


def test_switched_off_it_stops_nothing() -> None:
    """RK-24"""
    house = a_floor(counting(SETTINGS, fills=1, enabled=False))

    for _ in range(3):
        buys(house, "AAA")

    assert house.held(Symbol("AAA")) == "30"
    assert house.facts(facts.ProtectionTripped) == []


def test_a_stop_renewed_too_often_ends_the_entries(snapshot: SnapshotAssertion) -> None:
    """RK-24, EX-13: the broker refuses it; the stop that is asked for again waits, goes, and only its entries end"""
    house = House([*minutes("09:55", "10:40")], counting(FRACTIONS, renewals=1), cash=Decimal(10_000)).opens()
    house.until("10:05")
    Refusals(house, times=1)
    house.presses(a_typed_buy("0.5", limit="100.10", stop="98"))
    confirms_now(house)
    house.until("10:08")

    tripped = house.last(facts.ProtectionTripped)
    confirms_now(house)
    passes(house, 2)
    house.presses(a_typed_buy("0.3", limit="99.50", stop="98"))

    assert (tripped.name, tripped.scope) == (NAME, "SPY manual")
    assert working_stops(house) == ["0.5 at 98"]
    assert (tripped.reason, why_not(house)) == snapshot
