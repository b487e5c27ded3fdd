"""`make exchange`: what it prints reaches the settings, and its market can be open at any hour."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, time

import pytest

from core.model.session import Session
from core.settings.brokers import AlpacaSettings
from tests.wire.clients import trading_client
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.hours import NEW_YORK, moved_hours
from tests.wire.exchange.run import announcement, environment, main, parsed
from tests.wire.exchange.server import LoopbackExchange

SATURDAY_NIGHT = datetime(2026, 11, 22, 3, 12, 30, tzinfo=UTC)


def test_printed_addresses_are_valid_settings(exchange: LoopbackExchange) -> None:
    """OP-10"""
    told = environment(exchange)
    names = {name.removeprefix("KEYTURN_ALPACA__").lower(): value for name, value in told.items() if "ALPACA__" in name}

    settings = AlpacaSettings(**names)

    assert settings.trading_url == exchange.trading_url
    assert settings.data_stream_url.endswith("/v2/iex")
    assert told["APCA_API_KEY_ID"].startswith("PK")
    assert all(f"export {name}={value}" in announcement(exchange) for name, value in told.items())


def test_moved_hours_open_the_market_at_any_time() -> None:
    """MD-02"""
    hours = moved_hours(SATURDAY_NIGHT, time(9, 45))

    session = hours.session_at(SATURDAY_NIGHT)

    assert isinstance(session, Session)
    assert session.open.astimezone(NEW_YORK).time() == time(21, 57)
    assert session.close.astimezone(NEW_YORK).time() == time(23, 59)


def test_calendar_and_clock_serve_moved_hours() -> None:
    """MD-02"""
    noon = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    with LoopbackExchange(clock=StillClock(noon), calendar=moved_hours(noon, time(9, 45))) as exchange:
        client = trading_client(exchange)

        assert client.get_clock()["is_open"] is True
        assert {"date": "2026-11-21", "open": "11:45", "close": "18:15"}.items() <= client.get(
            "/calendar", {"start": "2026-11-21", "end": "2026-11-21"}
        )[0].items()
        assert client.get("/positions") == []


def test_a_port_in_use_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """SY-06"""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code = main(["--port", str(port), "--market-time", "09:45"])

    assert code == 1
    assert f"port {port}" in capsys.readouterr().err


def test_the_command_line_is_parsed() -> None:
    """OP-10"""
    told = parsed(["--symbols", "spy,ibm", "--cash", "200", "--multiplier", "1"])

    assert (told.symbols, str(told.cash), str(told.multiplier)) == ("spy,ibm", "200", "1")
