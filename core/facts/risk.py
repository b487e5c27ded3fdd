"""Facts of risk: limits on entries, and whether the desk may trade."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.facts import registry
from core.facts.registry import Fact, fact
from core.model.codes import HaltCause, ReadOnlyCode
from core.model.instrument import ListKind
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import Difference
from core.model.sizing import Regime
from core.model.values import NO_MONEY, NO_SHARES, Fraction, Money, Price, Quantity, Symbol


@fact(version=2, upgrades={1: registry.protection_tripped})
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


@fact(version=3)
@dataclass(frozen=True, slots=True)
class RegimeMeasured(Fact):
    """The market regime, as measured outside; replaces everything known before (RK-19)."""

    regime: Regime


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class VixMeasured(Fact):
    """A later VIX in the day, in points, at the level of the last recorded one (RK-19)."""

    value: Decimal
    measured_on: date
    measured_at: datetime


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


@fact(version=2)
@dataclass(frozen=True, slots=True)
class MarginWarned(Fact):
    """The distance to maintenance fell below a warning distance, or is above it again (RK-14).

    Below zero is a limit of its own; there each clearly larger deficit is recorded too.

    Attributes
    ----------
    limit
        The smallest warning distance that it is below now; None if it is above all of them again.
    deficit
        Maintenance margin less equity, USD; zero above maintenance, and in older records.
    """

    distance: Fraction
    limit: Fraction | None
    deficit: Money = NO_MONEY


@fact()
@dataclass(frozen=True, slots=True)
class AccountBlocked(Fact):
    """By its figures the broker accepts no order of the account (EX-22).

    Attributes
    ----------
    since
        Refusals from then on may have this cause: a little before the last figures that showed none. None if this run
        has seen no others.
    """

    reason: str
    since: datetime | None


@fact()
@dataclass(frozen=True, slots=True)
class AccountUnblocked(Fact):
    """By its figures the broker accepts orders of the account again."""


@fact()
@dataclass(frozen=True, slots=True)
class Halted(Fact):
    cause: HaltCause
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class Resumed(Fact):
    """The operator cleared a halt by key or invariant."""

    cause: HaltCause


@fact()
@dataclass(frozen=True, slots=True)
class Killed(Fact):
    """Latched until it is re-armed on purpose (OP-07). `by` names the source: key, file, environment, command.

    `naked`: the stops were to be cancelled too, and no stop is sent automatically until then.
    """

    by: str
    naked: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class KillExplained(Fact):
    """Why a person killed, in their words (OP-08). It changes nothing else."""

    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class Rearmed(Fact):
    """The word was typed in full."""


@fact()
@dataclass(frozen=True, slots=True)
class RearmRefused(Fact):
    """The word was typed while orders are in doubt that the operator was not asked about: the desk stays killed."""

    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class ReconciliationPassed(Fact):
    """Our books and the broker's agree, or were corrected within the limits (EX-09).

    `differences` are all that were found, both corrected ones and those only shown.
    """

    corrections: tuple[str, ...]
    differences: tuple[Difference, ...] = ()


@fact(version=3, upgrades={2: registry.reconciliation_failed})
@dataclass(frozen=True, slots=True)
class ReconciliationFailed(Fact):
    """The desk is read-only, and why; `differences` are those that were found."""

    reasons: tuple[str, ...]
    differences: tuple[Difference, ...] = ()
    code: ReadOnlyCode = ReadOnlyCode.APART


@dataclass(frozen=True, slots=True)
class OwnerShare:
    """One strategy's quantity after a correction, signed.

    `ratio` is of a split: its new shares for each one before. None of any other correction, and in older records.
    """

    strategy: str
    quantity: Quantity
    average_price: Price
    ratio: Decimal | None = None


@fact()
@dataclass(frozen=True, slots=True)
class ExitRulesChosen(Fact):
    """The operator chose whether the exit rules watch a position that no strategy opened; until it is flat (ST-09)."""

    symbol: Symbol
    strategy: str
    is_watched: bool


@fact(version=5)
@dataclass(frozen=True, slots=True)
class PositionCorrected(Fact):
    """A position was taken over from the broker's books. `average_price` is None when flat.

    Attributes
    ----------
    owners
        Each owner's part of `quantity`. Empty in older records, and if no strategy held it: then a position held by one
        strategy alone stays its own, and everything else belongs to no strategy.
    is_split
        Earlier prices are for shares before a split.
    for_a_fill
        It undoes an earlier one, for the fill of a lost order that is told now. False in records before version 3.
    unexplained
        Shares that the broker has no more although no order sold them; zero in older records.
    came_from
        The symbol of whose owners these are: spun off beside its shares, or come at their cost after all of them were
        gone; else None.
    stayed
        Of a symbol from which others were spun off: the part of its cost that the broker left with it. None of any
        other correction, and in records before version 5.
    """

    symbol: Symbol
    quantity: Quantity
    average_price: Price | None
    reason: str
    owners: tuple[OwnerShare, ...] = ()
    is_split: bool = False
    for_a_fill: bool = False
    unexplained: Quantity = NO_SHARES
    came_from: Symbol | None = None
    stayed: Decimal | None = None

    @property
    def split_ratio(self) -> Decimal | None:
        """The new shares for one before, where it takes over a split; several owners' are rounded to whole parts."""
        return next((owner.ratio for owner in self.owners), None) if self.is_split else None
