"""`make bench-strategies`: what a bar costs a strategy of the user's in a process of its own, beside the same one here.

Live, one bar at a time: from the question to the answer in the desk's thread. In a backtest, through the whole engine:
the same strategy in this process, over the pipe one bar at a time, and over the pipe in batches. Medians of several
runs; in turn, so that a machine with other work troubles all alike.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from console.commands.assembly.recordings import UNATTENDED
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.market.calendar import load_calendar
from core.market.synthetic import synthetic_day
from core.messages.inputs import BarArrived
from core.model.account import Mode
from core.model.bar import Bar
from core.model.session import XNYS, Session
from core.model.values import Money, Symbol
from core.runtime.backtest import Backtest
from core.runtime.feed import Timed, bar_item
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.simulated_exchange import config_of, link_of
from core.runtime.strategy_host.child import ChildStrategy
from core.runtime.strategy_host.hosted import foresee
from core.runtime.strategy_host.loading import loaded
from core.runtime.strategy_host.process import STARTING
from core.runtime.virtual import VirtualRuntime
from core.settings.orders import BACKTEST_FRICTIONS
from core.settings.strategies import HOUSE_NAMES, UserStrategySettings
from core.strategies.base import Context
from core.strategies.builtin import HOUSE, StrategyKind, StrategyKinds
from state.files import Home
from state.journal import HashOnlyJournal
from state.settings_file import load_settings
from state.user_strategies import example_strategy, kinds_in, look_at
from tests.bench.house import NoLog, NoSwitch

SEED, FIRST = 1, date(2025, 1, 6)
LIVE, DAYS, RUNS = 20, 60, 3
"""Sessions of the live measure and of a backtest; and how often each backtest is run."""
NAME = "dips"
MICROSECONDS = 1e6


class Here:
    """The same strategy in this process, its memory looked at alike."""

    name = NAME

    def __init__(self, made: Any, terms: UserStrategySettings) -> None:
        self._seat = ChildStrategy(made, terms.terms, None)
        self.on_bar, self.figures = self._seat.asked, self._seat.inner.figures

    @property
    def state(self) -> Any:
        return self._seat.inner.state


def here() -> StrategyKinds:
    made = loaded(NAME, f"/{NAME}.py", example_strategy(NAME)).made
    return StrategyKinds({**HOUSE, NAME: StrategyKind(lambda terms, _memory: Here(made, terms), made.State)}, {})


def sessions_of(many: int) -> list[Session]:
    calendar = load_calendar(FIRST, FIRST + timedelta(days=many * 2 + 30))
    return [session for session in calendar.sessions() if session.day >= FIRST][:many]


# ── live ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def live(ask: Callable[[Bar, Context], object]) -> tuple[float, float]:
    """Microseconds a bar: the median, and the slowest of a hundred."""
    took = []
    for session in sessions_of(LIVE):
        context = Context(session, ((session.open, session.close),), session.close, 5, XNYS, risk_per_trade=Money(100))
        for bar in synthetic_day(SEED, Symbol("SPY"), session):
            began = time.perf_counter()
            ask(bar, context)
            took.append((time.perf_counter() - began) * MICROSECONDS)
    return median(took), quantiles(took, n=100)[-1]


def of_live(folder: Path) -> None:
    made = loaded(NAME, f"/{NAME}.py", example_strategy(NAME)).made
    began = time.perf_counter()
    kind = look_at(folder / f"{NAME}.py").kind
    assert kind is not None
    print(f"  its process is there after {(time.perf_counter() - began) * 1000:,.0f} ms")
    bare = made(made.Settings(), made.State())
    for words, ask in (
        ("the class alone, in this process", bare.on_bar),
        ("in this process, its memory looked at", Here(made, UserStrategySettings()).on_bar),
        ("in a process of its own", kind.make(UserStrategySettings(), None).on_bar),
    ):
        middle, slow = live(ask)
        print(f"  {words:<40} {middle:8.1f} µs a bar, {slow:8.1f} µs the slowest of a hundred", flush=True)


# ── a backtest ───────────────────────────────────────────────────────────────────────────────────────────────────────


def backtested(kinds: StrategyKinds, feed: list[Timed], *, ahead: bool) -> tuple[float, str, int]:
    """Seconds, the fingerprint, and how many trades there were."""
    sessions = sessions_of(DAYS)
    calendar = load_calendar(FIRST - timedelta(days=7), sessions[-1].day + timedelta(days=7))
    switches = [f"strategies.{name}.enabled=false" for name in HOUSE_NAMES]
    laid_over = (*UNATTENDED, *BACKTEST_FRICTIONS, *switches, f"strategies.{NAME}.enabled=true")
    settings = load_settings(Home(Path("/nonexistent"), Path("/nonexistent")), {}, laid_over)
    journal = HashOnlyJournal()
    engine = Engine("replay", Mode.PAPER, calendar, journal, kinds)
    engine.apply(sessions[0].open, settings, "replay")
    if ahead:
        foresee(kinds, [feed])
    runtime = VirtualRuntime(
        engine,
        SimulatedExchange(config_of(settings, "replay", str(SEED)), calendar, NoLog()),
        iter(feed),
        start=sessions[0].open,
        switch=NoSwitch(),
        link=link_of(settings),
        operator=ConfirmAll(engine.state),
    )
    backtest = Backtest(runtime, sessions, is_daily=False)
    began = time.perf_counter()
    backtest.run(lambda _done, _whole: None)
    return time.perf_counter() - began, journal.fingerprint(), len(backtest.report.trades)


def of_backtests(folder: Path) -> None:
    market = [bar for session in sessions_of(DAYS) for bar in synthetic_day(SEED, Symbol("SPY"), session)]
    feed = [bar_item(BarArrived(bar, "bench")) for bar in market]
    ways: dict[str, tuple[Callable[[], StrategyKinds], bool]] = {
        "in this process": (here, False),
        "over the pipe, one bar at a time": (lambda: kinds_in(folder, waits=STARTING), False),
        "over the pipe, in batches": (lambda: kinds_in(folder, waits=STARTING), True),
    }
    runs = {
        words: [backtested(kinds(), feed, ahead=ahead) for _ in range(RUNS)] for words, (kinds, ahead) in ways.items()
    }
    base = median(seconds for seconds, _, _ in runs["in this process"])
    prints = {fingerprint for each in runs.values() for _, fingerprint, _ in each}
    for words, each in runs.items():
        seconds, trades = median(seconds for seconds, _, _ in each), each[0][2]
        more = (seconds - base) / len(market) * MICROSECONDS
        print(
            f"  {words:<40} {len(market) / seconds:10,.0f} bars/s, {more:+8.1f} µs a bar, {trades:,} trades", flush=True
        )
    print(f"  the fingerprints are {'the same' if len(prints) == 1 else 'NOT the same'}")


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / f"{NAME}.py").write_text(example_strategy(NAME))
        (folder / f"{NAME}.py").chmod(0o600)
        if "backtest" not in sys.argv:
            print(f"live, {LIVE} sessions")
            of_live(folder)
        if "live" not in sys.argv:
            print(f"a backtest of {DAYS} sessions, the median of {RUNS}")
            of_backtests(folder)


if __name__ == "__main__":
    main()
