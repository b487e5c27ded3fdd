"""Margin as the broker states it, and its samples over a day.

Every figure is the broker's: multiplier, margins and buying power of the account, the requirement of the asset.

The slice of margin: use over the last day, the warning distance in effect, and days with a deficit (RK-14).
It is folded from facts and part of the checkpoint: a restart neither repeats a warning nor forgets the day's use. The
journal keeps the samples of every day before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.execution.ledger import Ledger
from core.facts import MarginDeficitSeen, MarginSampled, MarginWarned
from core.model.account import Account
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest, Side
from core.model.values import ZERO, Fraction, Money, Price, Symbol

WHOLE = Fraction(Decimal(1))
REGULATION_T = Decimal(2)
"""Half of a position's value is paid (12 CFR 220.12), so that the night lends twice the free equity at least."""
NOTHING_LEFT = Fraction(Decimal(-1))
"""The distance of an account that uses margin without equity."""


@dataclass(frozen=True, slots=True)
class MarginEffect:
    """The effect of an order on a margin account.

    Attributes
    ----------
    cost, initial
        Its value, and the broker's initial requirement, USD.
    before, after
        Distance to maintenance once every other working entry is filled, and once this one is filled too: the
        difference is its own effect.
    used, free
        The day's buying power that it uses, and the free amount, USD.
    used_overnight, overnight
        The overnight buying power that it uses, and the free amount, USD; the latter is None if the broker does not
        report it.
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
        """Return whether it exceeds the overnight buying power."""
        return self.overnight is not None and self.used_overnight > self.overnight


@dataclass(frozen=True, slots=True)
class Unknown:
    """A figure that the broker has not reported, so that no effect can be computed."""

    reason: str


def distance_of(account: Account) -> Fraction | None:
    """Equity less maintenance margin, as a share of equity; None if no margin is used or reported."""
    if not account.uses_margin or not account.maintenance_margin:
        return None
    return _distance(account.equity, account.maintenance_margin)


def night_multiple(account: Account) -> Decimal:
    """Return overnight buying power as a multiple of the equity that is free for it.

    No field of an account states it. `multiplier` is the day's: at two or less the night lends the same. Above that it
    is what the account's figures come to, overnight buying power / (equity − initial margin), from two to the day's.

    It stays at Regulation T's two where they come to less, because working orders reserve a part of them, and a lower
    multiple would let more pass. The same holds where the broker leaves out a figure, and where no equity is free.
    """
    if account.multiplier <= REGULATION_T:
        return account.multiplier
    night, initial = account.overnight_buying_power, account.initial_margin
    if night is None or initial is None or account.equity <= initial:
        return REGULATION_T
    return min(account.multiplier, max(REGULATION_T, night / (account.equity - initial)))


LEAST_CALL, LEAST_PART = Money(Decimal(1000)), Decimal("0.05")
"""A deficit under the smaller of 1,000 USD and 5 % of equity is generally no call (FINRA 4210(d), Alpaca's page)."""


def deficit_of(account: Account) -> Money | None:
    """Maintenance margin less equity, USD, if it exceeds the rule's tolerance; else None.

    The rule counts deficits from purchases, not from falling prices. The figures do not tell them apart, so every
    deficit counts.
    """
    if not account.uses_margin or account.maintenance_margin is None:
        return None
    deficit = account.maintenance_margin - account.equity
    least = min(LEAST_CALL, LEAST_PART * account.equity) if account.equity > ZERO else ZERO
    return Money(deficit) if deficit > ZERO and deficit >= least else None


def limit_under(distance: Fraction, warn_at: tuple[Decimal, ...]) -> Fraction | None:
    """Return the smallest warning distance above `distance`, zero for one below it; None if it is above them all."""
    return min((Fraction(limit) for limit in (*warn_at, ZERO) if distance < limit), default=None)


def effect_of(
    order: OrderRequest,
    price: Price,
    account: Account,
    instrument: BrokerInstrument | NoInstrument,
    entries: tuple[Decimal, Decimal],
) -> MarginEffect | Unknown:
    """Compute the effect of an entry at `price` on a margin account.

    Parameters
    ----------
    entries
        The maintenance that working entries will require, and the buying power that is free for this order, USD.

    Notes
    -----
    The initial requirement is the larger of 1 / `multiplier` and the asset's own requirement; an asset that is not
    marginable requires its full value. Buying power counts at the account's multiple, overnight at `night_multiple`, so
    an asset with a higher requirement uses more of it than it costs.
    """
    requirement = requirement_of(instrument, order.side)
    if isinstance(requirement, Unknown):
        return requirement
    if account.maintenance_margin is None:
        return Unknown("the broker does not say the account's maintenance margin")
    coming, free = entries
    cost = order.cost(price)
    initial = cost * max(1 / account.multiplier, requirement)
    lent = night_multiple(account)
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
    """Return the maintenance requirement as a share of the value: the long one for a buy, the short one for a short
    sale.
    """
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
    """Return USD of maintenance that working entries will require when filled, and entries filled `since` require.

    Of `but` and the order it replaces only fills count. The account's own figure covers only its holdings at that time.
    An entry with an unknown requirement counts with its full value.
    """
    left_out = () if but is None else (but.client_order_id, but.replaces)
    coming = [(group.symbol, group.side, group.cost(left_out)) for group in ledger.entry_groups()]
    filled = ledger.book.opened_since(since)
    coming += [(fill.order.request.symbol, fill.order.request.side, Money(fill.cost)) for fill in filled]
    return sum((worth * _part_kept(side, instrument(symbol)) for symbol, side, worth in coming), ZERO)


def _part_kept(side: Side, instrument: BrokerInstrument | NoInstrument) -> Decimal:
    requirement = requirement_of(instrument, side)
    return WHOLE if isinstance(requirement, Unknown) else requirement


def _distance(equity: Decimal, maintenance: Decimal) -> Fraction:
    if equity <= ZERO:
        return NOTHING_LEFT
    return Fraction((equity - maintenance) / equity)


A_DAY = timedelta(days=1)
A_YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Sample:
    """The account's margin at one instant; `distance` is to maintenance, as a share of equity."""

    at: datetime
    equity: Money
    maintenance_margin: Money
    distance: Fraction

    @property
    def utilisation(self) -> Fraction:
        """Maintenance margin as a share of equity."""
        return Fraction(1 - self.distance)


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning in effect: the distance to maintenance, the limit that it is below, and the deficit, USD."""

    distance: Fraction
    limit: Fraction
    deficit: Money


@dataclass(slots=True)
class MarginState:
    """Margin samples and deficits.

    `samples` are the last day's, oldest first; `limit` is the smallest warning distance in effect, `warned` the last
    warning. `deficits` holds the largest deficit of each day with one within a year, USD, oldest first.
    """

    samples: list[Sample] = field(default_factory=list)
    limit: Fraction | None = None
    warned: Warned | None = None
    deficits: dict[date, Money] = field(default_factory=dict)

    def deficits_within(self, days: int, until: date) -> tuple[date, ...]:
        """Return the days with a deficit among `days` calendar days up to `until`, oldest first."""
        return tuple(day for day in self.deficits if day > until - timedelta(days=days))


class MarginSamples:
    name = "margin"

    def __init__(self) -> None:
        self.state = MarginState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            MarginSampled: self._sampled,
            MarginWarned: self._warned,
            MarginDeficitSeen: self._deficit_seen,
        }

    def restore(self, state: MarginState) -> None:
        self.state = state

    @property
    def last(self) -> Sample | None:
        return self.state.samples[-1] if self.state.samples else None

    def _sampled(self, at: datetime, fact: MarginSampled) -> None:
        kept = [sample for sample in self.state.samples if sample.at > at - A_DAY]
        self.state.samples = [*kept, Sample(at, fact.equity, fact.maintenance_margin, fact.distance)]

    def _deficit_seen(self, _at: datetime, fact: MarginDeficitSeen) -> None:
        kept = {day: deficit for day, deficit in self.state.deficits.items() if day > fact.day - A_YEAR}
        kept[fact.day] = max(fact.deficit, kept.get(fact.day, fact.deficit))
        self.state.deficits = dict(sorted(kept.items()))

    def _warned(self, _at: datetime, fact: MarginWarned) -> None:
        self.state.limit = fact.limit
        self.state.warned = None if fact.limit is None else Warned(fact.distance, fact.limit, fact.deficit)
