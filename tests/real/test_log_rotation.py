"""A log that logrotate moves, cuts, or copies and cuts under a running engine: no line behind it is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from tests.real.account import House


def moved(log: Path) -> None:
    log.rename(log.with_name(f"{log.name}.1"))


def cut(log: Path) -> None:
    with log.open("r+b") as file:
        file.truncate(0)


def copied_and_cut(log: Path) -> None:
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    cut(log)


def removed(log: Path) -> None:
    log.unlink()


@pytest.mark.parametrize("rotates", [moved, cut, copied_and_cut, removed], ids=lambda each: each.__name__)
def test_what_is_logged_after_a_rotation_stands_in_the_log(house: House, rotates: object) -> None:
    """SY-05: every fact of a ticket that was opened behind it, in whole lines; `keyturn engine logs` reads them."""
    assert callable(rotates)
    engine, desk = house.running(), house.desk()
    desk.until_attached()
    log = house.folder.log
    house.until(lambda: log.exists() and b"DeskAttached" in log.read_bytes(), "the desk is in the log")

    rotates(log)
    ticket = desk.proposes()

    house.until(lambda: log.exists() and ticket.encode() in log.read_bytes(), "the ticket is in the log")
    names = [orjson.loads(line)["event"] for line in log.read_bytes().splitlines()]
    assert [name for name in names if name in ("ProposalStaged", "TicketOpened")] == ["ProposalStaged", "TicketOpened"]
    assert engine.process.poll() is None
    told = house.run("engine", "logs")
    assert told.returncode == 0
    assert "TicketOpened" in told.stdout
    assert ("DeskAttached" in told.stdout) is (rotates in (moved, copied_and_cut))
    assert "damaged" not in told.stderr
