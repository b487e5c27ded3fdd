"""The composition root: settings → state → engine → console. Nothing else wires anything.

`main` is the program `keyturn`. Everything that touches the disk, the environment or a signal is put together here and
handed to the rooms that need it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from core.ports import DemoRequest, Finding, JournalError, OperatorError, ReplayRequest
from state.folders import AccountFolder, JournalFolder
from state.tending import Tending

if TYPE_CHECKING:
    from core.brokers.alpaca.broker import AlpacaBroker
    from core.brokers.alpaca.keys import Keys
    from core.brokers.port import Broker
    from core.engine import Engine
    from core.market.calendar import ExchangeCalendar
    from core.model.account import Mode
    from core.runtime.line import Operator
    from core.runtime.live import LiveRuntime
    from core.runtime.runtime import Runtime
    from core.runtime.virtual import VirtualRuntime
    from core.settings import DisplaySettings, Settings
    from state.kill_switch import FileKillSwitch

CALENDAR_BEHIND, CALENDAR_AHEAD = timedelta(days=30), timedelta(days=370)
NEVER_COMPARED = "reconciliation.every_seconds=0"
"""A replay's exchange lives in its own process: after the start nobody else can move its books."""
OUR_FAULT = 70
"""Exit code of an error that nobody foresaw: EX_SOFTWARE of sysexits.h."""


class Keyturn(Tending):
    """Implements `core.ports.Composition`: what looks and looks after is inherited, what runs is wired here."""

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

    def desk(self) -> None:
        """The account of the settings: Alpaca's, or the simulated exchange's."""
        settings = self._settings(())
        if settings.account.broker == "simulated":
            self.demo(DemoRequest())
            return
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
        from core.brokers.alpaca.stream import AlpacaOrderStream
        from core.market.alpaca.data import AlpacaData
        from core.model.values import Symbol
        from core.runtime.doctor import Doctor
        from core.runtime.live import utc_now
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
        yield from Doctor(broker, orders, market, symbols, mode, utc_now).look()
        broker.close()

    def replay(self, request: ReplayRequest) -> dict[str, object] | None:
        """Play files through the one engine; a fresh account, its journal in a folder or in memory."""
        from core.runtime.report import Report
        from state.verify import fingerprint

        if not request.is_headless:
            from console.desk import run_desk

            run_desk(lambda stack: self._replayed(request, stack), display=self._display(request.overrides))
            return None
        with ExitStack() as stack:
            runtime = self._replayed(request, stack)
            report = Report(runtime.engine.desk)
            is_whole = self._run_headless(runtime, "replayed")
            journal = runtime.engine.desk.journal
            if request.journal_folder is not None:
                told = report.as_json(fingerprint(JournalFolder(request.journal_folder)))
            else:
                told = report.as_json(journal.fingerprint())  # type: ignore[attr-defined]
            return told if is_whole else {**told, "interrupted": True}

    def demo(self, request: DemoRequest) -> None:
        runtime_of = self.stress_runtime if request.is_stress else self.demo_runtime
        if request.is_headless:
            with ExitStack() as stack:
                self._run_headless(runtime_of(request, stack), "left")
            return
        from console.desk import run_desk
        from state.desk_files import DeskFiles

        files = DeskFiles(self.home, lambda: self._demo_folder(request))
        run_desk(lambda stack: runtime_of(request, stack), files, self._display(request.overrides))

    # ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────

    def reconcile(self, account: str | None, accept: bool) -> dict[str, object]:
        """Our books beside the broker's, while no engine runs (EX-09)."""
        from core.runtime.reconciling import Reconciling
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        folder = self._folder(account)
        with ExitStack() as stack:
            stack.enter_context(EngineLock(folder))
            engine, broker, now, write = self._books_of(folder, stack, accept=accept)
            switch = FileKillSwitch(folder, self.environ) if accept else None
            reconciling = Reconciling(engine, broker, now, switch)
            found = reconciling.accept() if accept else reconciling.look()
            if accept:
                write()
        return {
            "ok": not found.differences,
            "positions": found.positions,
            "orders": found.orders,
            "differences": [
                {"kind": d.kind.value, "symbol": d.symbol, "local": d.local, "broker": d.broker, "note": d.note}
                for d in found.differences
            ],
        }

    def _books_of(
        self, folder: AccountFolder, stack: ExitStack, *, accept: bool
    ) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
        """The engine of a stopped account, its broker, the time, and how a checkpoint is written.

        Raises `OperatorError` where the account has no broker that could be asked.
        """
        from core.runtime.demo import seed_of

        seed = seed_of(folder.name)
        if seed is not None:
            return self._demo_books(folder, seed, stack, accept=accept)
        if folder.exchange.exists():
            raise OperatorError(f"{folder.name}: this account has no broker to compare with")
        return self._alpaca_books(folder, stack, accept=accept)

    def _alpaca_books(
        self, folder: AccountFolder, stack: ExitStack, *, accept: bool
    ) -> tuple[Engine, Broker, Callable[[], datetime], Callable[[], None]]:
        """A real account, asked with the keys that are set; they must be its own."""
        from core.brokers.alpaca.broker import AlpacaBroker
        from core.runtime.live import utc_now
        from state.credentials import find_keys

        settings = self._settings(())
        mode = self._mode(settings)
        keys = find_keys(self.environ, mode)
        broker = AlpacaBroker(keys, mode, settings.alpaca)
        stack.callback(broker.close)
        theirs = self._account_folder(broker, keys).name
        if theirs != folder.name:
            raise OperatorError(f"{folder.name}: the keys that are set are of account {theirs}; set its own")
        engine, write = self._engine(folder, self._calendar(broker), mode, stack, is_kept=accept)
        engine.apply(max(utc_now(), engine.desk.at), settings, _installation(folder))
        return engine, broker, utc_now, write

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
        from core.runtime.exchange import config_of, opening_settings, requests_of, resumed
        from state.exchange_log import ExchangeLog

        calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
        log = stack.enter_context(closing(ExchangeLog(folder)))
        records = list(log.records())
        settings = self._settings(opening_settings(records))
        engine, write = self._engine(folder, calendar, Mode.PAPER, stack, is_kept=accept)
        now = max([engine.desk.at, *(time_of(record) for record in records[-1:])])
        engine.apply(now, settings, f"simulated-{seed}")
        traded = sorted({*settings.symbols, *(str(r["symbol"]) for r in requests_of(records) if r.get("symbol"))})
        bars = demo.bars_until(seed, traded, calendar, now)
        config = config_of(settings, folder.name, str(seed))
        exchange = resumed(config, calendar, log, bars, requests_of(records), now)
        broker = SimulatedBroker(exchange, now, tuple(Symbol(text) for text in settings.symbols))
        return engine, broker, lambda: now, write

    def _demo_folder(self, request: DemoRequest) -> AccountFolder:
        from core.runtime.demo import demo_account
        from core.runtime.stress import ACCOUNT

        return self.home.account(ACCOUNT if request.is_stress else demo_account(request.seed))

    def stress_runtime(self, request: DemoRequest, stack: ExitStack) -> VirtualRuntime:
        """The stress desk's engine, on an account that begins anew each time."""
        from core.brokers.simulated.exchange import SimulatedExchange
        from core.model.account import Mode
        from core.runtime import stress
        from core.runtime.exchange import config_of, link_of, opening_record
        from core.runtime.pace import Pace
        from core.runtime.preparing import Preparing
        from core.runtime.virtual import VirtualRuntime
        from state.anew import begin_anew
        from state.exchange_log import ExchangeLog
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        folder = self.home.account(stress.ACCOUNT)
        folder.prepare()
        stack.enter_context(EngineLock(folder))
        begin_anew(folder)
        calendar = stress.OneSession()
        settings = self._settings((*stress.SETTINGS, *request.overrides))
        log = stack.enter_context(closing(ExchangeLog(folder)))
        config = config_of(settings, folder.name, str(request.seed))
        log.append(opening_record(config, settings.symbols, stress.OPEN))
        engine, write = self._engine(folder, calendar, Mode.PAPER, stack)
        engine.apply(stress.OPEN, settings, f"stress-{request.seed}")
        switch = FileKillSwitch(folder, self.environ)
        switch.prepare()
        pace = Pace(request.speed)
        pace.free_until = stress.READY_AT
        preparing = Preparing(engine.desk, request.seed)
        runtime = VirtualRuntime(
            engine,
            SimulatedExchange(config, calendar, log),
            stress.market(request.seed, request.speed),
            start=stress.OPEN,
            switch=switch,
            link=link_of(settings),
            pace=pace,
            operator=preparing,
        )
        runtime.preparing = preparing.in_words
        self._keep(folder, runtime, switch, write)
        return runtime

    def demo_runtime(self, request: DemoRequest, stack: ExitStack) -> VirtualRuntime:
        """The demo's engine, taken up where its journal and its exchange left it."""
        from core.brokers.simulated.log import time_of
        from core.market.calendar import load_calendar
        from core.model.account import Mode
        from core.model.values import Symbol
        from core.runtime import demo
        from core.runtime.exchange import (
            config_of,
            link_of,
            opening_record,
            opening_settings,
            requests_of,
            require_the_same,
            resumed,
        )
        from core.runtime.feed import merged
        from core.runtime.pace import Pace
        from core.runtime.sources import synthetic_feed
        from core.runtime.virtual import VirtualRuntime
        from state.exchange_log import ExchangeLog
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        folder = self._demo_folder(request)
        mended = folder.prepare()
        mended += stack.enter_context(EngineLock(folder)).notes
        calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
        log = stack.enter_context(closing(ExchangeLog(folder)))
        records = list(log.records())
        busy = demo.BUSY if request.operator != "none" else ()
        settings = self._settings((*busy, *opening_settings(records), *request.overrides))
        engine, write = self._engine(folder, calendar, Mode.PAPER, stack)
        engine.notes = (*mended, *engine.notes)
        is_new = engine.desk.journal.sequence == 0
        last = max([engine.desk.at, *(time_of(record) for record in records[-1:])])
        now = demo.sessions_from(calendar, demo.FIRST_DAY)[0].open if is_new else last
        config = config_of(settings, folder.name, str(request.seed))
        if is_new and not records:
            log.append(opening_record(config, settings.symbols, now))
        demo.require_sound(engine.desk, records, settings, is_new=is_new)
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
        begin = demo.opening_instant(request.seed, settings, calendar)
        engine.apply(now, settings, f"simulated-{request.seed}")
        sessions = [s for s in demo.sessions_from(calendar, demo.FIRST_DAY) if s.close > now]
        switch = FileKillSwitch(folder, self.environ)
        switch.prepare()
        pace = Pace(request.speed)
        pace.free_until = begin if is_new else None
        known = engine.desk.normaliser.state.last_starts
        feed = (
            item
            for item in merged(synthetic_feed(request.seed, Symbol(text), sessions) for text in settings.symbols)
            if item[0] > known.get(item[2].bar.symbol, datetime.min.replace(tzinfo=item[0].tzinfo))  # type: ignore[union-attr]
        )
        runtime = VirtualRuntime(
            engine,
            exchange,
            feed,
            start=now,
            switch=switch,
            link=link_of(settings),
            pace=pace,
            operator=self._operator(request.operator, engine, now),
        )
        self._keep(folder, runtime, switch, write)
        return runtime

    # ── Alpaca ───────────────────────────────────────────────────────────────────────────────────────────────────

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

    def _calendar(self, broker: AlpacaBroker) -> ExchangeCalendar:
        """The broker's sessions where it says them, the exchange's own table elsewhere."""
        from core.market.calendar import load_calendar
        from core.model.broker import NoAnswer
        from core.runtime.live import utc_now

        today = utc_now().date()
        table = load_calendar(today - CALENDAR_BEHIND, today + CALENDAR_AHEAD)
        told = broker.sessions(today - CALENDAR_BEHIND, today + CALENDAR_BEHIND)
        if isinstance(told, NoAnswer) or not told:
            return table
        return table.overruled(today - CALENDAR_BEHIND, today + CALENDAR_BEHIND, told)

    def live_runtime(self, settings: Settings, mode: Mode, keys: Keys, stack: ExitStack) -> LiveRuntime:
        """The engine on a broker, taken up where its journal left it."""
        from core.brokers.alpaca.broker import AlpacaBroker
        from core.brokers.alpaca.stream import AlpacaOrderStream
        from core.market.alpaca.data import AlpacaData
        from core.model.values import Symbol
        from core.runtime.live import LiveRuntime, utc_now
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        broker = AlpacaBroker(keys, mode, settings.alpaca)
        stack.callback(broker.close)
        folder = self._account_folder(broker, keys)
        mended = folder.prepare()
        lock = stack.enter_context(EngineLock(folder))
        calendar = self._calendar(broker)
        engine, write = self._engine(folder, calendar, mode, stack)
        engine.notes = (*mended, *lock.notes, *_word_on_gates(settings, mode), *engine.notes)
        engine.apply(utc_now(), settings, _installation(folder))
        switch = FileKillSwitch(folder, self.environ)
        switch.prepare()
        market = AlpacaData(
            settings.alpaca,
            keys.key_id,
            keys.secret,
            [Symbol(text) for text in settings.symbols],
            calendar,
            known=engine.desk.normaliser.state.last_starts,
        )
        orders = AlpacaOrderStream(keys, mode, settings.alpaca)
        runtime = LiveRuntime(engine, broker, orders, market, switch=switch)
        broker.show_on(runtime.show)
        self._keep(folder, runtime, switch, write)
        return runtime

    # ── replays ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _replayed(self, request: ReplayRequest, stack: ExitStack) -> VirtualRuntime:
        from core.brokers.simulated.exchange import SimulatedExchange
        from core.engine import Engine
        from core.market.calendar import load_calendar
        from core.market.csv_source import symbol_of
        from core.model.account import Mode
        from core.model.values import Symbol
        from core.runtime.exchange import config_of, link_of
        from core.runtime.feed import merged
        from core.runtime.pace import Pace
        from core.runtime.sources import bars_of_file, quotes_of_file
        from core.runtime.virtual import VirtualRuntime
        from state.journal import FileJournal, MemoryJournal

        symbols = tuple(symbol.upper() for symbol in request.symbols)
        chosen = (f"symbols=[{', '.join(repr(s) for s in symbols)}]",) if symbols else ()
        settings = self._settings((NEVER_COMPARED, *request.overrides, *chosen))
        feeds = []
        for path in request.files:
            symbol = symbol_of(path) or (Symbol(settings.symbols[0]) if len(settings.symbols) == 1 else None)
            if symbol not in settings.symbols:
                named = f"{symbol} is" if symbol else "its symbol is"
                raise OperatorError(f"{path.name}: {named} not among the symbols; add --symbol {symbol or 'SYM'}")
            feeds.append(bars_of_file(path, Symbol(symbol)))
        for path in request.quotes:
            quoted = symbol_of(path)
            if quoted not in settings.symbols:
                named = (
                    f"{quoted} is not among the symbols, add --symbol {quoted}"
                    if quoted
                    else "its name does not begin with a symbol"
                )
                raise OperatorError(f"{path.name}: {named}; a file of quotes is called like SPY_quotes.csv")
            feeds.append(quotes_of_file(path, Symbol(quoted)))
        starts = [feed[0][0] for feed in feeds if feed]
        first, last = min(starts), max(feed[-1][0] for feed in feeds if feed)
        calendar = load_calendar(first.date() - timedelta(days=7), last.date() + timedelta(days=7))
        journal: FileJournal | MemoryJournal = MemoryJournal()
        if request.journal_folder is not None:
            if request.journal_folder.is_dir() and any(request.journal_folder.iterdir()):
                raise OperatorError(f"{request.journal_folder} is not empty; name a new folder for the journal")
            journal = stack.enter_context(closing(FileJournal(JournalFolder(request.journal_folder))))
        engine = Engine("replay", Mode.PAPER, calendar, journal)
        engine.apply(first, settings, "replay")
        exchange = SimulatedExchange(config_of(settings, "replay", "file"), calendar, NoLog())
        return VirtualRuntime(
            engine,
            exchange,
            merged(feeds),
            start=first,
            switch=NoSwitch(),
            link=link_of(settings),
            pace=Pace(request.speed),
            operator=self._operator(request.operator, engine, first),
        )

    def _run_headless(self, runtime: VirtualRuntime, reason: str) -> bool:
        """Run in this thread; a signal lets it finish the act in hand. False where one did.

        Raises
        ------
        OperatorError
            The journal could not be written; what came of it is not to be believed.
        """
        for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(name, lambda *_: runtime.leave())
        from widgets.grid_text import harmless

        gc.freeze()
        for note in runtime.engine.notes:
            sys.stderr.write(f"keyturn: {harmless(note)}\n")
        runtime.run()
        is_whole = runtime.is_running
        runtime.stop(reason)
        if runtime.engine.disk_trouble is not None:
            raise OperatorError(f"halted, nothing more was sent: {runtime.engine.disk_trouble}")
        return is_whole

    def _engine(
        self, folder: AccountFolder, calendar: object, mode: object, stack: ExitStack, *, is_kept: bool = True
    ) -> tuple[Engine, Callable[[], None]]:
        """The engine as journal and documents left it, and how its checkpoint is written.

        Where it is not kept, nothing that it records reaches the disk.
        """
        from core import checkpoint
        from core.engine import Engine
        from core.runtime.reconciling import Forgotten
        from state.documents import TinyDocuments, known_sequence
        from state.journal import FileJournal

        journal = stack.enter_context(closing(FileJournal(folder, known_sequence(folder))))
        documents = TinyDocuments(folder)
        kept = journal if is_kept else Forgotten(journal)
        engine = Engine(folder.name, mode, calendar, kept)  # type: ignore[arg-type]
        rebuilt = checkpoint.rebuild(engine.desk, documents)
        engine.notes = (*journal.repairs, *documents.notes, *rebuilt)  # what loading met is in them by now
        return engine, lambda: checkpoint.save(engine.desk, documents)

    def _keep(self, folder: AccountFolder, runtime: Runtime, switch: FileKillSwitch, write: Callable[[], None]) -> None:
        from core.picture import word_of
        from state.heartbeat import Heartbeat
        from state.keeper import Keeper

        keeper = Keeper(folder, runtime, switch, write, Heartbeat(folder).beat, word_of)
        runtime.beat = keeper
        runtime.close = keeper.close

    def _operator(self, name: str, engine: Engine, start: datetime) -> Operator | None:
        """Keys by script: accepted here, because the broker is the simulated exchange."""
        from core.runtime.operator import ConfirmAll, Script, ScriptError, read_script_file

        if name == "none":
            return None
        if name == "confirm-all":
            return ConfirmAll(engine.desk)
        try:
            return Script(engine.desk, read_script_file(Path(name), start))
        except ScriptError as error:
            raise OperatorError(f"--operator: {error}") from error

    def _settings(self, overrides: tuple[str, ...]) -> Settings:
        from console.remapping import fault_in
        from state.settings_file import load_settings

        return load_settings(self.home, self.environ, overrides, fault_in)

    def _display(self, overrides: tuple[str, ...]) -> DisplaySettings | None:
        """What the screen is set to, read before it is painted; None, and no wait, where nobody set any of it."""
        try:
            written = self.home.settings.read_text(errors="replace")
        except OSError:
            written = ""
        variables = [name for name in self.environ if name.upper().startswith("KEYTURN_DISPLAY")]
        is_named = variables or any("display" in text for text in (written, *overrides))
        return self._settings(overrides).display if is_named else None


def _installation(folder: AccountFolder) -> str:
    """The name that typed orders hash (EX-04): recorded once, and no other machine's."""
    return f"{folder.name}-{uuid4().hex[:8]}"


def _word_on_gates(settings: Settings, mode: Mode) -> tuple[str, ...]:
    """One gate of the two is open: it is said, loudly, that this is paper (OP-10)."""
    if settings.account.mode is mode:
        return ()
    return ('account.mode is "live" and KEYTURN_ALLOW_LIVE is not 1: this desk trades on PAPER',)


class NoLog:
    """A replay's exchange need not outlive it."""

    def append(self, record: object) -> None:
        """Nothing is kept."""


class NoSwitch:
    """A replay of files has no kill switch outside of its script."""

    def is_on(self) -> str | None:
        return None

    def latch(self, by: str) -> None:
        """Nothing to latch."""

    def release(self) -> None:
        """Nothing to release."""


def main() -> None:
    """The program. Errors that the operator can mend are one line, and exit 2; one of ours is one line, and exit 70."""
    from console.commands import build

    try:
        build(Keyturn(dict(os.environ)))()
    except (OperatorError, JournalError) as error:
        fail(str(error))
    except BrokenPipeError:
        os._exit(1)
    except OSError as error:
        fail(f"{error.filename or 'the disk'}: {error.strerror or error}")
    except Exception as error:
        fail(
            f"unexpected {type(error).__name__}: {error}; nothing more was done; look at `keyturn status`",
            OUR_FAULT,
        )


def fail(message: str, code: int = 2) -> None:
    """Say one line, harmless whatever is in it (SY-06), and end."""
    from widgets.grid_text import harmless

    sys.stderr.write(f"keyturn: {harmless(message)}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
