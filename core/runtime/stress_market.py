"""The stress desk: 30 positions, 60 orders, 12 strategies and 2,000 quotes a second in 20 symbols, reproducible.

It is built by regular proposals, confirmations and fills on the simulated exchange, in a synthetic market that never
closes:

- 30 symbols are held, one position each, because a symbol belongs to one strategy at a time (EX-08). VWAP trades the
  first 12; the other 18 were bought manually. The first 20 are quoted, all 30 have a bar a minute.
- Every symbol opens with an auction 0.5 % above its level and stays at the level from then on. So VWAP buys in the
  second minute, and the price never returns to VWAP nor reaches a stop: nothing more happens without a command.
- The 60 orders of the day: 30 filled entries; 18 stops held by the broker, for the manual positions; 8 working entries,
  2 % below the market; 4 more of those, cancelled. The desk watches VWAP's own stops.
- With a watchlist, symbols beyond the 30 are made up, and all of it is quoted, 5,000 quotes a second together; symbols
  that are only watched have no bars.
- Quotes come in 50 packets per second of wall time, two of each quoted symbol in a packet, at any speed: at ×60 they
  are further apart in the desk's time. While a ticket is open the desk runs at ×1, and fewer come if it ran faster.

The market follows from the seed alone and keeps no state: each opening starts over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from core.messages.commands import Command, ProposeOrder, RequestCancel
from core.messages.desk_commands import KeepWatchlist
from core.messages.inputs import BarArrived, QuoteArrived
from core.model.bar import ONE_MINUTE, Bar, Feed, Quote
from core.model.instrument import MAIN
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderType, StopHolder
from core.model.session import HOME, AnnouncedDay, NoSession, Session
from core.model.staging import MANUAL
from core.model.values import Price, Quantity, Symbol
from core.runtime.feed import QUOTE, Timed, bar_item, merged
from core.runtime.scripted_operator import ConfirmAll
from core.trading_state.state import TradingState

ACCOUNT = "stress"
SYMBOLS = tuple(
    Symbol(text)
    for text in (
        *("SPY", "QQQ", "IWM", "DIA", "AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "TSLA", "JPM"),
        *("IBM", "BAC", "XOM", "WMT", "KO", "PFE", "CSCO", "INTC"),
        *("GE", "F", "T", "VZ", "CVX", "MCD", "NKE", "DIS", "PG", "HD"),
    )
)
WATCHED, QUOTED, BY_HAND = SYMBOLS[:12], SYMBOLS[:20], SYMBOLS[12:]
"""Symbols that VWAP trades; quoted symbols; symbols bought manually."""
WORKING_ENTRIES, CANCELLED = 8, 4
POSITIONS, ORDERS = len(SYMBOLS), len(SYMBOLS) + len(BY_HAND) + WORKING_ENTRIES + CANCELLED

OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
SESSION = Session(date(2026, 1, 5), OPEN, OPEN + timedelta(days=200))
"""The one session of this market, long enough for 80 hours at ×60."""
READY_AT = OPEN + timedelta(minutes=4, seconds=30)
"""The end of the preparation: the script presses no more keys, and the quotes begin."""

AUCTION = Decimal("1.005")
AUCTION_VOLUME, MINUTE_VOLUME = Quantity(Decimal(300_000_000)), Quantity(Decimal(1000))
"""Shares; the auction's volume is large enough to keep VWAP in place."""
LEVELS = (40, 400)
"""The range of a symbol's level, in USD."""
WIDTH = 12
"""Ticks by which a price moves to either side of its level: less than 0.4 %, and VWAP is 0.5 % above."""
SHARES = Quantity(Decimal(10))
LOT = Quantity(Decimal(100))

PACKETS_A_SECOND = 50
QUOTES_A_PACKET, WATCHED_A_PACKET = 40, 100
"""2,000 a second, two of each quoted symbol in a packet; 5,000 with a watchlist, its symbols in turn."""
MOST_WATCHED = 200
STEPS = (-1, 0, 0, 1)

_names = ", ".join(f"'{symbol}'" for symbol in SYMBOLS)
_watched = ", ".join(f"'{symbol}'" for symbol in WATCHED)
SETTINGS = (
    f"symbols=[{_names}]",
    f"strategies.vwap.symbols=[{_watched}]",
    "strategies.vwap.entry_deviation=0.003",
    "strategies.vwap.stop_fraction=0.03",
    "strategies.vwap.stop_holder='desk'",
    "strategies.vwap.minimum_bars=2",
    "strategies.vwap.limits.windows=[]",
    "strategies.vwap.flat_minutes=0",
    "risk.per_trade.usd=500",
    "risk.max_notional.usd=4000",
    "risk.daily_loss.usd=20000",
    f"risk.max_open_positions={POSITIONS}",
    "risk.entries_a_day=1000",
    "risk.window_start='00:00'",
    "risk.window_end='23:59'",
    "exchange.cash=500000",
    "exchange.multiplier=2",
    "execution.max_queued=1000",
)


class OneSession:
    """A calendar with one session, whose day is the trading day of every instant (`core.model.session.Calendar`)."""

    venue = HOME

    def __init__(self, session: Session = SESSION) -> None:
        self.session = session

    def session_on(self, day: date) -> Session | NoSession:
        return self.session if day == self.session.day else NoSession("this market has one session")

    def session_at(self, at: datetime) -> Session | NoSession:
        return self.session if self.session.holds(at) else NoSession("outside of the one session of this market")

    def next_session(self, _at: datetime) -> Session:
        return self.session

    def trading_day(self, _at: datetime) -> date:
        return self.session.day

    def follow(self, days: Iterable[AnnouncedDay]) -> None:
        """Replace its session."""
        self.session = next((each.session for each in days if each.session is not None), self.session)


# ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────────


def level_of(seed: int, symbol: Symbol) -> int:
    """Return the level of a symbol's price, in cents."""
    return Random(f"{seed}:{symbol}:stress").randint(LEVELS[0] * 100, LEVELS[1] * 100)


def bars(seed: int, symbol: Symbol) -> Iterator[Bar]:
    """Yield the auction, then quiet minutes around the level.

    Each begins at the level, so that a limit there is filled.
    """
    level = level_of(seed, symbol)
    top = dollars(round(level * AUCTION))
    yield Bar(symbol, OPEN, top, top, top, top, AUCTION_VOLUME)
    chance = Random(f"{seed}:{symbol}:bars")
    start, first = OPEN + ONE_MINUTE, dollars(level)
    while start < SESSION.close:
        close = level if start < READY_AT else level + chance.randint(-WIDTH // 2, WIDTH // 2)
        high, low = max(level, close) + 1, min(level, close) - 1
        yield Bar(symbol, start, first, dollars(high), dollars(low), dollars(close), MINUTE_VOLUME)
        start += ONE_MINUTE


def watchlist(many: int) -> tuple[Symbol, ...]:
    """Return this many symbols: the held ones, then made-up ones."""
    made_up = (Symbol(f"W{chr(ord('A') + n // 26)}{chr(ord('A') + n % 26)}") for n in range(MOST_WATCHED))
    return (*SYMBOLS, *made_up)[:many]


def quotes(seed: int, speed: float, watched: int = 0) -> Iterator[Timed]:
    """Yield packets of quotes from `READY_AT` on, every fiftieth of a second of wall time at `speed`."""
    quoted, a_packet = (watchlist(watched), WATCHED_A_PACKET) if watched else (QUOTED, QUOTES_A_PACKET)
    chance = Random(f"{seed}:quotes")
    ladders = [_ladder(level_of(seed, symbol)) for symbol in quoted]
    places = [WIDTH] * len(quoted)
    step = timedelta(seconds=speed / PACKETS_A_SECOND)
    rounds = -(-a_packet // len(quoted))
    share = step / rounds
    arrives, turn = READY_AT, 0
    while arrives < SESSION.close:
        arrives += step
        for number in range(a_packet):
            made = arrives - share * (rounds - 1 - number // len(quoted))
            index, turn = turn, (turn + 1) % len(quoted)
            place = places[index] = min(2 * WIDTH, max(0, places[index] + STEPS[chance.getrandbits(2)]))
            bid, ask = ladders[index][place]
            yield (arrives, QUOTE, QuoteArrived(Quote(quoted[index], made, bid, LOT, ask, LOT, Feed.RECORDED)))


def market(seed: int, speed: float, watched: int = 0) -> Iterator[Timed]:
    """Yield every message of the stress market, in order of time."""
    told = ((bar_item(BarArrived(bar, f"stress {seed}")) for bar in bars(seed, symbol)) for symbol in SYMBOLS)
    return merged([*told, quotes(seed, speed, watched)])


def _ladder(level: int) -> list[tuple[Price, Price]]:
    """Return bid and ask one tick around each possible price, from the lowest."""
    lowest = level - WIDTH
    return [(dollars(lowest + place - 1), dollars(lowest + place + 1)) for place in range(2 * WIDTH + 1)]


def dollars(cents: int) -> Price:
    return Price(Decimal(cents).scaleb(-2))


BUY_AT = OPEN + timedelta(minutes=3)
ADD_AT = BUY_AT + timedelta(seconds=15)
CANCEL_AT = ADD_AT + timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Act:
    at: datetime
    commands: Callable[[], Iterable[Command]]


class StressScript:
    """Buy manually the symbols that VWAP does not trade, add and cancel, confirm each ticket, and stop at `READY_AT`.

    The watchlist stays.
    """

    def __init__(self, state: TradingState, seed: int, watched: int = 0) -> None:
        self.state = state
        self.seed = seed
        self.watched = watched
        self._confirming = ConfirmAll(state)
        self._acts = [
            Act(BUY_AT, lambda: [self._buys(symbol) for symbol in BY_HAND]),
            Act(ADD_AT, lambda: [self._adds(symbol) for symbol in BY_HAND[: WORKING_ENTRIES + CANCELLED]]),
            Act(CANCEL_AT, self._cancels),
            Act(READY_AT, self._lets_go),
        ]

    def next_at(self) -> datetime | None:
        if not self._acts:
            return None
        own = self._acts[0].at
        key = self._confirming.next_at()
        return min((at for at in (own, key) if at is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        if self._acts and self._acts[0].at <= at:
            yield from self._acts.pop(0).commands()
        else:
            yield from self._confirming.press(at)

    def in_words(self) -> str | None:
        """Describe the progress; None when done."""
        if not self._acts:
            return None
        positions, orders = len(self.state.ledger.positions()), len(self.state.ledger.state.orders)
        return f"preparing the stress desk: {positions} of {POSITIONS} positions, {orders} of {ORDERS} orders"

    def _buys(self, symbol: Symbol) -> ProposeOrder:
        level = level_of(self.seed, symbol)
        return _bought(symbol, Effect.OPEN, level + 2, round(level * 0.97), StopHolder.BROKER)

    def _adds(self, symbol: Symbol) -> ProposeOrder:
        level = level_of(self.seed, symbol)
        return _bought(symbol, Effect.ADD, round(level * 0.98), round(level * 0.96), StopHolder.DESK)

    def _cancels(self) -> Sequence[Command]:
        working = [order for order in self.state.ledger.working_entries() if order.strategy == MANUAL]
        return [RequestCancel(order.id) for order in working[-CANCELLED:]]

    def _lets_go(self) -> Sequence[Command]:
        self._confirming.retire()
        return (KeepWatchlist(MAIN, watchlist(self.watched)),) if self.watched else ()


def _bought(symbol: Symbol, effect: Effect, limit: int, stop: int, holder: StopHolder) -> ProposeOrder:
    """Return one manual order; the desk holds the stop of a resting entry, so that no leg waits beside it."""
    return ProposeOrder(symbol, effect, SHARES, OrderType.LIMIT, dollars(limit), dollars(stop), holder)
