"""The interface to a market data source: for the live runtime, and for the composition of a desk.

A second source is a folder with a `SourceKind`, and a line in `registry.py`. It knows no broker (MD-01).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from core.market.bar_folder import Period, Prices
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived, TradingHaltHeard
from core.model.account import ConnectionStatus
from core.model.api_contract import ApiRecord, KeyNames, Keys
from core.model.bar import Bar, NoQuote, Quote
from core.model.lazy_dataclass import dataclass
from core.model.news import NewsFound
from core.model.reference_data import CorporateAction
from core.model.session import Calendar
from core.model.sizing import DailyBar
from core.model.values import Symbol
from core.settings.settings import Settings

Heard = BarArrived | QuoteArrived | MarketDataBroken | TradingHaltHeard


class MarketData(Protocol):
    """Bars and quotes of the symbols it was built for, and of those it is told to follow."""

    async def run(self, hear: Callable[[Heard], None], show: Callable[[ConnectionStatus], None]) -> None:
        """Stream first, polling when the stream fails, and back; gaps are filled. Runs until it is cancelled (MD-02).

        Each bar comes once and in the order of its symbol's minutes; quotes are conflated by symbol.
        """
        ...

    def follow(self, symbols: Sequence[Symbol]) -> None:
        """Follow these symbols first, in order of importance, then the earlier ones.

        In the loop of `run`, or before.
        """
        ...

    def quote(self, symbol: Symbol) -> Quote | NoQuote:
        """Return a fresh quote; blocks for at most its time-out, and never raises (OP-03)."""
        ...

    def history(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> list[BarArrived | MarketDataBroken]:
        """Return one-minute bars from `start` to before `end`, in order of time; blocks. Raises `MarketDataError`."""
        ...


class MarketDataError(Exception):
    """No history could be fetched; the message has the reason and the remedy."""


class RefusedSymbolError(MarketDataError):
    """The source refused the symbol; others may be requested."""


class LiveSource(MarketData, Protocol):
    """A source, with the history that long measures need."""

    @property
    def feed(self) -> str:
        """Return the name of its feed, as in the names of files: letters and digits."""
        ...

    def past_bars(
        self, symbol: Symbol, start: datetime, end: datetime, period: Period, prices: Prices
    ) -> Iterator[Sequence[BarArrived | MarketDataBroken]]:
        """Yield bars that begin from `start` to before `end`, part by part, in order; blocks (MD-11).

        A daily bar begins on its day. Raises `MarketDataError`.
        """
        ...

    def daily_bars(self, symbol: Symbol) -> Sequence[DailyBar]:
        """Return a year and more of finished days; blocks. Raises `MarketDataError`."""
        ...

    def recent_days(self, symbol: Symbol) -> Sequence[DailyBar]:
        """Return the last quarter of them; blocks. Raises `MarketDataError`."""
        ...

    def chart_days(self, symbol: Symbol) -> Sequence[Bar]:
        """Return finished days for a chart, each from its midnight on; blocks. Raises `MarketDataError`."""
        ...

    def corporate_actions(self, symbols: Sequence[Symbol], today: date) -> Sequence[CorporateAction | MarketDataBroken]:
        """Return announced corporate actions as `told_of` names them; blocks. Raises `MarketDataError`."""
        ...


@runtime_checkable
class NewsSource(Protocol):
    """A source that has news too."""

    def news(self, symbols: Sequence[Symbol], start: datetime) -> NewsFound:
        """Return the articles about these symbols that were written since `start`, each once; blocks.

        Raises `MarketDataError`.
        """
        ...


class SourceContext(Protocol):
    """Factory of a source; imports its dependencies only when called."""

    def __call__(
        self,
        settings: Settings,
        keys: Keys,
        symbols: Sequence[Symbol],
        calendar: Calendar,
        known: Mapping[Symbol, datetime],
    ) -> LiveSource:
        """Build a source. `known` is the start of the desk's last bar of each symbol: later bars are filled in."""
        ...


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A source for a live desk.

    Attributes
    ----------
    name
        As in `account.data`.
    reached_by
        The settings of its address, for messages about a failed connection.
    contract
        The fields that are read, with their promises (MD-07).
    """

    name: str
    keys: KeyNames
    make: SourceContext
    reached_by: str
    contract: Callable[[], tuple[ApiRecord, ...]]
