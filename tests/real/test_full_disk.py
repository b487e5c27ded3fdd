"""A disk that is full under a running engine: it halts what opens and says so, and what was written stays whole."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.account import CONFIRMED, House
from tests.real.test_killed_processes import armed
from tests.soak.process_accidents import lost_and_doubled

ROOM = "4m"


@contextmanager
def a_small_disk(folder: Path) -> Iterator[None]:
    """A file system of a few megabytes, which only root may mount."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    asked = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0700", "keyturn-tests", str(folder)]
    if subprocess.run(asked, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
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


def test_an_engine_on_a_full_disk_halts_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """SP-06, SY-01: with a ticket armed on a desk; after the disk was mended, a restart goes on."""
    state = tmp_path / "home" / "state"
    (tmp_path / "home").mkdir(mode=0o700)
    with a_small_disk(state), House(tmp_path) as house:
        engine, desk = armed(house)
        ballast = state / "ballast"

        fill(ballast)
        desk.type(b"B")
        desk.until_it_shows("No space left", "cannot be written")
        desk.until_it_shows("HALTED", "ENTRIES OFF", "READ-ONLY")
        assert engine.process.poll() is None
        status = house.run("engine", "status")
        assert (status.returncode, status.stdout.split(",")[0]) == (1, "halted")

        ballast.unlink()
        engine.stopped()
        assert "halted, nothing more was sent: " in engine.said()
        fresh = house.engine()
        house.until(lambda: house.listener() == fresh.pid, "another engine listens")
        desk.until(lambda: not desk.shows("ENGINE AWAY"))
        sent = house.exchange_orders()  # a page of the file that was begun may have had room for the key's records
        assert len(sent) <= house.count(CONFIRMED) <= 1
        house.until(lambda: not list(lost_and_doubled(house)), "each order is known to both, once")
        desk.type(b"\x1b")
        desk.until(desk.is_bare)
        desk.proposes() if desk.shows("No proposals.") else desk.opens_a_ticket()
        desk.until_armed()
        desk.type(b"B")
        desk.until(lambda: len(house.exchange_orders()) == len(sent) + 1)
        assert house.journal_is_whole()
