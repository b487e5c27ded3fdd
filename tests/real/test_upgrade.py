"""The package is replaced by another release while its engine and a desk run: neither mixes the two; both say it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.account import Account, Desk
from tests.real.demo import CONFIRMED
from tests.real.terminal import ROOT

PARTS = ("console", "core", "state", "widgets")
REPLACED = 'raise ImportError(f"a file of another release: {__file__}")\n'


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of this program, as an installation has it."""
    package = tmp_path / "package"
    for part in PARTS:
        shutil.copytree(ROOT / part, package / part)
    shutil.copy2(ROOT / "app.py", package)
    (package / "state" / "_commit.txt").write_text("older")
    return package


@pytest.fixture
def installed(tmp_path: Path, package: Path) -> Iterator[Account]:
    with Account(tmp_path, variables={"PYTHONPATH": str(package)}) as house:
        yield house


def upgraded(package: Path) -> None:
    """To a release whose desk says more in a frame."""
    frames = package / "core" / "protocol" / "frames.py"
    before = frames.read_text()
    after = before.replace("    attended: bool\n", "    attended: bool\n    by: Word = ''\n")
    assert after != before
    frames.write_text(after)
    (package / "state" / "_commit.txt").write_text("newer")


def asks_for_restart(desk: Desk, engine: str, own: str) -> bool:
    """Whether it names both releases and the command."""
    shown = " ".join(desk.what_it_shows().split())
    return "`keyturn engine restart`" in shown and f"({engine})" in shown and f"({own})" in shown


def test_a_restart_cures_a_desk_of_another_release(installed: Account, package: Path) -> None:
    """SY-01: the old engine and its desk go on meanwhile; the old desk is told the same by the new engine."""
    installed.succeeds("engine", "start")
    old = installed.desk()
    old.until_attached()

    upgraded(package)
    new = installed.desk()
    new.until(lambda: asks_for_restart(new, "older", "newer"))
    assert installed.count("DeskAttached") == 1
    new.presses(b"q", lambda: not new.is_alive())
    assert new.ended() == 1

    old.proposes()
    old.until_armed()
    old.confirms_it()
    old.until(lambda: len(installed.exchange_orders()) == 1)

    assert len(installed.succeeds("engine", "restart").stdout.splitlines()) == 1
    old.until(lambda: asks_for_restart(old, "newer", "older"))
    again = installed.desk()
    again.until_attached()
    again.until_it_shows("BUY to open")
    assert installed.count(CONFIRMED) == 1
    assert len(installed.exchange_orders()) == 1


def test_a_running_engine_imports_no_new_file(installed: Account, package: Path) -> None:
    """SY-01: from its first picture on it has all that a trade, a close, a kill and its end need; so have its desks."""
    engine, desk = installed.running(), installed.desk()
    desk.until_attached()
    other = installed.desk()
    other.until_attached()

    for path in package.rglob("*.py"):
        path.write_text(REPLACED)
    shutil.rmtree(package / "core" / "__pycache__", ignore_errors=True)

    assert installed.run("engine", "status").returncode != 0, "the files are not read at all"
    desk.proposes("1", "500", "470")
    desk.until_armed()
    desk.confirms_it()
    desk.until(lambda: installed.count("OrderFilled") == 1)
    for key in (b"?", b"n"):
        desk.presses(b"\x1b", desk.is_bare)
        desk.presses(key, lambda: not desk.is_bare())
    desk.presses(b"\x1b", desk.is_bare)
    desk.presses(b"\x0b", lambda: desk.shows("HALTED"))
    desk.asks(b"K", "KILLED ")
    other.until_it_shows("KILLED ")
    assert engine.stopped() == 0
    desk.until_it_shows("ENGINE AWAY")

    assert desk.is_alive()
    assert other.is_alive()
    assert "ImportError" not in engine.said() + installed.folder.log.read_text()
    assert installed.records()[-1]["fact"] == "EngineStopped"
