"""Age and health of one holding: its figures, what is of concern, and the light that follows from it (OT-06)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.values import Fraction, Price


class Light(StrEnum):
    """The light of a holding; the desk shows a shape of its own for each."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Concern(StrEnum):
    """A reason for amber or red, by its text; the gravest comes first."""

    UNREAD = "its row at the broker cannot be read"
    OWED = "the stop that its ticket named is owed"
    NO_STOP = "no stop in force"
    EXIT_LATE = "its exit waits for a cancel that the broker does not confirm"
    AT_STOP = "the price is at its stop or beyond"
    PAST_TIME = "held longer than its rules allow"
    HALTED = "halted by its exchange"
    IN_DOUBT = "an order for it is in doubt"
    AS_LAST_SEEN = "no connection to the broker, its orders are as last seen"
    AT_LIMIT = "an exit rests at its limit, and no stop beside it"
    STOP_RESTS = "its stop does not act now"
    NEEDS_KEY = "its stop is watched here and needs your key"
    ELSEWHERE = "its stop was placed elsewhere"
    UNDER_WAY = "its stop or exit is on its way"
    NO_PRICE = "no current price"
    NEAR_STOP = "near its stop"
    NEAR_TIME = "its time rule applies tomorrow"
    WIDE_SPREAD = "wide spread"
    SLOW_TO_LEAVE = "more than a day to leave"

    @property
    def is_red(self) -> bool:
        return self in RED


RED = frozenset(
    {
        *(Concern.UNREAD, Concern.OWED, Concern.NO_STOP, Concern.EXIT_LATE),
        *(Concern.AT_STOP, Concern.PAST_TIME),
    }
)
"""What needs a person now; everything else is amber."""


RANK = {concern: rank for rank, concern in enumerate(Concern)}
"""The gravest concern first."""


@dataclass(frozen=True, slots=True)
class RulesChoice:
    """The exit rules of a holding, and what the operator may choose of it.

    Attributes
    ----------
    rules
        Which of them watch it, as text: `stop, target, 5 d`, `none: yours`, `its strategy's own`.
    is_watched
        Whether they watch a position that no strategy opened; None of all others.
    offered
        The rules that would watch it if the operator chose so, as text; empty if they do, or cannot.
    asks
        Whether it was taken over, and the operator is still to choose.
    """

    rules: str
    is_watched: bool | None = None
    offered: str = ""
    asks: bool = False


NO_RULES = RulesChoice("")


@dataclass(frozen=True, slots=True)
class Health:
    """The figures of a holding. None is unknown, or that there is no stop, target or rule.

    Attributes
    ----------
    concerns
        The gravest first; none is a green light.
    days_held
        Days of its venue's calendar since it was opened from flat: 0 on that day. More shares, a part sold, a split and
        another symbol keep the day. None of shares taken over from the broker, whose day nobody here knows.
    days_here
        The same since this desk has it, which is the age that time rules go by.
    way_to_stop, way_to_target
        From the last price, as a part of it; below zero beyond. The stop is that which acts for it at the broker or
        here, the target the nearest at the broker, else the one that is watched here.
    way_to_stop_in_r, way_to_target_in_r
        The same as multiples of the loss at the stop of its entry.
    target
        USD.
    days_to_time_rule
        Days until an exit rule's limit of time applies at the last price: 1 is tomorrow, 0 or less is now.
    flat_from
        When its strategy sells it today, because it holds nothing over night, UTC.
    days_to_leave
        Sessions until it is sold at a tenth of the average volume.
    spread
        Of the last quote, as a part of its middle; None if that is old.
    choice
        The exit rules that watch it.
    """

    concerns: tuple[Concern, ...] = ()
    days_held: int | None = None
    days_here: int = 0
    way_to_stop: Fraction | None = None
    way_to_stop_in_r: Decimal | None = None
    target: Price | None = None
    way_to_target: Fraction | None = None
    way_to_target_in_r: Decimal | None = None
    days_to_time_rule: int | None = None
    flat_from: datetime | None = None
    days_to_leave: Decimal | None = None
    spread: Fraction | None = None
    choice: RulesChoice = NO_RULES

    @property
    def light(self) -> Light:
        if not self.concerns:
            return Light.GREEN
        return Light.RED if self.concerns[0].is_red else Light.AMBER


UNKNOWN_HEALTH = Health((Concern.NO_PRICE,))
