"""The stream of order updates: the protocol of alpaca-py's TradingStream, directly on the `websockets` library.

TradingStream itself is unsuitable here. It waits without limit for an answer to its keys, and cannot be stopped
meanwhile. It takes a stated refusal of the keys for a temporary error and retries each second. It has no heartbeat that
notices a mute socket within a minute, reports no connection status, and uses a client that `websockets` has deprecated
and that supports no proxy. Only its addresses are used.

A message is parsed and handed on, with nothing in between. An unreadable one is noted in `unread` and handed on as
unread, so that the order that it names is looked up.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidProxy, InvalidStatus, ProxyError, WebSocketException

from core.brokers.alpaca.fields import UnparsedMessages, UnreadableFieldError
from core.brokers.alpaca.http_client import StreamStatus
from core.brokers.alpaca.keys import checked, checked_address, keys_on_the_line
from core.brokers.alpaca.order_format import is_foreign
from core.brokers.alpaca.parsing import an_unread_update, an_update
from core.brokers.alpaca.refusal_codes import NotJsonError, decoded
from core.brokers.port import HearUpdate
from core.io.alpaca_py import BaseURL
from core.io.http_requests import UNNAMED, backoff, is_unnamed
from core.io.proxies import ProxyRefusedError, by_proxy, proxy_of
from core.io.wall_clock import utc_now
from core.model.account import ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import Keys, Redaction
from core.model.broker import UnreadUpdate
from core.model.text_sanitizer import foreign
from core.settings.orders import AlpacaSettings

UPDATES = "trade_updates"
NO_OBJECT = "order updates: no JSON object"
ADDRESSES = {Mode.PAPER: BaseURL.TRADING_STREAM_PAPER.value, Mode.LIVE: BaseURL.TRADING_STREAM_LIVE.value}
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the next attempt, doubling; half of it is random."""
AFTER_A_REFUSAL = 60.0
"""Seconds before refused keys are tried again."""
PING_EVERY = 2.0
"""Seconds between pings: a quiet market answers them, a dead link does not (OP-04)."""
CLOSING = 1.0
"""Seconds for the other side's part of a closing handshake."""
LARGEST_MESSAGE = 2**22
UNAUTHORISED = 401
TOO_MANY = frozenset({406, 429})
OURS = "the only place is taken, probably by this desk's own connection that broke; it is tried again"
OF_ANOTHER = "another program holds the only connection: end it"

_log = logging.getLogger("keyturn.trade_updates")
_log.setLevel(logging.INFO)  # at finer levels the library logs sent messages, which include the keys (SY-06)


class _PlaceTakenError(Exception):
    """Another connection of the account has the only place."""


class _KeysRefusedError(Exception):
    """Stated by the other side."""


class _NotAsAgreedError(Exception):
    """The other side does not follow the protocol."""


class _MuteError(Exception):
    """No message and no pong."""


class _Connect(connect):
    """Follows no redirect to another address, because the keys are sent next."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class AlpacaOrderStream:
    """Implements `core.brokers.port.OrderStream`.

    Raises
    ------
    AccountRefusedError
        The keys are missing, damaged, or of the other kind.
    """

    def __init__(
        self,
        keys: Keys,
        mode: Mode,
        settings: AlpacaSettings,
        *,
        now: Callable[[], datetime] = utc_now,
        chance: Callable[[], float] = random.random,
        after_a_refusal: float = AFTER_A_REFUSAL,
    ) -> None:
        self._keys = checked(keys, mode)
        self._mode = mode
        self._url = checked_address(settings.trade_stream_url, mode, "trade_stream_url") or ADDRESSES[mode]
        self._connect_seconds = float(settings.connect_seconds)
        self._read_seconds = float(settings.read_seconds)
        self._silence_seconds = float(settings.silence_seconds)
        self._now = now
        self._chance = chance
        self._after_a_refusal = after_a_refusal
        self._hide = Redaction(keys.secret, keys.key_id)
        self.unread = UnparsedMessages(self._hide)

    async def run(self, hear: HearUpdate, show: Callable[[ConnectionStatus], None]) -> None:
        """Connect, listen, and reconnect with growing pauses, until cancelled."""
        connections = StreamStatus(lambda connection: show(replace(connection, odd=self.unread.odd)), self._now)
        while True:
            try:
                await self._live(hear, connections)
            except _KeysRefusedError as error:
                connections.refused(
                    f"Alpaca does not take the keys for order updates ({error}): {keys_on_the_line(self._mode)}"
                )
                await asyncio.sleep(self._after_a_refusal)
                continue
            except _MuteError:
                connections.lost(
                    ConnectionState.SILENT,
                    f"no order updates: nothing for {self._silence_seconds:g} s, and no answer to a ping",
                )
            except _PlaceTakenError:
                words = OURS if connections.may_be_taken_by_ours() else OF_ANOTHER
                connections.lost(ConnectionState.DOWN, f"no order updates: {words}")
            except (OSError, TimeoutError, WebSocketException, _NotAsAgreedError, ProxyRefusedError) as error:
                connections.lost(ConnectionState.DOWN, f"no order updates: {_words(error, self._url)}")
            await asyncio.sleep(backoff(connections.tries, self._chance(), FIRST_PAUSE, LONGEST_PAUSE))

    async def _live(self, hear: HearUpdate, connections: StreamStatus) -> None:
        connections.connecting()
        proxy = proxy_of(self._url)
        connection = _Connect(
            self._url,
            open_timeout=self._connect_seconds,
            close_timeout=CLOSING,
            ping_interval=None,
            max_size=LARGEST_MESSAGE,
            proxy=None if proxy is None else proxy.url,
            logger=_log,
        )
        try:
            async with connection as socket:
                async with asyncio.timeout(self._read_seconds):
                    await self._authenticate(socket)
                    await self._subscribe(socket, hear)
                connections.up()
                await self._stay(socket, hear, connections)
        except InvalidStatus as error:
            if error.response.status_code == UNAUTHORISED:
                raise _KeysRefusedError("HTTP 401") from None
            if error.response.status_code in TOO_MANY:
                raise _PlaceTakenError from None
            raise

    # ── the protocol ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _authenticate(self, socket: ClientConnection) -> None:
        secret = {"key_id": self._keys.key_id.get_secret_value(), "secret_key": self._keys.secret.get_secret_value()}
        await socket.send(json.dumps({"action": "authenticate", "data": secret}))
        data = (await self._message(socket, "authorization")).get("data")
        status = data.get("status") if isinstance(data, dict) else None
        if status == "unauthorized":
            raise _KeysRefusedError(self._hide(_stated(data)))
        if status != "authorized":
            raise _NotAsAgreedError("the answer to the keys cannot be read")

    async def _subscribe(self, socket: ClientConnection, hear: HearUpdate) -> None:
        await socket.send(json.dumps({"action": "listen", "data": {"streams": [UPDATES]}}))
        data = (await self._message(socket, "listening", hear)).get("data")
        streams = data.get("streams") if isinstance(data, dict) else None
        if not isinstance(streams, list) or UPDATES not in streams:
            raise _NotAsAgreedError("the server does not offer them")

    async def _message(self, socket: ClientConnection, wanted: str, hear: HearUpdate | None = None) -> dict[str, Any]:
        """Return the next message of this kind; updates before it are handed on."""
        while True:
            raw = await socket.recv()
            message = self._decoded(raw, hear)
            if message.get("stream") == wanted:
                return message
            if hear is not None:
                self._take(message, raw, hear)

    async def _stay(self, socket: ClientConnection, hear: HearUpdate, connections: StreamStatus) -> None:
        """Listen and ping concurrently, until one of them ends, so that no update waits for a pong."""
        tasks = {
            asyncio.create_task(self._listen(socket, hear, connections)),
            asyncio.create_task(self._keep_pinging(socket, connections)),
        }
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, socket: ClientConnection, hear: HearUpdate, connections: StreamStatus) -> None:
        while True:
            raw = await socket.recv()
            connections.heard()
            self._take(self._decoded(raw, hear), raw, hear)

    async def _keep_pinging(self, socket: ClientConnection, connections: StreamStatus) -> None:
        """Ping regularly.

        Without trades no messages come, and a pong shows that the link is up; without either for long, the connection
        only looks open.
        """

        def hear(pong: asyncio.Future[float]) -> None:
            if not pong.cancelled() and pong.exception() is None:
                connections.heard()

        while True:
            await asyncio.sleep(min(PING_EVERY, self._silence_seconds))
            pong = asyncio.ensure_future(await socket.ping())
            pong.add_done_callback(hear)
            answered, _ = await asyncio.wait({pong}, timeout=self._read_seconds)
            if not answered and connections.quiet_for() >= self._silence_seconds:
                raise _MuteError

    def _take(self, message: dict[str, Any], raw: str | bytes, hear: HearUpdate) -> None:
        data = message.get("data")
        if message.get("stream") == "authorization" and isinstance(data, dict) and data.get("status") == "unauthorized":
            raise _KeysRefusedError(self._hide(_stated(data)))
        if message.get("stream") != UPDATES or (isinstance(data, dict) and is_foreign(data.get("order"))):
            return
        try:
            update = an_update(data)
        except UnreadableFieldError as error:
            self.unread.note(f"order update: {error}", raw)
            hear(an_unread_update(data, self._hide(str(error))))
            return
        hear(update)

    def _decoded(self, raw: str | bytes, hear: HearUpdate | None = None) -> dict[str, Any]:
        """Parse one message; an unreadable one is noted and handed on as unread."""
        try:
            message = decoded(raw)
        except NotJsonError:
            message = None
        if isinstance(message, dict):
            return message
        self.unread.note(NO_OBJECT, raw)
        if hear is not None:
            hear(UnreadUpdate(NO_OBJECT))
        return {}


def _stated(data: object) -> str:
    message = data.get("message") if isinstance(data, dict) else None
    return (foreign(message[:100]) if isinstance(message, str) else "") or "unauthorized"


def _words(error: Exception, url: str) -> str:
    if isinstance(error, InvalidStatus):
        return f"the server said HTTP {error.response.status_code}"
    if isinstance(error, ConnectionClosed):
        return "the connection broke"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the server's certificate cannot be verified: check the clock and the network"
    if isinstance(error, TimeoutError):
        return f"no answer in time{by_proxy(url)}; check the network"
    if is_unnamed(error):
        return f"the server cannot be reached{by_proxy(url)}: {UNNAMED}"
    if isinstance(error, OSError):
        return f"the server cannot be reached{by_proxy(url)}; check the network"
    if isinstance(error, (_NotAsAgreedError, ProxyRefusedError)):
        return str(error)
    if isinstance(error, (ProxyError, InvalidProxy)):
        return f"no way to the server{by_proxy(url)}, which does not let us through; check it"
    return f"the server does not speak as agreed ({type(error).__name__})"
