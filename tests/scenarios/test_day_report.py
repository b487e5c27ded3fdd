"""The report after the close: made once for each session, recorded before it is sent, and never in the way (SY-03)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from core import facts
from core.event_text.lines import level_of
from core.market.calendar import load_calendar
from core.messages.commands import Halt
from core.messages.effects import MakeReport
from core.messages.inputs import ReportAnswered
from core.model.alert import Alert, AlertKind, AlertTerms
from core.model.bar import Bar
from core.model.codes import HaltCause
from core.model.notice import NoticeKind
from core.model.report_sheet import ReportSheet, Section
from core.model.session import AnnouncedDay
from core.model.text_sanitizer import INFO, WARN
from core.settings.settings import Settings
from core.workflows.operator.notifying import is_last_of_week
from state.service_log.lines import of_fact
from tests.kit.rows import table
from tests.kit.waiting import until
from tests.scenarios.house import House, minutes
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.scenarios.receivers import PHONE, Receivers, look, settings, with_receivers
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

FRIDAY = THURSDAY + timedelta(days=1)
SATURDAY, MONDAY = THURSDAY + timedelta(days=2), THURSDAY + timedelta(days=4)
SHEET = ReportSheet("Thursday 19 November 2026", "equity +1.00 USD", (Section("result", (("fees", "+0.00 USD"),)),))
REPORTS = {"day": {"channels": [PHONE], "kinds": ["report"]}}


def made(effect: MakeReport) -> ReportAnswered:
    return ReportAnswered(effect.day, (replace(SHEET, title=f"{effect.day}"),) * (2 if effect.is_week else 1))


def summarised(effect: MakeReport) -> ReportAnswered:
    sheet = replace(SHEET, agent="claude", words=("A calm day.",))
    return ReportAnswered(effect.day, (sheet,), agent="claude")


def never(_effect: MakeReport) -> None:
    """The program that makes it hangs."""


def a_day(day: date = THURSDAY) -> list[Bar]:
    return [*minutes("15:30", "15:59", day=day), *minutes("16:00", "16:20", day=day)]


def a_house(receivers: Receivers, bars: list[Bar] | None = None, terms: Settings | None = None) -> House:
    house = House(bars or a_day(), terms or settings(rules=REPORTS))
    return with_receivers(house, receivers).opens()


def passes(house: House, receivers: Receivers, moment_of: date, clock: str) -> None:
    house.line.at = at(clock, moment_of)
    look(house)


def test_a_report_is_recorded_before_it_leaves() -> None:
    """SY-03"""
    receivers = Receivers(made=made)
    house = a_house(receivers).until("16:10")

    (message,) = receivers.heard
    assert receivers.asked == [MakeReport(THURSDAY, is_week=False)]
    assert (message.title, message.text.splitlines()[1:]) == (
        f"Keyturn paper house: {THURSDAY}",
        ["result:", "- fees: +0.00 USD"],
    )
    kinds = (facts.ReportMade, facts.NotificationDue, facts.NotificationBegun, facts.NotificationSent)
    found = [record.fact for record in house.journal.records() if isinstance(record.fact, kinds)]
    assert [type(fact) for fact in found] == [*kinds]
    assert found[1].notice.report == replace(SHEET, title=f"{THURSDAY}")


def test_the_last_session_of_a_week_has_two_reports() -> None:
    """SY-03: each is a message of its own"""
    receivers = Receivers(made=made)
    a_house(receivers, a_day(FRIDAY)).until("16:10", FRIDAY)

    assert receivers.asked == [MakeReport(FRIDAY, is_week=True)]
    assert [message.numbers for message in receivers.heard] == [(1,), (2,)]


@table(
    ("day", "is_last"),
    (date(2026, 11, 24), False),
    (date(2026, 11, 25), False),
    (date(2026, 11, 27), True),  # the half day after Thanksgiving
    (date(2026, 4, 2), True),  # Good Friday is closed
    (date(2026, 4, 1), False),
    (date(2026, 12, 23), False),
    (date(2026, 12, 24), True),  # Christmas is a Friday
    (date(2026, 1, 16), True),
)
def test_a_week_ends_with_its_last_session(day: date, is_last: bool) -> None:
    """SY-03"""
    assert is_last_of_week(load_calendar(date(2026, 1, 1), date(2026, 12, 31)), day) is is_last


def test_a_week_ends_before_an_announced_closed_day() -> None:
    """SY-03, MD-10"""
    calendar = load_calendar(date(2026, 1, 1), date(2026, 12, 31))
    calendar.follow([AnnouncedDay(FRIDAY, None)])

    assert is_last_of_week(calendar, THURSDAY)


def test_an_engine_that_ends_meanwhile_asks_again() -> None:
    """SY-03: and the report is sent once"""
    receivers = Receivers(made=never)
    house = a_house(receivers).until("16:06")
    assert receivers.heard == []

    receivers.made = made
    again = with_receivers(house.restarted(), receivers).until("16:12")
    with_receivers(again.restarted(), receivers).until("16:20")

    assert receivers.asked == [MakeReport(THURSDAY, is_week=False)] * 2
    assert len(receivers.heard) == 1


@table(("next_start", "clock"), (FRIDAY, "08:00"), (SATURDAY, "12:00"), (MONDAY, "15:00"))
def test_a_missed_close_is_reported_at_the_next_start(next_start: date, clock: str) -> None:
    """SY-03: late, with its day, and once"""
    receivers = Receivers(made=made)
    house = a_house(receivers).until("15:50")
    house.line.at = at(clock, next_start)

    later = with_receivers(house.restarted(), receivers)
    look(later)
    look(later)

    assert receivers.asked == [MakeReport(THURSDAY, is_week=False)]
    (message,) = receivers.heard
    assert message.title.endswith(f"{THURSDAY}")
    assert "sent late" in message.text.splitlines()[0]
    with_receivers(later.restarted(), receivers)
    assert len(receivers.asked) == 1


def test_a_report_older_than_a_week_is_not_sent() -> None:
    """SY-03"""
    receivers = Receivers(made=made)
    house = a_house(receivers).until("15:50")
    house.line.at = at("08:00", THURSDAY + timedelta(days=8))

    look(with_receivers(house.restarted(), receivers))

    assert receivers.asked == []


def test_a_late_report_takes_none_from_its_own_day() -> None:
    """SY-03: the day on which it is sent has one too"""
    receivers = Receivers(made=made)
    house = a_house(receivers, [*a_day(), *a_day(FRIDAY)]).until("15:50")
    house.line.at = at("09:00", FRIDAY)

    with_receivers(house.restarted(), receivers).until("16:10", FRIDAY)

    assert [effect.day for effect in receivers.asked] == [THURSDAY, FRIDAY]


def test_a_closed_day_has_no_report() -> None:
    """SY-03"""
    receivers = Receivers(made=made)
    house = a_house(receivers).until("16:10")
    for clock in ("10:00", "16:06", "20:00"):
        passes(house, receivers, SATURDAY, clock)

    assert [effect.day for effect in receivers.asked] == [THURSDAY]


def test_a_report_that_hangs_is_replaced_by_the_books() -> None:
    """SY-03: and its answer that comes later sends nothing"""
    receivers = Receivers(made=never)
    house = a_house(receivers).until("16:20")

    (message,) = receivers.heard
    (fact,) = house.facts(facts.ReportMade)
    assert fact.fault
    assert "0 trades closed" in message.text
    house.line.take(house.line.at, made(MakeReport(THURSDAY, is_week=False)))
    assert len(house.facts(facts.ReportMade)) == 1


def test_a_report_that_fails_says_why() -> None:
    """SY-03: and the notice has the sums of the books"""
    receivers = Receivers()
    house = a_house(receivers).until("16:10")

    assert [fact.fault for fact in house.facts(facts.ReportMade)] == ["a test"]
    assert "a test" in receivers.heard[0].text


def test_nothing_is_made_without_a_rule_for_it() -> None:
    """SY-03"""
    receivers = Receivers(made=made)
    a_house(receivers, terms=settings(rules={"day": {"channels": [PHONE], "kinds": ["fill"]}})).until("16:10")

    assert receivers.asked == []


def test_other_notices_do_not_wait_for_a_report() -> None:
    """SY-03: what is urgent and what is not leaves while it is being made"""
    receivers = Receivers(made=never)
    house = a_house(receivers, terms=settings()).until("16:05:10")
    house.engine.state.record(facts.AlertRang(Alert(1, AlertTerms(SPY, AlertKind.FILL)), "rang"))
    house.engine.state.record(facts.Halted(HaltCause.SIGNAL, "a test"))
    look(house)

    assert len(receivers.asked) == 1
    kinds = [fact.notice.kind for fact in house.facts(facts.NotificationDue)]
    assert kinds == [NoticeKind.ALERT, NoticeKind.HALT]
    assert len(receivers.heard) == 2


def test_an_agents_words_are_recorded_as_its_own() -> None:
    """AN-06"""
    receivers = Receivers(made=summarised)
    house = a_house(receivers).until("16:10")

    (said,) = house.facts(facts.DaySummarised)
    assert (said.agent, said.day, said.text) == ("claude", THURSDAY, "A calm day.")
    assert receivers.heard[0].text.splitlines()[-1] == "› A calm day."


def test_a_report_without_its_agent_goes_all_the_same() -> None:
    """AN-06"""
    receivers = Receivers(made=lambda effect: replace(made(effect), agent="claude", agent_fault="it wrote nothing"))
    house = a_house(receivers).until("16:10")

    assert [fact.agent_fault for fact in house.facts(facts.ReportMade)] == ["it wrote nothing"]
    assert house.facts(facts.DaySummarised) == []
    assert "›" not in receivers.heard[0].text


def test_a_report_in_a_digest_keeps_its_own_message() -> None:
    """SY-03: an alert before it, one after it"""
    receivers = Receivers(made=made)
    rules = {"all": {"channels": [PHONE], "kinds": ["report", "alert"], "digest": True}}
    house = a_house(receivers, terms=settings(rules=rules)).until("16:02")
    rings = facts.AlertRang(Alert(1, AlertTerms(SPY, AlertKind.FILL)), "rang")
    house.engine.state.record(rings)
    look(house)
    house.until("16:10")
    house.engine.state.record(rings)
    look(house)
    house.until("16:20")

    assert [message.numbers for message in receivers.heard] == [(1,), (2,), (3,)]


@table(
    ("fact", "level"),
    (facts.ReportMade(THURSDAY), ("info", INFO)),
    (facts.ReportMade(THURSDAY, agent="claude"), ("info", INFO)),
    (facts.ReportMade(THURSDAY, fault="it hangs"), ("warning", WARN)),
    (facts.ReportMade(THURSDAY, agent="claude", agent_fault="it hangs"), ("warning", WARN)),
)
def test_what_a_report_lacks_is_a_warning_in_the_log(fact: facts.ReportMade, level: tuple[str, str]) -> None:
    """AN-06: with the reason"""
    line = of_fact(at("16:05"), 1, fact)

    assert (line["level"], level_of(fact, "")) == level
    assert fact.fault + fact.agent_fault in line["words"]


@pytest.mark.usefixtures("timeline")
def test_a_report_that_is_being_made_stops_nothing_live() -> None:
    """SY-03, AN-06: a halt acts and is told while it is made in another thread"""
    goes_on, receivers = threading.Event(), Receivers()

    def slow(effect: MakeReport, put: Callable[[ReportAnswered], None]) -> None:
        receivers.asked.append(effect)
        threading.Thread(target=lambda: (goes_on.wait(), put(made(effect))), daemon=True).start()

    receivers.report = slow  # type: ignore[method-assign]
    terms = settings()
    with LiveHouse(LiveFloor("16:05:01", a_day()[-1:]), settings=terms) as house:
        house.runtime._notifier = receivers
        until(lambda: receivers.asked, "the report that is due")
        house.presses(Halt("key"))
        until(lambda: receivers.heard, "the halt")
        assert receivers.heard[0].is_urgent
        goes_on.set()
        until(lambda: receivers.heard[1:], "the report")

    assert receivers.heard[1].title.endswith(f"{THURSDAY}")
