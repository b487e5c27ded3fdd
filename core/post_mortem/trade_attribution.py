"""The fills of each trade with the quotes and decisions before them, and its result split into parts (AN-03).

A position belongs to a strategy and a symbol; its fills are collected until it is flat, when its trade is recorded. A
fill through zero ends one trade and begins the next.

The signal is the entry's profit at its intended price, held to the close of the exit's day. The exit choice is the
difference made by leaving at its intended price. Then each fill is followed from its intended price to its own, by the
recorded quotes:

    intended → middle when it was staged → middle at the key → middle at the broker's answer → touch → fill

After A. F. Perold, "The Implementation Shortfall: Paper versus Reality", Journal of Portfolio Management 14 (1988),
with the delay separated as in R. Kissell and M. Glantz, "Optimal Trading Strategies" (2003). A step without a quote is
merged into the next one that has one, and is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core import facts
from core.analytics.equity import Part, in_cents
from core.execution.ledger_state import UNKNOWN_OWNER
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, Side
from core.model.position import AnyTrade, closed_by, realised
from core.model.staging import Review
from core.model.values import NO_MONEY, ZERO, ClientOrderId, Money, Price, ProposalId, Quantity, Symbol, TicketId
from core.ports import Recorded


class Step(StrEnum):
    """The step of an order at which a quote was recorded."""

    STAGED = "staged"
    TICKET = "ticket opened"
    KEY = "key turned"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Seen:
    """A step of an order, its record, and the quote, USD; None without one."""

    step: Step
    at: datetime
    record: int
    bid: Price | None
    ask: Price | None

    @property
    def mid(self) -> Decimal | None:
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2


@dataclass(slots=True)
class OrderStory:
    """An order and its steps. `review` is from its confirmation, otherwise from its staging."""

    order: AnyOrder
    strategy: str
    record: int
    at: datetime
    intended: Price | None
    stop: Price | None
    target: Price | None
    seen: tuple[Seen, ...] = ()
    review: Review | None = None

    @property
    def id(self) -> ClientOrderId:
        return self.order.client_order_id

    def at_step(self, step: Step) -> Seen | None:
        return next((seen for seen in reversed(self.seen) if seen.step is step), None)


@dataclass(frozen=True, slots=True)
class FillStory:
    """A fill, or the part of one in this trade. `fee` is in USD; `record` is its record number.

    `realised` is the profit against the position's average price, less the fee, USD; of an opening fill the fee alone.
    """

    order: OrderStory
    record: int
    at: datetime
    quantity: Quantity
    price: Price
    fee: Money
    opens: bool
    realised: Money = NO_MONEY

    @property
    def sign(self) -> int:
        """1 for a buy, −1 for a sale."""
        return 1 if self.order.order.side is Side.BUY else -1

    @property
    def signed(self) -> Decimal:
        """The shares, below zero for a sale."""
        return self.quantity if self.sign > 0 else -self.quantity


@dataclass(frozen=True, slots=True)
class TradeStory:
    """A recorded trade with its fills, the oldest first."""

    trade: AnyTrade
    record: int
    at: datetime
    fills: tuple[FillStory, ...]

    @property
    def key(self) -> str:
        """The name for users: the order that closed it."""
        return str(self.trade.exit_order)

    @property
    def is_long(self) -> bool:
        return self.fills[0].sign > 0 if self.fills else True

    @property
    def orders(self) -> tuple[OrderStory, ...]:
        return tuple({fill.order.id: fill.order for fill in self.fills}.values())


Key = tuple[Symbol, str]


@dataclass(slots=True)
class _Held:
    """A position as far as read."""

    quantity: Decimal = ZERO
    average: Price | None = None
    fills: list[FillStory] = field(default_factory=list)
    ended: list[tuple[FillStory, ...]] = field(default_factory=list)
    is_moved: bool = False
    """Shares came or went without a fill: the fills do not add up to the position any more."""

    def end(self) -> tuple[FillStory, ...]:
        """Return the fills of the trade just recorded; empty if they are incomplete."""
        if not self.ended:
            self.ended.append(tuple(self.fills))
            self.fills = []
        fills, is_moved, self.is_moved = self.ended.pop(0), self.is_moved, False
        is_whole = not sum((fill.signed for fill in fills), ZERO)
        return () if is_moved or not is_whole else fills


class Stories:
    """Reads records, the oldest first; anything before the first one is unknown."""

    def __init__(self, records: Iterable[Recorded] = ()) -> None:
        self.orders: dict[ClientOrderId, OrderStory] = {}
        self.trades: list[TradeStory] = []
        self.fills: list[FillStory] = []
        self._held: defaultdict[Key, _Held] = defaultdict(_Held)
        self._steps: defaultdict[ProposalId, list[Seen]] = defaultdict(list)
        self._reviews: dict[ProposalId, Review] = {}
        self._proposals: dict[TicketId, ProposalId] = {}
        for record in records:
            self.take(record)

    def take(self, record: Recorded) -> None:
        match record.fact:
            case facts.ProposalStaged() as staged:
                self._step(record, staged.proposal.id, Step.STAGED, staged.bid, staged.ask)
                self._reviews[staged.proposal.id] = staged.review
            case facts.TicketOpened() as opened:
                self._proposals[opened.ticket.id] = opened.ticket.proposal_id
                self._step(record, opened.ticket.proposal_id, Step.TICKET, opened.bid, opened.ask)
            case facts.ConfirmationReceived() as turned:
                self._step(record, self._proposals.get(turned.ticket_id), Step.KEY, None, None)
            case facts.OrderApproved() as approved:
                self._approve(record, approved)
            case facts.OrderCreated() as created:
                # Note an order. A stop by its authorization has no own steps: it was not staged.
                order, is_its_own = created.order, str(created.proposal_id) == str(created.order.client_order_id)
                self.orders[order.client_order_id] = OrderStory(
                    order,
                    created.strategy,
                    record.sequence,
                    record.at,
                    created.intended_price,
                    None if created.stop is None else created.stop.price,
                    created.target_price,
                    tuple(self._steps.get(created.proposal_id, ())) if is_its_own else (),
                    self._reviews.get(created.proposal_id) if is_its_own else None,
                )
            case facts.OrderSent() as sent if (story := self.orders.get(sent.client_order_id)) is not None:
                story.seen += (Seen(Step.ANSWERED, record.at, record.sequence, sent.bid, sent.ask),)
            case facts.OrderFilled() as filled:
                self._fill(record, filled)
            case facts.FillReversed() as back:
                self._reverse(back)
            case facts.PositionChanged() as changed:
                held = self._held[changed.symbol, changed.strategy]
                held.quantity, held.average = changed.quantity, changed.average_price
            case facts.PositionCorrected() | facts.CorporateActionApplied() as moved:
                self._move(moved)
            case facts.TradeClosed(trade=trade):
                fills = self._held[trade.symbol, trade.strategy].end()
                self.trades.append(TradeStory(trade, record.sequence, record.at, fills))

    def _reverse(self, back: facts.FillReversed) -> None:
        """Leave out the fills that were taken back, the newest first; the trade that they closed is open again."""
        held = self._held[back.symbol, back.strategy]
        reopened = next((story for story in self.trades if story.trade == back.undone), None)
        if reopened is not None and back.corrected is not None:
            self.trades[self.trades.index(reopened)] = replace(reopened, trade=back.corrected)
        elif reopened is not None:
            self.trades.remove(reopened)
            held.fills = [*reopened.fills, *held.fills]
        left = back.quantity
        for fill in [fill for fill in reversed(held.fills) if fill.order.id == back.client_order_id]:
            taken = min(left, fill.quantity)
            left, rest = Quantity(left - taken), Quantity(fill.quantity - taken)
            kept = replace(fill, quantity=rest, realised=Money(fill.realised * rest / fill.quantity))
            for fills in (held.fills, self.fills):
                if taken and fill in fills:
                    at = fills.index(fill)
                    fills[at : at + 1] = [kept] if rest else []
        held.is_moved = held.is_moved or bool(left)

    def _step(
        self, record: Recorded, proposal: ProposalId | None, step: Step, bid: Price | None, ask: Price | None
    ) -> None:
        if proposal is not None:
            self._steps[proposal].append(Seen(step, record.at, record.sequence, bid, ask))

    def _approve(self, record: Recorded, approved: facts.OrderApproved) -> None:
        """Note the figures fetched for a confirmation, with their quote."""
        proposal = self._proposals.get(approved.ticket_id)
        if proposal is None:
            return
        steps, turned = self._steps[proposal], record.at
        if steps and steps[-1].step is Step.KEY:
            turned = steps.pop().at
        steps.append(Seen(Step.KEY, turned, record.sequence, approved.bid, approved.ask))
        self._reviews[proposal] = approved.review

    def _move(self, moved: facts.PositionCorrected | facts.CorporateActionApplied) -> None:
        """Note moved shares.

        A split without owners leaves our books; a correction without owners is of the one that holds it, else of
        no strategy.
        """
        after = {owner.strategy: owner.quantity for owner in moved.owners}
        paid = moved.rescaling.cash if isinstance(moved, facts.CorporateActionApplied) else ZERO
        if isinstance(moved, facts.CorporateActionApplied) and moved.to is not None:
            for strategy in after:
                self._held[moved.to, strategy] = self._held.pop((moved.symbol, strategy), _Held())
            moved = replace(moved, symbol=moved.to, to=None)
        if not after and isinstance(moved, facts.CorporateActionApplied):
            return
        if not after and isinstance(moved, facts.PositionCorrected) and moved.quantity:
            held_by = [
                strategy for (symbol, strategy), each in self._held.items() if symbol == moved.symbol and each.quantity
            ]
            alone = held_by[0] if len(held_by) == 1 else UNKNOWN_OWNER
            after, self._held[moved.symbol, alone].average = {alone: moved.quantity}, moved.average_price
        for owner in moved.owners:
            held = self._held[moved.symbol, owner.strategy]
            if isinstance(owner, facts.OwnerShare):
                held.average = owner.average_price
            elif held.average is not None and owner.quantity:  # the same cost, less what was paid
                held.average = Price((held.average - paid) * held.quantity / owner.quantity)
        for strategy in {*after, *(strategy for symbol, strategy in self._held if symbol == moved.symbol)}:
            held = self._held[moved.symbol, strategy]
            if held.quantity != after.get(strategy, ZERO):
                held.quantity, held.is_moved = after.get(strategy, ZERO), True

    def _fill(self, record: Recorded, filled: facts.OrderFilled) -> None:
        story, fill = self.orders.get(filled.fill.client_order_id), filled.fill
        if story is None:
            return
        held = self._held[story.order.symbol, story.strategy]
        sign = 1 if story.order.side is Side.BUY else -1
        instrument = story.order.instrument
        closes = closed_by(held.quantity, sign * fill.quantity)
        paid = Money(fill.fee * closes / fill.quantity)
        parts = ((closes, paid, False), (fill.quantity - closes, Money(fill.fee - paid), True))
        for quantity, fee, opens in parts:
            if not quantity:
                continue
            made = realised(instrument, held.quantity, held.average, sign * quantity, fill.price, fee)
            told = FillStory(story, record.sequence, fill.at, Quantity(quantity), fill.price, fee, opens, made)
            held.fills.append(told)
            self.fills.append(told)
            held.quantity += sign * quantity
            if not held.quantity:
                held.ended.append(tuple(held.fills))
                held.fills = []


class Cause(StrEnum):
    """The cause of a part of a result, in the order of the report."""

    SIGNAL = "signal"
    EXIT = "exit choice"
    STAGED = "delay until staged"
    KEY = "confirmation delay"
    SENT = "delay until the broker answered"
    SPREAD = "spread"
    SLIPPAGE = "slippage"
    FEES = "fees"
    UNTOLD = "what its fills do not tell"


OF_A_DIVISION = Decimal("1e-9")
"""USD: a smaller amount is the remainder of a divided fee."""
ALWAYS = (Cause.SIGNAL, Cause.EXIT, Cause.SLIPPAGE, Cause.FEES)
"""Parts of every trade; any other part needs a recorded quote."""
STEPS = ((Step.STAGED, Cause.STAGED), (Step.KEY, Cause.KEY), (Step.ANSWERED, Cause.SENT))


@dataclass(frozen=True, slots=True)
class Split:
    """`parts` add up to the trade's profit, USD, to the cent. `unknown` names the steps without a record."""

    parts: tuple[Part, ...]
    unknown: tuple[str, ...]

    def of(self, cause: Cause) -> Money:
        return next((part.amount for part in self.parts if part.name == cause), Money(ZERO))


def split_of(story: TradeStory, close: Price | None) -> Split:
    """Return the split of one trade.

    Parameters
    ----------
    close
        The last price of the exit's day, USD; None if not recorded.
    """
    sums: dict[Cause, Decimal] = dict.fromkeys(ALWAYS, ZERO)
    unknown: list[str] = []
    trade = story.trade
    last = close if close is not None else trade.intended_exit or trade.exit_price
    if close is None:
        unknown.append("no price of the day's end: the exit's choice is in the signal")
    for fill in story.fills:
        aimed = intended(fill)
        cause = Cause.SIGNAL if fill.opens else Cause.EXIT
        sums[cause] += gained(fill, aimed, last)
        for step, amount in _on_the_way(fill, aimed, unknown):
            sums[step] = sums.get(step, ZERO) + amount
        sums[Cause.FEES] -= fill.fee
    left = trade.profit - sum(sums.values(), ZERO)
    cause = Cause.UNTOLD if abs(left) > OF_A_DIVISION else Cause.SLIPPAGE
    sums[cause] = sums.get(cause, ZERO) + left
    if not story.fills:
        unknown.append("its fills do not tell it: the broker's books corrected it, or a split came between")
    return Split(
        in_cents(Part(each.value, Money(sums[each])) for each in Cause if each in sums), tuple(dict.fromkeys(unknown))
    )


def intended(fill: FillStory) -> Price:
    """Return the reference price of a fill, USD: the order's intended price, otherwise the fill's own."""
    return fill.price if fill.order.intended is None else fill.order.intended


def gained(fill: FillStory, first: Decimal, then: Decimal) -> Decimal:
    """Return the profit of its shares between two prices, USD."""
    return fill.order.order.instrument.notional(fill.quantity, then - first) * fill.sign


def _on_the_way(fill: FillStory, aimed: Decimal, unknown: list[str]) -> Iterator[tuple[Cause, Decimal]]:
    """Yield the parts from the intended price to the fill: a higher price costs a buyer and gains a seller."""
    here, touch = aimed, None
    for step, cause in STEPS:
        seen = fill.order.at_step(step)
        if seen is None or seen.mid is None:
            if seen is not None:
                unknown.append(f"no quote where it was {step}: in the step after it")
            continue
        yield cause, -gained(fill, here, seen.mid)
        here, touch = seen.mid, seen.ask if fill.order.order.side is Side.BUY else seen.bid
    if touch is not None:
        yield Cause.SPREAD, -gained(fill, here, touch)
        here = touch
    yield Cause.SLIPPAGE, -gained(fill, here, fill.price)
