"""Two accidents to real processes, and a fault that they find; `make accidents-processes` plays hundreds."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.soak import planted_fault as planted
from tests.soak.process_accidents import play_house


def test_no_process_that_is_hit_confirms_what_nobody_meant(tmp_path: Path) -> None:
    """OP-04, OP-13, SY-01: and the books are whole."""
    for number, kind in enumerate(("both killed", "engine stopped")):
        folder = tmp_path / str(number)
        folder.mkdir()
        told = play_house(folder, 7, range(number, number + 1), kinds=(kind,))
        assert told.wrong == []
        assert told.accidents[kind] == 1


def test_a_key_that_counts_however_late_it_comes_is_found(tmp_path: Path) -> None:
    """OP-04: it was typed into a long silence; what the engine takes up behind that was not meant."""
    program = (sys.executable, "-P", str(Path(planted.__file__)), "late-keys-count")

    told = play_house(tmp_path, 3, range(7, 8), kinds=("engine stopped",), program=program)

    assert any("was confirmed, and nobody meant it" in words for words in told.wrong)
