"""What guards entries: protections, the regime, throttled risk, margin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.facts import older_records
from core.facts.registry import Fact, fact
from core.model.regime import Regime
from core.model.symbol_list import ListKind
from core.model.values import (
    Fraction,
    Money,
    Symbol,
)


@fact(version=2, upgrades={1: older_records.protection_tripped})
@dataclass(frozen=True, slots=True)
class ProtectionTripped(Fact):
    """A protection shut a scope; told for the reader, folded from trades and bars.

    `until` is None where no time ends it. `limit` is what a loss of the account reached, USD; None of every other.
    """

    name: str
    scope: str
    reason: str
    until: datetime | None
    limit: Money | None = None


@fact()
@dataclass(frozen=True, slots=True)
class ProtectionExpired(Fact):
    """What it had shut is open again (RK-06)."""

    name: str
    scope: str


@fact()
@dataclass(frozen=True, slots=True)
class ProtectionOverridden(Fact):
    """The operator typed the word: what it shuts in this scope passes from `begins` to `until` (RK-06).

    Attributes
    ----------
    again_at
        Of a loss of the account: USD lost at which it shuts again; None where nothing but time ends it.
    """

    name: str
    scope: str
    begins: datetime
    until: datetime
    again_at: Money | None = None


@fact()
@dataclass(frozen=True, slots=True)
class OverrideEnded(Fact):
    """What was overridden in this scope shuts it again, for as long as its trip holds (RK-06)."""

    name: str
    scope: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class SymbolListed(Fact):
    """Nothing opens in this symbol from here on (RK-26); put on the list anew it has this reason and this end.

    Attributes
    ----------
    day
        The trading day on which it was put there.
    until
        Of a restriction, the first trading day on which entries pass again; None of the others.
    """

    symbol: Symbol
    kind: ListKind
    reason: str
    day: date
    until: date | None = None


@fact()
@dataclass(frozen=True, slots=True)
class SymbolUnlisted(Fact):
    """A person took it off that list by the typed word (RK-26)."""

    symbol: Symbol
    kind: ListKind


@fact(version=2)
@dataclass(frozen=True, slots=True)
class RegimeMeasured(Fact):
    """What kind of market it is, as measured outside: the whole of what is known from here on (RK-19)."""

    regime: Regime


@fact()
@dataclass(frozen=True, slots=True)
class RiskThrottled(Fact):
    """A loss of the day or the week left a part of the risk of a trade, until it is restored (RK-11)."""

    factor: Fraction
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class RiskRestored(Fact):
    """A new week began, or a day was profitable: a trade may risk as much as before (RK-11)."""

    reason: str


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class MarginSampled(Fact):
    """What the account has lent, as its figures came; one a minute at most while any margin is in use (RK-14).

    Attributes
    ----------
    distance
        To maintenance: equity less maintenance margin, as a share of equity.
    """

    equity: Money
    maintenance_margin: Money
    initial_margin: Money | None
    distance: Fraction


@fact()
@dataclass(frozen=True, slots=True)
class MarginDeficitSeen(Fact):
    """The account asked for more margin than it had, by more than the rule lets pass; the largest of the day counts.

    Attributes
    ----------
    deficit
        Maintenance margin less equity, USD.
    """

    day: date
    deficit: Money
    equity: Money


@fact()
@dataclass(frozen=True, slots=True)
class MarginWarned(Fact):
    """The distance to maintenance came under one that was set, or is over it again (RK-14).

    Attributes
    ----------
    limit
        The smallest of the set distances that it is under now; None where it is over every one of them again.
    """

    distance: Fraction
    limit: Fraction | None
