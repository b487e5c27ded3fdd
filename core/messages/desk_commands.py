"""Commands about the desk itself: its link and control, what it watches, its settings, limits and theses."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from core.model.alert import AlertTerms
from core.model.desk import DeskNumber, Seat, Sender
from core.model.instrument import Watchlist
from core.model.lazy_dataclass import dataclass
from core.model.news import EarningsDate
from core.model.thesis import Thesis
from core.model.touch import TouchSignature
from core.model.values import AccountId, Symbol

if TYPE_CHECKING:
    from core.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Addressed:
    """A command of the operator, a script or the account's keeper; `account` is that of the view at which it was given.

    A command for another account, or without one, is refused and recorded; but a halt or a kill without one stops every
    engine that it reaches. Only the desk server sets `desk`; None is inside the engine's process: the keeper of its
    files, a script at the simulated exchange. `came_late` is set at intake: the command waited while the engine was
    stalled, or ends a halt that its desk had not shown.
    """

    account: AccountId | None = field(default=None, compare=False, repr=False, kw_only=True)
    desk: DeskNumber | None = field(default=None, compare=False, repr=False, kw_only=True)
    came_late: bool = field(default=False, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ServeDesks(Addressed):
    """This engine serves desks from here on: while none is attached, it is unattended (RK-27)."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class AttachDesk(Addressed):
    """Attach a desk; the first one gets control if no desk has it (OP-13).

    Attributes
    ----------
    link
        Name of its connection in this run, to look up its number; never recorded.
    returning
        Its former number, if the desk server recognises it.
    by_itself
        Whether it was attached before, to this engine or another: it reattaches without a key press.
    """

    seat: Seat
    link: str
    returning: DeskNumber | None = None
    by_itself: bool = False
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class DetachDesk(Addressed):
    """The desk leaves on purpose: its control is released at once."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class LoseDesk(Addressed):
    """The desk's link failed: its control is reserved for a while, disarmed."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class StopEngine(Addressed):
    """End the engine's process: the operator was shown what stays open without it, and confirmed."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class TakeKey(Addressed):
    """The desk takes control. `word` is the typed word, `hold` the control period that was on its screen."""

    word: str
    hold: int
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class KeyPressed(Addressed):
    """Someone is at the keys of this desk; nothing else is requested."""


@dataclass(frozen=True, slots=True)
class LookAt(Addressed):
    """Fetch the quote of a symbol and the account's figures for the order form."""

    symbol: Symbol


@dataclass(frozen=True, slots=True)
class KeepWatchlist(Addressed):
    """Save this watchlist with these symbols, in this order; without any it is removed (MD-06)."""

    name: str
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class KeepAlert(Addressed):
    """Add an alert (MD-06)."""

    terms: AlertTerms


@dataclass(frozen=True, slots=True)
class DropAlert(Addressed):
    """Remove an alert."""

    number: int


@dataclass(frozen=True, slots=True)
class ReloadLimits(Addressed):
    """Reload the limits of the settings file: the tighter ones, and with the typed word all (RK-13).

    Attributes
    ----------
    digest
        Of the file as its differences were shown.
    word
        The typed word; empty if none was typed.
    touch
        Of an enrolled security key, over `loosen_message`; None if none was asked for (OP-15).
    """

    digest: str
    word: str = ""
    touch: TouchSignature | None = field(default=None, kw_only=True)
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class EnrollTouchKey(Addressed):
    """Enroll a security key (OP-15).

    Attributes
    ----------
    line
        Its OpenSSH public key line.
    own
        Its signature over `enroll_message`, in the agent's wire form, in Base64.
    touch
        That of a key enrolled before, over the same; None for the first.
    """

    line: str
    label: str
    own: str
    touch: TouchSignature | None = None
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class RemoveTouchKey(Addressed):
    """Remove a security key by the touch of an enrolled one, over `remove_message` (OP-15)."""

    fingerprint: str
    touch: TouchSignature
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class CompareActivities(Addressed):
    """Fetch the account's activities now, and compare them with the journal (EX-09, AN-06)."""

    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class SettingsFault:
    """An invalid settings file, with the place of its fault."""

    reason: str


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """A source that overrides the settings file, or did: its key, and text such as `KEYTURN_RISK__DAILY_LOSS__USD is
    set`.
    """

    path: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class SettingsFileSeen(Addressed):
    """The current settings file, under the profile, the environment and the command line; an observation.

    `left_out` are `--set` options of the last start that this one lacks, if nothing else differs; `sources` are the
    other overrides of the file, the highest first.
    """

    answer: Settings | SettingsFault
    left_out: tuple[str, ...] = ()
    sources: tuple[SettingsSource, ...] = ()


@dataclass(frozen=True, slots=True)
class ThesesFileSeen(Addressed):
    """The current theses, none without their file; an observation (AN-07). A malformed file is not sent."""

    theses: tuple[Thesis, ...]


@dataclass(frozen=True, slots=True)
class EarningsFileSeen(Addressed):
    """The current dates of earnings, none without their file; an observation (OT-02). A malformed file is not sent."""

    earnings: tuple[EarningsDate, ...]


@dataclass(frozen=True, slots=True)
class DecidePause(Addressed):
    """Decide on the pause that is proposed for a strategy whose thesis is invalidated (AN-07)."""

    strategy: str
    is_adopted: bool
    sender: Sender | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class WatchlistFilesSeen(Addressed):
    """The watchlist files as found (MD-06); not sent by a desk.

    Attributes
    ----------
    unread
        Lists whose file exists and is invalid: they stay as they are.
    has_folder
        Whether their folder exists: without it no list was removed.
    """

    lists: tuple[Watchlist, ...]
    unread: tuple[str, ...] = ()
    has_folder: bool = True
