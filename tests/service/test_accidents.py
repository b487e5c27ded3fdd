"""One of each accident to real processes, and a fault that they find; `make accidents-processes` plays hundreds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.service import planted
from tests.service.accidents import KINDS, play_house


def test_no_process_that_is_hit_confirms_what_nobody_meant(tmp_path: Path) -> None:
    """OP-04, OP-13, SY-01: of each kind one, and the books are whole."""
    for number, kind in enumerate(KINDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        told = play_house(folder, 7, range(number, number + 1), kinds=(kind,))
        assert told.wrong == []
        assert told.accidents[kind] == 1


@pytest.mark.parametrize("fault", ["the-desk-stays-armed"])
def test_a_planted_fault_is_found(tmp_path: Path, fault: str) -> None:
    """OP-04"""
    program = (sys.executable, "-P", str(Path(planted.__file__)), fault)

    told = play_house(tmp_path, 3, range(8), kinds=("engine stopped",), program=program)

    assert any("was confirmed, and nobody meant it" in words for words in told.wrong)
