"""An account with real processes: `keyturn engine run`, `keyturn` in a terminal, and what their files say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from state.files import AccountFolder, Home
from state.running_engine import holder
from tests.real.demo import CONFIRMED, PATIENT, journal_records, mark_guide_as_read
from tests.real.terminal import Pty
from tests.real.tools import processes_on
from tests.real.waiting import LIMIT, LOOK, until

SETTINGS = (
    """
profile = "micro"
symbols = ["SPY"]
[account]
broker = "simulated"
[risk]
quote_age_seconds = 3600
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
    + PATIENT
)
"""An account that may do a lot, and whose only proposals are typed orders."""
AS_KEYTURN = """
import sys
import console.commands.assembly.engine_process as engines
engines.stop_service.__defaults__ = (600.0,)
sys.argv[0] = "keyturn"
from app import main
main()
"""
PATIENT_PROGRAM = (sys.executable, "-P", "-c", AS_KEYTURN)
"""`keyturn`, which waits for an engine as long as a slow machine needs."""
Record = dict[str, Any]


class Engine:
    """`keyturn engine run` on an account. Its output goes into a file."""

    def __init__(self, account: Account, words: tuple[str, ...] = ("engine", "run")) -> None:
        self.account = account
        self.output = account.path / f"engine-{len(account.engines)}.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*account.program, *words],
                env=account.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=account.path,
            )
        account.engines.append(self)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def until_it_listens(self) -> Self:
        def listens() -> bool:
            assert self.is_alive(), self.said()
            return self.account.listener() == self.pid

        self.account.until(listens, "the engine listens")
        return self

    def signalled(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def killed(self) -> None:
        self.process.kill()
        self.process.wait(LIMIT)

    def ended(self) -> int:
        return self.process.wait(LIMIT)

    def stopped(self) -> int:
        self.signalled(signal.SIGTERM)
        return self.ended()


class Desk(Pty):
    """`keyturn` in a terminal, attached to the engine of its account."""

    def __init__(self, account: Account, size: tuple[int, int] = (120, 40)) -> None:
        self.account = account
        super().__init__([*account.program], dict(account.environ), size)

    def asks(self, key: bytes, text: str) -> None:
        """Type a key until the screen shows this text."""
        self.presses(key, lambda: self.shows(text))

    def until_attached(self) -> None:
        self.until_it_shows("ENTRIES ON")

    def until_armed(self) -> None:
        self.until(self.is_armed)

    def proposes(self, quantity: str = "1", limit: str = "480", stop: str = "470") -> str:
        """Type an order; return the identifier of its ticket, which opens by itself."""
        known = self.account.count("TicketOpened")
        staged = self.account.count("ProposalStaged")

        def is_staged() -> bool:
            return self.account.count("ProposalStaged") > staged

        def types_order() -> None:
            if is_staged():  # its ticket comes
                self.read_for(LOOK)
                return
            if self._is_in_form(quantity, limit, stop):
                self.presses(b"\r", lambda: not self.shows("New order") or is_staged())
                self.read_until(is_staged, 20.0)
                return
            if self.shows("New order"):  # some keys were dropped: begin again, without the draft
                self.type(b"\x15")
                self.presses(b"\x1b", lambda: not self.shows("New order"))
            self.asks(b"n", "New order")
            self.type(f"{quantity}\t\t{limit}\t{stop}\t".encode())
            self.read_until(lambda: self._is_in_form(quantity, limit, stop), 2.0)

        until(lambda: self.account.count("TicketOpened") > known, self.what_it_shows, types_order)
        return self._the_ticket()

    def _is_in_form(self, *texts: str) -> bool:
        labels = ("Quantity", "Limit price", "Stop price")
        return all(
            any(label in line and line.split(label)[1].split()[:1] == [text] for line in self.screen.display)
            for label, text in zip(labels, texts, strict=True)
        )

    def opens_ticket(self) -> str:
        """Of the first proposal; its identifier."""
        known = self.account.count("TicketOpened")
        self.asks(b"1", "▸")
        self.asks(b"\r", "PAPER ─ BUY to ")
        self.until(lambda: self.account.count("TicketOpened") > known)
        return self._the_ticket()

    def _the_ticket(self) -> str:
        self.until_it_shows("PAPER ─ BUY to ")
        return str(self.account.records("TicketOpened")[-1]["data"]["ticket"]["id"])

    def confirms_it(self) -> None:
        self.confirms(lambda: self.account.count(CONFIRMED))

    def takes_key(self) -> None:
        """Also where it is kept for a desk whose link is lost, or for the holder under the last engine."""
        known = self.account.count("KeyTaken")

        def is_taken() -> bool:
            return self.account.count("KeyTaken") > known

        def press() -> None:
            if self.shows("type TAKE"):
                self.type(b"TAKE")
                self.read_until(is_taken, 60)
            elif not self.shows("Take the key?"):
                self.type(b"T")
                self.read_until(lambda: is_taken() or self.shows("Take the key?"), 20)
            elif self.is_armed():
                self.type(b"D")
                self.read_until(is_taken, 20)
            else:  # the question is not drawn whole yet
                self.read_for(LOOK)

        until(lambda: self.account.count("KeyTaken") > known, self.what_it_shows, press)


@dataclass
class Account:
    """One home and the processes that run in it. Everything that it started has ended when it is left."""

    path: Path
    program: tuple[str, ...] = PATIENT_PROGRAM
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: str = SETTINGS
    engines: list[Engine] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home_path = home = self.path / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        mark_guide_as_read(home)
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
            if engine.is_alive():
                engine.killed()
        until(self._all_killed, "its processes are gone")

    def _all_killed(self) -> bool:
        left = sorted(self.processes())  # a watchdog is older than its engine
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    @property
    def folder(self) -> AccountFolder:
        """Of the one account that there is, or will be."""
        return next(self.home.accounts(), self.home.account("demo"))

    def processes(self) -> list[int]:
        return processes_on(self.home_path)

    # ── who runs

    def engine(self, *words: str) -> Engine:
        return Engine(self, words or ("engine", "run"))

    def running(self) -> Engine:
        return self.engine().until_it_listens()

    def desk(self, size: tuple[int, int] = (120, 40)) -> Desk:
        desk = Desk(self, size)
        self.desks.append(desk)
        return desk

    def armed(self) -> tuple[Engine, Desk]:
        """An engine, and a desk on which a ticket stands armed."""
        engine, desk = self.running(), self.desk()
        desk.until_attached()
        desk.proposes()
        desk.until_armed()
        return engine, desk

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another `keyturn` on this home, to its end."""
        return subprocess.run(
            [*self.program, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=3 * LIMIT,
            check=False,
            cwd=self.path,
        )

    def succeeds(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same, again where it gave up because a slow machine was not ready in the product's own time."""
        answers: list[subprocess.CompletedProcess[str]] = []

        def runs() -> bool:
            answers.append(self.run(*words))
            return answers[-1].returncode == 0

        until(runs, lambda: answers[-1])
        return answers[-1]

    def listener(self) -> int | None:
        """The process of the engine that takes connections."""
        from console.commands.assembly.engine_process import is_listening

        pid = holder(self.folder)
        return pid if pid and is_listening(self.folder) else None

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait, and read what the terminals show meanwhile."""

        def read() -> None:
            for desk in self.desks:
                desk.read_for(LOOK)

        until(condition, what, read if self.desks else None)

    # ── what its files say

    def records(self, *facts: str) -> list[Record]:
        """Of the journal, in order."""
        return [record for record in journal_records(self.folder.path) if not facts or record["fact"] in facts]

    def count(self, *facts: str) -> int:
        return len(self.records(*facts))

    def exchange_orders(self) -> list[str]:
        """The names of all orders that were submitted to the exchange, in order, as its own log has them."""
        if not self.folder.exchange.exists():
            return []
        found = []
        for line in self.folder.exchange.read_bytes().splitlines():
            with suppress(ValueError):
                record = json.loads(line)
                if record.get("request") in ("submit", "replace"):
                    found.append(str(record["client_order_id"]))
        return found

    def nothing_was_sent(self) -> bool:
        return self.count(CONFIRMED) == 0 and self.exchange_orders() == []

    def journal_is_whole(self) -> bool:
        return self.run("journal", "verify").returncode == 0


def lost_and_doubled(account: Account) -> Iterator[str]:
    """By the journal and the exchange's log: each order once, each known to both."""
    sent = account.exchange_orders()
    for name, many in Counter(sent).items():
        if many > 1:
            yield f"order {name} was submitted {many} times"
    states: dict[str, str] = {}
    for record in account.records("OrderCreated", "OrderStateChanged", "OrderStateUnknown"):
        data = record["data"]
        if record["fact"] == "OrderCreated":
            if data.get("role") is None:
                states[str(data["order"]["client_order_id"])] = "pending"
        elif str(data["client_order_id"]) in states:
            states[str(data["client_order_id"])] = str(data.get("after", "unknown")).lower()
    for name in sent:
        if name not in states:
            yield f"order {name} is at the exchange, and not in the journal"
    for name, state in states.items():
        if state in ("pending", "unknown"):
            yield f"order {name} is {state} in the journal, and stays so"
        elif name not in sent and state not in ("cancelled", "rejected", "expired"):
            yield f"order {name} is {state} in the journal, and the exchange never had it"
