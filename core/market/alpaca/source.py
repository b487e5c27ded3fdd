"""Alpaca's market data as a source. The client library is imported only when one is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.market.port import LiveSource, SourceKind
from core.model.api_contract import KeyNames

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.model.api_contract import ApiRecord, Keys
    from core.model.session import Calendar
    from core.model.values import Symbol
    from core.settings.settings import Settings


def make(
    settings: Settings,
    keys: Keys,
    symbols: Sequence[Symbol],
    calendar: Calendar,
    known: Mapping[Symbol, datetime],
) -> LiveSource:
    from core.market.alpaca.data import AlpacaData

    return AlpacaData(settings.alpaca, keys.key_id, keys.secret, symbols, calendar, known=known)


def contract() -> tuple[ApiRecord, ...]:
    from core.market.alpaca.parsing import RECORDS

    return RECORDS


ALPACA_DATA = SourceKind(
    name="alpaca",
    keys=KeyNames("Alpaca", "APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "keyturn"),
    make=make,
    reached_by="alpaca.feed (sip needs a subscription) and alpaca.data_url",
    contract=contract,
)
