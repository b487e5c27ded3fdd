"""Notices to an operator who is not at the desk, their messages and retries (SY-03).

Notices only inform: they hold no link, no code and no order id, and no reply is read. The engine and the watchdog
write and retry their messages in the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.model.notification_sanitizer import harmless
from core.model.session import Venue
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


MOST_LINES = 20
"""Notices that one message spells out."""
REPEAT = "REPEAT"


def title_of(notices: Sequence[Notice], desk: str, *, is_repeat: bool) -> str:
    """Return the title: `Keyturn paper demo: exit waiting SPY`, `REPEAT Keyturn LIVE A1: 3 messages`."""
    first = notices[0]
    what = f"{first.kind.words} {first.symbol or ''}".strip() if len(notices) == 1 else f"{len(notices)} messages"
    return harmless(f"{REPEAT if is_repeat else ''} Keyturn {desk}: {what}")


def text_of(notices: Sequence[Notice], untold: int, at: datetime, venue: Venue, *, is_repeat: bool) -> str:
    """Return a line for each, time first; notices beyond `MOST_LINES` and suppressed ones are counted."""
    lines = [f"{REPEAT}: you may have {'this' if len(notices) == 1 else 'these'} already"] if is_repeat else []
    lines += [f"{venue.dated(notice.at, at)} {notice.kind.words}: {notice.words}" for notice in notices[:MOST_LINES]]
    if rest := notices[MOST_LINES:]:
        lines.append(f"and {len(rest)} more: {_counted(rest)}")
    if untold:
        lines.append(f"{untold} more were too many to be told; the desk has them")
    return "\n".join(lines)


def _counted(notices: Sequence[Notice]) -> str:
    return ", ".join(f"{count} {kind.words}" for kind, count in Counter(n.kind for n in notices).most_common())
