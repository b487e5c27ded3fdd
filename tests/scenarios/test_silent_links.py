"""A link over which nothing comes: an entry is reviewed again, an exit goes on, a quiet market is no silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import ConfirmationRefused, OrderApproved
from core.messages.effects import FetchBooks
from core.messages.inputs import BooksFetched, ConnectionChanged
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.staging import LINK
from core.runtime.inbox import steady
from core.settings.orders import ConfirmSettings
from tests.scenarios.house import RECOVERY, STEADY, House, a_house_in_a_position, a_house_with_a_proposal
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.scenarios.test_live_runtime import A_DIP, a_ticket
from tests.unit.core.brokers.trading_floor import at

pytestmark = pytest.mark.usefixtures("timeline")

BOTH = [Channel.DATA, Channel.TRADES]


def a_house_with_an_open_ticket() -> House:
    """It is 10:06:01, and the entry's ticket has been open for 0.9 s."""
    house = a_house_with_a_proposal()
    house.opens_ticket()
    return house.until("10:06:01")


def a_link_was_heard(house: House, line: Channel, seconds: float, state: ConnectionState = ConnectionState.UP) -> None:
    """So many seconds ago, and not since."""
    connection = ConnectionStatus(line, state, at("09:30"), house.line.at - timedelta(seconds=seconds))
    house.line.take(house.line.at, ConnectionChanged(connection))


@pytest.mark.parametrize("line", BOTH)
@pytest.mark.parametrize(("seconds", "is_sent"), [(4.8, True), (5.1, False)])
def test_an_entry_needs_both_links(line: Channel, seconds: float, is_sent: bool) -> None:
    """OP-04"""
    house = a_house_with_an_open_ticket()
    a_link_was_heard(house, line, seconds)

    house.confirms()
    house.until("10:06:01.200")

    assert bool(house.facts(OrderApproved)) is is_sent
    if not is_sent:
        assert "nothing came for 5 s" in " ".join(house.last(ConfirmationRefused).reasons)


@pytest.mark.parametrize("line", BOTH)
def test_a_link_that_never_spoke_blocks_entries(line: Channel) -> None:
    """OP-04"""
    house = a_house_with_an_open_ticket()
    house.line.breaks_at(FetchBooks, arrives=True, times=9)
    house.desk.sightings.books_at = None
    house.line.take(house.line.at, ConnectionChanged(ConnectionStatus(line, ConnectionState.CONNECTING, at("09:30"))))

    house.confirms()
    house.until("10:06:05")

    assert "nothing came yet" in " ".join(house.last(ConfirmationRefused).reasons)
    assert house.requests() == []


@pytest.mark.parametrize(("seconds", "heard", "is_sent"), [(4, 4.5, False), (30, 20, False), (30, 4.5, True)])
def test_the_operator_sets_the_silent_time(seconds: int, heard: float, is_sent: bool) -> None:
    """OP-04, RK-13"""
    house = a_house_with_an_open_ticket()
    confirm = ConfirmSettings(silent_seconds=Decimal(seconds))
    house.engine.apply(house.line.at, house.settings.model_copy(update={"confirm": confirm}), "house")
    a_link_was_heard(house, Channel.DATA, heard)

    house.confirms()
    house.until("10:06:01.200")

    assert bool(house.facts(OrderApproved)) is is_sent


def test_an_exit_goes_over_a_silent_link_with_a_warning() -> None:
    """OP-04, RK-22"""
    house = a_house_in_a_position(("10:06", "10:09", STEADY), ("10:10", "10:40", RECOVERY))
    house.until("10:11:01")
    house.opens_ticket()
    house.until("10:11:02")
    a_link_was_heard(house, Channel.TRADES, 60)

    house.confirms()
    house.until("10:11:20")

    assert [v.check for v in house.last(OrderApproved).review.warnings if v.check == "link"] == ["link"]
    assert house.held() == "0"


def test_a_ticket_warns_of_a_silent_link() -> None:
    """OP-03, OP-04"""
    house = a_house_with_an_open_ticket()
    a_link_was_heard(house, Channel.DATA, 8)

    (warning,) = [v for v in house.line.view().tickets[0].now.warnings if v.check == "link"]

    assert warning.reason.startswith("market data: nothing came for 8 s")


def test_polled_books_replace_order_updates() -> None:
    """OP-04: the stream is down, and the ticket of an entry has the books asked for often enough."""
    house = a_house_with_an_open_ticket()
    a_link_was_heard(house, Channel.TRADES, 60, ConnectionState.DOWN)
    asked = len([m for m in house.line.heard if isinstance(m, BooksFetched)])
    house.until("10:06:20")
    pictures = [m for m in house.line.heard if isinstance(m, BooksFetched)][asked:]

    house.confirms()
    house.until("10:06:21")

    assert len(pictures) >= 7
    (approved,) = house.facts(OrderApproved)
    (said,) = [v.reason for v in approved.review.warnings if v.check == LINK]
    assert said.startswith("order updates: no stream, asked for instead; the last answer is ")


def test_old_books_do_not_replace_a_stream() -> None:
    """OP-04"""
    house = a_house_with_an_open_ticket()
    a_link_was_heard(house, Channel.TRADES, 60, ConnectionState.UP)
    house.desk.sightings.books_at = house.line.at

    house.confirms()
    house.until("10:06:05")

    assert "order updates: nothing came for" in " ".join(house.last(ConfirmationRefused).reasons)


def test_a_reconnecting_link_keeps_its_last_message() -> None:
    """OP-04"""
    since, heard = at("10:00"), at("10:05")
    polled = ConnectionStatus(Channel.DATA, ConnectionState.POLLING, since, since)

    assert steady(polled, ConnectionStatus(Channel.DATA, ConnectionState.CONNECTING, heard, heard, 3)) == replace(
        polled, heard_at=heard, tries=3
    )


@pytest.mark.parametrize("line", BOTH)
def test_a_live_desk_needs_a_link_that_speaks(line: Channel) -> None:
    """OP-04: real streams and threads; the market may be as quiet as it likes while the link answers."""
    floor = LiveFloor("10:05:59", A_DIP)
    with LiveHouse(floor) as house:
        key = a_ticket(house)
        floor.silent.add(line)
        connection = house.engine.state.sightings.connections[line]
        floor.offset += timedelta(seconds=6)
        house.waits(lambda _: floor.now() - connection.heard_at > timedelta(seconds=6), "six seconds")
        house.presses(key)
        house.waits(lambda view: any("nothing came for" in row.text for row in view.refusals), "the refusal")
    assert not [asked for asked in floor.asked if asked.startswith("submit")]


def test_a_live_desk_needs_a_quote() -> None:
    """OP-03"""
    floor = LiveFloor("10:05:59", A_DIP)
    with LiveHouse(floor) as house:
        key = a_ticket(house)
        floor.unquoted = "Alpaca's data service cannot be reached"
        house.presses(key)
        view = house.waits(lambda view: view.refusals, "the refusal")
    assert any("no quote came: Alpaca's data service cannot be reached" in row.text for row in view.refusals)
    assert not [asked for asked in floor.asked if asked.startswith("submit")]
