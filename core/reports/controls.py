"""The controls' actions and near misses on some days: by control, with the last of each (AN-06).

A near miss is a sent order whose check warned of its limit, or whose figure was above `NEAR` of a limit that the
journal has as a number. Most checks give their measurement as text, which is not parsed.
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
from core.post_mortem.missed_trades import TripKind, said_in
from core.settings.settings import Settings

NEAR = Decimal("0.8")
"""The fraction of a limit above which a figure is reported."""


@dataclass(frozen=True, slots=True)
class ControlTold:
    """One control, its action and its count; `words` and `record` are from the last time."""

    name: str
    kind: TripKind
    many: int
    words: str
    record: Recorded


@dataclass(frozen=True, slots=True)
class NearMiss:
    """How often orders came near the limit of one control.

    Attributes
    ----------
    most
        The highest fraction of the limit; None if the check warned by text.
    record
        The order that came nearest; for warnings the last.
    """

    name: str
    many: int
    most: Decimal | None
    words: str
    record: Recorded


@dataclass(frozen=True, slots=True)
class Controls:
    """The actions and near misses of some days."""

    acted: tuple[ControlTold, ...]
    near: tuple[NearMiss, ...]


def controls_of(before: Iterable[Recorded], records: Iterable[Recorded]) -> Controls:
    """Return the controls' actions; `before` has the settings at the beginning of the records."""
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
        yield NearMiss("margin", 1, None, f"excess liquidity {percent(record.fact.distance)}", record)


def _added(known: NearMiss, more: NearMiss) -> NearMiss:
    """Add a near miss: the nearest is reported, for warnings by text the last."""
    told = more if known.most is None or (more.most is not None and more.most > known.most) else known
    return NearMiss(told.name, known.many + more.many, told.most, told.words, told.record)


class _Entries:
    """Sent entries, with the figures of their confirmation."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._approved: dict[str, OrderApproved] = {}
        self._of_order: dict[ClientOrderId, OrderApproved] = {}

    def hear(self, record: Recorded) -> None:
        if isinstance(record.fact, SettingsApplied):
            self._settings = record.fact.settings

    def take(self, record: Recorded) -> Iterator[NearMiss]:
        """Yield each check that warned of an entry, and each limit it came near."""
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
