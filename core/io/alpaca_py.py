"""The classes of alpaca-py that are used, imported without pandas and numpy.

alpaca-py makes data frames with them, which nothing here asks for; they cost a start a third of a second and every
process 50 MiB. Each is imported once one of its names is needed, and by everybody else as usual.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class OnDemand(ModuleType):
    """Stands in for a library; once that is importable again, its names come from there.

    Parameters
    ----------
    name
        The library's.
    types
        The types that annotations may name before; any other name is refused.
    """

    def __init__(self, name: str, types: Collection[str]) -> None:
        super().__init__(name)
        self.__types = types

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is not self and not name.startswith("__"):
            return getattr(import_module(self.__name__), name)
        if name not in self.__types:
            raise AttributeError(f"{self.__name__}.{name} is read at import, and nothing stands in for it")
        return type(name, (), {})


@contextmanager
def on_demand(*names: str, types: Collection[str]) -> Iterator[None]:
    """Put stand-ins in the place of libraries that are not loaded, for what is imported meanwhile."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update((name, OnDemand(name, types)) for name in absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with on_demand("pandas", "numpy", types=["DataFrame"]):
    from alpaca.common.enums import BaseURL
    from alpaca.data.enums import DataFeed
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.data.live.stock import StockDataStream
    from alpaca.trading.client import TradingClient

__all__ = ["BaseURL", "DataFeed", "StockDataStream", "StockHistoricalDataClient", "TradingClient"]
