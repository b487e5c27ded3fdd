"""Health of the stream as a state machine of timed events: pure, so that tests can replay a day's failures.

Three events end the trust in a stream: it is lost, it is refused, or it is silent although the market is open. A socket
can stay open and mute, so silence is handled in steps: our own ping first; if it is answered the status is SILENT and
polling begins; if a poll finds a bar that the stream should have delivered, the stream is proved mute and reconnected.
A doubted stream is trusted again at its first message, not at its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from core.market.alpaca.backoff import pause
from core.market.alpaca.timetable import Timetable
from core.model.account import Channel, ConnectionState, ConnectionStatus

BARS_SILENT = timedelta(seconds=150)
"""A stream with quotes but without any bar for this long is half mute."""
BARS_EVERY = timedelta(seconds=65)
"""Bars of symbols that trade come each minute, a few seconds apart."""
ASLEEP = timedelta(seconds=60)
"""Out of hours no message is expected: after this long the socket is only pinged."""
TAKEN_ELSEWHERE = timedelta(seconds=60)
"""Between attempts while another connection of the account has the only place."""
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
        self._word_at = self._asked_at = self.bar_at = now
        self._doubt = StreamDoubt.NONE
        self._is_polled = False

    # ── status ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_up(self) -> bool:
        return self.state is ConnectionState.UP

    def lamp(self) -> ConnectionStatus:
        return ConnectionStatus(Channel.DATA, self.state, self._since, self.heard_at, self.tries, self.words)

    def patience(self, now: datetime) -> timedelta:
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
