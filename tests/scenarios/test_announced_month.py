"""A month with a closed day and an early close that are announced on the way, and 800 sessions in one run (MD-10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from core.facts import (
    DayStarted,
    MarketDataQuarantined,
    NotificationDue,
    ProposalStaged,
    ReconciliationFailed,
    SessionsAnnounced,
    TradeClosed,
)
from core.market.calendar import load_calendar
from core.messages.commands import OpenTicket
from core.model.bar import Bar
from core.model.notice import NoticeKind
from core.model.session import AnnouncedDay, NoSession, Session
from core.model.signal import ExitReason
from core.settings.settings import Settings
from tests.kit import announced_days
from tests.scenarios.changes import passes
from tests.scenarios.house import DIP, STEADY, House, minutes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.unit.core.brokers.trading_floor import a_bar, at

FIRST, LAST = date(2026, 11, 2), date(2026, 12, 1)
CLOSED, EARLY = date(2026, 11, 13), date(2026, 11, 18)
"""A Friday, announced on the third day; a Wednesday, announced on its morning."""
FLAT = timedelta(minutes=5)
ALL = load_calendar(FIRST, LAST)
DAYS = tuple(session for session in ALL.sessions() if session.day <= LAST and session.day != CLOSED)


def closes(session: Session) -> datetime:
    return at("13:00", session.day) if session.day == EARLY else session.close


def bars() -> list[Bar]:
    """Each day a dip at 10:05; then the price stays, told every tenth minute, and each of the last ones."""
    found: list[Bar] = []
    for session in DAYS:
        ends = closes(session).astimezone(session.open.tzinfo)
        last = (ends - timedelta(minutes=1)).astimezone(ALL.venue.zone)
        late = last - timedelta(minutes=8)
        found += minutes("09:45", "10:04", "100", session.day)
        found += [a_bar("10:05", DIP, day=session.day), *minutes("10:06", "10:10", STEADY, session.day)]
        found += minutes("10:20", f"{late - timedelta(minutes=9):%H:%M}", STEADY, session.day, every=10)
        found += minutes(f"{late:%H:%M}", f"{last:%H:%M}", STEADY, session.day)
    return found


def announces(house: House) -> None:
    """What the broker says, on the day on which it says so."""
    day = house.desk.calendar.trading_day(house.line.at)
    if day == DAYS[2].day:
        announced_days.announces(house.exchange, house.line.at, [AnnouncedDay(CLOSED, None)])
    if day == EARLY:
        known = ALL.session_on(EARLY)
        assert isinstance(known, Session)
        early = AnnouncedDay(EARLY, replace(known, close=at("13:00", EARLY)))
        announced_days.announces(house.exchange, house.line.at, [early])


def confirms_the_newest(house: House) -> None:
    (proposal,) = house.desk.stage.proposals()
    house.presses(OpenTicket(proposal.id))
    passes(house, 1)
    house.confirms()
    passes(house, 2)


def test_a_month_keeps_every_deadline() -> None:
    """each position is flat five minutes before its day's close; two notices, and none that is false"""
    house = House(bars(), settings(), calendar=load_calendar(FIRST, LAST))
    house.desk.sightings.has_own_clock = True
    with_receivers(house, Receivers()).opens()
    staged = []
    for session in DAYS:
        house.until_moment(at("08:00", session.day))
        announces(house)
        house.until_moment(at("10:06:01", session.day))
        confirms_the_newest(house)
        house.until_moment(closes(session) - timedelta(minutes=1))
        staged.append(house.last(ProposalStaged))
        confirms_the_newest(house)
        house.until_moment(closes(session) + timedelta(minutes=30))
        assert not house.desk.ledger.positions()

    assert [each.proposal.exit_reason for each in staged] == [ExitReason.FORCE_FLAT] * len(DAYS)
    assert [
        (closes(s) - each.proposal.staged_at) // timedelta(minutes=1) for s, each in zip(DAYS, staged, strict=True)
    ] == [FLAT // timedelta(minutes=1) - 1] * len(DAYS)
    assert [fact.day for fact in house.facts(DayStarted)] == [session.day for session in DAYS]
    assert len(house.facts(TradeClosed)) == len(DAYS)
    assert [[each.day for each in fact.days] for fact in house.facts(SessionsAnnounced)] == [[CLOSED], [EARLY]]
    assert isinstance(house.desk.calendar.session_on(CLOSED), NoSession)
    kinds = [fact.notice.kind for fact in house.facts(NotificationDue)]
    assert kinds.count(NoticeKind.SESSION) == 2
    assert NoticeKind.HALT not in kinds
    assert house.facts(ReconciliationFailed) == []


def test_800_sessions_meet_no_end_of_the_table() -> None:
    """one bar a session; the calendar was loaded for a month"""
    first = date(2026, 11, 2)
    sessions = load_calendar(first, date(2030, 3, 1)).sessions()[:800]
    told = [a_bar("09:30", "100", day=session.day) for session in sessions]
    rarely = Settings.model_validate(
        {"reconciliation": {"every_seconds": 3600, "again_seconds": 600}, "strategies": {"vwap": {"enabled": False}}}
    )
    house = House(told, rarely, calendar=load_calendar(first, LAST, has_end=False)).opens()
    house.exchange._calendar = load_calendar(first, date(2030, 3, 1))
    house.until_moment(sessions[-1].close)

    assert len(sessions) == 800
    assert len(house.facts(DayStarted)) == 800
    assert house.facts(MarketDataQuarantined) == []
    assert house.desk.calendar.next_session(house.line.at).day > sessions[-1].day
