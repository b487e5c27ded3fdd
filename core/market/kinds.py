"""Interface of a market data source for the composition of a desk: name, keys, and factory.

A second source is a folder with a `SourceKind`, and a line in `registry.py`. It knows no broker (MD-01).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from core.market.port import MarketData
from core.messages.inputs import MarketDataBroken
from core.model.api_contract import ApiRecord, KeyNames, Keys
from core.model.bar import Bar
from core.model.reference_data import CorporateAction
from core.model.session import Calendar
from core.model.sizing import DailyBar
from core.model.values import Symbol
from core.settings.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


class LiveSource(MarketData, Protocol):
    """A source, with the history that long measures need."""

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
        """Return announced corporate actions from today on; blocks. Raises `MarketDataError`."""
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
