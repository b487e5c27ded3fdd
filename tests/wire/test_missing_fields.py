"""An answer without what is always in it: unreadable, shown as such, and once (MD-07)."""

from __future__ import annotations

from pathlib import Path

from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from core.model.account import Channel
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import a_buy_of_two, environ, opened, says

OFTEN = {
    "KEYTURN_RECONCILIATION__EVERY_SECONDS": "1",
    "KEYTURN_RECONCILIATION__AGAIN_SECONDS": "2",
    "KEYTURN_RECONCILIATION__APART_SECONDS": "0.2",
}
NO_WORD = "the account: trading_blocked is missing"


def test_an_unreadable_account_is_reported_once(market: LoopbackExchange, tmp_path: Path) -> None:
    """MD-07, EX-09: a block that is not told is not taken for none; the desk opens nothing, and goes on by itself."""
    with opened(Host.of(environ(market, tmp_path, **OFTEN))) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        market.make("account-unreadable")
        asked = len(market.received("GET", "/v2/account"))
        shut = desk.waits(lambda view: view.status.word == "read-only", "it is read-only")
        desk.waits(lambda _: len(market.received("GET", "/v2/account")) > asked + 4, "it is asked again and again")
        connections = {connection.line: connection.words for connection in desk.view.status.connections}
        told = [row.text for row in desk.view.log if NO_WORD in row.text]
        market.end("account-unreadable")
        desk.waits(lambda view: view.status.word == "on", "it can be read again")
        calm = desk.waits(
            lambda view: all(NO_WORD not in connection.words for connection in view.status.connections),
            "the lamp is calm",
        )

    assert NO_WORD in (shut.status.entries_refused or "")
    assert NO_WORD in connections[Channel.BROKER]
    failing = [text for text in told if text.startswith("no answer to")]
    assert len(failing) == 1, failing
    assert len(set(told)) == len(told), told
    assert calm.status.word == "on"


def test_an_unreadable_asset_refuses_an_entry(
    market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """MD-07, EX-11: what is not told is not taken for false."""
    market.make("asset-unreadable")
    with opened(Host.of(environ(market, tmp_path, **OFTEN))) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        desk.sends(a_buy_of_two())
        desk.waits(lambda view: says(view, "the broker has not said yet whether it trades"), "the refusal")
        connections = {connection.line: connection.words for connection in desk.view.status.connections}
        sent = market.received("POST", "/v2/orders")

    assert sent == []
    assert connections[Channel.BROKER] == snapshot
