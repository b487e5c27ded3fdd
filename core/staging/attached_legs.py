"""Entries that are sent with their stop in one request: whole shares with a broker-held stop (OP-06)."""

from __future__ import annotations

from dataclasses import replace

from core.model.order import Leg, LegRole, OrderClass, OrderRequest, StopHolder, TimeInForce
from core.model.staging import NoStop, StopPlan
from core.model.values import Price


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
