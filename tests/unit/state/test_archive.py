"""An archive may come from anywhere: what no backup holds is refused, and nothing of it is written."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from state.folder_swap import ArchiveError, look, unpack

JOURNAL = "paper/journal/2026-01-05.jsonl"


def an_archive(path: Path, *entries: tarfile.TarInfo, content: bytes = b"line\n") -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(content))
    return path


def a_file(name: str = JOURNAL, size: int = 5) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def a_special(kind: bytes, name: str = JOURNAL, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def test_a_backup_is_unpacked_for_its_owner_alone(tmp_path):
    """SP-04: folders that somebody packed by hand are no fault."""
    entries = [a_special(tarfile.DIRTYPE, "paper/"), a_special(tarfile.DIRTYPE, "paper/journal"), a_file()]
    archive = an_archive(tmp_path / "a.tar.gz", *entries)

    contents = look(archive)
    unpack(archive, contents, tmp_path / "out")

    assert (contents.account, dict(contents.files)) == ("paper", {"journal/2026-01-05.jsonl": 5})
    written = tmp_path / "out" / "journal" / "2026-01-05.jsonl"
    assert written.read_bytes() == b"line\n"
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "entry",
    [
        a_file("../../etc/passwd"), a_file("/etc/passwd"), a_file("paper/../other/documents.json"),
        a_file("paper/journal/../../lock"), a_file("paper/.kill_switch"), a_file("paper/lock"),
        a_file("paper/settings.toml"), a_file("paper/journal/2026-01-05.jsonl/"), a_file("documents.json"),
        a_special(tarfile.SYMTYPE, target="/etc/passwd"), a_special(tarfile.LNKTYPE, target="/etc/passwd"),
        a_special(tarfile.SYMTYPE, "paper/journal", "/etc"), a_special(tarfile.CHRTYPE), a_special(tarfile.BLKTYPE),
        a_special(tarfile.FIFOTYPE), a_special(tarfile.GNUTYPE_SPARSE), a_special(tarfile.XHDTYPE),
        a_special(tarfile.DIRTYPE, "paper/journal/inner"), a_special(tarfile.DIRTYPE, "../paper"),
    ],
    ids=lambda entry: f"{entry.type!r} {entry.name}",
)  # fmt: skip
def test_what_no_backup_holds_is_refused_by_name(tmp_path, entry):
    """SP-04: paths that lead out, links, devices, extensions."""
    archive = an_archive(tmp_path / "a.tar.gz", a_file(), entry)

    with pytest.raises(ArchiveError, match="no backup does"):
        look(archive)


@pytest.mark.parametrize("second", [a_file(), a_file("other/documents.json")], ids=["twice", "another account's"])
def test_a_doubled_or_foreign_file_is_refused(tmp_path, second):
    """SP-04"""
    with pytest.raises(ArchiveError, match="one account, each file once"):
        look(an_archive(tmp_path / "a.tar.gz", a_file(), second))


def test_an_impossible_size_is_refused_unread(tmp_path):
    """SP-04"""
    path = tmp_path / "a.tar.gz"
    entry = a_file(size=1 << 40)
    path.write_bytes(gzip.compress(entry.tobuf(tarfile.GNU_FORMAT)))

    with pytest.raises(ArchiveError, match="claims 1099511627776 bytes"):
        look(path)


def test_an_endless_archive_is_refused(tmp_path):
    """SP-04: four megabytes of filling are a few kilobytes on the disk."""
    whole = gzip.decompress(an_archive(tmp_path / "a.tar.gz", a_file()).read_bytes())
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(whole + bytes(4 << 20)))

    with pytest.raises(ArchiveError, match="goes on after its end"):
        look(tmp_path / "a.tar.gz")


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: b"", lambda content: b"no archive at all", lambda content: content[: len(content) // 2],
        lambda content: content[:-1], flipped, lambda content: gzip.compress(gzip.decompress(content)[:700]),
        lambda content: gzip.compress(b"x" * 2048),
    ],
    ids=["empty", "not one", "half", "its last byte gone", "a byte changed", "cut inside", "no header"],
)  # fmt: skip
def test_a_damaged_or_torn_archive_is_refused(tmp_path, harm: Callable[[bytes], bytes]):
    """SP-04: its checksum stands at its end, and it is read to there."""
    path = an_archive(tmp_path / "a.tar.gz", a_file(size=5_000), content=bytes(range(250)) * 20)
    path.write_bytes(harm(path.read_bytes()))

    with pytest.raises(ArchiveError, match="damaged or cut short"):
        look(path)


def test_an_archive_without_a_file_is_refused(tmp_path):
    """SP-04"""
    with pytest.raises(ArchiveError, match="is empty"):
        look(an_archive(tmp_path / "a.tar.gz"))


def test_an_archive_that_changed_is_refused(tmp_path):
    """SP-04"""
    path = an_archive(tmp_path / "a.tar.gz", a_file())
    contents = look(path)
    an_archive(path, a_file(size=4))

    with pytest.raises(ArchiveError, match="has changed"):
        unpack(path, contents, tmp_path / "out")
