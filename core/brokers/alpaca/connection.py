"""Alpaca as a broker. The client library is imported only when a connection is made."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from core.brokers.alpaca.keys import checked
from core.brokers.port import BrokerKind, Connected
from core.model.api_contract import KeyNames
from core.model.broker import Capabilities
from core.model.order import OrderType

if TYPE_CHECKING:
    from core.model.account import Mode
    from core.model.api_contract import ApiRecord, Keys
    from core.settings.settings import Settings


TAKES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
"""The gate refuses every other type: Alpaca does not know it."""


def connect(settings: Settings, mode: Mode, keys: Keys) -> Connected:
    from core.brokers.alpaca.broker import AlpacaBroker
    from core.brokers.alpaca.stream import AlpacaOrderStream

    return Connected(AlpacaBroker(keys, mode, settings.alpaca), AlpacaOrderStream(keys, mode, settings.alpaca))


def contract() -> tuple[ApiRecord, ...]:
    from core.brokers.alpaca.contract import RECORDS

    return RECORDS


A_MINUTE = 200
"""Requests per minute of an account, its documented default."""

ALPACA = BrokerKind(
    name="alpaca",
    title="Alpaca",
    capabilities=Capabilities(
        order_types=TAKES,
        closing_only_at=Decimal(6),
        short_over_ask=Decimal("0.03"),
        refuses_wash_trades=True,
        cancels_wait=True,
        messages_a_minute=A_MINUTE,
        tells_activities=True,
    ),
    keys=KeyNames("Alpaca", "APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "keyturn", checked),
    connect=connect,
    source="alpaca",
    reached_by="alpaca.trading_url",
    contract=contract,
)
