"""The composition root: settings → state → engine → console. Nothing else wires anything.

`main` is the program `keyturn`. Everything that touches the disk, the environment or a signal is put together here and
handed to the rooms that need it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from core.ports import DemoRequest, JournalError, JournalWriteError, OperatorError, ReplayRequest
from state.folders import AccountFolder, JournalFolder
from state.looking import Looking

if TYPE_CHECKING:
    from core.brokers.port import Broker
    from core.engine import Engine
    from core.runtime.line import Operator
    from core.runtime.virtual import VirtualRuntime
    from core.settings import DisplaySettings, Settings
    from state.heartbeat import Status
    from state.kill_switch import FileKillSwitch

CHECKPOINT_SECONDS = 5.0
NEVER_COMPARED = "reconciliation.every_seconds=0"
"""A replay's exchange lives in its own process: after the start nobody else can move its books."""
OUR_FAULT = 70
"""Exit code of an error that nobody foresaw: EX_SOFTWARE of sysexits.h."""


# ── an engine with its disk ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Keeper:
    """What a running engine owes the disk while it runs: heartbeats, checkpoints, and a look at the kill switch."""

    folder: AccountFolder
    runtime: VirtualRuntime
    switch: FileKillSwitch
    write: Callable[[], None]
    beat: Callable[[Status], None]
    state: Callable[[Engine], str]
    saved_at: float = field(default_factory=time.monotonic)

    has_flattened: bool = False

    def __call__(self) -> None:
        self._look_at_the_switch()
        engine = self.runtime.engine
        self._keep(lambda: self.beat(status_of(engine, self.folder.name, self.state(engine))))
        if time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS:
            self.saved_at = time.monotonic()
            self._keep(self.write)

    def close(self) -> None:
        """The last words of a clean stop."""
        self._keep(self.write)
        self._keep(lambda: self.beat(status_of(self.runtime.engine, self.folder.name, "stopped")))

    def _keep(self, act: Callable[[], None]) -> None:
        """A disk that fails never ends the engine: a journal that fails halts it, all else is said (SP-06)."""
        try:
            act()
        except JournalWriteError as error:
            self.runtime.engine.lose_disk(str(error))
        except OSError as error:
            self.runtime.engine.say(f"the disk fails: {error.filename or self.folder.path}: {error.strerror}")

    def _look_at_the_switch(self) -> None:
        """The file or the environment kills, whoever set it; a command may ask for the flattening too (OP-08)."""
        from core.inputs import Kill, ProposeFlattening

        door = self.switch.is_on()
        if door is None:
            self.has_flattened = False
            return
        if self.runtime.engine.desk.control.state.killed_by is None:
            by = (
                ", ".join(dict.fromkeys(w.split()[0] for w in self.switch.set_by() if w.strip()))
                if door == "file"
                else door
            )
            self.runtime.send(Kill(by or door))
        if not self.has_flattened and self.switch.asks_to_flatten():
            self.has_flattened = True
            self.runtime.send(ProposeFlattening())


def status_of(engine: Engine, account: str, state: str) -> Status:
    from state.heartbeat import Status

    desk = engine.desk
    return Status(
        state=state,
        pid=os.getpid(),
        mode=desk.mode.value,
        positions=len(desk.ledger.positions()),
        orders_working=sum(1 for _ in desk.ledger.working()),
        orders_sent=desk.ledger.state.orders_sent,
        proposals_waiting=len(desk.stage.state.proposals),
        journal_sequence=desk.journal.sequence,
        account=account,
    )


class Keyturn(Looking):
    """Implements `core.ports.Composition`: what looks is inherited, what runs is wired here."""

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

    def desk(self) -> None:
        settings = self._settings(())
        if settings.account.broker == "none":
            raise OperatorError("no broker is configured; `keyturn demo` opens the desk on the embedded exchange")
        self.demo(DemoRequest())

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
        if seed is None:
            raise OperatorError(f"{folder.name}: this account has no broker to compare with")
        return self._demo_books(folder, seed, stack, accept=accept)

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
        stack.enter_context(EngineLock(folder))
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
                named = f"{quoted} is not among the symbols" if quoted else "its name does not begin with a symbol"
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
        from state.documents import TinyDocuments
        from state.journal import FileJournal

        journal = stack.enter_context(closing(FileJournal(folder)))
        documents = TinyDocuments(folder)
        kept = journal if is_kept else Forgotten(journal)
        engine = Engine(folder.name, mode, calendar, kept)  # type: ignore[arg-type]
        engine.notes = (*journal.repairs, *documents.notes, *checkpoint.rebuild(engine.desk, documents))
        return engine, lambda: checkpoint.save(engine.desk, documents)

    def _keep(
        self, folder: AccountFolder, runtime: VirtualRuntime, switch: FileKillSwitch, write: Callable[[], None]
    ) -> None:
        from core.picture import word_of
        from state.heartbeat import Heartbeat

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
        fail(f"unexpected {type(error).__name__}: {error}; nothing more was done", OUR_FAULT)


def fail(message: str, code: int = 2) -> None:
    """Say one line, harmless whatever is in it (SY-06), and end."""
    from widgets.grid_text import harmless

    sys.stderr.write(f"keyturn: {harmless(message)}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
