"""The demo's opening: the point of its seeded market at which the first proposal is seconds away."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from core.brokers.simulated.log import Record
from core.market.calendar import ExchangeCalendar
from core.model.bar import Bar
from core.model.session import Session
from core.model.signal import EntrySignal
from core.model.values import NO_MONEY, Money, Symbol
from core.model.venue import Venue
from core.ports import OperatorError
from core.runtime.demo_market import CALM, MARKETS, DemoMarket
from core.runtime.simulated_exchange import market_of
from core.settings.settings import Settings
from core.strategies.base import Strategy
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.strategies.context import Context
from core.trading_state.state import TradingState

FIRST_DAY = date(2026, 1, 5)
LAST_DAY = date(2028, 12, 29)
"""The days of the seeded market; a demo that reaches the end opens a new account with another seed."""
PATIENCE = 1.0
"""Seconds to ask each strategy before the desk opens, so that a slow user strategy cannot delay the start."""
LEAD = timedelta(seconds=8)
"""How long before the first proposal the desk opens."""

SMALL, STAGED = "micro", "swing"
"""Profiles of a demo: 200 USD in a calm market, and 100,000 USD in a lively one."""

BUSY = (
    "symbols=['SPY', 'QQQ', 'IWM', 'AAPL', 'IBM', 'BAC']",
    "risk.entries_a_day=1000",
    "risk.daily_loss.usd=10000",
    "risk.max_open_positions=6",
    "risk.window_start='09:35'",
    "risk.window_end='15:45'",
    "strategies.vwap.entry_deviation=0.0002",
    "strategies.vwap.stop_fraction=0.001",
    "strategies.vwap.minimum_bars=5",
    "exchange.cash=100000",
    "exchange.answer_delay_seconds=40",
    "execution.answer_seconds=60",
)
"""Settings of the busy demo: more entries a day, and answers slow enough that a crash can hit them."""


def demo_account(seed: int) -> str:
    return "demo" if seed == 1 else f"demo-{seed}"


def seed_of(account: str) -> int | None:
    """Return the seed of a demo account; None for any other account."""
    if account == demo_account(1):
        return 1
    seed = account.removeprefix("demo-")
    return int(seed) if seed != account and seed.isascii() and seed.isdecimal() else None


def require_sound(state: TradingState, records: Sequence[Record], settings: Settings, *, is_new: bool) -> None:
    """Refuse to continue if the exchange's log is lost, or if a held symbol is no longer followed.

    Raises
    ------
    OperatorError
    """
    if not is_new and state.ledger.state.orders_sent and not records:
        raise OperatorError(
            "exchange.jsonl, the exchange's own log, is gone while the journal has orders; put it back, or open "
            "another account with --seed"
        )
    held = {*(p.symbol for p in state.ledger.positions()), *(o.request.symbol for o in state.ledger.working())}
    left_out = sorted(held - {Symbol(text) for text in settings.symbols})
    if left_out:
        named = ", ".join(left_out)
        raise OperatorError(
            f"{named}: held or on order, and not among the symbols; add it to `symbols` and start again"
        )


def sessions_from(calendar: ExchangeCalendar, day: date) -> list[Session]:
    return [session for session in calendar.sessions() if session.day >= day]


def opening_instant(
    seed: int,
    settings: Settings,
    session: Session,
    venue: Venue,
    kinds: StrategyKinds = OF_THE_HOUSE,
    market: DemoMarket = CALM,
    lead: timedelta = timedelta(0),
    left_out: Collection[str] = (),
) -> datetime:
    """Return an instant a few seconds before the end of the first bar that a strategy would buy; without one, the open.

    The enabled strategies are asked. Bars within the `lead` and `left_out` symbols are ignored.
    """
    from_here = session.open + lead
    first: datetime | None = None
    for symbol in (symbol for symbol in settings.symbols if symbol not in left_out):
        bars = market.minutes(seed, Symbol(symbol), session)
        for strategy in _asked(settings, kinds):
            entries = _entries(strategy, bars, session, settings, venue)
            starts = (signal.bar_start for signal in entries if signal.bar_start >= from_here)
            found = next(starts, None)
            first = found if first is None or (found is not None and found < first) else first
    return (first or from_here) + timedelta(minutes=1) - LEAD


def _asked(settings: Settings, kinds: StrategyKinds) -> Iterable[Strategy]:
    """Yield the enabled strategies that can be constructed; a user's strategy may fail to."""
    for name, kind in kinds.known.items():
        if settings.strategies.of(name).enabled:
            with suppress(Exception):
                yield kind.make(settings.strategies.of(name), None)


def _entries(
    strategy: Strategy, bars: Sequence[Bar], session: Session, settings: Settings, venue: Venue
) -> Iterator[EntrySignal]:
    """Yield the entries that the strategy would signal on a newly opened account.

    Yields nothing if the strategy fails, or is too slow to be asked for a whole day.
    """
    cash = settings.exchange.cash
    context = Context(
        session=session,
        window_first=venue.at(session.day, settings.risk.window_start),
        window_last=venue.at(session.day, settings.risk.window_end),
        flat_from=session.close,
        entries_allowed=1,
        venue=venue,
        risk_per_trade=Money(settings.risk.per_trade.of(cash) or NO_MONEY),
        max_notional=Money(settings.risk.max_notional.of(cash) or NO_MONEY),
    )
    ends = time.monotonic() + PATIENCE
    for bar in bars:
        try:
            answer = strategy.on_bar(bar, context)
        except Exception:  # the desk asks it again later and reports its error
            return
        if isinstance(answer, EntrySignal) and context.window_first <= bar.start <= context.window_last:
            yield answer
        if time.monotonic() > ends:
            return


def demo_market(records: Sequence[Record], asked: str | None = None, *, usual: DemoMarket = CALM) -> DemoMarket:
    """Return the market on which an account was opened; for a new account the `usual` one.

    `asked` is the profile named on the command line.

    Raises
    ------
    OperatorError
        The account was opened with another profile than `asked`, or on a market of a later version.
    """
    if not records:
        return usual
    name = market_of(records) or CALM.name
    if name not in MARKETS:
        raise OperatorError(f"this account was opened on the market {name!r}; open another account with --seed")
    opened = SMALL if name == CALM.name else STAGED
    if asked not in (None, opened):
        raise OperatorError(
            f"--profile {asked}: this account was opened as {opened}; leave the option out, or open another account "
            "with --seed"
        )
    return MARKETS[name]
