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
    """The operator cleared what the key or an invariant had halted."""

    cause: HaltCause


@fact()
@dataclass(frozen=True, slots=True)
class Killed(Fact):
    """Latched until it is re-armed on purpose (OP-07). `by` names the door: key, file, environment, command.

    `naked`: the stops were to go too, and none is sent by itself until then.
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
    """The word was typed while orders are in doubt that whoever typed it was not asked about: the desk stays killed."""

    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class ReconciliationPassed(Fact):
    """Our books and the broker's agree, or were corrected within the limits (EX-09).

    `differences` are those that were found, corrected ones and those that are only shown.
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
    """What one strategy holds after a correction; `quantity` is signed."""

    strategy: str
    quantity: Quantity
    average_price: Price


@fact(version=2)
@dataclass(frozen=True, slots=True)
class PositionCorrected(Fact):
    """The broker is right: a position taken over from its books. `average_price` is None when flat.

    Attributes
    ----------
    owners
        Whose it is, in sum `quantity`. None in what was recorded before there were any, and where nobody here held it:
        then what one strategy held alone stays its own, and all else is nobody's.
    is_split
        The prices of before are of other shares.
    """

    symbol: Symbol
    quantity: Quantity
    average_price: Price | None
    reason: str
    owners: tuple[OwnerShare, ...] = ()
    is_split: bool = False
