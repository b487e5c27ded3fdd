"""Slices of the account's past: activities of the broker, daily results, and the advice given.

The slice of the broker's activities: the recorded ones, and the expected values for the next list.
It starts with the first list: the account's earlier state is its starting point. From then on every fill and every
activity changes the cash that the broker should show next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from core import facts
from core.analytics.groups import Tally, groups_of, tally_of
from core.execution.ledger import Ledger
from core.execution.position_correction import FillOfOurs
from core.model.instrument import share
from core.model.lazy_dataclass import dataclass
from core.model.order import Side, is_payout
from core.model.position import AnyTrade
from core.model.recommendation import Recommendation, TradeIdea
from core.model.reconciliation import ActivityId, ActivityKind
from core.model.values import NO_MONEY, NO_SHARES, ZERO, ClientOrderId, Money, Quantity, Symbol

OVERLAP = timedelta(days=7)
"""How far before the last list the next one begins: a broker back-dates some things."""
ACTIVITIES_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KnownActivity:
    """The recorded values of an id, to compare with the broker's later report."""

    day: date
    amount: Money = NO_MONEY


@dataclass(slots=True)
class ActivitiesState:
    """`cash` is the broker's expected cash, USD; `moved` lists the movements since the last list.

    Attributes
    ----------
    as_of
        The time of the last list; None before the first.
    fills_until
        Executions up to this time were compared.
    fills
        Recorded fills that were not compared with a list yet.
    known
        By the broker's id, or by the fault of an activity without one.
    """

    as_of: datetime | None = None
    fills_until: datetime | None = None
    cash: Money = NO_MONEY
    known: dict[str, KnownActivity] = field(default_factory=dict)
    moved: list[facts.CashMoved] = field(default_factory=list)
    fills: list[FillOfOurs] = field(default_factory=list)


class Activities:
    """`day_of` returns the trading day of an instant."""

    name = "activities"

    def __init__(self, ledger: Ledger, day_of: Callable[[datetime], date]) -> None:
        self._ledger = ledger
        self._day_of = day_of
        self.state = ActivitiesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.OrderFilled: self._filled,
            facts.FillReversed: self._reversed,
            facts.CashMoved: self._cash,
            facts.SharesMoved: self._shares,
            facts.CorporateActionApplied: self._split,
            facts.ActivityQuarantined: self._quarantined,
            facts.ActivitiesCompared: self._compared,
        }

    def restore(self, state: ActivitiesState) -> None:
        self.state = state

    def since(self, at: datetime) -> date:
        """The first day of the next list."""
        return self._day_of(self.state.as_of or at) - OVERLAP

    def known(self, activity_id: str) -> KnownActivity | None:
        return self.state.known.get(activity_id)

    def _filled(self, _at: datetime, fact: facts.OrderFilled) -> None:
        order = self._ledger.order(fact.fill.client_order_id)
        if self.state.as_of is None or order is None or is_payout(order.id):
            return
        fill, request = fact.fill, order.request
        ((_, signed),) = request.moves(fill.quantity)
        paid = request.instrument.cost(abs(signed), fill.price)
        self.state.cash = Money(self.state.cash - (paid if signed > ZERO else -paid) - fill.fee)
        if self.state.fills_until is None or fill.at > self.state.fills_until:
            self.state.fills = [known for known in self.state.fills if fill.at - known.at <= ACTIVITIES_KEPT]
            self.state.fills.append(
                FillOfOurs(
                    fill.execution_id, order.id, order.broker_order_id, fill.at, request.symbol, request.side,
                    fill.quantity, fill.price,
                )
            )  # fmt: skip

    def _reversed(self, _at: datetime, fact: facts.FillReversed) -> None:
        """Take its cash back, and the order's newest fills, which the broker lists no more."""
        if self.state.as_of is None or is_payout(fact.client_order_id):
            return
        self.state.cash = Money(self.state.cash + (fact.cost if fact.side is Side.BUY else -fact.cost))
        left, kept = fact.quantity, list[FillOfOurs]()
        for fill in reversed(self.state.fills):
            taken = min(left, fill.quantity) if fill.client_order_id == fact.client_order_id else NO_SHARES
            left = Quantity(left - taken)
            if rest := Quantity(fill.quantity - taken):
                kept.append(replace(fill, quantity=rest))
        self.state.fills = kept[::-1]

    def _cash(self, _at: datetime, fact: facts.CashMoved) -> None:
        self._know(fact.activity_id, fact.day, fact.amount)
        if self.state.as_of is not None:
            self.state.cash = Money(self.state.cash + fact.amount)
            self.state.moved.append(fact)

    def _shares(self, _at: datetime, fact: facts.SharesMoved) -> None:
        self._know(fact.activity_id, fact.day)

    def _split(self, _at: datetime, fact: facts.CorporateActionApplied) -> None:
        for activity_id in fact.activity_ids:
            self._know(activity_id, fact.day)

    def _quarantined(self, at: datetime, fact: facts.ActivityQuarantined) -> None:
        self._know(quarantined_as(fact.activity_id, fact.reason), self._day_of(at))

    def _know(self, activity_id: str, day: date, amount: Decimal = ZERO) -> None:
        before = self.state.known.get(activity_id, KnownActivity(day))
        self.state.known[activity_id] = KnownActivity(day, Money(before.amount + amount))

    def _compared(self, _at: datetime, fact: facts.ActivitiesCompared) -> None:
        """Take over the broker's cash; so a difference is reported once."""
        state, since = self.state, self._day_of(fact.as_of) - ACTIVITIES_KEPT
        state.as_of, state.fills_until, state.cash, state.moved = fact.as_of, fact.fills_until, fact.cash, []
        state.fills = [fill for fill in state.fills if fill.at > fact.fills_until]
        state.known = {name: known for name, known in state.known.items() if known.day >= since}


def quarantined_as(activity_id: ActivityId | None, reason: str) -> str:
    """Return the key of an unreadable activity."""
    return activity_id or f"? {reason}"


RESULTS_KEPT = 400
"""Days, more than a year of sessions: the oldest is removed for each new one."""


@dataclass(slots=True)
class Closed:
    """The results of one strategy on one day; trades that failed in execution are apart (EX-18).

    `realised` is the profit of its fills, partial exits included, less fees, USD (AN-01). `failed_realised` is that of
    the fills of the failed trades: on each day both together are what the account made.
    """

    trades: int = 0
    wins: int = 0
    realised: Money = NO_MONEY
    failed: int = 0
    failed_realised: Money = NO_MONEY

    def move_to_failed(self, amount: Decimal) -> None:
        self.realised = Money(self.realised - amount)
        self.failed_realised = Money(self.failed_realised + amount)


@dataclass(slots=True)
class DayResult:
    """`equity` is the opening equity, USD: the broker's figure for the close of `close_of`; None for a first figure."""

    equity: Money | None = None
    close_of: date | None = None
    closed: dict[str, Closed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DayTallies:
    """The trades that closed on a day: grouping, group and tally.

    It is replaced as a whole: a checkpoint encodes only what was replaced since the one before.
    """

    rows: tuple[tuple[str, str, Tally], ...] = ()

    def plus(self, groups: Iterable[tuple[str, str]], more: Tally, sign: int) -> DayTallies:
        found = {(by, name): tally for by, name, tally in self.rows}
        for group in groups:
            found[group] = found.get(group, Tally()).plus(more, sign)
        return DayTallies(tuple((*group, tally) for group, tally in found.items() if tally.trades))


@dataclass(slots=True)
class DayResultsState:
    """`changes` counts changes, so that a reader can skip an unchanged state, `account_changes` those of closes and
    transfers.

    `unclosed` has the profits of the fills of positions that are open, by `SYMBOL/strategy` and day, USD: if the trade
    fails in execution, they were no result of the strategy. `moved` has what was paid in by the broker's day, USD,
    `tallies` the closed trades by the ISO day of their exit.
    """

    days: dict[date, DayResult] = field(default_factory=dict)
    changes: int = 0
    account_changes: int = 0
    unclosed: dict[str, dict[date, Money]] = field(default_factory=dict)
    moved: dict[date, Money] = field(default_factory=dict)
    tallies: dict[str, DayTallies] = field(default_factory=dict)


class DayResults:
    """`day_of` returns the trading day of an instant, `realised` a fill's strategy, symbol and realized profit, USD.

    `filled_on` returns the trading day of an order's last fill, if it is known, `local` the venue's time of day.
    """

    name = "day_results"

    def __init__(
        self,
        day_of: Callable[[datetime], date],
        realised: Callable[[facts.OrderFilled], tuple[str, str, Money]],
        filled_on: Callable[[ClientOrderId], date | None],
        local: Callable[[datetime], time],
    ) -> None:
        self._day_of = day_of
        self._realised = realised
        self._filled_on = filled_on
        self._local = local
        self.state = DayResultsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.DayStarted: self._started,
            facts.DayCorrected: self._started,
            facts.OrderFilled: self._filled,
            facts.FillReversed: self._reversed,
            facts.TradeClosed: self._closed,
            facts.CorporateActionApplied: self._renamed,
            facts.CashMoved: self._cash,
            facts.SharesMoved: self._shares,
        }

    def restore(self, state: DayResultsState) -> None:
        self.state = state

    def _on(self, day: date) -> DayResult:
        days = self.state.days
        self.state.changes += 1
        if day not in days:
            days[day] = DayResult()
            while len(days) > RESULTS_KEPT:
                del days[min(days)]
            unclosed, oldest = self.state.unclosed, min(days)
            self.state.unclosed = {key: parts for key, parts in unclosed.items() if max(parts) >= oldest}
            self.state.moved = {day: amount for day, amount in self.state.moved.items() if day >= oldest}
            tallies, first = self.state.tallies, oldest.isoformat()
            self.state.tallies = {day: each for day, each in tallies.items() if day >= first}
        return days.get(day, DayResult())

    def _started(self, _at: datetime, fact: facts.DayStarted | facts.DayCorrected) -> None:
        result = self._on(fact.day)
        self.state.account_changes += 1
        result.equity, result.close_of = fact.equity, fact.close_of

    def _filled(self, _at: datetime, fact: facts.OrderFilled) -> None:
        strategy, symbol, amount = self._realised(fact)
        if amount:
            day = self._day_of(fact.fill.at)
            closed = self._on(day).closed.setdefault(strategy, Closed())
            closed.realised = Money(closed.realised + amount)
            self._note(f"{symbol}/{strategy}", day, amount)

    def _note(self, key: str, day: date, amount: Decimal) -> None:
        parts = self.state.unclosed.setdefault(key, {})
        parts[day] = Money(parts.get(day, NO_MONEY) + amount)

    def _reversed(self, at: datetime, fact: facts.FillReversed) -> None:
        """Take its profit back, and the trade that it closed, on the day of that trade, or else of those fills."""
        trade = fact.undone
        if not fact.realised and trade is None:
            return
        found = self._filled_on(fact.client_order_id) if trade is None else self._day_of(trade.exit_time)
        day = found or self._day_of(at)
        result = self._on(day).closed.setdefault(fact.strategy, Closed())
        result.realised = Money(result.realised + fact.realised)
        key = f"{fact.symbol}/{fact.strategy}"
        if trade is not None:
            self._tally(day, trade, -1)
        if fact.corrected is not None:
            self._tally(day, fact.corrected)
        if trade is None:
            self._note(key, day, fact.realised)
        elif fact.corrected is not None:
            result.wins += _is_win(fact.corrected) - _is_win(trade)
            if trade.is_failed:
                result.move_to_failed(fact.realised)
        else:  # it is open again, and all of its fills count for it on this day
            result.wins -= _is_win(trade)
            result.trades -= not trade.is_failed
            result.failed -= trade.is_failed
            if trade.is_failed:
                result.move_to_failed(-trade.profit)
            self._note(key, day, trade.profit + fact.realised)

    def _closed(self, _at: datetime, fact: facts.TradeClosed) -> None:
        trade: AnyTrade = fact.trade
        self._tally(self._day_of(trade.exit_time), trade)
        closed = self._on(self._day_of(trade.exit_time)).closed.setdefault(trade.strategy, Closed())
        parts = self.state.unclosed.pop(f"{trade.symbol}/{trade.strategy}", {})
        if not trade.is_failed:
            closed.trades += 1
            closed.wins += _is_win(trade)
            return
        closed.failed += 1
        entered = self._day_of(trade.entry_time)
        for day, amount in parts.items():
            if day < entered:  # of a position before it, that the broker's books ended without a trade
                continue
            if (known := self.state.days.get(day)) is not None and trade.strategy in known.closed:
                known.closed[trade.strategy].move_to_failed(amount)

    def _tally(self, day: date, trade: AnyTrade, sign: int = 1) -> None:
        tallies, key = self.state.tallies, day.isoformat()
        groups, more = groups_of(trade, self._local), tally_of(trade.profit)
        tallies[key] = tallies.get(key, DayTallies()).plus(groups, more, sign)
        self.state.changes += 1

    def _cash(self, _at: datetime, fact: facts.CashMoved) -> None:
        if fact.kind is ActivityKind.TRANSFER:
            self._move(fact.day, fact.amount)

    def _shares(self, _at: datetime, fact: facts.SharesMoved) -> None:
        if fact.kind is ActivityKind.SHARES and fact.price is not None:
            self._move(fact.day, share(fact.symbol).notional(fact.quantity, fact.price))

    def _move(self, day: date, amount: Decimal) -> None:
        self.state.account_changes += 1
        self.state.moved[day] = Money(self.state.moved.get(day, NO_MONEY) + amount)

    def _renamed(self, _at: datetime, fact: facts.CorporateActionApplied) -> None:
        if fact.symbol == fact.symbol_now:
            return
        for owner in fact.owners:
            for day, amount in self.state.unclosed.pop(f"{fact.symbol}/{owner.strategy}", {}).items():
                self._note(f"{fact.symbol_now}/{owner.strategy}", day, amount)


def _is_win(trade: AnyTrade | None) -> bool:
    return trade is not None and trade.profit > 0 and not trade.is_failed


ADVICES_KEPT = 50
"""The number of kept advices; older ones are in the journal."""


@dataclass(frozen=True, slots=True)
class Given:
    """An advice, the time it arrived, and its expiry."""

    number: int
    adviser: str
    at: datetime
    text: str
    idea: TradeIdea | None
    expires_at: datetime


@dataclass(slots=True)
class AdviceState:
    """`given` holds the last advices, the newest last. `adopted` is keyed `strategy/SYMBOL`."""

    given: list[Given] = field(default_factory=list)
    numbers: int = 0
    adopted: dict[str, Recommendation] = field(default_factory=dict)


class AdviceBook:
    name = "advice"

    def __init__(self) -> None:
        self.state = AdviceState()
        self.folds = {
            facts.AdviceGiven: self._given,
            facts.RecommendationAdopted: self._adopted,
            facts.RecommendationDropped: self._dropped,
        }

    def restore(self, state: AdviceState) -> None:
        self.state = state

    def is_said(self, adviser: str, text: str, at: datetime) -> bool:
        """Whether it said the same text before, which has not expired."""
        return any((g.adviser, g.text) == (adviser, text) and at < g.expires_at for g in self.state.given)

    def recommendation(self, strategy: str, symbol: Symbol) -> Recommendation | None:
        """The adopted recommendation that has not been used yet."""
        return self.state.adopted.get(key_of(strategy, symbol))

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _given(self, at: datetime, fact: facts.AdviceGiven) -> None:
        given = Given(fact.number, fact.adviser, at, fact.text, fact.idea, fact.expires_at)
        self.state.given = [*self.state.given[-(ADVICES_KEPT - 1) :], given]
        self.state.numbers = fact.number

    def _adopted(self, _at: datetime, fact: facts.RecommendationAdopted) -> None:
        key = key_of(fact.recommendation.strategy, fact.recommendation.symbol)
        self.state.adopted[key] = fact.recommendation

    def _dropped(self, _at: datetime, fact: facts.RecommendationDropped) -> None:
        self.state.adopted.pop(key_of(fact.strategy, fact.symbol), None)


def key_of(strategy: str, symbol: Symbol) -> str:
    return f"{strategy}/{symbol}"
