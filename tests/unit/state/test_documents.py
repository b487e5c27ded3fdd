"""The state documents: replaced whole, never believed when damaged, never silently empty."""

from __future__ import annotations

import resource
import shutil
import threading
from hashlib import sha256
from itertools import count

import orjson
import pytest
from tinydb import TinyDB

from core.ports import Checkpoint, NoCheckpoint
from state import documents as module
from state.documents import AtomicStorage, CheckpointWriter, TinyDocuments, UnsoundDocumentsError, content_of, tables_in
from state.files import AccountFolder

SLICES = {"orders": {"a": {"status": "FILLED", "fills": [1, "2.50"]}}, "kill": None, "counters": [], "checkpoint": 1}


def saved(folder: AccountFolder, *sequences: int) -> TinyDocuments:
    """Documents saved a minute apart, as of these records."""
    minutes = (minute * 60.0 for minute in count())
    documents = TinyDocuments(folder, clock=lambda: next(minutes))
    for sequence in sequences:
        documents.save(Checkpoint(sequence, SLICES))
    return documents


def test_what_was_saved_is_loaded(folder):
    """SP-02, SP-05"""
    saved(folder, 1, 2)
    documents = TinyDocuments(folder)
    assert documents.load() == Checkpoint(2, SLICES)
    assert documents.notes == ()


def test_a_slice_that_is_gone_is_gone(folder):
    """SP-02"""
    documents = TinyDocuments(folder)
    documents.save(Checkpoint(1, {"old": 1, "kept": 1}))
    documents.save(Checkpoint(2, {"kept": 2}))
    assert documents.load() == Checkpoint(2, {"kept": 2})


def test_the_first_start_has_no_documents(folder):
    """SP-02"""
    documents = TinyDocuments(folder)
    assert documents.load() == NoCheckpoint("no documents yet")
    assert documents.notes == ()


def test_people_and_tinydb_can_read_the_file(folder):
    """SP-02"""
    saved(folder, 1)
    text = folder.documents.read_text()
    assert '"status":"FILLED"' in text
    assert orjson.loads(text)["tables"]["checkpoint"]["1"]["sequence"] == 1
    assert TinyDB(folder.documents, storage=AtomicStorage).table("slice counters").get(doc_id=1) == {"value": []}
    assert folder.documents.stat().st_mode & 0o777 == 0o600


def test_an_indented_file_of_an_older_release_is_read(folder):
    """SP-02"""
    saved(folder, 1)
    tables = orjson.loads(folder.documents.read_bytes())["tables"]
    text = orjson.dumps(tables, option=orjson.OPT_INDENT_2)
    older = b'{"sum": "%b",\n"tables": %b\n}\n' % (sha256(text).hexdigest().encode(), text)

    assert tables_in(older) == tables
    for place in range(0, len(older), 7):
        with pytest.raises(UnsoundDocumentsError):
            tables_in(older[:place] + bytes([older[place] ^ 1]) + older[place + 1 :])


def test_five_older_versions_are_kept(folder):
    """SP-02"""
    saved(folder, *range(1, 10))
    kept = [orjson.loads((folder.backups / f"documents.{n}.json").read_bytes()) for n in range(1, 6)]
    assert [file["tables"]["checkpoint"]["1"]["sequence"] for file in kept] == [8, 7, 6, 5, 4]
    assert len(list(folder.backups.iterdir())) == 5


def test_backups_are_not_all_of_the_same_second(folder):
    """SP-02"""
    now = [0.0]
    documents = TinyDocuments(folder, clock=lambda: now[0])
    for second in (0, 1, 30, 59, 60, 61, 119, 120):
        now[0] = float(second)
        documents.save(Checkpoint(second + 1, {}))
    kept = sorted(path.name for path in folder.backups.iterdir())
    assert kept == ["documents.1.json", "documents.2.json"]
    assert module._checkpoint_in(folder.backups / kept[0]).sequence == 120
    assert module._checkpoint_in(folder.backups / kept[1]).sequence == 60


def test_a_start_keeps_what_the_run_before_left(folder):
    """SP-02"""
    saved(folder, 1)
    TinyDocuments(folder, clock=lambda: 0.0).save(Checkpoint(2, {}))
    assert module._checkpoint_in(folder.backups / "documents.1.json").sequence == 1


def test_any_changed_byte_is_noticed(folder):
    """SP-02"""
    content = content_of({"checkpoint": {"1": {"sequence": 1, "version": 1}}})
    assert tables_in(content)
    for place in range(len(content)):
        for flip in (0x01, 0x20, 0x80):
            with pytest.raises(module.UnsoundDocumentsError):
                tables_in(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
    for end in range(len(content)):
        with pytest.raises(module.UnsoundDocumentsError):
            tables_in(content[:end])


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "folder"])
def test_a_damaged_file_is_replaced_by_the_newest_backup(folder, damage, snapshot):
    """SP-02"""
    saved(folder, 1, 2, 3)
    (folder.backups / "documents.1.json").write_bytes(b"{}")
    content = folder.documents.read_bytes()
    folder.documents.unlink()
    if damage == "folder":
        folder.documents.mkdir()
    elif damage != "gone":
        folder.documents.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")

    documents = TinyDocuments(folder)

    assert documents.load() == Checkpoint(1, SLICES)
    assert [note.split(":")[0] for note in documents.notes[:2]] == ["documents.json", "documents.1.json"]
    assert documents.notes == snapshot


def test_without_sound_documents_there_is_no_state(folder, snapshot):
    """SP-02"""
    saved(folder, 1, 2)
    for path in (folder.documents, folder.backups / "documents.1.json"):
        path.write_bytes(content_of({}).replace(b"{}", b"[]"))
    documents = TinyDocuments(folder)
    answer = documents.load()
    assert isinstance(answer, NoCheckpoint)
    assert answer.reason == snapshot
    assert len(documents.notes) == 2


def test_a_damaged_file_never_becomes_a_backup(folder):
    """SP-02"""
    saved(folder, 1, 2)
    folder.documents.write_bytes(b"noise")
    documents = TinyDocuments(folder)
    documents.load()
    documents.save(Checkpoint(3, {}))
    assert (folder.path / "documents.damaged.json").read_bytes() == b"noise"
    assert module._checkpoint_in(folder.backups / "documents.1.json").sequence == 1
    assert TinyDocuments(folder).load() == Checkpoint(3, {})


def test_a_file_of_a_newer_version_is_refused(folder, monkeypatch):
    """SP-02"""
    known = module.VERSION
    monkeypatch.setattr(module, "VERSION", known + 1)
    saved(folder, 1)
    monkeypatch.undo()
    answer = TinyDocuments(folder).load()
    assert isinstance(answer, NoCheckpoint)
    assert f"version {known + 1}, this one knows {known}" in answer.reason


def test_documents_of_newer_facts_are_refused(folder, monkeypatch):
    """SP-07, SP-02: a record that it cannot know is refused as it is read, documents or none"""
    saved(folder, 1)
    known = module.edition()
    monkeypatch.setattr(module, "edition", lambda: known + 1)
    saved(folder, 2)
    monkeypatch.undo()
    documents = TinyDocuments(folder)

    assert documents.load() == Checkpoint(1, SLICES)
    assert f"facts of {known + 1}, this one knows {known}" in documents.notes[0]


def test_documents_of_an_older_shape_are_left_unused(folder, monkeypatch):
    """SP-07, SP-02: they cannot say what nobody looked for then; they are no damage, and a kill in them is seen"""
    saved(folder, 1, 2)
    known = module.VERSION
    monkeypatch.setattr(module, "VERSION", known + 1)
    documents = TinyDocuments(folder)

    assert isinstance(documents.load(), NoCheckpoint)

    assert len(documents.notes) == 1
    assert documents.notes[0].startswith("documents.json: ")
    assert f"(version {known}, now {known + 1})" in documents.notes[0]
    assert (module.known_sequence(folder), module.newest_checkpoint(folder)) == (2, Checkpoint(2, SLICES))
    documents.save(Checkpoint(3, SLICES))
    assert TinyDocuments(folder).load() == Checkpoint(3, SLICES)
    assert module._checkpoint_in(folder.backups / "documents.1.json") == Checkpoint(2, SLICES)
    assert not (folder.path / "documents.damaged.json").exists()


@pytest.mark.parametrize("content", [{}, {"checkpoint": {}}, {"checkpoint": {"1": {"version": 1}}}])
def test_tables_without_a_checkpoint_are_unsound(folder, content):
    """SP-02"""
    folder.documents.write_bytes(content_of(content))
    assert isinstance(TinyDocuments(folder).load(), NoCheckpoint)


def test_a_failed_write_keeps_the_old_documents(folder):
    """SP-02: a limit on the size of a file fails its write as a full disk does."""
    documents = saved(folder, 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            documents.save(Checkpoint(2, {}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (folder.path / ".documents.json.new").exists(), "what was half written is taken away"
    assert TinyDocuments(folder).load() == Checkpoint(1, SLICES)
    documents.save(Checkpoint(3, {}))
    assert documents.load() == Checkpoint(3, {})


def test_a_crash_while_rotating_loses_nothing(folder):
    """SP-02, EX-20"""
    saved(folder, 1, 2, 3)
    shutil.move(folder.backups / "documents.1.json", folder.backups / "documents.2.json")
    folder.documents.unlink()
    assert TinyDocuments(folder).load() == Checkpoint(2, SLICES)


def test_an_encoded_checkpoint_is_written_in_its_own_thread(folder):
    """SP-02"""
    made = Checkpoint(1, {name: orjson.Fragment(orjson.dumps(value)) for name, value in SLICES.items()})
    writer = CheckpointWriter(lambda: made, TinyDocuments(folder))
    writer.begin()
    writer.join()
    assert (TinyDocuments(folder).load(), writer.is_busy, writer.has_failed) == (Checkpoint(1, SLICES), False, False)


def test_the_next_checkpoint_reports_that_the_last_failed(folder):
    """SP-02, SP-06"""
    writer = CheckpointWriter(lambda: Checkpoint(1, SLICES), TinyDocuments(folder))
    (folder.documents / "in the way").mkdir(parents=True)
    writer.begin()
    writer.join()
    assert writer.has_failed
    with pytest.raises(IsADirectoryError):
        writer.begin()
    assert not writer.has_failed
    shutil.rmtree(folder.documents)
    writer.begin()
    writer.join()
    assert TinyDocuments(folder).load() == Checkpoint(1, SLICES)


def test_an_unexpected_fault_of_a_checkpoint_is_raised(folder, monkeypatch):
    """SP-02, SP-06: by the engine's thread, not lost with the other one"""
    writer = CheckpointWriter(lambda: Checkpoint(1, SLICES), TinyDocuments(folder))
    monkeypatch.setattr(TinyDocuments, "save", lambda *_: {}["no such table"])
    writer.begin()
    writer.join()
    with pytest.raises(KeyError):
        writer.begin()


def test_without_a_thread_a_checkpoint_is_written_at_once(folder, monkeypatch):
    """SP-02, SY-02: as many tasks as a service may have are no reason to end the engine"""
    writer = CheckpointWriter(lambda: Checkpoint(1, SLICES), TinyDocuments(folder))
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", refused)
        writer.begin()
    assert TinyDocuments(folder).load() == Checkpoint(1, SLICES)
    writer.begin()
    writer.join()


def refused(*_):
    raise RuntimeError("can't start new thread")
