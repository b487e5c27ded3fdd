"""Each exit rule, one at a time, and all of them against a plain look over every bar since the entry (ST-09)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.execution.ledger import Ledger
from core.exit_rules import Due, ExitPosition, ExitWatch, exit_due, stop_of, target_of, trail_of
from core.model.bar import Bar
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Money, Price, Quantity
from core.settings.strategies import ExitSettings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import NewYorkHours
from tests.unit.core.strategies.recorded import OPEN, SPY, series

NONE: dict[str, Any] = {"profit_target": 0, "stop": 0, "stale_days": 0}


def terms(**values: Any) -> ExitSettings:
    return ExitSettings.model_validate(values)


def usd(text: str) -> Price:
    return Price(Decimal(text))


LONG = ExitPosition(
    is_long=True, average_price=usd("100"), held=Quantity(Decimal(10)), unprotected=Quantity(Decimal(10)),
    best=usd("100"), days=0, is_late=False,
)  # fmt: skip
SHORT = replace(LONG, is_long=False)


def said(rules: ExitSettings, standing: ExitPosition, close: str) -> tuple[str, str] | None:
    due = exit_due(rules, standing, usd(close))
    return None if due is None else (due.reason.value, str(due.quantity))


@table(
    "standing close answer",
    (LONG, "99.01", None),
    (LONG, "99.00", ("STOP_LOSS", "10")),
    (LONG, "101.99", None),
    (LONG, "102.00", ("TAKE_PROFIT", "10")),
    (SHORT, "100.99", None),
    (SHORT, "101.00", ("STOP_LOSS", "10")),
    (SHORT, "98.00", ("TAKE_PROFIT", "10")),
    (replace(LONG, unprotected=Quantity(Decimal(3))), "98", ("STOP_LOSS", "3")),
    (replace(LONG, unprotected=Quantity(Decimal(0))), "98", None),
    (replace(LONG, days=5), "100", None),
    (replace(LONG, days=6), "100", ("TIME_EXIT", "10")),
    (replace(LONG, days=6), "101.99", ("TIME_EXIT", "10")),
    (replace(LONG, is_late=True), "100", ("FORCE_FLAT", "10")),
    (replace(LONG, is_late=True), "98", ("STOP_LOSS", "10")),
    (replace(LONG, own_stop=usd("97")), "98", None),
    (replace(LONG, own_stop=usd("97")), "97", ("STOP_LOSS", "10")),
    (replace(LONG, own_target=usd("110")), "105", None),
    (replace(LONG, own_target=usd("110")), "110", ("TAKE_PROFIT", "10")),
    (replace(LONG, is_target_at_broker=True), "103", None),
)
def test_default_exits_are_2_up_1_down_and_5_days(
    standing: ExitPosition, close: str, answer: tuple[str, str] | None
) -> None:
    """ST-09, ST-04: what came with the entry goes before them; a stop sells only what nothing at the broker covers."""
    assert said(terms(), standing, close) == answer


@table(
    "best close answer",
    ("100", "99", None),
    ("100.5", "99.5", None),
    ("102", "101", None),
    ("102", "100.98", ("TRAILING_STOP", "10")),
)
def test_a_trail_begins_at_its_gain(best: str, close: str, answer: tuple[str, str] | None) -> None:
    """ST-09"""
    rules = terms(**NONE, trail="0.01", trail_from="0.01")
    assert said(rules, replace(LONG, best=usd(best)), close) == answer


def test_a_brokers_trailing_stop_is_not_raced() -> None:
    """EX-13"""
    rules = terms(**NONE, trail="0.01")
    assert said(rules, replace(LONG, best=usd("110"), is_trailed_at_broker=True), "105") is None


def test_a_longest_hold_sells_a_winner_too() -> None:
    """ST-09"""
    rules = terms(**NONE, max_days=10)
    assert said(rules, replace(LONG, days=10), "150") is None
    assert said(rules, replace(LONG, days=11), "150") == ("TIME_EXIT", "10")


def test_exit_rules_leave_vwap_and_manual_alone() -> None:
    """ST-02, ST-09"""
    assert [name for name in ("vwap", "sma", "mine", "manual", "broker") if terms().guards(name)] == ["sma", "mine"]
    assert terms(manual=True).guards("manual")
    assert terms(not_for=[]).guards("vwap")
    assert not terms(enabled=False).guards("sma")


ratios = st.sampled_from(["0", "0.002", "0.005", "0.01", "0.03"])


@settings(max_examples=30)
@given(
    bars=series(least=3, most=40),
    entry=st.integers(0, 2),
    second=st.integers(0, 59),
    is_long=st.booleans(),
    figures=st.tuples(ratios, ratios, ratios, ratios),
)
def test_incremental_exits_equal_a_rescan(
    bars: list[Bar], entry: int, second: int, is_long: bool, figures: tuple[str, str, str, str]
) -> None:
    """ST-09, SP-05: the mark is folded bar by bar, and loses nothing of what a rescan finds."""
    target, stop, trail, trail_from = figures
    rules = terms(profit_target=target, stop=stop, trail=trail, trail_from=trail_from)
    quantity, paid = Quantity(Decimal(10 if is_long else -10)), bars[entry].close
    opened = bars[entry].start + timedelta(seconds=second)
    held = Position(SPY, "sma", opened, ClientOrderId("entry"), quantity, Money(10 * paid))
    ledger = Ledger(NewYorkHours())
    ledger.state.positions["SPY/sma"] = held
    watch = ExitWatch(ledger)

    for number, bar in enumerate(bars):
        watch.take_bar(bar)
        if bar.end <= opened:
            continue
        best = _best_by_rescan(bars[: number + 1], held)
        assert watch.mark(held).best == best
        standing = replace(LONG if is_long else SHORT, average_price=held.average_price, best=watch.mark(held).best)
        assert _plainly(exit_due(rules, standing, bar.close)) == _by_rescan(rules, standing, best, bar.close)


def _best_by_rescan(bars: list[Bar], held: Position) -> Price:
    prices = [held.average_price]
    for bar in bars:
        if bar.start >= held.opened_at:
            prices.append(bar.high if held.quantity > 0 else bar.low)
        elif bar.end > held.opened_at:
            prices.append(bar.close)
    return max(prices) if held.quantity > 0 else min(prices)


def _plainly(due: Due | None) -> ExitReason | None:
    return None if due is None else due.reason


def _by_rescan(rules: ExitSettings, standing: ExitPosition, best: Price, close: Price) -> ExitReason | None:
    """The same in other words: gains, not prices; prices only where a tick decides."""
    stop, target = stop_of(rules, standing), target_of(rules, standing)
    trail = trail_of(rules, replace(standing, best=best))
    sign = 1 if standing.is_long else -1
    if stop is not None and sign * (close - stop) <= 0:
        return ExitReason.STOP_LOSS
    if trail is not None and sign * (close - trail) <= 0:
        return ExitReason.TRAILING_STOP
    if target is not None and sign * (close - target) >= 0:
        return ExitReason.TAKE_PROFIT
    return None


def test_the_entry_bar_counts_by_its_close() -> None:
    """ST-09: its high may have been before the fill, and would sell at once."""
    ledger = Ledger(NewYorkHours())
    ledger.state.positions["SPY/sma"] = held = Position(
        SPY, "sma", OPEN + timedelta(seconds=30), ClientOrderId("entry"), Quantity(Decimal(1)), Money(Decimal(100))
    )
    watch = ExitWatch(ledger)

    watch.take_bar(Bar(SPY, OPEN, usd("100"), usd("109"), usd("99"), usd("101"), Quantity(Decimal(1))))

    assert watch.mark(held).best == usd("101")
