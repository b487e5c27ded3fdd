"""Closes that end without a sale: the operator is notified at once, once, and never of shares that are gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from core import facts
from core.messages.commands import Kill, OpenTicket, ProposeClose, ProposeOrder, RequestCancel
from core.messages.effects import SubmitOrder
from core.model.codes import AuthorizationCode
from core.model.notice import NoticeKind
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.staging import AuthorizationKind
from core.model.values import Price, Quantity
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import FALL, STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.receivers import PHONE, Receivers, settings, with_receivers
from tests.scenarios.test_exit_rules import FLAT, held_by_the_desk, with_rules
from tests.unit.core.brokers.trading_floor import SPY, at

OF_SPY = {"exits": {"channels": [PHONE], "symbols": ["SPY"], "kinds": ["exit_waiting"]}}
FIVE = timedelta(seconds=5)


def without_a_stop_at_the_broker(terms: Settings | None = None) -> House:
    """It is 10:02: 0.1 is held, and this desk holds the stop; pushed is what concerns exits of SPY."""
    chosen = (terms or with_rules()).model_copy(update={"notify": settings(rules=OF_SPY).notify})
    house = with_receivers(House(minutes("09:55", "10:40", FLAT), chosen), Receivers()).opens().until("10:00:30")
    house.presses(held_by_the_desk())
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    house.confirms()
    return house.until("10:02")


def is_refused(house: House) -> None:
    house.line.refuses_the_next_order("asset not tradable")


def never_arrives(house: House) -> None:
    house.line.breaks_at(SubmitOrder, arrives=False, times=9)


def closes(house: House) -> None:
    house.presses(ProposeClose(SPY))
    confirms_now(house)


def told(house: House) -> list[str]:
    """The text of every notice of a close that failed: urgent, of an exit, and of no matter that goes on."""
    due = [fact.notice for fact in house.facts(facts.NotificationDue) if not fact.matter]
    return [notice.words for notice in due if notice.kind is NoticeKind.EXIT_WAITING and notice.is_urgent]


@pytest.mark.parametrize("happens", [is_refused, never_arrives])
def test_close_without_a_stop_at_the_broker(happens: Callable[[House], None]) -> None:
    """EX-21, EX-22, SY-03: by a rule for its symbol, and on the screen"""
    house = without_a_stop_at_the_broker()
    pictures = ViewBuilder(house.engine)
    happens(house)
    closes(house)
    passes(house, 150)

    assert house.held() == "0.1"
    assert len(told(house)) == 1
    ended = house.sale.ended_at
    due = [fact.notice.at for fact in house.facts(facts.NotificationDue) if fact.notice.words in told(house)]
    assert ended is not None
    assert due[0] - ended <= FIVE
    assert len(pictures.draw(house.line.at).failed_closes) == 1


@pytest.mark.parametrize("by_the_operator", [False, True])
def test_sale_that_is_cancelled(by_the_operator: bool) -> None:
    """EX-21, SY-03: what the operator cancels is no news"""
    house = without_a_stop_at_the_broker()
    dear, its = Price(Decimal(110)), Quantity(Decimal("0.1"))
    house.presses(ProposeOrder(SPY, Effect.CLOSE, its, OrderType.LIMIT, dear, None, StopHolder.YOU))
    confirms_now(house)
    passes(house, 30)
    if by_the_operator:
        house.presses(RequestCancel(house.sale.id))
    else:
        house.exchange.cancel(house.line.at, house.sale.id)
    passes(house, 90)

    assert house.sale.status is OrderStatus.CANCELLED
    assert len(told(house)) == (0 if by_the_operator else 1)


def test_flatten_after_a_naked_kill() -> None:
    """OP-07, SY-03: nothing guards the shares then"""
    house = with_receivers(a_house_in_a_position(("10:06", "10:40", STEADY), settings=settings()), Receivers())
    house.presses(Kill("key", naked=True))
    passes(house, 30)
    is_refused(house)
    closes(house)
    passes(house, 30)

    assert house.held() == "0.502"
    assert len(told(house)) == 1


def fails(*then: tuple[str, str, str]) -> tuple[House, int]:
    """A close of a position with a stop fails; the house, and the record of its end."""
    house = with_receivers(a_house_in_a_position(*then, settings=settings()), Receivers())
    is_refused(house)
    closes(house)
    passes(house, 1)
    ends = [r for r in house.journal.records() if isinstance(r.fact, facts.AuthorizationEnded)]
    (ended,) = [r for r in ends if r.fact.code is AuthorizationCode.NOT_THROUGH]  # type: ignore[attr-defined]
    passes(house, 10)
    return house, ended.sequence


def test_lost_notice_is_sent_after_days() -> None:
    """EX-20, SY-03: the crash was on a Friday, or the desk stayed off"""
    house, ended = fails(("10:06", "15:59", STEADY))
    house.loses_the_journal_after(ended)
    house.is_off_until(at("15:30"))
    house = house.restarted()
    passes(house, 30)

    assert len(told(house)) == 1
    assert house.desk.notifications.state.failed_closes == []


def test_nothing_is_said_of_shares_that_are_sold() -> None:
    """SY-03: the stop sold while the desk was off"""
    house, ended = fails(("10:06", "10:09", STEADY), ("10:10", "15:59", FALL))
    house.loses_the_journal_after(ended)
    house.is_off_until(at("10:20"))
    house = house.restarted()
    passes(house, 60)

    assert house.held() == "0"
    assert told(house) == []
    assert house.desk.notifications.state.failed_closes == []


def test_rule_added_later_repeats_nothing() -> None:
    """SY-03: two equal failures are one notice, and the next start repeats none"""
    only_kills = {"kills": {"channels": [PHONE], "kinds": ["kill"]}}
    house = with_receivers(
        a_house_in_a_position(("10:06", "10:40", STEADY), settings=settings(rules=only_kills)), Receivers()
    )
    for rules in (None, {"all": {"channels": [PHONE]}}):
        if rules is not None:
            house.settings = settings(rules=rules)
            house.engine.apply(house.line.at, house.settings, "house")
        is_refused(house)
        closes(house)
        passes(house, 30)
    before = len(told(house))
    house = house.restarted()
    passes(house, 30)

    assert before == len(told(house)) == 1
    assert Decimal(house.held()) > 0


def test_close_that_was_permitted_no_more() -> None:
    """EX-20, EX-21, SY-03: its stop was gone when the desk came back, and its time was over: nothing was sold"""
    terms = with_rules().model_copy(update={"notify": settings(rules=OF_SPY).notify})
    house = with_receivers(House(minutes("09:55", "10:40", FLAT), terms), Receivers()).opens().until("10:00:30")
    house.presses(a_typed_buy("0.1", "99.80", "99.00"))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:02")
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    while not house.facts(facts.CancelRequested):
        house.until_moment(house.line.at + timedelta(milliseconds=5))
    (use,) = house.desk.stage.authorizations(AuthorizationKind.CLOSE)

    house.desk.record(facts.AuthorizationEnded(use.authorization.id, "its time ended", AuthorizationCode.REFUSED))
    passes(house, 2)

    assert house.held() == "0.1"
    assert len(told(house)) == 1
