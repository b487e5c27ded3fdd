"""Check the connections to the broker and the market data, with remedies. Only reads; sends no orders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from core.brokers.port import Broker, OrderStream
from core.market.port import MarketData
from core.model.account import Account, ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import ApiRecord, removals
from core.model.bar import Quote
from core.model.broker import NoAnswer
from core.model.instrument import BrokerInstrument
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.risk.gate import usd

SKEW = timedelta(seconds=1)
"""A larger difference between this machine's clock and the broker's puts a warning on every ticket."""
TIMEOUT = 10.0
"""Seconds within which a stream must connect."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of `keyturn doctor`: the result, and a remedy if it failed."""

    name: str
    ok: bool
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Places:
    """The names used in remedies for the broker and its addresses.

    Attributes
    ----------
    broker
        The broker's usual name.
    orders, prices
        The settings with the two addresses.
    """

    broker: str
    orders: str
    prices: str


Run = Callable[[Callable[[Any], None], Callable[[ConnectionStatus], None]], Any]
"""The `run` of a stream."""


class Doctor:
    """Check each connection between this desk and the exchange; after a failed one its dependants are skipped.

    `held_by` names our own engine that has the places of the streams; empty if none runs.
    """

    def __init__(
        self,
        broker: Broker,
        orders: OrderStream,
        market: MarketData,
        symbols: tuple[Symbol, ...],
        mode: Mode,
        now: Callable[[], datetime],
        contract: tuple[ApiRecord, ...],
        places: Places,
        held_by: str = "",
    ) -> None:
        self.broker = broker
        self.orders = orders
        self.market = market
        self.symbols = symbols
        self.mode = mode
        self.now = now
        self.contract = contract
        self.places = places
        self.held_by = held_by

    def look(self) -> Iterator[Finding]:
        """Yield each finding as soon as it is known."""
        account = self.broker.account()
        yield self._reached(account)
        if isinstance(account, Account):
            yield self._flags(account)
            yield self._clock()
            for symbol in self.symbols:
                yield self._asset(symbol)
        quote = self._quote(self.symbols[0])
        yield quote
        if isinstance(account, Account):  # an unreachable broker is reported once
            yield self._stream("order updates", self.orders.run)
        if quote.ok:
            yield self._stream("data stream", self.market.run)
        yield from self._due()

    def _due(self) -> Iterator[Finding]:
        """Yield the fields whose removal the broker has announced: each is optional, and its absence has a meaning."""
        today = self.now().date()
        for removal in removals(self.contract):
            yield Finding("contract", True, removal.in_words(today), "")

    def _reached(self, account: Account | NoAnswer) -> Finding:
        if isinstance(account, NoAnswer):
            remedy = f"check the keys, the network, and {self.places.orders}; the desk opens read-only meanwhile"
            return Finding("broker", False, account.reason, remedy)
        money = f"equity {usd(account.equity)}, buying power {usd(account.buying_power)}"
        return Finding("broker", True, f"{self.mode.value} account {account.name}, {money}", "")

    def _flags(self, account: Account) -> Finding:
        if account.is_blocked:
            remedy = f"{self.places.broker}'s dashboard says why; nothing can be traded until it is lifted"
            return Finding("account", False, f"{account.name} is blocked", remedy)
        return Finding("account", True, f"not blocked, multiplier {account.multiplier}", "")

    def _clock(self) -> Finding:
        before = self.now()
        told = self.broker.time()
        if isinstance(told, NoAnswer):
            return Finding("clock", False, told.reason, "the broker's clock could not be asked; see above")
        middle = before + (self.now() - before) / 2
        skew = told.at - middle
        words = f"{skew.total_seconds():+.2f} s against the broker's"
        is_near = abs(skew) <= SKEW
        remedy = "" if is_near else "let NTP set this machine's clock: timedatectl set-ntp true"
        return Finding("clock", is_near, words, remedy)

    def _asset(self, symbol: Symbol) -> Finding:
        found = self.broker.instrument(symbol)
        if not isinstance(found, BrokerInstrument):
            return Finding(f"symbol {symbol}", False, found.reason, "take it out of `symbols`, or fix its name")
        if not found.is_tradable:
            return Finding(f"symbol {symbol}", False, "not tradable now", "take it out of `symbols`")
        fractions = "in fractions" if found.is_fractionable else "in whole shares"
        lent = found.short_refused.removeprefix(f"{symbol} ").removeprefix(f"{symbol}: ") or "easy to borrow"
        words = ", ".join([f"tradable, {fractions}", lent, *found.attributes])
        return Finding(f"symbol {symbol}", True, words, "")

    def _quote(self, symbol: Symbol) -> Finding:
        quote = self.market.quote(symbol)
        if not isinstance(quote, Quote):
            remedy = f"check {self.places.prices}"
            return Finding("market data", False, quote.reason, remedy)
        age = max(0.0, quote.age(self.now()).total_seconds())
        words = f"{symbol} {quote.bid} × {quote.ask}, {age:.0f} s old, {quote.feed.value}"
        return Finding("market data", True, words, "")

    def _stream(self, name: str, run: Run) -> Finding:
        """Check that a stream connects; one whose place our own engine has is left alone (SY-10)."""
        return Finding(name, True, self.held_by, "") if self.held_by else asyncio.run(self._connected(name, run))

    async def _connected(self, name: str, run: Run) -> Finding:
        """Connect a stream, then close it."""
        up = asyncio.Event()
        seen: list[ConnectionStatus] = []

        def show(connection: ConnectionStatus) -> None:
            seen.append(connection)
            if connection.state in (ConnectionState.UP, ConnectionState.POLLING, ConnectionState.REFUSED):
                up.set()

        task = asyncio.create_task(run(lambda _heard: None, show))
        try:
            await asyncio.wait_for(up.wait(), TIMEOUT)
        except TimeoutError:
            pass
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        last = seen[-1] if seen else None
        is_up = last is not None and last.state is ConnectionState.UP
        remedy = "" if is_up else "the desk asks instead of listening until it is there"
        words = ": ".join(filter(None, (last.state.value, last.words))) if last is not None else ""
        return Finding(name, is_up, words or f"nothing in {TIMEOUT:g} s", remedy)
