"""The fall of the balance: what was there when the window began, and the profits of the trades since."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted
from core.model.signal import ExitReason
from core.model.values import Fraction, Money
from core.risk.protections.closed_trades import ClosedTrade, Direction
from core.risk.protections.drawdown import MaxDrawdown
from core.risk.protections.protection import EVERYTHING, Measure
from core.risk.protections.protection_registry import ProtectionBook
from core.settings.history import read
from core.settings.protections import FREQTRADE, MaxDrawdownSettings, ProtectionsSettings
from state.files import Home
from state.settings_file import SettingsError, load_settings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at

NOON = at("12:00")
WEDNESDAY = date(2026, 11, 18)


def a_trade(profit: str, ratio: str = "0", minutes: int = 0) -> ClosedTrade:
    closed = NOON + timedelta(minutes=minutes)
    stop = ExitReason.STOP_LOSS
    figures = Fraction(Decimal(ratio)), stop, Money(Decimal(profit))
    return ClosedTrade(SPY, Direction.LONG, closed - timedelta(minutes=5), closed, *figures)


def a_guard(*profits: str, equity: str = "200", terms: MaxDrawdownSettings | None = None) -> MaxDrawdown:
    guard = MaxDrawdown(lambda: terms or MaxDrawdownSettings())
    guard.begin_day(NOON - timedelta(days=8), Money(Decimal(equity)))
    for number, profit in enumerate(profits):
        guard.take(a_trade(profit, minutes=number))
    return guard


def measured(guard: MaxDrawdown) -> Measure:
    (measure,) = guard.measures(NOON + timedelta(hours=1))
    return measure


def test_a_small_fall_is_of_the_balance(snapshot: SnapshotAssertion) -> None:
    """RK-04: 0.18 USD of 200.14, not 125 % of a gain of 0.14; peak and current balance are told"""
    guard = a_guard("0.14", "-0.18")

    found = measured(guard)

    assert found.figure == Decimal("0.18") / Decimal("200.14")
    assert found.words == snapshot
    assert guard.locks.on(EVERYTHING, NOON + timedelta(hours=1)) is None


@table(
    "profits trips",
    (("-30",), False),  # 15 % of 200 to the cent
    (("-30.01",), True),
    (("100", "-45"), False),  # of the peak, 300
    (("100", "-45.01"), True),
    (("-20", "-10.01"), True),
    (("-20", "15", "-25.01"), True),  # the peak is where it began
)
def test_a_fall_over_the_limit_locks_for_a_day(profits: tuple[str, ...], trips: bool) -> None:
    """RK-04"""
    guard = a_guard(*profits)
    last = NOON + timedelta(minutes=len(profits) - 1)

    lock = guard.locks.on(EVERYTHING, last + timedelta(hours=24) - timedelta(seconds=1))

    assert (lock is not None) is trips
    assert guard.locks.on(EVERYTHING, last + timedelta(hours=24)) is None


def test_older_losses_set_the_windows_start() -> None:
    """RK-04: a week ago 40 of 200 were lost; the window begins with 160"""
    guard = a_guard("-40")
    later = NOON + timedelta(days=8)
    guard.begin_day(later - timedelta(days=7, hours=1), Money(Decimal(160)))
    loss = a_trade("-24", minutes=8 * 1440)

    guard.take(loss)
    (measure,) = guard.measures(later)

    assert measure.figure == Decimal("0.15")


def a_history(*told: tuple[str, str]) -> MaxDrawdown:
    """Each by its days and hours after the first noon: `=200` is what a day begins with, all else a profit."""
    guard = MaxDrawdown(MaxDrawdownSettings)
    for when, amount in told:
        days, _, hours = when.partition("d")
        moment = timedelta(days=int(days), hours=float(hours or 0))
        if amount.startswith("="):
            guard.begin_day(NOON + moment, Money(Decimal(amount[1:])))
        else:
            guard.take(a_trade(amount, minutes=int(moment.total_seconds() // 60)))
    return guard


def balance(guard: MaxDrawdown, days: float) -> Measure:
    (measure,) = guard.measures(NOON + timedelta(days=days))
    return measure


def test_mornings_results_set_the_windows_start(snapshot: SnapshotAssertion) -> None:
    """RK-04: 200 and 40 of the morning are 240 when the window begins; 33 are lost of that, not of 200"""
    guard = a_history(("0d-3", "=200"), ("0d-1", "40"), ("7d", "-33"))

    found = balance(guard, 7)

    assert found.figure == Decimal(33) / 240
    assert found.words == snapshot
    assert guard.locks.on(EVERYTHING, NOON + timedelta(days=7, hours=1)) is None


def test_a_morning_loss_hides_no_later_one() -> None:
    """RK-04: 160 are there when the window begins; 25 are more than 15 % of them, and less of 200"""
    guard = a_history(("0d-3", "=200"), ("0d-1", "-40"), ("7d", "-25"))

    assert balance(guard, 7).figure == Decimal(25) / 160
    assert guard.locks.on(EVERYTHING, NOON + timedelta(days=7, hours=1)) is not None


def test_the_window_moves_without_trades(snapshot: SnapshotAssertion) -> None:
    """RK-04: what is asked later is asked of the window that ends then, and nothing counts twice"""
    guard = a_history(("0d-3", "=200"), ("0d-1", "40"), ("1d-3", "=240"), ("1d", "-30"))

    assert balance(guard, 6).words == snapshot
    assert balance(guard, 7.5).words == snapshot
    assert balance(guard, 8).words == snapshot
    assert balance(guard, 6).figure == Decimal(30) / 240


def test_unknown_equity_is_reckoned_back(snapshot: SnapshotAssertion) -> None:
    """RK-04: 40 were won before 240 were seen"""
    guard = a_history(("0d", "40"), ("1d", "=240"), ("2d", "-33"))

    assert balance(guard, 2).words == snapshot
    assert balance(guard, 7.5).figure == Decimal(33) / 240


def test_a_later_deposit_moves_no_window() -> None:
    """RK-04: money that is paid in is no profit"""
    guard = a_history(("0d-3", "=200"), ("0d-1", "40"), ("3d", "=1000"), ("7d", "-33"))

    assert balance(guard, 7).figure == Decimal(33) / 240


def test_evening_profits_count_too() -> None:
    """RK-04, RK-20: 200 at 16:00 of Wednesday, 40 in that evening's hours; Thursday begins at midnight with the 200"""
    book = ProtectionBook(ProtectionsSettings)
    evening, next_week = at("17:00", WEDNESDAY) - NOON, timedelta(days=7)
    book.take(a_trade("40", minutes=int(evening.total_seconds() // 60)))
    book.folds[DayStarted](at("00:01"), DayStarted(THURSDAY, Money(Decimal(200)), WEDNESDAY))

    book.take(a_trade("-33", minutes=int(next_week.total_seconds() // 60)))

    (measure,) = book.max_drawdown.measures(NOON + next_week)
    assert measure.figure == Decimal(33) / 240


def test_a_corrected_figure_replaces_the_first() -> None:
    """RK-03, RK-04: what was known of the same close, and a first figure that stood in for it"""
    guard = a_history(("0d-3", "=200"), ("0d-3", "=240"), ("7d", "-33"))
    stood_in = a_history(("0d-2", "=200"), ("0d-3", "=240"), ("7d", "-33"))

    assert balance(guard, 7).figure == balance(stood_in, 7).figure == Decimal(33) / 240


def test_freqtrades_method_is_the_largest_fall() -> None:
    """RK-04: of its profile, whatever the account is worth"""
    terms = MaxDrawdownSettings.model_validate(FREQTRADE["max_drawdown"])
    guard = MaxDrawdown(lambda: terms)
    for number, ratio in enumerate(("0.01", "-0.03", "0.05")):
        guard.take(a_trade("-1000", ratio, number))

    assert terms.method == "within"
    assert measured(guard).figure == Decimal("0.03")


def test_older_records_and_settings_still_open(tmp_path: Path) -> None:
    """RK-04, SP-07: what was a limit of its own is none any more"""
    old = {"risk": {"protections": {"max_drawdown": {"limit": "0.15", "loss_limit": "0.05"}}}}
    home = Home(tmp_path / "settings.toml", tmp_path)
    home.settings.write_text("[risk.protections.max_drawdown]\nloss_limit = 0.05\n")

    assert read(old, 1).risk.protections.max_drawdown == MaxDrawdownSettings()
    with pytest.raises(SettingsError, match=r"max_drawdown\.loss_limit: there is no such setting"):
        load_settings(home, {}, ())
