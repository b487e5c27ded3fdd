"""Failover between stream and polling: the stream's health, and which minutes to request (MD-02).

Three events end the trust in a stream: it is lost, it is refused, or it is silent although the market is open. A socket
can stay open and mute, so silence is handled in steps: our own ping first; if it is answered the status is SILENT and
polling begins; if a poll finds a bar that the stream should have delivered, the stream is proved mute and reconnected.
A doubted stream is trusted again at its first message, not at its connection.

Decide which minutes to request, and when: at the start, after a gap, and while polling.
All minutes that ended by `sure_until` were handed on or did not trade. While the stream is up only minutes up to its
reconnection are requested; while it is down, one request for all symbols follows each minute.

Pure: events go in with their times, minutes to hand on come out, and `next_due` tells when to check again. It combines
`StreamHealth` (the stream's status), `Minutes` (their order) and `Backfill` (missing ones).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum

from core.io.http_requests import OWN_LASTS
from core.market.alpaca.failure import Counts, Failure, Seen, pause
from core.market.alpaca.minutes import AHEAD, SETTLE, Minute, Minutes, Timetable, minute_of, settled
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.bar import ONE_MINUTE
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.values import Symbol

BARS_SILENT = timedelta(seconds=150)
"""A stream with quotes but without any bar for this long is half mute."""
BARS_EVERY = timedelta(seconds=65)
"""Bars of symbols that trade come each minute, a few seconds apart."""
ASLEEP = timedelta(seconds=60)
"""Out of hours no message is expected: after this long the socket is only pinged."""
TAKEN_ELSEWHERE = timedelta(seconds=60)
"""Between attempts while another connection of the account has the only place."""
OWN_AGAIN = timedelta(seconds=15)
"""Between attempts while our own connection may have it."""
OURS = "its only place is taken, probably by this desk's own connection that broke"
REFUSED_AGAIN = timedelta(seconds=60)
"""Between attempts while the keys or the plan are refused: the refusal may pass, and a refused key is not hammered."""


class StreamDoubt(Enum):
    """The missing kind of message; the stream is trusted again at the first message of that kind."""

    NONE = "none"
    ALL = "all"
    BARS = "bars"


class No(Enum):
    """Effect of a refusal on the next attempt."""

    REFUSED = "refused"
    TAKEN = "another connection has the place"
    NOT_NOW = "not now"


PLACE_TAKEN = 406
REFUSALS: dict[int, tuple[No, str]] = {
    400: (No.NOT_NOW, "it did not understand a message"),
    401: (No.NOT_NOW, "it was not authenticated"),
    402: (
        No.REFUSED,
        "it refused the keys: check APCA_API_KEY_ID and its secret, or the keyring; "
        "tried again in a minute, other keys need a new start",
    ),
    404: (No.NOT_NOW, "authentication took too long"),
    405: (No.TAKEN, "your plan allows not one symbol: see your plan at Alpaca"),
    406: (No.TAKEN, "another program holds your only connection: end it"),
    407: (No.NOT_NOW, "this machine reads too slowly: name fewer in `symbols`, or end what keeps it busy"),
    408: (
        No.REFUSED,
        "your account has no market data of this kind: see your plan at Alpaca; tried again in a minute",
    ),
    409: (No.REFUSED, 'your plan has no such feed: set alpaca.feed = "iex" and start again; tried again in a minute'),
    410: (No.NOT_NOW, "it did not understand the subscription"),
    500: (No.NOT_NOW, "an error on its side"),
}
"""Meaning of the codes of Alpaca's stream, with the remedy."""


@dataclass(frozen=True, slots=True)
class Silence:
    """No message came for long enough, although the market is open."""

    of: StreamDoubt
    words: str


class StreamHealth:
    """The stream's status.

    Parameters
    ----------
    silence
        Without a message in session hours: pinged, then polled.
    chance
        From 0 to 1, for the backoff.
    """

    def __init__(self, timetable: Timetable, silence: timedelta, chance: Callable[[], float], now: datetime) -> None:
        self._timetable = timetable
        self._silence = silence
        self._chance = chance
        self.state = ConnectionState.CONNECTING
        self.words = self._trouble = ""
        self.tries = 0
        self.heard_at: datetime | None = None
        self.connect_at: datetime | None = now
        """None while the stream is tried, or is up."""
        self.opened_at: datetime | None = None
        """None without an open socket."""
        self._since = now
        self._own_until = now + OWN_LASTS
        self._word_at = self._asked_at = self.bar_at = now
        self._doubt = StreamDoubt.NONE
        self._is_polled = False

    # ── status ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_up(self) -> bool:
        return self.state is ConnectionState.UP

    def connection(self) -> ConnectionStatus:
        return ConnectionStatus(Channel.DATA, self.state, self._since, self.heard_at, self.tries, self.words)

    def timeout(self, now: datetime) -> timedelta:
        """Return how long an open socket may stay silent; zero and below: ping it."""
        if not self._timetable.is_open(now):
            return max(self._word_at, self._asked_at) + ASLEEP - now
        due = min(self._word_due(now), self._bar_due(now))
        return max(due, self._asked_at + self._silence) - now

    def silence(self, now: datetime) -> Silence | None:
        """Return the silence of an open socket that answers its ping and delivers nothing; None out of hours."""
        if not self._timetable.is_open(now):
            return None
        if self._word_due(now) <= now:
            return Silence(StreamDoubt.ALL, f"open, and nothing came for {self._silence.total_seconds():g} s")
        if self._bar_due(now) <= now:
            return Silence(StreamDoubt.BARS, f"quotes come, but no bar for {BARS_SILENT.total_seconds():g} s")
        return None

    def sound_until(self) -> datetime:
        """Return until when it delivered everything: its last message, or its last bar if messages continued without
        bars.
        """
        return self._word_at if self._word_at - self.bar_at < BARS_EVERY else self.bar_at

    def _word_due(self, now: datetime) -> datetime:
        return self._from_the_open(self._word_at, now) + self._silence

    def _bar_due(self, now: datetime) -> datetime:
        return self._from_the_open(self.bar_at, now) + max(BARS_SILENT, self._silence)

    def _from_the_open(self, at: datetime, now: datetime) -> datetime:
        """Count silence only from the open on."""
        return max(at, self._timetable.opened(now))

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────────────

    def connecting(self, now: datetime) -> None:
        """Note an attempt. A refused stream stays REFUSED until the attempt's result."""
        self.tries += 1
        self.connect_at = None
        if not self._is_polled and self.state is not ConnectionState.REFUSED:
            self._turn(ConnectionState.CONNECTING, now, self.words)

    def opened(self, now: datetime) -> None:
        """Note a subscribed connection; a doubted stream must deliver first."""
        self.opened_at = now
        self.alive(now)
        self._word_at = self._asked_at = self.bar_at = now
        if self._doubt is StreamDoubt.NONE or not self._timetable.is_open(now):
            self._rise(now)

    def alive(self, now: datetime) -> None:
        """Note a pong, or the answer to a poll: the link is up, even without market data (OP-04)."""
        self.heard_at = now

    def heard(self, now: datetime, *, is_bar: bool) -> None:
        """Note market data."""
        self.heard_at = self._word_at = now
        if is_bar:
            self.bar_at = now
        if not self.is_up and (is_bar or self._doubt is not StreamDoubt.BARS):
            self.bar_at = now
            self._rise(now)

    def ponged(self, now: datetime) -> None:
        """Note a pong: if data should have come, the stream is doubted from now on."""
        self._asked_at = now
        silence = self.silence(now)
        if silence is not None and self.is_up:
            self._doubt = silence.of
            self._trouble = silence.words
            self._turn(ConnectionState.SILENT, now, silence.words)
        elif not self._timetable.is_open(now) and not self.is_up:
            self._rise(now)

    def is_proved_mute(self, found: datetime) -> bool:
        """Return whether a polled bar, whose minute ended then, should have come over the open socket."""
        return not self.is_up and self.opened_at is not None and found > self.opened_at

    def lost(self, now: datetime, words: str) -> None:
        """Note that the connection broke, or was never made."""
        if self.opened_at is not None:
            self._own_until = now + OWN_LASTS
        self.opened_at = None
        self.connect_at = now + pause(max(self.tries, 1), self._chance())
        self._fall(now, words)

    def refused(self, now: datetime, code: int, message: str) -> None:
        """Note a refusal with its code."""
        kind, advice = REFUSALS.get(code, (No.NOT_NOW, "it refused the connection"))
        words = f"Alpaca's stream: {advice} ({code} {message})"
        if kind is No.REFUSED:
            self.connect_at, self.opened_at = now + REFUSED_AGAIN * (1 + self._chance() / 4), None
            self._trouble = words
            self._turn(ConnectionState.REFUSED, now, words)
            return
        if code == PLACE_TAKEN and now < self._own_until:
            until = f"tried again each {OWN_AGAIN.total_seconds():g} s until {XNYS.told(self._own_until)}"
            self.lost(now, f"Alpaca's stream: {OURS}; {until} ({code} {message})")
            self.connect_at = now + OWN_AGAIN
            return
        self.lost(now, words)
        if kind is No.TAKEN:
            self.connect_at = now + TAKEN_ELSEWHERE * (1 + self._chance() / 2)

    def polled(self, now: datetime) -> None:
        """Note an answered poll: the stream's data is known."""
        self.alive(now)
        if self.is_up or (self.state is ConnectionState.CONNECTING and self.tries <= 1):
            return
        self._is_polled = True
        state = ConnectionState.REFUSED if self.state is ConnectionState.REFUSED else ConnectionState.POLLING
        self._turn(state, now, self._trouble or "the stream is not there yet")

    def poll_failed(self, now: datetime, words: str) -> None:
        """Note a failed poll: without the stream there is no data."""
        if self.is_up:
            return
        self._is_polled = False
        self._turn(self.state if self.state is ConnectionState.REFUSED else ConnectionState.DOWN, now, words)

    def poll_refused(self, now: datetime, words: str) -> None:
        """Note a refused poll; the stream may continue alone."""
        if self.is_up:
            return
        self._is_polled = False
        state = ConnectionState.REFUSED if self.state is ConnectionState.REFUSED else ConnectionState.DOWN
        self._turn(state, now, f"{words}; tried again in a minute")

    def _rise(self, now: datetime) -> None:
        self.tries = 0
        self._doubt, self._is_polled = StreamDoubt.NONE, False
        self._trouble = ""
        self._turn(ConnectionState.UP, now, "")

    def _fall(self, now: datetime, words: str) -> None:
        self._trouble = words
        self._turn(ConnectionState.POLLING if self._is_polled else ConnectionState.DOWN, now, words)

    def _turn(self, state: ConnectionState, now: datetime, words: str) -> None:
        if state is not self.state:
            self._since = now
        self.state, self.words = state, words


LOOK_BACK = 2 * ONE_MINUTE
"""Requested again each time: a thin symbol's bar may appear in history later than others."""
HELD_AT_MOST = timedelta(seconds=30)
"""Bars of the stream wait this long for earlier minutes; then they are handed on, and the gap is reported."""
HELD_IN_DOUBT = timedelta(seconds=5)
"""Shorter, if the stream skipped a minute: there may have been no trade in it."""
HELD_AT_THE_START = timedelta(seconds=120)
"""Without its first minutes a day's VWAP is wrong until the close, so the start waits longer."""


@dataclass(frozen=True, slots=True)
class MinuteSpan:
    """Minutes from `start` to before `end`, both on the minute."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{XNYS.local(self.start):%H:%M} to {XNYS.told(self.end)}"


class Backfill:
    """Known and missing minutes.

    Attributes
    ----------
    needed_until
        Start of the minute since which the stream is up; it delivers minutes that end later. None while it is down.
    """

    def __init__(self, timetable: Timetable, now: datetime) -> None:
        self._timetable = timetable
        self.sure_until = timetable.first_minute(now)
        self._covered_until = self.sure_until
        self.needed_until: datetime | None = None
        self._fails = 0
        self._not_before = now
        self._is_first, self._is_doubt = True, False

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    def stream_is_back(self, now: datetime) -> bool:
        """Note that the stream is up from `now` on. Return whether earlier minutes are missing."""
        self.needed_until, self._is_doubt = minute_of(now), False
        self._not_before = min(self._not_before, now)
        return self.is_behind(now)

    def stream_is_gone(self, sound_until: datetime) -> None:
        """Note that the stream is down, and delivered everything until then."""
        if self.needed_until is not None and self.sure_until >= self.needed_until:
            self.sure_until = max(self.sure_until, settled(sound_until))
        self.needed_until = None

    def stream_left_out(self, first: datetime, end: datetime) -> bool:
        """Note that the stream delivered a symbol's minute `end` without those from `first` on.

        Return whether to request them.

        Answered spans are known: a symbol that did not trade is not requested twice.
        """
        first = max(first, self._covered_until)
        if self.needed_until is None or self._missing_between(first, end) is None:
            return False
        if self.sure_until >= self.needed_until:
            self.sure_until, self._is_doubt = first, True
        self.sure_until = min(self.sure_until, first)
        self.needed_until = max(self.needed_until, end)
        return True

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def is_behind(self, now: datetime) -> bool:
        """Return whether a session minute is missing that the stream will not deliver."""
        return self._missing(self._target(now)) is not None

    def ask_at(self, now: datetime) -> datetime | None:
        """Return when to request next; None while the stream delivers everything."""
        target = self.needed_until
        if target is not None:
            return max(self._not_before, target + SETTLE) if self._missing(target) else None
        if self._missing(settled(now)):
            return max(self._not_before, now)
        return max(self._not_before, self._timetable.next_minute(max(self.sure_until, settled(now))) + SETTLE)

    def question(self, now: datetime) -> MinuteSpan | None:
        """Return the minutes to request now, with a short look-back; None if nothing is missing."""
        target = self._target(now)
        missing = self._missing(target)
        if missing is None:
            return None
        wanted = self._timetable.wanted(missing.start - LOOK_BACK, missing.end)
        return MinuteSpan(*wanted) if wanted else None

    def timeout(self) -> timedelta:
        """Return how long the stream's bars wait for earlier ones."""
        if self._is_doubt:
            return HELD_IN_DOUBT
        return HELD_AT_THE_START if self._is_first else HELD_AT_MOST

    # ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

    def answered(self, span: MinuteSpan) -> None:
        """Everything in the span is known."""
        self.sure_until = self._covered_until = max(self.sure_until, span.end)
        self._fails, self._is_first, self._is_doubt = 0, False, False

    def failed(self, now: datetime, chance: float, at_least: timedelta = timedelta(0)) -> None:
        """Schedule another request after a failure."""
        self._fails += 1
        self._not_before = now + max(pause(self._fails, chance), at_least)

    def gave_up(self) -> MinuteSpan | None:
        """Skip the missing minutes, so that the stream can continue, and return the gap."""
        hole = self._missing(self.needed_until) if self.needed_until is not None else None
        if self.needed_until is not None:
            self.sure_until = self._covered_until = max(self.sure_until, self.needed_until)
        self._is_first = self._is_doubt = False
        return hole

    def _target(self, now: datetime) -> datetime:
        return settled(now) if self.needed_until is None else self.needed_until

    def _missing(self, until: datetime) -> MinuteSpan | None:
        return self._missing_between(self.sure_until, until)

    def _missing_between(self, start: datetime, until: datetime) -> MinuteSpan | None:
        wanted = self._timetable.wanted(start, until) if start < until else None
        return MinuteSpan(*wanted) if wanted else None


ASKED_AGAIN = timedelta(seconds=60)
"""Shortest pause after a refused request: it may be refused again, or the cause may have been fixed."""


class StreamFailover:
    """Stream first, polling when the stream fails, and back."""

    def __init__(
        self,
        timetable: Timetable,
        silence: timedelta,
        chance: Callable[[], float],
        known: Mapping[Symbol, datetime],
        counts: Counts,
        now: datetime,
    ) -> None:
        self.line = StreamHealth(timetable, silence, chance, now)
        self._timetable = timetable
        self._minutes = Minutes(known, counts)
        self.catch_up = Backfill(timetable, now)
        self._chance = chance
        self._counts = counts
        self._stood = False
        self._is_refused = False

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    def opened(self, now: datetime) -> None:
        self._counts.see(Seen.CONNECTIONS)
        self.line.opened(now)
        self._follow(now)

    def heard_bar(self, arrived: BarArrived, now: datetime) -> list[Minute]:
        bar = arrived.bar
        self.line.heard(now, is_bar=bar.end - now <= AHEAD)
        self._follow(now)
        is_gap = bar.end <= now and self.catch_up.stream_left_out(self._minutes.known_until(bar.symbol), bar.start)
        if is_gap and self._minutes.filling_since is None:
            self._minutes.begin_fill(now)
        return self._minutes.push(arrived, now)

    def heard_other(self, now: datetime) -> None:
        """Note a quote, or any other market message."""
        self.line.heard(now, is_bar=False)
        self._follow(now)

    def ponged(self, now: datetime) -> None:
        self.line.ponged(now)
        if self.line.state is ConnectionState.SILENT and self._stood:
            self._counts.see(Seen.MUTED)
        self._follow(now)

    def lost(self, now: datetime, words: str) -> None:
        self._counts.see(Seen.LOST)
        self.line.lost(now, words)
        self._follow(now)

    def refused(self, now: datetime, code: int, message: str) -> None:
        self.line.refused(now, code, message)
        self._follow(now)

    def _follow(self, now: datetime) -> None:
        """After the stream came or went: update its coverage, and the minutes to request."""
        if self.line.is_up == self._stood:
            return
        self._stood = self.line.is_up
        if not self._stood:
            self.catch_up.stream_is_gone(self.line.sound_until())
        elif self.catch_up.stream_is_back(now):
            self._minutes.begin_fill(now)

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def answered(self, span: MinuteSpan, found: Sequence[Minute], now: datetime) -> list[Minute]:
        """Return the new minutes of an answer, in order."""
        self._counts.see(Seen.FILLS if self._stood else Seen.POLLS)
        self.catch_up.answered(span)
        self._is_refused = False
        self.line.polled(now)
        if self._stood and self.catch_up.is_behind(now):
            return self._minutes.asked(found, now)
        return self._minutes.end_fill(now, found)

    @property
    def is_up(self) -> bool:
        """Whether the stream is up; if not, all symbols are requested together."""
        return self._stood

    def found_beside(self, found: Sequence[Minute], now: datetime) -> list[Minute]:
        """Return the new minutes of symbols beyond the stream's limit."""
        return self._minutes.asked(found, now)

    def failed(self, now: datetime, failure: Failure) -> None:
        """Schedule another request after a failure, later after a refusal."""
        self._is_refused = failure.is_refused
        if failure.is_refused:
            self.catch_up.failed(now, self._chance(), max(failure.at_least, after_a_refusal(self._chance())))
            self.line.poll_refused(now, failure.words)
        else:
            self.catch_up.failed(now, self._chance(), failure.at_least)
            self.line.poll_failed(now, failure.words)

    def is_proved_mute(self, minutes: Sequence[Minute]) -> bool:
        """Return whether these minutes, just found by a request, should have come over the open socket."""
        return any(isinstance(m, BarArrived) and self.line.is_proved_mute(m.bar.end) for m in minutes)

    def wants_quotes(self, now: datetime) -> bool:
        """Return whether to request quotes, because no stream delivers them."""
        return not self._stood and not self._is_refused and self._timetable.is_open(now)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> datetime | None:
        """Return when `due` has something to do."""
        waits = [at for at in (self._minutes.due(), self._hold_ends()) if at is not None]
        return min(waits, default=None)

    def due(self, now: datetime) -> list[Minute]:
        """Return bars whose minute has ended here, and bars that have waited long enough for earlier ones."""
        minutes = self._minutes.release(now)
        ends = self._hold_ends()
        if ends is None or ends > now:
            return minutes
        hole = self.catch_up.gave_up()
        return minutes + ([_hole(hole)] if hole else []) + self._minutes.end_fill(now)

    def _hold_ends(self) -> datetime | None:
        """Return when the wait ends; only while the stream is up, because otherwise nothing waits."""
        since = self._minutes.filling_since
        return since + self.catch_up.timeout() if since is not None and self._stood else None


def after_a_refusal(chance: float) -> timedelta:
    """Return the pause after a refused request."""
    return ASKED_AGAIN * (1 + chance / 4)


def _hole(span: MinuteSpan) -> MarketDataBroken:
    return MarketDataBroken(
        "Alpaca's bars",
        f"{span} could not be had; bars go on without them, and VWAP lacks them: pause it if they matter",
    )
