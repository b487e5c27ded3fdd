"""A closed day or an early close that the broker announces while the engine runs moves every deadline (MD-10)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from core.facts import (
    BarClosed,
    MarketDataQuarantined,
    NotificationDue,
    ProposalSkipped,
    SessionsAnnounced,
    StopOwed,
    TicketClosed,
)
from core.market.calendar import ExchangeCalendar, load_calendar
from core.messages.commands import OpenTicket, ProposeClose
from core.messages.effects import Effect, FetchSessions
from core.messages.inputs import ClockFetched, Input, SessionsFetched
from core.model.broker import NoAnswer
from core.model.notice import NoticeKind, Severity
from core.model.order import OrderStatus
from core.model.session import AnnouncedDay, Session
from core.model.signal import ExitReason
from core.runtime.scripted_operator import turn_of
from core.settings.settings import Settings
from core.staging.time_in_force import end_of_session
from core.views.builders.desk import ViewBuilder
from core.workflows.session_watch import EACH, announced
from state.past_days import announced_calendar, reported
from tests.kit import announced_days
from tests.scenarios.changes import passes
from tests.scenarios.house import STEADY, House, a_day, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.requests import effects_of
from tests.scenarios.test_explain import written
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

FRIDAY = THURSDAY + timedelta(days=1)
EARLY, USUAL = at("13:00"), at("16:00")


def a_session(day: date, opens: str = "09:30", closes: str = "16:00") -> Session:
    return Session(day, at(opens, day), at(closes, day))


def a_calendar() -> ExchangeCalendar:
    return load_calendar(date(2026, 11, 10), date(2026, 11, 30), has_end=False)


def a_house_beside_the_broker(
    until: str = "10:06:30", last: str = "13:10", *, buys: bool = True, terms: Settings | None = None
) -> House:
    """Its own clock, and the broker's beside it; with VWAP's position if it buys."""
    bars = a_day(("10:06", last, STEADY))
    house = with_receivers(House(bars, terms or settings(), calendar=a_calendar()), Receivers())
    house.desk.sightings.has_own_clock = True
    house.opens()
    if buys:
        house.confirms_at("10:06:02")
    return house.until(until)


def announces(house: House, *days: AnnouncedDay) -> None:
    """The broker's calendar and its clock say so from here on."""
    announced_days.announces(house.exchange, house.line.at, days)


def closes_early(house: House, day: date = THURSDAY, closes: str = "13:00") -> None:
    announces(house, AnnouncedDay(day, a_session(day, closes=closes)))


def test_an_early_close_of_the_running_session_is_followed_within_a_minute() -> None:
    """the broker's clock contradicts the calendar: the sessions are read at once"""
    house = a_house_beside_the_broker()
    left = effects_of(house, FetchSessions)
    closes_early(house)

    passes(house, 62)

    assert len(left) == 1
    assert house.last(SessionsAnnounced).days == (AnnouncedDay(THURSDAY, a_session(THURSDAY, closes="13:00")),)
    session = house.desk.calendar.session_at(house.line.at)
    assert isinstance(session, Session)
    assert session.close == EARLY
    due = [fact.notice for fact in house.facts(NotificationDue) if fact.notice.kind is NoticeKind.SESSION]
    assert [notice.severity for notice in due] == [Severity.URGENT]


def test_a_position_is_flat_by_an_early_close() -> None:
    """ST-02: five minutes before it, and not at 15:55"""
    house = a_house_beside_the_broker("12:00")
    closes_early(house)
    house.until("12:54")
    before = [waiting for waiting in house.desk.stage.proposals() if waiting.is_exit]
    house.until("12:58:30")

    assert before == []
    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT
    assert house.proposal.order.quantity == house.desk.ledger.positions()[0].quantity


def test_an_early_close_is_followed_without_a_bar() -> None:
    """ST-02: the clock stages the exit"""
    house = a_house_beside_the_broker("12:00", last="12:01")
    closes_early(house)
    house.until("12:59:00")

    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT


def test_what_is_known_of_orders_moves_with_an_early_close() -> None:
    """EX-07, RK-07: the end of a day's order, the session row, the entry checks"""
    house = a_house_beside_the_broker("12:30")
    closes_early(house)
    passes(house, 62)
    (stop,) = [o for o in house.desk.ledger.working() if o.only_reduces]
    house.until("13:00:30")
    house.presses(a_typed_buy())
    rows = {row.key: row for row in ViewBuilder(house.engine).draw(house.line.at).protections}

    assert end_of_session(house.desk.calendar, stop.request, at("12:31")) == EARLY
    assert rows["session"].is_tripped
    assert "session and clock" in house.last(ProposalSkipped).checks


def test_a_day_closed_ahead_is_followed_within_an_hour() -> None:
    """it is read each hour whatever the clock says: only the next open is on it"""
    house = a_house_beside_the_broker(buys=False)
    left = effects_of(house, FetchSessions)
    announces(house, AnnouncedDay(date(2026, 11, 24), None))
    passes(house, EACH.total_seconds() + 2)

    assert len(left) == 1
    assert house.last(SessionsAnnounced).days == (AnnouncedDay(date(2026, 11, 24), None),)
    due = [fact.notice for fact in house.facts(NotificationDue) if fact.notice.kind is NoticeKind.SESSION]
    assert [notice.severity for notice in due] == [Severity.WARNING]


def test_an_announcement_outlives_a_restart() -> None:
    """the broker may not answer after it"""
    house = a_house_beside_the_broker("12:00")
    closes_early(house)
    announces(house, AnnouncedDay(FRIDAY, None))
    passes(house, 62)
    assert_can_be_rebuilt(house)
    house.calendar = a_calendar()

    house.restarted()
    house.until("12:59:00")

    assert house.desk.calendar.next_session(USUAL).day == date(2026, 11, 23)
    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT


def test_pages_of_past_days_know_the_announced_close(tmp_path: Path) -> None:
    """no minute after it is missing, in the report and beside the trade that was held over it"""
    house = a_house_beside_the_broker("12:00", last="12:59")
    closes_early(house)
    house.until("13:30")
    folder = written(house, tmp_path / "journal")
    calendar = announced_calendar(folder, THURSDAY, THURSDAY)
    troubles = reported(folder, THURSDAY.isoformat(), None).quality.troubles

    session = calendar.session_on(THURSDAY)
    assert isinstance(session, Session)
    assert session.close == EARLY
    assert "missing minutes" not in {noted.name for noted in troubles}


def test_a_taken_back_announcement_is_followed_too() -> None:
    house = a_house_beside_the_broker("12:00")
    closes_early(house)
    passes(house, 62)
    announces(house, AnnouncedDay(THURSDAY, a_session(THURSDAY)))
    passes(house, 122)

    session = house.desk.calendar.session_at(house.line.at)
    assert isinstance(session, Session)
    assert session.close == USUAL
    assert len(house.facts(SessionsAnnounced)) == 2


def answers_sessions(house: House, answer: tuple[Session | date, ...] | NoAnswer) -> None:
    ask = house.line.ask
    house.line.ask = lambda effect: _sessions(effect, answer, ask(effect))  # type: ignore[method-assign]


def _sessions(effect: Effect, answer: tuple[Session | date, ...] | NoAnswer, usual: Input) -> Input:
    return SessionsFetched(answer) if isinstance(effect, FetchSessions) else usual


def test_a_closure_of_today_is_not_believed_while_the_clock_says_open() -> None:
    """one odd answer: exits would be refused for a market that trades"""
    house = a_house_beside_the_broker(buys=False)
    answers_sessions(house, (a_session(FRIDAY),))
    passes(house, EACH.total_seconds() + 2)

    assert not house.facts(SessionsAnnounced)
    assert isinstance(house.desk.calendar.session_at(house.line.at), Session)


def test_the_earlier_close_counts_where_the_brokers_clock_and_calendar_differ() -> None:
    """it fails closed: flat earlier, and no entry after it"""
    house = a_house_beside_the_broker("12:00")
    answers_sessions(house, tuple(a_session(day) for day in (THURSDAY, FRIDAY)))
    closes_early(house)
    passes(house, 62)

    session = house.desk.calendar.session_at(house.line.at)
    assert isinstance(session, Session)
    assert session.close == EARLY


def test_sessions_without_an_answer_are_asked_for_again() -> None:
    house = a_house_beside_the_broker(buys=False)
    left = effects_of(house, FetchSessions)
    answers_sessions(house, NoAnswer("not now"))
    house.until("10:48:30")

    assert len(left) == 4
    assert not house.facts(SessionsAnnounced)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ((), ()),
        ((a_session(THURSDAY),), ()),
        ((THURSDAY, a_session(FRIDAY)), ()),
        ((a_session(THURSDAY, closes="13:00"),), (AnnouncedDay(THURSDAY, a_session(THURSDAY, closes="13:00")),)),
        ((a_session(THURSDAY), a_session(date(2026, 11, 23))), (AnnouncedDay(FRIDAY, None),)),
        ((a_session(FRIDAY, closes="12:00"), a_session(FRIDAY)), (AnnouncedDay(THURSDAY, None),)),
    ],
    ids=["nothing", "as known", "unread times", "early", "a day left out", "a day told twice"],
)
def test_only_what_an_answer_spans_is_judged(told: tuple[Session | date, ...], found: tuple[AnnouncedDay, ...]) -> None:
    """an answer that ends early closes nothing after its end"""
    assert announced(a_calendar(), THURSDAY, told) == found


def test_no_clock_at_the_edge_of_a_session_contradicts_it() -> None:
    """its word may be a moment apart"""
    house = a_house_beside_the_broker("15:58", last="16:00", buys=False)
    left = effects_of(house, FetchSessions)
    hours = house.exchange.hours(at("15:58"))
    assert hours is not None
    house.until("16:00:30")
    house.line.take(house.line.at, ClockFetched(house.line.at, hours=hours))

    assert left == []


def test_no_bar_after_an_announced_close_is_a_session_bar() -> None:
    house = a_house_beside_the_broker("12:00", last="13:10")
    closes_early(house)
    house.until("13:10:30")

    assert max(fact.bar.start for fact in house.facts(BarClosed)) == at("12:59")


def test_the_entry_window_moves_with_an_early_close() -> None:
    """RK-07: a strategy's context and a typed entry's check"""
    terms = Settings.model_validate({"symbols": ["SPY"], "risk": {"window_end": "15:45"}})
    house = a_house_beside_the_broker("12:00", buys=False, terms=terms)
    closes_early(house)
    house.until("12:44:30")
    house.presses(a_typed_buy())
    before = house.facts(ProposalSkipped)
    house.until("12:45:30")
    house.presses(a_typed_buy(quantity="0.11"))

    (runner,) = house.desk.orchestrator.runners[SPY]
    assert all("entry window" not in fact.checks for fact in before)
    assert "entry window" in house.last(ProposalSkipped).checks
    assert runner.context.flat_from == at("12:55")


# ── the broker's clock and its calendar differ ───────────────────────────────────────────────────────────────────────


def closes_by(house: House) -> datetime:
    session = house.desk.calendar.session_on(THURSDAY)
    assert isinstance(session, Session)
    return session.close


@pytest.mark.parametrize("answer", [NoAnswer("500"), ()], ids=["no answer", "empty"])
def test_the_clock_alone_announces_an_early_close(answer: tuple[Session, ...] | NoAnswer) -> None:
    """its calendar may not answer"""
    house = a_house_beside_the_broker("12:00")
    answers_sessions(house, answer)
    closes_early(house)
    house.until("12:58:30")

    assert closes_by(house) == EARLY
    assert house.proposal.exit_reason is ExitReason.FORCE_FLAT


def test_a_session_that_is_over_by_the_clock_is_not_lengthened() -> None:
    """the calendar says 16:00 each hour; one announcement, and entries stay refused"""
    house = a_house_beside_the_broker("12:00", last="14:30")
    answers_sessions(house, tuple(a_session(day) for day in (THURSDAY, FRIDAY)))
    closes_early(house)
    house.until("14:20")
    house.presses(a_typed_buy())

    assert closes_by(house) == EARLY
    assert len(house.facts(SessionsAnnounced)) == 1
    assert "session and clock" in house.last(ProposalSkipped).checks


def test_an_early_close_of_before_outlives_a_start_with_the_old_calendar() -> None:
    house = a_house_beside_the_broker("12:00")
    closes_early(house)
    house.until("12:50")
    house.restarted()
    house.desk.sightings.has_own_clock = True
    house.engine.apply(house.line.at, house.settings, "house", tuple(a_session(day) for day in (THURSDAY, FRIDAY)))

    assert closes_by(house) == EARLY


def test_a_start_without_today_in_the_calendar_waits_for_the_clock() -> None:
    """one odd answer closes no market that trades"""
    house = a_house_beside_the_broker("10:10")
    house.restarted()
    house.engine.apply(house.line.at, house.settings, "house", (a_session(FRIDAY),))

    assert closes_by(house) == USUAL
    assert not house.facts(SessionsAnnounced)


def test_a_day_believed_closed_opens_with_the_clock() -> None:
    """within two minutes of the open, from then to the close that it names"""
    house = a_house_beside_the_broker("10:00", buys=False)
    house.desk.record(SessionsAnnounced((AnnouncedDay(THURSDAY, None),)))
    answers_sessions(house, (a_session(FRIDAY),))
    house.until("10:02:30")

    session = house.desk.calendar.session_at(house.line.at)
    assert isinstance(session, Session)
    assert session.close == USUAL
    assert [fact.bar.start for fact in house.facts(BarClosed)][-1] >= at("10:00")


def test_times_five_hours_off_move_nothing_while_the_clock_says_open() -> None:
    house = a_house_beside_the_broker("10:10", buys=False)
    answers_sessions(house, tuple(a_session(day, "14:30", "21:00") for day in (THURSDAY,)))
    house.until("11:20")

    assert not house.facts(SessionsAnnounced)


def test_a_market_that_is_closed_in_mid_session_ends_it() -> None:
    """by its calendar, or by its clock for a minute; the position is then held over a close, and told"""
    house = a_house_beside_the_broker("10:10")
    announces(house, AnnouncedDay(THURSDAY, None))
    house.until("10:13")

    session = house.desk.calendar.session_on(THURSDAY)
    assert isinstance(session, Session)
    assert at("10:10") < session.close < at("10:13")
    assert session.open == at("09:30")


def test_an_answer_that_closes_many_days_is_set_aside() -> None:
    """a far row alone would close every day before it"""
    house = a_house_beside_the_broker(buys=False)
    answers_sessions(house, (a_session(THURSDAY), a_session(date(2099, 1, 5))))
    passes(house, EACH.total_seconds() + 2)

    assert not house.facts(SessionsAnnounced)
    assert len(house.facts(MarketDataQuarantined)) == 1


def test_signed_exits_wait_for_a_key_after_an_announced_close() -> None:
    """EX-14: they were signed for the session as it was known; no sale is queued over night without a key"""
    bars = [*a_day(("10:06", "12:59", STEADY)), *minutes("09:30", "09:40", "95.00", day=FRIDAY)]
    house = with_receivers(House(bars, settings(), calendar=a_calendar()), Receivers())
    house.desk.sightings.has_own_clock = True
    house.opens().until("10:06:01")
    house.presses(OpenTicket(house.proposal.id, unattended=True))
    house.until("10:06:02")
    house.confirms()
    house.until("12:59:57")
    closes_early(house)
    before = len(house.sent())
    house.until("13:20")

    assert house.held() != "0"
    assert "market" not in [words[2] for words in house.sent()[before:] if words[0] == "submit"]


def test_an_entry_that_left_after_a_close_that_was_known_late_is_cancelled() -> None:
    """RK-07: it would open on the next day, at any hour and price"""
    terms = Settings.model_validate({"symbols": ["SPY"], "risk": {"window_end": "15:45"}})
    house = a_house_beside_the_broker("13:00:03", last="12:59", buys=False, terms=terms)
    house.presses(a_typed_buy(limit=None, stop="95.00"))
    house.opens_ticket()
    house.until("13:00:05")
    house.confirms()
    closes_early(house)
    house.until("13:00:08")
    sent = house.entry.status
    house.until("13:05")

    assert sent is OrderStatus.SUBMITTED
    assert closes_by(house) == EARLY
    assert (house.entry.status, house.held()) == (OrderStatus.CANCELLED, "0")


def test_an_announcement_closes_open_tickets() -> None:
    """OP-02: the ends that a ticket states may be other ones now"""
    house = a_house_beside_the_broker("12:00")
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    (ticket,) = house.desk.stage.state.tickets.values()
    following = a_session(date(2026, 11, 23))
    house.line.take(house.line.at, SessionsFetched((a_session(THURSDAY), following)))
    house.presses(turn_of(ticket))
    passes(house, 5)

    assert house.last(TicketClosed).ticket_id == ticket.id
    assert house.held() != "0"


def test_a_stop_for_the_day_that_ends_with_an_announced_close_is_owed() -> None:
    """EX-22: the position is held over it; a person is told within five seconds"""
    house = a_house_beside_the_broker("12:00")
    closes_early(house)
    house.until("13:00:08")

    (stop,) = house.stops
    assert stop.status is OrderStatus.EXPIRED
    assert [(fact.quantity, fact.symbol) for fact in house.facts(StopOwed)] == [(house.entry.filled_quantity, SPY)]
