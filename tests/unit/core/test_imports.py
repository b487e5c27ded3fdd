"""What may not be loaded before it is needed: the desk paints first, and no command waits for another's modules."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from core.io.alpaca_py import OnDemand, on_demand

HEAVY = {"matplotlib", "numpy", "pandas", "tenacity", "exchange_calendars"}
STEPS = {
    "command line": "app, console.commands.program",
    "desk": "console.desk, console.commands.backtest_page, core.analytics.charts, core.market.calendar",
    "engine": "core.brokers.alpaca.stream, core.market.alpaca.socket, core.market.alpaca.requests, core.engine",
}


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """Return what a fresh interpreter has loaded after each step; none loads what only a later one may."""
    code = "import sys\n" + "".join(f"import {modules}\nprint(*sys.modules)\n" for modules in STEPS.values())
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return {step: set(names.split()) for step, names in zip(STEPS, said.splitlines(), strict=True)}


def test_the_desk_imports_no_heavy_library(loaded: dict[str, set[str]]) -> None:
    """SY-08"""
    assert not HEAVY & loaded["desk"]


def test_the_command_line_imports_no_settings(loaded: dict[str, set[str]]) -> None:
    """SY-08: `keyturn kill` waits for no other command's modules"""
    assert not {*HEAVY, "pydantic", "csv"} & loaded["command line"]


def test_an_engine_at_alpaca_imports_no_data_frames(loaded: dict[str, set[str]]) -> None:
    """SY-05: alpaca-py makes them with pandas, and nothing asks for one"""
    assert not {"numpy", "pandas", "exchange_calendars"} & loaded["engine"]


def test_a_library_on_demand_is_imported_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_library.py").write_text("Frame = 'a frame'\nROWS = 7\n")
    (tmp_path / "its_user.py").write_text(
        "import slow_library\nfrom slow_library import Frame\n\ndef rows(a: Frame):\n    return slow_library.ROWS\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "its_heir.py").write_text("from slow_library import ROWS\n")
    with on_demand("slow_library", types=["Frame"]):
        user = import_module("its_user")
        with pytest.raises(ImportError):  # a value has no stand-in
            import_module("its_heir")
    assert "slow_library" not in sys.modules

    assert user.rows(None) == 7
    assert "slow_library" in sys.modules
    with on_demand("slow_library", types=["Frame"]):
        assert not isinstance(sys.modules["slow_library"], OnDemand)
