"""An account at a broker: its figures, and the status of its connection with the latency of orders.

Observed values: never restored.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from core.model.lazy_dataclass import dataclass
from core.model.values import NO_MONEY, Money, Symbol


class Mode(Enum):
    """Paper or real money."""

    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Account:
    """Figures of one account, in USD, as they were `at`.

    `buying_power` already excludes amounts that the broker reserves for working orders, and unsettled cash: on a cash
    account the proceeds of a sale, `unsettled`, may be spent a trading day later.

    Attributes
    ----------
    multiplier
        Buying power as a multiple of equity: 1 is a cash account, above it is margin.
    blocked_because
        Why the broker accepts no order of the account now, with the remedy; empty if it does.
    initial_margin, maintenance_margin
        Margin required to open the holdings, and to keep them. None if not reported (RK-14).
    overnight_buying_power
        The highest cost of an entry held overnight; `buying_power` is the day's. None if not reported.
    last_equity
        Equity at the close of the trading day before, from which the day's loss counts (RK-03). None if not reported.
    sells_short
        Whether the broker lets the account sell short at all.
    """

    at: datetime
    name: str
    equity: Money
    cash: Money
    buying_power: Money
    multiplier: Decimal
    blocked_because: str = ""
    unsettled: Money = NO_MONEY
    initial_margin: Money | None = None
    maintenance_margin: Money | None = None
    overnight_buying_power: Money | None = None
    last_equity: Money | None = None
    sells_short: bool = True

    @property
    def is_blocked(self) -> bool:
        return bool(self.blocked_because)

    @property
    def lends(self) -> bool:
        """Whether the broker lends against the holdings: a margin account."""
        return self.multiplier > 1

    @property
    def uses_margin(self) -> bool:
        """Whether margin counts: the broker lends, or has lent cash or shares, whatever it lends now."""
        return self.lends or self.owes or self.equity < (self.maintenance_margin or 0)

    @property
    def owes(self) -> bool:
        """Whether the figures show that cash or shares are owed; cash beyond the equity is proceeds of short sales."""
        return self.cash < 0 or self.cash > self.equity


@dataclass(frozen=True, slots=True)
class NoAccount:
    """No account figures, and why."""

    reason: str


class Channel(Enum):
    """The connections."""

    BROKER = "broker"
    """Requests to the broker."""
    TRADES = "trades"
    """The stream of order updates."""
    DATA = "data"
    """The stream of bars and quotes."""


class ConnectionState(Enum):
    CONNECTING = "connecting"
    UP = "up"
    SILENT = "silent"
    """Open, but expected messages do not come."""
    POLLING = "polling"
    """The stream is down; its data is polled instead."""
    DOWN = "down"
    """Not connected; retried."""
    REFUSED = "refused"
    """The other side refused; not retried automatically before the operator acts."""


AWAY = frozenset({ConnectionState.DOWN, ConnectionState.REFUSED})
"""Nothing passes."""


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """Status of one connection.

    Attributes
    ----------
    since
        When it came into this state.
    heard_at
        When anything was received last; None if never.
    tries
        Attempts since it was last up; 0 while it is.
    words
        The problem and the remedy, in one line; empty if there is none.
    polled
        Symbols beyond the stream's limit: polled each minute, and their trading halts are not received.
    odd
        What was left out of its messages since the start, in words, and how often (MD-03).
    """

    line: Channel
    state: ConnectionState
    since: datetime
    heard_at: datetime | None = None
    tries: int = 0
    words: str = ""
    polled: tuple[Symbol, ...] = ()
    odd: tuple[tuple[str, int], ...] = ()


PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class LatencySpan:
    """One span of the latency, over the orders of a day: `percentiles` are those of `PERCENTILES`, in that order."""

    name: str
    orders: int
    percentiles: tuple[timedelta, ...]
