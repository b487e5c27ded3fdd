"""The table "What passes when", cell by cell: what stands down the side, what is asked for across the top.

| what stands | opens or adds | only reduces | cancels |
| --- | --- | --- | --- |
| entries on | confirmed, every check | confirmed; checks only warn | at once |
| protection, limit, regime, breaker, back-pressure | refused, with every reason | as above | at once |
| halted | refused | as above, staged by the operator or an exit | at once |
| killed | refused | from the kill screen or a ticket, each confirmed | at once; protective orders stay and are named |
| read-only | refused | only a close of what the broker itself reports | at once |
| the journal cannot be written | refused | refused | at once |

In every house SPY is held with its stop at the broker, and an entry in IBM waits far below the market.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.execution.order import Order
from core.facts import ConfirmationRefused, ProposalEnded, ProposalSkipped
from core.messages.commands import Confirm, Halt, Kill, OpenTicket, ProposeClose, ProposeFlattening, RequestCancel
from core.messages.effects import FetchBooks
from core.messages.inputs import AccountFetched, BooksFetched, RegimeArrived
from core.model.broker import BrokerBooks, BrokerPosition, NoAnswer, OrderReport
from core.model.codes import HaltCause
from core.model.order import Effect, OrderStatus
from core.model.sizing import MarketMeasure, NoVix, Regime, Trend, Volatility
from core.model.staging import CheckResult, Ticket
from core.model.values import Price, ProposalId, Quantity, Symbol
from core.runtime.inbox import Link
from core.settings.settings import Settings
from tests.scenarios.changes import passes
from tests.scenarios.house import RECOVERY, STEADY, House, a_house_in_a_position, a_typed_buy
from tests.scenarios.requests import CANCEL, requested, sell
from tests.unit.core.brokers.trading_floor import IBM, SPY, a_bar

BAC, XOM = Symbol("BAC"), Symbol("XOM")
GONE = NoAnswer("the connection broke")


def nothing(_house: House) -> None:
    """Entries are on."""


@dataclass(frozen=True)
class Row:
    """What stands.

    Attributes
    ----------
    comes
        Makes it stand.
    words
        What a refused entry is told.
    check
        The one that refuses it, and warns on what only reduces; empty where none looks at what reduces.
    risk
        What differs in its settings.
    before
        What must have happened before it can come.
    """

    name: str
    comes: Callable[[House], None] = nothing
    words: str = ""
    check: str = ""
    risk: tuple[tuple[str, object], ...] = ()
    before: Callable[[House], None] = nothing

    def __str__(self) -> str:
        return self.name


def bac_is_bought(house: House) -> None:
    """And it is 10:08, whose bar goes through its stop."""
    house.until("10:07:30")
    buys(house, BAC, "1", "99.70", "99.30")
    house.until("10:08:05")
    assert house.held(BAC) == "1"


def bac_is_stopped_out(house: House) -> None:
    house.until("10:08:30")
    assert house.held(BAC) == "0"


def the_range_is_wide(house: House) -> None:
    market = MarketMeasure(SPY, date(2026, 11, 18), Trend.DOWN, Volatility.USUAL, Decimal("6.48"), Decimal(4))
    house.line.take(house.line.at, RegimeArrived(Regime(NoVix("nobody answered"), market)))


def the_broker_is_silent(house: House) -> None:
    for _ in range(5):
        house.line.take(house.line.at, AccountFetched(GONE))


def two_orders_have_no_answer(house: House) -> None:
    house.line.link = Link(answer_delay=timedelta(seconds=7.5))
    for limit in ("95.10", "95.40"):
        buys(house, BAC, "0.1", limit, "94", then=0.2)


def nobody_foresaw_this(house: House) -> None:
    """A handler raises, once."""
    keep = house.engine.handlers[OpenTicket]
    house.engine.handlers[OpenTicket] = (_raises,)
    house.presses(OpenTicket(ProposalId("any")))
    house.engine.handlers[OpenTicket] = keep


def _raises(_message: object) -> tuple[()]:
    raise ZeroDivisionError("nobody foresaw this")


def the_broker_reports(quantity: str) -> Callable[[House], None]:
    """Ours are 0.4: too far apart to be corrected."""

    def comes(house: House) -> None:
        spy = BrokerPosition(SPY, Quantity(Decimal(quantity)), Price(Decimal(100)))
        hears(house, replace(the_books(house), positions=(spy,)))
        assert not house.desk.control.state.is_reconciled

    return comes


def the_disk_is_full(house: House) -> None:
    house.journal.is_full = True


def is_killed(house: House) -> None:
    house.presses(Kill("key"))


def is_halted_by(whom: str) -> Callable[[House], None]:
    return lambda house: house.presses(Halt(whom))


ON = Row("entries-on")
SHUT = (
    Row(
        "protection",
        bac_is_stopped_out,
        "loss streak: manual: 1 losses in a row",
        "loss streak",
        (("protections", {"loss_streak": {"trade_limit": 1}}),),
        bac_is_bought,
    ),
    Row("limit", bac_is_stopped_out, "daily loss: 0.", "daily loss", (("daily_loss", {"usd": "0.20"}),), bac_is_bought),
    Row("regime", the_range_is_wide, "trade frequency: SPY's range is 1.62 ×", "trade frequency"),
    Row("breaker", the_broker_is_silent, "breaker: open for"),
    Row("back-pressure", two_orders_have_no_answer, "back-pressure: 2 orders wait for the broker's answer"),
)
HALTED = (
    Row("halted-by-the-first-kill-press", is_halted_by("key"), "halted (key): by key", "kill switch"),
    Row("halted-by-a-signal", is_halted_by("SIGUSR1"), "halted (key): by SIGUSR1", "kill switch"),
    Row("halted-by-an-invariant", nobody_foresaw_this, "halted (invariant): ZeroDivisionError", "kill switch"),
)
KILLED = Row("killed", is_killed, "killed by key", "kill switch")
READ_ONLY = Row("read-only", the_broker_reports("9"), "read-only: ", "kill switch")
DISK = Row("the-journal-cannot-be-written", the_disk_is_full)
EVERY = (ON, *SHUT, *HALTED, KILLED, READ_ONLY, DISK)


def rows(*these: Row) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", these, ids=str)


def a_house(row: Row) -> House:
    """It is 10:07 or, where something must come before, 10:08. At 10:10 XOM falls by ten cents."""
    risk: dict[str, Any] = {
        "per_trade": {"usd": "5"},
        "max_notional": {"usd": "150"},
        "max_open_positions": 9,
        "entries_a_day": 9,
        **dict(row.risk),
    }
    settings = Settings.model_validate(
        {
            "symbols": [SPY, IBM, BAC, XOM],
            "risk": risk,
            "execution": {"max_queued": 1},
            "strategies": {"vwap": {"enabled": False}},
        }
    )
    told = {(BAC, "10:08"): "99.60 99.60 99.20 99.60", (XOM, "10:10"): "99.60 99.60 99.50 99.60"}
    bars = [
        a_bar(f"10:{minute:02d}", told.get((symbol, f"10:{minute:02d}"), "99.60"), symbol=symbol)
        for symbol in (SPY, IBM, BAC, XOM)
        for minute in range(4, 16)
    ]
    house = House(bars, settings, cash=Decimal(1000), multiplier=Decimal(2)).opens().until("10:05")
    buys(house, SPY, "0.4", "99.70", "99.30")
    buys(house, IBM, "0.1", "95", "94")
    house.until("10:07")
    assert (house.held(), the_waiting(house).status) == ("0.4", OrderStatus.SUBMITTED)
    assert [stop.status for stop in house.stops] == [OrderStatus.SUBMITTED]
    row.before(house)
    return house


def where(row: Row) -> House:
    """The house in which it stands."""
    house = a_house(row)
    row.comes(house)
    return house


def the_books(house: House) -> BrokerBooks:
    reply = house.line.ask(FetchBooks())
    assert isinstance(reply, BooksFetched)
    assert isinstance(reply.answer, BrokerBooks)
    return reply.answer


def hears(house: House, books: BrokerBooks) -> None:
    """And then nothing for a while."""
    house.line.take(house.line.at, BooksFetched(books))
    house.line.breaks_at(FetchBooks, arrives=True)


def buys(house: House, symbol: Symbol, quantity: str, limit: str, stop: str, then: float = 10) -> None:
    house.presses(replace(a_typed_buy(quantity, limit=limit, stop=stop), symbol=symbol))
    confirms(house, a_ticket(house))
    passes(house, then)


def types_an_entry(house: House, effect: Effect, limit: str = "99.70") -> None:
    """Opens XOM or adds to SPY."""
    symbol = SPY if effect is Effect.ADD else XOM
    house.presses(replace(a_typed_buy("0.2", limit=limit, stop="99.30"), symbol=symbol, effect=effect))


def a_ticket(house: House) -> Ticket:
    """Of the newest proposal, read for half a second."""
    proposal = house.desk.stage.proposals()[-1]
    house.presses(OpenTicket(proposal.id))
    passes(house, 0.5)
    return next(t for t in house.desk.stage.state.tickets.values() if t.proposal_id == proposal.id)


def confirms(house: House, ticket: Ticket) -> None:
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces))


def the_waiting(house: House) -> Order:
    return next(o for o in house.desk.ledger.state.orders.values() if o.request.symbol == IBM)


def at_the_broker(house: House, order: Order) -> OrderStatus:
    report = house.exchange.order(house.line.at, order.id)
    assert isinstance(report, OrderReport)
    return report.status


def entries(house: House) -> int:
    """Orders to buy that reached the broker."""
    return sum((request.verb, request.side) == ("submit", "buy") for request in requested(house))


def said(house: House) -> str:
    """Whatever was told of what did not pass."""
    reasons = [reason for fact in house.facts(ProposalSkipped) for reason in fact.reasons]
    reasons += [reason for fact in house.facts(ConfirmationRefused) for reason in fact.reasons]
    return "; ".join([*reasons, *(fact.reason for fact in house.facts(ProposalEnded))])


def assert_is_refused(house: House, row: Row, entries_before: int) -> None:
    assert entries(house) == entries_before
    if row is DISK:  # nothing can be recorded: the desk itself says why
        assert HaltCause.JOURNAL in house.desk.control.halts
        return
    assert row.words in said(house)


opens_or_adds = pytest.mark.parametrize("effect", [Effect.OPEN, Effect.ADD], ids=["opens", "adds"])


@opens_or_adds
@rows(ON)
def test_an_entry_is_confirmed_after_every_check(row: Row, effect: Effect) -> None:
    """RK-01, OP-01: nothing leaves before the key."""
    house = where(row)
    before = entries(house)

    types_an_entry(house, effect)
    ticket = a_ticket(house)
    passes(house, 1)
    at_the_ticket = entries(house)
    confirms(house, ticket)
    passes(house, 5)

    assert len(ticket.review.verdicts) > 25
    assert ticket.review.passes
    assert (at_the_ticket, entries(house)) == (before, before + 1)
    assert (house.held(), house.held(XOM)) == (("0.6", "0") if effect is Effect.ADD else ("0.4", "0.2"))


@rows(*SHUT, *HALTED, KILLED, READ_ONLY, DISK)
def test_an_entry_is_refused(row: Row) -> None:
    """RK-01, RK-09, EX-14, EX-15, SP-06: it is not staged, but in memory alone where the disk is full; no key of
    its ticket sends it then.
    """
    house = where(row)
    before = entries(house)

    for effect in (Effect.OPEN, Effect.ADD):
        types_an_entry(house, effect)
    staged = [proposal for proposal in house.desk.stage.proposals() if not proposal.only_reduces]
    for proposal in staged:
        house.presses(OpenTicket(proposal.id))
    passes(house, 4)
    for ticket in list(house.desk.stage.state.tickets.values()):
        assert not ticket.review.passes
        confirms(house, ticket)
    passes(house, 4)

    assert bool(staged) is (row is DISK)
    assert_is_refused(house, row, before)
    if row is not DISK:
        assert all(row.words in "; ".join(fact.reasons) for fact in house.facts(ProposalSkipped)[-2:])


@rows(*SHUT, *HALTED, KILLED, READ_ONLY, DISK)
def test_an_entry_with_an_open_ticket_is_refused(row: Row) -> None:
    """OP-03, OP-07: everything is checked again at the key; a kill takes the ticket away."""
    house = a_house(row)
    tickets = []
    for effect in (Effect.OPEN, Effect.ADD):
        types_an_entry(house, effect)
        tickets.append(a_ticket(house))
    row.comes(house)
    before = entries(house)

    for ticket in tickets:
        confirms(house, ticket)
    passes(house, 4)

    assert_is_refused(house, row, before)


def test_an_entry_is_refused_with_every_reason() -> None:
    """RK-01, RK-09: a protection, a limit, the regime, the breaker and a halt at once, on one entry."""
    protection, limit, regime, breaker, *_ = SHUT
    several = (protection, limit, regime, breaker, HALTED[0])
    house = a_house(replace(protection, risk=(*protection.risk, *limit.risk)))

    for row in several:
        row.comes(house)
    types_an_entry(house, Effect.OPEN)

    reasons = house.last(ProposalSkipped).reasons
    assert [any(row.words in reason for reason in reasons) for row in several] == [True] * 5


@rows(ON, *SHUT, *HALTED, KILLED, READ_ONLY)
def test_an_exit_is_confirmed_and_checks_only_warn(row: Row) -> None:
    """RK-22, OP-07, EX-15, EX-09: nothing leaves before the key; its stop makes way, and the broker holds nothing."""
    house = where(row)
    before = requested(house)

    house.presses(ProposeClose(SPY))
    ticket = a_ticket(house)
    at_the_ticket = requested(house)
    confirms(house, ticket)
    passes(house, 20)

    standings = {verdict.check: verdict.standing for verdict in ticket.review.verdicts}
    assert CheckResult.REFUSES not in standings.values()
    assert standings.get(row.check, CheckResult.WARNS) is CheckResult.WARNS
    assert sell("market", "0.4") not in at_the_ticket[len(before) :]
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def test_a_close_from_the_kill_screen_needs_its_own_key() -> None:
    """OP-07: the flattening is staged, and nothing is sold before its key."""
    house = where(KILLED)
    passes(house, 5)

    house.presses(ProposeFlattening())
    passes(house, 5)
    before_the_key = house.held_by_the_broker()
    confirms(house, a_ticket(house))
    passes(house, 5)

    assert (before_the_key, house.held_by_the_broker()) == ("0.4", "0")


@rows(*SHUT[2:4], *HALTED[:3], KILLED)
def test_an_exit_of_a_strategy_is_staged_too(row: Row) -> None:
    """RK-22, ST-02: it is back at its average price."""
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:12", RECOVERY))

    row.comes(house)
    house.until("10:10:01")
    confirms(house, a_ticket(house))
    passes(house, 10)

    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def test_a_read_only_exit_is_for_what_the_broker_has() -> None:
    """EX-09: what is sold without being there would be short."""
    house = where(Row("read-only", the_broker_reports("0.2")))

    house.presses(ProposeClose(SPY))
    ticket = a_ticket(house)
    confirms(house, ticket)
    passes(house, 5)

    assert ticket.order.quantity == Decimal("0.2")
    assert house.held_by_the_broker() == "0.2"


@rows(DISK)
def test_an_exit_is_refused_with_a_full_disk(row: Row) -> None:
    """SP-06: where its ticket was open before, and where it is asked for now."""
    house = a_house(row)
    house.presses(ProposeClose(SPY))
    ticket = a_ticket(house)
    before = requested(house)

    row.comes(house)
    confirms(house, ticket)
    passes(house, 5)
    house.presses(ProposeClose(SPY))
    passes(house, 5)

    assert requested(house) == before
    assert house.held_by_the_broker() == "0.4"


@rows(*EVERY)
def test_a_cancel_goes_at_once_and_a_stop_stands(row: Row) -> None:
    """EX-07, EX-15, SP-06, OP-06, OP-07: with no ticket, as soon as the request is there."""
    house = where(row)
    order = the_waiting(house)

    if row is not KILLED:
        house.presses(RequestCancel(order.id))
        passes(house, 0.2)
        assert requested(house)[-1] == CANCEL
        assert at_the_broker(house, order) is OrderStatus.CANCELLED
    passes(house, 20)

    (stop,) = (order for order in house.stops if order.request.symbol == SPY)
    assert at_the_broker(house, stop) is OrderStatus.SUBMITTED


@rows(KILLED)
def test_a_kill_cancels_entries_and_names_the_stops(row: Row) -> None:
    """OP-07"""
    house = where(row)
    passes(house, 0.5)

    (stop,) = house.stops
    assert at_the_broker(house, the_waiting(house)) is OrderStatus.CANCELLED
    assert at_the_broker(house, stop) is OrderStatus.SUBMITTED
    assert [named.id for named in house.line.view().kill.stops_working] == [stop.id]
    house.presses(RequestCancel(stop.id))
    passes(house, 0.2)
    assert at_the_broker(house, stop) is OrderStatus.CANCELLED


@rows(ON, *SHUT[2:], *HALTED, READ_ONLY)
def test_the_stop_of_a_confirmed_ticket_goes_out(row: Row) -> None:
    """OP-06, OP-02: the entry was confirmed before; it fills when the market comes to it."""
    house = a_house(row)
    house.until("10:09:40")
    types_an_entry(house, Effect.OPEN, limit="99.55")
    confirms(house, a_ticket(house))
    passes(house, 8)
    row.comes(house)

    house.until("10:11:10")

    assert house.held(XOM) == "0.2"
    (stop,) = (order for order in house.stops if order.request.symbol == XOM)
    assert at_the_broker(house, stop) is OrderStatus.SUBMITTED
