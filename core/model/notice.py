"""Notices to an operator who is not at the desk, their messages and retries (SY-03).

Notices only inform: they hold no link, no code and no order id, and no reply is read. The engine and the watchdog
write and retry their messages in the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.notification_sanitizer import harmless
from core.model.report_sheet import MOST_TEXT, ReportSheet, fitted, html_of, lines_of
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
    SESSION = "session"
    """The broker announced a closed day, or other hours."""
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
    NoticeKind.SESSION: Severity.WARNING,
    NoticeKind.REPORT: Severity.INFO,
}
"""How much each kind matters. A high VIX is a warning; a stop that waits for a key and margin under maintenance are
urgent."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice with its number; `at` is the time of the event, UTC. A `report` is a message of its own."""

    number: int
    at: datetime
    kind: NoticeKind
    severity: Severity
    symbol: Symbol | None
    words: str
    report: ReportSheet | None = None

    @property
    def is_urgent(self) -> bool:
        return self.severity is Severity.URGENT


class SuppressionCode(StrEnum):
    """Why a notice is sent to no channel."""

    TOO_MANY = "too_many"
    """Too many notices wait for the channel; it is counted in the next message."""


MOST_LINES = 20
"""Notices that one message spells out."""
REPEAT = "REPEAT"


def title_of(notices: Sequence[Notice], desk: str, *, is_repeat: bool) -> str:
    """Return the title: `Keyturn paper demo: exit waiting SPY`, `REPEAT Keyturn LIVE A1: 3 messages`."""
    first = notices[0]
    what = f"{first.kind.words} {first.symbol or ''}".strip() if len(notices) == 1 else f"{len(notices)} messages"
    if first.report is not None:
        what = first.report.title
    return harmless(f"{REPEAT if is_repeat else ''} Keyturn {desk}: {what}")


def text_of(notices: Sequence[Notice], untold: int, at: datetime, venue: Venue, *, is_repeat: bool) -> str:
    """Return a line for each, time first; notices beyond `MOST_LINES` and suppressed ones are counted."""
    lines = _lines(notices, untold, at, venue, is_repeat=is_repeat)
    if (report := notices[0].report) is not None:
        return fitted("\n".join([*lines, *lines_of(report)]), MOST_TEXT)
    return "\n".join(lines)


def html_in(notices: Sequence[Notice], untold: int, at: datetime, venue: Venue, *, is_repeat: bool) -> str:
    """Return the message as a page for channels that take one; empty if it is no report."""
    report = notices[0].report
    return "" if report is None else html_of(report, _lines(notices, untold, at, venue, is_repeat=is_repeat))


def together(notices: Sequence[Notice]) -> list[Notice]:
    """Return those of the next message: a report is one of its own."""
    first = next((place for place, notice in enumerate(notices) if notice.report is not None), len(notices))
    return [*(notices[:first] or notices[:1])]


def _lines(notices: Sequence[Notice], untold: int, at: datetime, venue: Venue, *, is_repeat: bool) -> list[str]:
    lines = [f"{REPEAT}: you may have {'this' if len(notices) == 1 else 'these'} already"] if is_repeat else []
    lines += [f"{venue.dated(notice.at, at)} {notice.kind.words}: {notice.words}" for notice in notices[:MOST_LINES]]
    if rest := notices[MOST_LINES:]:
        lines.append(f"and {len(rest)} more: {_counted(rest)}")
    if untold:
        lines.append(f"{untold} more were too many to be told; the desk has them")
    return lines


def _counted(notices: Sequence[Notice]) -> str:
    return ", ".join(f"{count} {kind.words}" for kind, count in Counter(n.kind for n in notices).most_common())
