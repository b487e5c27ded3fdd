"""A process that is killed while it asks for the VIX leaves its turn to others (RK-19)."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from state.vix_file import VixFile

HOLDS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from state.vix_file import VixFile
with VixFile(Path(sys.argv[1]), lambda: datetime.now(UTC)).turn() as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""


def test_a_killed_process_leaves_its_turn_to_others(tmp_path: Path) -> None:
    """RK-19"""
    file = VixFile(tmp_path / "vix.json", lambda: datetime(2026, 11, 19, 15, 0, tzinfo=UTC))
    command = [sys.executable, "-c", HOLDS, str(tmp_path / "vix.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with file.turn() as is_ours:
            assert not is_ours

        process.kill()
        process.wait()

    with file.turn() as is_ours:
        assert is_ours
