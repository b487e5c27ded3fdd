"""What the program answers to the completion script of each shell."""

from __future__ import annotations

import pytest

from tests.scenarios.backtests import Keyturn, keyturn  # noqa: F401

LINES = {
    "bash": {"COMP_WORDS": "keyturn st", "COMP_CWORD": "1"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "keyturn st"},
    "fish": {"_TYPER_COMPLETE_ARGS": "keyturn st", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}
"""How each shell's script says what stands on its line."""


def test_it_prints_the_script_of_each_shell(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """SY-07"""
    for shell in LINES:
        monkeypatch.setenv("_KEYTURN_COMPLETE", f"source_{shell}")
        answer = keyturn()
        assert (answer.code, answer.err) == (0, ""), shell
        assert f"_KEYTURN_COMPLETE=complete_{shell}" in answer.out


def test_it_names_the_commands_that_begin_so(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """SY-07"""
    for shell, variables in LINES.items():
        monkeypatch.setenv("_KEYTURN_COMPLETE", f"complete_{shell}")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        answer = keyturn()
        found = set(answer.out.replace('"', " ").replace(":", " ").split())
        assert (answer.code, answer.err) == (0, ""), shell
        assert {"status", "strategies", "state"} <= found, shell
        assert "demo" not in found, shell
