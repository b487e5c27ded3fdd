"""Fetch the announced corporate actions of many symbols, page by page; blocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from core.market.alpaca.requests import AskError, DataRequests
from core.market.port import MarketDataError
from core.messages.inputs import MarketDataBroken
from core.model.reference_data import CorporateAction, coming
from core.model.values import Symbol

PROCESSED_WITHIN = timedelta(days=120)
"""Days from today: a dividend is processed when it is paid, up to three months after its ex date."""
BATCH = 100
"""Symbols per request: their names must fit into a URL."""
MOST_PAGES = 20


def announced(
    requests: DataRequests, symbols: Sequence[Symbol], today: date
) -> list[CorporateAction | MarketDataBroken]:
    """Return actions from today on, and unreadable ones. Raises `MarketDataError`."""
    found: list[CorporateAction | MarketDataBroken] = []
    try:
        for first in range(0, len(symbols), BATCH):
            found += _all_pages(requests, symbols[first : first + BATCH], today)
    except AskError as error:
        raise MarketDataError(str(error)) from error
    broken = [each for each in found if isinstance(each, MarketDataBroken)]
    return [*broken, *coming((each for each in found if isinstance(each, CorporateAction)), today)]


def _all_pages(
    requests: DataRequests, symbols: Sequence[Symbol], today: date
) -> list[CorporateAction | MarketDataBroken]:
    found: list[CorporateAction | MarketDataBroken] = []
    token: str | None = None
    for _ in range(MOST_PAGES):
        read, token = requests.corporate_actions(symbols, today, today + PROCESSED_WITHIN, token)
        found += read
        if token is None:
            return found
    raise MarketDataError(f"Alpaca's corporate actions have more than {MOST_PAGES} pages")
