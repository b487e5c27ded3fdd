"""Who is told what over which channel, and what became of it: without any address, and no receiver's words (SY-03)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts.registry import Fact, fact
from core.model.notice import DeliveryCode, Notice, SuppressionCode


@fact()
@dataclass(frozen=True, slots=True)
class NotificationDue(Fact):
    """A notice is owed to these channels.

    Attributes
    ----------
    not_before
        In quiet hours, or for a digest: when it goes out. None where at once.
    matter
        What it is about as long as that lasts, as `proposal …` or `kill`; empty where it lasts no time.
    step
        Which step of which rule's escalation it is; empty where it is the first word.
    """

    notice: Notice
    channels: tuple[str, ...]
    not_before: datetime | None = None
    matter: str = ""
    step: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class NotificationSuppressed(Fact):
    """A notice that does not go to these channels, and why. `matter` and `step` as of one that is due: it is told."""

    notice: Notice
    channels: tuple[str, ...]
    code: SuppressionCode
    matter: str = ""
    step: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class NotificationBegun(Fact):
    """One message, of one notice or several, leaves for a channel: written before it does.

    `is_repeat`: an earlier try may have arrived, and the message says so.
    """

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
    tries: int
    is_repeat: bool


@fact()
@dataclass(frozen=True, slots=True)
class NotificationSent(Fact):
    """The channel took it."""

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]


@fact()
@dataclass(frozen=True, slots=True)
class NotificationFailed(Fact):
    """The channel did not take it, or nobody knows whether it did.

    Attributes
    ----------
    status
        The receiver's number; None where it gave none.
    again_at
        When it is tried again; None where it never is.
    """

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
    code: DeliveryCode
    status: int | None = None
    again_at: datetime | None = None


@fact()
@dataclass(frozen=True, slots=True)
class NotificationSettled(Fact):
    """What a notice was about is over: nobody else is told of it."""

    matter: str


@fact()
@dataclass(frozen=True, slots=True)
class NotificationWithdrawn(Fact):
    """Notices that the channel was still owed, of a matter that is over: nobody is called about them."""

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
