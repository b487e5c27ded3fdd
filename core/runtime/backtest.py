"""A backtest: play recorded bars through the engine, look at their quality, and measure the result (AN-04).

The automatic operator confirms each ticket, and the exchange simulates the configured frictions. The account is sampled
at each close for a daily equity series. Each signal is noted before any check judges it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from core.analytics.desk_measures import LocalTime, by_groups, rows_of
from core.analytics.metrics import drawdowns, framed, metrics, rolled
from core.analytics.presentation import RECENT_TRADES, sampled_places
from core.analytics.windows import DayOfEquity
from core.facts import Fact, SignalRaised
from core.messages.inputs import Start
from core.model.bar import BY_MINUTE, BY_SESSION, ONE_MINUTE, Bar
from core.model.order import Side
from core.model.session import Session
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import Symbol, plain
from core.runtime.feed import RegimeFiles
from core.runtime.feed_quality import Jump
from core.runtime.replay_report import Report, Row, iso, open_positions, tallied
from core.runtime.virtual import VirtualRuntime
from core.strategies.sma import SmaStrategy

SHOWN_PRICES = 1500
"""The most closes of the report's price series."""
PLACES = 6
"""Of the figures of a day: pages compute with these, and in an account of 200 USD a cent is half a basis point."""
COSTS = ("slippage", "slippage_by_size", "half_spread_ticks", "fee_per_share", "margin_interest")
"""The settings of the exchange that decide what trading costs."""
LONGEST_PAUSE = 6
"""Calendar days without a session; the calendar of a run begins a week before its first bar."""
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


class Prices:
    """The closes of a file's bars, and its first open, USD; floats, for charts and a benchmark.

    `starts` are the bars' starts, in seconds since 1970.
    """

    def __init__(self) -> None:
        self.first_open: float | None = None
        self.starts = array("q")
        self._closes = array("d")

    def note(self, bar: Bar) -> None:
        if self.first_open is None:
            self.first_open = float(bar.open)
        self.starts.append(int(bar.start.timestamp()))
        self._closes.append(float(bar.close))

    def close(self, place: int) -> float:
        """Return the close of the bar at this place."""
        return self._closes[place]

    @property
    def last(self) -> float | None:
        """The newest close."""
        return self._closes[-1] if self._closes else None

    def sampled(self, many: int, since: datetime | None = None) -> list[dict[str, object]]:
        """Return at most `many` closes with their bars' starts: the last of each part, and the very last.

        `since` leaves out what began earlier than a bar before it.
        """
        first = 0 if since is None else max(bisect_left(self.starts, int(since.timestamp())) - 1, 0)
        kept = (first + at for at in sampled_places(len(self.starts) - first, many))
        return [
            {"time": datetime.fromtimestamp(self.starts[at], UTC).isoformat(), "close": self._closes[at]} for at in kept
        ]


Watch = Callable[[int, int], None]
"""Called with the number of finished sessions and the total."""


class Backtest:
    """One run; complete when it has ended.

    Attributes
    ----------
    series
        The account at each close.
    """

    def __init__(self, runtime: VirtualRuntime, sessions: Iterable[Session], *, is_daily: bool) -> None:
        self.runtime = runtime
        self.sessions = tuple(sessions)
        self.report = Report(runtime.engine.state)
        self.signals = Signals()
        self.prices = Prices()
        self.series: list[DayOfEquity] = []
        self._last_seen: list[float | None] = []
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
            self._look(self.sessions[0], self._day_before(self.sessions[0]))
        for done, session in enumerate(self.sessions, 1):
            runtime.play(venue.extended_span(session)[1])
            if not runtime.is_running:
                break
            self._look(session, session.day)
            watch(done, len(self.sessions))
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
        self._last_seen.append(self.prices.last)

    @property
    def held(self) -> list[float]:
        """For each row of `series`, the value of an account that bought with all its cash at the first open and held.

        USD, without costs and dividends. A bar of a whole session is heard at the next open, and is of its own day.
        """
        closes = self._closes_by_day() if self.is_daily else self._last_seen
        opened, start = self.prices.first_open, self.series[0].equity if self.series else 0.0
        return [start if last is None or not opened else start * last / opened for last in closes]

    def _closes_by_day(self) -> list[float | None]:
        """Return the close of each row's day, of daily bars; that of the day before where it has none."""
        day_of = self.runtime.engine.state.calendar.trading_day
        days = [day_of(datetime.fromtimestamp(start, UTC)) for start in self.prices.starts]
        places = (bisect_right(days, each.day) for each in self.series)
        return [self.prices.close(place - 1) if place else None for place in places]

    def _day_before(self, first: Session) -> date:
        """Return the day of the session before, at whose close the account is as it begins."""
        calendar, day = self.runtime.engine.state.calendar, first.day
        for _ in range(LONGEST_PAUSE):
            day -= timedelta(days=1)
            if isinstance(calendar.session_on(day), Session):
                return day
        return first.day - timedelta(days=1)

    def _hear(self, bar: Bar) -> None:
        """Note a bar's close and the signals of each strategy for it, before any check judges them."""
        self.prices.note(bar)
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


def report_of(backtest: Backtest, fingerprint: str) -> dict[str, object]:
    """Return the replay report with the figures: ratios as fractions, money in USD."""
    settings, report = backtest.runtime.engine.state.control.settings, backtest.report
    left = list(open_positions(backtest.runtime.engine.state, backtest.runtime.exchange, backtest.runtime.at))
    equity = framed(backtest.series)["equity"]
    failed = [float(trade.profit) for trade in report.closed if trade.is_failed]
    profits = [float(trade.profit) for trade in report.closed if not trade.is_failed]
    profits += [float(each["profit"]) for each in left if each["profit"] is not None]
    below = drawdowns(equity)
    return {
        **report.as_json(fingerprint),
        "modelled": tallied(backtest.runtime.exchange),
        "open": left,
        "metrics": {
            **metrics(backtest.series, profits),
            "failed": len(failed),
            "failed_profit": sum(failed),
            **_costs(backtest, left),
        },
        "groups": by_groups(rows_of(report.closed, report.stops.get, _local(backtest))),
        "rolling": rolled(equity),
        "signals": [_signal(backtest, start, said) for start, said in backtest.signals],
        "reasons": {name: _reasons(backtest, name) for name in _names(backtest)},
        "equity": [
            {
                "day": each.day.isoformat(),
                "equity": round(each.equity, PLACES),
                "drawdown": round(fall, PLACES),
                "exposure": round(each.exposure, PLACES),
                "buy_and_hold": round(held, PLACES),
            }
            for each, fall, held in zip(backtest.series, below, backtest.held, strict=True)
        ],
        "prices": backtest.prices.sampled(SHOWN_PRICES),
        "recent_prices": backtest.prices.sampled(SHOWN_PRICES, _recent(backtest)),
        "costs": {name: plain(getattr(settings.exchange, name)) for name in COSTS},
        "profile": settings.profile,
        "timeframe": BY_SESSION if backtest.is_daily else BY_MINUTE,
    }


def _recent(backtest: Backtest) -> datetime | None:
    """Return the earliest entry of the newest trades; None without a trade."""
    newest = backtest.report.trades[-RECENT_TRADES:]
    return min((datetime.fromisoformat(str(trade["entry_time"])) for trade in newest), default=None)


def _local(backtest: Backtest) -> LocalTime:
    venue = backtest.runtime.engine.state.calendar.venue
    return lambda at: venue.local(at).time()


def _signal(backtest: Backtest, start: datetime, said: Said) -> Row:
    """Return a signal as a row; a daily bar is named by its day."""
    strategy, symbol, side, confidence = said
    day = backtest.runtime.engine.state.calendar.trading_day(start)
    return {
        "time": day.isoformat() if backtest.is_daily else iso(start),
        "strategy": strategy,
        "symbol": symbol,
        "side": side.value,
        "confidence": None if confidence is None else plain(confidence),
    }


def _costs(backtest: Backtest, left: list[Row]) -> dict[str, object]:
    slips = [float(trade["slippage"]) for trade in backtest.report.trades if trade["slippage"] is not None]
    fees = [float(each["fees"]) for each in (*backtest.report.trades, *left) if each["fees"] is not None]
    statuses = Counter(row["status"] for row in backtest.report.orders.values())
    return {
        "slippage": sum(slips),
        "fees": sum(fees),
        "margin_interest": float(backtest.runtime.exchange.interest),
        "orders": len(backtest.report.orders),
        "orders_rejected": statuses["REJECTED"],
    }


def _names(backtest: Backtest) -> list[str]:
    terms = backtest.runtime.engine.state.control.settings.strategies
    return [name for name in terms.names if terms.of(name).enabled]


def _reasons(backtest: Backtest, strategy: str) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for runner in backtest.runtime.engine.state.orchestrator.roster.runners_of(strategy):
        counted.update(runner.reasons())
    return {str(reason): count for reason, count in counted.most_common()}


def not_measured(files: RegimeFiles) -> list[str]:
    """List the inputs of a desk that neither the bar files nor the files of daily figures contain."""
    vix = [] if files.vix else ["the VIX (--vix FILE)"]
    return vix if files.market else [*vix, "SPY's trend, and entries a day by its range (--market FILE)"]


def missing(backtest: Backtest, first: datetime) -> dict[str, object]:
    """Count the expected bars from the first to the last one received, and the missing ones.

    Name the first missing one, and where most are missing in a row.
    """
    starts, begin = backtest.prices.starts, int(first.timestamp())
    last, step = starts[-1] if starts else begin, int(ONE_MINUTE.total_seconds())
    expected, at, lacking, run, longest = 0, 0, list[int](), 0, (0, 0)
    for session in backtest.sessions:
        opens, closes = int(session.open.timestamp()), int(session.close.timestamp())
        if closes <= begin or opens > last:
            continue
        for moment in (opens,) if backtest.is_daily else range(max(opens, begin), min(closes, last + step), step):
            expected += 1
            at = bisect_left(starts, moment, at)
            if at < len(starts) and starts[at] == moment:
                run = 0
                continue
            run += 1
            lacking.append(moment)
            longest = max(longest, (run, -lacking[-run]))
    return {
        "unit": "sessions" if backtest.is_daily else "minutes",
        "missing": len(lacking),
        "of": expected,
        "first": _moment(lacking[0]) if lacking else None,
        "in_a_row": longest[0],
        "since": _moment(-longest[1]) if lacking else None,
    }


def _moment(seconds: int) -> str | None:
    return iso(datetime.fromtimestamp(seconds, UTC))


def splits(jumps: Iterable[Jump], backtest: Backtest) -> list[dict[str, object]]:
    """Return each price jump as plain JSON, with the trades that were open across it, identified by their entry."""
    return [
        {
            "time": iso(jump.at),
            "symbol": jump.symbol,
            "close_before": plain(jump.before),
            "open": plain(jump.opened),
            "split": jump.split,
            "held_over": list(_held_over(jump, backtest)),
        }
        for jump in jumps
    ]


def _held_over(jump: Jump, backtest: Backtest) -> Iterator[dict[str, object]]:
    for trade in backtest.report.trades:
        entered, left = (datetime.fromisoformat(str(trade[name])) for name in ("entry_time", "exit_time"))
        if trade["symbol"] == jump.symbol and entered < jump.at <= left:
            yield {name: trade[name] for name in ("entry_time", "exit_time", "profit")}
    for position in backtest.runtime.engine.state.ledger.positions_in(jump.symbol):
        if position.opened_at < jump.at:
            yield {"entry_time": iso(position.opened_at), "exit_time": None, "profit": None}
