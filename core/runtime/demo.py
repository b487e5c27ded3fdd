"""The demo's stage: where its seeded market begins, so that the first proposal is seconds away."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from core.brokers.simulated.log import Record
from core.market.calendar import ExchangeCalendar
from core.market.synthetic import synthetic_day
from core.model.bar import Bar
from core.model.session import Session
from core.model.signal import EntrySignal
from core.model.values import NO_MONEY, Money, Symbol
from core.model.venue import Venue
from core.ports import OperatorError
from core.settings.settings import Settings
from core.strategies.base import Strategy
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.strategies.context import Context
from core.trading_state.state import TradingState

FIRST_DAY = date(2026, 1, 5)
LAST_DAY = date(2028, 12, 29)
"""The market of the seed runs over these days; a demo that reaches their end begins a new account with another seed."""
PATIENCE = 1.0
"""Seconds that a strategy is asked for before the desk opens: a slow one of the user's must not keep it shut."""
LEAD = timedelta(seconds=8)
"""How long before the first proposal the desk opens."""

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
"""Settings of the busy demo: more entries a day, answers late enough to be hit by a crash."""


def demo_account(seed: int) -> str:
    return "demo" if seed == 1 else f"demo-{seed}"


def seed_of(account: str) -> int | None:
    """The seed of a demo's account; None where it is none."""
    if account == demo_account(1):
        return 1
    seed = account.removeprefix("demo-")
    return int(seed) if seed != account and seed.isdecimal() else None


def require_sound(state: TradingState, records: Sequence[Record], settings: Settings, *, is_new: bool) -> None:
    """Refuse to go on with an exchange that lost its memory, or with a held symbol that nobody would look at.

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


def bars_until(seed: int, symbols: Iterable[str], calendar: ExchangeCalendar, until: datetime) -> Iterable[Bar]:
    """Every bar of the seeded market that has begun by `until`, in order of time."""
    for session in sessions_from(calendar, FIRST_DAY):
        if session.open > until:
            return
        days = [synthetic_day(seed, Symbol(symbol), session) for symbol in symbols]
        yield from sorted((b for day in days for b in day if b.start <= until), key=lambda b: (b.start, b.symbol))


def opening_instant(
    seed: int, settings: Settings, calendar: ExchangeCalendar, kinds: StrategyKinds = OF_THE_HOUSE
) -> datetime:
    """A few seconds before the end of the first bar that a strategy would buy; the open where there is none that day.

    Those that are on are asked.
    """
    session = sessions_from(calendar, FIRST_DAY)[0]
    signals = (
        signal
        for symbol in settings.symbols
        for strategy in _asked(settings, kinds)
        for signal in _entries(
            strategy, synthetic_day(seed, Symbol(symbol), session), session, settings, calendar.venue
        )
    )
    first = min((signal.bar_start for signal in signals), default=session.open)
    return first + timedelta(minutes=1) - LEAD


def _asked(settings: Settings, kinds: StrategyKinds) -> Iterable[Strategy]:
    """Those that are on and can be made; of the user's any may not."""
    for name, kind in kinds.known.items():
        if settings.strategies.of(name).enabled:
            with suppress(Exception):
                yield kind.make(settings.strategies.of(name), None)


def _entries(
    strategy: Strategy, bars: list[Bar], session: Session, settings: Settings, venue: Venue
) -> Iterator[EntrySignal]:
    """The first entry that the strategy itself would answer, the account being as the settings open it.

    Nothing where it fails, or is too slow to be asked for a whole day.
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
        except Exception:  # the desk itself asks it again, and says what it raises
            return
        if isinstance(answer, EntrySignal) and context.window_first <= bar.start <= context.window_last:
            yield answer
            return
        if time.monotonic() > ends:
            return
