"""What the controls did on some days, and how near they came to it: by control, with the last of each (AN-06).

A near miss is an order that went although a check warned of its limit, and one whose figure came to more than `NEAR` of
a limit that the journal holds as a number. Most checks say what they measured in words; those are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from core.facts import (
    ApprovalRedeemed,
    MarginWarned,
    OrderApproved,
    OrderCreated,
    SettingsApplied,
)
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, percent
from core.ports import Recorded
from core.post_mortem.control_trips import TripKind, said_in
from core.settings.settings import Settings

NEAR = Decimal("0.8")
"""Of a limit: what came to more of it is told."""


@dataclass(frozen=True, slots=True)
class ControlTold:
    """One control, what it did and how often; `words` and `record` are the last time's."""

    name: str
    kind: TripKind
    many: int
    words: str
    record: Recorded


@dataclass(frozen=True, slots=True)
class NearMiss:
    """How often orders went near the limit of one control.

    Attributes
    ----------
    most
        Of the limit, at the highest, as a fraction; None where the check warned in words.
    record
        Of the order that came the nearest; of warnings the last.
    """

    name: str
    many: int
    most: Decimal | None
    words: str
    record: Recorded


@dataclass(frozen=True, slots=True)
class Controls:
    """Of some days: what acted, and what nearly did."""

    acted: tuple[ControlTold, ...]
    near: tuple[NearMiss, ...]


def controls_of(before: Iterable[Recorded], records: Iterable[Recorded]) -> Controls:
    """`before` has the settings that held as the records begin."""
    acted: dict[tuple[str, TripKind], ControlTold] = {}
    near: dict[str, NearMiss] = {}
    entries = _Entries()
    for record in before:
        entries.hear(record)
    for record in records:
        for name, kind, words in said_in(record.fact):
            if kind is not TripKind.WARNED:
                known = acted.get((name, kind))
                acted[name, kind] = ControlTold(name, kind, 1 if known is None else known.many + 1, words, record)
        for miss in (*_of_margin(record), *entries.take(record)):
            near[miss.name] = miss if miss.name not in near else _added(near[miss.name], miss)
    return Controls(tuple(acted.values()), tuple(near.values()))


def _of_margin(record: Recorded) -> Iterator[NearMiss]:
    if isinstance(record.fact, MarginWarned) and record.fact.limit is not None:
        yield NearMiss("margin", 1, None, f"{percent(record.fact.distance)} to maintenance margin", record)


def _added(known: NearMiss, more: NearMiss) -> NearMiss:
    """The nearest is told; of what was warned of in words, the last."""
    told = more if known.most is None or (more.most is not None and more.most > known.most) else known
    return NearMiss(told.name, known.many + more.many, told.most, told.words, told.record)


class _Entries:
    """Entries that went, with the figures of their key."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._approved: dict[str, OrderApproved] = {}
        self._of_order: dict[ClientOrderId, OrderApproved] = {}

    def hear(self, record: Recorded) -> None:
        if isinstance(record.fact, SettingsApplied):
            self._settings = record.fact.settings

    def take(self, record: Recorded) -> Iterator[NearMiss]:
        """Each check that warned of an entry, and each limit that it came near."""
        self.hear(record)
        match record.fact:
            case OrderApproved() as approved:
                self._approved[approved.approval_id] = approved
            case ApprovalRedeemed(approval=approval, client_order_id=order) if approval.id in self._approved:
                self._of_order[order] = self._approved.pop(approval.id)
            case OrderCreated() as created:
                by = self._of_order.pop(created.order.client_order_id, None)
                if by is not None and self._settings is not None and not created.order.effect.only_reduces:
                    yield from self._misses(created, by, self._settings, record)

    @staticmethod
    def _misses(created: OrderCreated, by: OrderApproved, settings: Settings, record: Recorded) -> Iterator[NearMiss]:
        warned = {name: words for name, kind, words in said_in(by) if kind is TripKind.WARNED}
        yield from (NearMiss(name, 1, None, words, record) for name, words in warned.items())
        for name, part, words in _near_of(created, by, settings):
            if name not in warned:
                yield NearMiss(name, 1, part, words, record)


def _near_of(created: OrderCreated, approved: OrderApproved, settings: Settings) -> Iterator[tuple[str, Decimal, str]]:
    risk, order = settings.risk, created.order
    if created.counted_at is not None and created.strategy == MANUAL:  # a strategy's order is sized to its limits
        cost = order.cost(created.counted_at)
        for name, most in (
            ("notional", risk.max_notional.of(approved.equity)),
            ("buying power", approved.buying_power),
        ):
            if most is not None and most > 0 and NEAR < cost / most <= 1:
                yield name, cost / most, f"{order.symbol} {cost:,.2f} of {most:,.2f} USD"
    if approved.bid is not None and approved.ask is not None and 0 < approved.bid <= approved.ask:
        spread = (approved.ask - approved.bid) / ((approved.ask + approved.bid) / 2)
        if risk.spread_limit and NEAR < spread / risk.spread_limit <= 1:
            words = f"{order.symbol} {percent(spread)} of mid, limit {percent(risk.spread_limit)}"
            yield "spread", spread / risk.spread_limit, words
