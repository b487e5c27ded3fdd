"""One connection of Alpaca's data stream, and what its messages mean.

Alpaca's own class connects, authenticates and subscribes. Its loop is bypassed: it reconnects for ever, even with wrong
keys, waits without limit for a greeting, loses the code of a refusal and logs errors instead of reporting them. So this
class reads the frames, and every step has its time-out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgpack
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.legacy.client import WebSocketClientProtocol
from websockets.legacy.exceptions import RedirectHandshake

from core.io.alpaca_py import DataFeed, StockDataStream
from core.io.http_requests import UNNAMED, is_unnamed
from core.io.proxies import ProxyRefusedError, by_proxy, proxy_of, socket_through
from core.market.alpaca.failure import Counts, Seen
from core.market.alpaca.minutes import QUOTE_AHEAD, Quotes
from core.market.alpaca.parsing import read_bar, read_status, shown
from core.market.alpaca.stream_failover import StreamFailover
from core.market.port import Heard
from core.messages.inputs import MarketDataBroken
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings

TOO_MANY = 405
"""Alpaca's code for more symbols than the plan allows; the subscription stays as it was."""
CHANNELS = ("bars", "quotes", "statuses")
GOODBYE = 1.0
"""Seconds for a closing handshake; then the connection is cut."""
QUIET = logging.getLogger("keyturn.alpaca.stream")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False

Message = dict[str, Any]


class StreamLostError(Exception):
    """The connection broke or was never made; the message says how."""


class StreamRefusedError(Exception):
    """The other side refused, with a code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class _Overheard(WebSocketClientProtocol):
    """Keeps the last frame, because the base class drops a refusal's message, and follows no redirect."""

    last: bytes | str = b""

    async def recv(self) -> bytes | str:
        self.last = await super().recv()
        return self.last

    async def handshake(self, *args: Any, **named: Any) -> None:
        """Refuse a redirect to another address, because the keys are sent next."""
        try:
            await super().handshake(*args, **named)
        except RedirectHandshake:
            raise StreamLostError(
                "Alpaca's stream was sent on to another address; check alpaca.data_stream_url"
            ) from None


class DataSocket(StockDataStream):
    """Bars, quotes and trading halts of symbols, as raw messages.

    If the plan allows fewer, the first symbols are streamed. A request for too many leaves the subscription as it was
    (error 405), so the limit is found by requesting half as many until one more symbol is refused.

    Attributes
    ----------
    streamed
        The confirmed symbols, in the order of the requests.
    is_full
        Whether another symbol was refused.
    """

    def __init__(self, settings: AlpacaSettings, key: SecretStr, secret: SecretStr, symbols: Sequence[Symbol]) -> None:
        if not symbols:
            raise ValueError("a stream without a subscription never ends its wait: name at least one symbol")
        self._connect_seconds = float(settings.connect_seconds)
        self._read_seconds = float(settings.read_seconds)
        self.cut_because = ""
        self._is_open = False
        self._line: _Overheard | None = None
        self.streamed: tuple[Symbol, ...] = ()
        self.is_full = False
        self._ranked = self._waiting = tuple(dict.fromkeys(symbols))
        self._asked: tuple[Symbol, ...] | None = None
        self._at_most = len(self._waiting)
        self._next: tuple[Symbol, ...] | None = None
        super().__init__(
            api_key=key.get_secret_value(),
            secret_key=secret.get_secret_value(),
            raw_data=True,
            feed=DataFeed(settings.feed),
            websocket_params={
                "create_protocol": self._begin,
                "open_timeout": self._connect_seconds,
                "close_timeout": GOODBYE,
                "ping_interval": None,
                "max_queue": 1024,
                "logger": QUIET,
            },
            url_override=settings.data_stream_url or None,
        )

    def __repr__(self) -> str:
        return "DataSocket()"

    async def follow(self, ranked: Sequence[Symbol]) -> None:
        """Stream the first of these within the limit, in place of later ones. A broken connection reports itself."""
        ranked = tuple(dict.fromkeys(ranked))
        if not self._is_open or self._asked is not None:
            self._next = ranked
            return
        self._ranked = ranked
        first = ranked[: len(self.streamed)] if self.is_full else ranked
        ended = tuple(symbol for symbol in self.streamed if symbol not in first) if self.is_full else ()
        self._waiting = tuple(symbol for symbol in first if symbol not in self.streamed)
        self._at_most = len(self._waiting)
        with suppress(ConnectionClosed):
            await (self._unsubscribe_all(ended) if ended else self._ask_for_more())

    @property
    def is_placing(self) -> bool:
        """Whether an answer to a subscription request is pending."""
        return self._asked is not None

    async def _ask_for_more(self) -> None:
        """Subscribe to the next waiting symbols, as many as may be allowed."""
        if self._waiting and self._at_most and self._ws is not None:
            self._asked = self._waiting[: self._at_most]
            self.subscribe_bars(_nobody, *self._asked)
            self.subscribe_quotes(_nobody, *self._asked)
            self.subscribe_trading_statuses(_nobody, *self._asked)
            await self._send_subscribe_msg()
        elif self._next is not None:
            ranked, self._next = self._next, None
            await self.follow(ranked)

    async def _unsubscribe_all(self, symbols: Sequence[Symbol]) -> None:
        self._asked = ()
        self._forget(symbols)
        self.streamed = tuple(symbol for symbol in self.streamed if symbol not in symbols)
        if self._ws is not None:
            named = {channel: [*symbols] for channel in CHANNELS}
            await self._ws.send(msgpack.packb({"action": "unsubscribe", **named}))

    def _forget(self, symbols: Iterable[Symbol]) -> None:
        for symbol in symbols:
            for channel in CHANNELS:
                self._handlers[channel].pop(symbol, None)

    async def _take_answer(self, message: Message) -> None:
        """Handle a confirmation of the subscription, or of a part of it, or its refusal over the limit."""
        asked, self._asked = self._asked or (), None
        confirmed = tuple(symbol for symbol in asked if _is_listed(symbol, message))
        self._forget(symbol for symbol in asked if symbol not in confirmed)
        self.streamed += confirmed
        self._waiting = self._waiting[len(confirmed) :]
        if len(confirmed) < len(asked):
            self._at_most = 0 if confirmed or message.get("T") == "subscription" else len(asked) // 2
            if not self._at_most:
                self._fill(message)
        await self._ask_for_more()

    def _fill(self, message: Message) -> None:
        """Note that the plan allows no more symbols, and stream the first ones in place of later ones."""
        self.is_full, self._waiting = True, ()
        if not self.streamed:
            raise _refusal(message)
        self._next = self._next or self._ranked

    def _begin(self, *args: Any, **named: Any) -> _Overheard:
        """Keep the protocol from its first moment, so that it can be cut in its handshake."""
        self._line = _Overheard(*args, **named)
        return self._line

    async def _use_proxy(self) -> None:
        """Connect through the proxy of the environment: Alpaca's class knows none."""
        if (proxy := proxy_of(self._endpoint)) is not None:
            line = await socket_through(proxy, self._endpoint, self._connect_seconds)
            params: dict[str, Any] = self._websocket_params
            params["sock"] = line

    async def open(self) -> list[Message]:
        """Connect, authenticate, subscribe; return messages that came beside the answers.

        Raises `StreamLostError`, `StreamRefusedError`.
        """
        try:
            async with asyncio.timeout(self._connect_seconds + self._read_seconds):
                await self._use_proxy()
                await self._start_ws()
            self._is_open = True
            async with asyncio.timeout(self._read_seconds):
                await self._ask_for_more()
            return await self._subscribed()
        except (StreamLostError, StreamRefusedError):
            raise
        except ProxyRefusedError as error:
            raise StreamLostError(f"Alpaca's stream: {error}") from None
        except TimeoutError:
            through = by_proxy(self._endpoint)
            raise StreamLostError(
                f"Alpaca's stream did not {self._step()} in time{through}; it is tried again"
            ) from None
        except InvalidHandshake as error:
            raise StreamLostError(f"Alpaca's stream was refused by its server ({shown(str(error))})") from error
        except ConnectionClosed as error:
            self._refuse_if_stated()
            raise StreamLostError(_closed(error)) from error
        except OSError as error:
            through, why = by_proxy(self._endpoint), f" ({type(error).__name__})"
            what = f"{through}: {UNNAMED}" if is_unnamed(error) else f"{why}{through}; check the network"
            raise StreamLostError(f"Alpaca's stream cannot be reached{what}") from error
        except Exception as error:  # the class raises its parser's errors for any input
            self._refuse_if_stated()
            raise StreamLostError(
                f"Alpaca's stream did not {self._step()} as expected ({type(error).__name__})"
            ) from error

    async def receive(self) -> list[Message]:
        """Return the messages of the next frame; an unreadable one is an empty message.

        Raises `StreamLostError`, `StreamRefusedError`.
        """
        if self._ws is None:
            raise StreamLostError("Alpaca's stream was closed")
        try:
            return await self._take(await self._ws.recv())
        except ConnectionClosed as error:
            raise StreamLostError(self.cut_because or _closed(error)) from error

    async def _take(self, frame: bytes | str) -> list[Message]:
        """Handle a frame. An answer in it may send a request, which raises if the connection has closed."""
        messages = list(messages_of(frame))
        for message in messages:
            is_error = message.get("T") == "error"
            if message.get("T") == "subscription" or (is_error and message.get("code") == TOO_MANY and self._asked):
                await self._take_answer(message)
            elif is_error:
                raise _refusal(message)
        return [message for message in messages if message.get("T") != "error"]

    async def is_there(self) -> bool:
        """Return whether a ping is answered in time."""
        if self._ws is None:
            return False
        try:
            async with asyncio.timeout(self._read_seconds):
                await (await self._ws.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    def cut(self, why: str) -> None:
        """Cut the connection without a closing handshake; the reader gets the reason."""
        self.cut_because = why
        self._abort()

    async def shut(self) -> None:
        """Close with a handshake, and cut the connection if that is not answered. Never takes long.

        In a separate task: the library takes a cancellation of its close for the end of it, and the cancelled caller
        would continue.
        """
        goodbye = asyncio.ensure_future(self.close())
        try:
            await asyncio.wait({goodbye}, timeout=GOODBYE)
        finally:
            self._abort()
            goodbye.add_done_callback(_as_it_ended)

    def _abort(self) -> None:
        transport = getattr(self._line, "transport", None)
        if transport is not None:
            transport.abort()

    async def _subscribed(self) -> list[Message]:
        beside: list[Message] = []
        while True:
            async with asyncio.timeout(self._read_seconds):
                messages = await self.receive()
            beside += [message for message in messages if message.get("T") not in ("subscription", "success")]
            if self._asked is None:
                return beside

    def _step(self) -> str:
        if self._ws is None:
            return "connect"
        said = [message.get("msg") for message in messages_of(self._ws.last)]
        if not said:
            return "greet"
        return "confirm the subscription" if "authenticated" in said else "authenticate"

    def _refuse_if_stated(self) -> None:
        heard: Iterable[Message] = () if self._ws is None else messages_of(self._ws.last)
        for message in heard:
            if message.get("T") == "error":
                raise _refusal(message)


def messages_of(frame: bytes | str) -> Iterable[Message]:
    """Return the records of one frame; anything else in it becomes an empty one, to be counted."""
    if not frame:
        return []
    try:
        content = msgpack.unpackb(frame)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException):
        return [{}]
    rows = content if isinstance(content, list) else [content]
    return [row if isinstance(row, dict) else {} for row in rows]


def _is_listed(symbol: Symbol, message: Message) -> bool:
    """Return whether a confirmation has the symbol in each of its channels; one that it omits counts as confirmed."""
    listed = (message.get(channel) for channel in CHANNELS)
    return message.get("T") == "subscription" and all(symbol in each for each in listed if isinstance(each, list))


def _refusal(message: Message) -> StreamRefusedError:
    code = message.get("code")
    text = message.get("msg")
    return StreamRefusedError(
        code if isinstance(code, int) else 0, shown(text) if isinstance(text, str) else "without a reason"
    )


def _closed(error: ConnectionClosed) -> str:
    return f"Alpaca's stream ended ({error.rcvd.code if error.rcvd else 'broken off'}); it is tried again"


def _as_it_ended(goodbye: asyncio.Future[None]) -> None:
    """Discard the task's result: the connection is cut in any case."""
    if not goodbye.cancelled():
        goodbye.exception()


async def _nobody(_message: object) -> None:
    """Handler required by the class, for messages that are read past it."""


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
            if told.at - now > QUOTE_AHEAD:
                self._hear(MarketDataBroken(PLACE, f"{symbol} status: its time is ahead of this machine's clock"))
            told = replace(told, at=now) if told.is_halted or told.at - now <= QUOTE_AHEAD else None
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
