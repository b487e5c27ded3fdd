"""A desk at a broker: its keys, the account that they open, its calendar, the live engine between two adapters.

Which broker, and where prices come from, the settings say by the names of `core/brokers/registry.py` and
`core/market/registry.py`; nothing here knows one of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.commands.assembly.common import Wiring, installation
from console.commands.assembly.last_start import LastTime
from core.ports import Finding, OperatorError
from state.folders import AccountFolder

if TYPE_CHECKING:
    from core.brokers.kinds import AccountBroker, BrokerKind
    from core.brokers.port import Broker
    from core.engine import Engine
    from core.market.calendar import ExchangeCalendar
    from core.market.kinds import SourceKind
    from core.model.account import Mode
    from core.model.keys import Keys
    from core.runtime.live import LiveRuntime
    from core.settings.settings import Settings

CALENDAR_BEHIND, CALENDAR_AHEAD = timedelta(days=45), timedelta(days=370)


class AtABroker(Wiring):
    """Paper unless both gates are open (OP-10)."""

    def live_desk(self, settings: Settings) -> None:
        """The desk on the account that the keys open."""
        from console.run import run_desk
        from state.credentials import find_keys
        from state.desk_files import DeskFiles

        mode = self._mode(settings)
        kind = real_broker(settings)
        keys = find_keys(self.environ, mode, kind.keys)
        files = DeskFiles(self.home, lambda: self._known_folder(kind, keys), is_real=True)
        run_desk(lambda stack: self.live_runtime(settings, mode, keys, stack), files, self._display(()))

    def doctor(self) -> Iterator[Finding]:
        """What works between this desk and the exchange; each finding as soon as it is known."""
        from core.io.wall_clock import utc_now
        from core.model.values import Symbol
        from core.runtime.doctor import Doctor, Places
        from state.credentials import find_keys
        from state.host_info import look_around

        yield from look_around(self.home, self.environ)
        try:
            settings = self._settings(())
            mode = self._mode(settings)
            kind = real_broker(settings)
            source = source_of(settings, kind)
            keys = find_keys(self.environ, mode, kind.keys)
            keys_of_data = self._keys_of(source, kind, keys, mode)
        except OperatorError as error:
            yield Finding("settings and keys", False, str(error), "mend that first; the rest needs them")
            return
        yield Finding("settings and keys", True, f"{mode.value} keys, {', '.join(settings.symbols)}", "")
        symbols = tuple(Symbol(text) for text in settings.symbols)
        connected = kind.connect(settings, mode, keys)
        broker = connected.broker
        market = source.make(settings, keys_of_data, symbols, self._calendar(broker), {})
        promised = (*kind.contract(), *source.contract())
        places = Places(kind.title, kind.reached_by, source.reached_by)
        yield from Doctor(broker, connected.orders, market, symbols, mode, utc_now, promised, places).look()
        broker.close()

    def _mode(self, settings: Settings) -> Mode:
        """Live only where both gates are open (OP-10)."""
        from core.model.account import Mode

        is_open = settings.account.mode is Mode.LIVE and self.environ.get("KEYTURN_ALLOW_LIVE") == "1"
        return Mode.LIVE if is_open else Mode.PAPER

    def _keys_of(self, source: SourceKind, kind: BrokerKind, keys: Keys, mode: Mode) -> Keys:
        """The broker's own where the source goes by the same names. Raises `OperatorError`."""
        from state.credentials import find_keys

        return keys if source.keys == kind.keys else find_keys(self.environ, mode, source.keys)

    def _known_folder(self, kind: BrokerKind, keys: Keys) -> AccountFolder:
        """The folder of the account that these keys opened last."""
        from state.known_accounts import KnownAccounts

        name = KnownAccounts(self.home).name_of(keys)
        if name is None:
            raise OperatorError(
                f"{kind.title} has not said yet which account this is; wait until the desk is connected"
            )
        return self.home.account(name)

    def _account_folder(self, kind: BrokerKind, broker: AccountBroker, keys: Keys) -> AccountFolder:
        """The folder of the account, by the broker's own name for it; offline by what it said last.

        Raises
        ------
        OperatorError
            The keys are refused, or the broker cannot be reached and never was with these keys.
        """
        from core.model.broker import NoAnswer
        from core.model.keys import AccountRefusedError
        from state.known_accounts import KnownAccounts

        try:
            told = broker.standing()
        except AccountRefusedError as error:
            raise OperatorError(str(error)) from None
        if isinstance(told, NoAnswer):
            name = KnownAccounts(self.home).name_of(keys)
            if name is None:
                raise OperatorError(f"{told.reason}; `keyturn doctor` says what to do")
            return self.home.account(name)
        account = kind.account_id(told.account.name)
        KnownAccounts(self.home).remember(keys, account)
        return self.home.account(account)

    def account_of_the_keys(self, settings: Settings) -> AccountFolder:
        """The folder of the account that the keys open, whether it is there or not. Raises `OperatorError`."""
        from state.credentials import find_keys

        mode = self._mode(settings)
        kind = real_broker(settings)
        keys = find_keys(self.environ, mode, kind.keys)
        broker = kind.connect(settings, mode, keys).broker
        try:
            return self._account_folder(kind, broker, keys)
        finally:
            broker.close()

    def _calendar(self, broker: AccountBroker) -> ExchangeCalendar:
        """The broker's sessions where it says them, the exchange's own table elsewhere."""
        from core.io.wall_clock import utc_now
        from core.market.calendar import load_calendar
        from core.model.broker import NoAnswer

        today = utc_now().date()
        table = load_calendar(today - CALENDAR_BEHIND, today + CALENDAR_AHEAD)
        told = broker.sessions(today - CALENDAR_BEHIND, today + CALENDAR_BEHIND)
        if isinstance(told, NoAnswer) or not told:
            return table
        return table.overruled(today - CALENDAR_BEHIND, today + CALENDAR_BEHIND, told)

    def live_runtime(self, settings: Settings, mode: Mode, keys: Keys, stack: ExitStack) -> LiveRuntime:
        """The engine on a broker, taken up where its journal left it."""
        from core.advisers.house import advisers_of
        from core.io.wall_clock import utc_now
        from core.model.values import Symbol
        from core.runtime.live import LiveRuntime
        from core.runtime.past_days import PastWatch
        from core.runtime.regime_watch import SPY, RegimeWatch
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        kind = real_broker(settings)
        source = source_of(settings, kind)
        keys_of_data = self._keys_of(source, kind, keys, mode)
        connected = kind.connect(settings, mode, keys)
        broker = connected.broker
        stack.callback(broker.close)
        folder = self._account_folder(kind, broker, keys)
        mended = folder.prepare()
        lock = stack.enter_context(EngineLock(folder))
        switch = FileKillSwitch(folder, self.environ)
        switch.prepare()
        calendar = self._calendar(broker)
        engine, write = self._engine(folder, calendar, mode, stack, settings=settings)
        engine.notes = (*mended, *lock.notes, *_word_on_gates(settings, mode), *engine.notes)
        engine.apply(utc_now(), settings, installation(folder))
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
        regime = RegimeWatch(self._vix(settings), lambda: market.daily_bars(SPY), utc_now)
        last_time = LastTime(folder, (), self.environ, lambda _left: settings)
        left_out = last_time.settled(engine.state, settings)
        runtime = LiveRuntime(
            engine,
            broker,
            connected.orders,
            market,
            switch=switch,
            regime=regime,
            past=past,
            steady=time.monotonic,
            advisers=advisers_of(settings.advisers),
            keeper=self._keeper(folder, switch, write, (), left_out, last_time.sources()),
        )
        broker.show_on(runtime.inbox.show)
        return runtime

    def _live_books(
        self, folder: AccountFolder, stack: ExitStack, *, accept: bool
    ) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
        """A real account, asked with the keys that are set; they must be its own."""
        from core.io.wall_clock import utc_now
        from state.credentials import find_keys

        settings = self._settings(())
        mode = self._mode(settings)
        kind = real_broker(settings)
        keys = find_keys(self.environ, mode, kind.keys)
        broker = kind.connect(settings, mode, keys).broker
        stack.callback(broker.close)
        theirs = self._account_folder(kind, broker, keys).name
        if theirs != folder.name:
            raise OperatorError(f"{folder.name}: the keys that are set are of account {theirs}; set its own")
        engine, write = self._engine(folder, self._calendar(broker), mode, stack, settings=settings, is_kept=accept)
        engine.apply(max(utc_now(), engine.state.at), settings, installation(folder))
        return engine, broker, utc_now, write


def real_broker(settings: Settings) -> BrokerKind:
    """That of the settings; where they name the simulated exchange, the first one at which accounts are."""
    from core.brokers.kinds import BrokerKind
    from core.brokers.registry import BROKERS

    named = BROKERS[settings.account.broker]
    return named if isinstance(named, BrokerKind) else next(k for k in BROKERS.values() if isinstance(k, BrokerKind))


def source_of(settings: Settings, kind: BrokerKind) -> SourceKind:
    """Where prices come from: as the settings say, else as the broker does."""
    from core.market.registry import SOURCES

    return SOURCES[settings.account.data or kind.source]


def _word_on_gates(settings: Settings, mode: Mode) -> tuple[str, ...]:
    """One gate of the two is open: it is said, loudly, that this is paper (OP-10)."""
    if settings.account.mode is mode:
        return ()
    return ('account.mode is "live" and KEYTURN_ALLOW_LIVE is not 1: this desk trades on PAPER',)
