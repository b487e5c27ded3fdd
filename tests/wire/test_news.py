"""News by Alpaca's own client and by the desk's adapter, over HTTP at the loopback exchange."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from alpaca.data.historical.news import NewsClient
from alpaca.data.requests import NewsRequest
from pydantic import SecretStr

from core.market.alpaca.data import AlpacaData
from core.market.port import MarketDataError, NewsSource
from core.messages.commands import OpenTicket
from core.messages.inputs import NewsArrived
from core.model.news import WITHIN, NewsBook, NewsFound
from core.model.values import Symbol
from core.runtime.news_watch import EVERY, LONGEST_PAUSE, OVERLAP, NewsWatch
from core.settings.orders import AlpacaSettings
from tests.kit.rows import cases
from tests.scenarios.house import a_day
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.wire.exchange.hours import Hours
from tests.wire.exchange.server import LoopbackExchange

SPY, IBM, XOM = map(Symbol, ("SPY", "IBM", "XOM"))
MINUTE = timedelta(minutes=1)


def an_article(exchange: LoopbackExchange, id: object = 7, minutes_ago: int = 10, **terms: Any) -> dict[str, Any]:
    at = exchange.clock.now() - minutes_ago * MINUTE
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": id, "headline": "IBM beats", "source": "benzinga", "symbols": ["IBM"], "created_at": stamp,
        "updated_at": stamp, "author": "a", "content": "", "summary": "", "url": None, "images": [], **terms,
    }  # fmt: skip


def source_at(url: str, exchange: LoopbackExchange, now: Callable[[], datetime] | None = None) -> AlpacaData:
    settings = AlpacaSettings(data_url=url, data_stream_url=exchange.data_stream_url)
    id, secret = SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret)
    return AlpacaData(settings, id, secret, [SPY], Hours(), now=now or exchange.clock.now)


def asked(exchange: LoopbackExchange, *symbols: Symbol) -> NewsFound:
    return source_at(exchange.data_url, exchange).news(symbols or (IBM,), exchange.clock.now() - WITHIN)


def texts(found: NewsFound) -> list[tuple[str, str]]:
    return [(each.id, each.headline) for each in found.headlines]


def test_alpacas_own_client_reads_the_same_articles(exchange: LoopbackExchange) -> None:
    """MD-06: the endpoint of the loopback answers as the library expects."""
    exchange.floor.news = [an_article(exchange, n, minutes_ago=n) for n in range(1, 121)]
    client = NewsClient(exchange.keys.id, exchange.keys.secret, url_override=exchange.data_url)
    theirs = client.get_news(NewsRequest(symbols="IBM", start=exchange.clock.now() - WITHIN, limit=500))

    ours = asked(exchange)
    assert [str(each.id) for each in theirs.data["news"]] == [each.id for each in ours.headlines]  # type: ignore[union-attr]
    assert len(ours.headlines) == 120
    assert ours.since == exchange.clock.now() - WITHIN


def test_the_adapter_reads_headline_time_and_source(exchange: LoopbackExchange) -> None:
    """MD-06: the time is that of the writing, not of an update"""
    article = an_article(exchange, 7, 90, symbols=["XOM", "IBM", "KO"])
    exchange.floor.news = [{**article, "updated_at": an_article(exchange)["updated_at"]}]
    (headline,) = asked(exchange, IBM, XOM).headlines

    assert headline.at == exchange.clock.now().replace(microsecond=0) - 90 * MINUTE
    assert (headline.id, headline.headline, headline.source) == ("7", "IBM beats", "benzinga")
    assert (set(headline.symbols), headline.symbols_named) == ({IBM, XOM}, 3)
    assert isinstance(source_at(exchange.data_url, exchange), NewsSource)


def test_an_article_of_two_pages_or_batches_is_one(exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-06"""
    monkeypatch.setattr("core.market.alpaca.history.BATCH", 1)
    exchange.floor.news = [an_article(exchange, symbols=["IBM", "XOM"]), an_article(exchange, symbols=["IBM"])]
    (headline,) = asked(exchange, IBM, XOM).headlines

    assert headline.symbols == (IBM, XOM)


def test_beyond_the_most_pages_the_day_is_not_whole(
    exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MD-06: a count says then that there were more"""
    monkeypatch.setattr("core.market.alpaca.history.MOST_NEWS_PAGES", 2)
    exchange.floor.news = [an_article(exchange, n, minutes_ago=n) for n in range(1, 121)]
    found, now = asked(exchange), exchange.clock.now()
    book = NewsBook()
    book.take(found, now)

    assert (len(found.headlines), found.since) == (100, now)
    assert book.view.of(IBM, now).count == "20+"


def test_no_article_is_an_empty_answer(exchange: LoopbackExchange) -> None:
    """MD-06"""
    assert asked(exchange).headlines == ()
    exchange.floor.news = None
    assert asked(exchange).headlines == ()


@cases(
    "terms reason",
    ({"headline": None}, "its headline None is no text"),
    ({"headline": " \n "}, "is no text"),
    ({"headline": ["a"]}, "is no text"),
    ({"created_at": "2099-01-01T00:00:00Z"}, "is in the future"),
    ({"created_at": "soon"}, "created_at 'soon' is no time"),
    ({"created_at": "2026-11-19T10:00:00"}, "has no zone"),
    ({"created_at": None}, "created_at, its time, is missing"),
    ({"symbols": "IBM"}, "its symbols 'IBM' are no list"),
    ({"id": None}, "its id None is no number"),
    ({"id": True}, "its id True is no number"),
    ({"id": "9" * 21}, "is no number"),
)
def test_an_unreadable_article_is_left_out_and_named(
    exchange: LoopbackExchange, terms: dict[str, Any], reason: str
) -> None:
    """MD-06: and the others are read"""
    exchange.floor.news = [an_article(exchange, 1, 5) | terms, an_article(exchange, 2)]
    found = asked(exchange)

    assert texts(found) == [("2", "IBM beats")]
    assert found.unread == 1
    assert reason in found.why_unread


@cases("symbols", None, [], ["KO"])
def test_an_article_without_a_followed_symbol_is_left_out(exchange: LoopbackExchange, symbols: Any) -> None:
    """MD-06"""
    exchange.floor.news = [an_article(exchange, symbols=symbols) | {"updated_at": None}]
    assert (asked(exchange).headlines, asked(exchange).unread) == ((), 0)


@cases(
    "raw shown",
    ("IBM&#39;s &amp; more", "IBM's & more"),
    ("&amp;#39;", "&#39;"),
    ("a\x1b[31mred\x07", "a\ufffd[31mred\ufffd"),
    ("&#27;[2J", "[2J"),
    ("up \u202elatot\u202c down", "up \ufffdlatot\ufffd down"),
    ("&#x202e;gnorts", "\ufffdgnorts"),
    ("one\r\n\ttwo", "one two"),
    ("▲ +5 % · armed │ ✓ ›", "\ufffd +5 % * armed \ufffd \ufffd >"),
    ("<b>bold</b>", "<b>bold</b>"),
    ("zero\u200bwidth", "zero\ufffdwidth"),
)
def test_a_headline_cannot_draw_what_the_desk_draws(exchange: LoopbackExchange, raw: str, shown: str) -> None:
    """SY-06: entities are decoded once, and then sanitised"""
    exchange.floor.news = [an_article(exchange, headline=raw, source=raw)]
    (headline,) = asked(exchange).headlines

    assert (headline.headline, headline.source[:20]) == (shown, shown[:20])


def test_a_very_long_headline_is_cut(exchange: LoopbackExchange) -> None:
    """SY-06"""
    exchange.floor.news = [an_article(exchange, headline="long " * 100_000, source="s" * 1000)]
    (headline,) = asked(exchange).headlines

    assert len(headline.headline) <= 200
    assert headline.headline.endswith("…")
    assert len(headline.source) <= 24


@cases(
    "fault reason",
    ("insufficient", "your plan has news"),
    ("rate-limited", "429"),
    ("html", "502"),
    ("drop", "cannot be reached"),
    ("server-error", "500"),
)
def test_a_failed_question_has_its_reason(exchange: LoopbackExchange, fault: str, reason: str) -> None:
    """MD-06"""
    exchange.make(fault, of="news")
    with pytest.raises(MarketDataError, match=reason):
        asked(exchange)


@cases("news reason", ("soon", "'soon' is no list"), ({"a": 1}, "is no list"))
def test_wrong_json_is_named(exchange: LoopbackExchange, news: Any, reason: str) -> None:
    """MD-06"""
    exchange.floor.news = news
    with pytest.raises(MarketDataError, match=reason):
        asked(exchange)


def test_without_a_network_the_reason_names_the_setting(exchange: LoopbackExchange) -> None:
    """MD-06"""
    source = source_at("http://127.0.0.1:9", exchange)
    with pytest.raises(MarketDataError, match=r"alpaca\.data_url"):
        source.news((IBM,), exchange.clock.now())


class Answers:
    """A source that answers as it is told, and remembers the questions."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[Symbol, ...], datetime]] = []
        self.failure = ""

    def news(self, symbols: Any, start: datetime) -> NewsFound:
        if self.failure:
            raise MarketDataError(self.failure)
        self.asked.append((tuple(symbols), start))
        return NewsFound(tuple(symbols), start, ())


def watching(now: list[datetime]) -> tuple[Answers, NewsWatch]:
    answers = Answers()
    watch = NewsWatch(answers, lambda: now[0], lambda: True, lambda _words: None)
    watch.follow((IBM, Symbol("BTC/USD")))
    return answers, watch


def look(watch: NewsWatch) -> list[NewsArrived]:
    symbols = watch.due()
    return watch.look(symbols) if symbols else []


def test_a_symbol_is_asked_for_once_a_minute(exchange: LoopbackExchange) -> None:
    """MD-06: first of a day, then since the last answer; a new one at once, and what is no share never"""
    now = [exchange.clock.now()]
    answers, watch = watching(now)
    look(watch)
    now[0] += EVERY / 2
    look(watch)
    watch.follow((IBM, XOM))
    look(watch)
    now[0] += EVERY / 2
    look(watch)

    first = now[0] - EVERY
    assert answers.asked == [
        ((IBM,), first - WITHIN),
        ((XOM,), first + EVERY / 2 - WITHIN),
        ((IBM, XOM), first - OVERLAP),
    ]


def test_failures_are_asked_again_ever_later(exchange: LoopbackExchange) -> None:
    """RK-24: and the first answer covers the time between"""
    now = [exchange.clock.now()]
    answers, watch = watching(now)
    look(watch)
    last, pauses = now[0], []
    answers.failure = "away"
    for _ in range(6):
        begun = now[0]
        while not watch.due():
            now[0] += EVERY
        pauses.append(now[0] - begun)
        look(watch)
    answers.failure = ""
    now[0] += LONGEST_PAUSE
    look(watch)

    assert pauses == [EVERY, EVERY, 2 * EVERY, 4 * EVERY, 8 * EVERY, LONGEST_PAUSE]
    assert answers.asked[-1] == ((IBM,), last - OVERLAP)


def test_a_clock_set_back_does_not_end_the_questions(exchange: LoopbackExchange) -> None:
    """EX-23: and nothing is asked for from the future"""
    now = [exchange.clock.now()]
    answers, watch = watching(now)
    look(watch)
    now[0] -= timedelta(hours=3)
    look(watch)

    assert answers.asked[-1] == ((IBM,), now[0] - OVERLAP)


def test_a_live_desk_shows_headlines_and_its_ticket_waits_for_none(exchange: LoopbackExchange) -> None:
    """MD-06, OP-03: fetched by a thread of its own; a source that never answers delays nothing"""
    floor = LiveFloor("10:05:59", a_day())
    over = threading.Event()

    class Hanging(Answers):
        def news(self, symbols: Any, start: datetime) -> NewsFound:
            over.wait()
            return super().news(symbols, start)

    exchange.floor.news = [an_article(exchange, symbols=["SPY"]) | {"created_at": f"{floor.now():%Y-%m-%dT%H:%M:%SZ}"}]
    source = source_at(exchange.data_url, exchange, floor.now)
    watch = NewsWatch(source, floor.now, lambda: True, lambda _words: None)
    with LiveHouse(floor, news=watch) as house:
        view = house.waits(lambda view: view.news.headlines, "headlines")
        assert view.news.headlines[0].headline == "IBM beats"
    hanging = NewsWatch(Hanging(), floor.now, lambda: True, lambda _words: None)
    with LiveHouse(LiveFloor("10:05:59", a_day()), news=hanging) as house:
        try:
            row = house.waits(lambda view: view.proposals, "a proposal").proposals[0]
            house.presses(OpenTicket(row.id))
            house.waits(lambda view: view.tickets, "a ticket")
        finally:
            over.set()
