"""Entries: with their stop in one request, and waiting at the broker (OP-06).

A stop entry buys above the market or sells short below it. The broker accepts no legs with one, so its stop follows
each fill, and it is for the day alone. The fill price of a trailing entry is unknown: its stop trails from the fill on.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from core.model.lazy_dataclass import dataclass
from core.model.order import WITH_STOP, Leg, LegRole, OrderClass, OrderRequest, Side, StopHolder, TimeInForce
from core.model.staging import NoStop, StopPlan
from core.model.values import Price

if TYPE_CHECKING:
    pass


LONGEST_TTL = 86_400
"""Seconds: an order that should work longer has no time to live."""
NOT_FOR_THE_DAY = "a stop entry is for the day: its own stop follows its fill, while this desk runs"
NO_TTL = f"an order's own time is whole seconds, from 1 to {LONGEST_TTL}"
NO_MARKET = "no price of it is known yet, by which its stop could follow its fill; wait for a quote"
NOT_HELD = "the stop of a trailing entry follows its fill, and only the broker can hold that"
WRONG_SIDE = "its stop is on the wrong side of where it would trade"
TRIGGER_ALONE = f"a {WITH_STOP} entry, and only these, has a trigger"


def aimed_at(order: OrderRequest, market: Decimal | None) -> Price | None:
    """Return the price at which an entry would trade, USD: its limit, its trigger, or its trail from `market`."""
    if order.limit_price is not None:
        return order.limit_price
    if order.type.has_stop:
        return order.stop_price
    if not order.type.trails:
        return None if market is None else Price(market)
    if market is None:
        return None
    behind = order.trail_price if order.trail_price is not None else market * (order.trail_fraction or 0)
    return order.instrument.ticks.nearest(market + behind if order.side is Side.BUY else market - behind)


@dataclass(frozen=True, slots=True)
class Reach:
    """The lowest and the highest price at which an entry would fill in the current market, USD a share."""

    least: Price
    most: Price


def reach_of(side: Side, limit: Price | None, met: Price | None) -> Reach | None:
    """Return the reach; a limit bounds one side, and on the other it fills at the market's price if that is better.

    Parameters
    ----------
    met
        The market's price now, or the trigger; None if unknown. Then a buy may cost its limit, and the proceeds of a
        sale are unknown.
    """
    if limit is None:
        return None if met is None else Reach(met, met)
    if side is Side.BUY:
        return Reach(min(limit, met) if met else limit, limit)
    return None if met is None else Reach(limit, max(limit, met))


def refusal_of(order: OrderRequest, ttl_seconds: int | None) -> str | None:
    """Return why no entry may have these terms, manual or not."""
    if (order.stop_price is not None) is not order.type.has_stop:
        return TRIGGER_ALONE
    if order.type.waits and order.time_in_force is not TimeInForce.DAY:
        return NOT_FOR_THE_DAY
    if ttl_seconds is not None and not 1 <= ttl_seconds <= LONGEST_TTL:
        return NO_TTL
    return None


def stop_for(order: OrderRequest, stop: StopPlan | NoStop, market: Decimal | None) -> StopPlan | NoStop | str:
    """Return the stop as the broker will have it, or the text of why it can have none."""
    if not order.type.trails or isinstance(stop, NoStop):
        return stop
    aimed = aimed_at(order, market)
    if aimed is None:
        return NO_MARKET
    if stop.holder is not StopHolder.BROKER:
        return NOT_HELD
    way = aimed - stop.price if order.side is Side.BUY else stop.price - aimed
    return StopPlan(stop.price, stop.holder, order.instrument.ticks.nearest(way)) if way > 0 else WRONG_SIDE


def with_legs(order: OrderRequest, stop: StopPlan | NoStop, target: Price | None = None) -> OrderRequest:
    """Add the legs to an entry: a stop alone is an OTO, a stop and a target a bracket.

    Fractions, which the broker refuses there, IOC orders, and orders in extended hours have no legs: their stop follows
    each fill.
    """
    simple = replace(order, order_class=OrderClass.SIMPLE, legs=())
    if not isinstance(stop, StopPlan) or stop.holder is not StopHolder.BROKER or not can_have_legs(order):
        return simple
    guard = Leg(LegRole.STOP, stop_price=stop.price)
    if target is None:
        return replace(simple, order_class=OrderClass.OTO, legs=(guard,))
    return replace(simple, order_class=OrderClass.BRACKET, legs=(guard, Leg(LegRole.TARGET, limit_price=target)))


def can_have_legs(order: OrderRequest) -> bool:
    is_whole = order.quantity.is_finite() and order.quantity == order.quantity.to_integral_value()
    return (
        is_whole
        and not order.type.waits
        and order.time_in_force is not TimeInForce.IOC
        and not order.effect.only_reduces
        and not order.extended_hours
    )


def target_of(order: OrderRequest) -> Price | None:
    """Return the price at which the broker takes the profit; None if it holds no target."""
    leg = order.leg(LegRole.TARGET)
    return None if leg is None else leg.limit_price
