"""What may not be loaded before it is needed: the desk paints first."""

from __future__ import annotations

import subprocess
import sys

HEAVY = "{'numpy', 'pandas', 'tenacity', 'exchange_calendars'}"


def test_the_desk_imports_no_heavy_library() -> None:
    """SY-08"""
    modules = "app, console.desk, console.commands.backtest_page, core.analytics.tables, core.market.calendar"
    code = f"import sys, {modules}; sys.exit(', '.join({HEAVY} & set(sys.modules)) or None)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (told.returncode, told.stderr) == (0, "")
