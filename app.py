"""The composition root: settings → state → engine → console. Nothing else wires anything.

`main` is the program `keyturn`. Everything that touches the disk, the environment or a signal is put together here and
handed to the rooms that need it.
"""

from __future__ import annotations

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

from core.ports import DemoRequest, JournalError, OperatorError, ReplayRequest
from state.folders import AccountFolder, JournalFolder
from state.looking import Looking

if TYPE_CHECKING:
    from core.engine import Engine
    from core.runtime.virtual import Operator, VirtualRuntime
    from core.settings import Settings
    from state.heartbeat import Status
    from state.kill_switch import FileKillSwitch

CHECKPOINT_SECONDS = 5.0


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

    def __call__(self) -> None:
        engine = self.runtime.engine
        if engine.desk.control.state.killed_by is None and (door := self.switch.is_on()):
            self._kill(door)
        self.beat(status_of(engine, self.folder.name, self.state(engine)))
        if time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS:
            self.saved_at = time.monotonic()
            self.write()

    def _kill(self, door: str) -> None:
        """The file or the environment kills, whoever set it; a command may ask for the flattening too (OP-08)."""
        from core.inputs import Kill, ProposeFlattening

        by = ", ".join(dict.fromkeys(w.split()[0] for w in self.switch.set_by() if w)) if door == "file" else door
        self.runtime.send(Kill(by or door))
        if self.switch.asks_to_flatten():
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

            run_desk(lambda stack: self._replayed(request, stack))
            return None
        with ExitStack() as stack:
            runtime = self._replayed(request, stack)
            report = Report(runtime.engine.desk)
            self._run_headless(runtime, "replayed")
            journal = runtime.engine.desk.journal
            if request.journal_folder is not None:
                return report.as_json(fingerprint(JournalFolder(request.journal_folder)))
            return report.as_json(journal.fingerprint())  # type: ignore[attr-defined]

    def demo(self, request: DemoRequest) -> None:
        if request.is_headless:
            with ExitStack() as stack:
                self._run_headless(self.demo_runtime(request, stack), "left")
            return
        from console.desk import run_desk

        run_desk(lambda stack: self.demo_runtime(request, stack))

    def demo_runtime(self, request: DemoRequest, stack: ExitStack) -> VirtualRuntime:
        """The demo's engine, taken up where its journal and its exchange left it."""
        from core.market.calendar import load_calendar
        from core.model.account import Mode
        from core.model.values import Symbol
        from core.runtime import demo
        from core.runtime.exchange import config_of, link_of, resumed
        from core.runtime.feed import merged
        from core.runtime.pace import Pace
        from core.runtime.sources import synthetic_feed
        from core.runtime.virtual import VirtualRuntime
        from state.exchange_log import ExchangeLog
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        settings = self._settings((*(demo.BUSY if request.operator != "none" else ()), *request.overrides))
        folder = self.home.account(demo.demo_account(request.seed))
        folder.prepare()
        stack.enter_context(EngineLock(folder))
        calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
        log = stack.enter_context(closing(ExchangeLog(folder)))
        engine, write = self._engine(folder, calendar, Mode.PAPER, stack)
        records = list(log.records())
        begin = demo.opening_instant(request.seed, settings, calendar)
        last = max([engine.desk.at, *(datetime.fromisoformat(str(r["at"])) for r in records[-1:])])
        is_new = engine.desk.journal.sequence == 0
        now = demo.sessions_from(calendar, demo.FIRST_DAY)[0].open if is_new else last
        exchange = resumed(
            config_of(settings, folder.name, str(request.seed)),
            calendar,
            log,
            demo.bars_until(request.seed, settings.symbols, calendar, now),
            records,
            now,
        )
        engine.apply(now, settings, f"simulated-{request.seed}")
        sessions = [s for s in demo.sessions_from(calendar, demo.FIRST_DAY) if s.close > now]
        switch = FileKillSwitch(folder, self.environ)
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
        settings = self._settings((*request.overrides, *chosen))
        feeds = []
        for path in request.files:
            symbol = symbol_of(path) or (Symbol(settings.symbols[0]) if len(settings.symbols) == 1 else None)
            if symbol not in settings.symbols:
                named = f"{symbol} is" if symbol else "its symbol is"
                raise OperatorError(f"{path.name}: {named} not among the symbols; add --symbol {symbol or 'SYM'}")
            feeds.append(bars_of_file(path, Symbol(symbol)))
        for path in request.quotes:
            feeds.append(quotes_of_file(path, Symbol(symbol_of(path) or settings.symbols[0])))
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

    def _run_headless(self, runtime: VirtualRuntime, reason: str) -> None:
        """Run in this thread; a signal lets it finish the act in hand."""
        for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(name, lambda *_: runtime.leave())
        runtime.run()
        runtime.stop(reason)

    def _engine(
        self, folder: AccountFolder, calendar: object, mode: object, stack: ExitStack
    ) -> tuple[Engine, Callable[[], None]]:
        """The engine as journal and documents left it, and how its checkpoint is written."""
        from core import checkpoint
        from core.engine import Engine
        from state.documents import TinyDocuments
        from state.journal import FileJournal

        journal = stack.enter_context(closing(FileJournal(folder)))
        documents = TinyDocuments(folder)
        engine = Engine(folder.name, mode, calendar, journal)  # type: ignore[arg-type]
        engine.notes = (*journal.repairs, *documents.notes, *checkpoint.rebuild(engine.desk, documents))
        return engine, lambda: checkpoint.save(engine.desk, documents)

    def _keep(
        self, folder: AccountFolder, runtime: VirtualRuntime, switch: FileKillSwitch, write: Callable[[], None]
    ) -> None:
        from core.picture import word_of
        from state.heartbeat import Heartbeat

        keeper = Keeper(folder, runtime, switch, write, Heartbeat(folder).beat, word_of)
        runtime.pace.beat = keeper

        def close() -> None:
            write()
            keeper.beat(status_of(runtime.engine, folder.name, "stopped"))

        runtime.close = close

    def _operator(self, name: str, engine: Engine, start: datetime) -> Operator | None:
        """Keys by script: accepted here, because the broker is the simulated exchange."""
        from core.runtime.operator import ConfirmAll, Script, ScriptError, read_script

        if name == "none":
            return None
        if name == "confirm-all":
            return ConfirmAll(engine.desk)
        try:
            return Script(engine.desk, read_script(Path(name).read_text(), start, Path(name).name))
        except (OSError, ScriptError) as error:
            raise OperatorError(f"--operator: {error}; or `none`, or `confirm-all`") from error

    def _settings(self, overrides: tuple[str, ...]) -> Settings:
        from state.settings_file import load_settings

        return load_settings(self.home, self.environ, overrides)


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
    """The program. Errors that the operator can mend are one line, and exit 2."""
    from console.commands import build

    try:
        build(Keyturn(dict(os.environ)))()
    except (OperatorError, JournalError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or 'the disk'}: {error.strerror or error}")
    except BrokenPipeError:
        os._exit(1)


def fail(message: str) -> None:
    sys.stderr.write(f"keyturn: {message}\n")
    raise SystemExit(2)


if __name__ == "__main__":
    main()
