"""A file is opened in one way: never waited for, never read without an end."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.files.regular_file import OddFileError, TooLargeError, bytes_of, open_regular

Odd = Callable[[Path], object]


def a_socket(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    return made


ODD: dict[str, tuple[Odd, str]] = {
    "pipe": (os.mkfifo, "it is a pipe (FIFO) and no regular file; move it away"),
    "socket": (a_socket, "it is a socket and no regular file; move it away"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "it is a device and no regular file; move it away"),
}


@pytest.fixture(autouse=True)
def nothing_is_waited_for() -> Iterator[None]:
    """What hangs fails instead."""

    def fails(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, fails)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_APPEND, os.O_RDWR | os.O_CREAT])
@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_is_named_at_once(tmp_path: Path, kind: str, flags: int) -> None:
    """SP-06"""
    path = tmp_path / "odd"
    make, words = ODD[kind]
    kept = make(path)

    with pytest.raises(OddFileError) as raised:
        open_regular(path, flags)

    assert (raised.value.filename, raised.value.strerror) == (str(path), words)
    del kept


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    """SP-06"""
    with pytest.raises(IsADirectoryError):
        bytes_of(tmp_path)


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    """SP-06"""
    path = tmp_path / "file"
    path.write_bytes(b"12345")

    assert bytes_of(path, 5) == b"12345"
    with pytest.raises(TooLargeError, match="it has more than 4 bytes; move it away"):
        bytes_of(path, 4)


def test_a_file_without_a_size_is_bounded(tmp_path: Path) -> None:
    """SP-06: as those of /proc are, which say that they are empty."""
    with pytest.raises(TooLargeError):
        bytes_of(Path("/proc/self/environ"), 3)


def test_only_a_regular_file_is_cut(tmp_path: Path) -> None:
    """SP-06"""
    path = tmp_path / "file"
    path.write_bytes(b"12345")

    os.close(open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))

    assert path.read_bytes() == b""
