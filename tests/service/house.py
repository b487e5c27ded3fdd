"""An account of its own with real processes, `keyturn engine run` and `keyturn` in a terminal; what its files say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from state.folders import AccountFolder, Home
from state.lock import holder
from state.thread_dump import listens
from tests.kit.waiting import PATIENCE
from tests.terminal.pty_demo import PROGRAM, was_here_before
from tests.terminal.pty_desk import Pty

SETTINGS = """
profile = "micro"
symbols = ["SPY"]
[account]
broker = "simulated"
[risk]
max_open_positions = 1000
entries_a_day = 10000
window_start = "09:30"
window_end = "15:45"
daily_loss = { usd = "1000000" }
weekly_loss = { usd = "1000000" }
per_trade = { usd = "100000" }
max_notional = { usd = "1000000" }
twins = { enabled = false }
[risk.protections]
repeated_execution = { enabled = false }
stop_loss_guard = { enabled = false }
cooldown = { enabled = false }
low_profit = { enabled = false }
loss_streak = { enabled = false }
max_drawdown = { enabled = false }
volatility_halt = { enabled = false }
[exchange]
cash = "10000000"
multiplier = "2"
[strategies.vwap]
enabled = false
"""
"""An account that may do a lot, and whose proposals are the hand's own."""
LOOK = 0.01
MINUTE = 60.0
STANDSTILL = float(os.environ.get("STANDSTILL", "4"))
"""Seconds for which something is stopped: beyond the limits of a desk's link here, over a minute in `make faults`."""
AGAIN = 5.0
"""Seconds after which a hand that sees nothing come of its key types it again."""
CONFIRMED = "ConfirmationReceived"
Record = dict[str, Any]


class Engine:
    """`keyturn engine run` on a house. What it says goes into a file."""

    def __init__(self, house: House, words: tuple[str, ...] = ("engine", "run")) -> None:
        self.house = house
        self.said_in = house.path / f"engine-{len(house.engines)}.txt"
        with self.said_in.open("wb") as output:
            self.process = subprocess.Popen(
                [*house.program, *words],
                env=house.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=house.path,
            )
        house.engines.append(self)

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.said_in.read_text(errors="replace")

    def until_it_listens(self) -> Self:
        until = time.monotonic() + PATIENCE
        while self.house.listener() != self.pid:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, f"the engine does not listen; {self.threads()}"
            time.sleep(LOOK)
        return self

    def threads(self) -> str:
        """Where each thread stands, where it got as far as to say that it answers."""
        held = holder(self.house.folder)
        if not listens(self.house.folder, self.pid):
            return f"the account is held by {held}, and {self.pid} does not say what its threads do; {self.said()}"
        self.signalled(signal.SIGUSR2)
        time.sleep(0.5)
        return f"the account is held by {held}; {self.house.folder.threads.read_text()[-6000:]}"

    def signalled(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def killed(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    def stopped(self) -> int:
        self.signalled(signal.SIGTERM)
        return self.ended()


class Desk(Pty):
    """`keyturn` in a terminal, attached to the engine of its house."""

    def __init__(self, house: House, size: tuple[int, int] = (120, 40)) -> None:
        self.house = house
        super().__init__([*house.program], dict(house.environ), size)

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.screen.display)

    def until_it_shows(self, *texts: str) -> None:
        self.until(lambda: any(self.shows(text) for text in texts))

    def is_armed(self) -> bool:
        """Whether a ticket on the screen says so."""
        return any(("armed" in line and "armed in" not in line) for line in self.screen.display)

    def asks(self, key: bytes, text: str) -> None:
        """Types a key until it shows this: one that is typed into a machine that stands still is dropped."""
        until = time.monotonic() + PATIENCE
        while not self.shows(text):
            assert time.monotonic() < until, f"{key!r} does not show {text!r}; {self.what_it_shows()}"
            self.type(key)
            again = time.monotonic() + AGAIN
            while not self.shows(text) and time.monotonic() < again:
                self.read_for(0.02)

    def is_bare(self) -> bool:
        """Whether nothing lies over the panes: a dialog has round corners."""
        return not self.shows("╭")

    def until_attached(self) -> None:
        self.until_it_shows("ENTRIES ON")

    def until_armed(self) -> None:
        self.until(self.is_armed)

    def proposes(self, quantity: str = "1", limit: str = "480", stop: str = "470") -> str:
        """An order of its own, typed; the identifier of its ticket, which opens by itself."""
        known = self.house.count("TicketOpened")
        self.asks(b"n", "New order")
        self.type(f"{quantity}\t\t{limit}\t{stop}\t".encode())
        self.until(lambda: any("Stop price" in line and stop in line for line in self.screen.display))
        self.type(b"\r")
        return self._the_ticket(known)

    def opens_a_ticket(self) -> str:
        """Of the first proposal; its identifier."""
        known = self.house.count("TicketOpened")
        self.asks(b"1", "▸")
        self.asks(b"\r", "PAPER ─ BUY to ")
        return self._the_ticket(known)

    def _the_ticket(self, known: int) -> str:
        self.until(lambda: self.house.count("TicketOpened") > known)
        self.until_it_shows("PAPER ─ BUY to ")
        return str(self.house.records("TicketOpened")[-1]["data"]["ticket"]["id"])

    def takes_the_key(self) -> None:
        """From a desk whose link is lost."""
        known = self.house.count("KeyTaken")
        self.asks(b"T", "Take the key?")
        self.until_armed()
        self.type(b"D")
        self.until(lambda: self.house.count("KeyTaken") > known)


@dataclass
class House:
    """One home, and whoever runs in it. Everything that it started has ended when it is left."""

    path: Path
    program: tuple[str, ...] = (PROGRAM,)
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: str = SETTINGS
    engines: list[Engine] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home_path = home = self.path / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        was_here_before(home)
        self.environ = {**os.environ, **self.variables, "KEYTURN_HOME": str(home)}
        self.home = Home.of(self.environ)
        self.home.settings.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home.settings.write_text(self.settings)
        self.home.settings.chmod(0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for desk in self.desks:
            desk.__exit__()
        for engine in self.engines:
            if engine.process.poll() is None:
                engine.killed()
        while left := self.processes():
            for pid in sorted(left):  # a watchdog is older than its engine
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(LOOK)

    @property
    def folder(self) -> AccountFolder:
        return self.home.account("demo")

    def processes(self) -> list[int]:
        """Whatever runs on this home, as the kernel knows it: a watchdog and its engine belong to nobody here."""
        mine, found = f"KEYTURN_HOME={self.home_path}".encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mine in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    # ── who runs

    def engine(self, *words: str) -> Engine:
        return Engine(self, words or ("engine", "run"))

    def running(self) -> Engine:
        return self.engine().until_it_listens()

    def desk(self, size: tuple[int, int] = (120, 40)) -> Desk:
        desk = Desk(self, size)
        self.desks.append(desk)
        return desk

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another `keyturn` in this house, to its end."""
        return subprocess.run(
            [*self.program, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=self.path,
        )

    def listener(self) -> int | None:
        """The process of the engine that takes connections."""
        from console.commands.assembly.engine_process import is_listening

        pid = holder(self.folder)
        return pid if pid and is_listening(self.folder) else None

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits, and reads what the terminals show meanwhile."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, f"{what}: not in {PATIENCE:g} s"
            for desk in self.desks:
                desk.read_for(LOOK)
            time.sleep(LOOK)

    # ── what its files say

    def records(self, *facts: str) -> list[Record]:
        """Of the journal, in order; one that is just being written is not there yet."""
        return [record for record in self._records() if not facts or record["fact"] in facts]

    def count(self, *facts: str) -> int:
        return len(self.records(*facts))

    def _records(self) -> Iterator[Record]:
        for path in sorted(self.folder.journal.glob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                with suppress(ValueError):
                    record = json.loads(line)
                    if "fact" in record:
                        yield record

    def exchange_orders(self) -> list[str]:
        """The names of all that was submitted to the exchange, in order, as its own log has them."""
        if not self.folder.exchange.exists():
            return []
        found = []
        for line in self.folder.exchange.read_bytes().splitlines():
            with suppress(ValueError):
                record = json.loads(line)
                if record.get("request") in ("submit", "replace"):
                    found.append(str(record["client_order_id"]))
        return found

    def journal_is_whole(self) -> bool:
        return self.run("journal", "verify").returncode == 0
