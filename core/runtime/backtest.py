"""A backtest: play recorded bars through the engine without a desk, and measure the result (AN-04).

The automatic operator confirms each ticket, and the exchange simulates the configured frictions. The account is sampled
at each close for a daily equity series. Each signal is noted before any check judges it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.analytics.metrics import DayOfEquity
from core.facts import Fact, SignalRaised
from core.messages.inputs import Start
from core.model.bar import Bar
from core.model.order import Side
from core.model.session import Session
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import Symbol
from core.runtime.replay_report import Report
from core.runtime.virtual import VirtualRuntime
from core.strategies.sma import SmaStrategy

FRICTIONS = (
    "exchange.slippage=0.0002",
    "exchange.slippage_by_size=0.0008",
    "exchange.partial_fills=0.1",
    "exchange.rejections=0.005",
    "exchange.halts=0.002",
    "exchange.margin_interest=0.12",
)
"""The default frictions of a backtest.

Slippage from 2 to 10 basis points by size, margin interest at 12 % a year, partial fills (1 in 10), rejected orders (1
in 200) and five-minute halts (1 session in 500 per symbol). The last three rates are our own choice.
"""

Said = tuple[str, Symbol, Side, Decimal | None]
"""A strategy, symbol, side and confidence."""


class Signals:
    """The signals of strategies and the start of their bars; equal signals share one object to save memory."""

    def __init__(self) -> None:
        self._starts = array("q")
        self._said: list[Said] = []
        self._kinds: dict[Said, Said] = {}

    def note(self, bar: Bar, strategy: str, side: Side, confidence: Decimal | None) -> None:
        said = (strategy, bar.symbol, side, confidence)
        self._starts.append(int(bar.start.timestamp()))
        self._said.append(self._kinds.setdefault(said, said))

    def __iter__(self) -> Iterator[tuple[datetime, Said]]:
        """Yield each signal with the start of its bar (UTC)."""
        for start, said in zip(self._starts, self._said, strict=True):
            yield datetime.fromtimestamp(start, UTC), said


Watch = Callable[[int, int], None]
"""Called with the number of finished sessions and the total."""


class Backtest:
    """One run. `signals` and `series` are complete when it has ended."""

    def __init__(self, runtime: VirtualRuntime, sessions: Iterable[Session], *, is_daily: bool) -> None:
        self.runtime = runtime
        self.sessions = tuple(sessions)
        self.report = Report(runtime.engine.state)
        self.signals = Signals()
        self.series: list[DayOfEquity] = []
        self.is_daily = is_daily
        self._orchestrator = runtime.engine.state.orchestrator
        self._raised: list[EntrySignal | ExitSignal] = []
        self._crossings = runtime.engine.state.control.settings.strategies.sma.enabled
        runtime.engine.state.add_listener(self._hear_fact)
        runtime.engine.state.add_bar_listener(self._hear)

    def run(self, watch: Watch) -> bool:
        """Play all sessions. Return False if stopped before the end."""
        runtime, venue = self.runtime, self.runtime.engine.state.calendar.venue
        runtime.take(runtime.at, Start())
        if self.sessions:
            self._look(self.sessions[0], self.sessions[0].day - timedelta(days=1))
        for number, session in enumerate(self.sessions, 1):
            runtime.play(venue.extended_span(session)[1])
            if not runtime.is_running:
                break
            self._look(session, session.day)
            watch(number, len(self.sessions))
        runtime.play()
        is_whole = runtime.is_running
        runtime.stop("replayed")
        return is_whole

    # ── sampling ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, session: Session, day: date) -> None:
        """Sample the account at the closes of a session's day; before the first session, at its opening."""
        at = session.close if day == session.day else self.runtime.at
        equity, exposure = self.runtime.exchange.closing(at)
        self.series.append(DayOfEquity(day, float(equity), float(exposure)))

    def _hear(self, bar: Bar) -> None:
        """Note the signals of each strategy for a bar, before any check judges them."""
        if self._crossings:
            self._note_crossings(bar)
        raised, self._raised = self._raised, []
        for answer in raised:
            if answer.strategy != SmaStrategy.name:
                is_entry = isinstance(answer, EntrySignal)
                side = Side.BUY if is_entry else Side.SELL
                confidence = answer.confidence if isinstance(answer, EntrySignal) else None
                self.signals.note(bar, answer.strategy, side, confidence)

    def _hear_fact(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, SignalRaised):
            self._raised.append(fact.signal)

    def _note_crossings(self, bar: Bar) -> None:
        """Note the crossings of the SMA strategy, including those that raised no signal."""
        runner = self._orchestrator.roster.runner(SmaStrategy.name, bar.symbol)
        if runner is None or not isinstance(runner.strategy, SmaStrategy):
            return
        said = runner.strategy.state.said
        if said is not None:
            self.signals.note(bar, SmaStrategy.name, said.side, said.confidence)
