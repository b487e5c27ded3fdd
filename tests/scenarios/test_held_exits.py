"""An exit whose stop would make way waits for the broker's limit of requests, its stop in force (RK-24, EX-22)."""

from __future__ import annotations

from decimal import Decimal

from core.facts import AuthorizationEnded, OrderFilled, ProposalSkipped
from core.messages.commands import Kill, MoveStop, ProposeClose, TakeBackExits
from core.messages.effects import CancelOrder, FetchFigures, SubmitOrder
from core.messages.inputs import AccountFetched
from core.model.codes import AuthorizationCode
from core.model.notice import Severity
from core.model.staging import AuthorizationKind
from core.model.values import Price
from core.workflows.orders.request_reserve import TOO_LONG, held_exits
from tests.scenarios.house import STEADY, House, a_house_in_a_position
from tests.scenarios.plans import passes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.test_limited_queries import (
    HOURS,
    LIMIT,
    LIMITED,
    RESERVE,
    at_a_limit,
    fills_the_minute,
    first,
    leaving,
)
from tests.unit.core.brokers.trading_floor import SPY


def confirms_a_close(house: House) -> None:
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 0.5)
    house.confirms()
    passes(house, 0.5)


def holding(**terms: object) -> House:
    """A position, a minute that is full to the limit, and a close that was confirmed."""
    house = at_a_limit(a_house_in_a_position(HOURS, **terms))
    fills_the_minute(house)
    confirms_a_close(house)
    return house


def is_refused(house: House, seconds: int) -> None:
    """So long the broker says again and again that it takes no requests."""
    for _ in range(0, seconds, 10):
        house.line.take(house.line.at, AccountFetched(LIMITED))
        passes(house, 10)


def stop_of(house: House) -> tuple[bool, bool]:
    """Whether it works, and whether it is asked to make way."""
    (stop,) = house.stops
    return stop.is_working, stop.is_cancelling


def test_an_exit_waits_for_room_under_its_stop() -> None:
    """RK-24: its row says since when, and it goes as soon as there is room"""
    house = holding()
    (held,) = held_exits(house.desk)
    left = leaving(house)
    row = house.line.view().positions[0]
    before = stop_of(house)

    passes(house, 62)

    assert before == (True, False)
    assert row.exit_waits_since == held.since
    assert not row.is_closing
    assert 57 < (first(left, CancelOrder) or 0) < 60
    assert house.held_by_the_broker() == "0"


def test_the_key_of_an_exit_without_room_fetches_a_quote() -> None:
    """OP-03, RK-24: clock and account are missing, and an exit gets a warning"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    fills_the_minute(house)
    used = house.desk.messages.requests(house.line.at)
    left = leaving(house)

    confirms_a_close(house)

    assert [kind for _, kind in left] == [FetchFigures, FetchFigures]
    assert house.desk.messages.requests(house.line.at) == used
    assert len(held_exits(house.desk)) == 1


def test_others_requests_hold_up_no_exit() -> None:
    """EX-22: it may use half of the reserve where exits did not use up the rest"""
    house = at_a_limit(a_house_in_a_position(HOURS))
    fills_the_minute(house, LIMIT - RESERVE)
    left = leaving(house)

    confirms_a_close(house)

    assert held_exits(house.desk) == []
    assert (first(left, SubmitOrder) or 9) < 1


def test_a_waiting_exit_is_taken_back() -> None:
    """EX-22, RK-24: its stop stays, nothing is sold when there is room, and the next key counts"""
    house = holding()
    house.presses(TakeBackExits(SPY, "vwap"))
    passes(house, 62)

    assert (held_exits(house.desk), stop_of(house), house.held_by_the_broker()) == ([], (True, False), "0.502")
    assert house.desk.stage.authorizations(AuthorizationKind.RESTORE_STOP) == ()
    ended = {fact.code for fact in house.facts(AuthorizationEnded)}
    assert ended == {AuthorizationCode.TAKEN_BACK, AuthorizationCode.STAYED}
    confirms_a_close(house)
    passes(house, 5)
    assert house.held_by_the_broker() == "0"


def test_a_long_wait_is_an_urgent_notice() -> None:
    """RK-24, SY-03: once, after a minute; it is over when the exit has gone"""
    receivers = Receivers()
    house = with_receivers(holding(settings=settings()), receivers)
    key_at = held_exits(house.desk)[0].since
    matter = "held vwap SPY"
    is_refused(house, 70)
    notice = house.desk.notifications.state.matters[matter].notice

    passes(house, 70)

    assert notice.severity is Severity.URGENT
    assert notice.at - key_at == TOO_LONG
    assert len([sent for sent in receivers.heard if notice.number in sent.numbers]) == 1
    assert house.held_by_the_broker() == "0"
    assert matter not in house.desk.notifications.state.matters


def test_a_waiting_exit_outlives_its_time() -> None:
    """EX-22: what was signed does not lapse in our own queue"""
    house = holding()
    is_refused(house, 130)
    before = len(held_exits(house.desk))

    passes(house, 62)

    assert before == 1
    assert house.held_by_the_broker() == "0"


def test_a_kill_goes_before_a_waiting_exit() -> None:
    """OP-07: its cancels leave at once, and the exit goes when there is room"""
    house = holding()
    left = leaving(house)

    house.presses(Kill("key", naked=True))
    passes(house, 2)
    naked = first(left, CancelOrder)
    passes(house, 60)

    assert naked == 0
    assert house.held_by_the_broker() == "0"


def test_a_stop_that_fills_meanwhile_sells_alone() -> None:
    """EX-13: nothing is left for the exit that waits"""
    house = at_a_limit(a_house_in_a_position(("10:06", "10:06", STEADY), ("10:07", "11:00", "98.00")))
    fills_the_minute(house)
    confirms_a_close(house)

    passes(house, 70)

    assert house.last(OrderFilled).fill.client_order_id == house.stops[0].id
    assert house.held_by_the_broker() == house.held() == "0"
    assert held_exits(house.desk) == []


def test_a_stop_stays_as_it_is_while_its_exit_waits() -> None:
    """EX-21: what is signed names it; a move is refused as it is typed"""
    house = holding()
    skipped = len(house.facts(ProposalSkipped))

    house.presses(MoveStop(SPY, "vwap", Price(Decimal("99.40"))))
    passes(house, 1)

    assert len(house.facts(ProposalSkipped)) == skipped + 1
    assert not house.desk.stage.proposals()
    assert len(house.stops) == 1
    assert stop_of(house) == (True, False)


def test_a_restart_goes_on_with_a_waiting_exit() -> None:
    """EX-22, EX-20: within the time that was signed"""
    house = holding()
    house._take_up(house.line.at)
    at_a_limit(house).opens()
    fills_the_minute(house)
    passes(house, 5)
    held, stop = len(held_exits(house.desk)), stop_of(house)

    passes(house, 60)

    assert (held, stop) == (1, (True, False))
    assert house.held_by_the_broker() == "0"


def test_a_restart_after_its_time_needs_a_key() -> None:
    """EX-22: the stop stays, and a person is told"""
    house = holding()
    passes(house, 0.1)
    (held,) = held_exits(house.desk)

    house._take_up(held.use.authorization.ends_at)
    at_a_limit(house).opens()
    passes(house, 5)

    ended = [fact.code for fact in house.facts(AuthorizationEnded)]
    assert AuthorizationCode.NOT_IN_TIME in ended
    assert stop_of(house) == (True, False)
    assert house.facts(ProposalSkipped) == []
