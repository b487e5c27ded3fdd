"""What every thread does, written by a process that hangs."""

from __future__ import annotations

import os
import signal
import threading

from state.files import AccountFolder
from state.running_engine import LARGEST, dumped_by, listens, thread_dumps


def test_the_signal_dumps_every_thread(folder: AccountFolder) -> None:
    """SY-02"""
    begun, until = threading.Event(), threading.Event()

    def waits_for_ever() -> None:
        begun.set()
        until.wait()

    other = threading.Thread(target=waits_for_ever)
    other.start()
    begun.wait()
    try:
        with thread_dumps(folder):
            assert listens(folder, os.getpid())
            os.kill(os.getpid(), signal.SIGUSR2)
    finally:
        until.set()
        other.join()

    said = dumped_by(folder, os.getpid())
    assert "test_the_signal_dumps_every_thread" in said
    assert "waits_for_ever" in said
    assert folder.threads.stat().st_mode & 0o777 == 0o600


def test_only_listening_processes_are_asked(folder: AccountFolder) -> None:
    """SY-02: the signal would end such a process."""
    assert not listens(folder, os.getpid())
    with thread_dumps(folder):
        assert not listens(folder, os.getpid() + 1)
        assert dumped_by(folder, os.getpid() + 1) == ""


def test_older_dumps_are_kept_up_to_a_number(folder: AccountFolder) -> None:
    """SY-02"""
    folder.threads.write_text("an older dump\n")
    with thread_dumps(folder):
        assert "an older dump" in folder.threads.read_text()
        assert dumped_by(folder, os.getpid()) == ""

    folder.threads.write_bytes(b"x" * (LARGEST + 1))
    with thread_dumps(folder):
        assert folder.threads.stat().st_size < 100


def test_without_a_file_for_them_there_are_none(folder: AccountFolder) -> None:
    """SY-02: and the engine runs as ever."""
    os.mkfifo(folder.threads)

    with thread_dumps(folder):
        assert not listens(folder, os.getpid())
