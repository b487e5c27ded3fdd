"""Alpaca's addresses and time-outs."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator

from core.settings.types import Seconds, SettingsTable, checked_url


class AlpacaSettings(SettingsTable):
    """Alpaca: its addresses and time-outs. Keys are never part of the settings."""

    trading_url: str = Field("", description="another server for orders; empty is Alpaca's own")
    data_url: str = Field("", description="another server for market data")
    trade_stream_url: str = Field("", description="another server for order updates")
    data_stream_url: str = Field("", description="another server for bars and quotes")
    feed: Literal["iex", "sip"] = Field("iex", description="sip needs a subscription")
    connect_seconds: Seconds = Field(Decimal(3), description="until a connection stands")
    read_seconds: Seconds = Field(Decimal(5), description="until an answer has come")
    silence_seconds: Seconds = Field(Decimal(20), description="without a word in session hours: asked, then polled")

    @field_validator("trading_url", "data_url", "trade_stream_url", "data_stream_url")
    @classmethod
    def plain_only_on_loopback(cls, url: str) -> str:
        return checked_url(url, "http", "ws")
