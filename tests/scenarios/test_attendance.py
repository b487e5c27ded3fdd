"""While no desk is attached: what rests, what is only followed, what goes on, and what is told to who comes back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import OpenTicket, Resume
from core.messages.desk_commands import DetachDesk, KeyPressed, LoseDesk, ServeDesks
from core.model.account import Mode
from core.model.codes import CancelCode, HaltCause
from core.model.desk import DeskNumber
from core.model.order import OrderStatus
from core.settings.service import AttendanceSettings
from core.settings.settings import Settings
from core.views import AwayView
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import RECOVERY, STEADY, House, a_day, a_house_with_a_proposal, a_typed_buy
from tests.unit.core.brokers.trading_floor import SPY


def served(settings: Settings | None = None, *then: tuple[str, str, str]) -> House:
    """It is 10:04, before the dip that VWAP buys."""
    house = House(a_day(*(then or (("10:06", "10:59", STEADY),))), settings=settings)
    house.opens().until("10:04")
    house.presses(ServeDesks())
    return house


def with_a_resting_entry(minutes: str | None = "10") -> tuple[House, DeskNumber]:
    """It is 10:04:10, and an entry rests far below the market; no strategy speaks."""
    attendance = AttendanceSettings() if minutes is None else cancelled_after(minutes)
    house = served(Settings(attendance=attendance))
    desk = house.attaches("adam")
    house.presses_at(desk, a_typed_buy(limit="97", stop="96"))
    house.presses_at(desk, OpenTicket(house.proposal.id))
    house.until("10:04:05")
    house.confirms_at_desk(desk)
    house.until("10:04:10")
    assert house.entry.status is OrderStatus.SUBMITTED
    return house, desk


def cancelled_after(minutes: str) -> AttendanceSettings:
    return AttendanceSettings(entries="cancel", cancel_minutes=Decimal(minutes))


def away(house: House) -> AwayView:
    view = ViewBuilder(house.engine).draw(house.line.at).away
    assert view is not None
    return view


def test_unattended_proposals_are_only_followed() -> None:
    """RK-27, OP-12"""
    house = served()

    house.until("10:06:30")

    assert house.facts(facts.ProposalStaged) == []
    assert (house.last(facts.ProposalSkipped).strategy, house.last(facts.ProposalSkipped).checks) == (
        "vwap",
        ("attendance",),
    )
    assert [shadow.symbol for shadow in house.desk.shadows.state.shadows.values()] == [SPY]


def test_an_attached_desk_gets_the_proposal() -> None:
    """RK-27"""
    house = served()
    house.attaches("adam")

    house.until("10:06:30")

    assert house.proposal.strategy == "vwap"


def test_a_desk_without_a_terminal_attends_nothing() -> None:
    """RK-27, OP-13"""
    house = served()
    house.attaches("robot", terminal="")

    house.until("10:06:30")

    assert house.facts(facts.ProposalStaged) == []


def test_a_desk_whose_link_is_lost_is_absent() -> None:
    """RK-27, OP-13: the key is kept for it, and a proposal would wait for nobody"""
    house = served()
    desk = house.attaches("adam")
    house.until("10:05:50")
    house.presses_at(desk, LoseDesk())

    house.until("10:06:30")

    assert house.facts(facts.ProposalStaged) == []


def test_a_desk_that_was_never_served_is_not_absent() -> None:
    """RK-27: a replay, a script and a test are at the key themselves"""
    house = a_house_with_a_proposal()

    assert house.facts(facts.DesksServed) == []
    assert house.proposal.strategy == "vwap"


def test_after_a_restart_absence_waits_for_served_desks() -> None:
    """RK-27"""
    house = served()
    since = house.line.at

    house = house.restarted()
    assert house.desk.attendance.absence is None
    house.presses(ServeDesks())

    assert house.desk.attendance.absence is not None
    assert house.desk.attendance.absence.since == since


def test_an_unattended_entry_is_cancelled_in_time() -> None:
    """RK-27"""
    house, desk = with_a_resting_entry()
    house.presses_at(desk, DetachDesk())
    gone_at = house.line.at

    house.until_moment(gone_at + timedelta(minutes=10, seconds=-1))
    assert house.facts(facts.CancelRequested) == []
    house.until_moment(gone_at + timedelta(minutes=10, seconds=5))

    assert house.last(facts.CancelRequested).code is CancelCode.UNATTENDED
    assert house.entry.status is OrderStatus.CANCELLED


def test_a_desk_back_in_time_keeps_its_entry() -> None:
    """RK-27"""
    house, desk = with_a_resting_entry()
    house.presses_at(desk, DetachDesk())
    house.until("10:10")

    house.attaches("adam", returning=desk)
    house.until("10:50")

    assert house.facts(facts.CancelRequested) == []


def test_entries_stay_where_the_settings_keep_them() -> None:
    """RK-27"""
    house, desk = with_a_resting_entry(minutes=None)
    house.presses_at(desk, DetachDesk())

    house.until("10:58")

    assert house.facts(facts.CancelRequested) == []
    assert house.entry.status is OrderStatus.SUBMITTED


def in_a_position(unattended: bool) -> tuple[House, DeskNumber]:
    """It is 10:06:30 and VWAP's entry is filled; from 10:08 on the market recovers to where VWAP leaves."""
    house = served(None, ("10:06", "10:07", STEADY), ("10:08", "10:30", RECOVERY))
    desk = house.attaches("adam")
    house.until("10:06")
    house.presses_at(desk, OpenTicket(house.proposal.id, unattended))
    house.until("10:06:02")
    house.confirms_at_desk(desk)
    house.until("10:06:30")
    assert house.held() == "0.502"
    return house, desk


def test_an_unattended_signed_exit_goes_out() -> None:
    """RK-27, OP-06"""
    house, desk = in_a_position(unattended=True)
    house.presses_at(desk, DetachDesk())

    house.until("10:12")

    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert len(house.facts(facts.ConfirmationReceived)) == 2
    assert house.last(facts.ConfirmationReceived).turn is None


def test_an_unsigned_exit_waits_for_a_key() -> None:
    """RK-27, OP-06"""
    house, desk = in_a_position(unattended=False)
    house.presses_at(desk, DetachDesk())

    house.until("10:12")

    assert house.held() == "0.502"
    assert house.proposal.is_exit


def a_live_house(hours: str) -> House:
    house = served(Settings(attendance=AttendanceSettings(dead_man_hours=Decimal(hours))))
    house.desk.mode = Mode.LIVE
    return house


def test_a_live_account_without_a_key_halts_entries(snapshot: SnapshotAssertion) -> None:
    """RK-27"""
    house = a_live_house("0.5")
    desk = house.attaches("adam")
    pressed_at = house.line.at

    house.until_moment(pressed_at + timedelta(minutes=29))
    assert house.facts(facts.Halted) == []
    house.until_moment(pressed_at + timedelta(minutes=31))

    assert (house.last(facts.Halted).cause, house.last(facts.Halted).reason) == (HaltCause.UNATTENDED, snapshot)
    house.presses_at(desk, Resume())
    house.until("10:50")
    assert [fact.cause for fact in house.facts(facts.Resumed)] == [HaltCause.UNATTENDED]
    assert not house.desk.control.halts


def test_each_key_restarts_the_timer() -> None:
    """RK-27"""
    house = a_live_house("0.5")
    desk = house.attaches("adam")
    pressed_at = house.line.at

    house.until_moment(pressed_at + timedelta(minutes=20))
    house.presses_at(desk, Resume())
    house.until_moment(pressed_at + timedelta(minutes=45))

    assert house.facts(facts.Halted) == []


def test_a_returning_desk_is_no_key() -> None:
    """RK-27"""
    house = a_live_house("0.5")
    desk = house.attaches("adam")
    pressed_at = house.line.at

    house.presses_at(desk, LoseDesk())
    house.until_moment(pressed_at + timedelta(minutes=20))
    house.attaches("adam", returning=desk)
    house.until_moment(pressed_at + timedelta(minutes=31))

    assert house.last(facts.Halted).cause is HaltCause.UNATTENDED


def test_a_desk_returning_to_the_next_engine_is_no_key() -> None:
    """RK-27: that engine knows no number of it, and gives it the key that it held"""
    house = a_live_house("0.5")
    house.attaches("adam")
    pressed_at = house.line.at
    house.until_moment(pressed_at + timedelta(minutes=20))
    house.restarted()
    house.desk.mode = Mode.LIVE
    house.attaches("adam", by_itself=True)
    assert len(house.facts(facts.KeyTaken)) == 2
    house.until_moment(pressed_at + timedelta(minutes=31))

    assert house.last(facts.Halted).cause is HaltCause.UNATTENDED


def test_keys_that_send_no_command_count() -> None:
    """RK-27, OP-13: a person who reads is there"""
    house = a_live_house("0.5")
    desk = house.attaches("adam")
    pressed_at = house.line.at
    house.until_moment(pressed_at + timedelta(minutes=20))
    house.presses_at(desk, KeyPressed())
    house.until_moment(pressed_at + timedelta(minutes=31))

    assert house.facts(facts.Halted) == []


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
def test_paper_accounts_and_no_hours_have_no_timer(mode: Mode) -> None:
    """RK-27"""
    house = a_live_house("0.5" if mode is Mode.PAPER else "0")
    house.desk.mode = mode
    house.attaches("adam")

    house.until("10:58")

    assert house.facts(facts.Halted) == []


def test_a_returning_desk_is_told_what_happened() -> None:
    """RK-27"""
    house, desk = in_a_position(unattended=True)
    house.presses_at(desk, DetachDesk())
    gone_at = house.line.at
    house.until("10:12")

    house.attaches("adam", returning=desk)

    ended = house.last(facts.AbsenceEnded)
    assert (ended.since, ended.fills, ended.exits, ended.cancelled) == (gone_at, 1, 1, 0)
    view = away(house)
    assert (view.since, view.until) == (gone_at, house.line.at)
    assert ("exit sent", 1) in view.counts
    assert ("fill", 1) in view.counts
    assert [row.kind for row in view.rows] == ["exit sent", "fill"]
    assert all(gone_at < row.at < house.line.at for row in view.rows)


def test_cancelled_and_shadowed_entries_are_counted() -> None:
    """RK-27"""
    house, desk = with_a_resting_entry(minutes="3")
    house.presses_at(desk, DetachDesk())
    house.until("10:12")

    house.attaches("eve")

    ended = house.last(facts.AbsenceEnded)
    followed = [fact for fact in house.facts(facts.ProposalSkipped) if fact.checks == ("attendance",)]
    assert (ended.cancelled, ended.shadows) == (1, len(followed))
    assert followed
    assert house.desk.attendance.absence is None


def test_a_second_desk_that_stays_is_no_absence() -> None:
    """RK-27, OP-13"""
    house = served()
    adam, _ = house.attaches("adam"), house.attaches("eve", terminal="/dev/pts/4")
    ended = len(house.facts(facts.AbsenceEnded))

    house.presses_at(adam, DetachDesk())
    house.until("10:06:30")
    house.attaches("adam", returning=adam)

    assert len(house.facts(facts.AbsenceEnded)) == ended
    assert house.proposal.strategy == "vwap"
    assert house.facts(facts.OrderCreated) == []
