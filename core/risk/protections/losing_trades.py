"""Protections that count losing trades (RK-06, RK-08, RK-05)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal

from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, Fraction, percent
from core.risk.protections.closed_trades import ClosedTrade, RollingSum
from core.risk.protections.protection import EVERYTHING, Lock, Locks, Measure, Scope, TradeProtection
from core.settings.protections import CooldownSettings, LossStreakSettings, LowProfitSettings, StopLossGuardSettings


@dataclass(slots=True)
class CooldownState:
    locks: Locks = field(default_factory=Locks)
    last: Fraction | None = None


class Cooldown(TradeProtection):
    """A pause in a symbol after a trade with a large loss, or after every trade (RK-06; freqtrade's CooldownPeriod).

    Shuts the symbol's entries; ends its time after the trade that paused it closed, or by a typed override.
    """

    name = "cooldown"

    def __init__(self, terms: Callable[[], CooldownSettings]) -> None:
        self.terms = terms
        self.state = CooldownState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        terms = self.terms()
        self.state.last = trade.ratio
        loss = -trade.ratio
        if terms.loss and loss < terms.loss:
            return
        what = (
            f"a loss of {percent(loss)}, {percent(terms.loss)} and more pause"
            if terms.loss
            else "each trade pauses its symbol"
        )
        until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
        self.locks.shut(Lock(Scope(trade.symbol), trade.closed_at, until, max(loss, ZERO), terms.loss, what))

    def measures(self, at: datetime) -> Iterator[Measure]:
        """Yield the last trade's loss while no symbol is paused; paused symbols report their own lock.

        A trade that paused its symbol no longer counts once the pause has ended.
        """
        lost, limit = max(-(self.state.last or ZERO), ZERO), self.terms().loss
        if any(self.locks.holding(at)):
            return
        if lost < limit or self.state.last is None:
            yield Measure(EVERYTHING, lost, limit, "the last trade's loss")
            return
        words = f"the last trade lost {percent(lost)}; the pause of its symbol is over"
        yield Measure(EVERYTHING, None, limit, words, "none paused")


@dataclass(slots=True)
class LossStreakState:
    """`in_a_row` is keyed by strategy; a strategy whose last trade made money is not kept."""

    in_a_row: dict[str, int] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class LossStreak(TradeProtection):
    """Losses of a strategy in a row shut it for a while.

    Shuts the strategy's entries; ends its time after the last loss closed, or by a typed override.
    """

    name = "loss_streak"
    is_count = True

    def __init__(self, terms: Callable[[], LossStreakSettings]) -> None:
        self.terms = terms
        self.state = LossStreakState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        if trade.ratio >= 0:
            self.state.in_a_row.pop(trade.strategy, None)
            return
        terms, count = self.terms(), self.state.in_a_row.get(trade.strategy, 0) + 1
        self.state.in_a_row[trade.strategy] = count
        if count >= terms.trade_limit:
            until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
            reason = f"{count} losses in a row, the limit is {terms.trade_limit}"
            self.locks.shut(
                Lock(_scope(trade.strategy), trade.closed_at, until, Decimal(count), Decimal(terms.trade_limit), reason)
            )

    def measures(self, at: datetime) -> Iterator[Measure]:
        limit, words = Decimal(self.terms().trade_limit), "losses in a row"
        rows = [Measure(_scope(name), Decimal(count), limit, words) for name, count in self.state.in_a_row.items()]
        yield from rows or [Measure(EVERYTHING, Decimal(0), limit, words)]


def _scope(strategy: str) -> Scope:
    """Trades without a known strategy count together."""
    return Scope(strategy=strategy or None)


@dataclass(slots=True)
class Judged:
    """The counted profit ratios of one scope."""

    scope: Scope
    ratios: RollingSum = field(default_factory=RollingSum)


@dataclass(slots=True)
class LowProfitState:
    judged: dict[str, Judged] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class LowProfit(TradeProtection):
    """A symbol whose recent trades made too little together is shut (RK-08; freqtrade's LowProfitPairs).

    Shuts the symbol's entries; ends its time after the last counted trade closed, or by a typed override.
    """

    name = "low_profit"

    def __init__(self, terms: Callable[[], LowProfitSettings]) -> None:
        self.terms = terms
        self.state = LowProfitState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        terms = self.terms()
        scope = Scope(trade.symbol, trade.direction if terms.per_side else None)
        ratios = self.state.judged.setdefault(str(scope), Judged(scope)).ratios
        ratios.add(trade.closed_at, trade.ratio)
        ratios.drop_until(trade.closed_at - timedelta(minutes=terms.lookback_minutes))
        if len(ratios) < terms.trade_limit or ratios.total >= terms.required_profit:
            return
        until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
        reason = f"{len(ratios)} trades made {percent(ratios.total)}, {percent(terms.required_profit)} is required"
        self.locks.shut(Lock(scope, trade.closed_at, until, ratios.total, terms.required_profit, reason))

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        oldest = at - timedelta(minutes=terms.lookback_minutes)
        found = [(judged.scope, *judged.ratios.since(oldest)) for judged in self.state.judged.values()]
        required = terms.required_profit
        judged = [_measured(scope, count, total, terms) for scope, count, total in found if count]
        yield from judged or [Measure(EVERYTHING, ZERO, required, f"no trade in {terms.lookback_minutes} minutes")]


def _measured(scope: Scope, count: int, total: Decimal, terms: LowProfitSettings) -> Measure:
    """Build the measure; with too few trades there is no figure yet."""
    words = f"{count} trade{'s' * (count != 1)} of {terms.lookback_minutes} minutes, {terms.trade_limit} are judged"
    if count >= terms.trade_limit:
        return Measure(scope, total, terms.required_profit, words)
    so_far = f"{words}; {percent(total)} so far, {percent(terms.required_profit)} is required"
    return Measure(scope, None, terms.required_profit, so_far, f"{count} of {terms.trade_limit} trades")


@dataclass(slots=True)
class CountedStop:
    """The counted stop-outs of one scope."""

    scope: Scope
    stops: RollingSum = field(default_factory=RollingSum)


@dataclass(slots=True)
class StopLossGuardState:
    counted: dict[str, CountedStop] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)


class StopLossGuard(TradeProtection):
    """Recent stop-outs shut a symbol, a side, or everything (RK-05; freqtrade's StoplossGuard).

    Shuts a symbol, a side or every entry; ends its time after the last counted stop-out, or by a typed override.
    """

    name = "stop_loss_guard"
    is_count = True

    def __init__(self, terms: Callable[[], StopLossGuardSettings]) -> None:
        self.terms = terms
        self.state = StopLossGuardState()

    @property
    def locks(self) -> Locks:
        return self.state.locks

    def take(self, trade: ClosedTrade) -> None:
        terms = self.terms()
        is_counted = trade.is_stop_out and trade.ratio != 0 and trade.ratio < terms.required_profit
        for scope in self._scopes(trade, terms):
            counted = self.state.counted.setdefault(str(scope), CountedStop(scope))
            counted.stops.drop_until(trade.closed_at - timedelta(minutes=terms.lookback_minutes))
            if is_counted:
                self._count(counted, trade, terms)
            elif terms.consecutive:
                counted.stops = RollingSum()
            if not counted.stops:
                del self.state.counted[str(scope)]

    def _count(self, counted: CountedStop, trade: ClosedTrade, terms: StopLossGuardSettings) -> None:
        counted.stops.add(trade.closed_at)
        count = len(counted.stops)
        if count >= terms.trade_limit:
            until = trade.closed_at + timedelta(minutes=terms.stop_minutes)
            reason = f"{count} stop-outs{_in_a_row(terms)}, the limit is {terms.trade_limit}"
            self.locks.shut(
                Lock(counted.scope, trade.closed_at, until, Decimal(count), Decimal(terms.trade_limit), reason)
            )

    def _scopes(self, trade: ClosedTrade, terms: StopLossGuardSettings) -> Iterator[Scope]:
        side = trade.direction if terms.per_side else None
        if terms.per in ("symbol", "both"):
            yield Scope(trade.symbol, side)
        if terms.per in ("global", "both"):
            yield Scope(None, side)

    def measures(self, at: datetime) -> Iterator[Measure]:
        terms = self.terms()
        words = f"stop-outs{_in_a_row(terms)} of {terms.lookback_minutes} minutes"
        oldest = at - timedelta(minutes=terms.lookback_minutes)
        limit = Decimal(terms.trade_limit)
        found = [(counted.scope, Decimal(counted.stops.since(oldest)[0])) for counted in self.state.counted.values()]
        counting = [Measure(scope, count, limit, words) for scope, count in found if count]
        yield from counting or [Measure(EVERYTHING, Decimal(0), limit, words)]


def _in_a_row(terms: StopLossGuardSettings) -> str:
    return " in a row" if terms.consecutive else ""
