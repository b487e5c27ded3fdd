"""What may not be loaded before it is needed: the desk paints first, and no command waits for another's modules."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"matplotlib", "numpy", "pandas", "tenacity", "exchange_calendars"}


def loaded_of(names: set[str], modules: str) -> str:
    """Return those of the names that these modules load in a fresh interpreter."""
    code = f"import sys, {modules}; print(*sorted({names} & set(sys.modules)), end='')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_desk_imports_no_heavy_library() -> None:
    """SY-08"""
    modules = "app, console.desk, console.commands.backtest_page, core.analytics.charts, core.market.calendar"

    assert loaded_of(HEAVY, modules) == ""


def test_the_command_line_imports_no_settings() -> None:
    """SY-08: `keyturn kill` waits for no other command's modules"""
    assert loaded_of({*HEAVY, "pydantic", "csv"}, "app, console.commands.program") == ""
