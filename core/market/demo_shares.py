"""Names of the demo's shares, which its exchange lists, so that the search works as at a broker."""

from __future__ import annotations

from collections.abc import Iterable

from core.model.reference_data import AssetList, ListedAsset
from core.model.values import Symbol

ARCA, NASDAQ, NYSE = "ARCA", "NASDAQ", "NYSE"
NAMES = {
    "SPY": ("SPDR S&P 500 ETF Trust", ARCA),
    "QQQ": ("Invesco QQQ Trust, Series 1", NASDAQ),
    "IWM": ("iShares Russell 2000 ETF", ARCA),
    "AAPL": ("Apple Inc. Common Stock", NASDAQ),
    "MSFT": ("Microsoft Corporation Common Stock", NASDAQ),
    "IBM": ("International Business Machines Corporation", NYSE),
    "XOM": ("Exxon Mobil Corporation", NYSE),
    "BAC": ("Bank of America Corporation", NYSE),
}


def listed_in_the_demo(symbols: Iterable[str]) -> AssetList:
    """Return the traded shares; one without a name here is listed by its symbol."""
    return AssetList(_listed(symbol) for symbol in symbols)


def _listed(symbol: str) -> ListedAsset:
    name, exchange = NAMES.get(symbol, (symbol, ""))
    return ListedAsset(Symbol(symbol), name, exchange, is_shortable=True, is_fractionable=True)
