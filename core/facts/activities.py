"""New activities from the broker's list (EX-09, AN-06): each once, by its id."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from core.facts.registry import Fact, fact
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import ActivityId, ActivityKind, Difference
from core.model.rescaling import Rescaling
from core.model.values import ZERO, ClientOrderId, Money, Price, Quantity, Symbol


@fact()
@dataclass(frozen=True, slots=True)
class CashMoved(Fact):
    """Cash moved without an order of ours: a fee, a dividend, interest, a transfer.

    Attributes
    ----------
    day
        The broker's own date of it.
    amount
        USD, in above zero.
    by_its_figures
        Rate times shares as the activity names them, USD; None if it does not name both.
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
    """Shares came or went without an order. Informational: a comparison of the books moves the position.

    `quantity` is signed, `price` is USD a share, None if the broker names none.
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
    """One strategy's quantity after a split, signed.

    `ratio` is its new shares for each one before: that of the split, rounded to whole parts. None in older records.
    """

    strategy: str
    quantity: Quantity
    ratio: Decimal | None = None


class ActionEvidence(StrEnum):
    """What showed a corporate action."""

    ACTIVITY = "activity"
    BOOKS = "books"
    """Two readings of the broker's positions; its activity may follow days later."""
    OPERATOR = "operator"
    """The operator accepted the broker's books."""
    ANNOUNCED = "announced"
    """Its day has come, and none of the shares is held: only prices and orders from before it change."""


@fact(version=5)
@dataclass(frozen=True, slots=True)
class CorporateActionApplied(Fact):
    """A split, shares that became shares of another symbol, shares paid out in cash, or a special dividend.

    The new shares, a ratio for each old one, have the total cost of before, less the cash that came with them.

    Attributes
    ----------
    activity_ids
        The broker's activities: one, or one for the removed shares and one for the added ones; none from its books.
    ratio
        Shares for one share before.
    quantity_before, quantity_after
        The account's total quantity, signed: of the symbol, and of the one that it became; none where it was paid out.
    owners
        Each strategy's new quantity. Empty if our books had the broker's quantity already, or neither of both: then
        nothing moves.
    ours
        Our quantity when it was seen; None in older records.
    to
        The symbol that the shares have now, after a rename or a merger for shares; None if they keep theirs.
    followed
        Our orders that the broker lists under the new symbol: they went along.
    cash
        USD a share of before: for which all shares left, zero for a removal without value; beside the new shares of a
        merger; or of a special dividend, zero on the day of a spin-off. None where none is paid.
    """

    activity_ids: tuple[ActivityId, ...]
    day: date
    symbol: Symbol
    ratio: Decimal
    quantity_before: Quantity
    quantity_after: Quantity
    owners: tuple[OwnerQuantity, ...] = ()
    ours: Quantity | None = None
    evidence: ActionEvidence = ActionEvidence.ACTIVITY
    to: Symbol | None = None
    followed: tuple[ClientOrderId, ...] = ()
    cash: Price | None = None

    @property
    def rescaling(self) -> Rescaling:
        """What one share of before is after it."""
        return Rescaling(self.ratio, self.cash or ZERO)

    @property
    def split_ratio(self) -> Decimal | None:
        """The ratio by which earlier quantities and prices of the symbol change.

        None if our books had the split already, or neither; and where the shares have another symbol, which has its own
        prices.
        """
        return self.ratio if self.to is None and self.ends_orders else None

    @property
    def moves_prices(self) -> bool:
        """Whether earlier prices of the symbol, which it keeps, are not those of today."""
        return self.split_ratio is not None or self.is_dividend

    @property
    def moves_levels(self) -> bool:
        """Whether a price that was chosen before it is not one of today."""
        return self.ends_orders or self.is_dividend

    @property
    def ends_orders(self) -> bool:
        """Whether orders and tickets from before it are for other shares than those of today."""
        return bool(self.owners) or (self.evidence is ActionEvidence.ANNOUNCED and not self.is_dividend)

    @property
    def is_dividend(self) -> bool:
        """Whether it is a special dividend, or a spin-off: the shares stay, and are worth less."""
        return self.cash is not None and self.evidence is ActionEvidence.ANNOUNCED

    @property
    def is_spin_off(self) -> bool:
        """Whether it is the day of a spin-off: a part of the value leaves, and nobody knows yet how much."""
        return self.is_dividend and not self.cash

    @property
    def is_paid_out(self) -> bool:
        """Whether all shares left for cash, or without value."""
        return self.cash is not None and self.to is None and not self.is_dividend

    @property
    def symbol_now(self) -> Symbol:
        return self.to or self.symbol


@fact()
@dataclass(frozen=True, slots=True)
class ActivityQuarantined(Fact):
    """An activity could not be read: reported once, and not counted. `activity_id` is None if unknown."""

    activity_id: ActivityId | None
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class ActivitiesCompared(Fact):
    """The broker's activities are in the journal up to `as_of`, and differences are recorded.

    Attributes
    ----------
    as_of
        When the account was read, UTC.
    since
        The first day of the fetched activities.
    equity, cash
        The account's at that time, USD: one day's change of equity ends here and the next begins (AN-06).
    fills_until
        Executions up to here are compared; later ones belong to the next comparison.
    """

    as_of: datetime
    since: date
    equity: Money
    cash: Money
    fills_until: datetime
    differences: tuple[Difference, ...] = ()
