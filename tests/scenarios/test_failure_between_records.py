"""The desk dies, or raises, between any two records of an act: every share ends covered, or its stop on a ticket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pytest

from core.facts import ApprovalRedeemed, Fact, OrderCreated, ProposalStaged, SubmissionBlocked
from core.messages.commands import Decline, ProposeOrder
from core.model.broker import Refused
from core.model.codes import HaltCause, OwedReason, RefusalKind
from core.model.order import Effect, LegRole, OrderStatus, OrderType, Side, StopHolder
from core.model.values import Price, Quantity
from core.workflows.orders.unsent_orders import FAILED, NOT_SENT
from tests.scenarios.changes import FRACTIONS, passes
from tests.scenarios.exchange_requests import BUY, LIMIT, SELL, STOP, sent, submit
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.scenarios.test_excess_exits import LONG, a_bracket, leg, three_and_three
from tests.unit.core.brokers.trading_floor import SPY

A_PART = ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal("0.2")), OrderType.MARKET, None, None, StopHolder.BROKER)


@dataclass(frozen=True, slots=True)
class Story:
    """A house, and what happens in it from then on."""

    begins: Callable[[], House]
    goes_on: Callable[[House], object]


def sold_elsewhere(house: House, shares: str) -> None:
    """Its stop is for too much as soon as the broker's books are taken over: a fraction is never made less in place."""
    house.exchange._ledger.execute(SPY, Side.SELL, Quantity(Decimal(shares)), Price(Decimal(100)), house.line.at)
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 40)


def a_pair_that_the_broker_makes_no_less() -> House:
    house = a_bracket(LONG, *three_and_three(LONG, 7), still_until="10:06")
    house.exchange.replace = lambda _at, _order: Refused(RefusalKind.FORBIDDEN, "cannot replace a leg", "40310000")  # type: ignore[method-assign]
    return house.until("10:07")


def with_a_ticket(house: House, typed: ProposeOrder) -> House:
    house.presses(typed)
    house.opens_ticket()
    passes(house, 1)
    return house


def a_fraction_to_buy() -> House:
    house = House([*minutes("10:04", "10:12")], FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    return with_a_ticket(house, a_typed_buy("0.5", limit="100.10", stop="99"))


def is_confirmed(house: House) -> None:
    house.confirms()
    passes(house, 30)


def a_fraction() -> House:
    house = a_fraction_to_buy()
    house.confirms()
    passes(house, 5)
    return house


def a_part_to_sell() -> House:
    return with_a_ticket(a_fraction(), A_PART)


STORIES = {
    "a stop that was cut": Story(a_fraction, lambda house: sold_elsewhere(house, "0.3")),
    "a pair that was cut": Story(a_pair_that_the_broker_makes_no_less, lambda house: house.until("10:07:50")),
    "a pair that was made less": Story(lambda: a_bracket(LONG), lambda house: sold_elsewhere(house, "4")),
    "a close of a part": Story(a_part_to_sell, is_confirmed),
    "an entry with its stop": Story(a_fraction_to_buy, is_confirmed),
}


class GoneError(BaseException):
    """The process ends."""


def dies(house: House, place: int, story: Story) -> bool:
    """Behind this record: nothing that the act would have asked for leaves any more. Whether it came to that."""
    written = 0
    append = house.journal.append

    def dies_behind(at: datetime, fact: Fact) -> int:
        nonlocal written
        sequence = append(at, fact)
        written += 1
        if written == place:
            raise GoneError
        return sequence

    house.journal.append = dies_behind  # type: ignore[method-assign]
    try:
        story.goes_on(house)
    except GoneError:
        del house.journal.append
        house.restarted()
        return True
    return False


def raises(house: House, place: int, story: Story) -> bool:
    """Once, at this record: before it at odd places, behind it at even ones. Whether it came to that."""
    begun, record, is_written = 0, house.desk.record, place % 2 == 0

    def record_or_raise(fact: Fact) -> None:
        nonlocal begun
        begun += 1
        if begun == place and not is_written:
            raise ZeroDivisionError("nobody foresaw this")
        record(fact)
        if begun == place:
            raise ZeroDivisionError("nobody foresaw this")

    house.desk.record = record_or_raise  # type: ignore[method-assign]
    story.goes_on(house)
    house.desk.record = record  # type: ignore[method-assign]
    return begun >= place


FAILURES = {"dies": dies, "raises": raises}


def is_owed_to_nobody(house: House) -> Decimal:
    """Shares that neither an exit covers nor a ticket would, and whose stop has not triggered either."""
    covered = house.desk.ledger.exits.covered
    there = sum((covered(p.symbol, p.strategy) for p in house.desk.ledger.positions()), Decimal(0))
    asked = sum((p.order.quantity for p in house.desk.stage.proposals() if p.is_guard or p.is_exit), Decimal(0))
    selling = sum((o.quantity for o in house.desk.owed_stops.all() if o.why is OwedReason.UNFILLED), Decimal(0))
    return max(abs(Decimal(house.held_by_the_broker())) - there - asked - selling, Decimal(0))


def is_a_target_alone(house: House) -> bool:
    """Its stop is gone, and it holds the shares."""
    working = [order for order in house.desk.ledger.working() if order.only_reduces]
    return any(order.role is LegRole.TARGET for order in working) and not any(o.is_protective for o in working)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", STORIES)
def test_every_failure_leaves_shares_covered_or_asked(name: str, failure: str) -> None:
    """EX-13, EX-20, EX-22, OP-02: at each record of the story once"""
    story, fails, place, ends = STORIES[name], FAILURES[failure], 1, []
    while True:
        House.built.clear()
        house = story.begins()
        if fails(house, place, story):
            passes(house, 90)
            ends.append((place, is_owed_to_nobody(house), is_a_target_alone(house)))
            place += 1
        elif house.facts(OrderCreated):
            break

    assert len(ends) > 8
    assert [end for end in ends if end[1:] != (0, False)] == []


def no_stop_is_written_down(house: House, times: int) -> None:
    """The record that uses its permission is there; that of the order raises."""
    record, left = house.desk.record, times

    def record_or_raise(fact: Fact) -> None:
        nonlocal left
        if isinstance(fact, OrderCreated) and fact.order.type is OrderType.STOP and left:
            left -= 1
            raise ZeroDivisionError("nobody foresaw this")
        record(fact)

    house.desk.record = record_or_raise  # type: ignore[method-assign]


def test_an_unrecorded_stop_is_sent_at_the_next_look() -> None:
    """EX-22, OP-06: its permission is used up by the record of its order; the books are asked for at once"""
    house = a_fraction_to_buy()
    no_stop_is_written_down(house, times=1)

    is_confirmed(house)

    assert HaltCause.INVARIANT in house.desk.control.halts
    assert (sent(house), house.desk.stage.proposals()) == ([submit(BUY, LIMIT, "0.5"), submit(SELL, STOP, "0.5")], ())


def raises_at(house: House, is_meant: Callable[[Fact], bool], *, is_written: bool) -> None:
    """Once, at the first record of such."""
    record, has_raised = house.desk.record, False

    def record_or_raise(fact: Fact) -> None:
        nonlocal has_raised
        is_now = not has_raised and is_meant(fact)
        has_raised = has_raised or is_now
        if is_written or not is_now:
            record(fact)
        if is_now:
            raise ZeroDivisionError("nobody foresaw this")

    house.desk.record = record_or_raise  # type: ignore[method-assign]


def used(house: House) -> int:
    """How often a permission was used without an order."""
    return len(house.facts(ApprovalRedeemed)) - len(house.facts(OrderCreated))


def a_cut_stop(house: House) -> None:
    sold_elsewhere(house, "0.3")


@pytest.mark.parametrize(
    ("begins", "goes_on", "bare"),
    [(a_fraction_to_buy, is_confirmed, "0.5"), (a_fraction, a_cut_stop, "0.2")],
    ids=["signed with its entry", "less of one that was signed"],
)
def test_a_stop_that_fails_twice_waits_on_a_ticket(
    begins: Callable[[], House], goes_on: Callable[[House], None], bare: str
) -> None:
    """EX-13, EX-22: it is owed by the ticket alone: nothing follows it, also where it is declined"""
    house = begins()
    no_stop_is_written_down(house, times=99)

    goes_on(house)
    passes(house, 180)
    (asked,) = house.desk.stage.proposals()
    house.presses(Decline(asked.id, "no"))
    passes(house, 180)

    assert (asked.is_guard, str(asked.order.quantity.normalize()), asked.reason) == (True, bare, FAILED.words)
    assert house.desk.stage.proposals() == ()
    assert used(house) == 2


@pytest.mark.parametrize("name", STORIES)
def test_a_recorded_unsent_stop_is_sent_without_ticket(name: str) -> None:
    """EX-13, EX-22: it goes out at the next look"""
    house = STORIES[name].begins()
    raises_at(house, lambda fact: isinstance(fact, ProposalStaged) and fact.proposal.is_guard, is_written=False)
    raises_at(house, lambda fact: isinstance(fact, OrderCreated) and fact.order.type is OrderType.STOP, is_written=True)

    STORIES[name].goes_on(house)
    passes(house, 180)

    assert HaltCause.INVARIANT in house.desk.control.halts
    assert (is_owed_to_nobody(house), house.desk.stage.proposals()) == (0, ())


def test_an_unrecorded_confirmed_exit_asks_again() -> None:
    """EX-22: what a ticket permits by itself is permitted once, so it is told, and asked for again"""
    house = a_fraction_to_buy()
    no_stop_is_written_down(house, times=99)
    is_confirmed(house)
    passes(house, 180)
    house.opens_ticket()
    passes(house, 1)

    house.confirms()
    passes(house, 1)

    assert house.facts(SubmissionBlocked)[-1].reason == NOT_SENT
    assert [(p.is_guard, p.reason) for p in house.desk.stage.proposals()] == [(True, FAILED.words)]


def test_a_target_ends_with_its_cut_stop_on_restart() -> None:
    """EX-13, EX-20: the stop's cancel is on its way as the desk dies; the broker does not know that they are a pair"""
    house = a_pair_that_the_broker_makes_no_less()

    dies(house, 10, STORIES["a pair that was cut"])
    passes(house, 180)

    assert [leg(house, role).status for role in LegRole] == [OrderStatus.CANCELLED] * 2
    assert is_owed_to_nobody(house) == 0
