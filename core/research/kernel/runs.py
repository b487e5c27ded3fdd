"""One backtest by the kernel: settings and bars in, fills, trades and daily equity out, as the engine's (AN-08)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np

from core.model.order import Side
from core.model.session import XNYS
from core.model.signal import ExitReason
from core.model.values import ZERO
from core.ports import OperatorError
from core.research.kernel import layout as reg
from core.research.kernel.inputs import KernelBars, microseconds, moment
from core.research.kernel.layout import MONEY_UNITS, PRICE_UNITS, QUANTITY_UNITS, Integers
from core.research.kernel.loop import advance
from core.research.kernel.plans import Sizes
from core.research.kernel.quotes import bid_of
from core.research.kernel.refusals import FOUND, refusal
from core.research.kernel.signals import SmaCrossover, Strategy
from core.research.kernel.sizes import NOISE_BARS, average_ranges, limits_of, terms_of
from core.settings.settings import Settings

ROWS = 4096
"""Rows of the tables of fills and trades, which are emptied as they fill."""
REASONS = {
    reg.BY_STOP: ExitReason.STOP_LOSS,
    reg.BY_TARGET: ExitReason.TAKE_PROFIT,
    reg.BY_SIGNAL: ExitReason.SIGNAL,
    reg.BY_CLOSE: ExitReason.FORCE_FLAT,
    reg.BY_TIME: ExitReason.TIME_EXIT,
}


class NotModelledError(OperatorError):
    """The kernel does not model something that these settings or these bars ask for; the message names it."""


@dataclass(frozen=True, slots=True)
class KernelFill:
    """An execution at the exchange."""

    at: datetime
    side: Side
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class KernelTrade:
    """A closed trade, from flat to flat; `profit` is after fees, USD."""

    entry_time: datetime
    exit_time: datetime
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    profit: Decimal
    exit_reason: ExitReason


@dataclass(frozen=True, slots=True)
class KernelRun:
    """The result of a run.

    Attributes
    ----------
    equity
        The account at the close of each session, USD, exactly.
    exposure
        The value of the holdings at the same closes, USD.
    open_quantity, open_since
        The position at the end: shares, and when it was opened.
    open_profit
        Of its trade so far and of its shares at the quote of the end, after all fees, USD.
    """

    fills: tuple[KernelFill, ...]
    trades: tuple[KernelTrade, ...]
    days: tuple[date, ...]
    equity: tuple[Decimal, ...]
    exposure: tuple[Decimal, ...]
    open_quantity: Decimal
    open_since: datetime | None
    open_profit: Decimal


def played(
    settings: Settings,
    bars: KernelBars,
    strategy: Strategy | None = None,
    *,
    since: datetime | None = None,
    fault: int = 0,
) -> KernelRun:
    """Play a strategy on bars, by default the SMA crossover of the settings.

    Parameters
    ----------
    since
        Entries of bars that start before it are never confirmed; None confirms all.
    fault
        The number of a fault to plant, for tests; 0 plants none.

    Raises
    ------
    NotModelledError
        Names everything that is not modelled.
    """
    strategy = strategy or SmaCrossover(settings.strategies.sma)
    if names := refusal(settings, bars, strategy.name):
        raise NotModelledError("; ".join(names))
    first = -reg.NEVER if since is None else microseconds(since)
    return _Run(settings, bars, strategy, first, fault).run()


class _Run:
    """The arrays of one run."""

    def __init__(self, settings: Settings, bars: KernelBars, strategy: Strategy, first: int, fault: int) -> None:
        self._bars = bars
        self._columns = (*bars.columns, _flags(settings, bars, strategy.name))
        self._sessions = _session_table(bars)
        self._config = _config(settings, bars, strategy.name, fault)
        self._signals = strategy.signals(bars)
        self._sizes = Sizes(settings, strategy, bars, self._sessions[reg.DAY], first)
        self._state = _opening(settings, bars)
        limits = limits_of(settings)
        average = average_ranges(self._columns, self._sessions[reg.DAY], int(limits[NOISE_BARS]))
        terms = terms_of(settings, self._sizes.step, bars.begun_in, first)
        self._terms = (terms, limits, average, strategy.write_terms(terms))
        self._fills, self._trades = list[KernelFill](), list[KernelTrade]()

    def run(self) -> KernelRun:
        s, c, length = self._state, self._config, len(self._sessions[0])
        stops = np.zeros((reg.MOST_STOPS, 4), np.int64)
        fills, trades = np.zeros((ROWS, reg.FILL_SIZE), np.int64), np.zeros((ROWS, reg.TRADE_SIZE), np.int64)
        unsettled, equity = np.zeros(length + 8, np.int64), np.zeros((length, 2), np.int64)
        tables = (stops, fills, trades, unsettled)
        arrays = (self._columns, self._sessions, self._signals, tables, equity, *self._terms)
        while (why := advance(s, c, *arrays)) != reg.DONE:
            self._empty(fills, trades)
            if why == reg.IS_REFUSED:
                place = moment(int(self._columns[reg.START][min(int(s[reg.BAR]), len(self._bars) - 1)]))
                raise NotModelledError(f"{FOUND[int(s[reg.REFUSED])]}, about {place:%Y-%m-%d %H:%M}")
            if why == reg.TO_SIZE:
                bar = int(s[reg.BAR])
                self._sizes.answer(s, c, bar, int(self._signals[reg.ENTERS][bar]) - 1)
        self._empty(fills, trades)
        number, held = int(s[reg.SESSION_NOW]) + 1, int(s[reg.POSITION])
        return KernelRun(
            tuple(self._fills),
            tuple(self._trades),
            tuple(session.day for session in self._bars.sessions[:number]),
            tuple(map(_money, equity[:number, 0].tolist())),
            tuple(map(_money, equity[:number, 1].tolist())),
            Decimal(held) / QUANTITY_UNITS,
            moment(int(s[reg.TRADE_AT])) if held else None,
            self._open_profit() if held else ZERO,
        )

    def _open_profit(self) -> Decimal:
        """Return the profit of the open trade, its rest sold at the last quote."""
        s, c = self._state, self._config
        price = int(bid_of(c, int(self._bars.columns[reg.CLOSE][-1])))
        value = int(s[reg.POSITION]) * (price - int(c[reg.FEE]))
        return _money(value + int(s[reg.TRADE_PROCEEDS] - s[reg.TRADE_COST] - s[reg.TRADE_FEES]))

    def _empty(self, fills: Integers, trades: Integers) -> None:
        """Move the tables' rows into the result."""
        s = self._state
        self._fills += [_fill(row) for row in fills[: s[reg.FILLS]].tolist()]
        self._trades += [_trade(row) for row in trades[: s[reg.TRADES]].tolist()]
        s[reg.FILLS] = s[reg.TRADES] = 0


def _fill(row: list[int]) -> KernelFill:
    side = Side.BUY if row[reg.FILL_KIND] == reg.BUYS else Side.SELL
    quantity = Decimal(row[reg.FILL_QUANTITY]) / QUANTITY_UNITS
    return KernelFill(moment(row[reg.FILL_AT]), side, quantity, Decimal(row[reg.FILL_PRICE]) / PRICE_UNITS)


def _trade(row: list[int]) -> KernelTrade:
    quantity = Decimal(row[reg.TRADED]) / QUANTITY_UNITS
    cost, proceeds = _money(row[reg.COST]), _money(row[reg.PROCEEDS])
    return KernelTrade(
        moment(row[reg.ENTERED_AT]),
        moment(row[reg.LEFT_AT]),
        quantity,
        cost / quantity,
        proceeds / quantity,
        proceeds - cost - _money(row[reg.FEES]),
        REASONS[row[reg.REASON]],
    )


def _money(units: int) -> Decimal:
    return Decimal(units) / MONEY_UNITS


# ── arrays ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _opening(settings: Settings, bars: KernelBars) -> Integers:
    s = np.zeros(reg.STATE_SIZE, np.int64)
    cash = int(settings.exchange.cash * MONEY_UNITS)
    s[reg.CASH] = s[reg.DAY_OPENING] = s[reg.WEEK_OPENING] = cash
    s[reg.OPENED] = s[reg.FRESH_BAR] = -1
    s[reg.TAKEN_IN] = -(2**62)
    return s


def _session_table(bars: KernelBars) -> tuple[Integers, ...]:
    closes = [microseconds(session.close) for session in bars.sessions]
    days = [session.day.toordinal() for session in bars.sessions]
    weeks = [(session.day - timedelta(days=session.day.weekday())).toordinal() for session in bars.sessions]
    return tuple(np.array(column, np.int64) for column in (closes, days, weeks))


def _flags(settings: Settings, bars: KernelBars, strategy: str) -> Integers:
    """Return for each bar whether it allows an entry, and whether a position must be flat from it on."""
    starts, numbers = bars.columns[reg.START], bars.columns[reg.SESSION]
    bounds = np.array(list(_bounds(settings, bars, strategy)), np.int64)[numbers]
    is_late = starts >= bounds[:, 2]
    is_open = (bounds[:, 0] <= starts) & (starts <= bounds[:, 1]) & ~is_late
    flags: Integers = is_open * reg.IN_WINDOW + is_late * reg.LATE
    return flags.astype(np.int64)


def _bounds(settings: Settings, bars: KernelBars, strategy: str) -> Iterator[tuple[int, int, int]]:
    risk, minutes = settings.risk, settings.flat_minutes(strategy)
    for session in bars.sessions[: bars.days]:
        yield (
            microseconds(XNYS.at(session.day, risk.window_start)),
            microseconds(XNYS.at(session.day, risk.window_end)),
            microseconds(session.close - timedelta(minutes=minutes)),
        )


def _config(settings: Settings, bars: KernelBars, strategy: str, fault: int) -> Integers:
    exchange, exits, risk = settings.exchange, settings.exits, settings.risk
    part = Fraction(exchange.participation)
    c = np.zeros(reg.CONFIG_SIZE, np.int64)
    c[reg.HALF_SPREAD] = int(exchange.half_spread_ticks * reg.TICK)
    c[reg.SLIPPAGE] = int(exchange.slippage * reg.RATE_UNITS)
    c[reg.PART], c[reg.OF_PARTS] = part.numerator, part.denominator
    c[reg.FEE] = int(exchange.fee_per_share * PRICE_UNITS)
    c[reg.SETTLES] = exchange.settlement_days
    c[reg.LATENCY] = int(exchange.latency_seconds * reg.SECOND)
    c[reg.IS_DAILY] = bars.is_daily
    c[reg.ENTRIES] = risk.entries_a_day
    c[reg.RULES_GUARD] = exits.guards(strategy)
    c[reg.PROFIT_TARGET] = int(exits.profit_target * reg.RATIO_UNITS)
    c[reg.STALE_DAYS], c[reg.STALE_GAIN] = exits.stale_days, int(exits.stale_gain * reg.RATIO_UNITS)
    c[reg.MAX_DAYS] = exits.max_days
    throttle, cash = risk.sizing.throttle, exchange.cash
    c[reg.DAY_LOSS] = _least(risk.daily_loss.of(cash / 2), throttle.daily_part)
    c[reg.WEEK_LOSS] = _least(risk.weekly_loss.of(cash / 2), throttle.weekly_part)
    c[reg.FAULT] = fault
    return c


def _least(limit: Decimal | None, part: Decimal) -> int:
    """Return the loss from which the desk acts, in units of money: a part of the limit, where sizes shrink."""
    return 2**62 if limit is None else int(limit * min(part, Decimal(1)) * MONEY_UNITS)
