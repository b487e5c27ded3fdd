"""The simulated exchange of the settings: made new, or made again from its market and its log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.brokers.simulated.exchange import ExchangeConfig, ExchangeLog, Record, SimulatedExchange, rebuild
from core.model.bar import Bar
from core.model.session import Calendar
from core.runtime.virtual import Link
from core.settings import Settings


def config_of(settings: Settings, account: str, seed: str) -> ExchangeConfig:
    exchange = settings.exchange
    return ExchangeConfig(
        account=account,
        cash=exchange.cash,
        multiplier=exchange.multiplier,
        slippage=exchange.slippage,
        half_spread_ticks=exchange.half_spread_ticks,
        participation=exchange.participation,
        fee_per_share=exchange.fee_per_share,
        settlement_days=exchange.settlement_days,
        seed=seed,
    )


def link_of(settings: Settings) -> Link:
    return Link(
        timedelta(seconds=float(settings.exchange.latency_seconds)),
        timedelta(seconds=float(settings.exchange.answer_delay_seconds)),
    )


def resumed(
    config: ExchangeConfig,
    calendar: Calendar,
    log: ExchangeLog,
    bars: Iterable[Bar],
    records: Iterable[Record],
    until: datetime,
) -> SimulatedExchange:
    """An exchange that went on while nobody looked: what it told then is told again only by a comparison."""
    exchange = SimulatedExchange(config, calendar, log)
    rebuild(exchange, bars, (), records, until)
    exchange.take_updates()
    return exchange
