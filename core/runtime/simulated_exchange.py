"""The simulated exchange of the settings: opened with fixed rules, its quotes as a stream, and the record of a run
(AN-06).

Market, answers and deadlines follow from a seed or from files. The record has the rest: how the run began, each command
of people and file keepers with the number of events before it, and when the run was told to leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from core.brokers.simulated.config import EDITION, FIRST_EDITION
from core.brokers.simulated.exchange import ExchangeConfig, Record, RequestLog, SimulatedExchange, rebuild
from core.brokers.simulated.log import EVENTS, FRICTIONS, MARKET, OPENING, RULES, RULES_EDITION
from core.messages.commands import Command
from core.messages.inputs import FromAgent, FromNotifier, QuoteArrived
from core.model.bar import Bar, Quote
from core.model.lazy_dataclass import dataclass
from core.model.session import Calendar, Session
from core.model.values import Price, Symbol
from core.ports import OperatorError
from core.runtime.inbox import Link
from core.settings.orders import REALISTIC
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


def require_the_same(records: Sequence[Record], config: ExchangeConfig, frictions: str = "none") -> None:
    """Refuse rules that differ from those of the account's opening. Raises `OperatorError`.

    `frictions` is the setting that a figure of them follows.
    """
    ours, usual = asdict(config), asdict(ExchangeConfig())
    if records[0].get("request") == OPENING and (records[0].get(EVENTS) or "") != config.events:
        raise OperatorError(
            f"exchange.{EVENTS}: this account was opened with another script, and an exchange keeps its rules; leave "
            "the setting out, or open another account with --seed"
        )
    for name in RULES + FRICTIONS:
        opened = records[0].get(name, str(usual[name]) if name in FRICTIONS else None)
        if opened is not None and str(ours[name]) != opened and ours[name] != type(ours[name])(opened):
            is_of_preset = frictions != "none" and str(ours[name]) == REALISTIC.get(name)
            key, told, was = (
                ("frictions", frictions, f"{name} {opened}") if is_of_preset else (name, ours[name], opened)
            )
            raise OperatorError(
                f"exchange.{key} = {told}: this account was opened with {was}, and an exchange keeps its rules; leave "
                "the setting out, open another account with --seed, or begin anew with `keyturn state reset`"
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


Said = Command | FromNotifier | FromAgent


class RunKind(Enum):
    DEMO = "demo"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class PlayedFile:
    """A file of recorded data, and the SHA-256 of its content."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """How a run began.

    Attributes
    ----------
    sequence, requests
        The number of earlier records in the journal, and of earlier lines in the exchange's log.
    stage, seed
        The name of a demo's market, and its seed.
    speed
        Virtual seconds per second, which sets the quote interval; None is unlimited.
    operator
        The operator: `none`, `confirm-all`, or the text of a script.
    files, quotes
        The files of a replay.
    strategies
        The enabled strategies of the user.
    zone
        The time zone that was named for times without one in the files of bars; empty if none was.
    """

    kind: RunKind
    at: datetime
    sequence: int
    requests: int
    settings: Settings
    stage: str
    seed: int
    speed: float | None
    operator: str
    files: tuple[PlayedFile, ...] = ()
    quotes: tuple[PlayedFile, ...] = ()
    vix: PlayedFile | None = None
    market: PlayedFile | None = None
    strategies: tuple[PlayedFile, ...] = ()
    zone: str = ""


@dataclass(frozen=True, slots=True)
class HeardFromOutside:
    """An external input after `events` events of the run; `terminal` and `user` belong to the port it came through."""

    events: int
    at: datetime
    said: Said
    terminal: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class RunLeft:
    """The run was told to leave after this many events, and the reason recorded with its stop."""

    events: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run; `left` is None if it continues, reached its own end, or crashed."""

    started: RunStarted
    heard: tuple[HeardFromOutside, ...] = ()
    left: RunLeft | None = None


class RunRecorder(Protocol):
    """Writes the record, in the runtime's thread. Never raises: a failed record does not stop the run."""

    def heard(self, what: HeardFromOutside) -> None: ...

    def left(self, what: RunLeft) -> None: ...


class QuoteRounds:
    """`next_at` is the time of the next round.

    Parameters
    ----------
    symbols
        The symbols to quote, called in every round.
    every
        The interval between two rounds.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        calendar: Calendar,
        symbols: Callable[[], Iterable[Symbol]],
        every: timedelta,
        start: datetime,
    ) -> None:
        self._exchange = exchange
        self._calendar = calendar
        self._symbols = symbols
        self._every = every
        self._told: dict[Symbol, tuple[Price, Price]] = {}
        self.next_at = start

    def look(self, at: datetime) -> Iterator[QuoteArrived]:
        """Yield the quotes that changed since the last round.

        The next round is after the interval, or at the next open.
        """
        if not isinstance(self._calendar.session_at(at), Session):
            self.next_at = self._calendar.next_session(at).open
            return
        self.next_at = at + self._every
        for symbol in self._symbols():
            quote = self._exchange.quote(at, symbol)
            if isinstance(quote, Quote) and self._told.get(symbol) != (quote.bid, quote.ask):
                self._told[symbol] = (quote.bid, quote.ask)
                yield QuoteArrived(quote)
