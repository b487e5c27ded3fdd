"""The possible changes: one decision of a day, or the settings and strategies it was traded with."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum

from core.model.lazy_dataclass import dataclass
from core.model.values import ProposalId, is_number, number_in, plain
from core.ports import OperatorError

HOW = "write confirm=ID, decline=ID, quantity=ID:10, stop=ID:98.50, off=STRATEGY or set:KEY=VALUE"


class ChangeKind(Enum):
    CONFIRM = "confirm"
    """Confirm a proposal that was declined or expired, one second after it was staged."""
    DECLINE = "decline"
    """Decline a proposal that was confirmed."""
    QUANTITY = "quantity"
    """Change its quantity, like `e` on the proposal."""
    STOP = "stop"
    """Move its stop there one second after its entry filled, like `m` on the position."""
    OFF = "off"
    """Let a strategy open nothing on the whole day."""
    SET = "set"
    """Begin the day with another setting."""


OF_A_PROPOSAL = frozenset({ChangeKind.CONFIRM, ChangeKind.DECLINE, ChangeKind.QUANTITY, ChangeKind.STOP})


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes
    ----------
    name
        A proposal's id, a strategy, or a settings key with its value in TOML.
    number
        The quantity, or the stop's price in USD.
    """

    kind: ChangeKind
    name: str
    number: Decimal | None = None

    @property
    def words(self) -> str:
        number = "" if self.number is None else plain(self.number)
        match self.kind:
            case ChangeKind.CONFIRM:
                return f"{self.name} is confirmed a second after it was staged"
            case ChangeKind.DECLINE:
                return f"{self.name} is declined"
            case ChangeKind.QUANTITY:
                return f"{self.name} is for {number}"
            case ChangeKind.STOP:
                return f"the stop of {self.name} goes to {number} a second after its fill"
            case ChangeKind.OFF:
                return f"{self.name} opens nothing"
            case ChangeKind.SET:
                return self.name

    @property
    def proposal(self) -> ProposalId | None:
        return ProposalId(self.name) if self.kind in OF_A_PROPOSAL else None


def change_of(text: str) -> Change:
    """Parse a change. Raises `OperatorError` with the expected format."""
    if text.startswith("set:") and "=" in text:
        return Change(ChangeKind.SET, text.removeprefix("set:"))
    word, equals, rest = text.partition("=")
    kind = next((each for each in ChangeKind if each.value == word and each is not ChangeKind.SET), None)
    if kind is None or not equals or not rest:
        raise OperatorError(f"--change {text!r} is none: {HOW}")
    if kind not in (ChangeKind.QUANTITY, ChangeKind.STOP):
        return Change(kind, rest)
    name, colon, number = rest.rpartition(":")
    value = number_in(number)
    if not (colon and name and value is not None and is_number(value) and value > 0):
        raise OperatorError(f"--change {text!r}: a number above zero stands behind the last colon; {HOW}")
    return Change(kind, name, value)


def found_in(change: Change, proposals: Iterable[str], strategies: Iterable[str]) -> Change:
    """Return the change with the full id. Raises `OperatorError` if it matches nothing of the day."""
    if change.kind in OF_A_PROPOSAL:
        known = [each for each in proposals if each.startswith(change.name)]
        if len(known) != 1:
            what = "no proposals match" if not known else f"{len(known)} proposals match"
            raise OperatorError(f"{what} {change.name!r}; without --change they are listed with their ids")
        return Change(change.kind, known[0], change.number)
    known = list(strategies)
    if change.kind is ChangeKind.OFF and change.name not in known:
        raise OperatorError(f"{change.name!r} is no strategy of that day; one of {', '.join(known)}")
    return change
