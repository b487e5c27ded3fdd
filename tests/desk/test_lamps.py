"""What the operator sees of the connections (DESK: in words, not only in colour)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.model.connection import Channel, ConnectionState, ConnectionStatus
from core.runtime.inbox import steady
from widgets.connections import lamps_in_brief, lamps_in_words
from widgets.lines import joined

NOW = datetime(2026, 11, 20, 15, 51, 7, tzinfo=UTC)


def a_lamp(
    line: Channel, state: ConnectionState, seconds: float = 41, tries: int = 0, words: str = ""
) -> ConnectionStatus:
    return ConnectionStatus(line, state, NOW - timedelta(seconds=seconds), None, tries, words)


UP = [a_lamp(Channel.TRADES, ConnectionState.UP), a_lamp(Channel.DATA, ConnectionState.UP)]


def in_words(*lamps: ConnectionStatus, width: int = 118) -> list[str]:
    return [joined(line) for line in lamps_in_words(lamps, NOW, width)]


def test_what_is_well_is_a_lamp_where_there_is_room_and_nothing_else():
    """OP-10"""
    assert joined(lamps_in_brief(UP, is_wide=True)) == "● trades  ● data  "
    assert joined(lamps_in_brief(UP, is_wide=False)) == ""
    assert in_words(*UP) == []


def test_what_is_not_well_differs_in_shape_and_word_also_where_it_is_narrow():
    """MD-02"""
    muted = [UP[0], a_lamp(Channel.DATA, ConnectionState.POLLING)]
    assert joined(lamps_in_brief(muted, is_wide=False)) == "◐ data POLLING  "
    assert in_words(muted[1]) == ["DATA polling for 0:41: bars and quotes are asked for meanwhile"]


def test_a_line_that_is_tried_again_says_how_often_and_what_it_means():
    """EX-15"""
    down = a_lamp(Channel.TRADES, ConnectionState.DOWN, 125, 7, "connection refused")
    assert in_words(down) == ["TRADES down for 2:05, try 7: connection refused; fills are heard late, by asking"]


def test_a_refusal_says_what_to_do_and_is_never_longer_than_two_lines():
    """SY-06"""
    refused = a_lamp(Channel.BROKER, ConnectionState.REFUSED, words="check APCA_API_KEY_ID " * 20)
    told = in_words(refused, width=78)
    assert len(told) == 2
    assert all(len(line) <= 78 for line in told)


def test_a_line_that_is_only_tried_again_is_still_down_and_since_then():
    """DESK: nothing moves that did not change."""
    down = a_lamp(Channel.TRADES, ConnectionState.DOWN, 60, 3, "refused")
    again = steady(down, ConnectionStatus(Channel.TRADES, ConnectionState.CONNECTING, NOW, tries=4))
    still = steady(again, ConnectionStatus(Channel.TRADES, ConnectionState.DOWN, NOW, tries=4, words="no answer"))
    assert (again.state, again.since, again.tries) == (ConnectionState.DOWN, down.since, 4)
    assert (still.since, still.words) == (down.since, "no answer")
    up = ConnectionStatus(Channel.TRADES, ConnectionState.UP, NOW)
    assert steady(still, up) is up
    assert steady(up, down) is down
