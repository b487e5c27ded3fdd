"""Keys and accounts that will not do: one line with what to do, and no key in anything that is written or shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal

import pytest
from pydantic import SecretStr, ValidationError
from syrupy.assertion import SnapshotAssertion

from core.brokers.alpaca.broker import AlpacaBroker
from core.brokers.alpaca.http_client import CONNECTIONS, TOO_OFTEN, Wire
from core.brokers.alpaca.keys import checked
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.brokers.port import BrokerAccount
from core.io.http_requests import http_session, within
from core.io.proxies import is_loopback
from core.model.account import Account, Channel, ConnectionState, ConnectionStatus, Mode
from core.model.api_contract import AccountRefusedError, Keys
from core.model.broker import NoAnswer, Refused
from core.settings.orders import AlpacaSettings
from tests.kit.rows import table
from tests.unit.core.brokers.alpaca_door import (
    HTML,
    KEY_ID,
    KEYS,
    NOON,
    SECRET,
    Drops,
    Says,
    a_broker,
    a_buy,
    a_door,
    an_account_json,
    refused,
)

pytestmark = pytest.mark.usefixtures("timeline")

UNAUTHORISED = refused(401, 40110000, "request is not authorized")


def keys(key_id: str, secret: str = SECRET) -> Keys:
    return Keys(SecretStr(key_id), SecretStr(secret))


@table(
    "url mode is_taken",
    ("", Mode.PAPER, True),
    ("https://paper-api.alpaca.markets", Mode.PAPER, True),
    ("https://api.alpaca.markets", Mode.LIVE, True),
    ("http://127.0.0.1:8000", Mode.PAPER, True),
    ("https://relay.example", Mode.PAPER, True),
    ("https://api.alpaca.markets", Mode.PAPER, False),
    ("https://API.Alpaca.Markets./v2", Mode.PAPER, False),
    ("https://api.alpaca.markets:443", Mode.PAPER, False),
    ("https://paper-api.alpaca.markets@api.alpaca.markets", Mode.PAPER, False),
    ("https://api\u3002alpaca.markets", Mode.PAPER, False),
    ("https://api%2Ealpaca.markets", Mode.PAPER, False),
    ("https://broker-api.alpaca.markets", Mode.PAPER, False),
    ("https://api.alpaca.markets\\@localhost", Mode.PAPER, False),
    ("http://relay.example\\@127.0.0.1", Mode.PAPER, False),
    ("https://localhost#@api.alpaca.markets", Mode.PAPER, False),
    ("https://api.alpaca.\nmarkets", Mode.PAPER, False),
    ("https://paper-api.alpaca.markets", Mode.LIVE, False),
)
def test_an_address_of_the_other_kind_is_refused(url: str, mode: Mode, is_taken: bool) -> None:
    """OP-10, SY-06: with a key of neither kind, before anything is sent; also where a library reads another host"""
    neither = keys("XXNEITHER")
    stream = url.replace("http", "ws", 1)
    made: tuple[Callable[[], object], ...] = (
        lambda: AlpacaBroker(neither, mode, AlpacaSettings(trading_url=url)),
        lambda: AlpacaOrderStream(neither, mode, AlpacaSettings(trade_stream_url=stream)),
    )
    for make in made:
        with nullcontext() if is_taken else pytest.raises((AccountRefusedError, ValidationError)):
            make()


@table(
    "wrong mode words",
    (keys(""), Mode.PAPER, "set APCA_API_KEY_ID"),
    (keys(KEY_ID, ""), Mode.PAPER, "set APCA_API_KEY_ID"),
    (keys("AKLIVE"), Mode.PAPER, "use a paper key .* KEYTURN_ALLOW_LIVE=1"),
    (keys("PKPAPER"), Mode.LIVE, "use a live key .* or set account.mode"),
    (keys("PK\n"), Mode.PAPER, "copy both of them again"),
    (keys(KEY_ID, "not a secret"), Mode.PAPER, "copy both of them again"),
    (keys("PK\u00e9"), Mode.PAPER, "copy both of them again"),
)
def test_malformed_keys_are_refused_before_sending(wrong: Keys, mode: Mode, words: str) -> None:
    """OP-10"""
    for make in (AlpacaBroker, AlpacaOrderStream):
        with pytest.raises(AccountRefusedError, match=words) as error:
            make(wrong, mode, AlpacaSettings())
        assert "\n" not in str(error.value)
        assert SECRET not in str(error.value)


def test_keys_of_each_kind_open_their_own_account() -> None:
    """OP-10"""
    live = keys("AKLIVE")
    assert checked(live, Mode.LIVE) is live
    assert checked(KEYS, Mode.PAPER) is KEYS


@table("answer", UNAUTHORISED, Says(403, {"message": "forbidden."}))
def test_rejected_keys_are_one_line_at_the_start(answer: Says) -> None:
    """EX-09: the desk says what to check."""
    with a_door(answer) as door, pytest.raises(AccountRefusedError, match=r"check APCA_API_KEY_ID .* paper keys"):
        a_broker(door).standing()


def test_a_blocked_account_stands_with_its_words() -> None:
    """EX-11: the desk opens, and no entry goes."""
    with a_door(Says(200, an_account_json(trading_blocked=True))) as door:
        standing = a_broker(door).standing()

    assert isinstance(standing, BrokerAccount)
    assert standing.account.is_blocked
    assert "trading is blocked" in standing.words


def test_no_network_is_no_verdict_on_the_account() -> None:
    """EX-09"""
    with a_door(*[Drops()] * 4) as door:
        assert isinstance(a_broker(door).standing(), NoAnswer)


def test_an_order_with_wrong_keys_is_refused() -> None:
    """EX-06: it said so itself."""
    with a_door(UNAUTHORISED, Says(403, {"message": "forbidden."})) as door:
        broker = a_broker(door)

        assert isinstance(broker.submit(a_buy()), Refused)
        assert isinstance(broker.submit(a_buy()), NoAnswer)


def test_the_link_status_follows_the_answers() -> None:
    """OP-07: what is not there is shown, and what comes back too."""
    account = Says(200, an_account_json())
    connections: list[ConnectionStatus] = []
    with a_door(account, account, Drops(), Says(502, HTML), Says(429), UNAUTHORISED, account) as door:
        broker = a_broker(door)
        broker.show_on(connections.append)
        broker.account()
        broker.account()
        broker.account()
        broker.account()

    assert [(connection.state, connection.tries) for connection in connections] == [
        (ConnectionState.CONNECTING, 0),
        (ConnectionState.UP, 0),
        (ConnectionState.DOWN, 1),
        (ConnectionState.DOWN, 2),
        (ConnectionState.UP, 0),
        (ConnectionState.REFUSED, 0),
        (ConnectionState.UP, 0),
    ]
    assert {connection.line for connection in connections} == {Channel.BROKER}
    assert (connections[4].words, connections[6].words) == (TOO_OFTEN, "")
    assert "check APCA_API_KEY_ID" in connections[5].words


def test_the_link_status_shows_a_blocked_account(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    connections: list[ConnectionStatus] = []
    with a_door(Says(200, an_account_json(account_blocked=True)), Says(200, an_account_json())) as door:
        broker = a_broker(door)
        broker.show_on(connections.append)
        broker.account()
        assert (connections[-1].state, connections[-1].words[:22]) == (ConnectionState.UP, snapshot)
        broker.account()
        assert connections[-1].words == ""


def test_no_key_is_in_anything_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """SY-06: not even where the server sends it back."""
    caplog.set_level(logging.DEBUG)
    echo = refused(422, 42210000, f"your secret is {SECRET}")
    with a_door(echo, *[Says(200, f"{KEY_ID} {SECRET}".encode())] * 2) as door:
        broker = a_broker(door)
        said = [
            repr(broker.submit(a_buy())), repr(broker.account()), repr(KEYS), repr(vars(broker)),
            repr(broker.unread.last),
        ]  # fmt: skip

    for text in (*said, caplog.text):
        assert SECRET not in text
        assert KEY_ID not in text
    assert "(hidden)" in said[0]


@pytest.mark.parametrize("secret", ["1", "e", "id", "open", "PK"])
def test_a_short_key_eats_nothing_of_an_answer(secret: str, snapshot: SnapshotAssertion) -> None:
    """SY-06, EX-06: what is parsed is as it came; only what is shown is without the key."""
    odd = Keys(SecretStr(f"PK{secret}"), SecretStr(secret))
    taken = refused(422, 40010001, f"client_order_id must be unique, said {secret}")
    with a_door(Says(200, an_account_json()), taken, refused(404, 40410000, "order not found")) as door:
        broker = a_broker(door, keys=odd)
        account = broker.account()
        submitted = broker.submit(a_buy())

    assert isinstance(account, Account), account
    assert str(account.equity) == str(an_account_json()["equity"])
    assert isinstance(submitted, NoAnswer), "its id is taken: it may be there"
    assert submitted.reason == snapshot


def test_the_client_s_own_repeating_is_off() -> None:
    """EX-06"""
    with a_door() as door:
        wire = Wire(KEYS, Mode.PAPER, AlpacaSettings(trading_url=door.url), a_broker(door)._counter)

    assert (wire._retry, wire._retry_codes) == (0, [])


@table("mode url", (Mode.PAPER, "https://paper-api.alpaca.markets"), (Mode.LIVE, "https://api.alpaca.markets"))
def test_orders_go_to_alpaca_by_default(mode: Mode, url: str) -> None:
    """OP-10"""
    key = keys("PKPAPER") if mode is Mode.PAPER else keys("AKLIVE")
    broker = AlpacaBroker(key, mode, AlpacaSettings(), now=lambda: NOON)

    assert broker._questions.wire._base_url == url
    assert not is_loopback(url)


def test_an_address_may_end_with_a_slash() -> None:
    """SY-06"""
    with a_door(Says(200, an_account_json())) as door:
        settings = AlpacaSettings(trading_url=f"{door.url}/")
        AlpacaBroker(KEYS, Mode.PAPER, settings, now=lambda: NOON).account()

        assert door.lines == ["GET /v2/account"]


def test_netrc_and_cookies_are_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """SY-06"""
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:
        file.write("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", netrc)
    session = http_session("", CONNECTIONS)
    answer = Says(200, an_account_json(), {"Set-Cookie": "a=b"})
    with a_door(answer, answer) as door:
        with within(10):
            for _ in range(2):
                session.get(f"{door.url}/v2/account")
        headers = {name.lower() for asked in door.asked for name in asked.headers}

    assert not headers & {"authorization", "cookie"}


def test_the_certificate_is_always_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-06: plain text behind an address that promises TLS is not spoken to."""
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    with a_door(Says(200, an_account_json())) as door:
        settings = AlpacaSettings(
            trading_url=door.url.replace("http://", "https://"), connect_seconds=Decimal(1), read_seconds=Decimal(1)
        )
        broker = AlpacaBroker(KEYS, Mode.PAPER, settings, now=lambda: NOON)
        assert isinstance(broker.submit(a_buy()), NoAnswer)
        assert door.asked == []
