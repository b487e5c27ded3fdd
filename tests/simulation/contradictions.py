"""What a broker says that is not so: lists that are short once, ends that contradict figures, orders that it forgets.

It stands between the exchange and the wire, so that the exchange's own books stay the truth that is compared with at
the end. An order of which the broker says otherwise than is true is *contradicted*: how it ended is not compared, how
much of it filled is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from core.brokers.simulated.log import ReplaceRequest, encoded
from core.brokers.simulated.order_book import Book, BookedOrder
from core.messages.effects import ReplaceOrder
from core.messages.inputs import Input, SubmissionAnswered
from core.model.broker import Accepted, BrokerBooks, OrderReport, OrderUpdate, UpdateEvent
from core.model.order import OrderStatus, TimeInForce
from core.model.values import ZERO, ClientOrderId, Price, Quantity

if TYPE_CHECKING:
    from simulation.world import World

Change = Callable[[OrderReport], OrderReport]
SAID = {
    "filled": (OrderStatus.FILLED, "filled", UpdateEvent.FILL),
    "rejected": (OrderStatus.REJECTED, "rejected", UpdateEvent.REJECTED),
    "canceled": (OrderStatus.CANCELLED, "canceled", UpdateEvent.CANCELED),
    "expired": (OrderStatus.EXPIRED, "expired", UpdateEvent.EXPIRED),
}
"""How the broker may say that an order ended: its status, its word, and the event that its stream tells."""
WORKING = (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED)
WORDS: dict[str, Change] = {
    "status": lambda told: replace(told, status=None, raw_status="under_review"),
    "type": lambda told: replace(told, type=None, unknown_words=(*told.unknown_words, "type combo")),
    "time_in_force": lambda told: replace(
        told, time_in_force=None, unknown_words=(*told.unknown_words, "time_in_force gtd")
    ),
    "side": lambda told: replace(told, side=None, unknown_words=(*told.unknown_words, "side sell_plus")),
    "order_class": lambda told: replace(told, hides_legs=False),
}
"""Fields of which the broker's word may be unknown, and what reaches the engine of a report then."""


@dataclass
class Contradictions:
    """What this broker says otherwise than it is.

    Attributes
    ----------
    lists
        How the next answers for the books differ from the truth, one each: which list is `empty` or `short`.
    ended
        Orders that it calls ended, and how; True or not.
    forgotten, hidden
        Orders that it does not know, for now or for good; and those that it did not know at any time.
    denied
        Forgotten orders that were looked up, and when first.
    idle
        Orders that work there, and the word by which it calls them: they may trade all the same.
    words, words_left
        Fields that hold unknown words, in so many of the reports to come.
    replaced
        How the next replacements end while the order that they were to replace works on.
    ahead
        Of this machine's clock against the broker's, seconds.
    contradicted
        Orders of which anything was said that was not so.
    restated, made_less
        Orders of which the broker changed the terms, and those of them that it made smaller.
    """

    world: World
    lists: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    denied: dict[str, datetime] = field(default_factory=dict)
    idle: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    words_left: int = 0
    replaced: list[str] = field(default_factory=list)
    ahead: Decimal = ZERO
    contradicted: set[str] = field(default_factory=set)
    restated: set[str] = field(default_factory=set)
    made_less: set[str] = field(default_factory=set)

    @property
    def _book(self) -> Book:
        return self.world.exchange._book

    def end(self) -> None:
        """From here on the broker says what is true, but of what it called ended: that has ended by now."""
        self.lists.clear()
        self.replaced.clear()
        self.idle.clear()
        self.words_left, self.ahead = 0, ZERO
        for order_id, word in list(self.ended.items()):
            self._ends(order_id, word)
        self.forgotten = {order_id for order_id in self.forgotten if not self._works(order_id)}

    def _works(self, order_id: str) -> bool:
        order = self._book.find(ClientOrderId(order_id))
        return order is not None and order.is_working

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────

    def knows(self, order_id: str, asked_at: datetime | None = None) -> bool:
        if order_id in self.forgotten and asked_at is not None:
            self.denied.setdefault(order_id, asked_at)
        return order_id not in self.forgotten

    def said(self, report: OrderReport) -> OrderReport:
        """The very same where nothing of it is said otherwise."""
        report = self._in_its_words(report)
        if self.words_left > 0:
            self.words_left -= 1
            self.world.surprises.met[f"unknown {' and '.join(self.words)}"] += 1
            for name in self.words:
                report = WORDS[name](report)
        return self._with_legs(report, self.said)

    def stands(self, report: OrderReport) -> OrderReport:
        """As it is said each time, with no word that is unknown."""
        return self._with_legs(self._in_its_words(report), self.stands)

    def _in_its_words(self, report: OrderReport) -> OrderReport:
        word = self.ended.get(report.client_order_id)
        if word is not None and report.status is not OrderStatus.FILLED:
            status, raw_status, _ = SAID[word]
            report = replace(report, status=status, raw_status=raw_status, is_held=False)
        idle = self.idle.get(report.client_order_id)
        if idle is not None and report.status in WORKING and not report.is_held:
            report = replace(report, status=OrderStatus.SUBMITTED, raw_status=idle)
        return report

    def _with_legs(self, report: OrderReport, said: Callable[[OrderReport], OrderReport]) -> OrderReport:
        if report.legs and any(leg.client_order_id in {*self.contradicted, *self.idle} for leg in report.legs):
            legs = tuple(said(leg) for leg in report.legs if self.knows(leg.client_order_id))
            report = replace(report, legs=legs)
        return report

    def books(self, picture: BrokerBooks) -> BrokerBooks:
        """Its lists, short or empty where that is next."""
        orders = tuple(report for report in picture.orders if self.knows(report.client_order_id))
        if len(orders) < len(picture.orders):
            picture = replace(picture, orders=orders)
        if not self.lists:
            return picture
        what = self.lists.pop(0)
        self.world.surprises.met[f"books with {what}"] += 1
        lists, _, how = what.partition(" ")
        if lists in ("positions", "both"):
            picture = replace(picture, positions=() if how == "empty" else tuple(_less(picture)))
        if lists in ("orders", "both"):
            picture = replace(picture, orders=() if how == "empty" else picture.orders[: len(picture.orders) // 2])
        return picture

    def heard(self, update: OrderUpdate) -> bool:
        """Whether its stream tells of it at all."""
        return self.knows(update.report.client_order_id)

    # ── what it does to an order ─────────────────────────────────────────────────────────────────────────────────

    def working(self) -> list[BookedOrder]:
        """Orders of ours that work there, in order of acceptance."""
        works = set(map(id, self._book.all_working()))
        return [order for order in self._book._orders.values() if id(order) in works and self._is_ours(order)]

    def _is_ours(self, order: BookedOrder) -> bool:
        return order.request.client_order_id not in self.world.foreign

    def end_as(self, order: BookedOrder, word: str) -> None:
        """It has ended, and the broker says so in a word that contradicts its figures."""
        order_id = order.request.client_order_id
        self._say(order_id, word)
        if order.is_working:
            self._book.end(order, SAID[word][2] if word in ("canceled", "expired") else UpdateEvent.CANCELED, self._at)
        self.world.wire._pass_updates_on()

    def call_ended(self, order: BookedOrder, word: str) -> None:
        """It works on, and the broker calls it ended; what waited with it has ended."""
        order_id = order.request.client_order_id
        for leg in order.legs:
            if leg.is_working and leg.is_held:
                self._say(leg.request.client_order_id, "canceled")
                self._book._close(leg, self._at)
                self._book._tell(leg, UpdateEvent.CANCELED, self._at)
        self._say(order_id, word)
        self._tell(order, SAID[word][2])

    def _ends(self, order_id: str, word: str) -> None:
        """What was called ended does end, and nothing more is told of it."""
        order = self._book.find(ClientOrderId(order_id))
        if order is not None and order.is_working:
            self._book.end(order, SAID[word][2] if word in ("canceled", "expired") else UpdateEvent.CANCELED, self._at)
            self._book.take_updates()

    def let_end(self, order: BookedOrder) -> None:
        order_id = order.request.client_order_id
        if (word := self.ended.get(order_id)) is not None:
            self._ends(order_id, word)

    def call_working(self, order: BookedOrder) -> None:
        """It was called ended, and works as it did all the while."""
        self.ended.pop(order.request.client_order_id, None)
        if order.is_working:
            self._tell(order, UpdateEvent.NEW)

    def call_idle(self, order: BookedOrder, word: str, *, is_told: bool) -> None:
        """It works on, by a word that says that it does not trade, or that it is about to."""
        self.idle[order.request.client_order_id] = word
        self.world.surprises.met[f"a stop {word}"] += 1
        if is_told:
            self._tell(order, UpdateEvent(word))

    def call_active(self, order: BookedOrder) -> None:
        self.idle.pop(order.request.client_order_id, None)
        if order.is_working:
            self._tell(order, UpdateEvent.NEW)

    def forget(self, order: BookedOrder, *, is_gone: bool) -> None:
        """The broker knows it no more: it is gone without a word, or works on unseen."""
        order_id = order.request.client_order_id
        self.forgotten.add(order_id)
        self.hidden.add(order_id)
        self.contradicted.add(order_id)
        if is_gone:
            self._book.end(order, UpdateEvent.CANCELED, self._at)
            self.world.wire._pass_updates_on()

    def remember(self, order: BookedOrder) -> None:
        self.forgotten.discard(order.request.client_order_id)
        self.denied.pop(order.request.client_order_id, None)

    def restate(self, order: BookedOrder, term: str, by: str, *, is_told: bool) -> bool:
        """The broker changes a term of it, and tells of it over its stream or by REST alone. Whether it could."""
        request, cents = order.request, Decimal(by)
        match term:
            case "quantity" if not order.legs and not order.is_held:
                quantity = max(request.quantity + cents, order.filled + 1)
                changed = replace(request, quantity=Quantity(quantity))
            case "limit" if request.limit_price is not None:
                changed = replace(request, limit_price=Price(request.limit_price + cents / 10))
            case "stop" if request.stop_price is not None and not request.type.trails:
                changed = replace(request, stop_price=Price(request.stop_price + cents / 10))
            case "time in force" if request.quantity % 1 == 0 and not order.legs and not order.is_held:
                is_day = request.time_in_force is TimeInForce.DAY
                changed = replace(request, time_in_force=TimeInForce.GTC if is_day else TimeInForce.DAY)
            case _:
                return False
        if changed == request:
            return False
        if changed.time_in_force is TimeInForce.GTC:
            order.expires_at = None
        order.request = changed
        self._book._has_changed(order)
        self.restated.add(request.client_order_id)
        if changed.quantity < request.quantity:
            self.made_less.add(request.client_order_id)
        self.world.surprises.met[f"{term} restated"] += 1
        if is_told:
            self._tell(order, UpdateEvent.RESTATED)
        return True

    def answer_replacement(self, effect: ReplaceOrder, at: datetime, how: str) -> Input | None:
        """It takes the replacement, ends it, and works the old order on; None where it would not take it."""
        old = self._book.find(effect.order.replaces) if effect.order.replaces is not None else None
        if old is None or not old.is_working or effect.order.legs:
            return None
        self.world.auditor.arrives(encoded(ReplaceRequest(at, effect.order)))
        new = BookedOrder(
            request=effect.order, broker_order_id=self._book.next_broker_id(), opens=old.opens,
            reserve_price=old.reserve_price, step=old.step, expires_at=None, instrument=old.instrument, accepted_at=at,
        )  # fmt: skip
        self._book._orders[effect.order.client_order_id] = new
        self._book._list(new)
        self._book._tell(new, UpdateEvent.NEW, at)
        answer = SubmissionAnswered(effect.order.client_order_id, Accepted(new.whole_report()))
        new.closed_at = at
        self._book._tell(new, SAID[how][2], at)
        if how == "rejected":
            self._book._outbox.append(OrderUpdate(UpdateEvent.ORDER_REPLACE_REJECTED, at, old.report()))
        self.world.surprises.met[f"a replacement {how} alone"] += 1
        return answer

    def _say(self, order_id: str, word: str) -> None:
        self.ended[order_id] = word
        self.contradicted.add(order_id)
        self.world.surprises.met[f"called {word}"] += 1

    def _tell(self, order: BookedOrder, event: UpdateEvent) -> None:
        """Over its stream; what it says is put in its words on the way."""
        self._book._outbox.append(OrderUpdate(event, self._at, order.report()))
        self.world.wire._pass_updates_on()

    @property
    def _at(self) -> datetime:
        return self.world.wire.at


def _less(picture: BrokerBooks) -> Iterator[object]:
    """The first position with half of its shares, at least one less; the others as they are."""
    for number, position in enumerate(picture.positions):
        half = Quantity((position.quantity / 2).to_integral_value())
        if number or half:
            yield position if number else replace(position, quantity=half)
