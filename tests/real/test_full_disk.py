"""A disk that is full under a running engine: it halts what opens and says so, and what was written stays whole."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.account import Account, lost_and_doubled
from tests.real.demo import CONFIRMED
from tests.real.tools import may_mount

ROOM = "4m"


@contextmanager
def a_small_disk(folder: Path) -> Iterator[None]:
    """A file system of a few megabytes, which only root may mount."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not may_mount(folder):
        pytest.skip("needs mount")
    asked = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0700", "keyturn-tests", str(folder)]
    subprocess.run(asked, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """To the last byte."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            while True:
                try:
                    if not file.write(b"x" * size):
                        break
                except OSError:
                    break


def test_a_full_disk_halts_and_loses_nothing(tmp_path: Path) -> None:
    """SP-06, SY-01: with a ticket armed on a desk; after the disk was mended, a restart goes on."""
    state = tmp_path / "home" / "state"
    (tmp_path / "home").mkdir(mode=0o700)
    with a_small_disk(state), Account(tmp_path) as account:
        engine, desk = account.armed()
        ballast = state / "ballast"

        fill(ballast)
        desk.presses(b"B", lambda: desk.shows("HALTED") or desk.shows("ENTRIES OFF") or desk.shows("READ-ONLY"))
        assert engine.is_alive()
        status = account.run("engine", "status")
        assert (status.returncode, status.stdout.split(",")[0]) == (1, "halted")

        ballast.unlink()
        engine.stopped()
        account.running()
        desk.until(lambda: not desk.shows("ENGINE AWAY"))
        sent = account.exchange_orders()  # a page of the file that was begun may have had room for the key's records
        assert len(sent) <= account.count(CONFIRMED) <= 1
        account.until(lambda: not list(lost_and_doubled(account)), "each order is known to both, once")
        desk.presses(b"\x1b", desk.is_bare)
        if desk.shows("No proposals."):
            desk.proposes()
        else:
            desk.opens_ticket()
        desk.confirms_it()
        desk.until(lambda: len(account.exchange_orders()) == len(sent) + 1)
        assert account.journal_is_whole()
