"""The terms of an order as text, and those that a broker may change (EX-13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from core.model.codes import OwedReason
from core.model.lazy_dataclass import dataclass
from core.model.order import AnyOrder, Effect, LegRole, OrderRequest, OrderType, Terms, TimeInForce
from core.model.values import ZERO, Fraction, Price, Quantity, exact_percent, plain, priced

if TYPE_CHECKING:
    from core.model.broker import OrderReport


@dataclass(frozen=True, slots=True)
class TypeWords:
    """Formats of an order's terms: in general, on its ticket, and in a column."""

    terms: str
    ticket: str
    column: str


WORDS: Mapping[OrderType, TypeWords] = {
    OrderType.MARKET: TypeWords("market", "at the market", "market"),
    OrderType.LIMIT: TypeWords("limit {limit}", "at {limit} limit", "limit {limit}"),
    OrderType.STOP: TypeWords("stop {stop}", "stop {stop}", "stop {stop}"),
    OrderType.STOP_LIMIT: TypeWords("stop {stop} limit {limit}", "stop {stop}, then limit {limit}", "s-lim {stop}"),
    OrderType.TRAILING_STOP: TypeWords(
        "trailing stop {trail} behind", "stop {trail} behind the best price", "trail {trail}"
    ),
}


def filled_in(words: str, terms: Terms, price: Callable[[Decimal | None], str]) -> str:
    """Fill in the prices, formatted by `price`: `stop 48.43 limit 48.40`; a trail is USD or a percentage."""
    _, limit, stop, trail, fraction = terms
    behind = price(trail) if fraction is None else exact_percent(fraction)
    return words.format(limit=price(limit), stop=price(stop), trail=behind)


def order_in_words(order: OrderRequest) -> str:
    """As in `BUY 47 SPY limit 166.76`, with extended hours if it acts in them."""
    return f"{order.side.value.upper()} {plain(order.quantity)} {order.symbol} {terms_in_words(order)}"


def terms_in_words(order: OrderRequest) -> str:
    """As in `limit 166.76`, with extended hours if it acts in them."""
    terms = filled_in(WORDS[order.type].terms, order.terms, _priced)
    return f"{terms}{' in extended hours too' if order.extended_hours else ''}"


def stop_in_words(terms: Terms) -> str:
    """As in `at 99.30`, or `trailing stop 0.5 % behind`; empty without a price."""
    kind, _limit, price, *_trail = terms
    if kind.trails:
        return filled_in(WORDS[kind].terms, terms, _priced)
    return "" if price is None else f"at {priced(price)}"


def _priced(price: Decimal | None) -> str:
    return "no price" if price is None else priced(price)


def with_legs_in_words(order: OrderRequest) -> str:
    """As in `BUY 47 SPY limit 166.76, with it stop 166.26 and target 170`."""
    legs = [
        f"target {priced(leg.limit_price or ZERO)}"
        if leg.role is LegRole.TARGET
        else f"stop {priced(leg.stop_price or ZERO)}"
        for leg in order.legs
    ]
    return order_in_words(order) + (f", with it {' and '.join(legs)}" if legs else "")


def purpose_in_words(order: OrderRequest) -> str:
    """As in `to open`, or the order that it replaces."""
    if order.replaces is not None:
        return f"replacing {order.replaces}"
    return "as partial close" if order.effect is Effect.REDUCE else f"to {order.effect.value}"


OWED: Mapping[OwedReason, str] = {
    OwedReason.DUE: "no stop is in force, and none is under way",
    OwedReason.ON_ITS_WAY: "the broker has not answered for it",
    OwedReason.IN_DOUBT: "in doubt at the broker, looked up",
    OwedReason.KEPT: "sent again soon",
    OwedReason.BLOCKED: "the broker accepts no orders of the account; sent as soon as it does",
    OwedReason.CLOSING: "it made way for an exit",
    OwedReason.WAITS_FOR_KEY: "a new one waits for your key",
    OwedReason.TAKEN_ELSEWHERE: "cancelled at the broker, not by this desk",
    OwedReason.HELD_ELSEWHERE: "a stop that was placed elsewhere protects them",
    OwedReason.LEGS_WAIT: "waits until its entry is filled whole; d in Orders cancels the rest, and the stop follows",
    OwedReason.NOT_TRADING: "the broker has their exit and does not trade it; close them, or ask the broker",
    OwedReason.BEFORE_SPLIT: "their stop at the broker has a price from before a split, and is being cancelled",
    OwedReason.LEAVING: "the broker has a cancel or a replacement of it, and has not carried it out yet",
    OwedReason.UNFILLED: "their exit at the market does not fill; cancel it and close at a limit, or at the broker",
    OwedReason.AT_LIMIT: "an exit at a limit holds the shares",
    OwedReason.NAKED: "NAKED was typed",
}
"""Why shares are owed a stop."""


@dataclass(frozen=True, slots=True)
class StatedTerms:
    """The terms of an order. `stop_price` is None for a trailing stop, because its level is not a term."""

    quantity: Quantity
    type: OrderType
    time_in_force: TimeInForce
    limit_price: Price | None
    stop_price: Price | None
    trail_price: Price | None
    trail_fraction: Fraction | None
    extended_hours: bool

    @classmethod
    def of_order(cls, order: AnyOrder) -> StatedTerms:
        return cls(
            order.quantity,
            order.type,
            order.time_in_force,
            order.limit_price,
            order.stop_price,
            order.trail_price,
            order.trail_fraction,
            order.extended_hours,
        )

    @classmethod
    def of_report(cls, report: OrderReport, known: StatedTerms) -> StatedTerms:
        """Return the broker's terms; an unknown or unread value is replaced with the known one."""
        kind = report.type or known.type
        told = cls(
            report.quantity,
            kind,
            report.time_in_force or known.time_in_force,
            report.limit_price,
            known.stop_price if kind.trails else report.stop_price,
            report.trail_price,
            report.trail_fraction,
            report.extended_hours,
        )
        return replace(told, **{name: getattr(known, name) for name in report.unread_terms})

    def suits(self, order: AnyOrder) -> bool:
        """Return whether an order of ours can have these terms."""
        try:
            self.of(order)
        except ValueError:
            return False
        return True

    def of(self, order: AnyOrder) -> AnyOrder:
        """Return the order with these terms. Raises ValueError if no order can have them."""
        return replace(
            order,
            quantity=self.quantity,
            type=self.type,
            time_in_force=self.time_in_force,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            trail_price=self.trail_price,
            trail_fraction=self.trail_fraction,
            extended_hours=self.extended_hours,
        )

    def changes(self, other: StatedTerms) -> list[tuple[str, object, object]]:
        """Return each term that differs: its name, the value here, and the other's."""
        pairs = ((name, getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return [(name, mine, theirs) for name, mine, theirs in pairs if mine != theirs]

    def in_words(self, later: StatedTerms) -> str:
        """As in `stop price 510.84 → 498.00, limit price none → 545.00`."""
        changed = self.changes(later)
        return ", ".join(f"{name.replace('_', ' ')} {_term(old)} → {_term(new)}" for name, old, new in changed)


def _term(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return "none" if value is None else str(getattr(value, "value", value))
