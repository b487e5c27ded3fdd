"""What Alpaca keeps of an order beside its book: ids, times, and which orders belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from core.model.broker import OrderReport, UpdateEvent
from core.model.order import LegRole, OrderClass, OrderRequest, OrderType
from core.model.values import ClientOrderId, Symbol
from tests.wire.exchange.refusal import not_found

NAMES = UUID("6f2c1d0e-7a35-4b1c-9d58-0d8a6b1f4e77")
"""Every id here is made of a name and this, so that a rebuilt exchange has the same ids."""
STAMP_OF: Mapping[UpdateEvent, str] = {
    UpdateEvent.FILL: "filled_at", UpdateEvent.CANCELED: "canceled_at", UpdateEvent.EXPIRED: "expired_at",
    UpdateEvent.REJECTED: "failed_at", UpdateEvent.REPLACED: "replaced_at",
}  # fmt: skip
"""The time that an order carries of each event that ends it."""


@dataclass(slots=True)
class Paper:
    """What Alpaca says of an order and the simulated exchange does not keep: its ids, its times and its relations."""

    id: str
    symbol: Symbol
    submitted_at: datetime
    updated_at: datetime
    stamps: dict[str, datetime] = field(default_factory=dict)
    replaces: str | None = None
    replaced_by: str | None = None
    asked: OrderRequest | None = None
    """None of a leg, which was never asked for by itself."""
    order_class: str = ""
    group: dict[str, str] = field(default_factory=dict)
    """`group_id` and `group_role` of an order that belongs to a bracket, an OCO or an OTO; nothing of a simple one."""
    is_leg: bool = False
    intent: str = ""
    """Its `position_intent`: asked for, or what its side does to the position."""
    high_water: Decimal | None = None
    said: dict[str, object] = field(default_factory=dict)
    """What is said in place of its own fields: an order that clients cannot read."""
    said_status: str | None = None
    """A status said in place of the exchange's own, as `pending_cancel` while a cancel stays pending."""

    def happened(self, event: UpdateEvent, at: datetime) -> None:
        self.updated_at = at
        if event in STAMP_OF:
            self.stamps[STAMP_OF[event]] = at


class Papers:
    """Of every order that was ever taken, by both of its ids."""

    def __init__(self) -> None:
        self._papers: dict[ClientOrderId, Paper] = {}
        self._names: dict[str, ClientOrderId] = {}

    def __len__(self) -> int:
        return len(self._papers)

    def of(self, name: ClientOrderId) -> Paper:
        return self._papers[name]

    def name_of(self, order_id: str) -> ClientOrderId:
        """Raises `RefusalError`."""
        name = self._names.get(order_id)
        if name is None:
            raise not_found(f"order not found for {order_id}")
        return name

    def that_say(self, status: str) -> list[ClientOrderId]:
        """Those whose status was said in place of the exchange's own."""
        return [name for name, paper in self._papers.items() if paper.said_status == status]

    def file(self, report: OrderReport, asked: OrderRequest, at: datetime, old: Paper | None = None) -> Paper:
        """An order that was taken, in the place of `old` or of none, with the legs that were made with it."""
        paper = self._new(report, at)
        paper.asked = asked
        paper.intent = f"{asked.side.value}_to_{'close' if asked.effect.only_reduces else 'open'}"
        if asked.order_class is not OrderClass.SIMPLE:
            paper.order_class = asked.order_class.value
            paper.group = {"group_id": id_of("group", paper.id), "group_role": role_in(asked)}
        if old is not None:
            paper.replaces, old.replaced_by = old.id, paper.id
            paper.order_class, paper.group, paper.is_leg = old.order_class, old.group, old.is_leg
        for leg in report.legs:
            if leg.client_order_id not in self._papers:
                made = self._new(leg, at)
                made.order_class, made.is_leg = paper.order_class, True
                made.intent = f"{leg.side_word}_to_close"
                made.group = {**paper.group, "group_role": role_of_leg(leg)}
        return paper

    def _new(self, report: OrderReport, at: datetime) -> Paper:
        paper = Paper(id_of("order", report.broker_order_id), report.symbol, at, at)
        self._papers[report.client_order_id] = paper
        self._names[paper.id] = report.client_order_id
        return paper


def role_in(order: OrderRequest) -> str:
    """Of the order itself: an OCO is the target, all else the entry."""
    return LegRole.TARGET.value if order.order_class is OrderClass.OCO else "entry"


def role_of_leg(leg: OrderReport) -> str:
    return LegRole.TARGET.value if leg.type is OrderType.LIMIT else LegRole.STOP.value


def id_of(kind: str, name: str) -> str:
    return str(uuid5(NAMES, f"{kind}:{name}"))
