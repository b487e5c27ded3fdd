"""Shadow trades: an entry that was declined, expired or blocked is followed as if it had been sent (OP-12).

It waits until the quote reaches its limit, is open at its limit from then on, and ends at its stop, at its target, or
flat with its session, at the bar's close. A stop entry waits for its trigger first and opens at the market there; after
it a stop-limit waits for its limit. One that is immediate or cancelled opens at once or never. An entry with a time to
live waits so long, and for its first whole bar at least. If its strategy holds overnight, it ends on the last day that
the exit rules allow. It pays trading costs by the terms of `exchange.*` at every broker: half a spread each way (a
limit fills when a bar goes that far past it; any other price is worse by that much), and both fees. Shadow trades are
never sent and count for no limit; only the equity curve of a strategy that it shut counts them, so that the strategy
can recover (RK-13). If a bar can be read in two ways, the worse one counts:

- a bar that was under way when the entry was let go does not count; the first whole one after it does
- a stop-limit that a bar triggers fills in it if the price met then, or the bar's close, is within the limit
- a trail follows the bar's low (a stop its high) after the bar, unless the close is certainly beyond it
- in the bar that filled the entry the stop ends it; the target only if the close is beyond it
- a stop goes before a target
- an open beyond the stop fills at the open; an open better than the limit or the target brings no improvement, except
  for a target after a pause, which fills at the bid of the open
- if no bar comes after the last one of a session, that one's close ends it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any

from core.execution.ledger import Ledger
from core.facts import (
    ActionEvidence,
    BarClosed,
    CorporateActionApplied,
    ProposalEnded,
    ProposalSkipped,
    SessionsAnnounced,
    SubmissionBlocked,
)
from core.model.bar import ONE_MINUTE, Bar
from core.model.codes import ProposalEnd
from core.model.instrument import Instrument, named, share
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest, Side, TimeInForce
from core.model.rescaling import Rescaling
from core.model.session import Calendar, NoSession, Session
from core.model.signal import ExitReason
from core.model.staging import MANUAL, NoStop, Proposal, StopPlan
from core.model.thesis import EndedTrade, EndedTrades
from core.model.values import ZERO, Fraction, Money, Price, Quantity, Symbol
from core.risk.protections.closed_trades import ClosedTrade, Direction, ratio_of
from core.risk.strategy_limits import entries_a_day
from core.risk.trading_status import TradingStatus
from core.settings.settings import Settings
from core.staging.resting_entries import target_of
from core.staging.stage import Stage
from core.staging.time_in_force import time_to_live

NOT_TAKEN = (ProposalEnd.DECLINED, ProposalEnd.EXPIRED, ProposalEnd.BLOCKED)
BLOCKED = ProposalEnd.BLOCKED.value
A_PAUSE = timedelta(hours=4)
"""Between two bars, as overnight: a waiting target gets an open beyond it."""
MOST_DAYS = 30
"""Calendar days an overnight shadow trade is followed at most, if the exit rules name no last day."""


class ShadowCourse(StrEnum):
    """The stage of a shadow trade. One that `CLOSE` ended without an entry was never filled.

    The last three are of an entry that is counted and not followed, so it has no result.
    """

    WAITS = "waits"
    OPEN = "open"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"
    BESIDE = "another is followed"
    """A strategy holds one position of a symbol at a time."""
    SHUT = "market closed"
    UNPRICED = "no price known"


NOT_FOLLOWED = (ShadowCourse.BESIDE, ShadowCourse.SHUT, ShadowCourse.UNPRICED)
EXITS = {
    ShadowCourse.STOP: ExitReason.STOP_LOSS,
    ShadowCourse.TARGET: ExitReason.TAKE_PROFIT,
    ShadowCourse.CLOSE: ExitReason.FORCE_FLAT,
}
"""The exit reason of a trade that ends this way."""


@dataclass(slots=True)
class ShadowTrade:
    """One entry that was not taken. Written by the fold alone.

    Attributes
    ----------
    let_go_at
        When it was declined, expired or blocked (UTC); bars that begin before it do not count.
    flat_from, closes_at
        Bars that start at the first or later end flat; the second is its session's close, until which its limit waits.
    until
        The close until which it is held overnight; None if it is flat by the close.
    last_at
        Start of the newest bar since `let_go_at`, UTC.
    last
        Close of the newest bar since it was filled, USD; None before.
    left_at
        Exit price, USD; None while it goes on, and if it was never filled or followed.
    is_counted
        The equity curve shut its strategy, and its result counts there.
    half_spread, fee
        USD a share, each way; zero in records from before they were counted.
    traded
        The instrument, as its order named it; None is a share.
    expires_at
        When its time to live is over and it waits no more; None without one.
    trigger
        While it waits for one: the price that triggers it, USD; that of a trailing entry follows the market.
    has_limit
        Whether it fills at `entry_price` or not at all; otherwise that is set as it fills.
    trail_price, trail_fraction
        How far a trailing entry follows the best price.
    behind
        How far its stop follows the best price from its fill, USD; None for a stop that stays.
    """

    key: str
    strategy: str
    symbol: Symbol
    side: Side
    quantity: Quantity
    entry_price: Price
    stop: Price | None
    target: Price | None
    end: str
    let_go_at: datetime
    flat_from: datetime
    closes_at: datetime
    course: ShadowCourse = ShadowCourse.WAITS
    last: Price | None = None
    left_at: Price | None = None
    is_counted: bool = False
    half_spread: Decimal = ZERO
    fee: Decimal = ZERO
    traded: Instrument | None = None
    until: datetime | None = None
    last_at: datetime | None = None
    expires_at: datetime | None = None
    trigger: Price | None = None
    has_limit: bool = True
    trail_price: Price | None = None
    trail_fraction: Fraction | None = None
    behind: Price | None = None

    @property
    def instrument(self) -> Instrument:
        return self.traded or share(self.symbol)

    @property
    def is_left_out(self) -> bool:
        """Return whether it is counted and never followed."""
        return self.course in NOT_FOLLOWED

    @property
    def is_followed(self) -> bool:
        return self.course in (ShadowCourse.WAITS, ShadowCourse.OPEN)

    def is_held_at(self, at: datetime) -> bool:
        """Return whether it is open and held overnight at that time."""
        return self.course is ShadowCourse.OPEN and self.until is not None and at < self.until

    @property
    def result(self) -> Money | None:
        """Its profit, realised or at the last close, after fees, USD; None until it is filled."""
        price = self._at_the_market(self.last) if self.left_at is None else self.left_at
        if price is None:
            return None
        gained = price - self.entry_price if self.side is Side.BUY else self.entry_price - price
        fee = self.fee * self.quantity
        return Money(self.instrument.notional(self.quantity, gained) - fee - fee)

    def as_trade(self, at: datetime) -> ClosedTrade | None:
        """Return the trade that it would have been, closed at `at`; None if it was never filled."""
        staked, result = self.instrument.cost(self.quantity, self.entry_price), self.result
        if result is None or not staked:
            return None
        return ClosedTrade(
            symbol=self.symbol,
            direction=Direction.LONG if self.side is Side.BUY else Direction.SHORT,
            opened_at=self.let_go_at,
            closed_at=at,
            ratio=ratio_of(result / staked),
            exit_reason=EXITS[self.course],
            profit=result,
            strategy=self.strategy,
            is_shadow=True,
        )

    # ── one bar ──────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, bar: Bar) -> None:
        if bar.start < self.let_go_at:
            return
        before, self.last_at = self.last_at, bar.start
        if bar.start >= self.ends_at:
            self.close()
        elif self.course is ShadowCourse.WAITS:
            self._wait(bar)
        elif self._reaches(self.stop, bar):
            self._leave(ShadowCourse.STOP, self._at_the_market(self._worse(self.stop, bar.open)))
        elif self._gains(self.target, bar.high, bar.low):
            is_after_a_pause = before is not None and bar.start - before > A_PAUSE
            opens_beyond = is_after_a_pause and self._gains(self.target, bar.open, bar.open)
            self._leave(ShadowCourse.TARGET, self._at_the_market(bar.open) if opens_beyond else self.target)
        else:
            self._go_on(bar)

    @property
    def ends_at(self) -> datetime:
        """The end of its last bar: the session's close while it waits, and unless it is held overnight."""
        return self.closes_at if self.until is None or self.course is ShadowCourse.WAITS else self.until

    def go_over(self, action: CorporateActionApplied, day_of: Callable[[datetime], date]) -> None:
        """Follow its symbol over a corporate action; one let go on the announced day has prices of today."""
        self.symbol = action.symbol_now
        if action.evidence is not ActionEvidence.ANNOUNCED or day_of(self.let_go_at) < action.day:
            self.rescale(action.rescaling)

    def rescale(self, by: Rescaling) -> None:
        """Count it in shares of after a corporate action, at the same cost less the cash that was paid (MD-09)."""
        self.quantity, self.entry_price = by.shares(self.quantity), by.price(self.entry_price)
        self.stop, self.target = by.known_price(self.stop), by.known_price(self.target)
        self.last, self.trigger = by.known_price(self.last), by.known_price(self.trigger)
        self.behind, self.trail_price = by.known_distance(self.behind), by.known_distance(self.trail_price)
        self.half_spread, self.fee = by.distance(self.half_spread), by.distance(self.fee)

    def close(self) -> None:
        """End it at the last close: no bar came after the last one."""
        self._leave(ShadowCourse.CLOSE, self._at_the_market(self.last))

    def _wait(self, bar: Bar) -> None:
        is_over = self.expires_at is not None and bar.start >= self.expires_at
        if is_over or (self.until is None and bar.start >= self.flat_from):
            self._leave(ShadowCourse.CLOSE, None)
        elif self._fills(bar):
            self.course = ShadowCourse.OPEN
            if self._reaches(self.stop, bar):
                self._leave(ShadowCourse.STOP, self._at_the_market(self._worse(self.stop, bar.open)))
            elif self._gains(self.target, bar.close, bar.close):
                self._leave(ShadowCourse.TARGET, self.target)
            else:
                self._go_on(bar)
        elif bar.end >= self.closes_at:
            self._leave(ShadowCourse.CLOSE, None)

    def _fills(self, bar: Bar) -> bool:
        """Return whether the bar fills the waiting entry; a market fill sets its price and a stop that follows it."""
        met = self._met(bar) if self.trigger is not None else None
        if self.trigger is not None and met is None:
            return False
        self.trigger = None
        if self.has_limit:
            limit = worse_by(self.half_spread, self.entry_price, self.side.opposite)
            if met is None or met == bar.open:
                return self._reaches(limit, bar)
            return any(price <= limit if self.side is Side.BUY else price >= limit for price in (met, bar.close))
        assert met is not None
        self.entry_price = worse_by(self.half_spread, met, self.side)
        if self.behind is not None:
            self.stop = self._behind(self.entry_price, self.behind, self.side.opposite)
        return True

    def _met(self, bar: Bar) -> Price | None:
        """Return the price at which the bar triggers it, the open if that is beyond; a trail follows the bar."""
        trigger, is_buy = self.trigger, self.side is Side.BUY
        assert trigger is not None
        if bar.high >= trigger if is_buy else bar.low <= trigger:
            return max(trigger, bar.open) if is_buy else min(trigger, bar.open)
        if self.trail_price is None and self.trail_fraction is None:
            return None
        best = bar.low if is_buy else bar.high
        way = best * (self.trail_fraction or ZERO) if self.trail_price is None else self.trail_price
        moved = self._behind(best, way, self.side)
        self.trigger = self.entry_price = min(trigger, moved) if is_buy else max(trigger, moved)
        is_met = bar.close >= self.trigger if is_buy else bar.close <= self.trigger
        return self.trigger if is_met else None

    def _behind(self, best: Decimal, way: Decimal, side: Side) -> Price:
        """Return the price of a trailing order on this side."""
        return self.instrument.ticks.nearest(best + way if side is Side.BUY else best - way)

    def _trail(self, bar: Bar) -> bool:
        """Move a stop that trails; return whether the bar's close is beyond it."""
        if self.behind is None or self.stop is None:
            return False
        is_buy = self.side is Side.BUY
        moved = self._behind(bar.high if is_buy else bar.low, self.behind, self.side.opposite)
        self.stop = max(self.stop, moved) if is_buy else min(self.stop, moved)
        return bar.close <= self.stop if is_buy else bar.close >= self.stop

    def _go_on(self, bar: Bar) -> None:
        self.last = bar.close
        if self._trail(bar):
            self._leave(ShadowCourse.STOP, self._at_the_market(self.stop))
            return
        is_flat = self.until is None and bar.start >= self.flat_from
        if is_flat or bar.end >= self.ends_at:
            self.close()

    def _leave(self, course: ShadowCourse, price: Price | None) -> None:
        self.course, self.left_at = course, price

    def _reaches(self, price: Price | None, bar: Bar) -> bool:
        """Return whether the bar went as far against the trade as `price`."""
        if price is None:
            return False
        return bar.low <= price if self.side is Side.BUY else bar.high >= price

    def _gains(self, price: Price | None, high: Price, low: Price) -> bool:
        """Return whether the quote reached a profit-taking limit at `price` between these two prices."""
        if price is None:
            return False
        beyond = worse_by(self.half_spread, price, self.side)
        return high >= beyond if self.side is Side.BUY else low <= beyond

    def _at_the_market(self, price: Price | None) -> Price | None:
        """Return the price of a market exit when the last price is `price`."""
        return None if price is None else worse_by(self.half_spread, price, self.side.opposite)

    def _worse(self, stop: Price | None, opened: Price) -> Price:
        if stop is None:
            return opened
        return min(stop, opened) if self.side is Side.BUY else max(stop, opened)


def worse_by(half_spread: Decimal, price: Price, side: Side) -> Price:
    """Return the price of a market order on this side when the last price is `price`."""
    return Price(price + half_spread if side is Side.BUY else price - half_spread)


@dataclass(slots=True)
class ShadowTradesState:
    """The shadow trades of one trading day and those held overnight since, by the proposal's id.

    `outcomes` has the last ended ones of each strategy, oldest first: the paper trades of its theses (AN-07).
    """

    day: date | None = None
    shadows: dict[str, ShadowTrade] = field(default_factory=dict)
    outcomes: dict[str, EndedTrades] = field(default_factory=dict)


class ShadowTrades:
    """The slice of shadow trades.

    Parameters
    ----------
    last_price
        The close of a symbol's last bar.
    counts_for
        Whether a strategy's shadow trades count, given those that ended with the same fact.

    Attributes
    ----------
    following
        By symbol, those that a bar may still change; without any, a bar costs nothing.
    ended
        Counted ones that ended with the last fact; later slices read them when they fold it.
    """

    name = "shadows"

    def __init__(
        self,
        calendar: Calendar,
        control: TradingStatus,
        stage: Stage,
        ledger: Ledger,
        last_price: Callable[[Symbol], Price | None],
        counts_for: Callable[[str, Sequence[ClosedTrade]], bool],
    ) -> None:
        self.calendar, self.control, self.stage, self.ledger = calendar, control, stage, ledger
        self.last_price, self.counts_for = last_price, counts_for
        self.state = ShadowTradesState()
        self.following: dict[Symbol, list[ShadowTrade]] = {}
        self.ended: tuple[ClosedTrade, ...] = ()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            BarClosed: self._bar_closed,
            ProposalEnded: self._ended,
            ProposalSkipped: self._skipped,
            SubmissionBlocked: self._submission_blocked,
            SessionsAnnounced: self._announced,
            CorporateActionApplied: self._split,
        }

    def restore(self, state: ShadowTradesState) -> None:
        self.state = state
        self.following = {}
        for shadow in state.shadows.values():
            if shadow.is_followed:
                self.following.setdefault(shadow.symbol, []).append(shadow)

    def of_day(self, day: date) -> tuple[ShadowTrade, ...]:
        """Return the shadow trades of a trading day, oldest first."""
        day_of = self.calendar.trading_day
        return tuple(each for each in self.state.shadows.values() if day_of(each.let_go_at) == day)

    def _bar_closed(self, _at: datetime, fact: BarClosed) -> None:
        if self.ended:
            self.ended = ()
        if self.following:
            self._take(fact.bar)

    def _take(self, bar: Bar) -> None:
        """Apply a complete bar to the followed shadow trades of its symbol."""
        followed = self.following.get(bar.symbol)
        if followed is None:
            return
        for shadow in followed:
            shadow.take(bar)
            if not shadow.is_followed:
                self._end(shadow, min(bar.end, shadow.ends_at))
        left = [shadow for shadow in followed if shadow.is_followed]
        if left:
            self.following[bar.symbol] = left
        else:
            del self.following[bar.symbol]

    def _end(self, shadow: ShadowTrade, at: datetime) -> None:
        """Keep its result; report the end of an entry that the equity curve refused (RK-13)."""
        trade, result = shadow.as_trade(at), shadow.result
        if trade is None or result is None:
            return
        known = self.state.outcomes.get(shadow.strategy, EndedTrades())
        ended = EndedTrade(self.calendar.trading_day(at), result)
        self.state.outcomes[shadow.strategy] = known.and_then(ended)
        if shadow.is_counted:
            self.ended += (trade,)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _split(self, _at: datetime, fact: CorporateActionApplied) -> None:
        self.ended = ()
        its = self.following.pop(fact.symbol, []) if fact.moves_levels else []
        for shadow in its:
            shadow.go_over(fact, self.calendar.trading_day)
        if its:
            self.following.setdefault(fact.symbol_now, []).extend(its)

    def _ended(self, at: datetime, fact: ProposalEnded) -> None:
        self.ended, proposal = (), self.stage.ended
        if proposal is None or fact.end not in NOT_TAKEN:
            return
        aims = aims_of(proposal, self.control.settings)
        self._follow(at, proposal.strategy, proposal.order, proposal.stop, aims, fact.end.value)

    def _skipped(self, at: datetime, fact: ProposalSkipped) -> None:
        """Follow a signal that the gate refused."""
        self.ended, proposal = (), fact.proposal
        if proposal is None:
            return
        aims = aims_of(proposal, self.control.settings)
        self._follow(at, proposal.strategy, proposal.order, proposal.stop, aims, BLOCKED)

    def _submission_blocked(self, at: datetime, fact: SubmissionBlocked) -> None:
        self.ended, order = (), self.ledger.order(fact.client_order_id)
        if order is not None:
            life = None if order.expires_at is None else order.expires_at - order.created_at
            aims = Aims(order.target_price, order.reference, life)
            self._follow(at, order.strategy, order.request, order.stop, aims, BLOCKED)

    def _follow(
        self,
        at: datetime,
        strategy: str,
        order: OrderRequest,
        stop: StopPlan | NoStop | None,
        aims: Aims,
        end: str,
    ) -> None:
        """Count an entry that was not taken, and follow it if possible."""
        day, session = self.calendar.trading_day(at), self.calendar.session_at(at)
        settings, last = self.control.settings, self.last_price(order.symbol)
        followed = self.following.get(order.symbol, ())
        shadow = let_go(at, strategy, order, stop, aims, end, session, last, settings, followed)
        if shadow is None:
            return
        self._turn_page(day)
        if order.client_order_id in self.state.shadows:
            return
        may_count = shadow.is_followed and end != ProposalEnd.DECLINED.value
        shadow.is_counted = may_count and self._counts(strategy, day)
        self.state.shadows[shadow.key] = shadow
        if shadow.is_followed:
            self.following.setdefault(shadow.symbol, []).append(shadow)

    def _counts(self, strategy: str, day: date) -> bool:
        """Return whether one more counts: a strategy's trades and shadows together stay within its entries a day."""
        if not self.counts_for(strategy, self.ended):
            return False
        counted = sum(s.is_counted and s.strategy == strategy and s.last is not None for s in self.of_day(day))
        settings = self.control.settings
        most = entries_a_day(settings, strategy, settings.risk.entries_a_day)
        return counted + self.ledger.entries_filled(strategy, day) < most

    def _announced(self, _at: datetime, fact: SessionsAnnounced) -> None:
        """Move the ends of the shadows of a day that closes at another time (MD-10)."""
        told = {each.day: each.session for each in fact.days}
        for shadow in (each for followed in self.following.values() for each in followed):
            session = told.get(self.calendar.trading_day(shadow.closes_at))
            if session is not None:
                shadow.flat_from += session.close - shadow.closes_at
                shadow.closes_at = session.close

    def _turn_page(self, day: date) -> None:
        if self.state.day == day:
            return
        kept = dict[str, ShadowTrade]()
        for shadow in (each for followed in self.following.values() for each in followed):
            if shadow.is_held_at(self.calendar.venue.start_of(day)):
                kept[shadow.key] = shadow
                continue
            shadow.close()
            self._end(shadow, shadow.ends_at)
        self.restore(ShadowTradesState(day, kept, self.state.outcomes))


@dataclass(frozen=True, slots=True)
class Aims:
    """An entry's own target and its signal's reference, USD, and how long it waits (EX-07)."""

    target: Price | None
    reference: Price | None
    life: timedelta | None = None


def aims_of(proposal: Proposal, settings: Settings) -> Aims:
    return Aims(proposal.target_price, proposal.reference, time_to_live(proposal, settings))


def let_go(
    at: datetime,
    strategy: str,
    order: OrderRequest,
    stop: StopPlan | NoStop | None,
    aims: Aims,
    end: str,
    session: Session | NoSession,
    last: Price | None,
    settings: Settings,
    followed: Iterable[ShadowTrade],
) -> ShadowTrade | None:
    """Build what is counted of an entry that was not taken: the one rule of the desk and of every report (OP-12).

    It is followed unless the market is closed, no price is known, or another one of the strategy in the symbol is among
    `followed`; manual entries may add to theirs. None for an order that is no entry of its own: an exit, a replacement.
    """
    if order.replaces is not None or order.effect.only_reduces:
        return None
    why = ShadowCourse.UNPRICED
    if strategy != MANUAL and any((each.strategy, each.symbol) == (strategy, order.symbol) for each in followed):
        why = ShadowCourse.BESIDE
    elif isinstance(session, NoSession):
        why = ShadowCourse.SHUT
    elif (shadow := shadow_of(at, strategy, order, stop, aims, end, session, last, settings)) is not None:
        return shadow
    return ShadowTrade(
        key=str(order.client_order_id),
        strategy=strategy,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        entry_price=order.limit_price or order.stop_price or last or Price(ZERO),
        stop=None,
        target=None,
        end=end,
        let_go_at=at,
        flat_from=at,
        closes_at=at,
        course=why,
    )


def shadow_of(
    at: datetime,
    strategy: str,
    order: OrderRequest,
    stop: StopPlan | NoStop | None,
    aims: Aims,
    end: str,
    session: Session,
    last: Price | None,
    settings: Settings,
) -> ShadowTrade | None:
    """Build a shadow trade. None for orders that open nothing, for replacements, or without a known price.

    Parameters
    ----------
    last
        The symbol's last price, USD.
    """
    known = order.limit_price or order.stop_price or last
    if order.replaces is not None or order.effect.only_reduces or known is None:
        return None
    if order.type.trails and last is None:
        return None
    terms = settings.exchange
    flat = timedelta(minutes=settings.flat_minutes(strategy))
    trigger = order.stop_behind(last) if order.type.trails and last is not None else order.stop_price
    is_open = order.limit_price is None and trigger is None
    half_spread = terms.half_spread_ticks.to_integral_value(ROUND_CEILING) * order.instrument.ticks.at(known)
    entry_price = worse_by(half_spread, known, order.side) if is_open else order.limit_price or trigger or known
    course = ShadowCourse.OPEN if is_open else ShadowCourse.WAITS
    if order.time_in_force is TimeInForce.IOC and not is_open:
        limit = worse_by(half_spread, entry_price, order.side.opposite)
        is_open = last is not None and (last <= limit if order.side is Side.BUY else last >= limit)
        course = ShadowCourse.OPEN if is_open else ShadowCourse.CLOSE
    return ShadowTrade(
        key=str(order.client_order_id),
        strategy=strategy,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        entry_price=entry_price,
        stop=stop.price if isinstance(stop, StopPlan) else None,
        target=_target_of(order, aims, entry_price),
        end=end,
        let_go_at=at,
        flat_from=session.close - flat,
        closes_at=session.close,
        course=course,
        last=last if is_open else None,
        half_spread=half_spread,
        fee=terms.fee_per_share,
        traded=named(order.instrument),
        until=_until(strategy, session, settings),
        expires_at=None if aims.life is None else at + max(aims.life, ONE_MINUTE),
        trigger=trigger,
        has_limit=order.type.has_limit,
        trail_price=order.trail_price,
        trail_fraction=order.trail_fraction,
        behind=stop.behind if isinstance(stop, StopPlan) else None,
    )


def _target_of(order: OrderRequest, aims: Aims, entry_price: Price) -> Price | None:
    """Return its own target, at the broker or held here; otherwise its reference if that lies ahead."""
    own = target_of(order) or aims.target
    if own is not None or aims.reference is None:
        return own
    is_ahead = aims.reference > entry_price if order.side is Side.BUY else aims.reference < entry_price
    return aims.reference if is_ahead else None


def _until(strategy: str, session: Session, settings: Settings) -> datetime | None:
    """Return the close until which a strategy may hold it overnight; None if it is flat by the close."""
    if not settings.holds_overnight(strategy):
        return None
    days = settings.exits.max_days if settings.exits.guards(strategy) else 0
    return session.close + timedelta(days=days or MOST_DAYS)
