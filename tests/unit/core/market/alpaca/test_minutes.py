"""Late, revised, repeated and early bars (MD-03), and quotes that are none."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.market.alpaca.failure import Counts, Seen, asked_for, pause
from core.market.alpaca.minutes import Minutes, Quotes, quote_of
from core.messages.inputs import MarketDataBroken, QuoteArrived
from core.model.bar import Feed, NoQuote, Quote
from core.model.values import Price, Quantity, Symbol
from tests.unit.core.market.alpaca.morning import SPY, a_bar, at, clocks


def some_minutes(**known: str) -> tuple[Minutes, Counts]:
    counts = Counts()
    return Minutes({Symbol(symbol): at(clock) for symbol, clock in known.items()}, counts), counts


def test_a_repeated_bar_is_left_out(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    minutes, counts = some_minutes()
    first = minutes.push(a_bar("10:00"), at("10:01"))

    again = minutes.push(a_bar("10:00"), at("10:01:02"))

    assert clocks(first) == ["10:00"]
    assert clocks(again) == snapshot
    assert counts.seen(Seen.REPEATED) == 1


def test_a_revised_bar_leaves_the_first(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    minutes, counts = some_minutes()
    minutes.push(a_bar("10:00"), at("10:01"))
    minutes.push(a_bar("10:01"), at("10:02"))

    revised = minutes.push(a_bar("10:00", close="100.7"), at("10:02:30"))

    assert clocks(revised) == snapshot
    assert counts.seen(Seen.REVISED) == 1


def test_a_late_bar_is_reported_once(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    minutes, counts = some_minutes()
    minutes.push(a_bar("9:59"), at("10:00"))
    minutes.push(a_bar("10:01"), at("10:02"))

    late = minutes.push(a_bar("10:00"), at("10:02:01"))
    found_too = minutes.asked([a_bar("9:59"), a_bar("10:00"), a_bar("10:01")], at("10:03"))

    assert clocks(late) == snapshot
    assert found_too == []
    assert counts.seen(Seen.LATE) == 1


def test_the_streams_copy_of_a_polled_bar_is_expected() -> None:
    """MD-02: a stream that returns may bring its backlog; that is no oddity."""
    minutes, counts = some_minutes()
    minutes.asked([a_bar("10:00"), a_bar("10:01"), a_bar("10:02")], at("10:03"))

    backlog = [minutes.push(a_bar(clock), at("10:03:30")) for clock in ("10:00", "10:01", "10:02")]

    assert backlog == [[], [], []]
    assert counts.seen(Seen.REPEATED) == 3
    assert counts.seen(Seen.LATE) == 0


def test_a_bar_of_an_unfinished_minute_waits() -> None:
    """MD-03: this machine's clock lags; no strategy sees a minute that is not over."""
    minutes, counts = some_minutes()

    early = minutes.push(a_bar("10:00"), at("10:00:57"))

    assert early == []
    assert minutes.due() == at("10:01")
    assert minutes.release(at("10:00:59")) == []
    assert clocks(minutes.release(at("10:01"))) == ["10:00"]
    assert counts.seen(Seen.AHEAD) == 1


def test_a_bar_from_far_ahead_is_refused(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    minutes, _ = some_minutes()

    told = minutes.push(a_bar("10:05"), at("10:01"))

    assert clocks(told) == snapshot


def test_an_unreadable_bar_is_reported_once() -> None:
    """MD-03"""
    minutes, counts = some_minutes()
    broken = MarketDataBroken("Alpaca's history", "SPY bar: c is missing")

    told = [minutes.asked([broken], at("10:03")), minutes.asked([broken], at("10:03"))]

    assert told == [[broken], []]
    assert counts.seen(Seen.BROKEN) == 1


def test_waiting_bars_follow_the_filled_gap() -> None:
    """MD-02"""
    minutes, _ = some_minutes(SPY="9:59")
    minutes.begin_fill(at("10:03"))
    assert minutes.push(a_bar("10:02"), at("10:03:01")) == []

    told = minutes.end_fill(at("10:03:02"), [a_bar("9:58"), a_bar("10:00"), a_bar("10:01")])

    assert clocks(told) == ["10:00", "10:01", "10:02"]
    assert clocks(minutes.push(a_bar("10:03"), at("10:04"))) == ["10:03"]


def raw_quote(clock: str, bid: object = 100.0, ask: object = 100.01) -> dict[str, object]:
    return {"bp": bid, "bs": 1, "ap": ask, "as": 1, "t": at(clock)}


def test_of_many_quotes_the_newest_goes_on() -> None:
    """MD-01: quotes are conflated by symbol."""
    quotes = Quotes(Feed.IEX, counts := Counts())
    firsts = [quotes.put(SPY, raw_quote("10:00:01", bid=90 + n)) for n in range(10)]

    told = quotes.take(at("10:00:02"))

    assert firsts == [True] + [False] * 9
    assert [sighting.quote.bid for sighting in told if isinstance(sighting, QuoteArrived)] == [99]
    assert counts.seen(Seen.CONFLATED) == 9


def test_a_crossed_quote_goes_on_once() -> None:
    """MD-03: the normaliser says what is wrong; a thousand more in the same second say nothing new."""
    quotes = Quotes(Feed.IEX, counts := Counts())
    told = []
    for second, (bid, ask) in enumerate([(100.02, 100.01), (0, 100.01), (100.02, 0), (100, 100.01), (101, 100)]):
        quotes.put(SPY, raw_quote(f"10:00:0{second}", bid, ask))
        told.append(len(quotes.take(at("10:00:09"))))

    assert told == [1, 0, 0, 1, 1]
    assert counts.seen(Seen.BAD_QUOTES) == 4


def test_an_older_quote_never_follows_a_newer() -> None:
    """MD-02"""
    quotes = Quotes(Feed.IEX, Counts())
    quotes.put(SPY, raw_quote("10:00:05"))
    quotes.take(at("10:00:06"))

    assert quotes.found([a_quote("10:00:04")], at("10:00:07")) == []


def test_a_quote_slightly_ahead_is_one_of_now() -> None:
    """MD-03: this machine's clock may lag by two seconds; more is the normaliser's to refuse."""
    quotes = Quotes(Feed.IEX, counts := Counts())

    near = quotes.found([a_quote("10:00:05")], at("10:00:04"))
    far = quotes.found([a_quote("10:00:09")], at("10:00:05"))

    assert [q.quote.at for q in near + far if isinstance(q, QuoteArrived)] == [at("10:00:04"), at("10:00:09")]
    assert counts.seen(Seen.AHEAD) == 2


def test_a_quote_of_the_future_is_no_quote_of_a_ticket() -> None:
    """OP-03, RK-17: by its age it would be the freshest of all."""
    asked = [quote_of([a_quote(clock)], SPY, at("10:00:05")) for clock in ("10:00:05", "10:00:06", "10:00:09")]

    assert [quote.at for quote in asked if isinstance(quote, Quote)] == [at("10:00:05")] * 2
    assert isinstance(asked[2], NoQuote)


def a_quote(clock: str) -> QuoteArrived:
    one = Quantity(Decimal(1))
    return QuoteArrived(Quote(SPY, at(clock), Price(Decimal(100)), one, Price(Decimal(101)), one, Feed.IEX))


def test_pauses_double_up_to_their_limit() -> None:
    """MD-04"""
    assert [pause(tries, 1.0).total_seconds() for tries in (1, 2, 3, 4, 5, 6, 7, 10**9)] == [
        1, 2, 4, 8, 16, 30, 30, 30,
    ]  # fmt: skip
    assert pause(3, 0.0) == timedelta(seconds=2)


def test_a_retry_after_is_obeyed_within_reason() -> None:
    """MD-04"""
    assert asked_for("7") == timedelta(seconds=7)
    assert asked_for("99999999999999999999") == timedelta(seconds=30)
    for header in (None, "", "soon", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", "²"):
        assert asked_for(header) is None, header
