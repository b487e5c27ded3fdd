"""Deliver each minute of each symbol once and in order, merged from stream, polling and history.

The stream is pushed and history is requested, so after a gap the newest minute arrives before the missing ones. While a
gap is being filled, the stream's bars are held back; then both are handed on, sorted. A minute that comes after a later
one of its symbol was handed on is too late to be a bar, because strategies have moved on; it is reported and counted
(MD-02, MD-03).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from core.market.alpaca.counts import Counts, Seen
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import XNYS
from core.model.values import Symbol

Minute = BarArrived | MarketDataBroken

AHEAD = ONE_MINUTE
"""Allowed lag of this machine's clock behind the exchange's: a bar is held until its minute has ended here too."""
REMEMBERED = 60
"""Bars per symbol kept to tell repeats, revisions and missed minutes apart."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Handed:
    """A bar that was handed on, and whether the stream delivered it (first or again)."""

    bar: Bar
    is_pushed: bool


class Minutes:
    """Bars handed on for each symbol, and waiting ones.

    Parameters
    ----------
    known
        Start of the last bar of each symbol in the desk's journal: nothing up to it is delivered again.
    """

    def __init__(self, known: Mapping[Symbol, datetime], counts: Counts) -> None:
        self._last = dict(known)
        self._recent: dict[Symbol, dict[datetime, _Handed]] = {}
        self._counts = counts
        self._said: dict[MarketDataBroken, None] = {}
        self._kept: list[BarArrived] = []
        self._early: list[BarArrived] = []
        self.filling_since: datetime | None = None

    # ── the stream ───────────────────────────────────────────────────────────────────────────────────────────────

    def push(self, arrived: BarArrived, now: datetime) -> list[Minute]:
        """Take a bar of the stream; return the minutes to hand on now."""
        bar = arrived.bar
        if bar.end > now:
            return self._ahead(arrived, now)
        if self.filling_since is not None:
            self._kept.append(arrived)
            return []
        return self._hand_on(arrived, is_pushed=True)

    def due(self) -> datetime | None:
        """Return when the next early bar may be handed on."""
        return min((arrived.bar.end for arrived in self._early), default=None)

    def release(self, now: datetime) -> list[Minute]:
        """Return early bars whose minute has ended."""
        ended = [arrived for arrived in self._early if arrived.bar.end <= now]
        self._early = [arrived for arrived in self._early if arrived.bar.end > now]
        return [minute for arrived in _in_order(ended) for minute in self.push(arrived, now)]

    def known_until(self, symbol: Symbol) -> datetime:
        """Return the end of the symbol's last bar handed on or waiting; the beginning of time without any."""
        waiting = [kept.bar.end for kept in self._kept if kept.bar.symbol == symbol]
        last = self._last.get(symbol, _NEVER)
        return max([last if last is _NEVER else last + ONE_MINUTE, *waiting])

    # ── a gap ────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin_fill(self, now: datetime) -> None:
        """Start to fill a gap: the stream's bars wait for earlier ones."""
        self.filling_since = now

    def end_fill(self, now: datetime, found: Iterable[Minute] = ()) -> list[Minute]:
        """End the filled (or abandoned) gap: return the found and the waiting bars, in order."""
        self.filling_since = None
        kept, self._kept = self._kept, []
        return self._merge(found, kept, now)

    def asked(self, found: Iterable[Minute], now: datetime) -> list[Minute]:
        """Return the new minutes of a poll. A poll looks back, so most of it was seen before."""
        return self._merge(found, [], now)

    def _merge(self, found: Iterable[Minute], kept: list[BarArrived], now: datetime) -> list[Minute]:
        found = list(found)
        bars = [minute for minute in found if isinstance(minute, BarArrived)]
        asked_for = [arrived for arrived in bars if arrived.bar.end <= now]
        broken = [minute for minute in found if isinstance(minute, MarketDataBroken)]
        early = [minute for arrived in bars if arrived.bar.end > now for minute in self._ahead(arrived, now)]
        result: list[Minute] = [m for m in (*broken, *early) if isinstance(m, MarketDataBroken) and self._is_news(m)]
        pushed = {id(arrived) for arrived in kept}
        for arrived in _in_order([*asked_for, *kept]):
            result += self._hand_on(arrived, is_pushed=id(arrived) in pushed)
        return result

    def _ahead(self, arrived: BarArrived, now: datetime) -> list[Minute]:
        """Hold a minute that has not ended here, or report one that is too far ahead."""
        self._counts.see(Seen.AHEAD)
        if arrived.bar.end - now > AHEAD:
            return [_too_far_ahead(arrived, now)]
        self._early.append(arrived)
        return []

    # ── duplicates ───────────────────────────────────────────────────────────────────────────────────────────────

    def _hand_on(self, arrived: BarArrived, *, is_pushed: bool) -> list[Minute]:
        bar = arrived.bar
        if bar.start > self._last.get(bar.symbol, _NEVER):
            self._last[bar.symbol] = bar.start
            self._remember(bar, is_pushed=is_pushed)
            self._counts.see(Seen.BARS)
            return [arrived]
        before = self._recent.get(bar.symbol, {}).get(bar.start)
        if before is not None:
            return self._again(arrived, before, is_pushed=is_pushed)
        return self._too_late(arrived, is_pushed=is_pushed)

    def _again(self, arrived: BarArrived, before: _Handed, *, is_pushed: bool) -> list[Minute]:
        """Handle a minute handed on before: normal if stream and poll overlap, reported if the stream repeats it."""
        bar, old = arrived.bar, before.bar
        is_odd, before.is_pushed = is_pushed and before.is_pushed, before.is_pushed or is_pushed
        self._counts.see(Seen.REPEATED if bar == old else Seen.REVISED)
        if not is_odd:
            return []
        if bar == old:
            return [MarketDataBroken(arrived.place, "repeated: the same bar came before")]
        reason = f"revised: close {old.close} is now {bar.close}, volume {old.volume} is now {bar.volume}"
        return [MarketDataBroken(arrived.place, f"{reason}; the desk keeps the bar that it acted on")]

    def _too_late(self, arrived: BarArrived, *, is_pushed: bool) -> list[Minute]:
        """Report a late bar once. A bar older than any handed on here is known from the journal."""
        bar = arrived.bar
        recent = self._recent.get(bar.symbol)
        if not recent or bar.start < next(iter(recent)):
            self._counts.see(Seen.REPEATED)
            return []
        self._remember(bar, is_pushed=is_pushed)
        self._counts.see(Seen.LATE)
        last = self._last[bar.symbol]
        return [MarketDataBroken(arrived.place, f"late: it came after the bar of {XNYS.told(last)}; it is left out")]

    def _is_news(self, broken: MarketDataBroken) -> bool:
        """Return whether it was not reported yet: a request looks back, so an unreadable bar is found again."""
        if broken in self._said:
            return False
        self._counts.see(Seen.BROKEN)
        self._said[broken] = None
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        return True

    def _remember(self, bar: Bar, *, is_pushed: bool) -> None:
        recent = self._recent.setdefault(bar.symbol, {})
        recent[bar.start] = _Handed(bar, is_pushed)
        if len(recent) > REMEMBERED:
            del recent[next(iter(recent))]


def _in_order(bars: list[BarArrived]) -> list[BarArrived]:
    """Sort by minute; within it in order of arrival, requested ones first."""
    return sorted(bars, key=lambda arrived: arrived.bar.start)


def _too_far_ahead(arrived: BarArrived, now: datetime) -> MarketDataBroken:
    seconds = (arrived.bar.end - now).total_seconds()
    return MarketDataBroken(
        arrived.place, f"from the future: its minute ends in {seconds:.0f} s by this machine's clock; set the clock"
    )
