"""Assemble a desk on the simulated exchange: the demo and the stress desk. One thread, virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.commands.assembly.engines import keeper_of, notifier_of, open_engine, own_files, watchlists_of
from console.commands.assembly.host import Host
from console.commands.assembly.recordings import keys_of, operator_by
from console.commands.assembly.settings import LastTime, settings_of
from core.model.lazy_dataclass import dataclass
from state.files import AccountFolder

if TYPE_CHECKING:
    from core.brokers.port import Broker
    from core.brokers.simulated.exchange import Record, SimulatedExchange
    from core.engine import Engine
    from core.market.calendar import ExchangeCalendar
    from core.messages.effects import FetchHistory, LookUpSymbols
    from core.model.bar import Bar
    from core.model.session import Session
    from core.runtime.demo_market import DemoMarket
    from core.runtime.feed import Timed
    from core.runtime.inbox import Operator
    from core.runtime.simulated_exchange import PlayedFile, QuoteRounds, RunStarted
    from core.runtime.virtual import VirtualRuntime
    from core.settings.settings import Settings
    from state.kill_switch import FileKillSwitch
    from state.simulated_logs import ExchangeLogFile


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of a demo; `speed` is in virtual seconds per second.

    `vix` and `market` are files of daily figures for the regime (RK-19). Without a `profile` an existing account keeps
    its own. `watched` is the length of the stress desk's watchlist.
    """

    seed: int = 1
    speed: float = 1.0
    operator: str = "none"
    profile: str | None = None
    overrides: tuple[str, ...] = ()
    vix: Path | None = None
    market: Path | None = None
    watched: int = 0


def demo_runtime(host: Host, options: DemoOptions, stack: ExitStack) -> VirtualRuntime:
    """Return the demo's engine, restored from its journal and its exchange's log."""
    from core.brokers.simulated.log import time_of
    from core.model.account import Mode
    from core.runtime import demo
    from core.runtime.simulated_exchange import (
        RunKind,
        RunStarted,
        config_of,
        edition_of,
        opening_settings,
        require_the_same,
    )
    from core.runtime.virtual import VirtualRuntime
    from state.simulated_logs import ExchangeLogFile, RunLogFile, file_played

    folder = demo_folder(host, options)
    switch, mended = _taken(host, folder, stack)
    calendar = demo_calendar()
    log = stack.enter_context(closing(ExchangeLogFile(folder)))
    records = list(log.records())
    chosen = (*_given(options), *opening_settings(records), *options.overrides)
    market = demo.demo_market(records, options.profile, usual=_usual_market(host, options, chosen))
    host = on_stage(host, market)
    settings = settings_of(host, chosen)
    engine, checkpoints = open_engine(host, folder, calendar, Mode.PAPER, stack, settings=settings)
    engine.notes = (*mended, *engine.notes)
    sequence = engine.state.journal.sequence
    last = max([engine.state.at, *(time_of(record) for record in records[-1:])])
    now = demo.sessions_from(calendar, demo.FIRST_DAY)[0].open if sequence == 0 else last
    last_time = LastTime(folder, options.overrides, host.environ, lambda left: settings_of(host, (*chosen, *left)))
    last_time.require(lambda s: demo.require_sound(engine.state, records, s, is_new=sequence == 0), settings)
    if records:
        config = config_of(settings, folder.name, str(options.seed), edition_of(records))
        require_the_same(records, config, settings.exchange.frictions)
    started = RunStarted(
        RunKind.DEMO,
        now,
        sequence,
        len(records),
        settings,
        market.name,
        options.seed,
        options.speed,
        keys_of(options.operator),
        vix=None if options.vix is None else file_played(options.vix),
        market=None if options.market is None else file_played(options.market),
        strategies=own_files(host, settings),
    )
    parts = demo_parts(started, market, engine, log, records, calendar)
    left_out = last_time.settled(engine.state, settings)
    return VirtualRuntime(
        **parts,
        switch=switch,
        steady=time.monotonic if settings.strategies.own else None,  # the built-in strategies need no timing
        keeper=keeper_of(host, folder, switch, checkpoints, chosen, left_out, last_time.sources(), watchlists_of(host)),
        notifier=notifier_of(host, settings, engine) if settings.notify.in_demo else None,
        recorder=stack.enter_context(closing(RunLogFile(folder, started))),
    )


def demo_calendar() -> ExchangeCalendar:
    from core.market.calendar import load_calendar
    from core.runtime import demo

    return load_calendar(demo.FIRST_DAY, demo.LAST_DAY)


def demo_parts(
    started: RunStarted,
    market: DemoMarket,
    engine: Engine,
    log: ExchangeLogFile,
    records: Sequence[Record],
    calendar: ExchangeCalendar,
) -> dict[str, Any]:
    """Return the parts of a demo's runtime.

    The engine with current settings, the exchange restored from its log, the market from there on, and the operator.
    """
    from core.market.synthetic import listed_in_the_demo
    from core.model.values import Symbol
    from core.runtime import demo
    from core.runtime.demo_market import DemoCharts
    from core.runtime.feed import RegimeFiles, merged, regime_of_files
    from core.runtime.reference_data import AssetBook
    from core.runtime.simulated_exchange import config_of, edition_of, link_of, opening_record, requests_of, resumed
    from core.runtime.virtual_time import Pace

    now, seed, settings = started.at, started.seed, started.settings
    account, is_new = engine.state.account_name, started.sequence == 0
    config = config_of(settings, account, str(seed), edition_of(records))
    if is_new and not records:
        log.append(opening_record(config, settings.symbols, now, market.name))
    bars = _traded_bars(market, seed, settings, records, calendar, now)
    exchange = resumed(config, calendar, log, bars, requests_of(records), now, market.lasts)
    engine.apply(now, settings, f"simulated-{seed}")
    every = demo.sessions_from(calendar, demo.FIRST_DAY)
    sessions = [s for s in every if s.close > now]
    pace = Pace(started.speed)
    free_until, operator = _opening(started, market, engine, sessions[0]) if is_new else (None, None)
    pace.free_until = free_until
    before = next((s for s in reversed(every) if s.close <= now), None)
    feed = _not_heard_yet(market, seed, settings, sessions, before, engine)
    regime = regime_of_files(
        RegimeFiles(path_of(started.vix), path_of(started.market)),
        calendar,
        now,
        max((s.close for s in sessions), default=now),
    )
    return {
        "engine": engine,
        "exchange": exchange,
        "feed": merged([feed, regime]) if regime else feed,
        "start": now,
        "link": link_of(settings),
        "pace": pace,
        "operator": operator or operator_by(started.operator, engine, now),
        "quotes": _quotes_of(market, exchange, engine, free_until or now, started.speed or 1.0),
        "assets": AssetBook(listed_in_the_demo(settings.symbols)),
        "charts": DemoCharts(market, seed, every, tuple(map(Symbol, settings.symbols))),
        "history": _history(market, seed, settings, every),
    }


def stress_runtime(host: Host, options: DemoOptions, stack: ExitStack) -> VirtualRuntime:
    """Return the stress desk's engine, on an account that is reset each time."""
    from core.brokers.simulated.exchange import SimulatedExchange
    from core.market.synthetic import listed_in_the_demo
    from core.model.account import Mode
    from core.runtime import stress_market
    from core.runtime.reference_data import AssetBook
    from core.runtime.simulated_exchange import config_of, link_of, opening_record
    from core.runtime.stress_market import StressScript
    from core.runtime.virtual import VirtualRuntime
    from core.runtime.virtual_time import Pace
    from state.restoring import begin_anew
    from state.simulated_logs import ExchangeLogFile

    folder = stress_folder(host)
    switch, _ = _taken(host, folder, stack, begin_anew)
    calendar = stress_market.OneSession()
    settings = settings_of(host, (*stress_market.SETTINGS, *options.overrides))
    log = stack.enter_context(closing(ExchangeLogFile(folder)))
    config = config_of(settings, folder.name, str(options.seed))
    log.append(opening_record(config, settings.symbols, stress_market.OPEN))
    engine, checkpoints = open_engine(host, folder, calendar, Mode.PAPER, stack, settings=settings)
    engine.apply(stress_market.OPEN, settings, f"stress-{options.seed}")
    pace = Pace(options.speed)
    pace.free_until = stress_market.READY_AT
    return VirtualRuntime(
        engine,
        SimulatedExchange(config, calendar, log),
        stress_market.market(options.seed, options.speed, options.watched),
        start=stress_market.OPEN,
        switch=switch,
        link=link_of(settings),
        pace=pace,
        operator=StressScript(engine.state, options.seed, options.watched),
        assets=AssetBook(
            listed_in_the_demo(dict.fromkeys((*settings.symbols, *stress_market.watchlist(options.watched))))
        ),
        keeper=keeper_of(host, folder, switch, checkpoints, (*stress_market.SETTINGS, *options.overrides)),
    )


def demo_folder(host: Host, options: DemoOptions) -> AccountFolder:
    """Return the account of a seed."""
    from core.runtime.demo import demo_account

    return host.home.account(demo_account(options.seed))


def stress_folder(host: Host) -> AccountFolder:
    """Return the one account of the stress desk."""
    from core.runtime.stress_market import ACCOUNT

    return host.home.account(ACCOUNT)


def demo_books(
    host: Host, folder: AccountFolder, seed: int, stack: ExitStack, *, accept: bool
) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
    """Return the demo's account with its restored exchange; both are written only with `accept`."""
    from core.brokers.simulated.exchange import SimulatedBroker
    from core.brokers.simulated.log import time_of
    from core.market.calendar import load_calendar
    from core.model.account import Mode
    from core.model.values import Symbol
    from core.runtime import demo
    from core.runtime.simulated_exchange import config_of, edition_of, opening_settings, requests_of, resumed
    from state.simulated_logs import ExchangeLogFile

    calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
    log = stack.enter_context(closing(ExchangeLogFile(folder)))
    records = list(log.records())
    market = demo.demo_market(records)
    settings = settings_of(on_stage(host, market), opening_settings(records))
    engine, checkpoints = open_engine(host, folder, calendar, Mode.PAPER, stack, settings=settings, is_kept=accept)
    opens = demo.sessions_from(calendar, demo.FIRST_DAY)[0].open
    now = max([engine.state.at, opens, *(time_of(record) for record in records[-1:])])
    engine.apply(now, settings, f"simulated-{seed}")
    bars = _traded_bars(market, seed, settings, records, calendar, now)
    config = config_of(settings, folder.name, str(seed), edition_of(records))
    exchange = resumed(config, calendar, log, bars, requests_of(records), now, market.lasts)
    broker = SimulatedBroker(exchange, now, tuple(Symbol(text) for text in settings.symbols))
    return engine, broker, lambda: now, checkpoints.write


def _given(options: DemoOptions) -> tuple[str, ...]:
    """Return the settings that the options stand for."""
    from core.runtime.demo import BUSY, SLOW

    slow = SLOW if options.operator != "none" else ()
    if options.profile is not None:
        return (f"profile='{options.profile}'", *slow)
    return (*(BUSY if slow else ()), *slow)


def _usual_market(host: Host, options: DemoOptions, chosen: tuple[str, ...]) -> DemoMarket:
    """Return the market of a new account: lively with the stage's settings and no scripted operator."""
    from core.runtime.demo import STAGE
    from core.runtime.demo_market import CALM, LIVELY

    is_on_stage = settings_of(on_stage(host, LIVELY), chosen).profile == STAGE["profile"]
    return LIVELY if is_on_stage and options.operator == "none" else CALM


def _taken(
    host: Host, folder: AccountFolder, stack: ExitStack, begin_anew: Callable[[AccountFolder], object] | None = None
) -> tuple[FileKillSwitch, tuple[str, ...]]:
    """Lock the account for this process; return its kill switch, and descriptions of repairs."""
    from state.kill_switch import FileKillSwitch
    from state.running_engine import EngineLock, thread_dumps

    mended = folder.prepare()
    mended += stack.enter_context(EngineLock(folder)).notes
    stack.enter_context(thread_dumps(folder))
    if begin_anew is not None:
        begin_anew(folder)
    switch = FileKillSwitch(folder, host.environ)
    switch.prepare()
    return switch, mended


def _opening(
    started: RunStarted, market: DemoMarket, engine: Engine, session: Session
) -> tuple[datetime, Operator | None]:
    """Return the time until which a new account runs without waiting, and its opening script."""
    from core.runtime import demo
    from core.runtime.demo import BOUGHT, LEAD_BARS, OpeningScript
    from core.runtime.demo_market import LIVELY

    state = engine.state
    lead = LEAD_BARS if market is LIVELY else timedelta(0)
    begin = demo.opening_instant(
        started.seed,
        started.settings,
        session,
        state.calendar.venue,
        state.orchestrator.kinds,
        market,
        lead,
        BOUGHT if market is LIVELY else (),
    )
    is_prepared = market is LIVELY and started.operator == "none"
    return begin, OpeningScript(state, market, started.seed, session, begin) if is_prepared else None


def path_of(played: PlayedFile | None) -> Path | None:
    return None if played is None else Path(played.path)


def on_stage(host: Host, market: DemoMarket) -> Host:
    """Put the stage's settings below the operator's, in a lively market."""
    from core.runtime.demo import STAGE
    from core.runtime.demo_market import LIVELY

    return replace(host, stage=STAGE) if market is LIVELY else host


def _quotes_of(
    market: DemoMarket, exchange: SimulatedExchange, engine: Engine, start: datetime, speed: float
) -> QuoteRounds | None:
    """Return the quotes of a market with slices, once per second of wall time at most."""
    from core.runtime.reference_data import followed
    from core.runtime.simulated_exchange import QuoteRounds

    if market.lasts is None:
        return None
    every = timedelta(seconds=max(1.0, speed))
    return QuoteRounds(exchange, engine.state.calendar, lambda: followed(engine.state), every, start)


def _traded_bars(
    market: DemoMarket,
    seed: int,
    settings: Settings,
    records: Sequence[Record],
    calendar: ExchangeCalendar,
    now: datetime,
) -> Iterator[Bar]:
    """Return the bars that the exchange has traded by until now, in every symbol ever used."""
    from core.runtime import demo

    asked = {str(record["symbol"]) for record in records if record.get("symbol")}
    sessions = demo.sessions_from(calendar, demo.FIRST_DAY)
    return market.until(seed, sorted({*settings.symbols, *asked}), sessions, now)


def _history(
    market: DemoMarket, seed: int, settings: Settings, sessions: Sequence[Session]
) -> Callable[[FetchHistory | LookUpSymbols], tuple[Bar, ...]]:
    """Return the earlier history for display only.

    Strategies begin without it, so that every demo of a seed is the same.
    """
    from core.messages.effects import LookUpSymbols

    def told(asked: FetchHistory | LookUpSymbols) -> tuple[Bar, ...]:
        if not isinstance(asked, LookUpSymbols):
            return ()
        symbols = [symbol for symbol in asked.symbols if symbol in settings.symbols]
        return market.told(seed, symbols, sessions, asked.start, asked.end)

    return told


def _not_heard_yet(
    market: DemoMarket, seed: int, settings: Settings, sessions: list[Session], before: Session | None, engine: Engine
) -> Iterator[Timed]:
    """Yield the seeded market from the engine's last bar on; `before` is the session before the first one, if any."""
    from core.messages.inputs import CorporateActionsArrived, PastArrived
    from core.model.values import Symbol
    from core.runtime.feed import merged

    known = engine.state.normaliser.state.last_starts
    for item in merged(market.feed(seed, Symbol(text), sessions, before) for text in settings.symbols):
        is_past = isinstance(item[2], PastArrived | CorporateActionsArrived)
        if is_past or item[0] > known.get(item[2].bar.symbol, datetime.min.replace(tzinfo=item[0].tzinfo)):  # type: ignore[union-attr]
            yield item
