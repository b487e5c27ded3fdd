"""Alerts, notices to an operator who is not at the desk, their messages and retries (SY-03).

Notices only inform: they hold no link, no code and no order id, and no reply is read. The engine and the watchdog
write and retry their messages in the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from core.model.notification_sanitizer import harmless
from core.model.session import ONE_DAY, Venue
from core.model.values import ZERO, Symbol, priced

# ── alerts ───────────────────────────────────────────────────────────────────────────────────────────────────────────
# Price and event alerts on a symbol, and the hours of quiet (SY-03).

MOST = 100
"""Most alerts at once: each is evaluated with every quote of its symbol."""
HUNDRED = Decimal(100)
FINE, COARSE = 4, 2
"""Most decimals of a shown percentage: of a spread, and otherwise."""


class AlertKind(StrEnum):
    """The watched figure: the last price, its change since the close before, the spread as a share of the mid, today's
    volume, fills, halts.
    """

    PRICE = "price"
    CHANGE = "change"
    SPREAD = "spread"
    VOLUME = "volume"
    FILL = "fill"
    HALT = "halt"


EVENTS = frozenset({AlertKind.FILL, AlertKind.HALT})
"""Kinds without a level that trigger each time, until removed."""
PERCENT = frozenset({AlertKind.CHANGE, AlertKind.SPREAD})
ONLY_ABOVE = frozenset({AlertKind.SPREAD, AlertKind.VOLUME})


@dataclass(frozen=True, slots=True)
class AlertTerms:
    """The condition of an alert.

    Attributes
    ----------
    level
        USD of a price, a fraction of a change or a spread, shares of a volume; None for an event.
    is_above
        Whether it triggers at the level and above it; else at the level and below it.
    """

    symbol: Symbol
    kind: AlertKind
    level: Decimal | None = None
    is_above: bool = True

    def rings_at(self, figure: Decimal) -> bool:
        """Whether the figure has reached the level."""
        return self.level is not None and (figure >= self.level if self.is_above else figure <= self.level)


@dataclass(frozen=True, slots=True)
class Alert:
    """A stored alert with its number."""

    number: int
    terms: AlertTerms


def fault_of(wanted: AlertTerms, kept: Sequence[AlertTerms], now: Decimal | None) -> str | None:
    """Return why it cannot be added to the others; None if it can. `now` is the current figure."""
    if wanted.kind in EVENTS:
        if wanted.level is not None:
            return f"an alert on each {wanted.kind} has no level"
    elif wanted.level is None:
        return f"a {wanted.kind} alert needs a level"
    elif wanted.level <= ZERO and wanted.kind is not AlertKind.CHANGE:
        return f"a {wanted.kind} above zero"
    elif wanted.kind in ONLY_ABOVE and not wanted.is_above:
        return f"a {wanted.kind} alert rings above its level"
    if wanted in kept:
        return "there is one like it already"
    if len(kept) >= MOST:
        return f"there are {MOST} alerts; drop one first"
    if now is not None and wanted.rings_at(now):
        return f"{what_is_seen(wanted, now)}: it would ring at once"
    return None


def in_words(terms: AlertTerms) -> str:
    """As in `price at 182.50 or above`, `spread at 0.10 % or above`, `each fill`."""
    if terms.level is None:
        return "each fill" if terms.kind is AlertKind.FILL else "a halt, and its end"
    return f"{terms.kind} at {_figure(terms.kind, terms.level)} or {'above' if terms.is_above else 'below'}"


def what_is_seen(terms: AlertTerms, figure: Decimal) -> str:
    """As in `price is 182.52`."""
    places = FINE if terms.kind is AlertKind.SPREAD else COARSE
    seen = figure if terms.kind not in PERCENT else round(figure * HUNDRED, places) / HUNDRED
    return f"{terms.kind} is {_figure(terms.kind, seen)}"


def _figure(kind: AlertKind, figure: Decimal) -> str:
    if kind is AlertKind.PRICE:
        return priced(figure)
    if kind is AlertKind.VOLUME:
        return f"{figure:,.0f} shares"
    sign = "−" if figure < ZERO else "+" if kind is AlertKind.CHANGE else ""
    return f"{sign}{priced(abs(figure) * HUNDRED)} %"


SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` to before `ends`, over midnight if that is earlier.

    A time skipped when the clock goes forward is the first instant after the gap; one that occurs twice when it goes
    back is the first of the two. So a night has one beginning and one end, an hour shorter or longer.
    """

    begins: time
    ends: time

    def end_at(self, at: datetime, venue: Venue) -> datetime | None:
        """Return when the quiet hours at an instant end, UTC; None if there are none."""
        return next((end for begin, end in self._around(at, venue) if begin <= at < end), None)

    def _around(self, at: datetime, venue: Venue) -> Iterator[tuple[datetime, datetime]]:
        today = venue.day_of(at)
        for day in (today - ONE_DAY, today):
            last = day if self.begins < self.ends else day + ONE_DAY
            yield instant(venue, day, self.begins), instant(venue, last, self.ends)


def instant(venue: Venue, day: date, clock: time) -> datetime:
    """Return the first instant at which a venue's clock shows a time of a day, or is past it; UTC."""
    wanted = datetime.combine(day, clock)
    late = wanted.replace(tzinfo=venue.zone, fold=0).astimezone(UTC)
    if venue.local(late).replace(tzinfo=None) == wanted:
        return late
    early = wanted.replace(tzinfo=venue.zone, fold=1).astimezone(UTC)  # of a skipped time: before the gap
    seconds = range(int((late - early) / SECOND))
    found = bisect_left(seconds, wanted, key=lambda n: venue.local(early + n * SECOND).replace(tzinfo=None))
    return early + found * SECOND


def next_time(venue: Venue, at: datetime, clocks: tuple[time, ...]) -> datetime:
    """Return the first instant after `at` at which its clock shows one of these times, UTC; `clocks` is not empty."""
    today = venue.day_of(at)
    found = (instant(venue, day, clock) for day in (today, today + ONE_DAY, today + 2 * ONE_DAY) for clock in clocks)
    return min(each for each in found if each > at)


# ── notices ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
