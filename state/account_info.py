"""Looking at an account from outside: what runs, whether its journal holds, what its documents say. Reads, and kills.

Nothing here needs the engine; it may run meanwhile. The one thing that is written is the kill switch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from core.model.basket import Basket
from core.ports import Checkpoint, OperatorError, Recorded
from state.folders import AccountFolder, Home, JournalFolder
from state.lock import holder, last_account

STALE_SECONDS = 5.0
"""A heartbeat comes fifty times a second."""
NO_ACCOUNT = "nothing ran here yet; `keyturn demo` begins"
NOT_BEFORE = "nothing is sent before you sign it"


class AccountInfo:
    """The commands that look. `account` None is the engine that runs, or ran last."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.home = Home.of(environ)

    def release(self) -> str:
        """Which Keyturn this is: its version, and the commit where one is known."""
        from importlib.metadata import version

        from state.release import release

        return release(version("keyturn"))

    def status(self, account: str | None) -> dict[str, object]:
        """What the engine is doing, from its folder alone; it may run meanwhile."""
        from state import heartbeat

        names = ("state", "pid", "heartbeat_age", "mode", "positions", "orders_working", "orders_sent")
        empty: dict[str, object] = dict.fromkeys((*names, "proposals_waiting", "journal_sequence"), 0)
        empty["uncovered"] = empty["unattended"] = empty["uncovered_kinds"] = ()
        folder = self.home.account(account) if account else last_account(self.home)
        pid = holder(folder) if folder else None
        beaten = heartbeat.read(folder) if folder else None
        if folder is None or (beaten is None and pid is None):
            return {**empty, "state": "stopped", "pid": None, "heartbeat_age": None, "mode": "paper", "account": None}
        if beaten is None:
            word = "halted" if os.path.lexists(folder.heartbeat) else "starting"  # it cannot say how it is, or not yet
            return {**empty, "state": word, "pid": pid, "heartbeat_age": None, "mode": "paper"}
        status, age = beaten
        word = status.state if pid is not None else "stopped"
        if pid is not None and age > STALE_SECONDS:
            word = "halted"  # an engine that cannot say how it is is not healthy
        return {
            "state": word,
            "pid": pid,
            "heartbeat_age": round(age, 3),
            "mode": status.mode,
            "positions": status.positions,
            "orders_working": status.orders_working,
            "orders_sent": status.orders_sent,
            "proposals_waiting": status.proposals_waiting,
            "journal_sequence": status.journal_sequence,
            "account": folder.name,
            "uncovered": status.uncovered,
            "unattended": status.unattended,
            "uncovered_kinds": status.uncovered_kinds,
        }

    def kill(self, account: str | None, flatten: bool) -> str:
        from state.kill_switch import FileKillSwitch

        folder = self._folder(account)  # nothing is mended first: a kill waits for nothing
        switch = FileKillSwitch(folder, self.environ)
        try:
            switch.latch("command", flatten=flatten)
        except OSError as error:
            if switch.is_on() is None:
                raise
            return f"{folder.name}: killed; that it was by command could not be written: {error.strerror}"
        if holder(folder) is None:
            return f"{folder.name}: no engine runs; it will start killed"
        plan = " the plan that flattens waits at the desk, p opens it there;" if flatten else ""
        return f"{folder.name}: killed;{plan} `keyturn status` shows what still works"

    def plan(self, account: str | None, name: str, text: str, deploy: Decimal | None) -> str:
        """Hand a file of orders to the engine that runs, and say what it made of them (OP-05).

        Raises
        ------
        OperatorError
            Where no engine runs, where it refused the plan, and where nobody answered.
        """
        from core.facts import BasketOpened, BasketRefused
        from state.basket_inbox import ask

        folder = self._folder(account)
        if holder(folder) is None:
            raise OperatorError(f"{folder.name}: no engine runs to take a plan; open the desk, then run this again")
        answer = ask(folder, name, text, deploy)
        if isinstance(answer, BasketOpened):
            return f"it waits at the desk of {folder.name}{_of_its_rows(answer.plan)}, p opens it there; {NOT_BEFORE}"
        if isinstance(answer, BasketRefused):
            raise OperatorError(f"{name}: the desk of {folder.name} did not open it: {'; '.join(answer.reasons)}")
        raise OperatorError(f"{name}: {folder.name}: {answer}")

    def verify(self, account: str | None, folder: Path | None) -> dict[str, object]:
        from state.documents import known_sequence
        from state.unread import Unread
        from state.verify import verify

        looked_at = self._journal(account, folder)
        known = known_sequence(looked_at) if folder is None else 0
        unread = Unread()
        report = verify(looked_at, known, unread.look)
        if not report.segments and not known:
            raise OperatorError(f"there is no journal in {looked_at.journal}; name a folder that holds one")
        return {
            "sound": report.is_sound,
            "records": report.records,
            "segments": report.segments,
            "last_sum": report.last_sum,
            "torn": report.torn,
            "damage": report.damage,
            "unread": list(unread.words),
        }

    def tail(self, account: str | None, folder: Path | None, count: int, follow: bool) -> Iterator[Recorded]:
        from state.tail import tail

        return tail(self._journal(account, folder), count, follow)

    def why(self, account: str | None, folder: Path | None, order: str) -> Iterator[Recorded]:
        from core.views.order_chain import chain_of
        from state.journal import read

        return chain_of(order, read(self._journal(account, folder).journal))

    def latency(self, account: str | None, folder: Path | None, day: date | None) -> dict[str, object]:
        from core.execution.latency_report import latency_report
        from core.model.venues import HOME
        from state.journal import read

        return latency_report(read(self._journal(account, folder).journal), HOME.day_of, day)

    def show(self, account: str | None) -> dict[str, object]:
        from state.documents import TinyDocuments

        found = TinyDocuments(self._whole(account)).load()
        if isinstance(found, Checkpoint):
            return {"sequence": found.sequence, **found.documents}
        raise OperatorError(f"{found.reason}; the next start writes them anew from the journal")

    def backup(self, account: str | None, target: Path | None) -> Path:
        from state.backups import backup

        return backup(self._folder(account), target or Path.cwd())

    def _journal(self, account: str | None, folder: Path | None) -> AccountFolder:
        if folder is None:
            return self._whole(account)
        if not folder.is_dir():
            raise OperatorError(f"{folder} is no folder; name one that holds a journal")
        return JournalFolder(folder)

    def _whole(self, account: str | None) -> AccountFolder:
        """An account of which nothing is on its way (SP-04)."""
        from state.folder_swap import refuse_half_done

        folder = self._folder(account)
        refuse_half_done(folder)
        return folder

    def _folder(self, account: str | None) -> AccountFolder:
        """The account that was named, that runs, or that ran last."""
        found = self.home.account(account) if account else last_account(self.home)
        if found is None or not found.path.is_dir():
            there = ", ".join(folder.name for folder in self.home.accounts())
            known = f"there are {there}; name one of them with --account" if there else NO_ACCOUNT
            raise OperatorError(f"no account {account!r}; {known}" if account else known)
        return found


def _of_its_rows(plan: Basket) -> str:
    """` with 5 orders (2 would not go as it stands: …; 1 row became no order: …)`; empty where all of it would go."""
    against = [line.refusals[0] for line in plan.lines if line.refusals]
    told = [f"{len(against)} would not go as it stands: {against[0]}"] if against else []
    rows = "row" if len(plan.skipped) == 1 else "rows"
    told += [f"{len(plan.skipped)} {rows} became no order: {plan.skipped[0].reason}"] if plan.skipped else []
    orders = "order" if len(plan.lines) == 1 else "orders"
    return f" with {len(plan.lines)} {orders} ({'; '.join(told)})" if told else ""
