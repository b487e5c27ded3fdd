"""A ticket counts as painted when the terminal says that it drew it: in tmux it is tmux that answers (OP-04).

`test_a_first_minute` answers itself; with every other pseudo-terminal here a picture counts by time.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.kit.tools import needs
from tests.real.demo import CONFIRMED, PATIENT, PROGRAM, journal_records, mark_guide_as_read, write_settings
from tests.real.waiting import pause, until


@needs("tmux")
def test_in_tmux_it_is_tmux_that_answers(tmp_path: Path) -> None:
    """OP-04"""
    server = ["tmux", "-L", f"keyturn-proof-{os.getpid()}", "-f", "/dev/null"]
    mark_guide_as_read(tmp_path)
    write_settings(tmp_path, PATIENT)
    inside = f"env KEYTURN_HOME={tmp_path} {PROGRAM} demo --profile micro --speed 4"
    subprocess.run([*server, "new-session", "-d", "-x", "120", "-y", "40", inside], check=True)

    def screen() -> str:
        return subprocess.run([*server, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout

    def shows(text: str) -> bool:
        return any(text in line and "armed in" not in line for line in screen().splitlines())

    def types(key: str) -> None:
        subprocess.run([*server, "send-keys", key], check=True)
        pause(1.0)

    def confirm() -> None:
        if shows("armed "):
            types("B")
        elif shows("r open it again"):
            types("r")
        else:
            pause(0.1)

    try:
        until(lambda: shows("1 waiting"))
        until(lambda: shows("BUY to open ─"), screen, lambda: types("Enter"))
        until(lambda: any(record["fact"] == CONFIRMED for record in journal_records(tmp_path)), screen, confirm)
    finally:
        subprocess.run([*server, "kill-server"], check=False)
