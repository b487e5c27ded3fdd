"""What the operator sees of the connections (DESK: in words, not only in colour)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from syrupy.assertion import SnapshotAssertion

from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.runtime.inbox import steady
from widgets.lines import joined
from widgets.status_lines import connections_in_brief, connections_in_words

NOW = datetime(2026, 11, 20, 15, 51, 7, tzinfo=UTC)


def a_connection(
    line: Channel, state: ConnectionState, seconds: float = 41, tries: int = 0, words: str = ""
) -> ConnectionStatus:
    return ConnectionStatus(line, state, NOW - timedelta(seconds=seconds), None, tries, words)


UP = [a_connection(Channel.TRADES, ConnectionState.UP), a_connection(Channel.DATA, ConnectionState.UP)]


def in_words(*connections: ConnectionStatus, width: int = 118) -> list[str]:
    return [joined(line) for line in connections_in_words(connections, NOW, width)]


def test_a_healthy_line_is_a_connection(snapshot: SnapshotAssertion):
    """OP-10"""
    assert joined(connections_in_brief(UP, is_wide=True)) == snapshot
    assert joined(connections_in_brief(UP, is_wide=False)) == ""
    assert in_words(*UP) == []
    assert joined(connections_in_brief([replace(UP[1], polled=("IBM", "QQQ"))], is_wide=True)) == "● data, 2 polled  "


def test_trouble_differs_in_shape_and_word(snapshot: SnapshotAssertion):
    """MD-02"""
    muted = [UP[0], a_connection(Channel.DATA, ConnectionState.POLLING)]
    assert joined(connections_in_brief(muted, is_wide=False)) == "◐ data POLLING  "
    assert in_words(muted[1]) == snapshot


def test_a_retried_line_says_how_often(snapshot: SnapshotAssertion):
    """EX-15"""
    down = a_connection(Channel.TRADES, ConnectionState.DOWN, 125, 7, "connection refused")
    assert in_words(down) == snapshot


def test_a_refusal_fits_two_lines():
    """SY-06"""
    refused = a_connection(Channel.BROKER, ConnectionState.REFUSED, words="check APCA_API_KEY_ID " * 20)
    told = in_words(refused, width=78)
    assert len(told) == 2
    assert all(len(line) <= 78 for line in told)


def test_a_retried_line_is_still_down():
    """DESK: nothing moves that did not change."""
    down = a_connection(Channel.TRADES, ConnectionState.DOWN, 60, 3, "refused")
    again = steady(down, ConnectionStatus(Channel.TRADES, ConnectionState.CONNECTING, NOW, tries=4))
    still = steady(again, ConnectionStatus(Channel.TRADES, ConnectionState.DOWN, NOW, tries=4, words="no answer"))
    assert (again.state, again.since, again.tries) == (ConnectionState.DOWN, down.since, 4)
    assert (still.since, still.words) == (down.since, "no answer")
    up = ConnectionStatus(Channel.TRADES, ConnectionState.UP, NOW)
    assert steady(still, up) is up
    assert steady(up, down) is down
