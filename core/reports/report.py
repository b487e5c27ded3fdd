"""Build a report of a day or a week, with the state at its end (AN-06).

Trades, days and missed trades are those of the post-mortem, so that every amount equals that of `explain`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date, datetime
from decimal import Decimal

from core import facts
from core.analytics.equity import Part, to_the_cent
from core.execution import stop_coverage
from core.execution.fee_days import FeeDays
from core.execution.stop_coverage import PastCover
from core.model.codes import HaltCause
from core.model.instrument import STOCK_TICKS, Instrument, share
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, StopHolder
from core.model.position import AnyTrade
from core.model.session import HOME, Session
from core.model.sizing import UNKNOWN, Regime
from core.model.staging import Proposal
from core.model.text_sanitizer import foreign
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Money, Price, ProposalId, Quantity, Symbol
from core.ports import Recorded
from core.post_mortem.day_attribution import Books, Standing, closes_of, closing_of, equities
from core.post_mortem.missed_trades import SessionAt
from core.post_mortem.post_mortem import PostMortem, Read, TradeExplained, post_mortem
from core.post_mortem.trade_attribution import FillStory, Key, Stories
from core.reports.figures import EquityPoint, Fall, Figures, curve_of, deepest_fall, figures_of
from core.reports.quality import Controls, Quality, Unprotected, controls_of, quality_of, unprotected_of
from core.risk.regime import with_vix

FOLDED: tuple[type[facts.Fact], ...] = (
    *(kind for kind in stop_coverage.FOLDED if kind is not facts.OrderCreated),
    facts.BreakerClosed,
    facts.BreakerOpened,
    facts.Halted,
    facts.Killed,
    facts.KillExplained,
    facts.ProtectionExpired,
    facts.ProtectionOverridden,
    facts.ProtectionTripped,
    facts.Rearmed,
    facts.ReconciliationFailed,
    facts.ReconciliationPassed,
    facts.RegimeMeasured,
    facts.Resumed,
    facts.VixMeasured,
)
"""Facts to read from all earlier days, besides those that explain a day."""
STAGED: tuple[type[facts.Fact], ...] = (facts.ProposalStaged, facts.ProposalEdited, facts.ProposalEnded)
"""Facts to read from the last earlier days: a strategy repeats a proposal that waits longer."""


@dataclass(frozen=True, slots=True)
class Held:
    """A position.

    Attributes
    ----------
    last
        Its close, or its last price during the day, USD.
    stop
        The nearest of its stops, USD; None without one.
    covered
        The quantity with a stop at the broker, by the rules of the ledger.
    open_result
        Of its average to its last price, USD to the cent; None if one of them is unknown.
    """

    symbol: Symbol
    strategy: str
    standing: Standing
    last: Price | None
    stop: Price | None
    holder: StopHolder
    covered: Quantity
    open_result: Money | None = None


@dataclass(frozen=True, slots=True)
class StillStands:
    """The state at the end of the last day.

    Attributes
    ----------
    orders
        Working orders, without protective stops of positions and legs of unfilled orders.
    exits
        Proposals that would close or protect a position, and wait for a key.
    doubts
        Orders whose existence at the broker is unknown.
    shut
        What keeps the desk from opening, in words.
    entries
        Proposals to open that wait for a key.
    regime
        The market regime, as last measured.
    """

    held: tuple[Held, ...]
    orders: tuple[AnyOrder, ...]
    exits: tuple[Proposal, ...]
    doubts: tuple[AnyOrder, ...]
    shut: tuple[str, ...]
    entries: tuple[Proposal, ...] = ()
    regime: Regime = UNKNOWN

    @property
    def is_empty(self) -> bool:
        return not (self.held or self.orders or self.exits or self.doubts or self.shut or self.entries)

    @property
    def open_result(self) -> Money:
        """The sum over all positions whose last price is known, USD."""
        return _sum(each.open_result for each in self.held if each.open_result is not None)


def still_stands(
    before: Iterable[Recorded], records: Iterable[Recorded], closes: Mapping[Symbol, Price]
) -> StillStands:
    """Return the state after all these records, the oldest first.

    Parameters
    ----------
    before
        `FOLDED`, `STAGED`, created orders and changed positions.
    closes
        Closes of the last day, USD.
    """
    found = _Found(Books(), closes)
    end = None
    for record in (*before, *records):
        found.take(record)
        end = record.at
    return found.at_the_end(end)


@dataclass(slots=True)
class _Found:
    books: Books
    closes: Mapping[Symbol, Price]
    entries: dict[ClientOrderId, Quantity] = field(default_factory=dict)
    working: dict[ClientOrderId, facts.OrderCreated] = field(default_factory=dict)
    stops: dict[Key, tuple[Price, StopHolder]] = field(default_factory=dict)
    doubts: set[ClientOrderId] = field(default_factory=set)
    orders: PastCover = field(default_factory=PastCover)
    filled: defaultdict[ClientOrderId, Quantity] = field(default_factory=lambda: defaultdict(lambda: NO_SHARES))
    proposals: dict[ProposalId, Proposal] = field(default_factory=dict)
    halts: dict[HaltCause, str] = field(default_factory=dict)
    shut: dict[str, str] = field(default_factory=dict)
    tripped: dict[tuple[str, str], facts.ProtectionTripped] = field(default_factory=dict)
    regime: Regime = UNKNOWN
    instruments: dict[Symbol, Instrument] = field(default_factory=dict)

    def take(self, record: Recorded) -> None:
        self.books.take(record)
        self.orders.take(record.at, record.fact)
        match record.fact:
            case facts.OrderCreated() as created:
                self._created(created)
            case facts.CorporateActionApplied() as action:
                self._went_over(action)
            case facts.OrderStateChanged() as changed:
                self.doubts.discard(changed.client_order_id)
                if changed.after.is_terminal:
                    self.working.pop(changed.client_order_id, None)
            case facts.OrderFilled(fill=fill):
                self.doubts.discard(fill.client_order_id)
                self.filled[fill.client_order_id] = Quantity(self.filled[fill.client_order_id] + fill.quantity)
            case facts.FillReversed(client_order_id=order, quantity=quantity):
                self.filled[order] = Quantity(self.filled[order] - quantity)
            case facts.OrderStateUnknown(client_order_id=order):
                self.doubts.add(order)
            case facts.OrderIdled(client_order_id=order) | facts.OrderTradesAgain(client_order_id=order):
                self.doubts.discard(order)
            case facts.ProposalStaged(proposal=proposal) | facts.ProposalEdited(proposal=proposal):
                self.proposals[proposal.id] = proposal
            case facts.ProposalEnded(proposal_id=name):
                self.proposals.pop(name, None)
            case _:
                self._status(record.fact)

    def _created(self, created: facts.OrderCreated) -> None:
        order = created.order
        self.instruments[order.symbol] = order.instrument
        self.working[order.client_order_id] = created
        self.proposals.pop(created.proposal_id, None)
        if not order.effect.only_reduces:
            self.entries[order.client_order_id] = order.quantity
        if created.stop is not None and not order.effect.only_reduces:
            self.stops[order.symbol, created.strategy] = (created.stop.price, created.stop.holder)

    def _went_over(self, action: facts.CorporateActionApplied) -> None:
        """Count stops that the desk holds for a share of today, under its symbol, as the desk does."""
        if not action.moves_levels:
            return
        for key in [key for key in self.stops if key[0] == action.symbol]:
            price, holder = self.stops.pop(key)
            self.stops[action.symbol_now, key[1]] = STOCK_TICKS.nearest(action.rescaling.price(price)), holder

    def _status(self, fact: facts.Fact) -> None:
        match fact:
            case facts.Halted(cause=cause, reason=reason):
                self.halts[cause] = reason
            case facts.Resumed(cause=cause):
                self.halts.pop(cause, None)
            case facts.Killed(by=by):
                self.shut["killed"] = f"killed by {by}"
            case facts.KillExplained(reason=reason) if "killed" in self.shut:
                self.shut["killed"] = f"{self.shut['killed'].partition(': ')[0]}: {reason}"
            case facts.Rearmed():
                self.shut.pop("killed", None)
            case facts.ReconciliationFailed(reasons=reasons):
                self.shut["read-only"] = f"read-only: {'; '.join(reasons)}"
            case facts.ReconciliationPassed():
                self.shut.pop("read-only", None)
            case facts.BreakerOpened(reason=reason):
                self.shut["breaker"] = f"the breaker is open: {reason}"
            case facts.BreakerClosed():
                self.shut.pop("breaker", None)
            case facts.RegimeMeasured(regime=regime):
                self.regime = regime
            case facts.VixMeasured():
                self.regime = with_vix(self.regime, fact)
            case facts.ProtectionTripped() as tripped:
                self.tripped[tripped.name, tripped.scope] = tripped
            case facts.ProtectionExpired() | facts.ProtectionOverridden():
                self.tripped.pop((fact.name, fact.scope), None)

    def at_the_end(self, end: datetime | None) -> StillStands:
        held = tuple(
            self._held(key, standing) for key, standing in sorted(self.books.standing.items()) if standing.quantity
        )
        guarded = {(each.symbol, each.strategy) for each in held}
        protections = (
            f"{each.name.replace('_', ' ')} shuts {each.scope}: {each.reason}"
            for each in self.tripped.values()
            if each.until is None or (end is not None and each.until > end)
        )
        return StillStands(
            held,
            tuple(
                created.order
                for name, created in self.working.items()
                if name not in self.doubts
                and not self._waits_for_its_entry(created)
                and not (_is_stop(created) and (created.order.symbol, created.strategy) in guarded)
            ),
            tuple(each for each in self.proposals.values() if each.only_reduces),
            tuple(created.order for name, created in self.working.items() if name in self.doubts),
            (*(f"halted: {reason}" for reason in self.halts.values()), *self.shut.values(), *protections),
            tuple(each for each in self.proposals.values() if not each.only_reduces),
            self.regime,
        )

    def _waits_for_its_entry(self, created: facts.OrderCreated) -> bool:
        """Whether a leg's entry is unfilled: it protects nothing, and ends with the entry."""
        if created.role is None or created.parent not in self.entries:
            return False
        return self.filled[created.parent] < self.entries[created.parent]

    def _held(self, key: Key, standing: Standing) -> Held:
        guards, last = self.orders.guards(*key), self.closes.get(key[0])
        covered = Quantity(min(self.orders.exits.covered(*key), abs(standing.quantity)))
        open_result = self._open_result(key[0], standing)
        if guards:
            prices = [order.request.stop_price for order in guards if order.request.stop_price is not None]
            nearest = (max if standing.quantity > 0 else min)(prices, default=None)
            return Held(*key, standing, last, nearest, StopHolder.BROKER, covered, open_result)
        planned = self.stops.get(key)
        if planned is not None and planned[1] is StopHolder.DESK:
            return Held(*key, standing, last, planned[0], StopHolder.DESK, covered, open_result)
        return Held(*key, standing, last, None, StopHolder.YOU, covered, open_result)

    def _open_result(self, symbol: Symbol, standing: Standing) -> Money | None:
        last = self.closes.get(symbol)
        if last is None or standing.average is None:
            return None
        instrument = self.instruments.get(symbol) or share(symbol)
        paid = instrument.notional(standing.quantity, standing.average)
        return to_the_cent(instrument.notional(standing.quantity, last) - paid)


def _is_stop(created: facts.OrderCreated) -> bool:
    return created.order.effect.only_reduces and created.order.type.is_stop


DayOf = Callable[[datetime], date]


@dataclass(frozen=True, slots=True)
class TradeTold:
    """An explained trade; `entered` is the reason of its entry's proposal, empty if not recorded."""

    told: TradeExplained
    entered: str


@dataclass(frozen=True, slots=True)
class ByTheBroker:
    """The account's figures of a day's last list of activities, USD."""

    at: datetime
    equity: Money
    cash: Money


@dataclass(frozen=True, slots=True)
class Quarter:
    """Of the last sessions up to a week's end.

    Attributes
    ----------
    returns, needed
        Returns of a session that the journal has, and how many a Sharpe ratio needs.
    sharpe
        Made a year's; None of fewer returns than needed.
    max_drawdown
        Between closes, as a fraction; None where no close is known.
    """

    returns: int
    needed: int
    sharpe: float | None
    max_drawdown: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What an agent says of a day, in its own words; no figure of it is the desk's."""

    day: date
    agent: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a day, or of a week.

    Attributes
    ----------
    days
        Each day's sums, in order.
    whole
        The sums of all days.
    by_the_broker
        The figures of the last day; None if no list was fetched.
    standing
        The state at the end of the last day.
    week_before
        None for a day's report, and if the journal does not have it.
    unprotected
        The seconds without a stop that a ticket named, by cause (EX-22).
    summaries
        The last text of each agent of each of these days.
    """

    is_week: bool
    days: tuple[Figures, ...]
    whole: Figures
    found: PostMortem
    trades: tuple[TradeTold, ...]
    controls: Controls
    quality: Quality
    by_the_broker: ByTheBroker | None
    standing: StillStands
    curve: tuple[EquityPoint, ...]
    week_before: Figures | None
    unprotected: tuple[Unprotected, ...] = ()
    quarter: Quarter | None = None
    summaries: tuple[Summary, ...] = ()

    @property
    def fall(self) -> Fall | None:
        """The deepest drawdown along these days; None of a journal that has no equity for them."""
        return None if self.whole.opening is None else deepest_fall(self.equity)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The profit of each position and the cash movements, summed over all days."""
        sums: dict[str, Decimal] = {}
        for part in (part for day in self.found.days for part in day.parts):
            sums[part.name] = sums.get(part.name, ZERO) + part.amount
        return tuple(Part(name, Money(amount)) for name, amount in sums.items())

    @property
    def explained(self) -> Money | None:
        """The explained change of all days, including trades, USD; None if the change is unknown."""
        return None if any(day.rest is None for day in self.found.days) else _sum(d.explained for d in self.found.days)

    @property
    def rest(self) -> Money | None:
        """The unexplained change, USD; None if the change is unknown."""
        return None if self.explained is None else _sum(day.rest for day in self.found.days if day.rest is not None)

    @property
    def equity(self) -> tuple[tuple[datetime, Money], ...]:
        """The equity along the curve, USD: each day begins at its opening, or where the previous one ended."""
        began = {day.first: day.opening for day in self.days}
        found: list[tuple[datetime, Money]] = []
        day, base, now = None, ZERO, ZERO
        for point in self.curve:
            if point.day != day:
                day, opening = point.day, began[point.day]
                base = now if opening is None else opening
            now = base + point.made
            found.append((point.at, Money(now)))
        return tuple(found)

    @property
    def is_quiet(self) -> bool:
        told = self.trades or self.found.let_go or self.controls.acted or self.controls.near or self.quality.troubles
        return not (self.parts or told or self.unprotected or self.summaries) and self.standing.is_empty


def report_of(
    read: Read,
    days: Sequence[date],
    day_of: DayOf,
    session_at: SessionAt,
    *,
    is_week: bool,
    status: Sequence[Recorded] = (),
    before: Figures | None = None,
    quarter: Quarter | None = None,
) -> Report:
    """Return the report of these days.

    Parameters
    ----------
    status
        Of the time before `read.records`: what is folded into what still stands, the oldest first.
    before, quarter
        Of the week before, and of the quarter up to these days.
    """
    found = post_mortem(read, days, day_of, session_at)
    by_day: dict[date, list[Recorded]] = {}
    for record in read.records:
        by_day.setdefault(day_of(record.at), []).append(record)
    of_days = {day: by_day.get(day, []) for day in days}
    records = [record for of_day in of_days.values() for record in of_day]
    earlier = [record for day, of_day in by_day.items() if day < days[0] for record in of_day]
    stories = Stories([*read.before, *read.records])
    told = _days(found, stories.fills, day_of)
    reasons = _reasons(read.records)
    closes = closes_of(read.closes, [*read.records, *read.after], day_of)
    return Report(
        is_week,
        told,
        _together(told),
        found,
        tuple(TradeTold(each, reasons.get(str(each.story.trade.entry_order), "")) for each in found.trades),
        controls_of([*read.before, *earlier], records),
        quality_of(of_days, session_at),
        _by_the_broker(of_days[days[-1]]),
        still_stands(
            sorted([*status, *read.before], key=lambda record: record.sequence),
            read.records,
            closes.all_until(days[-1]),
        ),
        curve_of(days, read.before, by_day, closes, stories.fills, day_of, lambda day: _close_of(day, session_at)),
        before,
        unprotected_of(records, session_at),
        quarter,
        _summaries([*read.records, *read.after], days),
    )


def week_figures(
    days: Sequence[date], records: Iterable[Recorded], later: Iterable[Recorded], day_of: DayOf, earlier: FeeDays
) -> Figures:
    """Return the figures of days of which only trades, fills and equity were read.

    `later` gives the last closing equity, `earlier` the fees of the records before.
    """
    records, later, charged = list(records), list(later), earlier
    for record in (*records, *later):
        charged.take(record.at, record.fact)
    equity = equities([*records, *later], charged)
    ends = (equity.get(days[0], (None, None))[0], closing_of(equity, days[-1]))
    trades: defaultdict[date, list[AnyTrade]] = defaultdict(list)
    fees: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    for record in records:
        if isinstance(record.fact, facts.TradeClosed):
            trades[day_of(record.fact.trade.exit_time)].append(record.fact.trade)
        elif isinstance(record.fact, facts.FillReversed) and (undone := record.fact.undone) is not None:
            of_day = trades[day_of(undone.exit_time)]
            with_it = [record.fact.corrected if trade == undone else trade for trade in of_day]
            of_day[:] = [trade for trade in with_it if trade is not None]
        elif isinstance(record.fact, facts.OrderFilled):
            fees[day_of(record.fact.fill.at)] += record.fact.fill.fee
    told = [
        figures_of((day, day), (None, None), trades[day], fees[day], charged=charged.charged_on(day))
        for day in sorted({*days, *trades, *fees})
    ]
    opening, closing = (None if equity is None else to_the_cent(equity) for equity in ends)
    return replace(_together(told), first=days[0], last=days[-1], opening=opening, closing=closing)


def _days(found: PostMortem, fills: Iterable[FillStory], day_of: DayOf) -> tuple[Figures, ...]:
    trades: defaultdict[date, list[AnyTrade]] = defaultdict(list)
    for each in found.trades:
        trades[day_of(each.story.trade.exit_time)].append(each.story.trade)
    fees: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    gained: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    for fill in fills:
        fees[day_of(fill.at)] += fill.fee
        gained[day_of(fill.at)] += fill.realised
    return tuple(
        figures_of(
            (each.day, each.day),
            (each.opening, each.closing),
            trades[each.day],
            fees[each.day],
            gained[each.day],
            each.charged,
        )
        for each in found.days
    )


def _close_of(day: date, session_at: SessionAt) -> datetime:
    session = session_at(HOME.at(day, HOME.opens))
    return session.close if isinstance(session, Session) else HOME.end_of(day)


def _together(days: Sequence[Figures]) -> Figures:
    return Figures(
        days[0].first,
        days[-1].last,
        sum(day.trades for day in days),
        sum(day.won for day in days),
        sum((day.result for day in days), ZERO),
        -sum((day.fees for day in days), ZERO),
        days[0].opening,
        days[-1].closing,
        None if any(day.realised is None for day in days) else _sum(d.realised for d in days if d.realised is not None),
        _sum(day.charged for day in days),
        sum(day.failed for day in days),
    )


def _sum(amounts: Iterable[Money]) -> Money:
    return Money(sum(amounts, ZERO))


def _reasons(records: Iterable[Recorded]) -> dict[str, str]:
    """Return the reason of each proposal, by the name that its order has too."""
    found: dict[ProposalId, str] = {}
    for record in records:
        match record.fact:
            case facts.ProposalStaged(proposal=proposal) | facts.ProposalEdited(proposal=proposal):
                found[proposal.id] = proposal.reason
    return {str(name): reason for name, reason in found.items()}


def _summaries(records: Iterable[Recorded], days: Sequence[date]) -> tuple[Summary, ...]:
    """Return the last text of each agent of each day, in order."""
    found: dict[tuple[date, str], Summary] = {}
    for record in records:
        match record.fact:
            case facts.DaySummarised(agent=agent, day=day, text=text) if day in days:
                found[day, agent] = Summary(day, agent, record.at, foreign(text))
    return tuple(found[key] for key in sorted(found))


def _by_the_broker(records: Sequence[Recorded]) -> ByTheBroker | None:
    for record in reversed(records):
        if isinstance(record.fact, facts.ActivitiesCompared):
            return ByTheBroker(record.fact.as_of, record.fact.equity, record.fact.cash)
    return None
