"""What the bars say of a symbol's moves: its average range, and how it moves with another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import correlation as by_the_library

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.facts import BarClosed, DayStarted, RiskThrottled
from core.model.bar import Bar
from core.model.session import XNYS
from core.model.signal import ExitReason
from core.model.sizing import UNKNOWN, MarketMeasure, Regime, Trend, VixLevel, VixReading, Volatility
from core.model.sizing_terms import USUAL
from core.model.values import Fraction, Money, Price
from core.risk.protections.closed_trades import ClosedTrade, Direction
from core.risk.sizing import Edge, Likeness, WantedEntry, binding_cuts, correlation
from core.risk.sizing_history import KEPT_TRADES, Ranges, SizingBook, sizing_terms
from core.settings.risk import SizingSettings, TrendSettings, VixSettings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, a_bar, at

OVER = 14
WEDNESDAY = date(2026, 11, 18)


def clock(minute: int) -> str:
    return f"{9 + (30 + minute) // 60:02d}:{(30 + minute) % 60:02d}"


def after(*bars: str, day: date = THURSDAY) -> Ranges:
    ranges = Ranges(XNYS.day_of)
    for minute, prices in enumerate(bars):
        ranges.take(a_bar(clock(minute), prices, day=day), OVER)
    return ranges


def test_atr_needs_fourteen_bars() -> None:
    """RK-10"""
    bar = "100 100.10 99.90 100"

    assert after(*[bar] * 13).atr(SPY, OVER) is None
    assert after(*[bar] * 14).atr(SPY, OVER) == Decimal("0.20")
    assert after(*[bar] * 14).atr(IBM, OVER) is None


def test_a_gap_is_part_of_the_range() -> None:
    """RK-10: the fifteenth opens a dollar higher; Wilder's average takes a fourteenth of what is new"""
    ranges = after(*["100 100.10 99.90 100"] * 14, "101 101.10 101 101.10")

    assert ranges.atr(SPY, OVER) == Decimal("0.20") + (Decimal("1.10") - Decimal("0.20")) / 14


def test_the_overnight_gap_counts_in_the_first_minute() -> None:
    """RK-10: a market that opens 20 dollars away moves that far, and a size at the open is made for it"""
    ranges = after(*["100 100.10 99.90 100"] * 14)

    ranges.take(a_bar("09:30", "120 120.10 119.90 120", day=THURSDAY + timedelta(days=1)), OVER)

    assert ranges.atr(SPY, OVER) == Decimal("0.20") + (Decimal("20.10") - Decimal("0.20")) / 14


def test_a_gap_of_weeks_is_no_minutes_range() -> None:
    """RK-10: no night is that long; the symbol was not followed"""
    ranges = after(*["100 100.10 99.90 100"] * 14)

    ranges.take(a_bar("09:30", "120 120.10 119.90 120", day=THURSDAY + timedelta(days=14)), OVER)

    assert ranges.atr(SPY, OVER) == Decimal("0.20")


BARS = st.lists(
    st.tuples(st.integers(9_000, 11_000), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=24)
@given(BARS)
def test_incremental_atr_equals_a_rescan(bars: Sequence[tuple[int, int, int, int]]) -> None:
    """RK-10: the first fourteen plainly, then a fourteenth of each new one"""
    rows = [
        (Decimal(low + max(up, part)) / 100, Decimal(low) / 100, Decimal(low + min(part, up)) / 100)
        for low, up, part, _ in bars
    ]
    ranges = after(*[f"{close} {high} {low} {close}" for high, low, close in rows])

    true = [rows[0][0] - rows[0][1]]
    for (_, _, before), (high, low, _) in pairwise(rows):
        true.append(max(high, before) - min(low, before))
    expected = sum(true[:OVER], Decimal(0)) / min(len(true), OVER)
    for one in true[OVER:]:
        expected = (expected * (OVER - 1) + one) / OVER
    found = ranges.atr(SPY, OVER)
    if len(true) < OVER:
        assert found is None
    else:
        assert found is not None
        assert abs(found - expected) < Decimal("1E-20")


RETURNS = st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=3, max_size=60)


@settings(max_examples=24)
@given(RETURNS)
def test_correlation_is_pearsons(pairs: list[tuple[int, int]]) -> None:
    """RK-16: Pearson's, as the standard library has it"""
    first, second = ([Decimal(pair[n]) / 10_000 for pair in pairs] for n in (0, 1))
    assume(len(set(first)) > 1 and len(set(second)) > 1)

    found = correlation(first, second)

    assert found is not None
    assert float(found) == pytest.approx(
        by_the_library([float(x) for x in first], [float(y) for y in second]), abs=1e-6
    )


def test_no_movement_has_no_correlation() -> None:
    """RK-16"""
    assert correlation([Decimal(0)] * 3, [Decimal(1), Decimal(2), Decimal(3)]) is None
    assert correlation([], []) is None
    with pytest.raises(ValueError, match="3 returns beside 2"):
        correlation([Decimal(1)] * 3, [Decimal(1)] * 2)


def hears(book: SizingBook, bar: Bar) -> None:
    book.folds[BarClosed](bar.end, BarClosed(bar))


def a_book_of_days(
    closes: Sequence[tuple[str, str]], *, left_out: int | None = None, settings: SizingSettings | None = None
) -> SizingBook:
    """SPY and IBM, a bar a day each; on the day `left_out` IBM did not trade."""
    book = SizingBook(lambda: settings or SizingSettings())
    for number, (spy, ibm) in enumerate(closes):
        day = date(2026, 1, 1) + timedelta(days=number)
        hears(book, a_bar("10:00", spy, day=day))
        if number != left_out:
            hears(book, a_bar("10:00", ibm, symbol=IBM, day=day))
    return book


def likeness(book: SizingBook, *, is_long: bool = True) -> Likeness:
    conditions = book.conditions(SPY, "vwap", held=[(SPY, True), (IBM, is_long)], equity=None, open_losses=Decimal(0))
    (found,) = conditions.held
    return found


UP_AND_DOWN = [(str(100 + n % 3), str(50 + n % 3)) for n in range(22)]


def test_common_closes_make_the_correlation() -> None:
    """RK-16: twenty-two days have twenty-one closes, and those twenty returns; its own symbol is no other's"""
    assert likeness(a_book_of_days(UP_AND_DOWN[:21])) == Likeness(IBM, True, None, 19)
    found = likeness(a_book_of_days(UP_AND_DOWN))
    assert found.days == 20
    assert found.correlation is not None
    assert found.correlation > Decimal("0.99")


def test_conditions_are_cached_for_a_day() -> None:
    """SY-01: a picture has it for each symbol, and a desk is told only what changed."""
    book = a_book_of_days(UP_AND_DOWN)

    def held(is_long: bool) -> tuple[Likeness, ...]:
        return book.conditions(SPY, "vwap", held=[(IBM, is_long)], equity=None, open_losses=Decimal(0)).held

    before = held(True)
    assert held(True) is before
    assert held(False) != before
    hears(book, a_bar("10:00", "101", day=date(2027, 1, 4)))
    hears(book, a_bar("10:00", "51", symbol=IBM, day=date(2027, 1, 4)))
    assert held(True) != before
    assert held(True)[0].days == before[0].days


def test_a_correlation_is_of_as_many_days_as_the_setting_says() -> None:
    """RK-16: two symbols that moved apart for thirty days move together for the last twenty."""
    moves = [1, -1, 2, -2] * 5
    apart = [(100 + 3 * n % 7, 50 - 3 * n % 7) for n in range(30)]
    together = [(200 + sum(moves[:n]), 100 + sum(moves[:n]) / 2) for n in range(21)]
    closes = [(str(spy), str(ibm)) for spy, ibm in (*apart, *together, (0.5, 0.5))]

    found = likeness(a_book_of_days(closes))

    returns = [[after / before - 1 for before, after in pairwise(its)] for its in zip(*together, strict=True)]
    assert found.days == 20
    assert float(found.correlation or 0) == pytest.approx(by_the_library(*returns), abs=1e-9)
    wider = SizingSettings.model_validate({"correlation": {"days": 40}})
    of_forty = likeness(a_book_of_days(closes, settings=wider))
    assert (of_forty.days, of_forty.correlation != found.correlation) == (40, True)


def test_a_day_missing_in_one_is_left_out_of_both() -> None:
    """RK-16: else every later return would stand beside another day's"""
    closes = [(str(100 + n * n % 7), str(50 + n * n % 7)) for n in range(23)]

    found = likeness(a_book_of_days(closes, left_out=9))

    assert found.days == 20
    assert found.correlation is not None
    assert found.correlation > Decimal("0.99")


def test_a_still_symbol_correlates_with_none() -> None:
    """RK-16"""
    assert likeness(a_book_of_days([(str(100 + n % 3), "50") for n in range(22)])).correlation == 0


def a_trade(ratio: str, strategy: str = "vwap") -> ClosedTrade:
    return ClosedTrade(
        symbol=SPY, direction=Direction.LONG, opened_at=at("10:00"), closed_at=at("10:30"),
        ratio=Fraction(Decimal(ratio)), exit_reason=ExitReason.MANUAL, strategy=strategy,
    )  # fmt: skip


def edge(book: SizingBook, strategy: str) -> Edge:
    return book.conditions(SPY, strategy, held=(), equity=None, open_losses=Decimal(0)).edge


def test_an_edge_is_of_the_newest_trades() -> None:
    """RK-10"""
    book = SizingBook()
    book.take(a_trade("0.5"))
    for ratio in ["0.02", "-0.01"] * (KEPT_TRADES // 2):
        book.take(a_trade(ratio))
    book.take(a_trade("0.03", "manual"))

    assert edge(book, "vwap") == Edge(100, 50, Decimal("1.00"), Decimal("0.50"))
    assert edge(book, "manual") == Edge(1, 1, Decimal("0.03"), Decimal(0))
    assert edge(book, "other") == Edge()


def measured(level: VixLevel | None) -> Regime:
    """The VIX of Wednesday's close; None is one that nobody measured."""
    if level is None:
        return UNKNOWN
    return replace(UNKNOWN, vix=VixReading(Decimal("23.40"), WEDNESDAY, level))


def test_the_usual_terms_are_the_defaults_of_the_settings() -> None:
    """RK-10"""
    assert sizing_terms(SizingSettings()) == USUAL


VIX_TERMS = {
    "as usual": VixSettings(),
    "off": VixSettings(enabled=False),
    "cuts a high one alone": VixSettings(elevated=Decimal(1)),
}


@table("terms", *VIX_TERMS.values())
@table("level", *VixLevel, None)
@table("factor", "1", "0.5", "0.25")
def test_a_calm_book_lowers_nothing(terms: VixSettings, level: VixLevel | None, factor: str) -> None:
    """RK-10, RK-11: with nothing held, what it says at once is what the terms say one by one"""
    book = SizingBook(lambda: SizingSettings(vix=terms), lambda: measured(level))
    book.losses.folds[DayStarted](at("09:30"), DayStarted(THURSDAY, Money(Decimal(200))))  # type: ignore[operator]
    book.losses.folds[RiskThrottled](at("10:00"), RiskThrottled(Fraction(Decimal(factor)), "lost"))  # type: ignore[operator]
    conditions = book.conditions(SPY, "vwap", held=(), equity=Decimal(200), open_losses=Decimal(0))
    wanted = WantedEntry(Money(Decimal(1)), Price(Decimal(100)), Decimal(1), Money(Decimal(50)), Decimal(1))

    assert book.is_calm is (binding_cuts(wanted, conditions) == ())


@table("trend", *Trend, None)
@table("volatility", *Volatility, None)
@table("terms", TrendSettings(), TrendSettings(enabled=True), TrendSettings(enabled=True, against=Decimal(1)))
def test_a_calm_book_cuts_neither_direction(
    trend: Trend | None, volatility: Volatility | None, terms: TrendSettings
) -> None:
    """RK-10, RK-19"""
    regime = replace(UNKNOWN, market=MarketMeasure(SPY, WEDNESDAY, trend, volatility, None, None))
    book = SizingBook(lambda: SizingSettings(trend=terms), lambda: regime)
    conditions = book.conditions(SPY, "vwap", held=(), equity=Decimal(200), open_losses=Decimal(0))
    wanted = WantedEntry(Money(Decimal(1)), Price(Decimal(100)), Decimal(1), Money(Decimal(50)), Decimal(1))

    cuts = [binding_cuts(replace(wanted, is_long=is_long), conditions) for is_long in (True, False)]

    assert book.is_calm is (cuts == [(), ()])


def test_the_vix_is_read_at_each_size() -> None:
    """RK-10, RK-19"""
    told = [UNKNOWN]
    book = SizingBook(regime=lambda: told[-1])
    unknown = book.conditions(SPY, "vwap", held=(), equity=None, open_losses=Decimal(0)).vix

    told.append(measured(VixLevel.HIGH))

    assert unknown == UNKNOWN.vix
    assert book.conditions(SPY, "vwap", held=(), equity=None, open_losses=Decimal(0)).vix == told[-1].vix
