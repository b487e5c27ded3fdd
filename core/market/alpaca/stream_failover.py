"""Failover between stream and polling (MD-02): every minute of every symbol once and in order, from either.

Pure: events go in with their times, minutes to hand on come out, and `next_due` tells when to check again. It combines
`StreamHealth` (the stream's status), `Minutes` (their order) and `Backfill` (missing ones).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from core.market.alpaca.backfill import Backfill, MinuteSpan
from core.market.alpaca.counts import Counts, Seen
from core.market.alpaca.failure import Failure
from core.market.alpaca.minutes import AHEAD, Minute, Minutes
from core.market.alpaca.stream_health import StreamHealth
from core.market.alpaca.timetable import Timetable
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.account import ConnectionState, ConnectionStatus
from core.model.values import Symbol

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
        self._catch_up = Backfill(timetable, now)
        self._chance = chance
        self._counts = counts
        self._stood = False
        self._is_refused = False

    def lamp(self) -> ConnectionStatus:
        return self.line.lamp()

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    def connecting(self, now: datetime) -> None:
        self.line.connecting(now)

    def opened(self, now: datetime) -> None:
        self._counts.see(Seen.CONNECTIONS)
        self.line.opened(now)
        self._follow(now)

    def heard_bar(self, arrived: BarArrived, now: datetime) -> list[Minute]:
        bar = arrived.bar
        self.line.heard(now, is_bar=bar.end - now <= AHEAD)
        self._follow(now)
        is_gap = bar.end <= now and self._catch_up.stream_left_out(self._minutes.known_until(bar.symbol), bar.start)
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
            self._catch_up.stream_is_gone(self.line.sound_until())
        elif self._catch_up.stream_is_back(now):
            self._minutes.begin_fill(now)

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def ask_at(self, now: datetime) -> datetime | None:
        """Return when to request bars; None while the stream delivers them all."""
        return self._catch_up.ask_at(now)

    def question(self, now: datetime) -> MinuteSpan | None:
        """Return the minutes to request now, of all symbols in one request."""
        return self._catch_up.question(now)

    def answered(self, span: MinuteSpan, found: Sequence[Minute], now: datetime) -> list[Minute]:
        """Return the new minutes of an answer, in order."""
        self._counts.see(Seen.FILLS if self._stood else Seen.POLLS)
        self._catch_up.answered(span)
        self._is_refused = False
        self.line.polled(now)
        if self._stood and self._catch_up.is_behind(now):
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
            self._catch_up.failed(now, self._chance(), max(failure.at_least, after_a_refusal(self._chance())))
            self.line.poll_refused(now, failure.words)
        else:
            self._catch_up.failed(now, self._chance(), failure.at_least)
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
        hole = self._catch_up.gave_up()
        return minutes + ([_hole(hole)] if hole else []) + self._minutes.end_fill(now)

    def _hold_ends(self) -> datetime | None:
        """Return when the wait ends; only while the stream is up, because otherwise nothing waits."""
        since = self._minutes.filling_since
        return since + self._catch_up.patience() if since is not None and self._stood else None


def after_a_refusal(chance: float) -> timedelta:
    """Return the pause after a refused request."""
    return ASKED_AGAIN * (1 + chance / 4)


def _hole(span: MinuteSpan) -> MarketDataBroken:
    return MarketDataBroken(
        "Alpaca's bars",
        f"{span} could not be had; bars go on without them, and VWAP lacks them: pause it if they matter",
    )
