"""A meter at the exchange: each request of Alpaca's trading API that a desk's effects take, counted as it leaves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchBooks,
    FetchClock,
    FetchFigures,
    LookUpOrder,
    LookUpSymbols,
    ReplaceOrder,
    SubmitOrder,
)
from core.model.values import Symbol
from core.runtime.virtual_time import Request
from tests.scenarios.house import House

A_MINUTE = timedelta(minutes=1)
AN_ASSET_KEEPS = timedelta(seconds=900)
BOOKS, ACTIVITIES, FIGURES = 6, 4, 2


class RequestMeter:
    """Begins to count when it is made."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.times: list[tuple[datetime, str]] = []
        self._assets: dict[Symbol, datetime] = {}
        self._send = house.line._send
        house.line._send = self._count  # type: ignore[method-assign]

    def _count(self, request: Request) -> None:
        at = self.house.line.at
        self.times += [(at, type(request.effect).__name__)] * self._requests(request.effect, at)
        self._send(request)

    def _requests(self, effect: Effect, at: datetime) -> int:
        """What `AlpacaBroker` makes of it; an asset is remembered for a quarter of an hour."""
        match effect:
            case FetchBooks():
                return BOOKS + self._new_assets(effect.instruments, at)
            case FetchFigures():
                return (0 if effect.is_quote_alone else FIGURES) + self._new_assets([effect.symbol], at)
            case LookUpSymbols():
                return self._new_assets(effect.symbols, at)
            case LookUpOrder():
                order = self.house.desk.ledger.order(effect.client_order_id)
                return 2 if order is not None and order.filled_quantity else 1
            case FetchActivities():
                return ACTIVITIES
            case SubmitOrder() | ReplaceOrder() | CancelOrder() | FetchAccount() | FetchClock():
                return 1
        return 0

    def _new_assets(self, symbols: Iterable[Symbol], at: datetime) -> int:
        new = [s for s in symbols if at - self._assets.get(s, at - AN_ASSET_KEEPS) >= AN_ASSET_KEEPS]
        self._assets.update(dict.fromkeys(new, at))
        return len(new)

    def most(self, *kinds: str) -> int:
        """The most requests of these kinds, of all where none is named, in any 60 seconds."""
        times = [at for at, kind in self.times if not kinds or kind in kinds]
        return max((bisect_right(times, at) - bisect_right(times, at - A_MINUTE) for at in times), default=0)

    def longest_without(self, kind: str, begun_after: float) -> float:
        """The longest pause between two acts of such requests, seconds; from so long after the first request on."""
        begin = self.times[0][0] + timedelta(seconds=begun_after)
        times = sorted({at for at, name in self.times if name == kind and at >= begin})
        return max((after - before).total_seconds() for before, after in pairwise(times))

    def by_kind(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for _, kind in self.times:
            found[kind] = found.get(kind, 0) + 1
        return found
