"""A clock in doubt refuses entries and stops all that time alone would do; the broker's clock ends the doubt."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from console.bell import Bell
from core import facts
from core.messages.commands import Confirm, Kill, ProposeClose, Rearm, TakeBackExits
from core.messages.effects import CancelOrder
from core.messages.inputs import ClockRead
from core.model.codes import AuthorizationCode
from core.model.notice import Severity
from core.settings.settings import Settings
from core.workflows.operator.kill_switch import REARM
from core.workflows.orders.request_reserve import begun_exits, late_at
from tests.scenarios.changes import passes
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.scenarios.receivers import Receivers, with_receivers
from tests.scenarios.receivers import settings as with_notices
from tests.scenarios.test_exit_rules import with_rules
from tests.scenarios.test_owed_notices import the_view as view_of
from tests.scenarios.test_restored_stops import LONG, watched
from tests.scenarios.test_stops_after_a_close import holding_six
from tests.scenarios.test_unattended_exits import a_signed_house
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar, at

pytestmark = pytest.mark.usefixtures("timeline")

F = TypeVar("F", bound=facts.Fact)
HOUR = Decimal("3600.0")
FORWARD = ClockRead(HOUR, Decimal("0.0"))
BACK = ClockRead(-HOUR, HOUR)
STILL_AHEAD = ClockRead(Decimal("0.0"), Decimal("3595.0"))


def at_ten(settings: Settings | None = None) -> House:
    return House(a_day(("10:06", "11:00", STEADY)), settings or Settings()).opens().until("10:03")


def refusals(house: House) -> tuple[str, ...]:
    before = len(house.facts(facts.ProposalSkipped))
    house.presses(a_typed_buy())
    skipped = house.facts(facts.ProposalSkipped)[before:]
    return skipped[0].reasons if skipped else ()


def hears(house: House, read: ClockRead) -> None:
    house.line.take(house.line.at, read)


@pytest.mark.parametrize("read", [FORWARD, BACK, STILL_AHEAD])
def test_a_clock_in_doubt_refuses_entries(read: ClockRead, differing: dict[str, Decimal]) -> None:
    """RK-01, EX-23: for as long as the broker does not say what time it is"""
    house = at_ten()
    hears(house, read)
    first = refusals(house)
    house.until("10:15")

    assert len(first) == len(refusals(house)) == 1
    assert not house.facts(facts.ClockSettled)


@pytest.mark.parametrize("read", [FORWARD, BACK])
@pytest.mark.parametrize("is_exit", [False, True], ids=["entry", "exit"])
def test_a_jump_ends_every_open_ticket(read: ClockRead, is_exit: bool) -> None:
    """EX-23: two hours old, it would sell at the market of now; a key that comes then does nothing, a new ticket all"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY)) if is_exit else a_house_with_a_proposal()
    if is_exit:
        house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    ticket, sent = house.ticket, len(house.sent())
    hears(house, read)
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 5)
    refused, left = len(house.sent()), list(house.desk.stage.state.tickets)
    house.opens_ticket()
    passes(house, 10)

    assert (refused, left) == (sent, [])
    assert [fact.ticket_id for fact in house.facts(facts.TicketClosed)] == [ticket.id]
    assert house.ticket.id != ticket.id


def test_an_hour_ahead_alone_ends_no_ticket() -> None:
    """EX-23: nothing jumped"""
    house = a_house_with_a_proposal()
    house.opens_ticket()
    passes(house, 1)
    hears(house, STILL_AHEAD)

    assert house.facts(facts.TicketClosed) == []


def test_exits_and_kill_need_no_clock(differing: dict[str, Decimal]) -> None:
    """RK-22, OP-07, EX-23"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    hears(house, BACK)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    house.confirms()
    house.until("10:06:50")
    house.presses(Kill("key"))

    assert house.held() == "0"
    assert house.facts(facts.TradeClosed)
    assert house.facts(facts.Killed)


def test_the_brokers_clock_ends_the_doubt_in_seconds() -> None:
    """EX-23"""
    house = at_ten()
    hears(house, FORWARD)
    before = refusals(house)
    house.until("10:03:06")

    assert len(before) == 1
    assert len(house.facts(facts.ClockSettled)) == 1
    assert refusals(house) == ()


def test_a_differing_clock_blocks_until_it_agrees(differing: dict[str, Decimal]) -> None:
    """EX-23: told once, asked every five seconds"""
    differing["by"] = Decimal("16363.0")
    house = at_ten()
    hears(house, FORWARD)
    house.until("10:10")
    during = refusals(house)
    differing["by"] = Decimal(0)
    house.until("10:10:06")

    assert len(during) == 1
    assert [fact.ahead for fact in house.facts(facts.ClockDiffered)] == [Decimal("16363.0")]
    assert refusals(house) == ()


def test_a_doubt_outlives_a_restart(differing: dict[str, Decimal]) -> None:
    """SP-05, EX-23"""
    house = at_ten()
    hears(house, FORWARD)
    house.until("10:03:10").restarted().until("10:03:20")
    after_a_restart = refusals(house)
    differing["by"] = Decimal(0)
    house.until("10:03:30")

    assert len(after_a_restart) == 1
    assert refusals(house) == ()


def test_the_settings_say_how_long_to_wait() -> None:
    """EX-23"""
    house = at_ten(Settings.model_validate({"risk": {"clock_steady_seconds": "60"}}))
    hears(house, FORWARD)

    assert house.until("10:03:59").desk.control.state.clock is not None
    assert house.until("10:04").desk.control.state.clock is None


def test_no_signed_exit_leaves_in_doubt(differing: dict[str, Decimal]) -> None:
    """EX-23: 4.5 hours ahead for a while, with an exit that was signed with `u`"""
    differing["by"] = Decimal("16200.0")
    house = a_signed_house(("10:02", "10:20", "101.60 101.60 101.60 101.60"))
    house.until("10:02:30")
    hears(house, ClockRead(Decimal("16200.0"), Decimal(0)))
    house.until("10:10")
    during = house.held(), house.facts(facts.ExitReleased)
    differing["by"] = Decimal(0)
    house.until("10:15")

    assert during == ("0.1", [])
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_doubt_that_holds_signed_exits_calls_a_person(
    differing: dict[str, Decimal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-23, SY-03: at once, by an urgent notice and the bell, again and again; when the clocks agree it is over"""
    differing["by"] = Decimal("16200.0")
    told_of = with_rules().model_copy(update={"notify": with_notices().notify})
    monkeypatch.setattr("tests.scenarios.test_unattended_exits.with_rules", lambda: told_of)
    receivers, bell = Receivers(), Bell()
    house = with_receivers(a_signed_house(("10:02", "10:20", STEADY)), receivers)
    before = bell.rings(view_of(house), 0.0), bell.rings(view_of(house), 1.0)
    hears(house, ClockRead(Decimal("16200.0"), Decimal(0)))
    told = house.desk.notifications.state.matters["clock"].notice
    rings = [bell.rings(view_of(house), now) for now in (2.0, 3.0, 40.0)]

    assert (told.severity, house.line.at - told.at) == (Severity.URGENT, timedelta(0))
    assert len([sent for sent in receivers.heard if sent.is_urgent]) == 1
    assert (before, rings) == ((False, False), [True, False, True])
    differing["by"] = Decimal(0)
    house.until("10:10")
    assert "clock" not in house.desk.notifications.state.matters
    assert not bell.rings(view_of(house), 100.0)


def test_a_doubt_that_holds_entries_alone_calls_nobody(differing: dict[str, Decimal]) -> None:
    """EX-23: no exit was signed"""
    receivers = Receivers()
    house = with_receivers(a_house_in_a_position(("10:06", "10:40", STEADY), settings=with_notices()), receivers)
    hears(house, FORWARD)
    house.until("10:08")

    assert house.desk.control.is_clock_in_doubt
    assert [sent for sent in receivers.heard if sent.is_urgent] == []


def test_nothing_expires_in_doubt(differing: dict[str, Decimal]) -> None:
    """EX-23: and no day begins"""
    house = a_house_with_a_proposal(("10:06", "10:40", STEADY))
    expires_at = house.proposal.expires_at
    hears(house, FORWARD)
    days = len(house.facts(facts.DayStarted))
    assert expires_at is not None
    house.until_moment(expires_at + timedelta(minutes=1))
    during = house.facts(facts.ProposalEnded)
    differing["by"] = Decimal(0)
    house.until_moment(expires_at + timedelta(minutes=1, seconds=10))

    assert (during, len(house.facts(facts.DayStarted))) == ([], days)
    assert len(house.facts(facts.ProposalEnded)) == 1


def test_no_day_begins_in_doubt(differing: dict[str, Decimal]) -> None:
    """EX-23, RK-03: the books that a person's keys ask for begin none; the first figures after the doubt do, at once"""
    differing["by"] = Decimal("16200.0")
    friday = THURSDAY + timedelta(days=1)
    bars = [*a_day(("10:06", "11:00", STEADY)), a_bar("09:30", "99.60", day=friday)]
    house = House(bars, Settings()).opens().until("09:00", friday)
    hears(house, FORWARD)
    house.presses(Kill("key"))
    house.presses(Rearm(REARM))
    house.until("09:00:30", friday)
    during = [fact.day for fact in house.facts(facts.DayStarted)]
    books_at = house.desk.sightings.books_at
    differing["by"] = Decimal(0)
    house.until("09:00:36", friday)

    assert books_at is not None
    assert books_at >= at("09:00", friday)
    assert during == [THURSDAY]
    assert [fact.day for fact in house.facts(facts.DayStarted)] == [THURSDAY, friday]


def recorded(house: LiveHouse, kind: type[F]) -> list[F]:
    return [record.fact for record in house.journal.records() if isinstance(record.fact, kind)]


@pytest.mark.parametrize("hours", [720.0, -48.0])
def test_a_live_desk_follows_no_clock_that_is_set(hours: float) -> None:
    """EX-23, EX-14: for eight seconds, both ways; the desk's time stays the broker's"""
    floor = LiveFloor("10:20", a_day(("10:06", "10:20", STEADY)))
    with LiveHouse(floor, steady=time.monotonic) as house:
        house.waits(lambda view: view.status.word == "on" and view.status.entries_refused is None, "the desk is on")
        floor.machine = hours * 3600
        during = house.waits(lambda view: view.status.entries_refused is not None, "the doubt")
        floor.machine = 0.0
        after = house.waits(lambda view: view.status.entries_refused is None, "the end of the doubt")
        off = abs((house.engine.state.at - floor.now()).total_seconds())
        house.presses(Kill("key"))
        house.waits(lambda view: view.status.word == "killed", "the kill")

    jumped = [fact.seconds for fact in recorded(house, facts.ClockJumped)]
    assert jumped[0] == Decimal(str(hours * 3600)).quantize(Decimal("0.1"))
    assert during.status.word == after.status.word == "on"
    assert off < 2


def test_a_suspended_machine_steps_to_the_brokers_time() -> None:
    """EX-23: the step is recorded"""
    floor = LiveFloor("10:20", a_day(("10:06", "10:20", STEADY)))
    with LiveHouse(floor, steady=time.monotonic) as house:
        house.waits(lambda view: view.status.word == "on" and view.status.entries_refused is None, "the desk is on")
        floor.offset += timedelta(hours=3)
        house.waits(lambda _: recorded(house, facts.ClockSettled), "the end of the doubt")

    (settled,) = recorded(house, facts.ClockSettled)
    assert abs(settled.step - 3 * HOUR) < 2


def test_no_confirmed_close_lapses_in_doubt(differing: dict[str, Decimal]) -> None:
    """EX-23: its cancels have no answer for longer than it is given."""
    house = a_house_in_a_position(("10:06", "11:00", STEADY))
    hears(house, FORWARD)
    house.line.breaks_at(CancelOrder, arrives=False, times=20)
    house.presses(ProposeClose(SPY))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()

    passes(house, 100)
    during = [fact for fact in house.facts(facts.AuthorizationEnded) if fact.code is AuthorizationCode.NOT_IN_TIME]
    house.line.mends()
    passes(house, 200)

    assert house.desk.control.is_clock_in_doubt
    assert not during
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_close_from_before_a_restart_ends_in_doubt(differing: dict[str, Decimal]) -> None:
    """EX-21, EX-23: its time was over while the desk was off; the next close sells"""
    house = a_house_in_a_position(("10:06", "11:30", STEADY))
    hears(house, FORWARD)
    house.line.breaks_at(CancelOrder, arrives=False, times=50)
    house.presses(ProposeClose(SPY))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 10)
    house.is_off_until(house.line.at + timedelta(minutes=20))
    house.restarted()
    passes(house, 120)

    house.presses(ProposeClose(SPY))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 120)

    assert house.desk.control.is_clock_in_doubt
    assert house.held() == "0"


def closing_in_doubt(house: House) -> House:
    """The clock is in doubt, a close was confirmed, and no cancel is answered."""
    hears(house, FORWARD)
    house.line.breaks_at(CancelOrder, arrives=False, times=50)
    house.presses(ProposeClose(SPY))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 1)
    return house


def test_a_close_whose_stop_does_not_go_is_told(differing: dict[str, Decimal]) -> None:
    """EX-22, EX-23, SY-03: urgently once, after the time of a close; its row says since when"""
    receivers = Receivers()
    held = a_house_in_a_position(("10:06", "11:00", STEADY), settings=with_notices())
    house = closing_in_doubt(with_receivers(held, receivers))
    (begun,) = begun_exits(house.desk)
    early = house.line.view().positions[0].exit_late_since
    passes(house, 100)
    notice = house.desk.notifications.state.matters["held vwap SPY"].notice
    row = house.line.view().positions[0]
    house.line.mends()
    passes(house, 200)

    assert (early, row.exit_late_since) == (None, begun.since)
    assert (notice.severity, notice.at) == (Severity.URGENT, late_at(house.desk, begun))
    assert len([sent for sent in receivers.heard if notice.number in sent.numbers]) == 1
    assert house.held_by_the_broker() == "0"
    assert "held vwap SPY" not in house.desk.notifications.state.matters


def test_a_close_whose_stop_does_not_go_is_taken_back(differing: dict[str, Decimal]) -> None:
    """EX-22, EX-23: its stop stays, and the next key counts"""
    house = closing_in_doubt(a_house_in_a_position(("10:06", "11:00", STEADY)))
    passes(house, 70)
    house.presses(TakeBackExits(SPY, "vwap"))
    passes(house, 5)
    house.line.mends()
    passes(house, 60)

    ended = {fact.code for fact in house.facts(facts.AuthorizationEnded)}
    assert AuthorizationCode.TAKEN_BACK in ended
    assert house.held() == house.held_by_the_broker() == "0.502"
    assert [o.remaining for o in house.exchange._book.all_working() if o.request.type.is_stop] == [Decimal("0.502")]
    house.presses(ProposeClose(SPY))
    passes(house, 1)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 10)
    assert house.held_by_the_broker() == "0"


def test_a_close_beside_watched_shares_does_not_lapse_in_doubt(differing: dict[str, Decimal]) -> None:
    """EX-23: one of its shares never had a stop"""
    house = holding_six(LONG)
    watched(house, LONG)
    closing_in_doubt(house)
    passes(house, 200)

    assert not [fact for fact in house.facts(facts.AuthorizationEnded) if fact.code is AuthorizationCode.NOT_IN_TIME]
    house.line.mends()
    passes(house, 200)
    assert house.held_by_the_broker() == "0"
