"""The user's strategies out of their folder: what loads, what is refused and in which words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from core.ports import OperatorError
from core.settings.strategies import UserStrategySettings
from core.strategies.builtin import HOUSE as BUILT_IN
from core.strategies.builtin import StrategyKind
from core.strategies.memory import Memories, StrategyMemory
from core.strategies.trade_plan import UnfitError
from state import user_strategies
from state.user_strategies import Found, example_strategy, found_in, kinds_in, kinds_of, look_at, write_new


def a_file(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    path.chmod(0o600)
    return path


def looked_at(folder: Path, text: str, name: str = "mine") -> Found:
    return look_at(a_file(folder, text, name), timeout=600)


@pytest.fixture(scope="module", autouse=True)
def timeout() -> Iterator[None]:
    """However busy the machine is, a file that loads is waited for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(user_strategies, "TIMEOUT", 600.0)
        patch.setattr(user_strategies, "STARTING", 600.0)
        yield


@pytest.fixture(scope="module")
def example(timeout: None, tmp_path_factory: pytest.TempPathFactory) -> StrategyKind:
    """The example that `keyturn strategies new` writes, loaded."""
    found = looked_at(tmp_path_factory.mktemp("strategies"), example_strategy("mine"))
    assert found.faults == ()
    assert found.kind is not None
    return found.kind


def made(example: StrategyKind, **terms: Any) -> Any:
    return example.make(UserStrategySettings.model_validate(terms), None)


def test_a_folder_is_loaded_beside_the_built_in(tmp_path: Path, snapshot) -> None:
    """ST-01, ST-07, SP-04, OP-01: what is refused keeps nothing beside it from loading, and runs nowhere else"""
    loaded_before = set(sys.modules)
    traces = [tmp_path / "read", tmp_path / "refused"]
    folder = tmp_path / "strategies"
    folder.mkdir()
    for name, text in {
        "zebra": example_strategy("zebra"),
        "ant": "\ufeff" + example_strategy("ant"),  # some editors write a mark of UTF-8
        "imports_and_raises": f"import os\nraise ValueError(open({str(traces[1])!r}, 'w'))",
        "imports_twice": "import os\nimport sys",
        "deep": "x=" + "-" * 50_000 + "1",
        "_helper": "import os",
    }.items():
        a_file(folder, text, name)
    a_file(folder, example_strategy("shared"), "shared").chmod(0o666)
    a_file(folder, f"open({str(traces[0])!r}, 'w')", "opens")
    for name in ("vwap", "manual", "own", "folder", "UPPER", "a-b", "x" * 25):
        a_file(folder, example_strategy("dips"), name)
    os.mkfifo(folder / "pipe.py", 0o600)
    (folder / "notes.txt").write_text("nothing")

    found = {each.name: each for each in found_in(folder)}
    kinds = kinds_of(tuple(found.values()))

    assert list(kinds.known) == [*BUILT_IN, "ant", "zebra"]
    assert [name for name, each in found.items() if each.kind is not None] == ["ant", "zebra"]
    opens = found.pop("opens").faults
    assert len(opens) == 1
    assert "PermissionError" in opens[0] or "OSError" in opens[0]
    assert {name: each.faults for name, each in found.items() if each.faults} == snapshot
    assert kinds.faults["imports_twice"] == snapshot
    assert [trace for trace in traces if trace.exists()] == []
    assert not [name for name in set(sys.modules) - loaded_before if name.startswith("own_strategy_")]


def test_no_folder_leaves_the_built_in(tmp_path: Path) -> None:
    """ST-01"""
    assert list(kinds_in(tmp_path / "nowhere").known) == list(BUILT_IN)


def test_settings_are_validated_by_key(example: StrategyKind) -> None:
    """ST-01"""
    running = made(example, falls=5, stop="0.004", enabled=True)

    assert [figure for _, figure in running.figures(date(2026, 1, 5))] == ["0 of 5"]
    with pytest.raises(UnfitError, match=r"strategies.mine.falls = 0: must be greater than or equal to 1"):
        made(example, falls=0)
    with pytest.raises(UnfitError, match=r"strategies.mine.fals: there is no such setting; it has falls, stop, gain"):
        made(example, fals=2)


def test_a_memory_that_no_longer_fits_begins_anew(example: StrategyKind) -> None:
    """ST-01, SP-03: and what did not fit is kept in words"""
    known = example.make(UserStrategySettings(), {"last_close": "99.50", "fallen": 2})
    odd: Any = example.make(UserStrategySettings(), {"last_close": "99.50", "fallen": "many"})

    assert known.state.plain() == {"last_close": "99.50", "fallen": 2}
    assert odd.state.plain() == {"last_close": None, "fallen": 0}
    assert odd.forgot.startswith("state.fallen is ")


def test_a_memory_is_written_as_plain_values(example: StrategyKind) -> None:
    """SP-02: its file may be gone when the documents are read."""
    memories: Memories = {"mine/SPY": StrategyMemory(made(example).state, last_answer="NO_SETUP")}

    written = TypeAdapter(Memories).dump_python(memories, mode="json")

    assert written["mine/SPY"]["state"] == {"last_close": None, "fallen": 0}
    assert written["mine/SPY"]["last_answer"] == "NO_SETUP"


def test_a_new_file_is_private_and_replaces_none(tmp_path: Path) -> None:
    """ST-01, SP-04"""
    folder = tmp_path / "home" / "strategies"

    path = write_new(folder, "dips")
    path.write_text("mine")

    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(OperatorError, match="is there already"):
        write_new(folder, "dips")
    assert path.read_text() == "mine"
    with pytest.raises(OperatorError, match="a name of the program's own"):
        write_new(folder, "vwap")


def test_a_file_without_end_is_refused(tmp_path: Path, snapshot) -> None:
    """ST-07: the desk opens all the same."""
    assert look_at(a_file(tmp_path, "while True:\n    pass"), timeout=0.05).faults == snapshot
