"""What the broker's list of activities told that the desk did not know (EX-09, AN-06): each once, by its id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.facts.registry import Fact, fact
from core.model.activity import ActivityId, ActivityKind
from core.model.reconciliation import Difference
from core.model.values import Money, Price, Quantity, Symbol


@fact()
@dataclass(frozen=True, slots=True)
class CashMoved(Fact):
    """A fee, a dividend, interest, a transfer: cash moved without an order of ours.

    Attributes
    ----------
    day
        The broker's own date of it.
    amount
        USD, in above zero.
    by_its_figures
        What the shares and the rate that it names make, USD; None where it does not name both.
    """

    activity_id: ActivityId
    day: date
    kind: ActivityKind
    amount: Money
    symbol: Symbol | None
    words: str
    by_its_figures: Money | None = None


@fact()
@dataclass(frozen=True, slots=True)
class SharesMoved(Fact):
    """Shares came or went without an order. Told for the reader: a comparison of the books moves the position.

    `quantity` is signed, `price` is USD a share, None where the broker names none.
    """

    activity_id: ActivityId
    day: date
    kind: ActivityKind
    symbol: Symbol
    quantity: Quantity
    price: Price | None
    words: str


@dataclass(frozen=True, slots=True)
class OwnerQuantity:
    """What one strategy holds after a split; `quantity` is signed."""

    strategy: str
    quantity: Quantity


@fact()
@dataclass(frozen=True, slots=True)
class CorporateActionApplied(Fact):
    """A split: so many shares for each one before, at the same cost in all.

    Attributes
    ----------
    activity_ids
        What the broker books it as: one activity, or one for the shares that go and one for those that come.
    ratio
        Shares for one share before.
    quantity_before, quantity_after
        All that the account held and holds of the symbol, signed.
    owners
        What each strategy holds now. None where our books had the broker's quantity already: then nothing moves.
    """

    activity_ids: tuple[ActivityId, ...]
    day: date
    symbol: Symbol
    ratio: Decimal
    quantity_before: Quantity
    quantity_after: Quantity
    owners: tuple[OwnerQuantity, ...] = ()


@fact()
@dataclass(frozen=True, slots=True)
class ActivityQuarantined(Fact):
    """One that could not be read: named once, and counted nowhere. `activity_id` is None where that is not known."""

    activity_id: ActivityId | None
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class ActivitiesCompared(Fact):
    """The broker's activities are in the journal up to `as_of`, and what differed is named.

    Attributes
    ----------
    as_of
        When the account was asked, UTC.
    since
        The first day of what was fetched.
    equity, cash
        The account's at that time, USD: where one day's change of equity ends and the next begins (AN-06).
    fills_until
        Executions up to here are compared; later ones are of the next comparison.
    """

    as_of: datetime
    since: date
    equity: Money
    cash: Money
    fills_until: datetime
    differences: tuple[Difference, ...] = ()
