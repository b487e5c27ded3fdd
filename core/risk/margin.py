"""Margin as the broker states it: how far an account is from maintenance, and what one more order would do (RK-14).

Every figure is the broker's: multiplier, margins and buying power of the account, the requirement of the asset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.account import Account
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest, Side
from core.model.values import ZERO, Fraction, Money, Price, Symbol

WHOLE = Fraction(Decimal(1))
OVERNIGHT = Decimal(2)
"""The most that equity is lent over the night, by Regulation T; by day a broker may lend more."""
NOTHING_LEFT = Fraction(Decimal(-1))
"""The distance of an account without equity that has margin in use."""


@dataclass(frozen=True, slots=True)
class MarginEffect:
    """What an order does to a margin account.

    Attributes
    ----------
    cost, initial
        What it is worth, and what the broker requires to open it, USD.
    before, after
        Distance to maintenance when every other entry that works is filled, and when it is too: the difference is its
        own.
    used, free
        What it takes of the day's buying power, and what is free of that, USD.
    used_overnight, overnight
        What it takes of the buying power over the night, and what is free of that, USD; the last is None where the
        broker does not tell it.
    """

    cost: Money
    initial: Money
    before: Fraction
    after: Fraction
    used: Money
    free: Money
    used_overnight: Money
    overnight: Money | None

    @property
    def is_over_night(self) -> bool:
        """Whether it is more than may be held over the night."""
        return self.overnight is not None and self.used_overnight > self.overnight


@dataclass(frozen=True, slots=True)
class Unknown:
    """What the broker has not said, so that nothing can be reckoned."""

    reason: str


def distance_of(account: Account) -> Fraction | None:
    """Equity less maintenance margin, as a share of equity; None where no margin is in use or the broker tells none."""
    if not account.lends or not account.maintenance_margin:
        return None
    return _distance(account.equity, account.maintenance_margin)


LEAST_CALL, LEAST_PART = Money(Decimal(1000)), Decimal("0.05")
"""A deficit under the smaller of 1,000 USD and 5 % of equity is generally no call (FINRA 4210(d), Alpaca's page)."""


def deficit_of(account: Account) -> Money | None:
    """Maintenance margin less equity, USD, where that is more than the rule lets pass; else None.

    By the rule it counts as of what was bought; a fall of prices alone is no call. The figures do not say which it was,
    and every one is counted.
    """
    if not account.lends or account.maintenance_margin is None:
        return None
    deficit = account.maintenance_margin - account.equity
    least = min(LEAST_CALL, LEAST_PART * account.equity) if account.equity > ZERO else ZERO
    return Money(deficit) if deficit > ZERO and deficit >= least else None


def limit_under(distance: Fraction, warn_at: tuple[Decimal, ...]) -> Fraction | None:
    """The smallest of the distances that warn which `distance` is under; None where it is over them all."""
    return min((Fraction(limit) for limit in warn_at if distance < limit), default=None)


def effect_of(
    order: OrderRequest,
    price: Price,
    account: Account,
    instrument: BrokerInstrument | NoInstrument,
    entries: tuple[Decimal, Decimal],
) -> MarginEffect | Unknown:
    """What an entry at `price` does to a margin account.

    Parameters
    ----------
    entries
        The maintenance that entries on their way will ask for, and the buying power that is free for this order, USD.

    Notes
    -----
    To open takes the larger of one part in `multiplier` and the asset's own requirement; an asset that is not
    marginable takes the whole. Buying power is counted at the account's multiple, over the night at two at most, so
    an asset that requires more takes more of it than it costs.
    """
    requirement = requirement_of(instrument, order.side)
    if isinstance(requirement, Unknown):
        return requirement
    if account.maintenance_margin is None:
        return Unknown("the broker does not say the account's maintenance margin")
    coming, free = entries
    cost = order.cost(price)
    initial = cost * max(1 / account.multiplier, requirement)
    lent = min(account.multiplier, OVERNIGHT)
    spoken_for, overnight = account.buying_power - free, account.overnight_buying_power
    return MarginEffect(
        cost=Money(cost),
        initial=Money(initial),
        before=_distance(account.equity, account.maintenance_margin + coming),
        after=_distance(account.equity, account.maintenance_margin + coming + cost * requirement),
        used=Money(initial * account.multiplier),
        free=Money(free),
        used_overnight=Money(cost * max(1 / lent, requirement) * lent),
        overnight=None if overnight is None else Money(overnight - spoken_for),
    )


def requirement_of(instrument: BrokerInstrument | NoInstrument, side: Side) -> Fraction | Unknown:
    """The part of its value that must be there to keep it: of a purchase its long, of a short sale its short one."""
    if isinstance(instrument, NoInstrument):
        return Unknown(f"what it requires on margin is not known: {instrument.reason}")
    if not instrument.is_marginable:
        return WHOLE
    own = instrument.long_requirement if side is Side.BUY else instrument.short_requirement
    return Unknown(f"the broker does not say what {instrument.symbol} requires on margin") if own is None else own


def maintenance_coming(
    ledger: Ledger,
    instrument: Callable[[Symbol], BrokerInstrument | NoInstrument],
    since: datetime,
    but: OrderRequest | None,
) -> Decimal:
    """USD of maintenance that entries which work will ask for when they fill, and that those do which filled `since`
    the account's figures were taken; of `but` and what it replaces only what is filled counts.

    The account's own figure counts what it held then alone. An entry of which the requirement is not known counts
    whole.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    coming: list[tuple[Order, Decimal]] = [
        (order, order.cost_to_come) for order in ledger.working_entries() if order.id not in left_out
    ]
    coming += [(fill.order, fill.cost) for fill in ledger.book.opened_since(since)]
    return sum((worth * _part_kept(order, instrument(order.request.symbol)) for order, worth in coming), ZERO)


def _part_kept(order: Order, instrument: BrokerInstrument | NoInstrument) -> Decimal:
    requirement = requirement_of(instrument, order.request.side)
    return WHOLE if isinstance(requirement, Unknown) else requirement


def _distance(equity: Decimal, maintenance: Decimal) -> Fraction:
    if equity <= ZERO:
        return NOTHING_LEFT
    return Fraction((equity - maintenance) / equity)
