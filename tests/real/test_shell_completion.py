"""The Tab key of a real shell completes commands and options."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.kit.tools import needs
from tests.real.demo import PROGRAM
from tests.real.waiting import LIMIT

PRESSES = """
eval "$(keyturn --show-completion)"
complete -p keyturn
press() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
  _keyturn_completion keyturn "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD - 1]}"
  echo "${COMPREPLY[*]}"
}
press keyturn st
press keyturn state re
press keyturn demo --s
"""


@needs("bash")
def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    """SY-07"""
    environment = {
        **os.environ,
        "KEYTURN_HOME": str(tmp_path),
        "PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}",
    }

    answer = subprocess.run(
        ["bash", "-c", PRESSES], env=environment, capture_output=True, text=True, check=False, timeout=LIMIT
    )

    told, commands, below, options = answer.stdout.splitlines()
    assert "_keyturn_completion" in told
    assert commands.split() == ["status", "strategies", "state"]
    assert below.split() == ["restore", "reset"]
    assert options.split() == ["--seed", "--speed", "--stress", "--set"]
