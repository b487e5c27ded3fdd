"""What a broker's books do on a day that is not ordinary: fills taken back, cancels that stay pending, lists that lag.

What it takes back or corrects is so from then on: it changes the exchange's own books, which are the truth that is
compared with at the end. A list that lags, and an order that leaves slowly, are changed on their way to the desk.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from core.brokers.simulated.log import ReplaceRequest, encoded
from core.brokers.simulated.order_book import Book, BookedOrder
from core.execution.gateway import requests_of
from core.messages.effects import Effect, ReplaceOrder
from core.messages.inputs import (
    AccountFetched,
    ActivitiesFetched,
    BooksFetched,
    FiguresFetched,
    Input,
    SubmissionAnswered,
)
from core.model.account import Account, NoAccount
from core.model.broker import Accepted, BrokerBooks, BrokerPosition, FreshFigures, OrderReport, OrderUpdate, UpdateEvent
from core.model.instrument import share
from core.model.order import Effect as OrderEffect
from core.model.order import OrderRequest, OrderType, Side
from core.model.reconciliation import DropCopy
from core.model.values import CENT, ClientOrderId, Money, Price, Quantity, Symbol
from tests.kit.reversed_fills import reprices, takes_fills_back
from tests.simulation.surprises import BLOCKED, Planned

if TYPE_CHECKING:
    from simulation.world import World

OTHERS_SYMBOL = Symbol("ZZZ")
"""What orders of others are for: nothing of ours is beside them."""
A_MINUTE = timedelta(minutes=1)


@dataclass
class Disruptions:
    """Each is told of by the stream, by the books or by the activities alone.

    Attributes
    ----------
    taken_back
        Orders of which the broker took shares back, and how many.
    corrected
        Orders of which it changed a price.
    unlisted
        Of those orders that its list, its look-ups and its stream show as before.
    replacing
        Orders whose replacement stays pending, and what is to take their place.
    external
        Orders of others; they never fill.
    adjusted
        What became of orders that it changed by the ratio of a split, quantity and prices: they are for today's shares.
    """

    world: World
    taken_back: Counter[str] = field(default_factory=Counter)
    maintenance: Decimal | None = None
    """Maintenance margin as a part of the equity; None leaves the exchange's own."""
    multiplier: Decimal | None = None
    corrected: set[str] = field(default_factory=set)
    unlisted: dict[str, OrderReport] = field(default_factory=dict)
    replacing: dict[str, str] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)
    adjusted: dict[str, OrderRequest] = field(default_factory=dict)
    shows_block: bool = False
    requests: list[datetime] = field(default_factory=list)
    _positions: tuple[BrokerPosition, ...] | None = None
    _positions_until: datetime | None = None

    @property
    def _book(self) -> Book:
        return self.world.exchange._book

    @property
    def _at(self) -> datetime:
        return self.world.wire.at

    def end(self) -> None:
        """From here on the broker behaves; what it took back stays so."""
        self._positions, self.shows_block = None, False

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────

    def said(self, report: OrderReport) -> OrderReport:
        """The very same where nothing of it is said otherwise."""
        before = self.unlisted.get(report.client_order_id)
        if before is not None:
            report = before
        if report.client_order_id in self.replacing and report.status is not None and report.status.is_working:
            return replace(report, raw_status="pending_replace")
        if report.client_order_id in self.replacing.values() and report.is_held:
            return replace(report, raw_status="pending_new", is_held=False)
        return report

    def answer(self, answer: Input, at: datetime) -> Input:
        """With a list of positions that lags, and the account's block where it is shown."""
        match answer:
            case BooksFetched() if isinstance(answer.answer, BrokerBooks):
                books = answer.answer
                is_over = self._positions_until is not None and at >= self._positions_until
                if self._positions is not None and not is_over and self._positions != books.positions:
                    self.world.surprises.met["books whose positions lag"] += 1
                    books = replace(books, positions=self._positions)
                return BooksFetched(replace(books, account=self._account(books.account, at)))
            case AccountFetched() if isinstance(answer.answer, Account):
                return AccountFetched(self._account(answer.answer, at))
            case FiguresFetched() if isinstance(answer.answer, FreshFigures):
                figures = answer.answer
                if isinstance(figures.account, NoAccount):
                    return answer
                return replace(answer, answer=replace(figures, account=self._account(figures.account, at)))
            case ActivitiesFetched() if isinstance(answer.answer, DropCopy):
                return ActivitiesFetched(replace(answer.answer, account=self._account(answer.answer.account, at)))
        return answer

    def _account(self, account: Account, at: datetime) -> Account:
        until = self.world.surprises.blocked_until
        is_shown = self.shows_block and until is not None and at < until
        if self.maintenance is not None:
            maintenance = Money((account.equity * self.maintenance).quantize(CENT))
            multiplier = account.multiplier if self.multiplier is None else self.multiplier
            account = replace(account, maintenance_margin=maintenance, multiplier=multiplier)
        return replace(account, blocked_because=BLOCKED.message) if is_shown else account

    # ── lists that lag ───────────────────────────────────────────────────────────────────────────────────────────

    def positions_lag(self, at_most: float) -> None:
        """From here on its list of positions is the one of now, for so many seconds, also while no desk runs."""
        self._positions = self.world.exchange.books(self._at).positions
        self._positions_until = self._at + timedelta(seconds=at_most)

    def positions_follow(self) -> None:
        self._positions = None

    # ── fills that are taken back ────────────────────────────────────────────────────────────────────────────────

    def take_back(self, order: BookedOrder, shares: Decimal, told: str) -> None:
        """The newest of what it filled. `told` is `event`, `books` or, for an order listed as before, `activities`."""
        before, name = order.whole_report(), order.request.client_order_id
        event = UpdateEvent.TRADE_BUST if told == "event" else None
        takes_fills_back(self.world.exchange, self._at, name, str(shares), event)
        self.taken_back[name] += shares
        self.world.meter.take_back(name, shares, self._at)
        self._is_told(before, told)

    def correct(self, order: BookedOrder, by: Decimal, told: str) -> None:
        """Each of its shares cost so much more."""
        before, name = order.whole_report(), order.request.client_order_id
        event = UpdateEvent.TRADE_CORRECT if told == "event" else None
        price = order.instrument.price_of(Quantity(order.filled), order.paid) + by
        reprices(self.world.exchange, self._at, name, str(price), event)
        self.corrected.add(name)
        self._is_told(before, told)

    def _is_told(self, before: OrderReport, told: str) -> None:
        if told == "activities":
            self.unlisted[before.client_order_id] = before
        self.world.wire._pass_updates_on()

    def is_upset(self, symbol: str) -> bool:
        """Whether the broker took any fill of it back."""
        orders = (self._book.find(ClientOrderId(name)) for name in self.taken_back)
        return any(order is not None and order.symbol == symbol for order in orders)

    # ── replacements that stay pending ───────────────────────────────────────────────────────────────────────────

    def replace_later(self, effect: ReplaceOrder, at: datetime, until: datetime) -> Input | None:
        """It takes a replacement, and puts it in the other's place later; None where it would not take it."""
        old = self._book.find(effect.order.replaces) if effect.order.replaces is not None else None
        if old is None or not old.is_working or old.is_held or effect.order.legs or old.legs:
            return None
        self.world.auditor.arrives(encoded(ReplaceRequest(at, effect.order)))
        new = BookedOrder(
            request=effect.order, broker_order_id=self._book.next_broker_id(), opens=old.opens,
            reserve_price=old.reserve_price, step=old.step, expires_at=old.expires_at, instrument=old.instrument,
            accepted_at=at,
        )  # fmt: skip
        self._book.hold(new)
        self.replacing[old.request.client_order_id] = new.request.client_order_id
        filled = old.filled
        self.world.plan(Planned(until, lambda then: self._carry_out(old, new, filled, then)))
        return SubmissionAnswered(effect.order.client_order_id, Accepted(self.said(new.whole_report())))

    def _carry_out(self, old: BookedOrder, new: BookedOrder, filled: Decimal, at: datetime) -> None:
        self.replacing.pop(old.request.client_order_id, None)
        if not new.is_working:
            return
        if not old.is_working or old.filled != filled:
            self._book._close(new, at)
            self._book._tell(new, UpdateEvent.REJECTED, at)
            if old.is_working:
                self._book._outbox.append(OrderUpdate(UpdateEvent.ORDER_REPLACE_REJECTED, at, old.report()))
            return
        self._book.end(old, UpdateEvent.REPLACED, at)
        self._book.release(new, at)

    # ── orders of others ─────────────────────────────────────────────────────────────────────────────────────────

    def others_place(self, many: int) -> None:
        """Orders that could open, at a limit that no price comes near."""
        for _ in range(many):
            name = ClientOrderId(f"external-{len(self.external) + 1}")
            self.external.add(name)
            quantity, limit = Quantity(Decimal(1 + len(self.external) % 3)), Price(Decimal(2))
            request = OrderRequest(
                name, OTHERS_SYMBOL, Side.BUY, OrderEffect.OPEN, quantity, OrderType.LIMIT, limit_price=limit
            )
            order = BookedOrder(
                request=request, broker_order_id=self._book.next_broker_id(), opens=True, reserve_price=limit,
                step=Decimal(1), expires_at=None, instrument=share(OTHERS_SYMBOL), accepted_at=self._at,
            )  # fmt: skip
            self._book.accept(order, self._at)
        self.world.wire._pass_updates_on()

    @property
    def external_working(self) -> int:
        """Those whose cancel the broker does not keep pending."""
        pending = {name for name, until in self.world.surprises.pending.items() if self._at < until + A_MINUTE}
        working = self._book.working.get(OTHERS_SYMBOL, ())
        return sum(order.request.client_order_id not in pending for order in working)

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def leaves(self, effect: Effect, at: datetime) -> None:
        """A request is about to leave the desk."""
        self.requests.extend([at] * (requests_of(effect) or 0))

    def most_in_a_minute(self, since: datetime) -> int:
        """Requests that left in any minute from then on."""
        times = [at for at in self.requests if at >= since]
        first = most = 0
        for number, at in enumerate(times):
            while at - times[first] >= A_MINUTE:
                first += 1
            most = max(most, number - first + 1)
        return most
