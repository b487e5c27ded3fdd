"""Whether what a member firm's controls refused was to be refused: reckoned anew from the journal and the exchange.

A control that refuses an order which is within its limit is as wrong as one that passes what is not: whoever meets it
learns to turn it off. Each refusal is held to the control's own words (RK-23 to RK-26), worked out here from what the
facts and the exchange's books tell, by nothing of the desk's own checks. Where a figure can only be bounded, the bound
errs for the desk: what is called wrong is wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.facts import ConfirmationRefused, Fact, MarginDeficitSeen, OrderFilled, ProposalSkipped, ProposalStaged
from core.messages.commands import EditOrder, ProposeOrder
from core.messages.effects import CancelOrder, ReplaceOrder, SubmitOrder
from core.messages.effects import Effect as Request
from core.model.account import Account
from core.model.bar import NoQuote, Quote
from core.model.codes import GuardCode
from core.model.order import Effect, OrderRequest, OrderStatus, Side
from core.model.values import SHORT_ID, ZERO, Symbol
from core.settings.settings import Settings

if TYPE_CHECKING:
    from simulation.auditor import Auditor, Seen

NOT_JUDGED = "of no order that is known here"
NOT_KNOWN = "not known"
"""In the words of a check that cannot decide, and so refuses an entry."""
THE_BROKERS_OWN = Decimal(6)
"""Times equity over which a broker lets an account only close."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, by a strategy or by hand."""

    symbol: Symbol
    side: Side
    opens: bool
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None


Judge = Callable[[Asked, str], bool]


def asked_as(order: Asked) -> Asked:
    opens = not order.effect.only_reduces
    return Asked(order.symbol, order.side, opens, order.quantity, order.limit_price, order.stop_price)


class RefusalAudit:
    """One journal's, or those of one exchange one after another.

    Attributes
    ----------
    judged
        How many refusals each control made.
    wrongly
        Those that nothing explains, in words.
    """

    def __init__(self, auditor: Auditor, before: RefusalAudit | None = None) -> None:
        self._auditor = auditor
        self.judged: Counter[str] = before.judged if before else Counter()
        self.wrongly: list[str] = before.wrongly if before else []
        self._sent: deque[datetime] = before._sent if before else deque()
        self._deficits: set[date] = set()
        self._filled: defaultdict[tuple[str, Symbol], dict[str, datetime]] = defaultdict(dict)
        self._stops: defaultdict[tuple[str, Symbol], list[datetime]] = defaultdict(list)
        self._at = datetime.min.replace(tzinfo=UTC)
        self._judges: dict[str, Judge] = {
            "order size": lambda order, _: self._is_too_large(order),
            "day value": lambda order, _: self._value_of_today(order) > self._usd("max_day_value"),
            "concentration": lambda order, _: self._times_equity(order) > self._settings.risk.portfolio.symbol_exposure,
            "broker limits": lambda order, _: self._times_equity(order) > THE_BROKERS_OWN,
            "margin deficits": lambda _order, _: len(self._deficits) >= self._settings.risk.margin.deficit_limit,
            "message rate": lambda _order, _: self._has_sent_too_much(),
            "repeated execution": lambda order, _: self._has_repeated(order),
            "lists": lambda _order, _: False,  # no session names a symbol in one
            "twin": lambda order, _: any(_is_like(order, seen, self._at) for seen in self._entries(order.symbol)),
            "self-cross": self._meets_its_own,
            "price collar": lambda order, _: self._pays_too_much(order),
        }

    # ── what the facts tell ──────────────────────────────────────────────────────────────────────────────────────

    def hear(self, at: datetime, fact: Fact) -> None:
        self._at = at
        match fact:
            case MarginDeficitSeen():
                self._deficits.add(fact.day)
            case OrderFilled():
                seen = self._auditor.story.orders.get(fact.fill.client_order_id)
                if seen is not None and not seen.order.effect.only_reduces:
                    self._filled[seen.strategy, seen.order.symbol].setdefault(seen.order.client_order_id, at)
            case ProposalStaged(proposal=staged) if staged.guard not in (None, GuardCode.BY_HAND):
                self._stops[staged.strategy, staged.symbol].append(at)
            case ProposalSkipped(proposal=proposal):
                order = proposal.order if proposal is not None else None
                asked = asked_as(order) if isinstance(order, OrderRequest) else self._typed(fact.symbol)
                self._judge(fact.checks, fact.reasons, asked)
            case ConfirmationRefused():
                ticket = self._auditor.story.tickets.get(fact.ticket_id)
                order = ticket.order if ticket is not None else None
                self._judge(fact.checks, fact.reasons, asked_as(order) if isinstance(order, OrderRequest) else None)

    def leaves(self, effect: Request) -> None:
        """A message to the broker."""
        if isinstance(effect, SubmitOrder | ReplaceOrder | CancelOrder):
            self._sent.append(self._auditor.world.wire.at)

    # ── what is judged ───────────────────────────────────────────────────────────────────────────────────────────

    def _typed(self, symbol: Symbol) -> Asked | None:
        """What a person's last command asked for, where it is of that symbol."""
        match self._auditor.world.said:
            case ProposeOrder() as typed if typed.symbol == symbol:
                side, stop = Side.SELL if typed.effect is Effect.SHORT else Side.BUY, typed.trigger_price
                opens = not typed.effect.only_reduces
                return Asked(symbol, side, opens, typed.quantity, typed.limit_price, stop)
            case EditOrder() as edited if (seen := self._auditor.story.orders.get(edited.client_order_id)) is not None:
                limit = edited.limit_price or seen.order.limit_price
                return replace(asked_as(seen.order), quantity=edited.quantity, limit_price=limit)
        return None

    def _judge(self, checks: tuple[str, ...], reasons: tuple[str, ...], asked: Asked | None) -> None:
        if self._auditor.is_reading:
            return  # it was judged when it was written, by what the market was then
        for check, reason in zip(checks, reasons, strict=False):
            if check not in self._judges:
                continue
            if asked is None:
                self.judged[f"{check}, {NOT_JUDGED}"] += 1
                continue
            self.judged[check] += 1
            if not asked.opens:
                self._call_wrong(f"{reason}: an exit, which no control may refuse")
            elif not self._is_right(check, reason, asked):
                limit = f" at {asked.limit_price}" if asked.limit_price is not None else ""
                self._call_wrong(f"{reason}: {asked.side.value} {asked.quantity} {asked.symbol}{limit}")

    def _is_right(self, check: str, reason: str, order: Asked) -> bool:
        if NOT_KNOWN in reason:
            state = self._auditor.world.engine.state
            return not isinstance(state.sightings.account, Account) or self._quote(order.symbol) is None
        return self._judges[check](order, reason)

    def _call_wrong(self, words: str) -> None:
        self.wrongly.append(f"refused wrongly: {words}")

    # ── each control, worked out anew ────────────────────────────────────────────────────────────────────────────

    @property
    def _settings(self) -> Settings:
        settings: Settings = self._auditor.world.settings
        return settings

    def _usd(self, cap: str) -> Decimal:
        return Decimal(getattr(self._settings.risk, cap).usd)

    def _quote(self, symbol: Symbol) -> Quote | None:
        quote = self._auditor.world.exchange.quote(self._auditor.world.wire.at, symbol)
        return None if isinstance(quote, NoQuote) else quote

    def _price(self, order: Asked) -> Decimal:
        """The dearest at which it can be counted."""
        quote = self._quote(order.symbol)
        known = (order.limit_price, order.stop_price, quote.ask if quote is not None else None)
        return max((Decimal(price) for price in known if price is not None), default=ZERO)

    def _entries(self, symbol: Symbol | None = None) -> Iterator[Seen]:
        for seen in self._auditor.story.orders.values():
            if not seen.order.effect.only_reduces and symbol in (None, seen.order.symbol):
                yield seen

    def _is_too_large(self, order: Asked) -> bool:
        return order.quantity > Decimal(self._settings.risk.order_size.shares)

    def _value_of_today(self, order: Asked) -> Decimal:
        entries = (asked_as(seen.order) for seen in self._entries() if seen.at.date() == self._at.date())
        return sum((one.quantity * self._price(one) for one in (*entries, order)), ZERO)

    def _times_equity(self, order: Asked) -> Decimal:
        """All that is held, works and is asked for, to the exchange's own equity."""
        world = self._auditor.world
        picture = world.exchange.books(world.wire.at)
        equity = picture.account.equity
        if equity <= ZERO:
            return Decimal("Infinity")
        working = (asked_as(seen.order) for seen in self._entries() if seen.status.is_working)
        asked = sum((one.quantity * self._price(one) for one in (*working, order)), ZERO)
        held = sum(
            (abs(it.quantity) * (self._quote_of(it.symbol) or it.average_price) for it in picture.positions), ZERO
        )
        return Decimal((held + asked) / equity)

    def _quote_of(self, symbol: Symbol) -> Decimal | None:
        quote = self._quote(symbol)
        return None if quote is None else Decimal(quote.ask)

    def _has_sent_too_much(self) -> bool:
        terms, sent = self._settings.risk.messages, [*self._sent]
        spans = (timedelta(seconds=1), terms.per_second), (timedelta(minutes=1), terms.per_minute)
        least = [sum(self._at - at <= span for at in sent) >= most * (1 - terms.reserve) for span, most in spans]
        return any(least) or len(sent) >= terms.per_day * (1 - terms.reserve)

    def _has_repeated(self, order: Asked) -> bool:
        """By its filled entries, or by how often its stop was asked for in any so many minutes; of any strategy in the
        symbol, whether or not a person has let it go on.
        """
        terms = self._settings.risk.protections.repeated_execution
        span, many = timedelta(minutes=terms.minutes), terms.renewals
        fills = (len(each) for (_, symbol), each in self._filled.items() if symbol == order.symbol)
        asked = (each for (_, symbol), each in self._stops.items() if symbol == order.symbol)
        follow = any(last - first < span for each in asked for first, last in zip(each, each[many - 1 :], strict=False))
        return follow or max(fills, default=0) >= terms.fills

    def _meets_its_own(self, order: Asked, reason: str) -> bool:
        """It names one that works on the other side, and both open, or their prices meet."""
        named = [
            seen
            for order_id, seen in self._auditor.story.orders.items()
            if order_id[:SHORT_ID] in reason and (seen.status.is_working or seen.status is OrderStatus.PENDING)
        ]
        return any(_would_meet(order, asked_as(seen.order)) for seen in named)

    def _pays_too_much(self, order: Asked) -> bool:
        """By the quote, the spread, or where the price was within the minutes of the period, and once more as long
        where bars were lost.
        """
        terms, quote = self._settings.risk.collar, self._quote(order.symbol)
        if quote is None:
            return True  # nothing tells what it would pay
        pays = order.limit_price or (quote.ask if order.side is Side.BUY else quote.bid)
        sign = 1 if order.side is Side.BUY else -1
        whence = [
            quote.mid,
            *self._auditor.world.traded_at(order.symbol, timedelta(minutes=2 * terms.period_minutes + 2)),
        ]
        least = min(terms.band, terms.period_band)
        is_wide = quote.ask - quote.bid > Decimal("0.05")
        return is_wide or any(sign * (pays - price) > least * price for price in whence)


def _is_like(order: Asked, seen: Seen, at: datetime) -> bool:
    other = seen.order
    is_soon = at - seen.at <= timedelta(seconds=60) and other.side is order.side
    return is_soon and abs(order.quantity - other.quantity) <= max(order.quantity, other.quantity) / 10


def _would_meet(order: Asked, other: Asked) -> bool:
    if other.symbol != order.symbol or other.side is order.side:
        return False
    if other.opens or order.limit_price is None or other.limit_price is None:
        return True
    buy, sell = (order, other) if order.side is Side.BUY else (other, order)
    return buy.limit_price >= sell.limit_price
