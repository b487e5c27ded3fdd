"""A desk on the simulated exchange: the demo and the stress desk. One thread, virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from typing import TYPE_CHECKING

from console.commands.assembly.last_start import LastTime
from console.commands.assembly.replay import Replaying
from core.ports import DemoRequest
from state.folders import AccountFolder

if TYPE_CHECKING:
    from core.brokers.port import Broker
    from core.engine import Engine
    from core.model.session import Session
    from core.runtime.feed import Timed
    from core.runtime.virtual import VirtualRuntime
    from core.settings.settings import Settings


class Simulated(Replaying):
    """Nothing here reaches a network."""

    def demo_runtime(self, request: DemoRequest, stack: ExitStack) -> VirtualRuntime:
        """The demo's engine, taken up where its journal and its exchange left it."""
        from core.advisers.house import advisers_of
        from core.brokers.simulated.log import time_of
        from core.market.calendar import load_calendar
        from core.model.account import Mode
        from core.runtime import demo
        from core.runtime.feed import merged
        from core.runtime.pace import Pace
        from core.runtime.regime_feed import regime_of_files
        from core.runtime.simulated_exchange import (
            config_of,
            edition_of,
            link_of,
            opening_record,
            opening_settings,
            requests_of,
            require_the_same,
            resumed,
        )
        from core.runtime.virtual import VirtualRuntime
        from state.exchange_log import ExchangeLogFile
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        folder = self._demo_folder(request)
        mended = folder.prepare()
        mended += stack.enter_context(EngineLock(folder)).notes
        switch = FileKillSwitch(folder, self.environ)
        switch.prepare()
        calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
        log = stack.enter_context(closing(ExchangeLogFile(folder)))
        records = list(log.records())
        busy = demo.BUSY if request.operator != "none" else ()
        chosen = (*busy, *opening_settings(records), *request.overrides)
        settings = self._settings(chosen)
        engine, write = self._engine(folder, calendar, Mode.PAPER, stack, settings=settings)
        engine.notes = (*mended, *engine.notes)
        is_new = engine.state.journal.sequence == 0
        last = max([engine.state.at, *(time_of(record) for record in records[-1:])])
        now = demo.sessions_from(calendar, demo.FIRST_DAY)[0].open if is_new else last
        config = config_of(settings, folder.name, str(request.seed), edition_of(records))
        if is_new and not records:
            log.append(opening_record(config, settings.symbols, now))
        last_time = LastTime(folder, request.overrides, self.environ, lambda left: self._settings((*chosen, *left)))
        last_time.require(lambda s: demo.require_sound(engine.state, records, s, is_new=is_new), settings)
        if records:
            require_the_same(records, config)
        traded = {str(record["symbol"]) for record in requests_of(records) if record.get("symbol")}
        exchange = resumed(
            config,
            calendar,
            log,
            demo.bars_until(request.seed, sorted({*settings.symbols, *traded}), calendar, now),
            requests_of(records),
            now,
        )
        begin = demo.opening_instant(request.seed, settings, calendar, engine.state.orchestrator.kinds)
        engine.apply(now, settings, f"simulated-{request.seed}")
        sessions = [s for s in demo.sessions_from(calendar, demo.FIRST_DAY) if s.close > now]
        pace = Pace(request.speed)
        pace.free_until = begin if is_new else None
        feed = _not_heard_yet(request.seed, settings, sessions, engine)
        regime = regime_of_files(request.regime, calendar, now, max((s.close for s in sessions), default=now))
        left_out = last_time.settled(engine.state, settings)
        return VirtualRuntime(
            engine,
            exchange,
            merged([feed, regime]) if regime else feed,
            start=now,
            switch=switch,
            link=link_of(settings),
            pace=pace,
            operator=self._operator(request.operator, engine, now),
            steady=time.monotonic if settings.strategies.own else None,  # the house's own need no measure
            advisers=advisers_of(settings.advisers),
            keeper=self._keeper(folder, switch, write, chosen, left_out, last_time.sources()),
        )

    def stress_runtime(self, request: DemoRequest, stack: ExitStack) -> VirtualRuntime:
        """The stress desk's engine, on an account that begins anew each time."""
        from core.brokers.simulated.exchange import SimulatedExchange
        from core.model.account import Mode
        from core.runtime import stress_market
        from core.runtime.pace import Pace
        from core.runtime.simulated_exchange import config_of, link_of, opening_record
        from core.runtime.stress_script import StressScript
        from core.runtime.virtual import VirtualRuntime
        from state.exchange_log import ExchangeLogFile
        from state.fresh_account import begin_anew
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        folder = self.home.account(stress_market.ACCOUNT)
        folder.prepare()
        stack.enter_context(EngineLock(folder))
        begin_anew(folder)
        switch = FileKillSwitch(folder, self.environ)
        switch.prepare()
        calendar = stress_market.OneSession()
        settings = self._settings((*stress_market.SETTINGS, *request.overrides))
        log = stack.enter_context(closing(ExchangeLogFile(folder)))
        config = config_of(settings, folder.name, str(request.seed))
        log.append(opening_record(config, settings.symbols, stress_market.OPEN))
        engine, write = self._engine(folder, calendar, Mode.PAPER, stack, settings=settings)
        engine.apply(stress_market.OPEN, settings, f"stress-{request.seed}")
        pace = Pace(request.speed)
        pace.free_until = stress_market.READY_AT
        return VirtualRuntime(
            engine,
            SimulatedExchange(config, calendar, log),
            stress_market.market(request.seed, request.speed),
            start=stress_market.OPEN,
            switch=switch,
            link=link_of(settings),
            pace=pace,
            operator=StressScript(engine.state, request.seed),
            keeper=self._keeper(folder, switch, write, (*stress_market.SETTINGS, *request.overrides)),
        )

    def _demo_folder(self, request: DemoRequest) -> AccountFolder:
        from core.runtime.demo import demo_account
        from core.runtime.stress_market import ACCOUNT

        return self.home.account(ACCOUNT if request.is_stress else demo_account(request.seed))

    def _demo_books(
        self, folder: AccountFolder, seed: int, stack: ExitStack, *, accept: bool
    ) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
        """The demo's account, its exchange rebuilt as it was left; only who accepts writes into either."""
        from core.brokers.simulated.as_broker import SimulatedBroker
        from core.brokers.simulated.log import time_of
        from core.market.calendar import load_calendar
        from core.model.account import Mode
        from core.model.values import Symbol
        from core.runtime import demo
        from core.runtime.simulated_exchange import config_of, edition_of, opening_settings, requests_of, resumed
        from state.exchange_log import ExchangeLogFile

        calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
        log = stack.enter_context(closing(ExchangeLogFile(folder)))
        records = list(log.records())
        settings = self._settings(opening_settings(records))
        engine, write = self._engine(folder, calendar, Mode.PAPER, stack, settings=settings, is_kept=accept)
        opens = demo.sessions_from(calendar, demo.FIRST_DAY)[0].open
        now = max([engine.state.at, opens, *(time_of(record) for record in records[-1:])])
        engine.apply(now, settings, f"simulated-{seed}")
        traded = sorted({*settings.symbols, *(str(r["symbol"]) for r in requests_of(records) if r.get("symbol"))})
        bars = demo.bars_until(seed, traded, calendar, now)
        config = config_of(settings, folder.name, str(seed), edition_of(records))
        exchange = resumed(config, calendar, log, bars, requests_of(records), now)
        broker = SimulatedBroker(exchange, now, tuple(Symbol(text) for text in settings.symbols))
        return engine, broker, lambda: now, write


def _not_heard_yet(seed: int, settings: Settings, sessions: list[Session], engine: Engine) -> Iterator[Timed]:
    """The seeded market from where the engine left it."""
    from core.model.values import Symbol
    from core.runtime.feed import merged
    from core.runtime.feed_sources import synthetic_feed

    known = engine.state.normaliser.state.last_starts
    for item in merged(synthetic_feed(seed, Symbol(text), sessions) for text in settings.symbols):
        if item[0] > known.get(item[2].bar.symbol, datetime.min.replace(tzinfo=item[0].tzinfo)):  # type: ignore[union-attr]
            yield item
