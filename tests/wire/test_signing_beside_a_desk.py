"""An engine at a broker has its days signed beside itself (SP-08)."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

from console.commands.assembly.host import Host
from tests.wire.exchange.clocks import RunningClock
from tests.wire.exchange.hours import moved_hours
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.test_the_whole_house import environ, opened, says


def test_a_key_that_is_missing_is_one_line_and_the_desk_trades_on(tmp_path: Path) -> None:
    """SP-08: keyturn journal sign ran as a process of its own, and its word came to the log"""
    asks = {"KEYTURN_PROOF__SIGN_DAILY": "true", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    calendar = moved_hours(datetime.now(UTC), time(10, 5))
    with (
        LoopbackExchange(clock=RunningClock(), calendar=calendar) as market,
        opened(Host.of({**environ(market, tmp_path), **asks})) as desk,
    ):
        desk.waits(lambda view: says(view, "were not signed: no key signs this record"), "the word of it", 60)
        desk.waits(lambda view: view.status.word == "on", "the books agree")
