"""What the market will say, in the order in which it is said."""

from __future__ import annotations

from pathlib import Path

from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.bar import Bar
from core.model.session import Session
from core.runtime.demo_market import CALM, LIVELY, DemoMarket
from core.runtime.feed import BAR, BROKEN, QUOTE, bar_item, bars_of_file, last_heard, merged, quote_item, quotes_of_file
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, NewYorkHours, a_bar, a_quote, at

HEADER = "timestamp,open,high,low,close,volume"
FIRST = "2026-11-19T15:00:00Z,100,101,99,100.5,1000"
SECOND = "2026-11-19T15:01:00Z,100.5,101,100,100.75,900"
BAD = "2026-11-19T15:00:30Z,abc,101,99,100.5,1000"


def a_file(folder: Path, *lines: str, name: str = "SPY.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_feeds_are_merged_by_time() -> None:
    """MD-05"""
    bars = [bar_item(BarArrived(a_bar(clock, "100"), "")) for clock in ("10:00", "10:01")]
    other = [bar_item(BarArrived(a_bar("10:00", "50", symbol=IBM), ""))]
    quotes = [quote_item(QuoteArrived(a_quote(clock, "99", "101"))) for clock in ("10:00", "10:00:30")]

    order = [(when, kind) for when, kind, _ in merged([quotes, bars, other])]

    assert order == [
        (at("10:00"), BAR),
        (at("10:00"), BAR),
        (at("10:00"), QUOTE),
        (at("10:00:30"), QUOTE),
        (at("10:01"), BAR),
    ]


def test_ties_go_to_the_first_feed() -> None:
    """MD-05"""
    spy = [bar_item(BarArrived(a_bar("10:00", "100"), "spy"))]
    ibm = [bar_item(BarArrived(a_bar("10:00", "50", symbol=IBM), "ibm"))]

    assert [m.place for _, _, m in merged([spy, ibm])] == ["spy", "ibm"]  # type: ignore[union-attr]
    assert [m.place for _, _, m in merged([ibm, spy])] == ["ibm", "spy"]  # type: ignore[union-attr]


def test_a_bar_of_a_file_knows_its_line(tmp_path: Path) -> None:
    """MD-03"""
    path = a_file(tmp_path, HEADER, FIRST, SECOND)

    feed = bars_of_file(path, SPY)

    assert [when for when, _, _ in feed] == [at("10:00"), at("10:01")]
    places = [m.place for _, _, m in feed if isinstance(m, BarArrived)]
    assert [place.rsplit(":", 1)[1] for place in places] == ["2", "3"]


def test_a_broken_row_is_told_in_its_place(tmp_path: Path) -> None:
    """MD-03"""
    path = a_file(tmp_path, HEADER, BAD, FIRST, BAD.replace("15:00:30", "15:00:40"), SECOND)

    feed = bars_of_file(path, SPY)

    assert [(when, kind) for when, kind, _ in feed] == [
        (at("10:00"), BROKEN),
        (at("10:00"), BAR),
        (at("10:01"), BROKEN),
        (at("10:01"), BAR),
    ]
    assert isinstance(feed[0][2], MarketDataBroken)
    assert feed[0][2].place.endswith(":2")


def test_a_broken_last_row_is_told_too(tmp_path: Path) -> None:
    """MD-03"""
    path = a_file(tmp_path, HEADER, FIRST, BAD)

    assert [kind for _, kind, _ in bars_of_file(path, SPY)] == [BAR, BROKEN]


def test_a_feed_gives_each_row_by_its_number(tmp_path: Path) -> None:
    """MD-03"""
    path = a_file(tmp_path, HEADER, BAD, FIRST, BAD, BAD, SECOND, BAD)

    feed = bars_of_file(path, SPY)

    assert [feed[number] for number in range(len(feed))] == [*feed]
    assert feed[-1] == [*feed][-1]
    assert [*feed] == [*feed]
    assert last_heard([feed]) == at("10:02")


def test_quotes_come_from_a_file_too(tmp_path: Path) -> None:
    """MD-05"""
    path = a_file(
        tmp_path,
        "timestamp,bid_close,bid_size,ask_close,ask_size",
        "2026-11-19T15:00:00Z,99.99,3,100.01,5",
        name="SPY_quotes.csv",
    )

    ((when, kind, message),) = quotes_of_file(path, SPY)

    assert (kind, when) == (QUOTE, at("10:01"))
    assert isinstance(message, QuoteArrived)


@table("seeded", CALM, LIVELY)
def test_a_seeded_market_is_reproducible(seeded: DemoMarket) -> None:
    """MD-05"""
    session = NewYorkHours().session_on(THURSDAY)
    assert isinstance(session, Session)

    def market(seed: int) -> list[Bar]:
        return [m.bar for _, _, m in seeded.feed(seed, SPY, [session]) if isinstance(m, BarArrived)]

    assert market(7) == market(7)
    assert market(7) != market(8)
    assert len(market(7)) == 390
