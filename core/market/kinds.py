"""What a source of market data is to whoever puts a desk together: its name, its keys, how it is made.

A second source is a folder with a `SourceKind` in it, and a line in `registry.py`. It knows no broker (MD-01).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from core.market.port import MarketData
from core.messages.inputs import MarketDataBroken
from core.model.api_contract import ApiRecord
from core.model.bar import Bar
from core.model.calendar import Calendar
from core.model.corporate_action import CorporateAction
from core.model.keys import KeyNames, Keys
from core.model.regime import DailyBar
from core.model.values import Symbol
from core.settings.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


class LiveSource(MarketData, Protocol):
    """A source, and what measures with a long memory ask of it."""

    def daily_bars(self, symbol: Symbol) -> Sequence[DailyBar]:
        """A year and more of finished days; blocks. Raises `MarketDataError`."""
        ...

    def recent_days(self, symbol: Symbol) -> Sequence[DailyBar]:
        """The last quarter of them; blocks. Raises `MarketDataError`."""
        ...

    def chart_days(self, symbol: Symbol) -> Sequence[Bar]:
        """Finished days as a chart shows them, each from its midnight on; blocks. Raises `MarketDataError`."""
        ...

    def corporate_actions(self, symbols: Sequence[Symbol], today: date) -> Sequence[CorporateAction | MarketDataBroken]:
        """Those that are announced of them, from today on; blocks. Raises `MarketDataError`."""
        ...


class SourceContext(Protocol):
    """How a source is made; what it needs is imported then and not before."""

    def __call__(
        self,
        settings: Settings,
        keys: Keys,
        symbols: Sequence[Symbol],
        calendar: Calendar,
        known: Mapping[Symbol, datetime],
    ) -> LiveSource:
        """`known` says when the last bar began that the desk has of a symbol: what follows is filled in."""
        ...


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A source that a live desk may listen to.

    Attributes
    ----------
    name
        As `account.data` has it.
    reached_by
        The settings that say where it is reached, for who looks why it is not.
    contract
        What it promises of each field that is read (MD-07).
    """

    name: str
    keys: KeyNames
    make: SourceContext
    reached_by: str
    contract: Callable[[], tuple[ApiRecord, ...]]
