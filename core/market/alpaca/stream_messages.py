"""Handle the messages of Alpaca's stream: quotes, bars, halts, and unrequested or unreadable ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from core.market.alpaca.counts import Counts, Seen
from core.market.alpaca.quotes import AHEAD, Quotes
from core.market.alpaca.socket import Message
from core.market.alpaca.stream_failover import StreamFailover
from core.market.alpaca.wire import read_bar, read_status, shown
from core.market.port import Heard
from core.messages.inputs import MarketDataBroken
from core.model.values import Symbol

CONFLATED = 0.05
"""Seconds that quotes of the stream wait for a newer one of their symbol."""
PLACE = "Alpaca's stream"


class StreamMessages:
    """The handler of one run, in its loop.

    Parameters
    ----------
    hear
        Takes the data, in order.
    look
        Called when the status, or the due work, may have changed.
    wake
        Called after a bar without a finished minute: the next request may be due at another time.
    """

    def __init__(
        self,
        switch: StreamFailover,
        quotes: Quotes,
        counts: Counts,
        now: Callable[[], datetime],
        hear: Callable[[Heard], None],
        look: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self._switch = switch
        self._quotes = quotes
        self._counts = counts
        self._now = now
        self._hear = hear
        self._look = look
        self._wake = wake

    def take(self, messages: Sequence[Message], wanted: Collection[str]) -> None:
        """Handle messages; `wanted` are the followed symbols."""
        now = self._now()
        is_quoted = False
        for message in messages:
            kind, symbol = message.get("T"), message.get("S")
            if not isinstance(symbol, str) or symbol not in wanted:
                self._set_aside(kind, symbol, message)
            elif kind == "q":
                is_quoted = True
                if self._quotes.put(Symbol(symbol), message):
                    asyncio.get_running_loop().call_later(CONFLATED, self._hand_on_quotes)
            elif kind == "s":
                self._take_status(Symbol(symbol), message)
            elif kind in ("b", "u"):
                self._take_bar(Symbol(symbol), message, now)
            else:
                self._counts.see(Seen.UNKNOWN)
        if is_quoted:
            self._switch.heard_other(now)
            self._look()

    def _take_status(self, symbol: Symbol, message: Message) -> None:
        """Handle a trading halt or its end; it is no sign that bars and quotes come.

        With an impossible time, a halt counts from now on, and an end is ignored.
        """
        told, now = read_status(symbol, message, PLACE), self._now()
        if isinstance(told, MarketDataBroken):
            self._counts.see(Seen.BROKEN)
        elif told is not None and told.at > now:
            self._counts.see(Seen.AHEAD)
            if told.at - now > AHEAD:
                self._hear(MarketDataBroken(PLACE, f"{symbol} status: its time is ahead of this machine's clock"))
            told = replace(told, at=now) if told.is_halted or told.at - now <= AHEAD else None
        if told is not None:
            self._hear(told)

    def _take_bar(self, symbol: Symbol, message: Message, now: datetime) -> None:
        arrived = read_bar(symbol, message, PLACE)
        if isinstance(arrived, MarketDataBroken):
            self._counts.see(Seen.BROKEN)
            self._switch.heard_other(now)
            self._hear(arrived)
        else:
            minutes = self._switch.heard_bar(arrived, now)
            for minute in minutes:
                self._hear(minute)
            if not minutes:
                self._wake()
        self._look()

    def _set_aside(self, kind: object, symbol: object, message: Message) -> None:
        """Handle messages other than our bars and quotes: control messages, other symbols, and unreadable ones."""
        if kind in ("success", "subscription"):
            return
        if isinstance(symbol, str) and kind in ("b", "u", "q", "s"):
            self._counts.see(Seen.NOT_ASKED_FOR)
            return
        if kind in ("b", "u", "q") or not message:
            self._counts.see(Seen.BROKEN)
            self._hear(MarketDataBroken(PLACE, f"a message that cannot be read: {shown(message)}"))
            return
        self._counts.see(Seen.UNKNOWN)

    def _hand_on_quotes(self) -> None:
        for sighting in self._quotes.take(self._now()):
            self._hear(sighting)
