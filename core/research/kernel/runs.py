"""One backtest by the kernel: settings and bars in, fills, trades and daily equity out, as the engine's (AN-08)."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.model.order import Side
from core.model.session import HOME, LONGEST_BEFORE_A_CLOSE
from core.model.signal import ExitReason
from core.model.values import ZERO
from core.ports import OperatorError
from core.research.kernel import layout as reg
from core.research.kernel.house import strategy_of
from core.research.kernel.inputs import KernelBars, microseconds, moment
from core.research.kernel.layout import MONEY_UNITS, PRICE_UNITS, QUANTITY_UNITS, Integers
from core.research.kernel.loop import advance
from core.research.kernel.plans import Sizes
from core.research.kernel.prepared import Prepared
from core.research.kernel.protections import MOST_PAST, write_protections
from core.research.kernel.quotes import bid_of
from core.research.kernel.refusals import FOUND, refusal
from core.research.kernel.signals import Strategy
from core.research.kernel.sizes import NOISE_BARS, limits_of, terms_of
from core.risk.strategy_limits import entries_a_day, own_limits
from core.settings.settings import Settings

REASONS = {
    reg.BY_STOP: ExitReason.STOP_LOSS,
    reg.BY_TARGET: ExitReason.TAKE_PROFIT,
    reg.BY_SIGNAL: ExitReason.SIGNAL,
    reg.BY_CLOSE: ExitReason.FORCE_FLAT,
    reg.BY_TIME: ExitReason.TIME_EXIT,
    reg.BY_REVERSION: ExitReason.MEAN_REVERSION,
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
    fill_rows, trade_rows
        A row for each execution and each closed trade, in the columns of `layout`.
    equity_units
        The account at the close of each of `days`, in units of money.
    open_quantity, open_since
        The position at the end: shares, and when it was opened.
    open_profit
        Of its trade so far and of its shares at the quote of the end, after all fees, USD.
    """

    fill_rows: Integers
    trade_rows: Integers
    days: tuple[date, ...]
    equity_units: Integers
    open_quantity: Decimal
    open_since: datetime | None
    open_profit: Decimal

    @property
    def fills(self) -> tuple[KernelFill, ...]:
        return tuple(map(_fill, self.fill_rows.tolist()))

    @property
    def equity(self) -> tuple[Decimal, ...]:
        """The account at the same closes, USD."""
        return tuple(map(_money, self.equity_units.tolist()))

    @property
    def profits(self) -> tuple[Decimal, ...]:
        """Of the closed trades, after fees, USD."""
        rows = self.trade_rows
        return tuple(map(_money, (rows[:, reg.PROCEEDS] - rows[:, reg.COST] - rows[:, reg.FEES]).tolist()))

    @property
    def trades(self) -> tuple[KernelTrade, ...]:
        """The closed trades, in order of their exit."""
        return tuple(map(_trade, self.trade_rows.tolist()))


def played(
    settings: Settings,
    bars: KernelBars | Prepared,
    strategy: Strategy | None = None,
    *,
    since: datetime | None = None,
    fault: int = 0,
) -> KernelRun:
    """Play a strategy on bars, by default the one that the settings enable.

    Parameters
    ----------
    bars
        `Prepared` bars keep what runs have in common.
    since
        Entries of bars that start before it are never confirmed; None confirms all.
    fault
        The number of a fault to plant, for tests; 0 plants none.

    Raises
    ------
    NotModelledError
        Names everything that is not modelled.
    """
    strategy = strategy or strategy_of(settings)
    prepared = bars if isinstance(bars, Prepared) else Prepared(bars)
    if names := refusal(settings, prepared.bars, strategy.name):
        raise NotModelledError("; ".join(names))
    first = -reg.NEVER if since is None else microseconds(since)
    return _Run(settings, prepared, strategy, first, fault).run()


class _Run:
    """The arrays of one run."""

    def __init__(self, settings: Settings, prepared: Prepared, strategy: Strategy, first: int, fault: int) -> None:
        self._bars = bars = prepared.bars
        self._sessions = _session_table(settings, bars, strategy.name)
        self._config = _config(settings, bars, strategy, fault)
        self._signals = prepared.signals(strategy, self._sessions, _windows(settings, bars, strategy.name))
        self._state = _opening(settings)
        limits = limits_of(settings)
        average = prepared.averages(int(limits[NOISE_BARS]))
        self._sizes = Sizes(settings, strategy, bars, self._sessions[reg.DAY], first, average)
        terms = terms_of(settings, self._sizes.step, bars.begun_in, first)
        self._terms = (terms, limits, average, strategy.write_terms(terms))
        self._fills, self._trades = list[Integers](), list[Integers]()

    def run(self) -> KernelRun:
        s, c, length = self._state, self._config, len(self._bars.sessions)
        c[reg.PAST_ROW] = reg.SETTLING_ROW + length + reg.MOST_STOPS
        tables = np.zeros((int(c[reg.PAST_ROW]) + MOST_PAST, reg.TABLE_SIZE), np.int64)
        tables[reg.SETTLING_ROW, 1] = s[reg.DAY_OPENING]
        equity = np.zeros(length, np.int64)
        arrays = (self._bars.columns, self._sessions, self._signals, tables, equity, *self._terms)
        while (why := advance(s, c, *arrays)) != reg.DONE:
            self._empty(tables)
            if why == reg.IS_REFUSED:
                place = moment(int(self._bars.columns[reg.START][min(int(s[reg.BAR]), len(self._bars) - 1)]))
                raise NotModelledError(f"{FOUND[int(s[reg.REFUSED])]}, about {place:%Y-%m-%d %H:%M}")
            if why == reg.TO_SIZE:
                bar = int(s[reg.BAR])
                self._sizes.answer(s, c, bar, int(self._signals[reg.ENTERS][bar]) - 1)
        self._empty(tables)
        number, held = int(s[reg.SESSION_NOW]) + 1, int(s[reg.POSITION])
        return KernelRun(
            np.concatenate(self._fills),
            np.concatenate(self._trades),
            tuple(session.day for session in self._bars.sessions[:number]),
            equity[:number],
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

    def _empty(self, tables: Integers) -> None:
        """Move the tables' rows into the result."""
        s = self._state
        self._fills.append(tables[reg.FILL_ROW : reg.FILL_ROW + s[reg.FILLS]].copy())
        self._trades.append(tables[reg.TRADE_ROW : reg.TRADE_ROW + s[reg.TRADES]].copy())
        s[reg.FILLS] = s[reg.TRADES] = s[reg.COUNTED] = 0


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


def _opening(settings: Settings) -> Integers:
    s = np.zeros(reg.STATE_SIZE, np.int64)
    cash = int(settings.exchange.cash * MONEY_UNITS)
    s[reg.CASH] = s[reg.DAY_OPENING] = s[reg.WEEK_OPENING] = cash
    s[reg.OPENED] = s[reg.FRESH_BAR] = -1
    s[reg.TAKEN_IN] = s[reg.LOCKED_UNTIL] = -reg.NEVER
    return s


def _session_table(settings: Settings, bars: KernelBars, strategy: str) -> Integers:
    """Return the sessions, and from when a position must be flat."""
    table = bars.clock.copy()
    table[reg.FLAT_FROM] = table[reg.CLOSES] - settings.flat_minutes(strategy) * reg.MINUTE
    return table


def _windows(settings: Settings, bars: KernelBars, strategy: str) -> Integers:
    """Return two rows for each window of entries: its first and last bar start in each session, as `entry_spans`."""
    risk, own = settings.risk, own_limits(settings, strategy).windows
    opens, shuts = _window(bars, risk.window_start, risk.window_end)
    if not own:
        return np.array([opens, shuts])
    each = (_window(bars, window.first, window.last) for window in own)
    return np.array([row for first, last in each for row in (np.maximum(first, opens), np.minimum(last, shuts))])


def _window(bars: KernelBars, *ends: time) -> tuple[Integers, Integers]:
    """Return the first and the last bar start of a window in each session, as `window_of`."""
    first, last, usual = (
        bars.clock[reg.NOON] + ((clock.hour - 12) * 3600 + clock.minute * 60 + clock.second) * reg.SECOND
        for clock in (*ends, HOME.closes)
    )
    before = np.minimum(usual - last, int(LONGEST_BEFORE_A_CLOSE.total_seconds()) * reg.SECOND)
    closes = bars.clock[reg.CLOSES]
    return first, np.where((closes < usual) & (last < usual), np.minimum(last, closes - before), last)


def _config(settings: Settings, bars: KernelBars, strategy: Strategy, fault: int) -> Integers:
    exchange, exits, risk = settings.exchange, settings.exits, settings.risk
    part = Fraction(exchange.participation)
    c = np.zeros(reg.CONFIG_SIZE, np.int64)
    c[reg.HALF_SPREAD] = int(exchange.half_spread_ticks * reg.TICK)
    c[reg.SLIPPAGE] = int(exchange.slippage * reg.RATE_UNITS)
    c[reg.BY_SIZE] = int(exchange.slippage_by_size * reg.RATE_UNITS)
    c[reg.PART], c[reg.OF_PARTS] = part.numerator, part.denominator
    c[reg.FEE] = int(exchange.fee_per_share * PRICE_UNITS)
    c[reg.SETTLES] = exchange.settlement_days
    c[reg.LATENCY] = int(exchange.latency_seconds * reg.SECOND)
    c[reg.IS_DAILY] = bars.is_daily
    c[reg.ENTRIES] = entries_a_day(settings, strategy.name, risk.entries_a_day)
    c[reg.RULES_GUARD] = exits.guards(strategy.name)
    c[reg.PROFIT_TARGET] = int(exits.profit_target * reg.RATIO_UNITS)
    c[reg.STALE_DAYS], c[reg.STALE_GAIN] = exits.stale_days, int(exits.stale_gain * reg.RATIO_UNITS)
    c[reg.MAX_DAYS] = exits.max_days
    leaving = strategy.leaving
    c[reg.LEAVE_REASON], c[reg.LEVEL_BARS], c[reg.LONGEST] = leaving.reason, leaving.level_bars, leaving.longest
    throttle = risk.sizing.throttle
    c[reg.DAY_LOSS] = _least(risk.daily_loss.usd, throttle.daily_part)
    c[reg.WEEK_LOSS] = _least(risk.weekly_loss.usd, throttle.weekly_part)
    write_protections(c, risk.protections)
    c[reg.FAULT] = fault
    return c


def _least(limit: Decimal | None, part: Decimal) -> int:
    """Return the loss from which the desk acts, in units of money: a part of the limit, where sizes shrink."""
    return 2**62 if limit is None else int(limit * min(part, Decimal(1)) * MONEY_UNITS)
