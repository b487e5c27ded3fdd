"""A stop is moved or put back: one order takes the other's place, and the position is covered once at every instant."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.event_text import in_words
from core.messages.commands import (
    Confirm,
    EditProposal,
    Halt,
    Kill,
    MoveStop,
    OpenTicket,
    ProposeClose,
    ProposeOrder,
    RequestCancel,
)
from core.messages.effects import Effect, LookUpOrder, ReplaceOrder
from core.messages.inputs import BrokerUpdated, SubmissionAnswered
from core.model.broker import OrderReport, OrderUpdate, Refused, UpdateEvent
from core.model.codes import EndCode, ProposalEnd, RefusalKind
from core.model.order import Effect as OrderEffect
from core.model.order import OrderStatus, OrderType, StopHolder
from core.model.signal import ExitReason
from core.model.staging import AuthorizationKind, CheckResult
from core.model.values import Fraction, Price, Quantity, plain
from core.views.builders.desk import ViewBuilder
from core.views.order_chain import chain_of
from tests.scenarios.changes import ABOVE, FRACTIONS, ROOMY, WORKING, confirms_now, moves, passes, the_new
from tests.scenarios.exchange_requests import BUY, LIMIT, SELL, STOP, replacement, sent, submit
from tests.scenarios.house import (
    FALL,
    STEADY,
    House,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    minutes,
)
from tests.unit.core.brokers.trading_floor import SPY, a_bar


def test_a_moved_stop_keeps_the_position_covered() -> None:
    """OP-06, EX-12, EX-13"""
    house = a_house_in_a_position()
    (old,) = house.stops

    moves(house, "99.50")
    confirms_now(house)
    passes(house, 2)

    assert sent(house)[-1] == replacement(SELL, STOP, "0.502")
    assert (old.status, old.replaced_by) == (OrderStatus.CANCELLED, the_new(house).id)
    assert (the_new(house).status, the_new(house).request.stop_price) == (WORKING, Decimal("99.50"))
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")
    assert the_new(house).parent == house.entry.id


def test_a_moved_stop_fills_at_its_new_price() -> None:
    """EX-08, EX-18"""
    house = a_house_in_a_position(("10:06", "10:09", STEADY), ("10:10", "10:30", FALL))
    moves(house, "99.50")
    confirms_now(house)

    house.until("10:12")

    trade = house.last(facts.TradeClosed).trade
    assert (trade.exit_order, trade.exit_reason) == (the_new(house).id, ExitReason.STOP_LOSS)
    assert house.held() == house.held_by_the_broker() == "0"
    assert not any(house.desk.ledger.working())


def test_only_the_replace_key_confirms_a_move(snapshot: SnapshotAssertion) -> None:
    """OP-04"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.opens_ticket()
    passes(house, 1)
    ticket = house.ticket

    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 2)

    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert sent(house) == [submit(BUY, LIMIT, "0.502"), submit(SELL, STOP, "0.502")]


def test_the_replace_key_confirms_no_entry(snapshot: SnapshotAssertion) -> None:
    """OP-04"""
    house = a_house_with_a_proposal()
    house.opens_ticket()
    passes(house, 1)
    ticket = house.ticket

    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.client_order_id))
    passes(house, 2)

    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert sent(house) == []


def test_an_invalid_stop_price_is_refused(snapshot: SnapshotAssertion) -> None:
    """EX-11, OP-03"""
    house = a_house_in_a_position()
    refused = {}
    for price in ("99.60", "101.00", "99.505", "0", "NaN", "1E+40", "99.30"):
        moves(house, price)
        refused[price] = house.last(facts.ProposalSkipped).reasons
        assert (len(house.facts(facts.ProposalSkipped)), house.desk.stage.proposals()) == (len(refused), ())

    assert refused == snapshot


def test_a_stop_the_market_passed_is_refused(snapshot: SnapshotAssertion) -> None:
    """OP-03: it would sell at once, which nobody asked for"""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", "99.45 99.45 99.40 99.40"))
    house.until("10:07:50")
    moves(house, "99.50")
    house.opens_ticket()

    house.until("10:08:30")
    house.confirms()
    passes(house, 1)

    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert house.stops[0].status is WORKING


def test_moving_a_stop_away_warns_of_the_added_loss(snapshot: SnapshotAssertion) -> None:
    """OP-03, RK-02"""
    house = a_house_in_a_position()

    moves(house, "98.30")
    house.opens_ticket()
    passes(house, 1)

    (warning,) = [v for v in house.ticket.review.warnings if v.check == "stop"]
    assert warning.reason == snapshot
    shown = ViewBuilder(house.engine).draw(house.line.at).tickets[0].replaced
    assert shown is not None
    assert (shown.result_before, shown.result_after) == (Decimal("-0.15060"), Decimal("-0.65260"))


def test_a_moved_stop_passes_a_killed_desk() -> None:
    """OP-07, RK-22"""
    house = a_house_in_a_position()
    house.presses(Halt("key"))
    house.presses(Kill("key"))

    moves(house, "99.50")
    confirms_now(house)
    passes(house, 2)

    (kill,) = [fact.ticket.review for fact in house.facts(facts.TicketOpened) if fact.ticket.order.replaces]
    assert {v.check for v in kill.verdicts if v.standing is CheckResult.WARNS} >= {"kill switch"}
    assert the_new(house).status is WORKING


def test_moving_a_stop_is_no_exit_that_waits() -> None:
    """OP-06: it neither rings nor keeps the strategy from its own exit"""
    house = a_house_in_a_position(("10:06", "10:09", STEADY), ("10:10", "10:40", "99.60 100.20 99.60 100.20"))

    moves(house, "99.50")
    staged = ViewBuilder(house.engine).draw(house.line.at).proposals
    house.until("10:11:01")

    assert [row.is_urgent for row in staged] == [False]
    assert [p.exit_reason for p in house.desk.stage.proposals()] == [ExitReason.MEAN_REVERSION, ExitReason.STOP_LOSS]


def test_a_second_move_replaces_the_staged_first() -> None:
    """OP-01"""
    house = a_house_in_a_position()

    moves(house, "99.40")
    moves(house, "99.50")

    (waiting,) = house.desk.stage.proposals()
    assert waiting.order.stop_price == Decimal("99.50")
    assert house.last(facts.ProposalEnded).end is ProposalEnd.WITHDRAWN


def test_a_stop_can_be_moved_twice() -> None:
    """EX-01, EX-13"""
    house = a_house_in_a_position()

    for price in ("99.40", "99.50"):
        moves(house, price)
        confirms_now(house)
        passes(house, 2)

    assert [o.status for o in house.stops] == [OrderStatus.CANCELLED, OrderStatus.CANCELLED, WORKING]
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")


def test_no_position_no_move(snapshot: SnapshotAssertion) -> None:
    """OP-01"""
    house = a_house_with_a_proposal()

    moves(house, "99.50")

    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_a_rejected_stop_is_replaced_on_its_own_ticket() -> None:
    """OP-06, EX-13"""
    house = a_house_with_a_proposal()
    house.confirms_at("10:06:02")
    house.until("10:06:02.250")
    house.line.refuses_the_next_order("no stops today")
    house.until("10:06:30")
    bare = house.desk.ledger.exits.covered(SPY, "vwap")

    moves(house, "99.30")
    shown = house.desk.stage.proposals()[0].order.confirming_key
    confirms_now(house)
    passes(house, 2)

    assert [o.status for o in house.stops] == [OrderStatus.REJECTED, WORKING]
    assert (bare, house.desk.ledger.exits.covered(SPY, "vwap")) == (0, Decimal("0.502"))
    assert shown == "S"
    assert house.stops[-1].parent == house.entry.id


def test_a_close_cancels_a_restored_stop() -> None:
    """EX-21"""
    house = a_house_in_a_position()
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 1)
    moves(house, "99.30")
    confirms_now(house)
    passes(house, 1)

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 2)

    assert house.held() == house.held_by_the_broker() == "0"


def test_shares_being_sold_get_no_stop(snapshot: SnapshotAssertion) -> None:
    """EX-13, EX-21"""
    house = a_house_in_a_position()
    house.slows_down(5)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 4)
    house.confirms()
    passes(house, 4)

    moves(house, "99.50")

    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_a_pending_replacement_covers_shares_once() -> None:
    """EX-13"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    confirms_now(house)
    passes(house, 0.15)
    assert the_new(house).status is OrderStatus.PENDING

    rows = ViewBuilder(house.engine).draw(house.line.at)

    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")
    assert [o.marks for o in rows.orders if o.is_protective] == [("replaces",), ("being replaced",)]
    assert rows.positions[0].stop_price == Decimal("99.30")
    assert len(rows.kill.stops_working) == 1


def test_what_was_replaced_says_so() -> None:
    """EX-01"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    confirms_now(house)
    passes(house, 2)

    rows = ViewBuilder(house.engine).draw(house.line.at).orders

    states = [(o.state_in_words, o.marks, o.reason) for o in rows if o.is_protective]
    assert states == [("SUBMITTED", (), ""), (f"REPLACED by {the_new(house).id}", (), "")]
    assert house.stops[0].reason == f"replaced by {the_new(house).id}"


def test_a_refused_replacement_keeps_the_old_stop() -> None:
    """EX-06"""
    house = a_house_in_a_position()
    (old,) = house.stops
    before = replace(old)
    moves(house, "99.50")
    house.line.refuses_the_next_order("not now")

    confirms_now(house)
    passes(house, 2)

    assert (the_new(house).status, the_new(house).reason) == (OrderStatus.REJECTED, "not now (40310000)")
    assert old == before
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")


def test_a_stop_that_fills_first_closes_once() -> None:
    """EX-05, EX-13"""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", FALL))
    house.until("10:07:57")
    moves(house, "99.50")
    confirms_now(house, arrives_after=30)

    house.until("10:10")

    assert house.held() == house.held_by_the_broker() == "0"
    assert house.last(facts.TradeClosed).trade.exit_order == house.stops[0].id
    assert (the_new(house).status, the_new(house).filled_quantity) == (OrderStatus.CANCELLED, 0)
    answer = [m.answer for m in house.line.heard if isinstance(m, SubmissionAnswered)][-1]
    assert isinstance(answer, Refused)
    assert answer.kind is RefusalKind.NOT_WORKING
    assert not any(house.desk.ledger.working())


def test_a_look_up_resolves_a_lost_replace_answer() -> None:
    """EX-06"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.line.breaks_at(ReplaceOrder, arrives=True)
    house.line.is_deaf = True

    confirms_now(house)
    passes(house, 10)

    assert len(house.facts(facts.OrderStateUnknown)) == 1
    assert (the_new(house).status, the_new(house).in_doubt_since) == (WORKING, None)
    assert house.stops[0].status is OrderStatus.CANCELLED
    assert sent(house).count(replacement(SELL, STOP, "0.502")) == 1


def test_a_lost_replacement_keeps_the_old_stop() -> None:
    """EX-06: five times not found, over a minute; it is never sent again"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.line.breaks_at(ReplaceOrder, arrives=False)

    confirms_now(house)
    passes(house, 100)

    assert (the_new(house).status, the_new(house).end_code) == (OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED)
    (old,) = [o for o in house.stops if o.is_working]
    assert (old.replacement, old.replaced_by, old.is_being_replaced) == (None, None, False)
    assert replacement(SELL, STOP, "0.502") not in sent(house)
    moves(house, "99.50")
    assert len(house.desk.stage.proposals()) == 1


def test_a_replacement_refused_later_is_looked_up() -> None:
    """EX-06: the stream says so of the old stop, and both are asked for at once"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.line.breaks_at(ReplaceOrder, arrives=False)
    confirms_now(house)
    passes(house, 9)
    told = house.exchange.order(house.line.at, house.stops[0].id)
    before = len(house.facts(facts.OrderNotFound))
    assert isinstance(told, OrderReport)
    refused = OrderUpdate(UpdateEvent.ORDER_REPLACE_REJECTED, house.line.at, told)
    house.line.take(house.line.at, BrokerUpdated(refused))
    passes(house, 1)

    assert len(house.facts(facts.OrderNotFound)) == before + 1


def test_a_pending_replacement_blocks_another(snapshot: SnapshotAssertion) -> None:
    """EX-06"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.line.breaks_at(ReplaceOrder, arrives=False)
    confirms_now(house)
    passes(house, 5)

    moves(house, "99.40")

    assert house.last(facts.ProposalSkipped).reasons == snapshot


@pytest.mark.parametrize("arrives", [True, False])
def test_a_restart_resolves_a_pending_replacement(arrives: bool) -> None:
    """EX-20, EX-09"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.line.breaks_at(ReplaceOrder, arrives=arrives)
    house.line.is_deaf = True
    confirms_now(house)
    passes(house, 0.3)

    house.restarted()
    passes(house, 100)

    works = [o.request.stop_price for o in house.stops if o.is_working]
    assert works == [Decimal("99.50") if arrives else Decimal("99.30")]
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")
    assert len([r for r in sent(house) if r.request == "replace"]) == int(arrives)


def test_a_close_does_not_wait_for_a_lost_replacement() -> None:
    """EX-21, EX-06: its stop was cancelled, so nothing can take its place"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.line.breaks_at(ReplaceOrder, arrives=False)
    confirms_now(house)
    passes(house, 1)

    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 10)

    assert house.held() == house.held_by_the_broker() == "0"
    assert (the_new(house).status, the_new(house).end_code) == (OrderStatus.CANCELLED, EndCode.NEVER_ARRIVED)


def test_cancelling_a_stop_ends_its_replacement() -> None:
    """EX-07"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    confirms_now(house)
    passes(house, 0.12)

    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 5)

    assert {o.status for o in house.stops} == {OrderStatus.CANCELLED}
    assert house.exchange.books(house.line.at).positions[0].quantity == Decimal("0.502")


def test_a_pending_replacement_is_not_cancelled_alone() -> None:
    """EX-13: the broker may have moved it already, and the shares would be bare"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    confirms_now(house)
    passes(house, 0.12)

    house.presses(RequestCancel(the_new(house).id))
    passes(house, 5)

    assert "cancel that one" in house.last(facts.ProposalSkipped).reasons[0]
    assert the_new(house).status is WORKING


def test_a_close_waits_for_a_stop_being_replaced(snapshot: SnapshotAssertion) -> None:
    """EX-21"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    house.presses(ProposeClose(SPY))
    move = next(p for p in house.desk.stage.proposals() if p.is_guard)
    close = next(p for p in house.desk.stage.proposals() if p.is_exit)
    house.presses(OpenTicket(move.id))
    passes(house, 1)
    house.confirms()
    passes(house, 0.15)

    house.presses(OpenTicket(close.id))
    passes(house, 0.15)
    house.confirms()
    passes(house, 5)

    refused = house.facts(facts.ConfirmationRefused)
    assert [one.reasons for one in refused] == snapshot
    if refused:
        confirms_now(house)
        passes(house, 5)
    assert house.held() == house.held_by_the_broker() == "0"
    assert not any(house.desk.ledger.working())


def _closes_half(house: House) -> None:
    """The close's ticket is opened, read and confirmed, whatever else waits."""
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    close = next(p for p in house.desk.stage.proposals() if p.is_exit)
    house.presses(OpenTicket(close.id))
    passes(house, 0.5)
    house.confirms()


def _guards(house: House) -> list[tuple[Decimal | None, Decimal]]:
    return [(stop.request.stop_price, stop.remaining) for stop in house.stops if stop.is_working]


@pytest.mark.parametrize("is_sale_refused", [False, True])
def test_a_partial_close_keeps_the_stop_of_a_doubtful_move(is_sale_refused: bool) -> None:
    """EX-21, EX-06: the exchange took the move to 99.40, and its answer was lost when half is closed."""
    house = a_house_in_a_position()
    moves(house, "99.40")
    house.line.is_deaf = True
    house.line.breaks_at(ReplaceOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=True, times=3)
    confirms_now(house)
    passes(house, 1)
    assert the_new(house).in_doubt_since is not None

    _closes_half(house)
    passes(house, 0.2)
    house.line.is_deaf = False
    if is_sale_refused:
        house.line.refuses_the_next_order("not now")
    passes(house, 60)

    assert {price for price, _ in _guards(house)} == {Decimal("99.40")}
    assert (
        plain(house.desk.ledger.exits.covered(SPY, "vwap")) == house.held() == ("0.502" if is_sale_refused else "0.251")
    )
    assert house.desk.stage.authorizations(AuthorizationKind.RESTORE_STOP) == ()


def test_a_partial_close_keeps_the_price_before_a_refusal() -> None:
    """EX-21, EX-06: the broker's refusal comes when the close is signed; the old price is the last that stood."""
    house = a_house_in_a_position()
    moves(house, "99.40")
    house.line.refuses_the_next_order("not now")
    house.opens_ticket()
    passes(house, 1)
    house.line.tamper = lambda effect: _slow_replacement(house, effect)
    house.confirms()
    passes(house, 0.3)
    house.slows_down(0.05)
    assert the_new(house).status is OrderStatus.PENDING

    _closes_half(house)
    passes(house, 60)

    assert the_new(house).status is OrderStatus.REJECTED
    assert house.held() == house.held_by_the_broker()
    assert _guards(house) == [(Decimal("99.30"), house.desk.ledger.net_quantity(SPY))]


def _slow_replacement(house: House, effect: Effect) -> Effect:
    if isinstance(effect, ReplaceOrder):
        house.slows_down(2)
    return effect


def with_stops_at_two_prices() -> House:
    """Five shares and the rest have a stop each at 99.30; one of the two was moved to 99.40."""
    thin = a_bar("10:06", "99.60", volume=50)
    house = House([*a_day(), thin, *minutes("10:07", "10:20", "99.60")], settings=FRACTIONS, cash=Decimal(10_000))
    house.opens()
    house.confirms_at("10:06:02")
    house.until("10:09:30")
    moves(house, "99.40")
    confirms_now(house)
    passes(house, 2)
    return house


@pytest.mark.usefixtures("a_bar_at_once")
def test_stops_are_restored_each_at_its_own_price() -> None:
    """EX-21, EX-13: five shares and the rest have a stop each, one of them was moved, and the sale is refused."""
    house = with_stops_at_two_prices()
    before = sorted(_guards(house))
    assert {price for price, _ in before} == {Decimal("99.30"), Decimal("99.40")}
    row = ViewBuilder(house.engine).draw(house.line.at).positions[0]
    assert (row.stop_price, row.nearer_stops) == (Decimal("99.30"), (Decimal("99.40"),))

    house.line.refuses_the_next_order("not now")
    _closes_half(house)
    passes(house, 10)

    assert {price for price, _ in _guards(house)} == {Decimal("99.30"), Decimal("99.40")}
    assert [_at(house, price) for price, _ in before] == [quantity for _, quantity in before]


def test_a_partial_close_keeps_the_nearest_stop_first() -> None:
    """EX-21, OP-03: a ticket names every order that its key sends"""
    house = with_stops_at_two_prices()
    near, far = _at(house, Decimal("99.40")), _at(house, Decimal("99.30"))
    held = Decimal(house.held())

    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    house.opens_ticket()
    passes(house, 1)
    (shown,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    sold = shown.ticket.order.quantity
    house.confirms()
    passes(house, 10)

    left = held - sold
    expected = [(Decimal("99.40"), min(near, left)), (Decimal("99.30"), left - min(near, left))]
    assert 0 < min(near, far) < left
    assert sorted(_guards(house), reverse=True) == [(price, quantity) for price, quantity in expected if quantity]
    assert shown.put_back_in_words == tuple(f"{plain(q)} at {price}" for price, q in expected if q)


def _at(house: House, price: Decimal | None) -> Decimal:
    return sum((quantity for of_stop, quantity in _guards(house) if of_stop == price), Decimal(0))


def test_the_digest_is_unchanged_without_replacement() -> None:
    """OP-02, SP-01"""
    house = a_house_with_a_proposal()
    order = house.proposal.order

    assert len(order.fields()) == 9
    assert replace(order, replaces=order.client_order_id).digest("house") != order.digest("house")


def test_every_replacement_step_is_recorded() -> None:
    """EX-03"""
    house = a_house_in_a_position()
    before = len(house.facts(facts.OrderStateChanged))
    moves(house, "99.50")
    confirms_now(house)
    passes(house, 2)

    steps = [(c.client_order_id, c.before.value, c.after.value) for c in house.facts(facts.OrderStateChanged)[before:]]

    assert sorted(steps) == sorted(
        [(the_new(house).id, "PENDING", "SUBMITTED"), (house.stops[0].id, "SUBMITTED", "CANCELLED")]
    )


def test_the_order_chain_shows_a_replacement(snapshot: SnapshotAssertion) -> None:
    """EX-01, EX-03"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    confirms_now(house)
    passes(house, 2)

    told = [in_words(record.fact) for record in chain_of(the_new(house).id, house.journal.records())]

    assert told == snapshot


def test_a_stop_move_is_not_edited_on_its_ticket(snapshot: SnapshotAssertion) -> None:
    """OP-02: it would become another kind of order"""
    house = a_house_in_a_position()
    moves(house, "99.50")
    (proposal,) = house.desk.stage.proposals()

    house.presses(EditProposal(proposal.id, Quantity(Decimal("0.1")), Price(Decimal("99.60"))))

    assert tuple(house.desk.stage.proposals()) == (proposal,)
    (refused,) = (record.fact for record in house.journal.records() if isinstance(record.fact, facts.EditRefused))
    assert refused.reasons == snapshot


def test_a_fill_during_a_lost_move_gets_its_stop() -> None:
    """OP-06, EX-13: the old stop filled, the new one was lost on its way: neither covers anything"""
    bars = [a_bar("10:10", "99.65 99.65 99.60 99.65", volume=100), a_bar("10:11", "99.66", volume=100)]
    bars += [a_bar("10:12", "99.66 99.66 99.55 99.55", volume=10_000)]
    bars += [a_bar(f"10:{minute}", "99.55") for minute in range(13, 20)]
    house = House([*a_day(("10:06", "10:09", ABOVE)), *bars], settings=FRACTIONS, cash=Decimal(10_000)).opens()
    house.until("10:08")
    house.presses(a_typed_buy("15.5"))
    confirms_now(house)
    house.until("10:11:10")
    house.presses(MoveStop(SPY, "manual", Price(Decimal("99.62"))))
    confirms_now(house)
    house.until("10:12:05")
    house.presses(MoveStop(SPY, "manual", Price(Decimal("99.64"))))
    house.opens_ticket()
    house.until("10:12:17")
    house.line.breaks_at(ReplaceOrder, arrives=False)
    house.confirms()

    passes(house, 200)

    assert house.desk.ledger.exits.covered(SPY, "manual") == Decimal(house.held())


def test_a_close_with_a_moved_stop_leaves_it_covered() -> None:
    """EX-21, OP-02: what its ticket would take out of the way is no longer what is there"""
    house = a_house_in_a_position()
    moves(house, "99.40")
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 0.5)
    move = house.ticket
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    close = next(t for t in house.desk.stage.state.tickets.values() if t.cancels)
    house.slows_down(1.4)
    house.presses(Confirm(move.id, move.digest, move.order.effect, move.order.replaces))
    passes(house, 1.2)
    house.slows_down(1.0)

    house.presses(Confirm(close.id, close.digest, close.order.effect))
    passes(house, 60)

    assert house.held() == "0" or house.desk.ledger.exits.covered(SPY, "vwap") > 0


def test_a_stop_move_shows_no_distance_from_a_signal() -> None:
    """OP-03: a stop at 0.50 is no price that the market has left by 19,000 %"""
    house = a_house_in_a_position()
    moves(house, "0.50")
    house.opens_ticket()
    passes(house, 0.5)

    (shown,) = ViewBuilder(house.engine).draw(house.line.at).tickets

    assert shown.moved is None


@pytest.mark.parametrize(
    ("stop", "limit", "moved_to", "limit_after"),
    [
        pytest.param("0.9950", "0.9853", "1.05", "1.04", id="over a dollar, where a tick is a cent"),
        pytest.param("1.05", "1.04", "0.9951", "0.9851", id="under a dollar"),
        pytest.param("0.9950", "0.9853", "0.9960", "0.9863", id="within one tick"),
        pytest.param("0.9950", "0.0100", "0.9800", "0.0001", id="no price is nothing"),
    ],
)
def test_a_moved_stop_limit_keeps_both_prices_on_tick(stop: str, limit: str, moved_to: str, limit_after: str) -> None:
    """EX-11, EX-12: 1.0403 was sent, and the market takes no such price; its limit never comes nearer to its stop."""
    house = House(minutes("09:55", "10:30", "1.20"), ROOMY, cash=Decimal(1000)).opens().until("10:05")
    house.presses(replace(a_typed_buy("20", limit="1.21", stop="0.90"), stop_holder=StopHolder.YOU))
    confirms_now(house)
    passes(house, 2)
    prices = {"stop_price": Price(Decimal(stop)), "limit_price": Price(Decimal(limit))}
    house.presses(
        ProposeOrder(
            SPY, OrderEffect.CLOSE, Quantity(Decimal(20)), OrderType.STOP_LIMIT, stop_holder=StopHolder.YOU, **prices
        )
    )
    confirms_now(house)
    passes(house, 2)

    house.presses(MoveStop(SPY, "manual", Price(Decimal(moved_to))))
    confirms_now(house)
    passes(house, 2)

    (working,) = [order for order in house.stops if order.is_working]
    assert (working.request.stop_price, working.request.limit_price) == (Decimal(moved_to), Decimal(limit_after))
    assert working.status is WORKING
