"""Facts of the program, its desks and its market (OP-13)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.facts.registry import Fact, fact
from core.model.bar import Bar, TradingHalt
from core.model.codes import KeyEnd
from core.model.desk import DeskNumber, Seat
from core.model.lazy_dataclass import dataclass
from core.model.reconciliation import Difference
from core.model.reference_data import PastDays
from core.model.session import AnnouncedDay
from core.model.values import ClientOrderId, Fraction, Money, Symbol
from core.settings.history import VERSION
from core.settings.settings import Settings


@fact(version=VERSION)
@dataclass(frozen=True, slots=True)
class SettingsApplied(Fact):
    """The settings from here on. Folds read only these.

    Its record has the version of its settings, which `core.settings.history` reads.
    """

    settings: Settings


@fact(version=VERSION)
@dataclass(frozen=True, slots=True)
class AgentsApplied(SettingsApplied):
    """The settings from here on, of which only the tables of agents differ: nothing else is judged anew (OP-09).

    Attributes
    ----------
    changes
        As text, one for each agent.
    """

    changes: tuple[str, ...]


@fact()
@dataclass(frozen=True, slots=True)
class SettingsFileChanged(Fact):
    """The settings file differs from the settings in use, or is invalid: entries wait (RK-13)."""

    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class SettingsFileAgreed(Fact):
    """The settings file agrees again with the settings in use."""


@fact()
@dataclass(frozen=True, slots=True)
class LimitsReloaded(Fact):
    """The operator reloaded the limits; the new settings are recorded before it (RK-13).

    Attributes
    ----------
    taken, left
        As text, old to new: changes in force now, and changes that need the typed word or a restart.
    """

    taken: tuple[str, ...]
    left: tuple[str, ...]


@fact()
@dataclass(frozen=True, slots=True)
class ReloadRefused(Fact):
    """The limits were not reloaded, and why (RK-13)."""

    reasons: tuple[str, ...]


@fact()
@dataclass(frozen=True, slots=True)
class ClockJumped(Fact):
    """This machine's clock jumped, or the desk's time is ahead: entries wait.

    Both are zero if the broker's clock could not be read at a start.

    Attributes
    ----------
    seconds
        Of the jump, below zero if it went back; zero if the desk's time is only ahead.
    behind
        Seconds by which the correct time is behind the desk's, which never goes back.
    """

    seconds: Decimal
    behind: Decimal


@fact()
@dataclass(frozen=True, slots=True)
class ClockDiffered(Fact):
    """This machine's clock and the broker's differ (EX-23): entries and timed actions wait.

    Attributes
    ----------
    ahead
        Seconds that this machine's clock is ahead of the broker's, below zero if it is behind.
    """

    ahead: Decimal


@fact(version=2)
@dataclass(frozen=True, slots=True)
class ClockSettled(Fact):
    """The clock agrees with the broker's: entries pass again.

    Attributes
    ----------
    step
        Seconds by which the desk's time went forward when the broker's clock was read.
    """

    step: Decimal = Decimal(0)


@fact()
@dataclass(frozen=True, slots=True)
class InstallationNamed(Fact):
    """The name that manual orders hash (EX-04); recorded once, and again when a reset or a restore forgets orders."""

    name: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class UnknownOrdersFound(Fact):
    """The broker has orders with our form of id that the journal does not know (EX-24): it may be an older copy.

    Attributes
    ----------
    name
        Of the installation from now on: no later manual order gets the id of one of these.
    unlisted
        Those that a look-up found, because the broker did not take an order of ours with their id. Its list may lack
        them, so no list ends the doubt.
    """

    client_order_ids: tuple[ClientOrderId, ...]
    name: str
    unlisted: tuple[Difference, ...] = ()


@fact()
@dataclass(frozen=True, slots=True)
class UnknownOrdersAccepted(Fact):
    """The operator accepted those orders: they no longer keep the desk read-only (EX-24)."""

    client_order_ids: tuple[ClientOrderId, ...]


@fact()
@dataclass(frozen=True, slots=True)
class StateReset(Fact):
    """The operator reset the state: the first record of the new journal (SP-04).

    Attributes
    ----------
    when
        By the wall clock; the record's own time is the end of the journal before.
    last_record, forgotten_until
        Number and time of the last record before.
    backup
        The archive of the previous state.
    """

    when: datetime
    last_record: int
    forgotten_until: datetime
    backup: str


@fact()
@dataclass(frozen=True, slots=True)
class StateRestored(Fact):
    """An archive replaced journal and documents (SP-04).

    Attributes
    ----------
    when
        By the wall clock.
    lost
        Records of the journal before that the archive does not hold.
    forgotten_until
        Bars up to here may have orders at the broker.
    backup
        The archive of the previous state; None if there was none.
    """

    when: datetime
    archive: str
    lost: int
    forgotten_until: datetime
    backup: str | None


@fact(version=2)
@dataclass(frozen=True, slots=True)
class EngineStarted(Fact):
    """An engine started on this journal. It trades only after `ReconciliationPassed`.

    `agreed_until` is when the books agreed last, as far as the journal tells; None in older records.
    """

    agreed_until: datetime | None = None


@fact()
@dataclass(frozen=True, slots=True)
class EngineStopped(Fact):
    """A clean stop."""

    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class DayStarted(Fact):
    """A trading day started, with the equity from which its loss counts.

    Recorded with the day's first account figure (RK-03).

    Attributes
    ----------
    equity
        At the last close, as the broker reports it; else the day's first figure.
    close_of
        The trading day of that close; None for a first figure.
    """

    day: date
    equity: Money
    close_of: date | None = None


@fact()
@dataclass(frozen=True, slots=True)
class DayCorrected(Fact):
    """Before the day's open the broker reported another close than at first: the later report counts (RK-03)."""

    day: date
    equity: Money
    close_of: date


@fact()
@dataclass(frozen=True, slots=True)
class SessionsAnnounced(Fact):
    """The broker announced other sessions of these days than were known: what depends on them moves (MD-10)."""

    days: tuple[AnnouncedDay, ...]


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class BarClosed(Fact):
    """A complete regular bar. Strategies' answers to it are separate facts."""

    bar: Bar


@fact(is_heard_again=True, aliases=("HistoryTaken",))
@dataclass(frozen=True, slots=True)
class HistoryLoaded(Fact):
    """Past bars that warm up strategies, the volatility halt and sizes: they propose and halt nothing.

    They end where the bars begin that this desk receives, or has received.
    """

    symbol: Symbol
    bars: tuple[Bar, ...]


@fact(version=2, is_heard_again=True, aliases=("PastTaken",))
@dataclass(frozen=True, slots=True)
class PastDaysLoaded(Fact):
    """Figures of the days before today: for correlation, ranges and the volatility halt's median.

    They halt nothing.
    """

    past: PastDays


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class SpreadMeasured(Fact):
    """The usual spread of a symbol from here on, as a share of the mid: the median of its last 15 minutes (RK-23)."""

    symbol: Symbol
    spread: Fraction


@fact()
@dataclass(frozen=True, slots=True)
class TradingHalted(Fact):
    """The exchange halted a symbol: entries in it are blocked, and its exits wait there (MD-06)."""

    halt: TradingHalt


@fact()
@dataclass(frozen=True, slots=True)
class TradingResumed(Fact):
    """The symbol trades again, by its exchange's report, or because a later minute of it has traded."""

    symbol: Symbol
    reason: str


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class MarketDataQuarantined(Fact):
    """A message was withheld from strategies, with its place and the reason."""

    place: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class DesksServed(Fact):
    """Attendance counts from here on, until the engine ends: without a desk the engine is unattended (RK-27)."""


@fact()
@dataclass(frozen=True, slots=True)
class AbsenceEnded(Fact):
    """A desk attached to an unattended engine: totals of the time in between (RK-27).

    Attributes
    ----------
    since
        When the last desk was gone, or the engine was first served.
    fills, exits
        Executions, and reducing orders recorded for sending, without protective stops.
    cancelled
        Entries that rested for too long.
    shadows
        Proposals of strategies that were only followed.
    """

    since: datetime
    fills: int = 0
    exits: int = 0
    cancelled: int = 0
    shadows: int = 0
    halts: int = 0


@fact()
@dataclass(frozen=True, slots=True)
class DeskAttached(Fact):
    """A desk attached.

    Attributes
    ----------
    is_back
        It attached before, and kept its number.
    by_itself
        It reattached automatically, to this engine or another, without a key press.
    """

    desk: DeskNumber
    seat: Seat
    is_back: bool = False
    by_itself: bool = False


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class CommandGiven(Fact):
    """A key at this desk sent a command, recorded by the command's name; `DeskAttached` has the desk's seat (OP-13).

    Its result follows. A key on a ticket or a basket has its desk in its own fact.
    """

    desk: DeskNumber
    command: str


@fact()
@dataclass(frozen=True, slots=True)
class DeskLeft(Fact):
    """A desk left on purpose. Its control is released at once."""

    desk: DeskNumber


@fact()
@dataclass(frozen=True, slots=True)
class DeskLost(Fact):
    """A desk's link failed. `key_until` is how long its control is reserved, disarmed; None if it had no control."""

    desk: DeskNumber
    key_until: datetime | None = None


@fact()
@dataclass(frozen=True, slots=True)
class KeyTaken(Fact):
    """This desk took control: only it opens tickets and confirms from here on; tickets open before are closed.

    Attributes
    ----------
    hold
        Grows by one with each of these, over restarts too: no confirmation is valid under another.
    before
        The desk that had control; None if none had.
    was_active
        Whether that desk had sent anything in the last minute, or its control was reserved: then the word was typed.
    """

    desk: DeskNumber
    hold: int
    before: DeskNumber | None = None
    was_active: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class KeyFreed(Fact):
    """No desk has control."""

    desk: DeskNumber
    end: KeyEnd
