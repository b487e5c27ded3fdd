"""Assemble a desk at a broker: its keys, their account, its calendar, and the live engine between two adapters.

The settings choose the broker and the source of prices, by the names in `core/brokers/registry.py` and
`core/market/registry.py`; nothing here depends on one of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import MINYEAR, datetime, timedelta
from typing import TYPE_CHECKING

from console.commands.assembly.engines import (
    installation,
    keeper_of,
    notifier_of,
    open_engine,
    signing_of,
    vix_of,
    watchlists_of,
)
from console.commands.assembly.host import Host
from console.commands.assembly.settings import LastTime, mode_of, settings_of
from core.ports import OperatorError
from state.files import AccountFolder

if TYPE_CHECKING:
    from core.brokers.port import AccountBroker, Broker, BrokerKind
    from core.engine import Engine
    from core.market.calendar import ExchangeCalendar
    from core.market.port import LiveSource, SourceKind
    from core.model.account import Mode
    from core.model.api_contract import Keys
    from core.runtime.clock_guard import ClockGuard
    from core.runtime.live import LiveRuntime
    from core.runtime.news_watch import NewsWatch
    from core.settings.settings import Settings

CALENDAR_BEHIND, CALENDAR_AHEAD = timedelta(days=600), timedelta(days=370)
"""Behind are the sessions of all results that are kept (`RESULTS_KEPT`)."""


def keys_of_source(host: Host, source: SourceKind, kind: BrokerKind, keys: Keys, mode: Mode) -> Keys:
    """Return the source's keys: the broker's own if the source uses the same names. Raises `OperatorError`."""
    from state.credentials import find_keys

    return keys if source.keys == kind.keys else find_keys(host.environ, mode, source.keys)


def _account_folder(host: Host, kind: BrokerKind, broker: AccountBroker, keys: Keys) -> AccountFolder:
    """Return the folder of the account that these keys had first, and keep the broker's answers to that account.

    Raises OperatorError: the keys are refused, or the broker cannot be reached and never was with these keys.
    """
    from core.model.api_contract import AccountRefusedError
    from core.model.broker import NoAnswer
    from state.credentials import KnownAccounts

    known = KnownAccounts(host.home)
    name = known.name_of(keys)
    try:
        told = broker.standing()
    except AccountRefusedError as error:
        raise OperatorError(str(error)) from None
    if name is None:
        if isinstance(told, NoAnswer):
            raise OperatorError(f"{told.reason}; `keyturn doctor` says what to do")
        name = kind.account_id(told.account.name)
        known.remember(keys, name)
    broker.keep_to(name.removeprefix(kind.prefix))
    return host.home.account(name)


def account_of_the_keys(host: Host, settings: Settings) -> AccountFolder:
    """Return the folder of the keys' account, which need not exist. Raises `OperatorError`."""
    from state.credentials import find_keys

    mode = mode_of(host, settings)
    kind = real_broker(settings)
    keys = find_keys(host.environ, mode, kind.keys)
    broker = kind.connect(settings, mode, keys).broker
    try:
        return _account_folder(host, kind, broker, keys)
    finally:
        broker.close()


def calendar_from_now() -> ExchangeCalendar:
    """Return the exchange's own sessions, without an end; what the broker announces is followed from the start on."""
    from core.io.wall_clock import utc_now
    from core.market.calendar import load_calendar

    today = utc_now().date()
    return load_calendar(today - CALENDAR_BEHIND, today + CALENDAR_AHEAD, has_end=False)


def live_runtime(host: Host, settings: Settings, mode: Mode, keys: Keys, stack: ExitStack) -> LiveRuntime:
    """Return the engine at a broker, restored from its journal; no core dump holds its keys."""
    from core.io.core_dumps import forbid_core_dumps
    from core.io.wall_clock import utc_now
    from core.model.values import Symbol
    from core.runtime.live import LiveRuntime
    from core.runtime.market_history import SPY, PastWatch, RegimeWatch
    from core.runtime.reference_data import Announcements, AssetWatch, ChartWatch
    from core.workflows.session_watch import AHEAD
    from state.kill_switch import FileKillSwitch
    from state.running_engine import EngineLock, thread_dumps

    forbid_core_dumps()
    kind = real_broker(settings)
    source = source_of(settings, kind)
    keys_of_data = keys_of_source(host, source, kind, keys, mode)
    connected = kind.connect(settings, mode, keys)
    broker = connected.broker
    stack.callback(broker.close)
    folder = _account_folder(host, kind, broker, keys)
    mended = folder.prepare()
    lock = stack.enter_context(EngineLock(folder))
    stack.enter_context(thread_dumps(folder))
    switch = FileKillSwitch(folder, host.environ)
    switch.prepare()
    engine, checkpoints = open_engine(host, folder, calendar_from_now(), mode, stack, settings=settings)
    calendar = engine.state.calendar
    engine.notes = (*mended, *lock.notes, *_word_on_gates(settings, mode), *engine.notes)
    guard = _clock_beside(broker, engine.state.at)
    day = calendar.trading_day(at := guard.read())
    engine.apply(at, settings, installation(folder), broker.sessions(day, day + AHEAD))
    engine.state.sightings.capabilities = kind.capabilities
    market = source.make(
        settings,
        keys_of_data,
        [Symbol(text) for text in settings.symbols],
        calendar,
        dict(engine.state.normaliser.state.last_starts),
    )
    control = engine.state.control
    halt = lambda: control.settings.risk.protections.volatility_halt  # noqa: E731 - as it is in force
    past = PastWatch(market.history, market.recent_days, calendar, utc_now, halt)
    regime = RegimeWatch(vix_of(host, settings), lambda: market.daily_bars(SPY), utc_now)
    news = _news_of(engine, market)
    last_time = LastTime(folder, (), host.environ, lambda _left: settings)
    left_out = last_time.settled(engine.state, settings)
    runtime = LiveRuntime(
        engine,
        broker,
        connected.orders,
        market,
        switch=switch,
        regime=regime,
        past=past,
        announcements=Announcements(market.corporate_actions, calendar, utc_now),
        assets=AssetWatch(broker.assets, calendar, utc_now),
        charts=ChartWatch(market.history, market.chart_days, calendar, utc_now),
        news=news,
        steady=time.monotonic,
        guard=guard,
        keeper=keeper_of(
            host,
            folder,
            switch,
            checkpoints,
            (),
            left_out,
            last_time.sources(),
            watchlists_of(host),
            signing_of(host, folder, settings, (kind.keys, source.keys)),
        ),
        notifier=notifier_of(host, settings, engine),
    )
    broker.show_on(runtime.inbox.show)
    return runtime


def _news_of(engine: Engine, market: LiveSource) -> NewsWatch | None:
    """Return what asks for headlines; None if the source has none."""
    from core.io.wall_clock import utc_now
    from core.market.port import NewsSource
    from core.model.news import NO_SOURCE, NOT_YET, NewsBook, NewsView
    from core.runtime.news_watch import NewsWatch

    sightings, control = engine.state.sightings, engine.state.control
    if not isinstance(market, NewsSource):
        sightings.headlines = NewsBook(NewsView(note=NO_SOURCE))
        return None
    sightings.headlines = NewsBook(NewsView(note=NOT_YET))
    return NewsWatch(market, utc_now, lambda: control.settings.news.enabled, engine.say)


def _clock_beside(broker: Broker, last_record: datetime) -> ClockGuard:
    """Compare this machine's clock with the broker's, before anything is recorded by it (EX-23)."""
    from core.io.wall_clock import elapsed, utc_now
    from core.model.broker import NoAnswer
    from core.runtime.clock_guard import ClockGuard

    guard = ClockGuard(utc_now, elapsed, last_record, awake=time.monotonic)
    is_told = False
    for _ in range(2):  # a large lead needs a second reading
        asked = elapsed()
        told = broker.time()
        if isinstance(told, NoAnswer):
            break
        is_told = True
        if guard.hear(told.at, asked, elapsed()).is_near:
            break
    if not is_told and last_record.year > MINYEAR:
        guard.doubt()
    return guard


def live_books(
    host: Host, folder: AccountFolder, stack: ExitStack, *, accept: bool
) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
    """Return a real account's books, queried with the configured keys, which must belong to it."""
    from state.credentials import find_keys

    settings = settings_of(host)
    mode = mode_of(host, settings)
    kind = real_broker(settings)
    keys = find_keys(host.environ, mode, kind.keys)
    broker = kind.connect(settings, mode, keys).broker
    stack.callback(broker.close)
    theirs = _account_folder(host, kind, broker, keys).name
    if theirs != folder.name:
        raise OperatorError(f"{folder.name}: the keys that are set are of account {theirs}; set its own")
    engine, checkpoints = open_engine(host, folder, calendar_from_now(), mode, stack, settings=settings, is_kept=accept)
    guard = _clock_beside(broker, engine.state.at)
    engine.apply(guard.read(), settings, installation(folder))
    return engine, broker, guard.read, checkpoints.write


def real_broker(settings: Settings) -> BrokerKind:
    """Return the broker of the settings; if they name the simulated exchange, the first real one."""
    from core.brokers.port import BrokerKind
    from core.brokers.registry import BROKERS

    named = BROKERS[settings.account.broker]
    return named if isinstance(named, BrokerKind) else next(k for k in BROKERS.values() if isinstance(k, BrokerKind))


def source_of(settings: Settings, kind: BrokerKind) -> SourceKind:
    """Return the source of prices: the configured one, otherwise the broker's."""
    from core.market.registry import SOURCES

    return SOURCES[settings.account.data or kind.source]


def _word_on_gates(settings: Settings, mode: Mode) -> tuple[str, ...]:
    """Return the notice that only one of the two gates is open and this is paper trading (OP-10)."""
    if settings.account.mode is mode:
        return ()
    return ('account.mode is "live" and KEYTURN_ALLOW_LIVE is not 1: this desk trades on PAPER',)
