"""Name the limit that keeps an order from being larger, as text for its ticket (OP-03)."""

from __future__ import annotations

from core.model.account import Account
from core.model.instrument import BrokerInstrument
from core.model.staging import StopPlan
from core.model.values import CENT, exact_percent, plain
from core.risk.budget import at_stake
from core.risk.gate import Candidate, ReviewContext
from core.risk.sizing_inputs import conditions_of, cuts_of, risk_of
from core.settings.types import AmountSettings


def cap_of(candidate: Candidate, context: ReviewContext) -> str | None:
    """Return the first limit that one more step would exceed; None if the order could be larger, or closes.

    A step is one share for whole shares, else the instrument's step. Half a tick of stop rounding counts as reached.
    """
    order, risk = candidate.order, context.settings.risk
    price, farthest = candidate.price(context.quote_of_now), candidate.farthest(context.quote_of_now)
    if (
        candidate.only_reduces
        or price is None
        or farthest is None
        or not isinstance(context.instrument, BrokerInstrument)
    ):
        return None
    is_whole = order.quantity == order.quantity.to_integral_value()
    of, more = order.instrument, order.quantity + (1 if is_whole else context.instrument.quantity_step)
    cost = of.cost(more, price)
    most = risk.max_notional.of(context.equity)
    if most is not None and cost > most:
        return _in_words(risk.max_notional)
    cuts = cuts_of(candidate, context)
    loss = risk_of(candidate, context, cuts)
    if loss is not None and isinstance(candidate.stop, StopPlan):
        way = candidate.stop.way_from(farthest) + of.ticks.at(farthest) / 2
        if of.risk(more, way) > loss:
            return " × ".join([f"risk {_in_words(risk.per_trade)}", *map(str, cuts)])
        left = conditions_of(candidate, context).budget_left
        if left is not None and of.risk(more, at_stake(price, farthest, candidate.stop)) > left:
            return f"the risk budget, {exact_percent(risk.sizing.budget)}"
    is_shared = context.allocations.of(candidate.strategy) is None
    capital = None if is_shared else conditions_of(candidate, context).capital_left
    if capital is not None and cost > capital:
        return "the strategy's allocation"
    if isinstance(context.account, Account) and cost > context.account.buying_power:
        return "buying power"
    return None


def _in_words(amount: AmountSettings) -> str:
    """As in `50 USD`, `8 %` of equity."""
    if amount.of_equity is not None:
        return exact_percent(amount.of_equity)
    usd = amount.usd
    return "" if usd is None else f"{plain(usd) if usd == usd.to_integral_value() else usd.quantize(CENT)} USD"
