"""How a journal ends is read from its end, whatever its records call their facts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.facts import EngineStopped, Killed
from core.facts.registry import BY_NAME, BY_TYPE
from state.journal_end import ending_of
from tests.unit.state.accounts import an_account


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
