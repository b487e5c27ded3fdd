"""An order over a limit is refused and the size that would pass is named; no order is reduced silently (RK-10)."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal

from core.model.instrument import BrokerInstrument
from core.model.order import Effect, LegRole
from core.model.values import Quantity, plain
from core.risk.checks.buying_power import BuyingPowerCheck
from core.risk.checks.concentration import ConcentrationCheck
from core.risk.checks.margin import MarginCheck
from core.risk.checks.order_size import OrderSizeCheck, most_shares
from core.risk.checks.portfolio import PortfolioCheck
from core.risk.checks.room import room_of, taken_of
from core.risk.checks.session_limits import SessionLimitsCheck
from core.risk.gate import Candidate, Gate, ReviewContext
from core.risk.size_factors import BINDING
from core.risk.sizing import size_within
from core.risk.sizing_inputs import conditions_of, wanted_of

WHOLE = Decimal(1)
OF_A_SIZE = Gate(
    (SessionLimitsCheck(), OrderSizeCheck(), BuyingPowerCheck(), MarginCheck(), PortfolioCheck(), ConcentrationCheck())
)
"""Other checks that a size must pass; it is computed from the loss, the budget and the largest order."""


def would_pass(candidate: Candidate, state: ReviewContext) -> str:
    """Return the size that passes every size check now (`0.298 would pass`), or the check that leaves no room.

    Whole shares if the order has whole shares and a whole share would pass, else steps of the instrument.
    """
    wanted = wanted_of(candidate, state)
    if wanted is None:
        return "take fewer shares"
    conditions, room = (
        conditions_of(candidate, state),
        room_of(candidate.order.side, state, taken_of(state, candidate.order)),
    )
    size = size_within(room, wanted, conditions, BINDING)
    part = _part_of_a_share(candidate, state)
    if not size.quantity and part < wanted.step:
        size = size_within(room, replace(wanted, step=part), conditions, BINDING)
    if not size.quantity:
        return f"no size passes: {size.limited_by}"
    most = most_shares(candidate.order.symbol, state)
    if most is not None and size.quantity > most:
        step = wanted.step if most >= wanted.step else part
        size = replace(size, quantity=Quantity((most / step).to_integral_value(ROUND_FLOOR) * step))
    if candidate.order.instrument.cost(size.quantity, wanted.price) < wanted.least:
        return f"no size passes: {size.limited_by} is under the smallest one"
    refused = OF_A_SIZE.review(_smaller(candidate, size.quantity), state).refusals
    if refused:
        return f"no size passes: {refused[0].check}"
    return f"{plain(size.quantity)} would pass"


def _smaller(candidate: Candidate, quantity: Quantity) -> Candidate:
    return replace(candidate, order=replace(candidate.order, quantity=quantity))


def _part_of_a_share(candidate: Candidate, state: ReviewContext) -> Decimal:
    """Return the quantity step: a whole share for a short sale, with a target, or where fractions do not trade."""
    order, instrument = candidate.order, state.instrument
    is_whole = order.effect is Effect.SHORT or order.leg(LegRole.TARGET) is not None
    if is_whole or not isinstance(instrument, BrokerInstrument) or not instrument.is_fractionable:
        return WHOLE
    return instrument.quantity_step
