"""The largest cost of an entry that the whole account allows: buying power, margin, exposure, reserve, hours.

The checks of these refuse a larger order; every computed size stays within it (RK-10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal

from core.model.account import Account
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest, Side
from core.model.sizing import NO_LIMITS, Room
from core.model.values import ZERO, Money, Symbol
from core.risk.checks.buying_power import free_for
from core.risk.checks.session_limits import limits_of
from core.risk.day_value import value_taken
from core.risk.gate import ReviewContext
from core.risk.margin import Unknown, maintenance_coming, night_multiple, requirement_of
from core.risk.portfolio import exposure_by_sector, exposure_by_symbol
from core.settings.portfolio import UNLIMITED

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
    if not account.lends or isinstance(requirement, Unknown) or account.maintenance_margin is None:
        return
    yield "margin", _DOWN.divide(taken.free, max(Decimal(1), account.multiplier * requirement))
    if requirement:
        left = account.equity * (1 - terms.refuse_at) - account.maintenance_margin - taken.coming
        yield "maintenance", _DOWN.divide(left, requirement)
    if terms.holds_overnight and account.overnight_buying_power is not None:
        lent = night_multiple(account)
        free = account.overnight_buying_power - (account.buying_power - taken.free)
        yield "the night's buying power", _DOWN.divide(free, max(Decimal(1), lent * requirement))
