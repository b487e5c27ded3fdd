"""The program and its market: settings, clock, starts and ends, bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.facts.registry import Fact, fact
from core.model.bar import Bar
from core.model.past_days import PastDays
from core.model.quote import TradingHalt
from core.model.values import (
    ClientOrderId,
    Fraction,
    Money,
    Symbol,
)
from core.settings.history import VERSION
from core.settings.settings import Settings


@fact(version=VERSION)
@dataclass(frozen=True, slots=True)
class SettingsApplied(Fact):
    """The settings from here on. Folds read only these.

    A record of it is of the version of its settings, which `core.settings.history` reads.
    """

    settings: Settings


@fact()
@dataclass(frozen=True, slots=True)
class SettingsFileChanged(Fact):
    """The settings file says something else than the desk trades by, or nothing that stands: entries wait (RK-13)."""

    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class SettingsFileAgreed(Fact):
    """The settings file says again what the desk trades by."""


@fact()
@dataclass(frozen=True, slots=True)
class LimitsReloaded(Fact):
    """The operator had the limits read anew; the settings that hold from here on stand before it (RK-13).

    Attributes
    ----------
    taken, left
        In words, old to new: what holds now, and what waits for the word or for a restart.
    """

    taken: tuple[str, ...]
    left: tuple[str, ...]


@fact()
@dataclass(frozen=True, slots=True)
class ReloadRefused(Fact):
    """The limits stay as they were, and why (RK-13)."""

    reasons: tuple[str, ...]


@fact()
@dataclass(frozen=True, slots=True)
class ClockJumped(Fact):
    """This machine's clock moved otherwise than time did, or the desk's time runs ahead: entries wait.

    Both are zero where the broker's clock could not be asked at a start.

    Attributes
    ----------
    seconds
        Of the jump, below zero where it went back; zero where the desk's time only runs ahead.
    behind
        Seconds that the right time lies behind the desk's, which never goes back.
    """

    seconds: Decimal
    behind: Decimal


@fact()
@dataclass(frozen=True, slots=True)
class ClockDiffered(Fact):
    """This machine's clock and the broker's differ (EX-23): entries and all that time alone would do wait.

    Attributes
    ----------
    ahead
        Seconds that this machine's clock is ahead of the broker's, below zero where it is behind.
    """

    ahead: Decimal


@fact(version=2)
@dataclass(frozen=True, slots=True)
class ClockSettled(Fact):
    """The clock agrees with the broker's: entries pass again.

    Attributes
    ----------
    step
        Seconds by which the desk's time went forward as the broker's clock was heard.
    """

    step: Decimal = Decimal(0)


@fact()
@dataclass(frozen=True, slots=True)
class InstallationNamed(Fact):
    """The name that manual orders hash (EX-04); recorded once, and anew where a reset or a restore forgets orders."""

    name: str


@fact()
@dataclass(frozen=True, slots=True)
class UnknownOrdersFound(Fact):
    """The broker has orders with our form of id that the journal does not know (EX-24): it may be an older copy.

    Attributes
    ----------
    name
        Of the installation from now on: no later manual order gets the id of one of these.
    """

    client_order_ids: tuple[ClientOrderId, ...]
    name: str


@fact()
@dataclass(frozen=True, slots=True)
class UnknownOrdersAccepted(Fact):
    """The operator has read which orders those are: they keep the desk read-only no longer (EX-24)."""

    client_order_ids: tuple[ClientOrderId, ...]


@fact()
@dataclass(frozen=True, slots=True)
class StateReset(Fact):
    """The operator had everything forgotten: the first record of the journal that began then (SP-04).

    Attributes
    ----------
    when
        By the wall clock; the record itself bears the time at which the journal before it ended.
    last_record, forgotten_until
        Number and time of the last record before.
    backup
        The archive that keeps what was there.
    """

    when: datetime
    last_record: int
    forgotten_until: datetime
    backup: str


@fact()
@dataclass(frozen=True, slots=True)
class StateRestored(Fact):
    """An archive took the place of journal and documents (SP-04).

    Attributes
    ----------
    when
        By the wall clock.
    lost
        Records of the journal before that the archive does not hold.
    forgotten_until
        What the market said up to here may have had its order at the broker.
    backup
        The archive that keeps what was there; None where nothing was.
    """

    when: datetime
    archive: str
    lost: int
    forgotten_until: datetime
    backup: str | None


@fact()
@dataclass(frozen=True, slots=True)
class EngineStarted(Fact):
    """An engine took up this journal. It trades only after `ReconciliationPassed`."""


@fact()
@dataclass(frozen=True, slots=True)
class EngineStopped(Fact):
    """A clean stop."""

    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class DayStarted(Fact):
    """What a trading day's loss is measured against, known from the day's first account figure on (RK-03).

    Attributes
    ----------
    equity
        At the last close, by the broker's word; else the day's first figure.
    close_of
        The trading day of that close; None where it is the first figure.
    """

    day: date
    equity: Money
    close_of: date | None = None


@fact()
@dataclass(frozen=True, slots=True)
class DayCorrected(Fact):
    """Before the day's open the broker told another close than it did first: the later word counts (RK-03)."""

    day: date
    equity: Money
    close_of: date


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class BarClosed(Fact):
    """A complete regular bar. What strategies say of it are facts of their own."""

    bar: Bar


@fact(is_heard_again=True, aliases=("HistoryTaken",))
@dataclass(frozen=True, slots=True)
class HistoryLoaded(Fact):
    """Bars of the past that strategies, the volatility halt and sizes warm up on: they propose and halt nothing.

    They end where the bars begin that this desk hears, or has heard.
    """

    symbol: Symbol
    bars: tuple[Bar, ...]


@fact(version=2, is_heard_again=True, aliases=("PastTaken",))
@dataclass(frozen=True, slots=True)
class PastDaysLoaded(Fact):
    """The days before today's in figures: correlation, ranges and the volatility halt's median rest on them.

    They halt nothing.
    """

    past: PastDays


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class SpreadMeasured(Fact):
    """The usual spread of a symbol from here on, of the middle: the median of its last quarter of an hour (RK-23)."""

    symbol: Symbol
    spread: Fraction


@fact()
@dataclass(frozen=True, slots=True)
class TradingHalted(Fact):
    """The exchange halts a symbol: nothing is opened in it, and what would close it waits there (MD-06)."""

    halt: TradingHalt


@fact()
@dataclass(frozen=True, slots=True)
class TradingResumed(Fact):
    """It trades again, by its exchange's word, or because a later minute of it has traded."""

    symbol: Symbol
    reason: str


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class MarketDataQuarantined(Fact):
    """A message that no strategy may see, where it stood, and why."""

    place: str
    reason: str
