"""Whether the desk may trade: halts, kills, reconciliation."""

from __future__ import annotations

from dataclasses import dataclass

from core.facts import older_records
from core.facts.registry import Fact, fact
from core.model.codes import HaltCause, ReadOnlyCode
from core.model.reconciliation import Difference
from core.model.values import (
    Price,
    Quantity,
    Symbol,
)


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


@fact(version=3, upgrades={2: older_records.reconciliation_failed})
@dataclass(frozen=True, slots=True)
class ReconciliationFailed(Fact):
    """The desk is read-only, and why; `differences` are those that were found."""

    reasons: tuple[str, ...]
    differences: tuple[Difference, ...] = ()
    code: ReadOnlyCode = ReadOnlyCode.APART


@dataclass(frozen=True, slots=True)
class OwnerShare:
    """One strategy's quantity after a correction, signed."""

    strategy: str
    quantity: Quantity
    average_price: Price


@fact(version=2)
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
    """

    symbol: Symbol
    quantity: Quantity
    average_price: Price | None
    reason: str
    owners: tuple[OwnerShare, ...] = ()
    is_split: bool = False
