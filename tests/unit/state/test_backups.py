"""A backup holds journal and documents together, whatever the engine does meanwhile."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime

import pytest

from core.facts import EngineStarted
from core.ports import Checkpoint
from state.documents import TinyDocuments
from state.files import AccountFolder
from state.folder_swap import BackupError, backup
from state.journal import FileJournal
from state.journal_inspection import verify

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def test_a_backup_of_a_running_engine_is_whole(folder, tmp_path):
    """SP-04"""
    journal = FileJournal(folder)
    for _ in range(3):
        journal.append(NOON, EngineStarted())
    journal.sync()
    TinyDocuments(folder).save(Checkpoint(2, {"orders": {}}))
    TinyDocuments(folder).save(Checkpoint(3, {"orders": {}}))
    with next(folder.journal.iterdir()).open("ab") as file:
        file.write(b'{"seq":4,"at"')

    archive = backup(folder, tmp_path)

    assert archive.name == "keyturn-paper-3.tar.gz"
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as file:
        file.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
        file.extractall(tmp_path / "out")
    copy = AccountFolder(tmp_path / "out" / "paper")
    report = verify(copy)
    assert (report.records, report.torn, report.damage) == (3, None, None)
    assert TinyDocuments(copy).load() == Checkpoint(3, {"orders": {}})
    assert (copy.backups / "documents.1.json").exists()


def test_a_backup_has_the_whole_lines_of_the_exchange_log(folder, tmp_path):
    """SP-04: read after the journal, so that the exchange knows every order that the journal says it took."""
    TinyDocuments(folder).save(Checkpoint(0, {}))
    folder.exchange.write_bytes(b'{"at":1}\n{"at":2}\n{"a')

    archive = backup(folder, tmp_path)

    with tarfile.open(archive) as file:
        assert file.getnames() == ["paper/documents.json", "paper/exchange.jsonl"]
        content = file.extractfile("paper/exchange.jsonl")
        assert content is not None
        assert content.read() == b'{"at":1}\n{"at":2}\n'


def test_a_backup_overwrites_nothing(folder, tmp_path):
    """SP-04"""
    with pytest.raises(BackupError, match="neither journal nor documents"):
        backup(folder, tmp_path)
    TinyDocuments(folder).save(Checkpoint(0, {}))
    assert backup(folder, tmp_path / "mine.tar.gz") == tmp_path / "mine.tar.gz"
    with pytest.raises(BackupError, match="there already"):
        backup(folder, tmp_path / "mine.tar.gz")
