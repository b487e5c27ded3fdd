"""A notice: what somebody who does not look at the desk should know, and how its message fared (SY-03).

It tells. Nothing in it acts: no link, no code, no name of an order, and nothing that comes back is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.values import Symbol


class NoticeKind(StrEnum):
    """What it is about."""

    FILL = "fill"
    STOP = "stop"
    """A stop that filled, or one that is owed and waits for a key."""
    EXIT_WAITING = "exit_waiting"
    PROTECTION = "protection"
    BREAKER = "breaker"
    HALT = "halt"
    KILL = "kill"
    DISCONNECT = "disconnect"
    WATCHDOG = "watchdog"
    """Said by the watchdog's own process: the engine hangs, grows or ended."""
    ALERT = "alert"
    REPORT = "report"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


class Severity(StrEnum):
    """How much it matters; `URGENT` needs a person now."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        return RANKS[self]


RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.URGENT: 2}


USUAL = {
    NoticeKind.FILL: Severity.INFO,
    NoticeKind.STOP: Severity.WARNING,
    NoticeKind.EXIT_WAITING: Severity.URGENT,
    NoticeKind.PROTECTION: Severity.WARNING,
    NoticeKind.BREAKER: Severity.WARNING,
    NoticeKind.HALT: Severity.URGENT,
    NoticeKind.KILL: Severity.URGENT,
    NoticeKind.DISCONNECT: Severity.WARNING,
    NoticeKind.WATCHDOG: Severity.URGENT,
    NoticeKind.ALERT: Severity.WARNING,
    NoticeKind.REPORT: Severity.INFO,
}
"""How much each kind matters; a stop that waits for a key, and margin under maintenance, are urgent."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told, by its number; `at` is when it happened, UTC."""

    number: int
    at: datetime
    kind: NoticeKind
    severity: Severity
    symbol: Symbol | None
    words: str

    @property
    def is_urgent(self) -> bool:
        return self.severity is Severity.URGENT


class DeliveryCode(StrEnum):
    """What became of one try to send a message."""

    DELIVERED = "delivered"
    NOT_SENT = "not_sent"
    """Nobody was reached: nothing of it left."""
    REFUSED = "refused"
    """The receiver, or the program, said no; whether it kept the message is not known."""
    UNCLEAR = "unclear"
    """It failed after somebody was reached."""
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    """The engine ended while it was on its way."""
    NO_ADDRESS = "no_address"
    """Neither the environment nor the keyring has the channel's."""
    BAD_ADDRESS = "bad_address"
    NOT_ENCRYPTED = "not_encrypted"
    """It would cross a network in the clear, or its certificate would not be looked at (SY-06)."""
    NO_SUCH_KIND = "no_such_kind"
    """What its `by` names is not installed."""
    KEPT_HERE = "kept_here"
    """In virtual time nothing leaves the machine."""
    NO_CHANNEL = "no_channel"
    """The settings do not have the channel any more."""


NEVER_AGAIN = frozenset({DeliveryCode.KEPT_HERE, DeliveryCode.NO_CHANNEL})
"""Another try would end the same."""
UNTIL_MENDED = frozenset({DeliveryCode.BAD_ADDRESS, DeliveryCode.NOT_ENCRYPTED, DeliveryCode.NO_SUCH_KIND})
"""Another try ends the same until a person mends it: what is urgent is tried a few times, all else no more."""
URGENT_ALONE = UNTIL_MENDED | {DeliveryCode.NO_ADDRESS}
"""After which only what is urgent is tried again. A keyring may be locked for a while."""
SURELY_NOT = NEVER_AGAIN | URGENT_ALONE | {DeliveryCode.NOT_SENT}
"""The message did not arrive. After any other failure it may have: the next try is marked as a repeat, and what is not
urgent is not tried again."""


class SuppressionCode(StrEnum):
    """Why a notice goes to no channel."""

    TOO_MANY = "too_many"
    """More waits for the channel than one can read; it is counted in its next message."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one try.

    Attributes
    ----------
    status
        The receiver's number, of HTTP or of a program's end; None where it gave none.
    said
        More of it in words, for whoever tries a channel by hand: in no journal.
    """

    code: DeliveryCode
    status: int | None = None
    said: str = ""


DELIVERED = Delivery(DeliveryCode.DELIVERED)
