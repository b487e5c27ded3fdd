"""The demo's opening: its seeded market shortly before the first proposal, and the account that it begins with.

A script buys the positions before the desk opens, with regular proposals, tickets and fills; then it hands over the
keyboard for good. Tickets and proposals live longer than usual: a first ticket takes a minute to read.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.brokers.simulated.log import Record
from core.market.calendar import ExchangeCalendar
from core.messages.commands import Command, ProposeOrder
from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderType, StopHolder
from core.model.session import Session, Venue
from core.model.signal import EntrySignal
from core.model.staging import MANUAL
from core.model.values import NO_MONEY, Money, Price, Quantity, Symbol
from core.ports import OperatorError
from core.risk.strategy_limits import entry_spans, max_notional, per_trade
from core.runtime.demo_market import CALM, MARKETS, DemoMarket
from core.runtime.scripted_operator import ConfirmAll
from core.runtime.simulated_exchange import market_of
from core.settings.settings import Settings
from core.strategies.base import Context, Strategy
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.trading_state.state import TradingState

FIRST_DAY = date(2026, 1, 5)
LAST_DAY = date(2028, 12, 29)
"""The days of the seeded market; a demo that reaches the end opens a new account with another seed."""
TIMEOUT = 1.0
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
    "strategies.vwap.limits.windows=[]",
    "strategies.vwap.entry_deviation=0.0002",
    "strategies.vwap.stop_fraction=0.001",
    "strategies.vwap.minimum_bars=5",
    "exchange.cash=100000",
)
"""Settings of the busy demo: account, window and strategy for many entries a day. A named profile has its own."""
SLOW = (
    "exchange.answer_delay_seconds=40",
    "execution.answer_seconds=60",
    "execution.breaker_failures=100",
)
"""Answers slow enough that a crash can hit them. No order is answered in time, which would open the breaker."""


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
        windows=entry_spans(settings, strategy.name, venue, session),
        flat_from=session.close,
        entries_allowed=1,
        venue=venue,
        risk_per_trade=Money(per_trade(settings, strategy.name, cash).if_known or NO_MONEY),
        max_notional=Money(max_notional(settings, strategy.name, cash).if_known or NO_MONEY),
    )
    ends = time.monotonic() + TIMEOUT
    for bar in bars:
        try:
            answer = strategy.on_bar(bar, context)
        except Exception:  # the desk asks it again later and reports its error
            return
        if isinstance(answer, EntrySignal) and context.is_in_window(bar.start):
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


BOUGHT = {Symbol("AAPL"): 40, Symbol("IBM"): 27, Symbol("XOM"): 60}
"""Shares, bought manually; the strategies do not trade these symbols."""
TRADED = ("SPY", "QQQ", "IWM", "MSFT", "BAC")
LOOKS = {"symbols": list(TRADED), "quantity_step": "1"}
PLANS = {"enabled": True, "stop_ranges": "4", "target_ranges": "6", **LOOKS}
STAGE: Mapping[str, object] = {
    "profile": "swing",
    "symbols": [*TRADED, *BOUGHT],
    "staging": {"ticket_seconds": "180", "signal_seconds": "240"},
    "risk": {"entries_a_day": 40, "window_start": "10:05"},
    "strategies": {
        "vwap": {"entry_deviation": "0.0015", "stop_fraction": "0.004", **LOOKS},
        "momentum": {"bars": 6, "minimum_gain": "0.002", "volume_factor": "0.9", **PLANS},
        "breakout": {"bars": 12, "volume_factor": "0.9", "maximum_false": 1000, **PLANS},
        "mean_reversion": {"deviations": "1.5", **PLANS, "target_ranges": "0"},
        "sma": {"pairs": [[3, 9]], "regime_filter": False, "minimum_confidence": "0", **PLANS},
    },
}
"""Overlaid on the profile, and below the operator's own settings."""

LEAD_BARS = timedelta(minutes=35)
"""Time of the first session before the desk opens: by then the strategies know their averages and may enter."""
BUY_AFTER = LEAD_BARS + timedelta(seconds=2)
ROOM, STOP_BELOW, TARGET_ABOVE = Decimal("1.003"), Decimal("0.985"), Decimal("1.03")
"""Fractions of the price: a limit that certainly fills, the stop and the target."""


@dataclass(frozen=True, slots=True)
class Purchase:
    symbol: Symbol
    shares: int
    price: Price


class OpeningScript:
    """Buy the demo's opening positions, confirm their tickets, and hand over the keyboard.

    Attributes
    ----------
    ends
        When the script ends in any case.
    """

    def __init__(self, state: TradingState, market: DemoMarket, seed: int, session: Session, ends: datetime) -> None:
        self.state = state
        self.ends = ends
        self._at: datetime | None = session.open + BUY_AFTER
        self._confirming = ConfirmAll(state, lambda proposal: proposal.strategy == MANUAL)
        self._purchases = [
            Purchase(symbol, shares, price)
            for symbol, shares in BOUGHT.items()
            if (price := _price_at(market.minutes(seed, symbol, session), session.open + BUY_AFTER)) is not None
        ]

    def next_at(self) -> datetime | None:
        return min((at for at in (self._at, self._confirming.next_at()) if at is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        if self._at is None or self._at > at:
            yield from self._confirming.press(at)
        elif self._purchases:
            yield _bought(self._purchases.pop(0))
            self._at = at + timedelta(seconds=5) if self._purchases else self.ends
        else:
            self._confirming.retire()
            self._at = None

    def in_words(self) -> str | None:
        """Describe the progress; None when done."""
        if self._at is None:
            return None
        return f"preparing the demo: {len(self.state.ledger.positions())} of {len(BOUGHT)} positions"


def _price_at(minutes: Sequence[Bar], at: datetime) -> Price | None:
    return next((bar.open for bar in minutes if bar.start >= at), None)


def _bought(purchase: Purchase) -> ProposeOrder:
    limit, stop, target = (STOCK_TICKS.nearest(purchase.price * part) for part in (ROOM, STOP_BELOW, TARGET_ABOVE))
    quantity = Quantity(Decimal(purchase.shares))
    return ProposeOrder(
        purchase.symbol, Effect.OPEN, quantity, OrderType.LIMIT, limit, stop, StopHolder.BROKER, target_price=target
    )
