"""How the stream stands, as a table of what happened and when: pure, so that a morning's trouble is told in a test.

Three things end the trust in a stream: it is lost, it says no, or it falls silent although the market is open. A
socket can stay open and mute, so silence is doubted in steps: our own ping first; where it is answered the lamp says
SILENT and polling begins; where a poll finds a bar that the stream should have brought, the stream is proved mute and
is made anew. A stream that was doubted is believed again at its first word, not at its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from core.market.alpaca.backoff import pause
from core.market.alpaca.timetable import Timetable
from core.model.connection import Channel, ConnectionState, ConnectionStatus

BARS_SILENT = timedelta(seconds=150)
"""Quotes that go on without any bar in this time are a stream that is half mute."""
BARS_EVERY = timedelta(seconds=65)
"""Bars of symbols that trade come each minute, a few seconds apart."""
ASLEEP = timedelta(seconds=60)
"""Out of hours nothing need come: this long, and the socket is only asked whether it is still there."""
TAKEN_ELSEWHERE = timedelta(seconds=60)
"""Between tries while another connection of the account holds the only place."""
REFUSED_AGAIN = timedelta(seconds=60)
"""Between tries while the keys or the plan are refused: the refusal may pass, and a refused key is not hammered."""


class StreamDoubt(Enum):
    """What a stream was silent about; it is believed again at the first word of just that."""

    NONE = "none"
    ALL = "all"
    BARS = "bars"


class No(Enum):
    """What a stated refusal means for the next try."""

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
"""What the codes of Alpaca's stream mean, and what to do."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came for long enough, although the market is open."""

    of: StreamDoubt
    words: str


class StreamHealth:
    """The stream's standing.

    Parameters
    ----------
    silence
        Without a word in session hours: asked, then polled.
    chance
        From 0 to 1, for the pauses between tries.
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
        """None while the stream is tried, or stands."""
        self.opened_at: datetime | None = None
        """None where no socket is open."""
        self._since = now
        self._word_at = self._asked_at = self.bar_at = now
        self._doubt = StreamDoubt.NONE
        self._is_polled = False

    # ── what is so ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_up(self) -> bool:
        return self.state is ConnectionState.UP

    def lamp(self) -> ConnectionStatus:
        return ConnectionStatus(Channel.DATA, self.state, self._since, self.heard_at, self.tries, self.words)

    def patience(self, now: datetime) -> timedelta:
        """How long an open socket may go on saying nothing; zero and below: it is to be asked."""
        if not self._timetable.is_open(now):
            return max(self._word_at, self._asked_at) + ASLEEP - now
        due = min(self._word_due(now), self._bar_due(now))
        return max(due, self._asked_at + self._silence) - now

    def silence(self, now: datetime) -> Silence | None:
        """What there is to say of an open socket that answers its ping and brings nothing; None out of hours."""
        if not self._timetable.is_open(now):
            return None
        if self._word_due(now) <= now:
            return Silence(StreamDoubt.ALL, f"open, and nothing came for {self._silence.total_seconds():g} s")
        if self._bar_due(now) <= now:
            return Silence(StreamDoubt.BARS, f"quotes come, but no bar for {BARS_SILENT.total_seconds():g} s")
        return None

    def sound_until(self) -> datetime:
        """Until when it brought everything: its last word, or its last bar where the words went on without bars."""
        return self._word_at if self._word_at - self.bar_at < BARS_EVERY else self.bar_at

    def _word_due(self, now: datetime) -> datetime:
        return self._from_the_open(self._word_at, now) + self._silence

    def _bar_due(self, now: datetime) -> datetime:
        return self._from_the_open(self.bar_at, now) + max(BARS_SILENT, self._silence)

    def _from_the_open(self, at: datetime, now: datetime) -> datetime:
        """The night's silence is none."""
        return max(at, self._timetable.opened(now))

    # ── what happened ────────────────────────────────────────────────────────────────────────────────────────────

    def connecting(self, now: datetime) -> None:
        """A stream that was refused stays REFUSED until the next try says otherwise."""
        self.tries += 1
        self.connect_at = None
        if not self._is_polled and self.state is not ConnectionState.REFUSED:
            self._turn(ConnectionState.CONNECTING, now, self.words)

    def opened(self, now: datetime) -> None:
        """Connected, authenticated, subscribed; a stream that was doubted has to speak first."""
        self.opened_at = now
        self.alive(now)
        self._word_at = self._asked_at = self.bar_at = now
        if self._doubt is StreamDoubt.NONE or not self._timetable.is_open(now):
            self._rise(now)

    def alive(self, now: datetime) -> None:
        """A pong, or the answer to a poll: the link is there, whether or not the market speaks (OP-04)."""
        self.heard_at = now

    def heard(self, now: datetime, *, is_bar: bool) -> None:
        """Market data came."""
        self.heard_at = self._word_at = now
        if is_bar:
            self.bar_at = now
        if not self.is_up and (is_bar or self._doubt is not StreamDoubt.BARS):
            self.bar_at = now
            self._rise(now)

    def ponged(self, now: datetime) -> None:
        """The ping was answered: where something should have come, the stream is doubted from now on."""
        self._asked_at = now
        silence = self.silence(now)
        if silence is not None and self.is_up:
            self._doubt = silence.of
            self._trouble = silence.words
            self._turn(ConnectionState.SILENT, now, silence.words)
        elif not self._timetable.is_open(now) and not self.is_up:
            self._rise(now)

    def is_proved_mute(self, found: datetime) -> bool:
        """Whether a bar that a poll found, and whose minute ended then, should have come over the open socket."""
        return not self.is_up and self.opened_at is not None and found > self.opened_at

    def lost(self, now: datetime, words: str) -> None:
        """The connection broke, or was never made."""
        self.opened_at = None
        self.connect_at = now + pause(max(self.tries, 1), self._chance())
        self._fall(now, words)

    def refused(self, now: datetime, code: int, message: str) -> None:
        """The other side said no, by one of its codes."""
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
        """A poll was answered: what the stream would tell is known."""
        self.alive(now)
        if self.is_up or (self.state is ConnectionState.CONNECTING and self.tries <= 1):
            return
        self._is_polled = True
        state = ConnectionState.REFUSED if self.state is ConnectionState.REFUSED else ConnectionState.POLLING
        self._turn(state, now, self._trouble or "the stream is not there yet")

    def poll_failed(self, now: datetime, words: str) -> None:
        """Neither the stream nor a poll: there is no data."""
        if self.is_up:
            return
        self._is_polled = False
        self._turn(self.state if self.state is ConnectionState.REFUSED else ConnectionState.DOWN, now, words)

    def poll_refused(self, now: datetime, words: str) -> None:
        """The other side refused what was asked; the stream may go on alone."""
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
