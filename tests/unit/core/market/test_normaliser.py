"""Which bars and quotes a strategy may see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from pydantic import TypeAdapter
from syrupy.assertion import SnapshotAssertion

from core.facts import MarketDataQuarantined
from core.market.calendar import ExchangeCalendar
from core.market.normaliser import COMPLETE, MarketState, Normaliser, Outside, Quarantined
from core.model.bar import Bar, Feed, Quote
from core.model.session import Session
from core.model.values import Price, Quantity, Symbol
from tests.kit.rows import table

SPY = Symbol("SPY")
TUESDAY = Session(
    date(2013, 10, 8), datetime(2013, 10, 8, 13, 30, tzinfo=UTC), datetime(2013, 10, 8, 20, 0, tzinfo=UTC)
)
WEDNESDAY = Session(
    date(2013, 10, 9), datetime(2013, 10, 9, 13, 30, tzinfo=UTC), datetime(2013, 10, 9, 20, 0, tzinfo=UTC)
)
TEN = datetime(2013, 10, 8, 14, 0, tzinfo=UTC)
LATER = TEN + timedelta(days=3)


def a_normaliser() -> Normaliser:
    return Normaliser(ExchangeCalendar(date(2013, 10, 8), date(2013, 10, 12), [TUESDAY, WEDNESDAY], {}))


def a_bar(start: datetime = TEN, symbol: str = "SPY", **figures: str) -> Bar:
    texts = {"open": "100", "high": "101", "low": "99", "close": "100.5", "volume": "5000"} | figures
    numbers = {name: Decimal(text) for name, text in texts.items()}
    return Bar(
        Symbol(symbol), start, Price(numbers["open"]), Price(numbers["high"]), Price(numbers["low"]),
        Price(numbers["close"]), Quantity(numbers["volume"]),
    )  # fmt: skip


def a_quote(bid: str, ask: str, at: datetime = TEN) -> Quote:
    one = Quantity(Decimal(1))
    return Quote(SPY, at, Price(Decimal(bid)), one, Price(Decimal(ask)), one, Feed.RECORDED)


def test_a_finished_regular_minute_is_complete() -> None:
    """MD-03"""
    normaliser = a_normaliser()

    assert normaliser.judge(a_bar(), TEN + timedelta(minutes=1)) is COMPLETE
    assert normaliser.judge(a_bar(TUESDAY.open), LATER) is COMPLETE
    assert normaliser.judge(a_bar(TUESDAY.close - timedelta(minutes=1)), LATER) is COMPLETE
    assert normaliser.judge(a_bar(WEDNESDAY.open), LATER) is COMPLETE


def test_an_unfinished_minute_is_quarantined(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    judgement = a_normaliser().judge(a_bar(), TEN + timedelta(seconds=59))

    assert judgement == Quarantined(snapshot)


def test_a_known_session_has_the_same_edges() -> None:
    """MD-03: the quick way through the judgement asks no calendar."""
    normaliser = a_normaliser()
    assert normaliser.judge(a_bar(TUESDAY.open), LATER) is COMPLETE

    unfinished = normaliser.judge(a_bar(), TEN + timedelta(seconds=59))
    at_the_close = normaliser.judge(a_bar(TUESDAY.close), LATER)

    assert isinstance(unfinished, Quarantined)
    assert at_the_close == Outside("after the close")


@table(
    "start reason",
    (TUESDAY.open - timedelta(minutes=1), "before the open"),
    (TUESDAY.close, "after the close"),
    (datetime(2013, 10, 12, 15, tzinfo=UTC), "weekend"),
)
def test_extended_hours_are_counted_apart(start: datetime, reason: str) -> None:
    """ST-02, MD-03"""
    normaliser = a_normaliser()

    assert normaliser.judge(a_bar(start), LATER + timedelta(days=9)) == Outside(reason)
    assert normaliser.outside == 1
    assert normaliser.state == MarketState()


@table("warm", False, True)
@table(
    "bar reason",
    (a_bar(TEN + timedelta(seconds=30)), "starts at 10:00:30.000000 New York, not on a whole minute"),
    (a_bar(TEN.replace(microsecond=1)), "starts at 10:00:00.000001 New York, not on a whole minute"),
    (a_bar(TEN.replace(tzinfo=None)), "its time has no zone"),
    (a_bar(TEN.replace(year=2031)), "2031-10-08 is outside of the loaded calendar"),
    (a_bar(low="0"), "low 0 is not above zero"),
    (a_bar(low="-1"), "low -1 is not above zero"),
    (a_bar(high="98", open="99", close="99"), "high 98 is under low 99"),
    (a_bar(open="102"), "open 102 is not within 99 to 101"),
    (a_bar(close="98"), "close 98 is not within 99 to 101"),
    (a_bar(close="NaN"), "a figure is not a number"),
    (a_bar(volume="NaN"), "a figure is not a number"),
    (a_bar(high="Infinity"), "high Infinity is too high"),
    (a_bar(volume="-1"), "volume -1 is negative"),
)
def test_an_impossible_bar_is_quarantined(bar: Bar, reason: str, *, warm: bool) -> None:
    """MD-03"""
    normaliser = a_normaliser()
    if warm:
        assert normaliser.judge(a_bar(TUESDAY.open), LATER) is COMPLETE

    judgement = normaliser.judge(bar, LATER)

    assert isinstance(judgement, Quarantined)
    assert reason in judgement.reason


def test_a_repeated_minute_reaches_strategies_once(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    normaliser = a_normaliser()
    normaliser.fold(a_bar())

    again = normaliser.judge(a_bar(), LATER)
    revised = normaliser.judge(a_bar(close="99.5"), LATER)
    late = normaliser.judge(a_bar(TEN - timedelta(minutes=1)), LATER)

    assert again == revised == Quarantined(snapshot)
    assert late == Quarantined(snapshot)
    assert normaliser.judge(a_bar(TEN + timedelta(minutes=2)), LATER) is COMPLETE


def test_each_symbol_has_its_own_last_bar() -> None:
    """MD-03"""
    normaliser = a_normaliser()
    normaliser.fold(a_bar(TEN + timedelta(minutes=5)))

    assert normaliser.judge(a_bar(symbol="BAC"), LATER) is COMPLETE


def test_a_judgement_alone_changes_no_state() -> None:
    """SP-03: only what is recorded may change it."""
    normaliser = a_normaliser()

    assert normaliser.judge(a_bar(), LATER) is normaliser.judge(a_bar(), LATER)
    assert normaliser.state == MarketState()


def test_the_state_round_trips() -> None:
    """SP-02"""
    normaliser = a_normaliser()
    normaliser.fold(a_bar())
    normaliser.folds[MarketDataQuarantined](LATER, MarketDataQuarantined("test", "broken"))
    adapter = TypeAdapter(MarketState)

    restored = adapter.validate_json(adapter.dump_json(normaliser.state))

    assert restored == MarketState({SPY: TEN}, complete=1, quarantined=1)
    assert isinstance(Normaliser(normaliser.calendar, restored).judge(a_bar(), LATER), Quarantined)


@table(
    "bid ask reason",
    ("101", "100", "crossed: bid 101 over ask 100"),
    ("0", "100", "not above zero"),
    ("NaN", "100", "a figure is not a number"),
)
def test_an_untradable_quote_is_quarantined(bid: str, ask: str, reason: str) -> None:
    """MD-03"""
    judgement = a_normaliser().judge_quote(a_quote(bid, ask), TEN)

    assert isinstance(judgement, Quarantined)
    assert reason in judgement.reason


def test_a_locked_quote_passes(snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    normaliser = a_normaliser()
    sound = a_quote("100", "100.01")

    assert normaliser.judge_quote(sound, TEN) is COMPLETE
    assert normaliser.judge_quote(replace(sound, ask=sound.bid), TEN) is COMPLETE
    assert normaliser.judge_quote(sound, TEN - timedelta(seconds=2)) == Quarantined(snapshot)
