"""The state documents damaged in many ways: each start has the journal's own state, and says what it met."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import orjson
import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.engines import open_engine
from console.commands.assembly.host import Host
from core.engine import Engine
from core.facts import BarClosed, EngineStarted, InstallationNamed, Killed, SettingsApplied
from core.model.account import Mode
from core.ports import Checkpoint
from core.settings.settings import Settings
from core.trading_state import checkpoint
from core.trading_state.state import TradingState
from state import documents as module
from state.documents import TinyDocuments, content_of
from state.files import AccountFolder
from state.journal import FileJournal
from tests.scenarios.house import minutes
from tests.unit.core.brokers.trading_floor import NewYorkHours

CALENDAR = NewYorkHours()


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    """A killed desk that has seen half an hour, documents as of its end and as of a while before, one line after."""
    account = AccountFolder(tmp_path / "demo")
    account.prepare()
    bars = minutes("09:30", "10:00")
    clock = (number * 61.0 for number in count())
    with closing(FileJournal(account)) as journal:
        desk = TradingState("demo", Mode.PAPER, CALENDAR, journal)
        desk.at = bars[0].start
        documents = TinyDocuments(account, clock=lambda: next(clock))
        for fact in (InstallationNamed("demo"), SettingsApplied(Settings()), EngineStarted()):
            desk.record(fact)
        documents.save(checkpoint.CheckpointEncoder(desk).encode())
        for bar in bars[:-1]:
            desk.at = bar.end
            desk.record(BarClosed(bar))
        desk.record(Killed("key"))
        documents.save(checkpoint.CheckpointEncoder(desk).encode())
        desk.at = bars[-1].end
        desk.record(BarClosed(bars[-1]))
    return account


def starts(folder: AccountFolder) -> tuple[Engine, dict[str, object]]:
    """The program's own start, and the state that the journal alone gives."""
    with ExitStack() as stack:
        engine, _ = open_engine(Host.of({}), folder, CALENDAR, Mode.PAPER, stack, settings=Settings())
        alone = TradingState("demo", Mode.PAPER, CALENDAR, engine.state.journal)
        checkpoint.rebuild(alone, None)
        return engine, checkpoint.states(alone)


def is_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def has_one_bit_turned(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def has_something_behind_it(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\x00" * 64)


def is_empty(path: Path) -> None:
    path.write_bytes(b"")


def is_full_of_zeros(path: Path) -> None:
    path.write_bytes(b"\x00" * path.stat().st_size)


def is_noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 8)


def is_gone(path: Path) -> None:
    path.unlink()


def is_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def is_a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def has_no_checkpoint(path: Path) -> None:
    path.write_bytes(content_of({"checkpoint": {}}))


def is_of_a_newer_program(path: Path) -> None:
    tables = orjson.loads(path.read_bytes())["tables"]
    tables["checkpoint"]["1"]["version"] = module.VERSION + 1
    path.write_bytes(content_of(tables))


DAMAGE = (
    is_cut,
    has_one_bit_turned,
    has_something_behind_it,
    is_empty,
    is_full_of_zeros,
    is_noise,
    is_gone,
    is_a_folder,
    is_a_link_to_itself,
    has_no_checkpoint,
    is_of_a_newer_program,
)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damaged_documents_fall_back_to_the_backup(folder: AccountFolder, damage: Callable[[Path], None]) -> None:
    """SP-02, SP-03, OP-07: and where that is damaged too, to the journal alone; the start says so."""
    damage(folder.documents)
    engine, alone = starts(folder)
    assert_sound(engine, alone)
    assert engine.notes[0].startswith("documents.json: ")
    (note,) = engine.notes[1:]
    assert "documents.1.json" in note
    assert note.endswith(" 3")  # its last record

    is_noise(folder.backups / "documents.1.json")
    engine, alone = starts(folder)
    assert_sound(engine, alone)
    assert [note.split(":")[0] for note in engine.notes] == ["documents.json", "documents.1.json"]


def assert_sound(engine: Engine, alone: dict[str, object]) -> None:
    assert checkpoint.states(engine.state) == alone
    assert engine.state.control.killed_by == "key"


def test_unfitting_documents_yield_to_the_journal(folder: AccountFolder, snapshot: SnapshotAssertion) -> None:
    """SP-02: sound by their checksum, and of another shape"""
    documents = TinyDocuments(folder)
    found = documents.load()
    assert isinstance(found, Checkpoint)
    documents.save(replace(found, documents={**found.documents, "control": {"killed_by": 7}, "orders": []}))

    engine, alone = starts(folder)

    assert checkpoint.states(engine.state) == alone
    assert engine.state.control.killed_by == "key"
    assert engine.notes[-1] == snapshot


def test_sound_documents_are_taken_silently(folder: AccountFolder) -> None:
    """SP-02"""
    engine, alone = starts(folder)

    assert checkpoint.states(engine.state) == alone
    assert engine.notes == ()
