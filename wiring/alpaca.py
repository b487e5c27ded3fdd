"""A desk at Alpaca: its keys, the account that they open, its calendar, the live engine between two adapters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.ports import Finding, OperatorError
from state.folders import AccountFolder
from wiring.common import Wiring, installation
from wiring.last_time import LastTime

if TYPE_CHECKING:
    from core.brokers.alpaca.broker import AlpacaBroker
    from core.brokers.alpaca.keys import Keys
    from core.brokers.port import Broker
    from core.engine import Engine
    from core.market.calendar import ExchangeCalendar
    from core.model.account import Mode
    from core.runtime.live import LiveRuntime
    from core.settings import Settings

CALENDAR_BEHIND, CALENDAR_AHEAD = timedelta(days=45), timedelta(days=370)


class AtAlpaca(Wiring):
    """Paper unless both gates are open (OP-10)."""

    def alpaca_desk(self, settings: Settings) -> None:
        """The desk on the account that the keys open."""
        from console.desk import run_desk
        from state.credentials import find_keys
        from state.desk_files import DeskFiles

        mode = self._mode(settings)
        keys = find_keys(self.environ, mode)
        files = DeskFiles(self.home, lambda: self._known_folder(keys), is_real=True)
        run_desk(lambda stack: self.live_runtime(settings, mode, keys, stack), files, self._display(()))

    def doctor(self) -> Iterator[Finding]:
        """What works between this desk and the exchange; each finding as soon as it is known."""
        from core.brokers.alpaca.broker import AlpacaBroker
        from core.brokers.alpaca.contract import RECORDS as BROKER
        from core.brokers.alpaca.stream import AlpacaOrderStream
        from core.market.alpaca.contract import RECORDS as MARKET
        from core.market.alpaca.data import AlpacaData
        from core.model.values import Symbol
        from core.runtime.doctor import Doctor
        from core.wall_clock import utc_now
        from state.credentials import find_keys
        from state.surroundings import look_around

        yield from look_around(self.home, self.environ)
        try:
            settings = self._settings(())
            mode = self._mode(settings)
            keys = find_keys(self.environ, mode)
        except OperatorError as error:
            yield Finding("settings and keys", False, str(error), "mend that first; the rest needs them")
            return
        yield Finding("settings and keys", True, f"{mode.value} keys, {', '.join(settings.symbols)}", "")
        symbols = tuple(Symbol(text) for text in settings.symbols)
        broker = AlpacaBroker(keys, mode, settings.alpaca)
        orders = AlpacaOrderStream(keys, mode, settings.alpaca)
        market = AlpacaData(settings.alpaca, keys.key_id, keys.secret, symbols, self._calendar(broker))
        yield from Doctor(broker, orders, market, symbols, mode, utc_now, (*BROKER, *MARKET)).look()
        broker.close()

    def _mode(self, settings: Settings) -> Mode:
        """Live only where both gates are open (OP-10)."""
        from core.model.account import Mode

        is_open = settings.account.mode is Mode.LIVE and self.environ.get("KEYTURN_ALLOW_LIVE") == "1"
        return Mode.LIVE if is_open else Mode.PAPER

    def _known_folder(self, keys: Keys) -> AccountFolder:
        """The folder of the account that these keys opened last."""
        from state.known_accounts import KnownAccounts

        name = KnownAccounts(self.home).name_of(keys)
        if name is None:
            raise OperatorError("Alpaca has not said yet which account this is; wait until the desk is connected")
        return self.home.account(name)

    def _account_folder(self, broker: AlpacaBroker, keys: Keys) -> AccountFolder:
        """The folder of the account, by the broker's own name for it; offline by what it said last.

        Raises
        ------
        OperatorError
            The keys are refused, or Alpaca cannot be reached and never was with these keys.
        """
        from core.brokers.alpaca.keys import AccountRefusedError
        from core.model.broker import NoAnswer
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
        KnownAccounts(self.home).remember(keys, told.account.name)
        return self.home.account(told.account.name)

    def account_of_the_keys(self, settings: Settings) -> AccountFolder:
        """The folder of the account that the keys open, whether it is there or not. Raises `OperatorError`."""
        from core.brokers.alpaca.broker import AlpacaBroker
        from state.credentials import find_keys

        mode = self._mode(settings)
        keys = find_keys(self.environ, mode)
        broker = AlpacaBroker(keys, mode, settings.alpaca)
        try:
            return self._account_folder(broker, keys)
        finally:
            broker.close()

    def _calendar(self, broker: AlpacaBroker) -> ExchangeCalendar:
        """The broker's sessions where it says them, the exchange's own table elsewhere."""
        from core.market.calendar import load_calendar
        from core.model.broker import NoAnswer
        from core.wall_clock import utc_now

        today = utc_now().date()
        table = load_calendar(today - CALENDAR_BEHIND, today + CALENDAR_AHEAD)
        told = broker.sessions(today - CALENDAR_BEHIND, today + CALENDAR_BEHIND)
        if isinstance(told, NoAnswer) or not told:
            return table
        return table.overruled(today - CALENDAR_BEHIND, today + CALENDAR_BEHIND, told)

    def live_runtime(self, settings: Settings, mode: Mode, keys: Keys, stack: ExitStack) -> LiveRuntime:
        """The engine on a broker, taken up where its journal left it."""
        from core.advisers.house import advisers_of
        from core.brokers.alpaca.broker import AlpacaBroker
        from core.brokers.alpaca.stream import AlpacaOrderStream
        from core.market.alpaca.data import AlpacaData
        from core.model.values import Symbol
        from core.runtime.live import LiveRuntime
        from core.runtime.measuring import SPY, RegimeWatch
        from core.runtime.past import PastWatch
        from core.wall_clock import utc_now
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        broker = AlpacaBroker(keys, mode, settings.alpaca)
        stack.callback(broker.close)
        folder = self._account_folder(broker, keys)
        mended = folder.prepare()
        lock = stack.enter_context(EngineLock(folder))
        switch = FileKillSwitch(folder, self.environ)
        switch.prepare()
        calendar = self._calendar(broker)
        engine, write = self._engine(folder, calendar, mode, stack, settings=settings)
        engine.notes = (*mended, *lock.notes, *_word_on_gates(settings, mode), *engine.notes)
        engine.apply(utc_now(), settings, installation(folder))
        market = AlpacaData(
            settings.alpaca,
            keys.key_id,
            keys.secret,
            [Symbol(text) for text in settings.symbols],
            calendar,
            known=dict(engine.desk.normaliser.state.last_starts),
        )
        orders = AlpacaOrderStream(keys, mode, settings.alpaca)
        control = engine.desk.control
        halt = lambda: control.settings.risk.protections.volatility_halt  # noqa: E731 - as it is in force
        past = PastWatch(market.history, market.recent_days, calendar, utc_now, halt)
        regime = RegimeWatch(self._vix(settings), lambda: market.daily_bars(SPY), utc_now)
        runtime = LiveRuntime(
            engine,
            broker,
            orders,
            market,
            switch=switch,
            regime=regime,
            past=past,
            steady=time.monotonic,
            advisers=advisers_of(settings.advisers),
        )
        broker.show_on(runtime.show)
        last_time = LastTime(folder, (), self.environ, lambda _left: settings)
        left_out = last_time.settled(engine.desk, settings)
        self._keep(folder, runtime, switch, write, (), left_out, last_time.sources())
        return runtime

    def _alpaca_books(
        self, folder: AccountFolder, stack: ExitStack, *, accept: bool
    ) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
        """A real account, asked with the keys that are set; they must be its own."""
        from core.brokers.alpaca.broker import AlpacaBroker
        from core.wall_clock import utc_now
        from state.credentials import find_keys

        settings = self._settings(())
        mode = self._mode(settings)
        keys = find_keys(self.environ, mode)
        broker = AlpacaBroker(keys, mode, settings.alpaca)
        stack.callback(broker.close)
        theirs = self._account_folder(broker, keys).name
        if theirs != folder.name:
            raise OperatorError(f"{folder.name}: the keys that are set are of account {theirs}; set its own")
        engine, write = self._engine(folder, self._calendar(broker), mode, stack, settings=settings, is_kept=accept)
        engine.apply(max(utc_now(), engine.desk.at), settings, installation(folder))
        return engine, broker, utc_now, write


def _word_on_gates(settings: Settings, mode: Mode) -> tuple[str, ...]:
    """One gate of the two is open: it is said, loudly, that this is paper (OP-10)."""
    if settings.account.mode is mode:
        return ()
    return ('account.mode is "live" and KEYTURN_ALLOW_LIVE is not 1: this desk trades on PAPER',)
