"""The Tab key of a shell completes commands and options: Typer's scripts, and what the program answers them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real.demo import PROGRAM

SHELLS = ("bash", "zsh", "fish")
ASKING = {
    "bash": {"COMP_WORDS": "keyturn st", "COMP_CWORD": "1"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "keyturn st"},
    "fish": {"_TYPER_COMPLETE_ARGS": "keyturn st", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}
"""How each shell's script says what stands on its line."""
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


def run(home: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "KEYTURN_HOME": str(home), "PATH": path, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("shell", SHELLS)
def test_it_prints_the_script_of_each_shell(shell: str, tmp_path: Path) -> None:
    """SY-07"""
    answer = run(tmp_path, PROGRAM, _KEYTURN_COMPLETE=f"source_{shell}")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"_KEYTURN_COMPLETE=complete_{shell}" in answer.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_it_names_the_commands_that_begin_so(shell: str, tmp_path: Path) -> None:
    """SY-07"""
    answer = run(tmp_path, PROGRAM, _KEYTURN_COMPLETE=f"complete_{shell}", **ASKING[shell])

    assert (answer.returncode, answer.stderr) == (0, "")
    assert {"status", "strategies", "state"} <= set(answer.stdout.replace('"', " ").replace(":", " ").split())
    assert "demo" not in answer.stdout.split()


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shutil.which(shell)])
def test_the_shell_that_runs_it_is_found(shell: str, tmp_path: Path) -> None:
    """SY-07: of the shells that this machine has."""
    answer = run(tmp_path, shell, "-c", "keyturn --show-completion; exit $?")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"_KEYTURN_COMPLETE=complete_{shell}" in answer.stdout


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    """SY-07"""
    answer = run(tmp_path, "bash", "-c", PRESSES)

    told, commands, below, options = answer.stdout.splitlines()
    assert "_keyturn_completion" in told
    assert commands.split() == ["status", "strategies", "state"]
    assert below.split() == ["restore", "reset"]
    assert options.split() == ["--seed", "--speed", "--stress", "--set"]


def test_a_press_of_tab_waits_for_no_desk(tmp_path: Path) -> None:
    """SY-07: what draws it, and what its engine needs, are not loaded."""
    answer = run(tmp_path, PROGRAM, _KEYTURN_COMPLETE="complete_bash", **ASKING["bash"], PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in answer.stderr.splitlines()}

    assert "typer" in loaded
    assert loaded.isdisjoint({"exchange_calendars", "pandas", "textual"})
