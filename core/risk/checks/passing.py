"""Over a cap an order is refused with the size that would pass, and never made smaller unsaid (RK-10)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.model.account import Account
from core.model.instrument import Instrument
from core.model.order import Effect, LegRole
from core.model.values import ZERO, Money, plain
from core.risk.checks.buying_power import free_for
from core.risk.conditions import conditions_of, wanted_of
from core.risk.gate import Candidate, ReviewContext
from core.risk.scaling import BINDING
from core.risk.sizing import size_of

WHOLE = Decimal(1)


def would_pass(candidate: Candidate, desk: ReviewContext) -> str:
    """`0.298 would pass`: within every limit of its size together; or which of them leaves no room.

    Whole shares where the order is of them and any would do, else in the instrument's steps.
    """
    wanted = wanted_of(candidate, desk)
    if wanted is None:
        return "take fewer shares"
    if isinstance(desk.account, Account) and wanted.max_notional is not None:
        free = free_for(candidate.order, desk.ledger, desk.account)
        wanted = replace(wanted, max_notional=Money(max(min(wanted.max_notional, free), ZERO)))
    conditions = conditions_of(candidate, desk)
    size = size_of(wanted, conditions, BINDING)
    part = _part_of_a_share(candidate, desk)
    if not size.quantity and part < wanted.step:
        size = size_of(replace(wanted, step=part), conditions, BINDING)
    if not size.quantity:
        return f"no size passes: {size.limited_by}"
    if size.quantity * wanted.price < wanted.least:
        return f"no size passes: {size.limited_by} is under the smallest one"
    return f"{plain(size.quantity)} would pass"


def _part_of_a_share(candidate: Candidate, desk: ReviewContext) -> Decimal:
    """The step of such an order: a whole share for a short sale, beside a target, and where fractions do not trade."""
    order, instrument = candidate.order, desk.instrument
    is_whole = order.effect is Effect.SHORT or order.leg(LegRole.TARGET) is not None
    if is_whole or not isinstance(instrument, Instrument) or not instrument.is_fractionable:
        return WHOLE
    return instrument.quantity_step
