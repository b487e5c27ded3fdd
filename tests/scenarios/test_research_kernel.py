"""The research kernel beside the engine: the same fills, trades and equity, and planted faults that this must find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from console.commands.assembly.recordings import Recording
from core.model.signal import ExitReason
from core.research.kernel.arrays import ArrayStrategy
from core.research.kernel.house import Breakout
from core.research.kernel.inputs import LEAST_PRICE, bars_of
from core.research.kernel.layout import (
    ENTERS,
    HELD_OVER_CLOSE,
    LEFT_BY_THE_CLOCK,
    MOST_MONEY,
    NEAR_A_LOSS_LIMIT,
    RATIO_UNITS,
    SIGNAL_SIZE,
    STOP_STILL_FILLS,
    TICK,
)
from core.research.kernel.prepared import Prepared
from core.research.kernel.quotes import (
    AT_THE_LAST_PRICE,
    HIGH_FIRST,
    LIMITS_FIRST,
    NO_FEE,
    NO_FORCED_FLAT,
    SLIPPAGE_TO_NEAREST,
    TARGET_IN_ENTRY_BAR,
    WHOLE_VOLUME,
)
from core.research.kernel.refusals import FOUND
from core.research.kernel.runs import NotModelledError
from core.research.kernel.signals import UNSURE, Leaving, settle
from core.strategies.builtin import HOUSE
from core.strategies.momentum import MomentumStrategy
from tests.kit.kernel_cases import (
    ARRAYS,
    Case,
    Rows,
    arrays_case_of,
    by_hand,
    case_of,
    compared,
    difference,
    of_the_engine,
    of_the_kernel,
    with_a_setting,
    with_arrays,
)
from tests.kit.rows import cases

SEED = 7
STOP_LOSS, SIGNAL, FORCE_FLAT = ExitReason.STOP_LOSS, ExitReason.SIGNAL, ExitReason.FORCE_FLAT
FAULTS = {
    HIGH_FIRST: "path of a bar",
    AT_THE_LAST_PRICE: "limit against quote",
    LIMITS_FIRST: "stops first",
    TARGET_IN_ENTRY_BAR: "no target in the entry's bar",
    WHOLE_VOLUME: "participation",
    SLIPPAGE_TO_NEAREST: "slippage rounding",
    NO_FEE: "fee",
    NO_FORCED_FLAT: "forced flat",
}
MINUTES = {
    40: ("101.50", "101.60", "98.50", "99.50", 400),
    61: ("100", "101.50", "99.90", "100.50", 100_000),
    100: ("100", "100.02", "98.90", "99.10", 4_000),
}
"""A gap over the target that falls through the stop; an entry's bar that rises over its target; a fall."""
TERMS = {
    "exchange.cash": "100000",
    "exchange.slippage": "0.00032",
    "exchange.fee_per_share": "0.0035",
    "risk.entries_a_day": "1000",
    "risk.window_start": "'09:30'",
    "risk.window_end": "'16:00'",
    "risk.per_trade": "{usd='1000'}",
    "risk.max_notional": "{usd='10000'}",
    "risk.max_day_value": "{usd='1000000'}",
    "exits.profit_target": "0",
}


def a_strategy(*entries: int, minutes: Sequence[int] = range(390)) -> ArrayStrategy:
    """Enters at 100.00 on these minutes, with a stop at 99.00 and a target at 101.00; leaves on minute 90.

    `minutes` are those that have a bar.
    """
    enters, leaves = np.isin(minutes, entries).astype(np.int64), np.isin(minutes, 90).astype(np.int64)
    limits, stops, targets = (np.full(len(minutes), price, np.int64) for price in (1_000_000, 990_000, 1_010_000))
    return ArrayStrategy(ARRAYS, enters, leaves, limits, stops, targets)


STRATEGY = a_strategy(30, 60, 98, 370)


@cache
def a_case() -> Case:
    return by_hand(MINUTES, TERMS)


@cache
def its_rows() -> Rows:
    return of_the_engine(with_arrays(a_case(), STRATEGY))


RULES = {
    "exchange.slippage_by_size=0": 73,
    "risk.protections.cooldown.enabled=false": 148,
    "risk.protections.loss_streak.enabled=false": 195,
    "risk.protections.low_profit.enabled=false": 194,
    "risk.protections.max_drawdown.method='within'": 146,
    "risk.protections.stop_loss_guard.enabled=false": 11,
    "strategies.breakout.maximum_false=1000": 68,
    "strategies.mean_reversion.max_hold_hours=10000": 13,
    "strategies.momentum.volume_factor=0": 195,
    "strategies.vwap.limits.entries_a_day=10000": 211,
    "strategies.vwap.limits.windows=[]": 87,
    "strategies.vwap.minimum_bars=1": 211,
}
"""A rule that the kernel alone is made to break, and the case that finds it: each strategy, each kind of bars."""


@cache
def a_drawn_case(number: int) -> tuple[Case, Rows]:
    """Return a case of the seed, and what the engine gives."""
    case = case_of(SEED, number)
    return case, of_the_engine(case.recording)


@cases("number", *sorted(set(RULES.values())))
def test_the_kernel_gives_the_engine_s_fills_trades_and_equity(number: int) -> None:
    """AN-08"""
    case, engine = a_drawn_case(number)

    assert difference(engine, of_the_kernel(case.recording)) == "", case.words
    assert engine.trades


def test_signals_that_the_engine_decided_are_not_kept() -> None:
    """AN-08: it looks at the plan as well, which another run changes"""
    case, _engine = a_drawn_case(RULES["strategies.momentum.volume_factor=0"])
    recording, terms = case.recording, case.recording.settings.strategies.momentum
    bars = bars_of(recording.feeds, recording.calendar, is_daily=recording.is_daily)
    signals = np.zeros((SIGNAL_SIZE, len(bars)), np.int64)

    assert settle(lambda: MomentumStrategy(terms), bars, signals)
    signals[ENTERS, -1] = UNSURE
    assert not settle(lambda: MomentumStrategy(terms), bars, signals)
    assert signals[ENTERS, -1] <= 1


CHANGES = {
    "sma": ("strategies.sma.stop_ranges=0.5", "strategies.sma.pairs=[[3, 7]]"),
    "vwap": ("strategies.vwap.stop_fraction=0.0003", "strategies.vwap.entry_deviation=0.0002"),
    "momentum": ("strategies.momentum.stop_ranges=0.5", "strategies.momentum.bars=2"),
    "breakout": ("strategies.breakout.stop_ranges=0.5", "strategies.breakout.bars=3"),
    "mean_reversion": ("strategies.mean_reversion.stop_ranges=0.5", "strategies.mean_reversion.bars=4"),
}
"""A setting of a strategy's plan, and one of its signals."""
SHARED = ("risk.window_end='11:00'", "risk.sizing.atr={enabled=true,bars=3}")


def rows_or_rejection(recording: Recording, bars: Prepared | None = None) -> Rows | str:
    try:
        return of_the_kernel(recording, bars=bars)
    except NotModelledError as error:
        return str(error)


def test_runs_on_prepared_bars_are_those_on_new_ones() -> None:
    """AN-08: whatever setting changes between two runs"""
    different = 0
    for number in sorted(set(RULES.values())):
        case, _engine = a_drawn_case(number)
        recording = case.recording
        bars = Prepared(bars_of(recording.feeds, recording.calendar, is_daily=recording.is_daily))
        usual = rows_or_rejection(recording)
        for line in (*CHANGES[case.strategy], *SHARED):
            changed = with_a_setting(recording, line)
            alone = rows_or_rejection(changed)
            assert rows_or_rejection(changed, bars) == alone, (number, line)
            assert rows_or_rejection(recording, bars) == usual, (number, line)
            different += alone != usual

    assert different >= len(CHANGES)


@cases("rule", *RULES)
def test_each_broken_rule_is_found(rule: str) -> None:
    """AN-08: of the strategies, the protections and the slippage by size"""
    case, engine = a_drawn_case(RULES[rule])

    assert difference(engine, of_the_kernel(with_a_setting(case.recording, rule)))
    assert {a_drawn_case(number)[0].strategy for number in RULES.values()} == set(HOUSE)


def test_a_breakout_that_keeps_its_level_no_more_is_found() -> None:
    """AN-08"""
    case, engine = a_drawn_case(RULES["strategies.breakout.maximum_false=1000"])
    strategy = Breakout(case.recording.settings.strategies.breakout)
    strategy.leaving = Leaving()

    assert difference(engine, of_the_kernel(case.recording, strategy))


def test_an_exit_by_the_clock_is_rejected() -> None:
    """AN-08, ST-02: no bar comes within two minutes of the time from which the position must be flat"""
    bars = [minute for minute in range(390) if not 385 <= minute < 389]
    case = replace(by_hand({}, TERMS, minutes=bars), arrays=a_strategy(370, minutes=bars))

    assert compared(case).rejected.startswith(FOUND[LEFT_BY_THE_CLOCK])


def test_a_loss_within_the_last_bar_of_a_session_is_rejected() -> None:
    """AN-08: the desk takes half the risk from then on"""
    minutes = [*range(21), *range(390, 450)]
    fall = {20: ("99.95", "99.96", "98.90", "98.95", 100_000)}
    terms = TERMS | {"risk.per_trade": "{usd='50'}", "risk.daily_loss": "{usd='80'}"}
    case = replace(by_hand(fall, terms, minutes=minutes), arrays=a_strategy(19, 395, minutes=minutes))

    assert compared(case).rejected.startswith(FOUND[NEAR_A_LOSS_LIMIT])


def test_bars_without_a_range_have_no_noise() -> None:
    """AN-08"""
    flat = dict.fromkeys(range(390), ("99.90", "99.90", "99.90", "99.90", 100_000))
    case = by_hand(flat, TERMS | {"risk.sizing.atr.enabled": "true"})

    found = compared(replace(case, arrays=a_strategy(370)))

    assert (found.rejected, found.difference) == ("", "")
    assert found.fills


def test_no_product_of_money_and_a_ratio_overflows() -> None:
    """AN-08: the profit target is at most the whole price"""
    assert 2 * MOST_MONEY * (2 * RATIO_UNITS) + TICK * MOST_MONEY * RATIO_UNITS // LEAST_PRICE < 2**63


def test_a_sale_that_is_not_filled_at_the_close_is_rejected() -> None:
    """AN-08: it was filled a moment after the last bar of the session"""
    thin = dict.fromkeys(range(385, 390), ("100", "100.02", "99.98", "100", 100))
    case = by_hand(thin, TERMS, minutes=range(400))

    assert compared(replace(case, arrays=a_strategy(370, minutes=range(400)))).rejected.startswith(
        FOUND[HELD_OVER_CLOSE]
    )


def test_a_stop_that_does_not_fill_is_rejected() -> None:
    """AN-08, EX-21: the desk sells the shares itself after ten seconds"""
    low = dict.fromkeys(range(60, 100), ("99.50", "99.50", "99.47", "99.50", 100_000))
    under = dict.fromkeys(range(100, 150), ("99.30", "99.32", "99.28", "99.30", 40))
    terms = TERMS | {
        "exchange.slippage_by_size": "0.0008",
        "risk.entries_a_day": "1",
        "risk.max_notional": "{usd='1000'}",
        "strategies.vwap.entry_deviation": "0.003",
        "strategies.vwap.quantity_step": "1",
        "strategies.vwap.stop_fraction": "0.001",
    }
    case = by_hand(low | under, terms, strategy="vwap")

    assert compared(case).rejected.startswith(FOUND[STOP_STILL_FILLS])


@cases("number", 9, 12, 13)
def test_drawn_arrays_give_the_engine_s_fills_trades_and_equity(number: int) -> None:
    """AN-08: on recorded days, recorded minutes and made-up minutes"""
    case = arrays_case_of(11, number)

    found = compared(case)

    assert (found.rejected, found.difference) == ("", ""), case.words
    assert found.fills


def test_the_kernel_plays_arrays_as_the_engine_plays_them() -> None:
    """AN-08"""
    kernel = of_the_kernel(a_case().recording, STRATEGY)

    assert difference(its_rows(), kernel) == ""
    assert its_rows().exits == [STOP_LOSS, SIGNAL, STOP_LOSS, FORCE_FLAT]


@cases("fault", *FAULTS)
def test_each_planted_fault_is_found(fault: int) -> None:
    """AN-08"""
    found = difference(its_rows(), of_the_kernel(a_case().recording, STRATEGY, fault=fault))

    assert found, FAULTS[fault]
