"""Day trades at a broker that still counts them: when they count, until when, and what could become one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted
from core.model.order import OrderStatus
from core.model.signal import ExitReason
from core.model.staging import CheckResult
from core.model.values import Fraction, Money, Symbol
from core.risk.checks.other_orders import DayTradesCheck
from core.risk.protections.closed_trades import ClosedTrade, Direction
from core.risk.protections.frequency import business_days, weekday_after
from core.risk.protections.protection import EVERYTHING
from core.risk.protections.protection_registry import ProtectionBook
from core.settings.protections import DayTradesSettings, ProtectionsSettings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, NewYorkHours, at
from tests.unit.core.execution.books import Books, a_request
from tests.unit.core.risk.reviews import NOW, a_candidate, a_desk, an_exit, said, settings

ON = ProtectionsSettings(day_trades=DayTradesSettings(enabled=True))
SMALL, LARGE = Money(Decimal(24_999)), Money(Decimal(25_000))
FRIDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (20, 23, 24, 25))
HALF_DAY, NEXT_MONDAY = date(2026, 11, 27), date(2026, 11, 30)


def a_book(chosen: ProtectionsSettings = ON, equity: Money | None = SMALL) -> ProtectionBook:
    book = ProtectionBook(lambda: chosen, business_days(NewYorkHours()))
    if equity is not None:
        book.folds[DayStarted](at("09:30", THURSDAY), DayStarted(THURSDAY, equity))
    return book


def a_trade(closed: datetime, opened: datetime | None = None, symbol: Symbol = SPY) -> ClosedTrade:
    opened = opened or closed - timedelta(minutes=20)
    return ClosedTrade(symbol, Direction.LONG, opened, closed, Fraction(Decimal("0.01")), ExitReason.TAKE_PROFIT)


def trades_on(book: ProtectionBook, *days: date) -> ProtectionBook:
    for day in days:
        book.take(a_trade(at("11:00", day)))
    return book


def is_shut(book: ProtectionBook, moment: datetime) -> bool:
    return book.day_trades.locks.on(EVERYTHING, moment) is not None


def test_the_third_day_trade_ends_entries(snapshot: SnapshotAssertion) -> None:
    """RK-15"""
    book = trades_on(a_book(), FRIDAY, MONDAY)
    assert not is_shut(book, at("11:01", MONDAY))

    trades_on(book, TUESDAY)

    (lock,) = book.day_trades.locks.holding(at("11:01", TUESDAY))
    assert (lock.measure, lock.limit) == (3, 4)
    assert lock.reason == snapshot


def test_a_holiday_is_no_business_day() -> None:
    """RK-15: Friday's counts on Friday, Monday, Tuesday, Wednesday and, Thanksgiving being shut, the Friday after."""
    book = trades_on(a_book(), FRIDAY, MONDAY, TUESDAY)

    assert is_shut(book, at("23:59", HALF_DAY))
    assert is_shut(book, at("23:59", NEXT_MONDAY - timedelta(days=1)))
    assert not is_shut(book, at("00:00", NEXT_MONDAY))


@table(
    "opened closed counts",
    (at("09:30", FRIDAY), at("15:59", FRIDAY), True),
    (at("15:59", FRIDAY), at("09:30", MONDAY), False),
    (at("09:31", date(2026, 10, 30)), at("15:59", date(2026, 10, 30)), True),
    (at("15:59", date(2026, 10, 30)), at("09:30", date(2026, 11, 2)), False),
    (at("19:30", date(2027, 3, 12)), at("20:30", date(2027, 3, 12)), True),
    (at("23:30", date(2027, 3, 14)), at("00:30", date(2027, 3, 15)), False),
)
def test_a_day_trade_is_within_a_new_york_day(opened: datetime, closed: datetime, counts: bool) -> None:
    """RK-15: summer and winter, also where UTC has another date."""
    book = a_book()

    book.take(a_trade(closed, opened))

    assert book.day_trades.counted(closed) == int(counts)


@table("day ends", (date(2026, 10, 30), date(2026, 11, 6)), (date(2027, 3, 12), date(2027, 3, 19)))
def test_a_day_trade_lapses_at_new_york_midnight(day: date, ends: date) -> None:
    """RK-15"""
    book = trades_on(a_book(), day)

    assert book.day_trades.counted(at("23:59", ends - timedelta(days=1))) == 1
    assert book.day_trades.counted(at("00:00", ends)) == 0


def test_enough_equity_ends_the_counting(snapshot: SnapshotAssertion) -> None:
    """RK-15: 25,000 USD; what was traded meanwhile is known."""
    book = trades_on(a_book(equity=LARGE), FRIDAY, MONDAY, TUESDAY)
    assert not is_shut(book, at("12:00", TUESDAY))
    assert next(book.day_trades.measures(at("12:00", TUESDAY))).words == snapshot

    book.begin_day(at("09:30", WEDNESDAY), SMALL)
    assert is_shut(book, at("09:31", WEDNESDAY))

    book.begin_day(at("09:30", HALF_DAY), LARGE)
    assert not is_shut(book, at("09:31", HALF_DAY))


def test_unknown_equity_may_be_too_small() -> None:
    """RK-15, RK-01"""
    assert is_shut(trades_on(a_book(equity=None), FRIDAY, MONDAY, TUESDAY), at("12:00", TUESDAY))


def test_day_trades_are_off_by_default() -> None:
    """RK-15: Alpaca counts none since 2026-07-06."""
    book = trades_on(a_book(ProtectionsSettings()), FRIDAY, MONDAY, TUESDAY)
    desk = a_desk(at=at("12:00", TUESDAY), protections=book)

    assert "day_trades" not in {answer.name for answer in book.answers(at("12:00", TUESDAY))}
    assert said(DayTradesCheck(), a_candidate(), desk)[0] is CheckResult.PASSES


@table("day after", (THURSDAY, FRIDAY), (FRIDAY, MONDAY), (date(2026, 11, 21), MONDAY), (date(2026, 11, 22), MONDAY))
def test_beyond_the_calendar_weekdays_count(day: date, after: date) -> None:
    """RK-15"""

    class Short(NewYorkHours):
        def next_session(self, at: datetime) -> None:  # type: ignore[override]
            raise LookupError(at)

    assert weekday_after(day) == business_days(Short())(day) == after


def the_check(books: Books, book: ProtectionBook, symbol: Symbol = SPY) -> tuple[CheckResult, str]:
    chosen = settings(protections={"day_trades": {"enabled": True}})
    desk = a_desk(ledger=books.ledger, protections=book, settings=chosen)
    return said(DayTradesCheck(), a_candidate(symbol=symbol), desk)


def opened(books: Books, symbol: str, moment: datetime = NOW) -> None:
    books.at = moment
    order = books.creates(a_request(symbol, symbol=Symbol(symbol)))
    books.fills(order, "10", "100")
    books.becomes(order, OrderStatus.FILLED)


def test_todays_entries_could_become_day_trades(snapshot: SnapshotAssertion) -> None:
    """RK-15: two are counted; one is open and one more is asked for."""
    book, books = trades_on(a_book(), date(2026, 11, 17), date(2026, 11, 18)), Books()
    assert the_check(books, book)[0] is CheckResult.PASSES

    books.creates(a_request("on its way", symbol=IBM))

    assert the_check(books, book) == (CheckResult.REFUSES, snapshot)


def test_held_positions_are_no_further_day_trades() -> None:
    """RK-15"""
    book, books = trades_on(a_book(), date(2026, 11, 17), date(2026, 11, 18)), Books()
    opened(books, "BAC", at("15:00", date(2026, 11, 18)))
    opened(books, "IBM")

    assert the_check(books, book, IBM)[0] is CheckResult.PASSES
    assert the_check(books, book, SPY)[0] is CheckResult.REFUSES


def test_an_exit_is_no_entry() -> None:
    """RK-15, RK-22"""
    book = trades_on(a_book(), date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18))
    chosen = settings(protections={"day_trades": {"enabled": True}})

    assert said(DayTradesCheck(), a_candidate(), a_desk(protections=book, settings=chosen))[0] is CheckResult.REFUSES
    assert book.day_trades.counted(NOW) == 3
    assert said(DayTradesCheck(), an_exit(), a_desk(protections=a_book(), settings=chosen))[0] is CheckResult.PASSES
