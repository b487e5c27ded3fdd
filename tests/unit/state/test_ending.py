"""How a journal ends is read from its end, whatever its records call their facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.facts import EngineStopped, Killed
from core.facts.registry import BY_NAME, BY_TYPE
from state.journal_files import compress, segments
from state.restoring import UNREADABLE, ending_of, holds
from tests.unit.state.accounts import MONDAY, NOW, add, an_account


@pytest.mark.parametrize("name", ["KillSwitchTurned", "Killed"])
def test_a_kill_under_an_older_name_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """SP-07, SP-04: a reset or a restore never clears it"""
    renamed = replace(BY_TYPE[Killed], name="KillSwitchTurned", aliases=("Killed",))
    monkeypatch.setitem(BY_TYPE, Killed, replace(renamed, name=name))
    folder = an_account(tmp_path / "paper", Killed("key"), EngineStopped("left"))

    monkeypatch.setitem(BY_TYPE, Killed, renamed)
    for known in renamed.names:
        monkeypatch.setitem(BY_NAME, known, renamed)

    assert ending_of(folder).killed_by == "key"


def test_compressed_segments_tell_of_a_kill_and_the_name(tmp_path: Path) -> None:
    """SP-04, SP-01"""
    folder = an_account(tmp_path / "paper", Killed("key"))
    add(folder, [EngineStopped("left")], MONDAY + timedelta(days=2))
    before = ending_of(folder)

    assert len(list(compress(folder, NOW, 30))) == 1

    assert ending_of(folder) == before
    assert (before.killed_by, before.installation) == ("key", "desk")


def test_a_compressed_segment_that_is_damaged_counts_as_a_kill(tmp_path: Path) -> None:
    """SP-04: in doubt"""
    folder = an_account(tmp_path / "paper")
    add(folder, [EngineStopped("left")], MONDAY + timedelta(days=2))
    list(compress(folder, NOW, 30))

    path = segments(folder.journal)[0]
    path.write_bytes(path.read_bytes()[:-9])

    assert ending_of(folder).killed_by == UNREADABLE


def test_a_record_is_found_in_its_compressed_segment(tmp_path: Path) -> None:
    """SP-04: so a restore does not count it as lost"""
    folder = an_account(tmp_path / "paper", EngineStopped("left"))
    ending = ending_of(folder)
    add(folder, [EngineStopped("left again")], MONDAY + timedelta(days=2))

    list(compress(folder, NOW, 30))

    assert holds(folder, ending)
    assert not holds(folder, replace(ending, line=ending.line[:-1]))
