"""The watchman: an agent that reads the log and the positions and says what stands out (OP-09).

It runs in a process of its own, as a client of `agents.sock` like any other agent. It measures nothing and knows no
market; the same desk always brings the same texts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from core.ports import OperatorError
from core.protocol.agent_frames import Part

PARTS = (Part.POSITIONS, Part.REFUSALS)


class Desk(Protocol):
    """The part of an `AgentClient` that it uses."""

    def read(self, parts: Sequence[str]) -> dict[str, Any]: ...

    def say(self, text: str) -> None: ...


def findings(told: dict[str, Any], refusals: int) -> Iterator[str]:
    """Yield positions without their stop first, then checks that refused `refusals` times or more."""
    for row in told[Part.POSITIONS]:
        if row.get("unprotected_shares") not in (None, "", "0") and not row["closing"]:
            yield f"{row['symbol']}: nothing at the broker guards {row['unprotected_shares']} shares; give it a stop"
    for row in told[Part.REFUSALS]:
        if row["times"] >= refusals:
            who = f"{row['strategy']}: {row['symbol']}"
            yield f"{who} was refused again and again by one check, {row['check']}: look at its limit"


def look(desk: Desk, refusals: int, most: int) -> None:
    """Look once and say up to `most` texts. Raises `OperatorError`."""
    for text in islice(findings(desk.read(PARTS), refusals), most):
        desk.say(text)


def watch(desk: Desk, refusals: int, most: int, failures: int, pause: Callable[[], None]) -> str:
    """Look again and again; return why it ended, after `failures` looks in a row that failed."""
    failed, reason = 0, ""
    while failed < failures:
        try:
            look(desk, refusals, most)
            failed = 0
        except OperatorError as error:
            failed, reason = failed + 1, str(error)
        pause()
    return reason


def main(arguments: Sequence[str]) -> int:
    """Run with the socket's path, the version, and the figures of `advisers` in the settings."""
    from pathlib import Path

    from console.client.agents import AgentClient
    from state.engine_socket import connected

    path, version, *figures = arguments
    every, answer, most, failures, refusals = map(int, figures)
    client = AgentClient(lambda: connected(Path(path), float(answer)), "watchman", version)
    print(watch(client, refusals, most, failures, lambda: time.sleep(every)), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
