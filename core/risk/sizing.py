"""Convert a risk in USD to a quantity of shares; the only place that does so (RK-02, RK-10).

Used by strategies, the quantity keys of the order form, and checks that name the size which would pass. The risk is
scaled by the terms of `core/risk/size_factors.py`, capped by the largest order and the risk budget, and rounded down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

from core.model.sizing import LeftOut, Room, Size, SizeLimit, Term, product
from core.model.values import NO_SHARES, ZERO, Money, Quantity
from core.risk.size_factors import ALL, BINDING, Conditions, Scale, WantedEntry

BY_RISK, BY_NOTIONAL, BY_BUDGET = SizeLimit.RISK, SizeLimit.NOTIONAL, SizeLimit.BUDGET
BY_ALLOCATION, BY_LEAST = SizeLimit.ALLOCATION, SizeLimit.LEAST
BY_HOURS = "these hours"
BY_STEP = "buys less than the smallest quantity"
NO_RISK = "the risk of a trade is not known"

_DOWN, _UP = Context(prec=50, rounding=ROUND_FLOOR), Context(prec=50, rounding=ROUND_CEILING)
"""Quotients are rounded down, so that a size never costs or risks more than allowed; a minimum is rounded up."""


def size_of(wanted: WantedEntry, conditions: Conditions, scales: Sequence[Scale] = ALL) -> Size:
    """Return the quantity that loses at most the scaled risk at the stop, within every cap, rounded down to the step
    (RK-02, RK-10).

    Quantity = risk × factors ÷ way to the stop, capped by the largest order ÷ price, by the rest of the strategy's
    allocation ÷ price (ST-08), and by the risk budget's rest ÷ way, or ÷ price if the operator holds the stop (RK-21).
    A stop that is rounded to its tick may be half a tick further away; that and a gap through the stop are slippage. A
    size under the smallest order is raised to it only if the settings allow that, and only if it passes every binding
    limit (RK-18); else it stays, and the gate refuses it with its reason.
    """
    terms, left_out = _weighed(wanted, conditions, scales)
    quantity, limited_by = _capped(wanted, conditions, terms)
    if conditions.budget_left is None:
        left_out = (*left_out, LeftOut(BY_BUDGET, "equity is not known"))
    least = raised_to_least(wanted, conditions, quantity) if conditions.settings.raise_to_minimum else None
    if least is not None:
        quantity, limited_by = least, BY_LEAST
    return Size(quantity, limited_by, terms, left_out, wanted.risk)


def size_within(room: Room, wanted: WantedEntry, conditions: Conditions, scales: Sequence[Scale] = ALL) -> Size:
    """Return the size within the whole account's limits; `limited_by` names such a limit if it is the nearest."""
    most = wanted.max_notional
    by: SizeLimit | str = BY_NOTIONAL
    if most is not None and room.cost is not None and room.cost < most:
        most, by = room.cost, room.by
    if most is not None and room.loss is not None and wanted.way:
        of_loss = _DOWN.multiply(_DOWN.divide(room.loss, wanted.unit_loss), wanted.unit_cost)
        most, by = (Money(of_loss), BY_HOURS) if of_loss < most else (most, by)
    size = size_of(replace(wanted, max_notional=most), conditions, scales)
    is_another = isinstance(size.limited_by, SizeLimit) and size.limited_by is not BY_NOTIONAL
    if by is BY_NOTIONAL or is_another:
        return size
    return replace(size, limited_by=size.limited_by.replace(BY_NOTIONAL, by))


def raised_to_least(wanted: WantedEntry, conditions: Conditions, quantity: Quantity) -> Quantity | None:
    """Return the smallest order's shares, rounded up; None if `quantity` is enough, or a binding limit is exceeded."""
    if wanted.risk is None or wanted.instrument.cost(quantity, wanted.price) >= wanted.least:
        return None
    steps = _UP.divide(wanted.least, _DOWN.multiply(wanted.unit_cost, wanted.step)).to_integral_value(ROUND_CEILING)
    raised = Quantity(steps * wanted.step)
    terms, _ = _weighed(wanted, conditions, BINDING)
    most, _ = _capped(wanted, conditions, terms)
    return raised if raised <= most else None


def binding_cuts(wanted: WantedEntry, conditions: Conditions) -> tuple[Term, ...]:
    """Return the terms that lower the loss limit of every order, also of a manual size."""
    return tuple(term for term in _weighed(wanted, conditions, BINDING)[0] if term.cuts)


def _weighed(
    wanted: WantedEntry, conditions: Conditions, scales: Sequence[Scale]
) -> tuple[tuple[Term, ...], tuple[LeftOut, ...]]:
    answers = [scale.weigh(wanted, conditions) for scale in scales]
    terms = tuple(answer for answer in answers if isinstance(answer, Term))
    return terms, tuple(answer for answer in answers if isinstance(answer, LeftOut))


def _capped(wanted: WantedEntry, conditions: Conditions, terms: tuple[Term, ...]) -> tuple[Quantity, SizeLimit | str]:
    if wanted.risk is None or wanted.risk <= ZERO:
        return NO_SHARES, NO_RISK
    if wanted.max_notional is None or wanted.max_notional <= ZERO:
        return NO_SHARES, BY_NOTIONAL
    a_step_loses = _DOWN.multiply(wanted.unit_loss, wanted.step)
    a_step_costs = _DOWN.multiply(wanted.unit_cost, wanted.step)
    limits = [
        (_DOWN.divide(_DOWN.multiply(wanted.risk, product(terms)), a_step_loses), BY_RISK),
        (_DOWN.divide(wanted.max_notional, a_step_costs), BY_NOTIONAL),
    ]
    if conditions.budget_left is not None:
        a_step_stakes = _DOWN.multiply(wanted.unit_stake, wanted.step)
        limits.append((_DOWN.divide(max(conditions.budget_left, ZERO), a_step_stakes), BY_BUDGET))
    if conditions.capital_left is not None:
        limits.append((_DOWN.divide(max(conditions.capital_left, ZERO), a_step_costs), BY_ALLOCATION))
    steps, limited_by = min(limits, key=lambda limit: limit[0])
    whole = steps.to_integral_value(ROUND_FLOOR)
    if whole <= ZERO:
        return NO_SHARES, f"{limited_by} {BY_STEP}"
    return Quantity(whole * wanted.step), limited_by
