"""Accounts on a disk for the tests of backup, restore and reset: small journals with all that leans on them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from core.facts import EngineStarted, EngineStopped, Fact, InstallationNamed
from core.ports import Checkpoint
from state.documents import TinyDocuments, known_sequence
from state.files import AccountFolder
from state.journal import FileJournal, read
from state.journal_inspection import verify

MONDAY = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""When the operator restores or resets, by the wall."""


def an_account(path: Path, *facts: Fact, exchange: bool = True) -> AccountFolder:
    """An account with an installation's name, a start, and these facts; its documents know all of them."""
    folder = AccountFolder(path)
    folder.prepare()
    add(folder, [InstallationNamed("desk"), EngineStarted(), *facts])
    if exchange:
        opening = {"request": "open", "at": MONDAY.isoformat(), "symbols": "SPY"}
        folder.exchange.write_bytes(orjson.dumps(opening) + b"\n")
    return folder


def add(folder: AccountFolder, facts: Iterable[Fact], at: datetime = MONDAY) -> None:
    """Let an engine go on with an account: facts an hour after its last record, and a checkpoint."""
    with closing(FileJournal(folder)) as journal:
        for fact in facts:
            journal.append(max(at, journal.last_at + timedelta(hours=1) if journal.sequence else at), fact)
        TinyDocuments(folder).save(Checkpoint(journal.sequence, {"control": {"killed_by": None}}))


def a_longer_life(folder: AccountFolder) -> None:
    """Three more records, and one more request to the exchange."""
    add(folder, [EngineStopped("left"), EngineStarted(), EngineStopped("left again")])
    with folder.exchange.open("ab") as file:
        cancel = {"request": "cancel", "at": MONDAY.isoformat(), "client_order_id": "0123456789abcdef"}
        file.write(orjson.dumps(cancel) + b"\n")


def facts_of(folder: AccountFolder) -> list[Fact]:
    return [recorded.fact for recorded in read(folder.journal)]


def is_sound(folder: AccountFolder) -> bool:
    """Whether an engine could start on it: the chain holds, and the documents do not know more than it."""
    report = verify(folder, known_sequence(folder))
    return report.is_sound and report.torn is None


def everything_in(folder: AccountFolder) -> dict[str, bytes]:
    """Journal, documents and exchange log, byte for byte."""
    paths = (p for place in (folder.path, folder.journal, folder.backups) for p in place.iterdir() if p.is_file())
    kept = (p for p in paths if p != folder.lock)
    return {path.relative_to(folder.path).as_posix(): path.read_bytes() for path in sorted(kept)}


def modes_in(folder: AccountFolder) -> set[tuple[bool, int]]:
    """Whether it is a folder, and its permissions, of all that lies in an account's folder."""
    return {(p.is_dir(), p.stat().st_mode & 0o777) for p in (folder.path, *folder.path.rglob("*"))}
