"""A log that is moved, cut, copied and cut, or removed under a running engine: no line behind it is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import orjson

from tests.real.account import Account


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


ROTATIONS: tuple[Callable[[Path], None], ...] = (removed, cut, copied_and_cut, moved)


def test_a_rotated_log_loses_no_line(account: Account) -> None:
    """SY-05: every fact of a ticket that was opened behind it, in whole lines; `keyturn engine logs` reads them."""
    engine, desk = account.running(), account.desk()
    desk.until_attached()
    log = account.folder.log
    account.until(lambda: log.exists() and b"DeskAttached" in log.read_bytes(), "the desk is in the log")

    for rotates in ROTATIONS:
        rotates(log)
        ticket = desk.proposes()
        account.until(
            lambda ticket=ticket: log.exists() and ticket.encode() in log.read_bytes(), f"{rotates.__name__}: a ticket"
        )
        names = [orjson.loads(line)["event"] for line in log.read_bytes().splitlines()]
        staged = [name for name in names if name in ("ProposalStaged", "TicketOpened")]
        assert staged == ["ProposalStaged", "TicketOpened"], rotates.__name__
        desk.presses(b"\x1b", desk.is_bare)

    told = account.run("engine", "logs")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.count("TicketOpened") == 2, "of the log and of the one that was moved last"
    assert engine.is_alive()
