"""A notice to an operator who is not at the desk, and the delivery of its message (SY-03).

Notices only inform: they hold no link, no code and no order id, and no reply is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.model.values import Symbol


class NoticeKind(StrEnum):
    """The subject of a notice."""

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
    """From the watchdog's process: the engine hangs, grows or ended."""
    ALERT = "alert"
    PROPOSAL = "proposal"
    """A strategy's entry waits for a key; only a rule that names the kind takes it."""
    REGIME = "regime"
    """The market regime changed, or the VIX is high and nobody acts."""
    REPORT = "report"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


class Severity(StrEnum):
    """Severity; `URGENT` needs a person now."""

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
    NoticeKind.PROPOSAL: Severity.INFO,
    NoticeKind.REGIME: Severity.INFO,
    NoticeKind.REPORT: Severity.INFO,
}
"""How much each kind matters. A high VIX is a warning; a stop that waits for a key and margin under maintenance are
urgent."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice with its number; `at` is the time of the event, UTC."""

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
    """Result of one attempt to send a message."""

    DELIVERED = "delivered"
    NOT_SENT = "not_sent"
    """No connection was made: nothing was sent."""
    REFUSED = "refused"
    """The receiver, or the program, refused; whether it kept the message is unknown."""
    UNCLEAR = "unclear"
    """It failed after a connection was made."""
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    """The engine ended while it was being sent."""
    NO_ADDRESS = "no_address"
    """Neither the environment nor the keyring has the channel's."""
    BAD_ADDRESS = "bad_address"
    NOT_ENCRYPTED = "not_encrypted"
    """It would be sent unencrypted, or without a check of the certificate (SY-06)."""
    NO_SUCH_KIND = "no_such_kind"
    """The sender named by `by` is not installed."""
    KEPT_HERE = "kept_here"
    """In virtual time nothing leaves the machine."""
    NO_CHANNEL = "no_channel"
    """The channel is no longer in the settings."""


NEVER_AGAIN = frozenset({DeliveryCode.KEPT_HERE, DeliveryCode.NO_CHANNEL})
"""Another attempt would have the same result."""
UNTIL_MENDED = frozenset({DeliveryCode.BAD_ADDRESS, DeliveryCode.NOT_ENCRYPTED, DeliveryCode.NO_SUCH_KIND})
"""Attempts fail until a person fixes the cause: an urgent notice is retried a few times, others are not."""
URGENT_ALONE = UNTIL_MENDED | {DeliveryCode.NO_ADDRESS}
"""After these only an urgent notice is retried. A keyring may be locked for a while."""
SURELY_NOT = NEVER_AGAIN | URGENT_ALONE | {DeliveryCode.NOT_SENT}
"""The message did not arrive.

After any other failure it may have: the next attempt is marked as a repeat, and a notice that is not urgent is not
retried.
"""


class SuppressionCode(StrEnum):
    """Why a notice is sent to no channel."""

    TOO_MANY = "too_many"
    """Too many notices wait for the channel; it is counted in the next message."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Result of one attempt.

    Attributes
    ----------
    status
        The status code of HTTP or of a program's exit; None if there was none.
    said
        Further text for a manual test of a channel; never in the journal.
    """

    code: DeliveryCode
    status: int | None = None
    said: str = ""


DELIVERED = Delivery(DeliveryCode.DELIVERED)
