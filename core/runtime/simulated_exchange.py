"""The simulated exchange of the settings: opened once with fixed rules, rebuilt from the market and its log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from core.brokers.simulated.config import EDITION, FIRST_EDITION
from core.brokers.simulated.exchange import ExchangeConfig, Record, RequestLog, SimulatedExchange, rebuild
from core.brokers.simulated.log import EVENTS, FRICTIONS, MARKET, OPENING, RULES, RULES_EDITION
from core.model.bar import Bar
from core.model.calendar import Calendar
from core.ports import OperatorError
from core.runtime.link import Link
from core.settings.settings import Settings


def config_of(settings: Settings, account: str, seed: str, edition: int = EDITION) -> ExchangeConfig:
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
        slippage_by_size=exchange.slippage_by_size,
        partial_fills=exchange.partial_fills,
        rejections=exchange.rejections,
        halts=exchange.halts,
        halt_minutes=exchange.halt_minutes,
        margin_interest=exchange.margin_interest,
        events=exchange.events,
        sec_fee=exchange.sec_fee,
        taf_fee=exchange.taf_fee,
        edition=edition,
    )


def link_of(settings: Settings) -> Link:
    return Link(
        timedelta(seconds=float(settings.exchange.latency_seconds)),
        timedelta(seconds=float(settings.exchange.answer_delay_seconds)),
    )


def opening_record(config: ExchangeConfig, symbols: Iterable[str], at: datetime, market: str | None = None) -> Record:
    """Return the first record of a new account's log; a demo's names its market."""
    usual = asdict(ExchangeConfig())
    rules = {
        name: str(value)
        for name, value in asdict(config).items()
        if name in RULES or (name in FRICTIONS and value != usual[name])
    }
    edition = {} if config.edition == FIRST_EDITION else {RULES_EDITION: str(config.edition)}
    scripted = {EVENTS: config.events} if config.events else {}
    of_market = {} if market is None else {MARKET: market}
    return {
        "request": OPENING,
        "at": at.isoformat(),
        "symbols": ",".join(symbols),
        **rules,
        **scripted,
        **edition,
        **of_market,
    }


def edition_of(records: Sequence[Record]) -> int:
    """Return the edition of the matching rules from the account's opening record. Raises `OperatorError`."""
    if not records:
        return EDITION
    opened = records[0].get(RULES_EDITION) if records[0].get("request") == OPENING else None
    edition = FIRST_EDITION if opened is None else int(opened)
    if not FIRST_EDITION <= edition <= EDITION:
        raise OperatorError(
            f"this account was opened under edition {edition} of the exchange's rules, and this keyturn knows "
            f"{FIRST_EDITION} to {EDITION}; use the version that opened it, or open another account with --seed"
        )
    return edition


def market_of(records: Sequence[Record]) -> str | None:
    """Return the demo market named in an account's opening record; None if it names none."""
    return records[0].get(MARKET) if records and records[0].get("request") == OPENING else None


def opening_settings(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the settings with which an account was opened, in the form of `--set`; empty for a new account."""
    if not records or records[0].get("request") != OPENING:
        return ()
    opening = records[0]
    symbols = ", ".join(f"'{symbol}'" for symbol in str(opening["symbols"]).split(","))
    return (
        f"symbols=[{symbols}]",
        *(f"exchange.{name}={opening[name]}" for name in RULES + FRICTIONS if name in opening),
        *((f"exchange.{EVENTS}='{opening[EVENTS]}'",) if opening.get(EVENTS) else ()),
    )


def require_the_same(records: Sequence[Record], config: ExchangeConfig) -> None:
    """Refuse rules that differ from those of the account's opening. Raises `OperatorError`."""
    ours, usual = asdict(config), asdict(ExchangeConfig())
    if records[0].get("request") == OPENING and (records[0].get(EVENTS) or "") != config.events:
        raise OperatorError(
            f"exchange.{EVENTS}: this account was opened with another script, and an exchange keeps its rules; leave "
            "the setting out, or open another account with --seed"
        )
    for name in RULES + FRICTIONS:
        opened = records[0].get(name, str(usual[name]) if name in FRICTIONS else None)
        if opened is not None and str(ours[name]) != opened and ours[name] != type(ours[name])(opened):
            raise OperatorError(
                f"exchange.{name} = {ours[name]}: this account was opened with {opened}, and an exchange keeps its "
                "rules; leave the setting out, or open another account with --seed"
            )


def requests_of(records: Sequence[Record]) -> list[Record]:
    """Return the log without its opening record."""
    return [record for record in records if record.get("request") != OPENING]


def resumed(
    config: ExchangeConfig,
    calendar: Calendar,
    log: RequestLog,
    bars: Iterable[Bar],
    records: Iterable[Record],
    until: datetime,
    lasts: timedelta | None = None,
) -> SimulatedExchange:
    """Rebuild an exchange that continued while no desk ran; only a comparison shows its updates from then."""
    exchange = SimulatedExchange(config, calendar, log)
    rebuild(exchange, bars, (), records, until, lasts)
    exchange.take_updates()
    return exchange
