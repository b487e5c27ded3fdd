"""Entries leave room in the messages to the broker; exits and cancels keep a reserve and are never held (RK-24)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import CancelRequested, OrderCreated, ProposalSkipped, ProposalStaged, TicketOpened
from core.messages.commands import Confirm, OpenTicket, ProposeClose, RequestCancel
from core.messages.inputs import BooksFetched
from core.model.broker import Capabilities
from core.model.order import OrderStatus
from core.model.staging import CheckResult
from core.model.values import Symbol
from core.settings.history import restated
from core.settings.risk import MessageSettings
from core.settings.settings import Settings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import (
    DIP,
    RARELY,
    House,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.plans import SETTINGS, a_buy, a_floor, marks, opens, passes, runs_out, signs
from tests.unit.core.brokers.trading_floor import THURSDAY

AAA = Symbol("AAA")
FRIDAY = THURSDAY + timedelta(days=1)


def within(settings: Settings = SETTINGS, **terms: object) -> Settings:
    messages = MessageSettings.model_validate({"reserve": "0", **terms})
    return settings.model_copy(update={"risk": settings.risk.model_copy(update={"messages": messages}), **RARELY})


def row(house: House) -> ProtectionRow:
    rows = ViewBuilder(house.engine).draw(house.line.at).protections
    return next(r for r in rows if r.key == "message_rate")


def buys(house: House, symbol: str, limit: str | None = "99.50") -> None:
    """One message: a typed entry that rests, or is filled where it has no limit."""
    house.presses(replace(a_typed_buy("10", limit=limit, stop="99"), symbol=Symbol(symbol)))
    house.presses(OpenTicket(house.last(ProposalStaged).proposal.id))
    passes(house, 0.3)
    ticket = house.last(TicketOpened).ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 0.3)


def types(house: House, symbol: str) -> tuple[str, ...]:
    """Why an entry that is typed is refused."""
    before = len(house.facts(ProposalSkipped))
    house.presses(replace(a_typed_buy("10", limit="99.50", stop="99"), symbol=Symbol(symbol)))
    return tuple(reason for fact in house.facts(ProposalSkipped)[before:] for reason in fact.reasons)


def test_a_limit_that_is_all_reserve_is_refused() -> None:
    """RK-24: it would refuse every entry for good"""
    refused: list[dict[str, object]] = [{"per_second": 1}, {"per_minute": 1}, {"per_day": 3, "reserve": "0.9"}]

    for terms, least in zip(refused, (2, 2, 10), strict=True):
        with pytest.raises(ValueError, match=rf"{next(iter(terms))} leaves .* {least} or more"):
            Settings.model_validate({"risk": {"messages": terms}})


def test_older_limits_of_pure_reserve_refuse_nothing_sent() -> None:
    """RK-24, SP-07: a journal may hold a limit that is all reserve"""
    messages = MessageSettings().model_copy(update={"per_second": 1})
    risk = SETTINGS.risk.model_copy(update={"messages": messages})
    house = a_floor(restated(SETTINGS.model_copy(update={"risk": risk})))

    assert types(house, "AAA") == ()
    assert not row(house).is_tripped


@pytest.mark.parametrize(
    ("terms", "over"),
    [({"per_second": 2}, 2.0), ({"per_minute": 2}, 61.0), ({"per_day": 2}, 24 * 3600.0)],
    ids=["second", "minute", "day"],
)
def test_a_full_span_refuses_entries_until_it_is_over(
    terms: dict[str, object], over: float, snapshot: SnapshotAssertion
) -> None:
    """RK-24: two orders within a second, a minute, a day; a typed third is refused, and passes behind it"""
    days = [bar for day in (THURSDAY, FRIDAY) for bar in minutes("09:30", "10:10", day=day, symbol=AAA)]
    both = [*days, *(replace(bar, symbol=Symbol(name)) for bar in days for name in ("BBB", "CCC"))]
    house = House(both, within(**terms), cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:00")
    for name in ("AAA", "BBB"):
        buys(house, name)

    refused = types(house, "CCC")
    shown = row(house)
    passes(house, over)

    assert refused == snapshot
    assert (shown.is_tripped, shown.word.value) == (True, "FULL")
    assert types(house, "CCC") == ()
    assert not row(house).is_tripped


def test_a_full_minute_refuses_a_strategys_entry() -> None:
    """RK-24: with the reason of the check"""
    house = a_house_with_a_proposal(("10:06", "10:30", DIP), settings=within(Settings(), per_minute=1))
    house.confirms_at("10:06:02")
    house.until("10:06:10")
    house.presses(RequestCancel(house.entry.id))

    assert types(house, "SPY")
    assert house.last(ProposalSkipped).checks[0] == "message rate"
    assert len(house.facts(OrderCreated)) >= 1


def test_exits_and_cancels_keep_the_reserve(snapshot: SnapshotAssertion) -> None:
    """RK-24, RK-22: far over every limit the close goes, its stop makes way, and an entry is taken back"""
    house = a_floor(within(per_minute=4, reserve="0.5"))
    buys(house, "AAA", None)
    buys(house, "BBB")
    passes(house, 61)
    for name in ("CCC", "DDD"):
        buys(house, name)
    full = types(house, "EEE")

    house.presses(RequestCancel(next(o.id for o in house.desk.ledger.working_entries(Symbol("BBB")))))
    house.presses(ProposeClose(AAA))
    review = house.last(ProposalStaged).review
    house.presses(OpenTicket(house.last(ProposalStaged).proposal.id))
    passes(house, 1)
    ticket = house.last(TicketOpened).ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 61)

    assert full == snapshot
    assert [v.standing for v in review.verdicts if v.check == "message rate"] == [CheckResult.WARNS]
    assert house.held(AAA) == house.held_by_the_broker(AAA) == "0"
    bbb = [o for o in house.desk.ledger.state.orders.values() if o.request.symbol == "BBB" and not o.only_reduces]
    assert [o.status for o in bbb] == [OrderStatus.CANCELLED]


def test_a_basket_leaves_out_what_needs_the_reserve() -> None:
    """RK-24, OP-05: at their turn, each with its reason"""
    house = a_floor(within(per_minute=3))

    opens(house, *(a_buy(name) for name in ("GGG", "HHH", "III", "JJJ", "KKK")))
    marks(house)
    signs(house)
    report = runs_out(house)

    sent = [fact for fact in house.facts(OrderCreated) if not fact.order.effect.only_reduces]
    assert len(sent) == 3
    assert report is not None


def test_cancels_count_and_legs_do_not() -> None:
    """RK-24: an entry with its stop is one message, its cancel another"""
    house = a_floor(within())
    buys(house, "AAA")
    house.presses(RequestCancel(house.entry.id))
    passes(house, 1)

    assert len(house.facts(OrderCreated)) == 2
    assert len(house.facts(CancelRequested)) == 1
    assert row(house).measure == "2 of 180/min"


def test_the_day_is_counted_over_a_restart(snapshot: SnapshotAssertion) -> None:
    """RK-24, SP-05"""
    house = a_floor(within(per_day=2))
    for name in ("AAA", "BBB"):
        buys(house, name)

    house = house.restarted()
    passes(house, 61)
    assert_can_be_rebuilt(house)

    assert (types(house, "CCC"), row(house).is_full) == snapshot


def test_the_brokers_own_limit_binds(snapshot: SnapshotAssertion) -> None:
    """RK-24: all requests count: six for the books, four for figures, one order"""
    house = a_floor(within(per_minute=500))
    house.desk.sightings.capabilities = Capabilities(messages_a_minute=11)
    asked = len(house.line.heard)
    while not any(isinstance(message, BooksFetched) for message in house.line.heard[asked:]):
        passes(house, 1)
    buys(house, "AAA")

    assert house.desk.messages.sent(house.line.at, house.calendar.trading_day(house.line.at)).minute == 1
    assert types(house, "BBB") == snapshot
    assert row(house).is_tripped


def test_a_rate_limit_switched_off_refuses_nothing() -> None:
    """RK-24"""
    house = a_floor(within(per_minute=1, enabled=False))
    for name in ("AAA", "BBB"):
        buys(house, name)

    assert types(house, "CCC") == ()
    assert row(house).measure == "off"
