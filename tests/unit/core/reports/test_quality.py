"""Data and connection of a day, each worked out by hand from its records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.model.bar import TradingHalt
from core.model.notice import Notice, NoticeKind, Severity
from core.model.reconciliation import Difference, DifferenceKind
from core.model.values import ClientOrderId, Symbol
from core.ports import Recorded
from core.reports.quality import Noted, Quality, lasted, quality_of
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, NewYorkHours, a_bar, at

ORDER = ClientOrderId("a")
MINUTES = [f"{number // 60:02}:{number % 60:02}" for number in range(9 * 60 + 30, 16 * 60)]
GAPS = "gaps in all symbols"


def recorded(*told: tuple[str, facts.Fact]) -> list[Recorded]:
    found = sorted(told, key=lambda each: at(each[0]))
    return [Recorded(number, at(clock), fact) for number, (clock, fact) in enumerate(found, 1)]


def _bars(clocks: Iterable[str], symbol: Symbol) -> list:
    return [a_bar(clock, "100", symbol=symbol) for clock in clocks]


def of_bars(clocks: Iterable[str], symbol: Symbol = SPY, late: timedelta = timedelta()) -> list[Recorded]:
    found = [(bar.end + late, facts.BarClosed(bar)) for bar in _bars(clocks, symbol)]
    return [Recorded(number, when, fact) for number, (when, fact) in enumerate(found, 1)]


def quality(records: list[Recorded]) -> Quality:
    return quality_of({THURSDAY: sorted(records, key=lambda record: record.at)}, NewYorkHours().session_at)


def noted(records: list[Recorded]) -> dict[str, Noted]:
    return {each.name: each for each in quality(records).troubles}


def test_a_whole_session_has_nothing_to_tell() -> None:
    """AN-06"""
    found = quality(of_bars(MINUTES))

    assert (found.bars, found.symbols, found.troubles) == (390, 1, ())


def test_missing_minutes_are_counted_by_symbol(snapshot: SnapshotAssertion) -> None:
    """AN-06: a symbol counts from its first minute on, up to the close."""
    spy = [clock for clock in MINUTES if clock not in ("10:00", "11:30")]
    ibm = [clock for clock in MINUTES if "12:00" <= clock < "15:30"]

    missing = noted([*of_bars(spy), *of_bars(ibm, IBM)])["missing minutes"]

    assert (missing.many, missing.words) == (32, snapshot)


def test_silent_minutes_are_one_gap() -> None:
    """AN-06: one of a symbol alone is none."""
    silent = [clock for clock in MINUTES if not "11:00" <= clock < "11:07"]

    found = noted([*of_bars(silent), *of_bars(silent[:40], IBM)])[GAPS]

    assert (found.many, found.at, found.span) == (1, at("11:00"), timedelta(minutes=7))
    assert GAPS not in noted([*of_bars(silent), *of_bars(MINUTES, IBM)])


def test_late_minutes_are_counted(snapshot: SnapshotAssertion) -> None:
    """AN-06: a bar of a whole session, heard at the next open, is none."""
    late = of_bars(("10:00", "10:01"), late=timedelta(minutes=4))
    session = of_bars(("09:30",), late=timedelta(hours=20))

    found = noted([*of_bars(MINUTES[:30]), *late, *session])["late minutes"]

    assert (found.many, found.words) == (2, snapshot)


def test_a_disconnect_has_its_length() -> None:
    """AN-06, SY-03: from when somebody was told of it until it was over."""
    notice = Notice(1, at("10:00"), NoticeKind.DISCONNECT, Severity.WARNING, None, "market data is away")
    fill = Notice(2, at("10:00"), NoticeKind.FILL, Severity.INFO, None, "bought")
    records = recorded(
        ("10:00", facts.NotificationDue(notice, ("phone",), matter="connection market data")),
        ("10:01", facts.NotificationDue(fill, ("phone",))),
        ("10:14", facts.NotificationSettled("connection market data")),
        ("12:00", facts.NotificationDue(notice, ("phone",), matter="connection market data")),
        ("12:01", facts.NotificationSettled("connection market data")),
    )

    found = noted(records)["disconnects"]

    assert (found.many, found.span) == (2, timedelta(minutes=15))


def test_what_is_not_over_at_the_end_says_so(snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-15, MD-06"""
    records = recorded(
        ("10:00", facts.BreakerOpened("five failed", None)),
        ("10:05", facts.BreakerClosed("it answers")),
        ("11:00", facts.TradingHalted(TradingHalt(SPY, at("11:00"), "news"))),
    )

    found = noted(records)

    assert found["breaker open"].span == timedelta(minutes=5)
    assert found["halts by the exchange"].words == snapshot


@pytest.mark.parametrize("end", [facts.EngineStopped("left"), None], ids=["stopped", "died"])
def test_an_absence_tells_its_length_and_end(end: facts.Fact | None, snapshot: SnapshotAssertion) -> None:
    """AN-06: what a start records before its own name is of that start."""
    told = [("10:00", facts.EngineStarted()), ("11:00", facts.CallFailed("account", "hung"))]
    told += [("11:01", end)] if end is not None else [("11:01", facts.CallFailed("account", "hung"))]
    told += [("11:15", facts.SettingsFileAgreed()), ("11:15", facts.EngineStarted())]

    found = noted(recorded(*told))["times without an engine"]

    assert (found.many, found.span) == (1, timedelta(minutes=14))
    assert found.words == snapshot


def test_a_first_start_is_no_time_without_one() -> None:
    """AN-06"""
    found = quality(recorded(("09:00", facts.SettingsFileAgreed()), ("09:00", facts.EngineStarted())))

    assert found.troubles == ()
    assert found.starts == (at("09:00"),)


@table(
    "fact name words",
    (facts.MarketDataQuarantined("line 7", "no price"), "market data set aside", "line 7: no price"),
    (facts.CallFailed("account", "hung"), "requests without an answer", "account: hung"),
    (facts.CallAnswered("account", Decimal("3.5"), is_slow=True), "slow answers", "account took 3.5 s"),
    (facts.OrderStateUnknown(ORDER, "no answer"), "orders in doubt", "no answer"),
    (facts.ClockJumped(Decimal(40), Decimal(0)), "jumps of the clock", "40 s"),
    (
        facts.StrategyFailed("mine", SPY, at("10:00"), milliseconds=Decimal(70), limit=Decimal(50)),
        "strategies without an answer",
        "mine SPY: over its 50 ms",
    ),
    (facts.ReconciliationFailed(("SPY differs",)), "failed comparisons with the broker", "SPY differs"),
)
def test_counts_have_the_last_words(fact: facts.Fact, name: str, words: str) -> None:
    """AN-06"""
    found = noted(recorded(("10:00", fact), ("10:01", fact)))[name]

    assert (found.many, found.words, found.at) == (2, words, at("10:01"))


def test_an_answer_in_time_is_no_trouble() -> None:
    """AN-06"""
    assert quality(recorded(("10:00", facts.CallAnswered("account", None, is_slow=False)))).troubles == ()


def test_broker_differences_are_told_each_time(snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-09"""
    one = Difference(DifferenceKind.QUANTITY_MISMATCH, SPY, "10", "20")
    records = recorded(("10:00", facts.ReconciliationPassed((), (one,))), ("11:00", facts.ReconciliationPassed((), ())))

    found = quality(records)

    assert found.comparisons == 2
    assert [(each.name, each.many) for each in found.troubles] == snapshot


@table("seconds words", (12, "12 s"), (60, "1 min"), (3599, "59 min"), (3900, "1 h 05 min"), (90_000, "25 h 00 min"))
def test_a_length_in_words(seconds: int, words: str) -> None:
    """AN-06"""
    assert lasted(timedelta(seconds=seconds)) == words
