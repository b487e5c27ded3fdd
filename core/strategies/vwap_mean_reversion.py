"""VWAP micro mean reversion: buy a dip below the session's average price, sell when it is back (ST-02).

It buys at the close, by a limit, when a minute closes below VWAP × (1 − entry deviation) in the entry window, and exits
at the market: at the stop, back at VWAP, or shortly before the close. It reads complete one-minute bars of one symbol
and nothing else; the desk sets its size (RK-02, RK-10).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise

from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.signal import Answer, EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import SUB_PENNY, ZERO, Price, Quantity, percent, rounded_down
from core.risk.sizing import WantedEntry, size_of
from core.settings.strategies import VwapAdaptive, VwapSettings
from core.strategies.base import Context, Figures

ONE = Decimal(1)
THREE = Decimal(3)
FINEST = Decimal("0.000001")

DISABLED = NoTrade(NoTradeReason.DISABLED)
PAUSED = NoTrade(NoTradeReason.PAUSED)
DAY_DISABLED = NoTrade(NoTradeReason.DAY_DISABLED)
WARMING_UP = NoTrade(NoTradeReason.WARMING_UP)
NO_VWAP = NoTrade(NoTradeReason.NO_VWAP)
THIN_VOLUME = NoTrade(NoTradeReason.THIN_VOLUME)
OUTSIDE_WINDOW = NoTrade(NoTradeReason.OUTSIDE_WINDOW)
IN_POSITION = NoTrade(NoTradeReason.IN_POSITION)
MAX_TRADES_REACHED = NoTrade(NoTradeReason.MAX_TRADES_REACHED)
PROPOSAL_WAITING = NoTrade(NoTradeReason.PROPOSAL_WAITING)
BACK_PRESSURE = NoTrade(NoTradeReason.BACK_PRESSURE)
PRICE_ABOVE_THRESHOLD = NoTrade(NoTradeReason.PRICE_ABOVE_THRESHOLD)
WEAK_SETUP = NoTrade(NoTradeReason.WEAK_SETUP)
ZERO_SIZE = NoTrade(NoTradeReason.ZERO_SIZE)


@dataclass(slots=True)
class VwapState:
    """The strategy's memory of the session.

    Attributes
    ----------
    day
        The session's trading day; None before the first bar.
    bars
        Bars of the session, the current one included; a minute without a trade has none.
    volume
        Shares traded in them.
    weighted
        Sum of (high + low + close) × volume: three times the numerator of VWAP, so that a bar costs no division.
    earlier
        Both sums after each of the last bars, oldest first, for the window of the slope filter; empty while it is off.
    close, closes
        Its last close, and those of the sessions before, oldest first, for the window of the adaptive thresholds; None
        and empty while they are off.
    """

    day: date | None = None
    bars: int = 0
    volume: Decimal = ZERO
    weighted: Decimal = ZERO
    earlier: deque[tuple[Decimal, Decimal]] = field(default_factory=deque)
    close: Price | None = None
    closes: list[Price] = field(default_factory=list)

    @property
    def vwap(self) -> Price | None:
        """Sum of typical price × volume ÷ sum of volume, typical = (high + low + close) ÷ 3; None without volume."""
        return Price(self.weighted / (THREE * self.volume)) if self.volume else None


class VwapStrategy:
    """VWAP micro mean reversion of one symbol (ST-02, ST-03).

    Enters by a limit at the close when a minute closes more than `entry_deviation` below VWAP, after `minimum_bars` and
    `minimum_volume` of the session. The stop is `stop_fraction` below the limit.

    Exits at the market when a close is `stop_fraction` below the entry, when a close is back at VWAP, and
    `flat_minutes` before the close of the day.

    Known failure regimes, and the control for each:

    - A gap through the stop fills below it: the check `daily loss` ends the day (RK-03).
    - A wide spread eats the reversion: the check `spread` compares it with the way to the stop (RK-17).
    - VWAP on thin volume is noise: `WARMING_UP` before `minimum_bars`, `THIN_VOLUME` before `minimum_volume`.
    - A marginal dip, on little volume or in a falling market, goes on falling: `WEAK_SETUP` if `filters.enabled`
      (ST-06).
    - The price leaves an unfilled limit: it is not chased and ends after `staging.signal_seconds` (ST-03, EX-07).
    """

    name = "vwap"

    def __init__(self, settings: VwapSettings, state: VwapState | None = None) -> None:
        self.settings = settings
        self.state = state or VwapState()
        self._is_enabled = settings.enabled
        self._minimum_bars = settings.minimum_bars
        self._minimum_volume = settings.minimum_volume
        self._slope_bars = settings.filters.slope_bars if settings.filters.enabled else 0
        self._is_adaptive = settings.adaptive.enabled
        self._set_thresholds()

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        """Answer with exits first, in any state.

        The reasons not to enter follow in the order of ST-03, then the entry.
        """
        state = self.state
        if state.day != context.session.day:
            state = self._begin_day(context.session.day)
        close = bar.close
        volume = bar.volume
        state.bars += 1
        state.volume += volume
        state.weighted += (bar.high + bar.low + close) * volume
        if self._slope_bars:
            state.earlier.append((state.weighted, state.volume))
            while len(state.earlier) > self._slope_bars + 1:
                state.earlier.popleft()
        if self._is_adaptive:
            state.close = close
        if context.held > ZERO:
            exit_signal = self._exit(bar, context)
            if exit_signal is not None:
                return exit_signal
        if not (context.is_enabled and self._is_enabled):
            return PAUSED if context.is_paused and self._is_enabled else DISABLED
        if context.is_day_disabled:
            return DAY_DISABLED
        if state.bars < self._minimum_bars:
            return WARMING_UP
        if not state.volume:
            return NO_VWAP
        if state.volume < self._minimum_volume:
            return THIN_VOLUME
        if not context.is_in_window(bar.start):
            return OUTSIDE_WINDOW
        return self._in_window(bar, context)

    def _begin_day(self, day: date) -> VwapState:
        """Reset the session; for adaptive thresholds, keep the closes of earlier ones."""
        last = self.state
        self.state = VwapState(day=day)
        if self._is_adaptive:
            known = last.closes if last.close is None else [*last.closes, last.close]
            self.state.closes = known[-self.settings.adaptive.days - 1 :]
            self._set_thresholds()
        return self.state

    def _set_thresholds(self) -> None:
        """Use the configured thresholds, or scale them for this session by the days before it (ST-06)."""
        settings = self.settings
        scale = scale_of(self.state.closes, settings.adaptive) if self._is_adaptive else None
        entry, stop = settings.entry_deviation, settings.stop_fraction
        if scale is not None:
            entry, stop = (bounded(each * scale, settings.adaptive) for each in (entry, stop))
        self._stop_fraction = stop
        self._entry_part = ONE - entry
        self._stop_part = ONE - stop
        self._far_part = ONE - entry * settings.filters.distance

    def figures(self, day: date) -> Figures:
        """Return VWAP, its basis, and the price below which it would buy (USD, to the cent)."""
        state = self.state
        if state.day != day:
            return (("VWAP", "none yet today"), ("bars", "0"))
        vwap = state.vwap
        known = vwap is not None and state.bars >= self._minimum_bars and state.volume >= self._minimum_volume
        return (
            ("VWAP", "none without volume" if vwap is None else _text(vwap)),
            ("bars", f"{state.bars} of at least {self._minimum_bars}"),
            ("volume", f"{state.volume:,.0f} of at least {self._minimum_volume:,.0f} shares"),
            ("entry below", _text(vwap * self._entry_part) if vwap is not None and known else "not yet"),
        )

    def _in_window(self, bar: Bar, context: Context) -> Answer:
        state = self.state
        if context.held:
            return IN_POSITION
        if context.entries_filled >= context.entries_allowed:
            return MAX_TRADES_REACHED
        if context.is_waiting:
            return PROPOSAL_WAITING
        if context.is_broker_behind:
            return BACK_PRESSURE
        # close < VWAP × (1 − deviation), multiplied out
        if bar.close * THREE * state.volume >= self._entry_part * state.weighted:
            return PRICE_ABOVE_THRESHOLD
        if self.settings.filters.enabled and self._is_weak(bar):
            return WEAK_SETUP
        return self._entry(bar, context)

    def _is_weak(self, bar: Bar) -> bool:
        """Return whether a filter rejects this dip; without a known slope it does (ST-06)."""
        state = self.state
        if bar.volume <= self.settings.filters.bar_volume:
            return True
        if bar.close * THREE * state.volume > self._far_part * state.weighted:
            return True
        return self._slope_bars > 0 and not self._slopes_up()

    def _slopes_up(self) -> bool:
        earlier = self.state.earlier
        if len(earlier) <= self._slope_bars:
            return False
        weighted, volume = earlier[0]
        return self.state.weighted * volume > weighted * self.state.volume

    def _entry(self, bar: Bar, context: Context) -> Answer:
        settings = self.settings
        limit = Price(rounded_down(bar.close, STOCK_TICKS.at(bar.close)))
        stop = STOCK_TICKS.nearest(limit * self._stop_part)
        size = size_of(
            WantedEntry(
                risk=context.risk_per_trade,
                price=limit,
                way=limit * self._stop_fraction,
                max_notional=context.max_notional,
                step=settings.quantity_step,
                least=context.min_notional,
            ),
            context.conditions(),
        )
        if size.quantity <= ZERO or stop >= limit:
            return ZERO_SIZE
        vwap = self._reference(bar)
        return EntrySignal(
            strategy=self.name,
            symbol=bar.symbol,
            bar_start=bar.start,
            limit_price=limit,
            stop_price=stop,
            stop_holder=settings.stop_holder,
            quantity=size.quantity,
            reference=vwap,
            reason=f"close {_text(bar.close)} is {percent((vwap - bar.close) / vwap)} below VWAP {_text(vwap)}",
        )

    def _exit(self, bar: Bar, context: Context) -> ExitSignal | None:
        """Check the stop first, then the close of the day, then the reversion.

        The stop rule sells only shares without an exit at the broker; the two others sell all, and the desk first
        cancels a stop that reserves the shares (EX-21).
        """
        close = bar.close
        uncovered = Quantity(context.held - context.covered)
        entry = context.entry_price
        if entry is not None and uncovered > ZERO and close <= entry * self._stop_part:
            why = f"close {_text(close)} is {percent((entry - close) / entry)} below the entry {_text(entry)}"
            return self._leaving(bar, uncovered, ExitReason.STOP_LOSS, why)
        if bar.start >= context.flat_from:
            venue = context.venue
            flat, closes = f"{venue.local(context.flat_from):%H:%M}", venue.told(context.session.close)
            why = f"flat from the bar of {flat}, the market closes at {closes}"
            return self._leaving(bar, context.held, ExitReason.FORCE_FLAT, why)
        state = self.state
        if state.volume and close * THREE * state.volume >= state.weighted:
            why = f"close {_text(close)} is back at VWAP {_text(self._reference(bar))}"
            return self._leaving(bar, context.held, ExitReason.MEAN_REVERSION, why)
        return None

    def _leaving(self, bar: Bar, quantity: Quantity, exit_reason: ExitReason, why: str) -> ExitSignal:
        return ExitSignal(
            strategy=self.name,
            symbol=bar.symbol,
            bar_start=bar.start,
            quantity=quantity,
            exit_reason=exit_reason,
            intended_price=bar.close,
            reference=self._reference(bar),
            reason=why,
        )

    def _reference(self, bar: Bar) -> Price:
        """Return VWAP to a hundredth of a cent, for the record; the close if there is none."""
        vwap = self.state.vwap
        return bar.close if vwap is None else Price(vwap.quantize(SUB_PENNY))


def scale_of(closes: list[Price], terms: VwapAdaptive) -> Decimal | None:
    """Return the volatility of the last days over the usual one; None with too few days, and in a dead market.

    The volatility is the sample standard deviation of simple returns from close to close.
    """
    if len(closes) <= terms.days:
        return None
    returns = [after / before - ONE for before, after in pairwise(closes[-terms.days - 1 :])]
    mean = sum(returns, ZERO) / len(returns)
    variance = sum(((each - mean) ** 2 for each in returns), ZERO) / (len(returns) - 1)
    return variance.sqrt() / terms.usual if variance else None


def bounded(threshold: Decimal, terms: VwapAdaptive) -> Decimal:
    """Limit to the allowed range, to a hundredth of a basis point."""
    return min(max(threshold.quantize(FINEST), terms.least), terms.most)


def _text(price: Decimal) -> str:
    """Format a price to its tick: 168.70."""
    return str(STOCK_TICKS.nearest(price))
