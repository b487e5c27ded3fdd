"""`--host` on the command line: refused in one line wherever it cannot be meant."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.scenarios.backtests import Keyturn


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status",), "`ssh eve@server keyturn status` runs it there"),
        (("engine", "stop"), "`ssh eve@server keyturn engine` runs it there"),
        (("demo",), "--host opens a desk and goes with no command"),
        (("why",), "No such command"),
    ],
)
def test_it_goes_with_no_command(keyturn: Keyturn, words: tuple[str, ...], said: str) -> None:
    """SY-01"""
    answer = keyturn("--host", "eve@server", *words)

    assert answer.code == 2
    assert said in answer.err


def test_it_needs_a_terminal_as_every_desk_does(keyturn: Keyturn, snapshot: SnapshotAssertion) -> None:
    """SY-01"""
    answer = keyturn("--host", "eve@server")

    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert answer.err == snapshot
