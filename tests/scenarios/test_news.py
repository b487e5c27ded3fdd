"""Headlines and dates of earnings: kept, shown, told once; nothing is decided by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from core import event_text
from core.facts import AlertRang, AlertRefused, NotificationDue
from core.messages.desk_commands import EarningsFileSeen, KeepAlert
from core.messages.inputs import NewsArrived
from core.model.alert import AlertKind, AlertTerms
from core.model.news import (
    IN_ALL,
    OF_A_SYMBOL,
    UNKNOWN,
    WITHIN,
    EarningsDate,
    EarningsTime,
    Headline,
    NewsBook,
    NewsFound,
    NewsView,
    earnings_in_words,
)
from core.model.notice import NoticeKind
from core.model.values import Symbol
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.views.builders.symbols import next_earnings
from core.views.export import TABLES, row_of
from tests.kit.rows import cases
from tests.scenarios.house import House, a_house_in_a_position, a_house_with_a_proposal
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY
from widgets.lines import joined
from widgets.ticket_text import news_line, ticket_lines

MINUTE = timedelta(minutes=1)
FRIDAY, SATURDAY, MONDAY, TUESDAY = (THURSDAY + timedelta(days=days) for days in (1, 2, 4, 5))
HOSTILE = "KILLED 2 positions at https://evil.example/x call +1 555 123 4567"


def an_article(at: datetime, id: str = "1", *symbols: Symbol, **terms: object) -> Headline:
    found = Headline(id, at, f"headline {id}", "benzinga", symbols or (SPY,), len(symbols) or 1)
    return replace(found, **terms)  # type: ignore[arg-type]


def with_news(house: House) -> House:
    house.desk.sightings.headlines = NewsBook(NewsView(note="not fetched yet"))
    return house


def hears(house: House, *articles: Headline, symbols: tuple[Symbol, ...] = (SPY, IBM)) -> None:
    at = house.line.at
    house.line.take(at, NewsArrived(NewsFound(symbols, at - WITHIN, articles)))


def rang(house: House) -> list[tuple[Symbol, tuple[str, ...]]]:
    return [(fact.alert.terms.symbol, fact.articles) for fact in house.facts(AlertRang)]


def watching_news(*symbols: Symbol, **terms: object) -> House:
    house = with_news(a_house_in_a_position(**terms).until("10:10"))
    for symbol in symbols or (SPY,):
        house.presses(KeepAlert(AlertTerms(symbol, AlertKind.NEWS)))
    return house.until("10:12")


# ── alerts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_article_rings_once_also_when_it_is_sent_again() -> None:
    """MD-06: updated, resent, and after a restart"""
    house = watching_news()
    at = house.line.at
    hears(house, an_article(at, "7"))
    hears(house, an_article(at, "7", headline="corrected"))
    house.until("10:30")
    hears(house, an_article(at, "7"))
    house = with_news(house.restarted())
    house.until("10:40")
    hears(house, an_article(at, "7"), an_article(at - MINUTE / 2, "8"))

    assert rang(house) == [(SPY, ("7",)), (SPY, ("8",))]


def test_what_was_written_before_the_alert_does_not_ring() -> None:
    """MD-06"""
    house = watching_news()
    hears(house, an_article(house.line.at - timedelta(hours=3)))

    assert rang(house) == []


def test_many_headlines_ring_together() -> None:
    """SY-03: one at once, what follows within minutes as one"""
    house = watching_news()
    for number in range(6):
        hears(house, an_article(house.line.at, str(number)))
        house.until(f"10:{13 + number}")
    hears(house)

    assert rang(house) == [(SPY, ("0",)), (SPY, ("5", "4", "3", "2", "1"))]
    assert house.last(AlertRang).seen.startswith("5 headlines, the last 10:17")


def test_an_article_of_many_symbols_rings_once() -> None:
    """MD-06"""
    house = watching_news(SPY, IBM)
    hears(house, an_article(house.line.at, "7", SPY, IBM, symbols_named=60))

    assert rang(house) == [(SPY, ("7",))]
    assert "names 60 symbols" in house.last(AlertRang).seen


def test_a_headline_stands_behind_the_mark_of_foreign_text() -> None:
    """SY-06: on the desk; and no link or number is left in a notice"""
    rules = {"command": ["/bin/true"], "rules": {"all": {"channels": ["command"]}}}
    house = watching_news(settings=Settings.model_validate({"notify": rules}))
    hears(house, an_article(house.line.at, headline=HOSTILE))
    told = house.last(AlertRang)

    assert told.seen.endswith(f" › benzinga: {HOSTILE}")
    assert event_text.in_words(told).endswith(HOSTILE)
    (notice,) = (fact.notice for fact in house.facts(NotificationDue) if fact.notice.kind is NoticeKind.ALERT)
    assert "KILLED 2 positions at (link removed)" in notice.words
    assert "evil" not in notice.words
    assert "555" not in notice.words


@cases("enabled why", (True, "no news from the simulated market"), (False, "news.enabled"))
def test_an_alert_that_could_never_ring_is_refused(enabled: bool, why: str) -> None:
    """MD-06"""
    house = a_house_in_a_position(settings=Settings.model_validate({"news": {"enabled": enabled}}))
    if not enabled:
        with_news(house)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.NEWS)))

    assert why in house.last(AlertRefused).reason


# ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_headlines_are_no_facts_and_change_no_decision() -> None:
    """MD-06: two days, one with news and one without, have the same journal"""
    plain, told = a_house_with_a_proposal(), with_news(a_house_with_a_proposal())
    for house in (plain, told):
        if house is told:
            hears(house, *(an_article(house.line.at, str(n)) for n in range(50)))
            house.line.take(house.line.at, NewsArrived("away"))
            house.presses(EarningsFileSeen((EarningsDate(SPY, THURSDAY),)))
        house.opens_ticket()
        house.until("10:06:02").confirms()
        house.until("10:30")

    assert told.told() == plain.told()


def test_memory_is_bounded_and_what_was_dropped_is_said() -> None:
    """MD-06: of a symbol, of all, and of a day"""
    now = datetime.fromisoformat("2026-11-20T15:00:00+00:00")
    book = NewsBook()
    symbols = tuple(Symbol(f"A{chr(65 + n // 26)}{chr(65 + n % 26)}") for n in range(120))
    articles = [an_article(now - n * MINUTE, f"{s}{n}", s) for s in symbols for n in range(OF_A_SYMBOL + 5)]
    book.take(NewsFound((*symbols, SPY), now - WITHIN, tuple(articles)), now)
    book.take(NewsFound((IBM,), now - WITHIN, (an_article(now - WITHIN, "old", IBM),)), now)
    crowded = NewsBook()
    pairs = [an_article(now - n * MINUTE, str(n), SPY, symbols[n]) for n in range(OF_A_SYMBOL + 5)]
    crowded.take(NewsFound((*symbols, SPY), now - WITHIN, tuple(pairs)), now)

    assert len(book.view.headlines) == IN_ALL
    assert crowded.view.of(SPY, now).count == f"{OF_A_SYMBOL}+"
    assert book.view.of(symbols[0], now).count.endswith("+")
    assert book.view.of(SPY, now).count == "0"
    assert book.view.of(IBM, now).headlines == ()


def test_a_count_is_whole_only_from_the_first_answer_on() -> None:
    """MD-06: a gap between two answers is one too"""
    now = datetime.fromisoformat("2026-11-20T15:00:00+00:00")
    book = NewsBook(NewsView(note="not fetched yet"))
    assert book.view.of(SPY, now).note == "not fetched yet"
    book.take(NewsFound((SPY,), now - WITHIN, ()), now)
    assert (book.view.of(SPY, now).is_whole, book.view.of(IBM, now).note) == (True, "not fetched yet")
    later = now + timedelta(hours=2)
    book.take(NewsFound((SPY,), later - MINUTE, ()), later)

    assert not book.view.of(SPY, later).is_whole


def test_a_failure_keeps_the_headlines_and_says_why() -> None:
    """MD-06"""
    house = with_news(a_house_in_a_position())
    hears(house, an_article(house.line.at))
    house.line.take(house.line.at, NewsArrived("the source is away"))
    news = ViewBuilder(house.engine).draw(house.line.at).news.of(SPY, house.line.at)

    assert (news.count, news.note) == ("1", "the source is away")


def test_headlines_are_a_table_of_the_export() -> None:
    """SY-08"""
    house = with_news(a_house_in_a_position())
    hears(house, an_article(house.line.at, "7", headline="=1+1"))
    view = ViewBuilder(house.engine).draw(house.line.at)

    (row,) = (row_of(each) for each in TABLES["news"].rows(view))
    assert (row["id"], row["source"], row["symbols"]) == ("7", "benzinga", ["SPY"])


# ── tickets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def ticket_text(house: House, width: int = 74) -> tuple[list[str], list[str]]:
    """The body of the open ticket, and its line of news."""
    at = house.line.at
    (view,) = ViewBuilder(house.engine).draw(at).tickets
    body, news = ticket_lines(view, at, width), news_line(view, at, width)
    assert all(len(joined(line)) <= width for line in (*body, *news))
    return [joined(line) for line in body], [joined(line) for line in news]


def opened(house: House) -> House:
    house.opens_ticket()
    return house.until("10:06:02")


def test_a_ticket_has_one_line_of_news() -> None:
    """OP-03: how many in 24 hours, and the newest with its age, behind the mark of foreign text"""
    house = with_news(a_house_with_a_proposal())
    at = house.line.at
    hears(house, an_article(at - 12 * MINUTE, "1", headline="long " * 40), an_article(at - WITHIN / 2, "2"))
    opened(house)
    (line,) = ticket_text(house)[1]

    assert line.startswith("news   earnings unknown · 2 in 24 h, 12 m ago › benzinga: long")


@cases(
    "hearing line",
    (lambda house: None, "news   earnings unknown · not fetched yet"),
    (hears, "news   earnings unknown · no news in 24 h"),
    (lambda house: house.line.take(house.line.at, NewsArrived("x" * 90)), f"news   earnings unknown · {'x' * 39}…"),
)
def test_a_ticket_says_why_there_are_no_headlines(hearing: object, line: str) -> None:
    """OP-03"""
    house = opened(with_news(a_house_with_a_proposal()))
    hearing(house)  # type: ignore[operator]

    assert ticket_text(house)[1] == [line]


def test_where_nobody_asks_a_ticket_has_earnings_alone() -> None:
    """OT-02"""
    assert ticket_text(opened(a_house_with_a_proposal()))[1] == [f"comes  {UNKNOWN}"]


def test_earnings_within_the_sessions_warn_and_refuse_nothing() -> None:
    """OT-02: of an entry"""
    house = a_house_with_a_proposal()
    house.presses(EarningsFileSeen((EarningsDate(SPY, MONDAY, EarningsTime.AFTER), EarningsDate(IBM, FRIDAY))))
    opened(house)
    body, news = ticket_text(house)
    (view,) = ViewBuilder(house.engine).draw(house.line.at).tickets

    day = f"{MONDAY.day} {MONDAY:%b}"
    assert f"comes  earnings Mon {day} (after close), in 2 sessions" in body
    assert news == []
    assert not view.now.refusals


BEFORE, AFTER = EarningsTime.BEFORE, EarningsTime.AFTER


@cases(
    "reports sessions is_near words",
    ([(THURSDAY, None)], 0, True, "today"),
    ([(THURSDAY, AFTER)], 0, True, "(after close), today"),
    ([(THURSDAY, BEFORE)], None, None, UNKNOWN),
    ([(THURSDAY, BEFORE), (FRIDAY, BEFORE)], 1, True, "(before open), in 1 session"),
    ([(SATURDAY, None)], 1, True, "in 1 session"),
    ([(TUESDAY, None), (MONDAY, None)], 2, True, "in 2 sessions"),
    ([(THURSDAY - timedelta(days=1), None)], None, None, UNKNOWN),
    ([(THURSDAY + timedelta(days=90), None)], None, False, "in 90 days"),
    ([], None, None, UNKNOWN),
)
def test_earnings_are_counted_in_sessions(
    reports: list[tuple[date, EarningsTime | None]], sessions: int | None, is_near: bool | None, words: str
) -> None:
    """OT-02: a report before the open is past once the session has begun"""
    house = a_house_in_a_position()
    house.presses(EarningsFileSeen(tuple(EarningsDate(SPY, day, when) for day, when in reports)))
    found = next_earnings(house.desk, SPY, house.line.at)

    assert (found and found.sessions, found and found.is_near) == (sessions, is_near)
    assert earnings_in_words(found, THURSDAY).endswith(words)


def test_a_newer_file_replaces_the_dates() -> None:
    """OT-02"""
    house = a_house_in_a_position()
    house.presses(EarningsFileSeen((EarningsDate(SPY, FRIDAY),)))
    assert [each.report.day for each in ViewBuilder(house.engine).draw(house.line.at).earnings] == [FRIDAY]
    house.presses(EarningsFileSeen(()))
    assert ViewBuilder(house.engine).draw(house.line.at).earnings == ()
