"""Shares that stand bare although a ticket named their stop get it: sent where that is permitted, else on a ticket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.execution.order import Order
from core.execution.stop_coverage import unprotected_in_words
from core.messages.commands import Decline, Kill, ProposeClose, RequestCancel
from core.messages.effects import CancelOrder, Effect
from core.model.broker import Execution, OrderUpdate
from core.model.order import Effect as OrderEffect
from core.model.order import OrderStatus, Side, StopHolder, TimeInForce
from core.model.staging import AuthorizationKind
from core.model.values import Price, Quantity, Symbol, plain
from core.runtime.inbox import Link
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import FRACTIONS, ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import (
    RARELY,
    STEADY,
    Disk,
    House,
    SubmitOrder,
    a_day,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.test_excess_exits import LONG, SHORT, a_bracket
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar, at
from widgets.lines import joined
from widgets.ticket_text import ticket_lines

FRIDAY, MONDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4)
SIDES = pytest.mark.parametrize("side", [LONG, SHORT], ids=["long", "short"])
DOWN = "100.05 100.05 99.95 100"
"""Touches a limit at 100."""


def price(text: str) -> Price:
    return Price(Decimal(text))


def working_stops(house: House) -> list[str]:
    """`2 at 99`"""
    stops = [o for o in house.stops if o.is_working and not house.desk.ledger.legs.is_held(o)]
    return sorted(f"{plain(o.remaining)} at {plain(o.request.stop_price or Decimal(0))}" for o in stops)


def waiting(house: House) -> list[str]:
    """The stops that wait for their key: `3 at 99`."""
    found = [p.order for p in house.desk.stage.proposals() if p.is_guard]
    return [f"{plain(order.quantity)} at {plain(order.stop_price or Decimal(0))}" for order in found]


def elsewhere(house: House, side: Side, shares: str, symbol: Symbol = SPY) -> None:
    """Somebody trades the same account by other means."""
    trades_elsewhere(house.exchange, house.line.at, side, shares, symbol)


def is_bare(house: House) -> tuple[str, ...]:
    return tuple(words for _, words in unprotected_in_words(house.desk.ledger))


def a_bracket_until_cancelled(filled_on: date = FRIDAY) -> House:
    """Typed on a Thursday for six; on the next day the market comes down to it, and three are filled."""
    bars = [
        *minutes("09:55", "10:05", "101"),
        *minutes("09:30", "10:09", "101", day=filled_on, every=10),
        a_bar("10:10", DOWN, volume=30, day=filled_on),
        *minutes("10:11", "10:40", "100.5", day=filled_on),
    ]
    house = House(bars, ROOMY.model_copy(update=RARELY), cash=Decimal(10_000)).opens().until("10:05")
    typed = replace(a_typed_buy("6", limit="100", stop="99"), target_price=price("103"))
    house.presses(replace(typed, time_in_force=TimeInForce.GTC))
    confirms_now(house)
    return house.until("10:12", day=filled_on)


def cancel(house: House) -> None:
    house.presses(RequestCancel(house.entry.id))


def kill(house: House) -> None:
    house.presses(Kill("test"))


@pytest.mark.parametrize("ends", [cancel, kill])
def test_a_late_fill_of_a_gtc_entry_has_its_stop(ends: object) -> None:
    """OP-02, OP-06, EX-13: the legs go with it, and the stop that its ticket signed follows."""
    house = a_bracket_until_cancelled()
    assert house.held() == "3"

    ends(house)  # type: ignore[operator]
    house.until("10:25", day=FRIDAY)

    assert (working_stops(house), waiting(house), is_bare(house)) == (["3 at 99"], [], ())
    assert house.facts(facts.SubmissionBlocked) == []


def test_the_ticket_says_until_when_the_stop_is_good(snapshot: SnapshotAssertion) -> None:
    """OP-02, OP-03: the close of the session after its own, and no other end is minted."""
    house = House([*minutes("09:55", "10:20")], ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("6", limit="100", stop="99"))
    house.opens_ticket()
    passes(house, 1)

    (shown,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    assert shown.stops_until == at("16:00", FRIDAY)
    assert [joined(line) for line in ticket_lines(shown, house.line.at, 74)] == snapshot
    house.confirms()
    assert [use.authorization.ends_at for use in house.desk.stage.state.authorizations.values()] == [shown.stops_until]


def test_a_later_proposal_forgets_no_signed_stop() -> None:
    """OP-02, OP-06"""
    house = a_bracket_until_cancelled(filled_on=MONDAY)
    other = a_typed_buy("1", limit="90", stop="89")
    house.presses(replace(other, effect=OrderEffect.ADD))

    cancel(house)
    house.until("10:25", day=MONDAY)

    assert working_stops(house) == ["3 at 99"]


def a_fill_that_nobody_heard(until: str = "09:49", day: date = FRIDAY) -> House:
    """A fraction filled on Thursday after the desk had died; it starts again later."""
    bars = [
        *minutes("09:55", "10:20", "101"),
        a_bar("10:21", DOWN),
        *minutes("10:22", "10:40", "100.5"),
        *minutes("09:30", "10:10", "100.5", day=FRIDAY),
        *minutes("09:30", "10:10", "100.5", day=MONDAY),
    ]
    house = House(bars, FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(replace(a_typed_buy("1.5", limit="100", stop="99")))
    confirms_now(house)
    passes(house, 2)
    return house.is_off_until(at("09:40", day)).restarted().until(until, day=day)


def test_a_fill_heard_next_morning_has_its_stop() -> None:
    """EX-20, EX-22, OP-02"""
    house = a_fill_that_nobody_heard()

    assert (house.held(), working_stops(house), is_bare(house)) == ("1.5", ["1.5 at 99"], ())


def test_a_fill_after_the_authorization_asks_once() -> None:
    """OP-02, EX-13: on a ticket, at the price that was signed; who declines it is not asked again."""
    house = a_fill_that_nobody_heard(day=MONDAY)

    assert (house.held(), working_stops(house), waiting(house)) == ("1.5", [], ["1.5 at 99"])
    assert len(house.facts(facts.StopAskedFor)) == len(house.facts(facts.SubmissionBlocked)) == 1
    assert_can_be_rebuilt(house)

    house.presses(Decline(house.proposal.id, "no"))
    house.until("09:55", day=MONDAY)
    house.restarted().until("10:05", day=MONDAY)
    assert (waiting(house), len(house.facts(facts.StopAskedFor))) == ([], 1)


def test_a_confirmed_asked_stop_is_sent() -> None:
    """OP-02, OP-06"""
    house = a_fill_that_nobody_heard(day=MONDAY)

    confirms_now(house)
    passes(house, 90)

    assert (working_stops(house), waiting(house), is_bare(house)) == (["1.5 at 99"], [], ())


@SIDES
def test_a_reduced_stop_grows_back_with_the_books(side: dict[str, object]) -> None:
    """EX-13: the broker's books say two of six for a minute, then six again."""
    house = a_bracket(side, shares="6")
    away, back = (Side.SELL, Side.BUY) if side is LONG else (Side.BUY, Side.SELL)
    elsewhere(house, away, "4")
    house.until("10:08:30")
    assert len(working_stops(house)) == 1
    elsewhere(house, back, "4")

    house.until("10:10:30")

    assert sum((o.remaining for o in house.stops if o.is_working), Decimal(0)) == 6
    assert (is_bare(house), waiting(house), house.desk.control.word()) == ((), [], "on")


def a_fill_while_the_books_differ() -> House:
    """Five of 10.5 are filled; two of them are sold elsewhere, and the books have said so when three more fill."""
    bars = [
        *minutes("09:55", "10:05", "101"),
        a_bar("10:06", DOWN, volume=50),
        *minutes("10:07", "10:07", "101"),
        a_bar("10:08", DOWN, volume=30),
        *minutes("10:09", "10:40", "101"),
    ]
    house = House(bars, FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("10.5", limit="100", stop="99"))
    confirms_now(house)
    house.until("10:07:01")
    elsewhere(house, Side.SELL, "2")
    return house.until("10:08")


@pytest.mark.usefixtures("a_bar_at_once")
def test_a_fill_in_differing_books_has_its_stop() -> None:
    """EX-13, OP-06: the broker's number is that of the last comparison, and what was filled since."""
    house = a_fill_while_the_books_differ()
    passes(house, 0.5)
    assert (house.held(), working_stops(house)) == ("5", ["3 at 99"])

    house.until("10:30")

    assert (house.held(), house.held_by_the_broker()) == ("8", "6")
    assert sum((o.remaining for o in house.stops if o.is_working), Decimal(0)) == 6


def test_externally_sold_shares_are_owed_no_stop() -> None:
    """EX-13: shares that are bought later have the stop of their own ticket, or none."""
    house = a_fill_while_the_books_differ().until("10:30")
    house.accepts(house.exchange.books(house.line.at))
    house.until("10:35")

    assert (house.held(), is_bare(house)) == ("6", ())
    assert [o.owed for o in house.stops if getattr(o, "owed", None)] == []
    assert sum((o.remaining for o in house.stops if o.is_working), Decimal(0)) == 6


@dataclass(frozen=True, slots=True)
class SlowCancels(Link):
    """The cancel of one order is answered a second later than any other."""

    slow: str = ""
    is_the_slow_one: bool = True

    def carry(self, effect: Effect) -> tuple[timedelta, ...]:
        is_it = isinstance(effect, CancelOrder) and (effect.client_order_id == self.slow) is self.is_the_slow_one
        return (timedelta(seconds=1),) if is_it else (self.latency,)


@pytest.mark.usefixtures("a_bar_at_once")
@pytest.mark.parametrize("is_the_larger_one_slow", [True, False])
def test_stops_cut_together_keep_shares_guarded(is_the_larger_one_slow: bool) -> None:
    """EX-13: 2.5 and 1 were held; 1.5 are sold elsewhere."""
    bars = [
        *minutes("09:55", "10:05", "101"),
        *(a_bar(f"10:0{minute}", DOWN, volume=25) for minute in (6, 7)),
        *minutes("10:08", "10:40", "101"),
    ]
    house = House(bars, FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("3.5", limit="100", stop="99"))
    confirms_now(house)
    house.until("10:08:10")
    assert working_stops(house) == ["1 at 99", "2.5 at 99"]
    house.line.link = SlowCancels(slow=house.stops[0].id, is_the_slow_one=is_the_larger_one_slow)
    elsewhere(house, Side.SELL, "1.5")

    house.until("10:20")

    assert sum((o.remaining for o in house.stops if o.is_working), Decimal(0)) == 2


def test_a_crash_between_two_stops_leaves_one() -> None:
    """EX-20, EX-13"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    (stop,) = house.stops
    elsewhere(house, Side.SELL, "0.302")
    house.accepts(house.exchange.books(house.line.at))
    house.line.breaks_at(SubmitOrder, arrives=False)
    passes(house, 2)
    house.loses_the_journal_after(end_of(house, stop))

    house.restarted().until("10:20")

    assert (house.held(), working_stops(house), is_bare(house)) == ("0.2", ["0.2 at 99.3"], ())


def test_a_crash_after_a_stops_day_still_asks() -> None:
    """EX-20, EX-13"""
    bars = [*minutes("09:30", "10:05"), *minutes("09:30", "09:50", day=FRIDAY)]
    house = House(bars, FRACTIONS.model_copy(update=RARELY), cash=Decimal(10_000)).opens().until("10:00")
    house.presses(a_typed_buy("0.2", limit="100.10", stop="99.80"))
    confirms_now(house)
    house.until("16:01")
    assert waiting(house) == ["0.2 at 99.8"]
    (stop,) = house.stops
    house.loses_the_journal_after(end_of(house, stop))

    house.restarted().until("16:05")
    assert waiting(house) == ["0.2 at 99.8"]

    house.presses(Decline(house.proposal.id, "no"))
    house.restarted().until("09:40", day=FRIDAY)
    assert waiting(house) == []


def test_a_partial_day_fill_has_one_stop_at_close() -> None:
    """OP-06, EX-13: its legs ended with it; the stop that was signed is the one."""
    bars = [
        *minutes("09:55", "10:09", "101"),
        a_bar("10:10", DOWN, volume=30),
        *minutes("10:11", "15:59", "100.5", every=10),
    ]
    house = House(bars, ROOMY.model_copy(update=RARELY), cash=Decimal(10_000)).opens().until("10:05")
    house.presses(replace(a_typed_buy("6", limit="100", stop="99"), target_price=price("103")))
    confirms_now(house)

    house.until("16:05")

    assert (house.held(), working_stops(house), waiting(house)) == ("3", ["3 at 99"], [])


def test_a_stop_cancelled_by_hand_is_not_asked(snapshot: SnapshotAssertion) -> None:
    """EX-13: it is named, and nothing is done behind that person's back."""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.presses(RequestCancel(house.stops[0].id))

    house.until("10:20")

    assert (working_stops(house), waiting(house)) == ([], [])
    assert is_bare(house) == snapshot


def end_of(house: House, stop: Order) -> int:
    """The record with which a stop ended."""
    return next(
        r.sequence
        for r in house.journal.records()
        if isinstance(r.fact, facts.OrderStateChanged)
        and r.fact.client_order_id == stop.id
        and r.fact.after.is_terminal
    )


def a_start_with_a_stop_owed(*, is_kept: bool) -> House:
    """The entry filled and the desk died: before its stop was written, or with the stop in its own queue."""
    house = a_house_with_a_proposal()
    house.until("10:06:01")
    house.opens_ticket()
    house.until("10:06:02")
    house.confirms()
    while not any(o.broker_order_id for o in house.desk.ledger.state.orders.values()):
        passes(house, 0.02)
    house.line.breaks_at(SubmitOrder, arrives=False)
    while not house.stops:
        passes(house, 0.1)
    passes(house, 0.3)
    (stop,) = house.stops
    records = list(house.journal.records())
    if not is_kept:
        house.loses_the_journal_after(
            max(r.sequence for r in records if isinstance(r.fact, facts.OrderFilled | facts.PositionChanged))
        )
        return house
    created = next(
        r.sequence
        for r in records
        if isinstance(r.fact, facts.OrderCreated) and r.fact.order.client_order_id == stop.id
    )
    approval = next(
        r.fact.approval
        for r in records
        if isinstance(r.fact, facts.ApprovalRedeemed) and r.fact.client_order_id == stop.id
    )
    house.loses_the_journal_after(created)
    house.journal.append(house.line.at, facts.OrderKept(stop.id, approval))
    return house


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "never written"])
def test_an_owed_stop_waits_for_no_other_symbol(is_kept: bool) -> None:
    """EX-22, EX-09: the desk is read-only for them, and this symbol agrees."""
    house = a_start_with_a_stop_owed(is_kept=is_kept)
    for name in ("IBM", "AAPL", "MSFT", "AIG"):
        elsewhere(house, Side.BUY, "1", Symbol(name))

    house.restarted().until("10:08")

    assert house.desk.control.state.read_only_because
    assert (working_stops(house), is_bare(house)) == (["0.502 at 99.3"], ())


def test_a_stop_that_was_kept_is_told_as_no_stop(snapshot: SnapshotAssertion) -> None:
    """EX-13, EX-22: nobody has it, so nobody is in doubt of it."""
    house = a_start_with_a_stop_owed(is_kept=True)
    house._take_up(house.line.at)

    assert is_bare(house) == snapshot


def test_an_authorization_is_returned_once() -> None:
    """OP-02, EX-20, EX-22: the order ends unsent, and the desk dies between the two records of that."""
    house = a_start_with_a_stop_owed(is_kept=True)
    (stop,) = house.stops
    (use,) = house.desk.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)
    returned = facts.PermissionReturned(stop.id, use.authorization.id, stop.request.quantity)

    house.desk.record(returned)
    house.desk.record(returned)

    assert use.released == 0


@pytest.mark.usefixtures("a_bar_at_once")
def test_an_old_journal_owes_no_stop() -> None:
    """SP-03, EX-13: what followed a stop that was cut was all of it then."""
    house = a_fill_while_the_books_differ().until("10:12")
    older = [r for r in house.journal.records() if not isinstance(r.fact, facts.StopCut)]
    assert len(older) < len(list(house.journal.records()))
    house.journal = Disk()
    for record in older:
        house.journal.append(record.at, record.fact)

    house._take_up(house.line.at)

    assert house.desk.ledger.exits.cut_stops() == ()


def test_an_earlier_days_stop_is_asked_for() -> None:
    """EX-13, OP-02: it would have ended with its day; on a ticket, once, for what no signed stop guards by then."""
    days = [*a_day(("10:06", "10:30", STEADY)), *minutes("09:30", "10:20", STEADY, day=FRIDAY)]
    house = House(days, FRACTIONS.model_copy(update=RARELY), cash=Decimal(10_000)).opens().until("10:05")
    for proposal in house.desk.stage.proposals():
        house.presses(Decline(proposal.id, "no"))
    house.presses(replace(a_typed_buy("6", limit="99.70", stop="99"), time_in_force=TimeInForce.DAY))
    confirms_now(house)
    house.until("10:08")
    elsewhere(house, Side.SELL, "4")
    house.until("15:30")
    assert working_stops(house) == ["2 at 99"]
    house.until("16:05")
    elsewhere(house, Side.BUY, "4")

    house.until("09:45", day=FRIDAY)

    assert (working_stops(house), waiting(house)) == (["2 at 99", "2 at 99"], ["2 at 99"])
    assert house.desk.ledger.exits.cut_stops() == ()


def test_what_is_being_closed_gets_no_stop_back() -> None:
    """EX-13, EX-21: the shares are there again while a close waits for the stop of the rest to make way."""
    house = a_bracket(LONG, shares="6")
    elsewhere(house, Side.SELL, "4")
    house.until("10:08:30")
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(2))))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    elsewhere(house, Side.BUY, "4")
    house.until("10:15")

    sold = [o for o in house.desk.ledger.state.orders.values() if o.only_reduces and not o.stands_by]
    assert [(o.status, plain(o.filled_quantity)) for o in sold] == [(OrderStatus.FILLED, "2")]
    assert (house.held(), is_bare(house)) == ("4", ())
    assert sum((o.remaining for o in house.stops if o.is_working), Decimal(0)) == 4


def test_later_shares_get_no_older_signed_stop() -> None:
    """OP-02, OP-06: that one was given back, and its position is closed; the new ticket says that this desk watches."""
    house = House([*minutes("09:55", "10:20")], FRACTIONS, cash=Decimal(10_000)).opens().until("10:00")
    house.presses(a_typed_buy("0.2", limit="100.10", stop="99"))
    confirms_now(house)
    house.until("10:02")
    (stop,) = house.stops
    (use,) = house.desk.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP)
    house.desk.record(facts.PermissionReturned(stop.id, use.authorization.id, stop.request.quantity))
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:04")
    assert (house.held(), use.released) == ("0", 0)

    house.presses(replace(a_typed_buy("0.3", limit="100.10", stop="98"), stop_holder=StopHolder.DESK))
    confirms_now(house)
    house.until("10:10")

    assert (house.held(), working_stops(house), waiting(house)) == ("0.3", [], [])


def the_brokers_clock_is_ahead(house: House, seconds: float) -> None:
    """Every fill is told with the broker's own time."""
    told, by = house.exchange.take_updates, timedelta(seconds=seconds)

    def moved(fill: Execution) -> Execution:
        return replace(fill, at=fill.at + by)

    def ahead() -> list[OrderUpdate]:
        return [
            replace(
                update,
                report=replace(update.report, executions=tuple(map(moved, update.report.executions))),
                execution=moved(update.execution) if update.execution else None,
            )
            for update in told()
        ]

    house.exchange.take_updates = ahead  # type: ignore[method-assign]


@pytest.mark.parametrize("seconds", [3, 0, -3])
def test_two_simultaneous_fills_each_have_a_stop(seconds: float) -> None:
    """EX-13, OP-06: the second ended by this desk's clock before the first had filled by the broker's."""
    bars = [*minutes("09:55", "10:09", "101"), a_bar("10:10", DOWN), *minutes("10:11", "10:20", "100.5")]
    house = House(bars, FRACTIONS, cash=Decimal(10_000)).opens().until("10:00")
    the_brokers_clock_is_ahead(house, seconds)
    house.presses(replace(a_typed_buy("3", limit="100.01", stop="99"), stop_holder=StopHolder.DESK))
    confirms_now(house)
    passes(house, 1)
    house.presses(a_typed_buy("0.5", limit="100", stop="98"))
    confirms_now(house)

    house.until("10:15")

    assert (house.held(), working_stops(house)) == ("3.5", ["0.5 at 98"])


def test_an_old_position_uses_the_brokers_clock() -> None:
    """SP-03"""
    house = a_house_in_a_position()
    (position,) = house.desk.ledger.positions()
    older = replace(position, heard_at=None)

    assert position.heard_at is not None
    assert older.began == older.opened_at == position.opened_at
