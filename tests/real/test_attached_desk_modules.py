"""A desk on an engine of another process loads nothing of an engine, and nothing that only an engine needs."""

from __future__ import annotations

import subprocess
import sys

from tests.real.terminal import ROOT
from tests.real.test_loaded_modules import SLOW

PROGRAM = """
import sys
import console.client.remote, console.client.seat, console.commands.assembly.attach, console.run
import state.desk_files, state.engine_socket
print(*sys.modules)
"""


def test_an_attached_desk_loads_nothing_of_the_engine() -> None:
    """SY-01: its memory and its start are those of what it paints with."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = ran.stdout.split()
    assert {name.partition(".")[0] for name in loaded}.isdisjoint(SLOW)
    assert "console.client.remote" in loaded
    assert not [
        name for name in loaded if name.startswith(("core.engine", "core.runtime", "core.brokers", "core.workflows"))
    ]
