"""The user's strategies out of their folder: what loads, what is refused and in which words."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from core.ports import OperatorError
from core.settings.user_strategies import UserStrategySettings
from core.strategies.builtin import HOUSE
from core.strategies.memory import Memories, StrategyMemory
from core.strategies.signal_checks import UnfitError
from state.user_strategies import Found, example_strategy, found_in, kinds_in, look_at, write_new

HEAD = """
from dataclasses import dataclass
from decimal import Decimal
from core.strategies.kit import NO_SETUP, NoSettings, OwnStrategy

@dataclass(slots=True)
class Memory:
    bars: int = 0

"""
SOUND = """
class Mine(OwnStrategy):
    name = "mine"
    State = Memory
    def on_bar(self, bar, context):
        return NO_SETUP
"""


def a_file(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    path.chmod(0o600)
    return path


def looked_at(folder: Path, text: str, name: str = "mine") -> Found:
    return look_at(a_file(folder, text, name))


def test_the_example_loads_as_it_stands_under_any_name(tmp_path: Path) -> None:
    """ST-01"""
    for name in ("dips", "buy_the_dip", "n2"):
        found = looked_at(tmp_path, example_strategy(name), name)

        assert found.faults == ()
        assert found.kind is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\nimport os", "mine.py, line 2: it imports os, which a strategy may not: take it out"),
        ("x = 1", "mine.py: it has no strategy; write a class that derives from OwnStrategy"),
        (HEAD + SOUND.replace('"mine"', '"other"'), "mine.py, line 11: its name is 'other', and the file's is 'mine'"),
        ("\nraise Exception.mro()[1](3)", "mine.py, line 2: it raises BaseException: 3; mend that line"),
    ],
)
def test_why_its_process_refuses_a_file_is_told(tmp_path: Path, text: str, words: str) -> None:
    """ST-01: tests/unit/core/runtime/test_loading.py has the rest."""
    found = looked_at(tmp_path, text)

    assert found.kind is None
    assert found.faults[0].startswith(words)


def test_nothing_of_a_file_that_is_refused_for_its_text_runs(tmp_path: Path) -> None:
    """OP-01"""
    trace = tmp_path / "trace"
    found = looked_at(tmp_path, f"import os\nraise ValueError(open({str(trace)!r}, 'w'))")

    assert len(found.faults) == 1
    assert "it imports os" in found.faults[0]
    assert not trace.exists()


def test_what_a_file_does_while_it_is_read_it_does_in_its_process(tmp_path: Path) -> None:
    """OP-01: which has no files."""
    trace = tmp_path / "trace"

    found = looked_at(tmp_path, f"open({str(trace)!r}, 'w')")

    assert found.faults[0].startswith("mine.py, line 1: it raises PermissionError") or "OSError" in found.faults[0]
    assert not trace.exists()


def test_nothing_of_a_file_is_imported_by_the_desk(tmp_path: Path) -> None:
    """ST-01: neither for its settings nor for its memory."""
    found = looked_at(tmp_path, example_strategy("far_away"), "far_away")

    assert found.kind is not None
    assert "own_strategy_far_away" not in sys.modules


@pytest.mark.parametrize("name", ["vwap", "manual", "own", "folder", "UPPER", "a-b", "x" * 25])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    """ST-01"""
    found = looked_at(tmp_path, example_strategy("dips"), name)

    assert found.kind is None
    assert len(found.faults) == 1


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """SP-04"""
    path = a_file(tmp_path, example_strategy("mine"))
    path.chmod(0o666)

    assert look_at(path).faults == (
        "mine.py: it cannot be read: others may write it; `chmod 600 mine.py` makes it yours alone",
    )


def test_a_folder_gives_those_that_load_after_the_house_and_says_why_others_do_not(tmp_path: Path) -> None:
    """ST-01, ST-07"""
    a_file(tmp_path, example_strategy("zebra"), "zebra")
    a_file(tmp_path, example_strategy("ant"), "ant")
    a_file(tmp_path, "import os\nimport sys", "broken")
    a_file(tmp_path, "import os", "_helper")
    (tmp_path / "notes.txt").write_text("nothing")

    kinds = kinds_in(tmp_path)

    assert list(kinds.known) == [*HOUSE, "ant", "zebra"]
    assert list(kinds.faults) == ["broken"]
    assert kinds.faults["broken"].endswith("(and 1 more, `keyturn strategies check`)")
    assert list(kinds_in(tmp_path / "nowhere").known) == list(HOUSE)
    assert [found.name for found in found_in(tmp_path)] == ["ant", "broken", "zebra"]


def made(folder: Path, **terms: Any) -> Any:
    kind = looked_at(folder, example_strategy("mine")).kind
    assert kind is not None
    return kind.make(UserStrategySettings.model_validate(terms), None)


def test_its_settings_are_validated_and_the_key_is_named(tmp_path: Path) -> None:
    """ST-01"""
    running = made(tmp_path, falls=5, stop="0.004", enabled=True)

    assert running.figures(date(2026, 1, 5)) == (("falls in a row", "0 of 5"),)
    with pytest.raises(UnfitError, match=r"strategies.mine.falls = 0: must be greater than or equal to 1"):
        made(tmp_path, falls=0)
    with pytest.raises(UnfitError, match=r"strategies.mine.fals: there is no such setting; it has falls, stop, gain"):
        made(tmp_path, fals=2)


def test_a_memory_comes_back_as_its_own_type_and_one_that_no_longer_fits_begins_anew(tmp_path: Path) -> None:
    """ST-01, SP-03"""
    kind = looked_at(tmp_path, example_strategy("mine")).kind
    assert kind is not None

    known = kind.make(UserStrategySettings(), {"last_close": "99.50", "fallen": 2})
    odd = kind.make(UserStrategySettings(), {"rows": [1]} | {"fallen": "many"})

    assert known.state.plain() == {"last_close": "99.50", "fallen": 2}
    assert odd.state.plain() == {"last_close": None, "fallen": 0}


def test_a_mark_of_utf_8_at_its_beginning_is_no_fault(tmp_path: Path) -> None:
    """ST-01: some editors write one."""
    assert looked_at(tmp_path, "\ufeff" + example_strategy("mine")).faults == ()


def test_what_of_a_memory_did_not_fit_is_kept_in_words(tmp_path: Path) -> None:
    """ST-01"""
    kind = looked_at(tmp_path, example_strategy("mine")).kind
    assert kind is not None

    running: Any = kind.make(UserStrategySettings(), {"last_close": "99.50", "fallen": "many"})

    assert running.forgot.startswith("state.fallen is 'many': must be a valid integer")


def test_the_first_one_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    """ST-01, SP-04"""
    folder = tmp_path / "home" / "strategies"

    path = write_new(folder, "dips")
    path.write_text("mine")

    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(OperatorError, match="is there already; nothing was written"):
        write_new(folder, "dips")
    assert path.read_text() == "mine"
    with pytest.raises(OperatorError, match="a name of the program's own"):
        write_new(folder, "vwap")


def test_a_memory_elsewhere_is_written_as_plain_as_it_is(tmp_path: Path) -> None:
    """SP-02: its file may be gone when the documents are read."""
    memories: Memories = {"mine/SPY": StrategyMemory(made(tmp_path).state, last_answer="NO_SETUP")}

    written = TypeAdapter(Memories).dump_python(memories, mode="json")

    assert written["mine/SPY"]["state"] == {"last_close": None, "fallen": 0}
    assert written["mine/SPY"]["last_answer"] == "NO_SETUP"


def test_a_file_that_never_ends_being_read_is_refused(tmp_path: Path) -> None:
    """ST-07: the desk opens all the same."""
    found = look_at(a_file(tmp_path, "while True:\n    pass"), patience=0.5)

    assert found.faults == ("mine.py: it does not end while it is read; find the loop that has no end",)


def test_a_file_that_cannot_be_parsed_keeps_none_beside_it_from_loading(tmp_path: Path) -> None:
    """ST-07: nor what is no file at all, and would be waited for."""
    a_file(tmp_path, "x=" + "-" * 50_000 + "1", "broken")
    a_file(tmp_path, example_strategy("dips"), "dips")
    os.mkfifo(tmp_path / "pipe.py", 0o600)

    kinds = kinds_in(tmp_path)

    assert list(kinds.known) == [*HOUSE, "dips"]
    assert kinds.faults == {
        "broken": "broken.py, line 1: it is nested too deeply to be read; write it plainer",
        "pipe": "pipe.py: it cannot be read: it is no file of text; move it out of the folder",
    }
