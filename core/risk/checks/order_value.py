"""Checks of an order's value, and the size that would pass (EX-11, RK-23, ST-08).

The checks of these refuse a larger order; every computed size stays within it (RK-10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_FLOOR, Context, Decimal

from core.model.account import Account
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, LegRole, OrderRequest, Side
from core.model.sizing import NO_LIMITS, Room
from core.model.staging import Verdict, unsaid
from core.model.values import ZERO, Money, Quantity, Symbol, exact_percent, plain
from core.risk.capital_allocation import Capital, Share, capital_of
from core.risk.checks.exposure import ConcentrationCheck, PortfolioCheck
from core.risk.checks.funds import BuyingPowerCheck, MarginCheck, free_for
from core.risk.checks.market import SessionLimitsCheck, limits_of
from core.risk.checks.order import OrderSizeCheck, most_shares
from core.risk.exposure import exposure_by_sector, exposure_by_symbol, value_taken
from core.risk.gate import Candidate, Gate, ReviewContext, lacking, passed, refused, usd
from core.risk.margin import Unknown, maintenance_coming, night_multiple, requirement_of
from core.risk.sizing import BINDING, size_within
from core.risk.sizing_inputs import conditions_of, wanted_of
from core.risk.strategy_limits import max_notional
from core.settings.risk import UNLIMITED

_DOWN = Context(prec=50, rounding=ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class RoomTaken:
    """Amounts used by everything else, in USD: free buying power, exposure by symbol, maintenance still to come, and
    the used part of the day's value.
    """

    free: Decimal
    exposure: Mapping[Symbol, Money]
    coming: Decimal
    of_the_day: Decimal


def taken_of(state: ReviewContext, but: OrderRequest | None = None) -> RoomTaken | None:
    """Leave out `but` and the order it replaces; return None if the account is unknown."""
    if not isinstance(state.account, Account):
        return None

    def known(symbol: Symbol) -> BrokerInstrument | NoInstrument:
        return state.instruments.get(symbol) or NoInstrument("not asked for yet")

    return RoomTaken(
        free_for(but, state.ledger, state.account),
        exposure_by_symbol(state.ledger, state.prices, but),
        maintenance_coming(state.ledger, known, state.account.at, but),
        value_taken(state.day, state.day_value, state.ledger, state.confirmed, but).total,
    )


def room_of(side: Side, state: ReviewContext, taken: RoomTaken | None) -> Room:
    """Return the largest cost of an entry on `side` and its largest loss at the stop.

    An unknown figure limits nothing.
    """
    account, risk = state.account, state.settings.risk
    if taken is None or not isinstance(account, Account):
        return NO_LIMITS
    limits = [
        ("buying power", taken.free),
        *_of_portfolio(state, account, taken),
        *_of_concentration(state, account, taken),
        *_of_day(state, taken),
        *_of_margin(side, state, account, taken),
    ]
    hours, loss = limits_of(state), None
    if hours is not None:
        most, risked = risk.max_notional.of(state.equity), risk.per_trade.of(state.equity)
        limits += [] if most is None else [("these hours", most * hours.part)]
        loss = None if risked is None else Money(risked * hours.part)
    by, cost = min(limits, key=lambda limit: limit[1])
    return Room(Money(max(cost, ZERO)), by, loss)


class Rooms:
    """The room of a buy and of a short sale in any symbol at one moment, computed once for symbols with equal terms."""

    def __init__(self, state: ReviewContext) -> None:
        self._state, self._taken = state, taken_of(state)
        self._known: dict[tuple[object, ...], tuple[Room, Room]] = {}

    def of(self, instrument: BrokerInstrument | NoInstrument) -> tuple[Room, Room]:
        """Return both rooms; the key has all that they read of an instrument."""
        taken, key = self._taken, tuple[object, ...]()
        if taken is not None and isinstance(instrument, BrokerInstrument):
            key = (
                instrument.asked.hours,
                instrument.is_marginable,
                instrument.long_requirement,
                instrument.short_requirement,
                taken.exposure.get(instrument.symbol),
                self._state.settings.risk.sectors.get(instrument.symbol),
            )
        rooms = self._known.get(key)
        if rooms is None:
            of_it = replace(self._state, instrument=instrument)
            rooms = self._known[key] = room_of(Side.BUY, of_it, taken), room_of(Side.SELL, of_it, taken)
        return rooms


def _of_portfolio(state: ReviewContext, account: Account, taken: RoomTaken) -> Iterator[tuple[str, Decimal]]:
    terms = state.settings.risk.portfolio
    if terms.max_exposure != UNLIMITED or terms.reserve:
        yield "exposure", terms.max_exposure * account.equity - sum(taken.exposure.values(), ZERO)
    if terms.reserve:
        yield "the reserve", taken.free - terms.reserve


def _of_concentration(state: ReviewContext, account: Account, taken: RoomTaken) -> Iterator[tuple[str, Decimal]]:
    terms, risk, instrument = state.settings.risk.portfolio, state.settings.risk, state.instrument
    if not terms.limits_concentration or not isinstance(instrument, BrokerInstrument):
        return
    own, sector = taken.exposure.get(instrument.symbol, ZERO), risk.sectors.get(instrument.symbol)
    yield "the symbol's exposure", terms.symbol_exposure * account.equity - own
    if sector is not None:
        together = exposure_by_sector(taken.exposure, risk.sectors).get(sector, ZERO)
        yield "its sector's exposure", terms.sector_exposure * account.equity - together


def _of_day(state: ReviewContext, taken: RoomTaken) -> Iterator[tuple[str, Decimal]]:
    cap = state.settings.risk.max_day_value
    most = None if cap.limits_nothing else cap.of(state.equity)
    if most is not None:
        yield "the day's value", most - taken.of_the_day


def _of_margin(side: Side, state: ReviewContext, account: Account, taken: RoomTaken) -> Iterator[tuple[str, Decimal]]:
    """Solve `effect_of` for the cost at which each limit is reached."""
    requirement, terms = requirement_of(state.instrument, side), state.settings.risk.margin
    if not account.uses_margin or isinstance(requirement, Unknown) or account.maintenance_margin is None:
        return
    yield "margin", _DOWN.divide(taken.free, max(Decimal(1), account.multiplier * requirement))
    if requirement:
        left = account.equity * (1 - terms.refuse_at) - account.maintenance_margin - taken.coming
        yield "maintenance", _DOWN.divide(left, requirement)
    if terms.holds_overnight and account.overnight_buying_power is not None:
        lent = night_multiple(account)
        free = account.overnight_buying_power - (account.buying_power - taken.free)
        yield "the night's buying power", _DOWN.divide(free, max(Decimal(1), lent * requirement))


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
        return f"no size passes: {size.limited_by} is under the smallest order, {usd(wanted.least)}"
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


class NotionalCheck:
    """An order is neither too small to be worth sending nor larger than the profile, or its strategy, allows (EX-11,
    RK-07).

    Shuts an entry larger or smaller than orders may be; ends with another quantity.
    """

    name = "notional"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict:
        if candidate.only_reduces:
            return passed(self.name, "closes; any size")
        notional = candidate.cost(state.quote_of_now)
        limit = max_notional(state.settings, candidate.strategy, state.equity)
        most, whose = limit.usd, limit.whose(candidate.strategy)
        least = state.settings.risk.min_notional
        if notional is None or most is None:
            return lacking(self.name, notional, state)
        if notional > most:
            passing = would_pass(candidate, state)
            return refused(self.name, f"{whose}{usd(notional)} is over {usd(most)} an order; {passing}")
        if not limit.is_known:
            return lacking(self.name, notional, state)
        if notional < least:
            return refused(self.name, f"{usd(notional)} is under {usd(least)}, the smallest order")
        return unsaid(self.name, lambda: f"{whose}{usd(notional)} of {usd(most)}")


class DayValueCheck:
    """All entries of a day (filled, working, confirmed) stay within the profile's value limit (RK-23).

    Shuts every entry that is worth more than is left of the day; ends with the trading day, with fewer shares, or
    when a working entry ends without a fill.
    """

    name = "day value"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        cap, order = state.settings.risk.max_day_value, candidate.order
        if cap.limits_nothing:
            return None
        if candidate.only_reduces:
            return passed(self.name, "closes; opens no value")
        cost, most = candidate.cost(state.quote_of_now), cap.of(state.equity)
        if cost is None or most is None:
            return lacking(self.name, cost, state)
        taken = value_taken(state.day, state.day_value, state.ledger, state.confirmed, order).total
        total = taken + cost
        if total <= most:
            return unsaid(self.name, lambda: f"{usd(total)} of {usd(most)} today with it")
        if taken >= most:
            return refused(self.name, f"FULL, entries of {usd(taken)} today, {usd(most)} is the most a day")
        return refused(
            self.name,
            f"entries of today would be {usd(total)}, {usd(most)} is the most a day; {would_pass(candidate, state)}",
        )


class AllocationCheck:
    """A strategy's entries stay within its share of equity, and each position within its part of that share (ST-08).

    Shuts an entry that takes more than its strategy has left; ends when a position is closed, or with
    fewer shares.
    """

    name = "allocation"

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Return None if the strategy has no share: there is nothing to check."""
        share = state.allocations.of(candidate.strategy)
        if share is None or candidate.only_reduces:
            return None
        price = candidate.price(state.quote_of_now)
        if price is None or state.equity is None:
            return lacking(self.name, price, state)
        order = candidate.order
        capital = capital_of(share, candidate.strategy, order.symbol, state.ledger, state.equity, order)
        cost = order.cost(price)
        if cost > capital.left:
            said = f"exceeds strategy allocation: {_over(capital, share, candidate.strategy, cost)}"
            return refused(self.name, f"{said}; {would_pass(candidate, state)}")
        return unsaid(self.name, lambda: f"{usd(capital.taken + cost)} of {usd(capital.allocated)} with it")


def _over(capital: Capital, share: Share, strategy: str, cost: Decimal) -> str:
    """Name the limit that is exceeded."""
    if capital.taken + cost > capital.allocated:
        return (
            f"{strategy} would use {usd(capital.taken + cost)} of {usd(capital.allocated)}, "
            f"{exact_percent(share.allocation)} of equity"
        )
    return (
        f"the position would cost {usd(capital.in_symbol + cost)} of {usd(capital.of_a_position)}, "
        f"{exact_percent(share.position_part)} of what {strategy} has"
    )
