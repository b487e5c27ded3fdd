"""The tries of a message to an operator: results, retries, and which may have arrived (SY-03)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from core.model.lazy_dataclass import dataclass


class DeliveryCode(StrEnum):
    """Result of one attempt to send a message."""

    DELIVERED = "delivered"
    NOT_SENT = "not_sent"
    """No connection was made: nothing was sent."""
    REFUSED = "refused"
    """The receiver, or the program, refused; whether it kept the message is unknown."""
    REFUSED_FOR_GOOD = "refused_for_good"
    """The receiver knows no such address, or takes nothing from this sender: it refuses the next message too."""
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


UNTIL_MENDED = frozenset(
    {
        DeliveryCode.BAD_ADDRESS,
        DeliveryCode.NOT_ENCRYPTED,
        DeliveryCode.NO_SUCH_KIND,
        DeliveryCode.REFUSED_FOR_GOOD,
    }
)
"""Attempts fail until a person fixes the cause: an urgent notice is retried a few times, others are not."""


URGENT_ALONE = UNTIL_MENDED | {DeliveryCode.NO_ADDRESS}
"""After these only an urgent notice is retried. A keyring may be locked for a while."""


SURELY_NOT = NEVER_AGAIN | URGENT_ALONE | {DeliveryCode.NOT_SENT}
"""The message did not arrive.

After any other failure it may have: the next attempt is marked as a repeat, and a notice that is not urgent is not
retried.
"""


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


FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
"""Wait after the first failure, tripled after each more, and its maximum."""


FEW = 6
"""Tries of an urgent message whose failure a person has to fix: over eight minutes."""


@dataclass(slots=True)
class Tries:
    """The tries of one message on one channel.

    Attributes
    ----------
    begun_at
        When the try without a result began; None if there is none.
    first_at
        When the first try began; None before it.
    again_at
        When it is tried next.
    may_have_arrived
        Whether any try may have arrived: the next one is marked as a repeat.
    """

    tries: int = 0
    begun_at: datetime | None = None
    first_at: datetime | None = None
    again_at: datetime | None = None
    may_have_arrived: bool = False

    def begin(self, at: datetime) -> None:
        """Begin a try. An earlier one without a result may have arrived."""
        self.may_have_arrived |= self.begun_at is not None
        self.tries, self.first_at = self.tries + 1, self.first_at or at
        self.begun_at, self.again_at = at, None

    def end(self, code: DeliveryCode, at: datetime, longest: timedelta) -> None:
        """Take the result of the try; after a failure `again_at` is None if the message is given up."""
        self.begun_at = None
        self.may_have_arrived |= code not in SURELY_NOT
        self.again_at = self.next_try(code, at, longest)

    def next_try(self, code: DeliveryCode, at: datetime, longest: timedelta) -> datetime | None:
        """Return when a failed message is tried again, for as long as `longest`; None to give it up."""
        if code is DeliveryCode.DELIVERED or code in NEVER_AGAIN or (code in UNTIL_MENDED and self.tries >= FEW):
            return None
        again_at = at + min(FIRST_WAIT * 3 ** min(self.tries - 1, 10), LONGEST_WAIT)
        return again_at if again_at <= (self.first_at or at) + longest else None

    def look_at(self, time_out: timedelta) -> datetime | None:
        """Return when the try under way is given up, or the next one begins."""
        return self.again_at if self.begun_at is None else self.begun_at + time_out
