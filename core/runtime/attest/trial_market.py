"""The market, the connection and the settings of a trial run.

The synthetic market of an attestation: one session with a given number of messages.
Each symbol stays near its level, so an order trades at its intended price. One symbol falls through its stop when a
trial needs it; another gets no more data after some minutes. Everything follows from the seed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

from core.messages.inputs import BarArrived, QuoteArrived, RegimeArrived, TradingHaltHeard
from core.model.bar import ONE_MINUTE, Bar, Feed, Quote
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME, Session
from core.model.values import Quantity, Symbol
from core.risk.protections.protection_registry import NAMES
from core.risk.trials import Trial, value_of
from core.runtime.feed import QUOTE, Timed, bar_item, merged
from core.runtime.inbox import Link
from core.runtime.simulated_exchange import link_of
from core.runtime.stress_market import SYMBOLS, dollars
from core.runtime.stress_market import level_of as stress_level
from core.settings.settings import Settings
from core.settings.types import WHOLE, SettingsTable

SLOW = timedelta(seconds=30)


class Line:
    """Connection faults that the runtime reads before each request and each key.

    Attributes
    ----------
    link
        The current latency of requests and answers.
    is_silent
        Whether orders that open a position get no answer.
    told
        Market messages that the runtime has not read yet.
    """

    def __init__(self, settings: Settings) -> None:
        self._sound = self.link = link_of(settings)
        self.is_silent = False
        self.told: deque[TradingHaltHeard | RegimeArrived] = deque()

    def falls_silent(self) -> None:
        self.is_silent = True

    def slows_down(self) -> None:
        """Delay the answers to orders by half a minute."""
        self.link = Link(self._sound.latency, SLOW, timeout=2 * SLOW)

    def mends(self) -> None:
        self.is_silent, self.link = False, self._sound

    def tells(self, message: TradingHaltHeard | RegimeArrived) -> None:
        self.told.append(message)


OPEN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
SESSION = Session(date(2026, 1, 5), OPEN, OPEN + timedelta(minutes=HOME.session_minutes))
HELD, STOPPED, OLD = SYMBOLS[4], SYMBOLS[5], SYMBOLS[6]
"""The symbol of which each exit sells a share; the one that falls through its stop; the one whose quotes go stale."""
HALTED = SYMBOLS[8]
BOUGHT = (SYMBOLS[7], *SYMBOLS[9:20])
"""Symbols of the trial entries, used in turn."""
QUOTED = SYMBOLS[:20]
UNLISTED = Symbol("ZZZZ")

TOLD_UNTIL = OPEN + timedelta(minutes=8)
"""The end of the data of `OLD`."""
FALL, FALLEN_FOR = Decimal("0.97"), timedelta(minutes=3)
WIDTH = 3
"""Cents by which a price moves to either side of its level."""
VOLUME, LOT = Quantity(Decimal(1_000_000)), Quantity(Decimal(100))
LEAST = len(QUOTED) * HOME.session_minutes
"""The minimum number of messages of a session: its bars."""

level_of = cache(stress_level)
"""The level of a symbol for a seed; cached because each quote asks for it."""


@dataclass(frozen=True, slots=True)
class Market:
    """A market from a seed with `many` messages; `STOPPED` falls through its stop at `falls_at`."""

    seed: int
    many: int
    falls_at: datetime

    def feed(self) -> Iterator[Timed]:
        """Yield every message of the session in order of time."""
        bars = (self._bars(symbol) for symbol in QUOTED)
        told = ((bar_item(BarArrived(bar, f"attest {self.seed}")) for bar in each) for each in bars)
        # A quote later than the last minute of `OLD`: from then on no price is derived for it.
        return merged(
            [*told, self._quotes(), [self._quoted(OLD, TOLD_UNTIL + 2 * ONE_MINUTE, level_of(self.seed, OLD))]]
        )

    def level(self, symbol: Symbol, at: datetime) -> int:
        """Return the level of a symbol, in cents."""
        level = level_of(self.seed, symbol)
        if symbol == STOPPED and self.falls_at <= at < self.falls_at + FALLEN_FOR:
            return round(level * FALL)
        return level

    def _bars(self, symbol: Symbol) -> Iterator[Bar]:
        chance = Random(f"{self.seed}:{symbol}:attest")
        start = OPEN
        while start < self._told_until(symbol):
            level = self.level(symbol, start)
            close = level + chance.randint(-WIDTH, WIDTH)
            high, low = max(level, close) + 1, min(level, close) - 1
            yield Bar(symbol, start, dollars(level), dollars(high), dollars(low), dollars(close), VOLUME)
            start += ONE_MINUTE

    def _quotes(self) -> Iterator[Timed]:
        """Yield quotes at even intervals over the session, the symbols in turn."""
        many = self.many - LEAST
        chance = Random(f"{self.seed}:attest")
        span = SESSION.close - SESSION.open
        for number in range(many):
            symbol = QUOTED[number % len(QUOTED)]
            at = OPEN + span * number / many
            if at >= self._told_until(symbol):
                symbol = BOUGHT[number % len(BOUGHT)]
            middle = self.level(symbol, at) + chance.randint(-WIDTH, WIDTH)
            yield self._quoted(symbol, at, middle)

    def _quoted(self, symbol: Symbol, at: datetime, middle: int) -> Timed:
        quote = Quote(symbol, at, dollars(middle - 1), LOT, dollars(middle + 1), LOT, Feed.RECORDED)
        return (at, QUOTE, QuoteArrived(quote))

    def _told_until(self, symbol: Symbol) -> datetime:
        return TOLD_UNTIL if symbol == OLD else SESSION.close


WIDE: Mapping[str, object] = {
    "symbols": [str(symbol) for symbol in QUOTED],
    "exchange.cash": "1000000",
    "exchange.multiplier": "2",
    "risk.per_trade": {"usd": "100000000"},
    "risk.max_notional": {"usd": "100000000"},
    "risk.max_open_positions": 1000,
    "risk.daily_loss": {"usd": "900000"},
    "risk.weekly_loss": {"usd": "900000"},
    "risk.entries_a_day": 10_000,
    "risk.window_start": "00:00",
    "risk.window_end": "23:59",
    "risk.on_missing_equity": "allow",
    "risk.spread_limit": "0.5",
    "risk.spread_of_stop_limit": "1",
    "risk.quote_age_seconds": "3600",
    "risk.quote_age_seconds_iex": "3600",
    "risk.price_band": "0.9",
    "risk.sizing.budget": "1",
    "risk.frequency.enabled": False,
    "risk.messages.enabled": False,
    "risk.twins.enabled": False,
    "risk.self_cross.enabled": False,
    "reconciliation.every_seconds": "0",
    "evaluation.enabled": False,
    "execution.max_queued": 1000,
    **{f"risk.protections.{name}.enabled": False for name in NAMES},
}
"""Overrides of the defaults: no limits on orders, days or positions, and no checks that depend on earlier trades."""


def wide() -> Settings:
    """Return the settings of an account that no control limits."""
    return laid_over(Settings(), WIDE)


def tried_at(trials: Iterable[Trial], account: Settings) -> Settings:
    """Return the settings that these trials need, with the keys that they keep from the account."""
    settings = wide()
    for trial in trials:
        kept = {key: plain(value_of(account, key)) for key in trial.as_set}
        settings = laid_over(settings, {**kept, **trial.settings})
    return settings


def laid_over(settings: Settings, values: Mapping[str, object]) -> Settings:
    """Return the settings with these values at their dotted keys.

    Raises
    ------
    ValidationError
        A value is not valid.
    KeyError
        A key names no table.
    """
    whole = settings.model_dump(context=WHOLE)
    for key, value in values.items():
        *path, last = key.split(".")
        table = whole
        for name in path:
            table = table[name]
        table[last] = value
    return Settings.model_validate(whole)


def plain(value: object) -> object:
    return value.model_dump(context=WHOLE) if isinstance(value, SettingsTable) else value
