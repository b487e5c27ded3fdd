"""Limits on entries: protections, the regime, throttled risk, margin."""

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
    """A protection locked a scope; informational, folded from trades and bars.

    `until` is None if no time ends it. `limit` is the loss limit of the account that was reached, USD; None for every
    other.
    """

    name: str
    scope: str
    reason: str
    until: datetime | None
    limit: Money | None = None


@fact()
@dataclass(frozen=True, slots=True)
class ProtectionExpired(Fact):
    """A protection's lock has ended (RK-06)."""

    name: str
    scope: str


@fact()
@dataclass(frozen=True, slots=True)
class ProtectionOverridden(Fact):
    """The operator typed the override: entries in this scope pass from `begins` to `until` (RK-06).

    Attributes
    ----------
    again_at
        For a loss of the account: USD lost at which it locks again; None if only time ends the override.
    """

    name: str
    scope: str
    begins: datetime
    until: datetime
    again_at: Money | None = None


@fact()
@dataclass(frozen=True, slots=True)
class OverrideEnded(Fact):
    """An override ended: the protection locks this scope again, for as long as its trip holds (RK-06)."""

    name: str
    scope: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class SymbolListed(Fact):
    """Entries in this symbol are blocked from here on (RK-26); listing it again changes reason and end.

    Attributes
    ----------
    day
        The trading day on which it was listed.
    until
        For a restriction, the first trading day on which entries pass again; None for the others.
    """

    symbol: Symbol
    kind: ListKind
    reason: str
    day: date
    until: date | None = None


@fact()
@dataclass(frozen=True, slots=True)
class SymbolUnlisted(Fact):
    """The operator removed it from that list with the typed word (RK-26)."""

    symbol: Symbol
    kind: ListKind


@fact(version=2)
@dataclass(frozen=True, slots=True)
class RegimeMeasured(Fact):
    """The market regime, as measured outside; replaces everything known before (RK-19)."""

    regime: Regime


@fact()
@dataclass(frozen=True, slots=True)
class RiskThrottled(Fact):
    """A loss of the day or the week reduced the risk of a trade, until it is restored (RK-11)."""

    factor: Fraction
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class RiskRestored(Fact):
    """A new week began, or a day was profitable: the risk of a trade is restored (RK-11)."""

    reason: str


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class MarginSampled(Fact):
    """The account's margin use, from its figures; at most once a minute while any margin is in use (RK-14).

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
    """The account was short of margin by more than the rule tolerates; the day's largest deficit counts.

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
    """The distance to maintenance fell below a warning distance, or is above it again (RK-14).

    Attributes
    ----------
    limit
        The smallest warning distance that it is below now; None if it is above all of them again.
    """

    distance: Fraction
    limit: Fraction | None
