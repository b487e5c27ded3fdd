"""The composition root: settings → state → engine → console. Nothing else wires anything.

`main` is the program `keyturn`, and `Keyturn` answers its commands. What touches the disk, the environment or a signal
is put together here and in `console/commands/`, and handed to the rooms that need it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from errno import EACCES, EEXIST, EISDIR, ENOENT, ENOSPC, ENOTDIR, EROFS
from typing import TYPE_CHECKING

from console.commands.assembly.alpaca import AtABroker
from console.commands.assembly.backtest import Backtesting
from console.commands.assembly.common import is_simulated
from console.commands.assembly.simulated import Simulated
from console.commands.assembly.strategies import StrategyCatalogue
from console.start import open_plainly
from core.ports import DemoRequest, JournalError, OperatorError, ReplayRequest
from state.folders import AccountFolder, JournalFolder, last_account

if TYPE_CHECKING:
    from core.brokers.port import Broker
    from core.engine import Engine
    from core.runtime.virtual import VirtualRuntime

REMEDIES: Mapping[int, str] = {
    EACCES: "; check its permissions, and whose it is",
    EEXIST: "; a file stands where a folder belongs, move it away",
    EISDIR: "; a file belongs there, move the folder away",
    ENOENT: "; check the path",
    ENOSPC: "; free some room",
    ENOTDIR: "; a file stands where a folder belongs, move it away",
    EROFS: "; mount it for writing, or set KEYTURN_HOME",
}
"""What to do about an error of the system, by its number."""
OUR_FAULT = 70
"""Exit code of an error that nobody foresaw: EX_SOFTWARE of sysexits.h."""


class Keyturn(AtABroker, Simulated, Backtesting, StrategyCatalogue):
    """Implements `core.ports.Composition`: what looks and looks after is inherited, and so is what is wired."""

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

    def desk(self) -> None:
        """The account of the settings: at a broker, or the simulated exchange's."""
        settings = self._settings(())
        if is_simulated(settings):
            self.demo(DemoRequest())
        else:
            self.live_desk(settings)

    def replay(self, request: ReplayRequest) -> dict[str, object] | None:
        """Play files through the one engine; a fresh account, its journal in a folder or in memory."""
        from core.runtime.replay_report import Report
        from core.runtime.run_caveats import open_positions, tallied
        from state.verify import fingerprint

        if not request.is_headless:
            from console.desk import run_desk

            run_desk(lambda stack: self._replayed(request, stack), display=self._display(request.overrides))
            return None
        with ExitStack() as stack:
            runtime = self._replayed(request, stack)
            report = Report(runtime.engine.state)
            is_whole = self._run_headless(runtime, "replayed")
            journal = runtime.engine.state.journal
            if request.journal_folder is not None:
                told = report.as_json(fingerprint(JournalFolder(request.journal_folder)))
            else:
                told = report.as_json(journal.fingerprint())  # type: ignore[attr-defined]
            told["modelled"] = tallied(runtime.exchange)
            told["open"] = list(open_positions(runtime.engine.state, runtime.exchange, runtime.at))
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

    # ── comparing ────────────────────────────────────────────────────────────────────────────────────────────────

    def reconcile(self, account: str | None, accept: bool) -> dict[str, object]:
        """Our books beside the broker's, while no engine runs (EX-09)."""
        from core.model.reconciliation import ONLY_SHOWN
        from core.runtime.reconcile import Reconciling
        from state.kill_switch import FileKillSwitch
        from state.lock import EngineLock

        folder = self._compared(account)
        with ExitStack() as stack:
            stack.enter_context(EngineLock(folder))
            engine, broker, now, write = self._books_of(folder, stack, accept=accept)
            switch = FileKillSwitch(folder, self.environ) if accept else None
            reconciling = Reconciling(engine, broker, now, switch)
            found = reconciling.accept() if accept else reconciling.look()
            if accept:
                write()
        return {
            "ok": all(d.kind in ONLY_SHOWN for d in found.differences),
            "positions": found.positions,
            "orders": found.orders,
            "differences": [
                {"kind": d.kind.value, "symbol": d.symbol, "local": d.local, "broker": d.broker, "note": d.note}
                for d in found.differences
            ],
        }

    def _compared(self, account: str | None) -> AccountFolder:
        """The account that was named, that runs or ran last; where none did yet, the one that the settings open."""
        from core.runtime.demo import demo_account, seed_of

        found = self.home.account(account) if account else last_account(self.home)
        if found is not None and found.path.is_dir():
            return found
        settings = self._settings(())
        if is_simulated(settings):
            first = self.home.account(demo_account(1))
        elif account is not None and seed_of(account) is not None:
            return self._folder(account)
        else:
            first = self.account_of_the_keys(settings)
        if account not in (None, first.name):
            raise OperatorError(f"{account}: the keys that are set are of account {first.name}; set its own")
        first.prepare()
        return first

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
        return self._live_books(folder, stack, accept=accept)


def main() -> None:
    """The program. Errors that the operator can mend are one line, and exit 2; one of ours is one line, and exit 70."""
    _open_what_is_closed()
    try:
        keyturn = Keyturn(dict(os.environ))
        if not open_plainly(sys.argv[1:], keyturn.environ, keyturn):
            from console.commands.program import build

            build(keyturn)()
    except (OperatorError, JournalError) as error:
        fail(str(error))
    except BrokenPipeError:
        os._exit(1)
    except KeyboardInterrupt:
        raise SystemExit(1) from None  # as Typer ends a command
    except OSError as error:
        fail(f"{error.filename or 'the output'}: {error.strerror or error}{REMEDIES.get(error.errno or 0, '')}")
    except Exception as error:
        fail(
            f"unexpected {type(error).__name__}: {error}; nothing more was done; look at `keyturn status`",
            OUR_FAULT,
        )


def _open_what_is_closed() -> None:
    """`>&-` leaves a number free that the next file would get: a journal must not be where others print."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def fail(message: str, code: int = 2) -> None:
    """Say one line, harmless whatever is in it (SY-06), and end."""
    from widgets.grid_text import harmless

    sys.stderr.write(f"keyturn: {harmless(message)}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
