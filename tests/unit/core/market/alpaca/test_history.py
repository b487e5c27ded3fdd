"""History over real sockets: batches, pages, `null`, a cache, and a server in trouble (MD-04)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from syrupy.assertion import SnapshotAssertion

from core.market.alpaca import history as history_room
from core.market.alpaca.failure import Seen
from core.market.alpaca.minutes import BarCache, hours_of
from core.market.alpaca.requests import PLACE
from core.market.port import MarketDataError
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.bar import ONE_MINUTE, Feed, NoQuote, Quote
from core.model.values import Symbol
from tests.kit.rows import cases
from tests.kit.timeline import Timeline
from tests.unit.core.market.alpaca.morning import QQQ, SPY, a_bar, at, clock_of, every_minute
from tests.unit.core.market.alpaca.server import Answer, Desk, a_row, a_server, eventually, in_thread

pytestmark = pytest.mark.usefixtures("timeline")

QUOTE = {"bp": 100.0, "bs": 3, "ap": 100.01, "as": 1, "t": "2013-10-08T13:59:59.5Z"}


@pytest.fixture
def pauses() -> Iterator[list[float]]:
    """How long was waited between tries; nobody waits in a test."""
    waited: list[float] = []

    def wait(_history: object, seconds: float) -> bool:
        waited.append(seconds)
        return False

    with patch.object(history_room.History, "_leaves_within", wait):
        yield waited


async def the_bars(desk: Desk, first: str, end: str, *symbols: Symbol) -> list[BarArrived | MarketDataBroken]:
    return await in_thread(lambda: desk.data.history(symbols or (SPY,), at(first), at(end)))


def minutes_of(found: list[BarArrived | MarketDataBroken], symbol: Symbol = SPY) -> list[str]:
    return [clock_of(m.bar) for m in found if isinstance(m, BarArrived) and m.bar.symbol == symbol]


async def test_symbols_and_pages_are_merged_by_time() -> None:
    """MD-04"""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        server.page = 7
        server.has_minutes("9:30", "9:49")
        server.has_minutes("9:35", "9:39", "QQQ")

        found = await the_bars(desk, "9:31", "9:45", SPY, QQQ)

        starts = [minute.bar.start for minute in found if isinstance(minute, BarArrived)]
        assert starts == sorted(starts)
        assert minutes_of(found) == every_minute("9:31", "9:44")
        assert minutes_of(found, QQQ) == every_minute("9:35", "9:39")
        assert len(server.bars_asked()) == 3
        assert {asked.question["symbols"] for asked in server.bars_asked()} == {"SPY,QQQ"}
        assert desk.data.counts.requests() == {"GET /v2/stocks/bars": 3}


async def test_only_the_running_hour_is_asked_for_again() -> None:
    """MD-04: a cache by time to live on complete minutes."""
    async with a_server() as server:
        desk = Desk(server, "10:30:00")
        server.has_minutes("9:30", "10:40")

        first = await the_bars(desk, "9:30", "10:20")
        again = await the_bars(desk, "9:30", "10:20")
        desk.now += timedelta(minutes=61)
        later = await the_bars(desk, "9:30", "10:00")

        assert minutes_of(first) == minutes_of(again) == every_minute("9:30", "10:19")
        assert minutes_of(later) == every_minute("9:30", "9:59")
        assert [asked.question["start"][11:16] for asked in server.bars_asked()] == ["13:00", "14:00", "13:00"]


async def test_an_unfinished_minute_is_no_history() -> None:
    """MD-03"""
    async with a_server() as server:
        desk = Desk(server, "9:40:30")
        server.has_minutes("9:30", "9:40")

        found = await the_bars(desk, "9:30", "16:00")

        assert minutes_of(found) == every_minute("9:30", "9:39")


async def test_null_bars_are_counted_and_left_out(pauses: list[float], snapshot: SnapshotAssertion) -> None:
    """MD-03: `null` in place of a list of bars, and in it."""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        good, bad = a_row(at("9:30")), a_row(at("9:31"), c="cheap")
        bars = {"SPY": [good, None, bad], "QQQ": None, "XYZ": [good]}
        server.always = Answer(body={"bars": bars, "next_page_token": None})
        found = await the_bars(desk, "9:30", "9:40", SPY, QQQ)
        server.always = Answer(body={"bars": None, "next_page_token": None})
        nothing = await the_bars(desk, "9:30", "9:40", SPY)

        assert minutes_of(found) == ["09:30"]
        assert [m.reason for m in found if isinstance(m, MarketDataBroken)] == snapshot
        assert nothing == []
        counts = desk.data.counts
        assert len(pauses) == 3
        assert (counts.seen(Seen.EMPTY), counts.seen(Seen.NOT_ASKED_FOR)) == (6, 1)


async def test_numbers_come_from_the_answers_text() -> None:
    """MD-01: never through a float."""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        text = '{"bars":{"SPY":[{"t":"2013-10-08T13:30:00Z","o":1.10,"h":1.2,"l":1.05,"c":1.15,"v":123456.000000001}]}}'
        server.answers.append(Answer(body=text))

        found = await the_bars(desk, "9:30", "9:40")

        assert isinstance(found[0], BarArrived)
        assert found[0].bar.volume == Decimal("123456.000000001")


@cases("number", "1e9999999999999999999", "-1e-9999999999999999999", "many digits", "NaN", "Infinity", "1e400")
async def test_a_number_beyond_measure_spoils_its_bar(number: str, pauses: list[float]) -> None:
    """MD-03: the other bars and symbols of the answer are read"""
    async with a_server() as server:
        desk = Desk(server, "11:00:00", symbols=(SPY, QQQ))
        number = number.replace("many digits", "9" * 5000)
        row = '{"t":"2013-10-08T13:3%d:00Z","o":1.10,"h":1.2,"l":1.05,"c":%s,"v":7}'
        rows = f"{row % (0, number)},{row % (1, '1.15')}"
        server.answers.append(Answer(body='{"bars":{"SPY":[%s],"QQQ":[%s]}}' % (rows, row % (0, "1.15"))))  # noqa: UP031

        found = await in_thread(lambda: desk.data.history((SPY, QQQ), at("9:30"), at("9:40")))

        assert [(m.bar.symbol, m.bar.start) for m in found if isinstance(m, BarArrived)] == [
            (QQQ, at("9:30")),
            (SPY, at("9:31")),
        ]
        assert [m.place for m in found if isinstance(m, MarketDataBroken)] == [PLACE]


async def test_an_answer_without_an_end_is_left(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-04"""
    monkeypatch.setattr("core.io.http_requests.LARGEST_BODY", 1000)
    async with a_server() as server:
        server.always = Answer(body="[" + "0," * 600 + "0]")
        with pytest.raises(MarketDataError):
            await the_bars(Desk(server, "11:00:00"), "9:30", "9:40")


async def test_a_server_in_trouble_is_asked_again(pauses: list[float]) -> None:
    """MD-04: 429 and 5xx with back-off, Retry-After honoured."""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        server.has_minutes("9:30", "9:32")
        server.answers.extend(
            [Answer(429, {"message": "too many"}, {"Retry-After": "9"}), Answer(503), Answer(200, "<html>oh</html>")]
        )

        found = await the_bars(desk, "9:30", "9:40")

        assert minutes_of(found) == every_minute("9:30", "9:32")
        assert pauses == [9.0, 1.0, 2.0]
        assert desk.data.counts.requests() == {"GET /v2/stocks/bars": 4}


@cases(
    "answer requests words",
    (Answer(503), 4, "has an error on its side (503)"),
    (Answer(429), 4, "too many requests"),
    (Answer(200, "<html>"), 4, "sent no JSON"),
    (Answer(200, "[1, 2]"), 4, "which is no record"),
    (Answer(401, {"message": "unauthorized"}), 1, "refused (401 'unauthorized'): check the keys"),
    (Answer(403, "<html>"), 1, "refused (403): check the keys"),
    (Answer(400, {"message": "invalid symbol: X"}), 1, "refused the question (400 'invalid symbol: X')"),
    (Answer(302, "", {"Location": "http://elsewhere"}), 1, "refused the question (302)"),
)
async def test_a_stated_refusal_is_not_asked_again(
    pauses: list[float], answer: Answer, requests: int, words: str
) -> None:
    """MD-04"""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        server.always = answer

        with pytest.raises(MarketDataError) as failure:
            await the_bars(desk, "9:30", "9:40")

        assert words in str(failure.value)
        assert len(server.bars_asked()) == requests == len(pauses) + 1


async def test_closing_ends_the_pause(timeline: Timeline) -> None:
    """MD-04"""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        server.always = Answer(503, headers={"Retry-After": "25"})
        asking = asyncio.ensure_future(the_bars(desk, "9:30", "9:40"))
        await eventually(lambda: bool(server.bars_asked()))

        desk.data.close()

        begun = timeline.now()
        with pytest.raises(MarketDataError, match="has an error on its side"):
            await asking
        assert len(server.bars_asked()) == 1
        assert timeline.now() - begun < timedelta(seconds=10)


async def test_a_hanging_server_costs_its_timeout(pauses: list[float]) -> None:
    """MD-04: time-outs on every request."""
    async with a_server() as server:
        desk = Desk(server, "11:00:00", read_seconds=0.2)
        server.always = Answer(hangs=3)

        with pytest.raises(MarketDataError, match="did not answer in time"):
            await the_bars(desk, "9:30", "9:40")

        assert len(pauses) == 3


async def test_nobody_there_is_said_with_what_to_check(pauses: list[float]) -> None:
    """MD-04"""
    async with a_server() as server:
        server.http_url = "http://127.0.0.1:1"
        desk = Desk(server, "11:00:00")

        with pytest.raises(MarketDataError, match=r"cannot be reached .* check the network"):
            await the_bars(desk, "9:30", "9:40")

        assert len(pauses) == 3


async def test_endless_pages_are_not_followed() -> None:
    """MD-04"""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        server.always = Answer(body={"bars": {}, "next_page_token": "again"})

        with pytest.raises(MarketDataError, match="the same next page twice"):
            await the_bars(desk, "9:30", "9:40")


async def test_symbols_are_asked_for_in_batches() -> None:
    """MD-04"""
    async with a_server() as server:
        desk = Desk(server, "11:00:00")
        symbols = [Symbol(f"S{n}") for n in range(250)]
        server.always = Answer(body={"bars": {}, "next_page_token": None}, hangs=0.3)

        assert await the_bars(desk, "9:30", "9:40", *symbols) == []

        asked = [len(asked.question["symbols"].split(",")) for asked in server.bars_asked()]
        assert sorted(asked) == [50, 100, 100]
        assert server.at_once > 1


async def test_the_latest_quote_names_its_feed() -> None:
    """OP-03"""
    async with a_server() as server:
        desk = Desk(server, "10:00:00")
        server.quotes = {"SPY": QUOTE}

        quote = await in_thread(lambda: desk.data.quote(SPY))

        assert isinstance(quote, Quote)
        assert (str(quote.bid), str(quote.ask), quote.bid_size, quote.feed) == ("100.00", "100.01", 3, Feed.IEX)
        assert quote.age(desk.now) == timedelta(seconds=0.5)


@cases(
    "answer reason",
    (Answer(body={"quotes": {}}), "Alpaca has no quote of SPY"),
    (Answer(body={"quotes": None}), "Alpaca has no quote of SPY"),
    (Answer(body={"quotes": {"SPY": None}}), "Alpaca has no quote of SPY"),
    (Answer(body={"quotes": {"SPY": QUOTE | {"bp": 0}}}), "SPY: bid 0.0000, ask 100.01 make no market"),
    (Answer(body={"quotes": {"SPY": QUOTE | {"bp": 101}}}), "SPY: bid 101.00, ask 100.01 make no market"),
    (Answer(body='{"quotes":{"SPY":{"bp":1e9999999999999999999}}}'), "SPY quote: t, its time, is missing"),
    (Answer(body={"quotes": {"SPY": QUOTE | {"t": None}}}), "SPY quote: t, its time, is missing"),
    (Answer(503), "has an error on its side"),
    (Answer(hangs=3), "did not answer in time"),
)
async def test_a_missing_quote_has_its_reason(answer: Answer, reason: str) -> None:
    """OP-03: it never raises."""
    async with a_server() as server:
        desk = Desk(server, "10:00:00", read_seconds=0.4)
        server.always = answer

        quote = await in_thread(lambda: desk.data.quote(SPY))

        assert isinstance(quote, NoQuote)
        assert reason in quote.reason
        assert len(server.asked) == 1


def test_the_cache_drops_its_oldest_hours() -> None:
    """MD-04"""
    cache = BarCache(most=2)
    now = at("12:00:30")
    bars = [a_bar(at("9:00") + ONE_MINUTE * n) for n in range(180)]

    cache.keep(SPY, at("9:00"), at("12:00"), bars, now)

    assert cache.missing(SPY, at("9:30"), at("12:00"), now) == (at("9:00"), at("10:00"))
    assert cache.missing(SPY, at("10:30"), at("12:00"), now) is None
    assert len(cache.bars(SPY, at("10:30"), at("12:00"), now)) == 90
    assert cache.missing(QQQ, at("11:10"), at("11:20"), now) == (at("11:00"), at("11:20"))


def test_an_hour_is_kept_once_it_has_settled() -> None:
    """MD-04"""
    cache = BarCache()

    cache.keep(SPY, at("10:00"), at("11:00"), [], at("11:00:02"))
    too_soon = cache.missing(SPY, at("10:00"), at("11:00"), at("11:00:02"))
    cache.keep(SPY, at("10:00"), at("11:00"), [], at("11:00:03"))

    assert too_soon == (at("10:00"), at("11:00"))
    assert cache.missing(SPY, at("10:00"), at("11:00"), at("11:00:04")) is None
    assert hours_of(at("10:10"), at("10:10")) == []
