"""The demo's stage: where its seeded market begins, so that the first proposal is seconds away."""

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
"""The market of the seed runs over these days; a demo that reaches their end begins a new account with another seed."""
PATIENCE = 1.0
"""Seconds that a strategy is asked for before the desk opens: a slow one of the user's must not keep it shut."""
LEAD = timedelta(seconds=8)
"""How long before the first proposal the desk opens."""

SMALL, STAGED = "micro", "swing"
"""Profiles of a demo: 200 USD in a calm market, and a hundred thousand in one that is never still."""

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
    """A few seconds before the end of the first bar that a strategy would buy; the open where there is none that day.

    Those that are on are asked. Nothing before the `lead` counts, and no symbol that is `left_out`.
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
    """Those that are on and can be made; of the user's any may not."""
    for name, kind in kinds.known.items():
        if settings.strategies.of(name).enabled:
            with suppress(Exception):
                yield kind.make(settings.strategies.of(name), None)


def _entries(
    strategy: Strategy, bars: Sequence[Bar], session: Session, settings: Settings, venue: Venue
) -> Iterator[EntrySignal]:
    """The entries that the strategy itself would answer, the account being as the settings open it.

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
        if time.monotonic() > ends:
            return


def demo_market(records: Sequence[Record], asked: str | None = None, *, usual: DemoMarket = CALM) -> DemoMarket:
    """The market of an account: the one that it was opened on; of a new one the `usual`.

    `asked` is the profile that the command line names.

    Raises
    ------
    OperatorError
        The account was opened with another profile than the one that is asked for, or on a market of a later version.
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
