"""The watchman says what stands out of the log and the positions, and nothing else (OP-09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.commands.assembly.watchman_agent import findings, look, watch
from core.ports import OperatorError

BARE = {"symbol": "AIG", "unprotected_shares": "5", "closing": ""}
COVERED = {"symbol": "SPY", "unprotected_shares": "0", "closing": ""}
CLOSING = {"symbol": "QQQ", "unprotected_shares": "2", "closing": "waits for its key"}
HIDDEN = {"symbol": "IWM", "closing": ""}
OFTEN = {"strategy": "vwap", "symbol": "SPY", "check": "spread", "times": 6}
SELDOM = {"strategy": "vwap", "symbol": "SPY", "check": "window", "times": 4}


class Desk:
    def __init__(self, *answers: dict[str, Any] | None) -> None:
        self.answers = list(answers)
        self.said: list[str] = []

    def read(self, parts: Sequence[str]) -> dict[str, Any]:
        answer = self.answers.pop(0)
        if answer is None:
            raise OperatorError("the engine does not answer")
        assert set(parts) == set(answer)
        return answer

    def say(self, text: str) -> None:
        self.said.append(text)


def told(positions: list[dict[str, Any]], refusals: list[dict[str, Any]]) -> dict[str, Any]:
    return {"positions": positions, "refusals": refusals}


def test_bare_positions_and_frequent_refusals_are_said() -> None:
    """OP-09: not what is covered, is being closed, is hidden, or was refused seldom"""
    found = list(findings(told([COVERED, BARE, CLOSING, HIDDEN], [OFTEN, SELDOM]), 5))

    assert len(found) == 2
    assert found[0].startswith("AIG: ")
    assert "spread" in found[1]


def test_no_more_than_the_most_is_said_at_once() -> None:
    """OP-09"""
    desk = Desk(told([BARE] * 5, []))

    look(desk, 5, 3)

    assert len(desk.said) == 3


def test_it_ends_after_failures_in_a_row() -> None:
    """OP-09: a look that succeeds begins the count anew"""
    desk, pauses = Desk(None, None, told([BARE], []), None, None, None), []

    reason = watch(desk, 5, 3, 3, lambda: pauses.append(1))

    assert reason
    assert (len(desk.said), len(pauses), desk.answers) == (1, 6, [])
