"""Facts of notices and their delivery, of the operator's alerts, and of watchlists (SY-03)."""

from __future__ import annotations

from datetime import date, datetime

from core.facts.registry import Fact, fact
from core.model.alert import Alert, AlertTerms
from core.model.delivery import DeliveryCode
from core.model.lazy_dataclass import dataclass
from core.model.notice import Notice, SuppressionCode
from core.model.values import Symbol


@fact()
@dataclass(frozen=True, slots=True)
class ReportMade(Fact):
    """The report of a day was made for its notices, or was not (SY-03, AN-06).

    Attributes
    ----------
    fault
        Why it, or that of its week, is missing; else empty. A missing day's notice has the sums of the engine's books.
    agent, agent_fault
        The agent that was started to summarise it, and why the notice goes without its words.
    """

    day: date
    fault: str = ""
    agent: str = ""
    agent_fault: str = ""

    @property
    def lacks_a_part(self) -> bool:
        return bool(self.fault or self.agent_fault)


@fact(version=2)
@dataclass(frozen=True, slots=True)
class NotificationDue(Fact):
    """A notice is due on these channels.

    Attributes
    ----------
    not_before
        Send time, in quiet hours or for a digest; None to send at once.
    matter
        Key of the ongoing subject, such as `proposal …` or `kill`; empty if it has no duration.
    step
        The step of a rule's escalation; empty for the first message.
    """

    notice: Notice
    channels: tuple[str, ...]
    not_before: datetime | None = None
    matter: str = ""
    step: str = ""


@fact(version=2)
@dataclass(frozen=True, slots=True)
class NotificationSuppressed(Fact):
    """A notice is not sent to these channels, and why. `matter` and `step` as for a due one: it counts as sent."""

    notice: Notice
    channels: tuple[str, ...]
    code: SuppressionCode
    matter: str = ""
    step: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class NotificationBegun(Fact):
    """A message, of one notice or several, is about to be sent to a channel.

    `is_repeat`: an earlier attempt may have arrived, and the message says so.
    """

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]
    tries: int
    is_repeat: bool


@fact()
@dataclass(frozen=True, slots=True)
class NotificationSent(Fact):
    """The channel accepted it."""

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]


@fact()
@dataclass(frozen=True, slots=True)
class NotificationFailed(Fact):
    """The channel did not accept it, or the result is unknown.

    Attributes
    ----------
    status
        The receiver's status code; None if it gave none.
    again_at
        When it is tried again; None if never.
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
    """The subject of a notice has ended: it is not sent to anyone else."""

    matter: str


@fact()
@dataclass(frozen=True, slots=True)
class NotificationWithdrawn(Fact):
    """Notices of an ended subject were removed from the channel's queue, so that they call nobody."""

    channel: str
    is_urgent: bool
    numbers: tuple[int, ...]


@fact()
@dataclass(frozen=True, slots=True)
class AlertKept(Fact):
    """An alert was added; the engine evaluates it from here on."""

    alert: Alert


@fact()
@dataclass(frozen=True, slots=True)
class AlertRefused(Fact):
    """An alert was not added, and why."""

    terms: AlertTerms
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class AlertDropped(Fact):
    """An alert was removed: by the operator, or with a reason by the desk."""

    alert: Alert
    reason: str = ""


@fact(version=2)
@dataclass(frozen=True, slots=True)
class AlertRang(Fact):
    """An alert triggered, with the seen figure; an alert with a level ends with it.

    Attributes
    ----------
    articles
        The articles that an alert on news was about: no alert triggers by them again.
    """

    alert: Alert
    seen: str
    articles: tuple[str, ...] = ()


@fact(version=2)
@dataclass(frozen=True, slots=True)
class WatchlistKept(Fact):
    """A watchlist was saved; an empty one is removed (MD-06).

    Attributes
    ----------
    is_filed
        Whether its file, or its absence, says the same.
    """

    name: str
    symbols: tuple[Symbol, ...]
    is_filed: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class WatchlistRefused(Fact):
    """The list stays as it was, and why."""

    name: str
    reason: str
