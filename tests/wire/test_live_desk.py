"""The composition itself on the loopback exchange: keys, gates, folders, the engine, and comparing afterwards."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.settings import mode_of, settings_of
from console.commands.doctor import compared
from core.facts import Killed, OrderStateChanged, OrderStateUnknown
from core.messages.commands import Confirm, Kill, OpenTicket, ProposeClose, ProposeOrder
from core.model.account import ConnectionState, Mode
from core.model.order import Effect, OrderStatus, OrderType, Side, StopHolder
from core.model.values import Price, Quantity, plain
from core.ports import OperatorError
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import (
    SPY,
    a_buy_of_two,
    asked_itself,
    confirm_the_first,
    environ,
    opened,
    says,
    two_shares_are_bought,
    written,
)


@pytest.mark.parametrize(("shares", "posts"), [("1.5", 2), ("2", 1)])
def test_a_desk_trades_and_its_books_agree(market: LoopbackExchange, tmp_path: Path, shares: str, posts: int) -> None:
    """A fraction's stop is sent at its fill, whole shares go with theirs in one request.

    OP-01, OP-06, OP-10, EX-09, EX-20: start, compare, propose, confirm, fill, stop, leave, compare again.
    """
    keyturn = Host.of(environ(market, tmp_path))
    with opened(keyturn) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        up = desk.waits(
            lambda view: [connection.state for connection in view.status.connections].count(ConnectionState.UP) == 3,
            "three lamps",
        )
        stop, quantity = Price(Decimal(400)), Quantity(Decimal(shares))
        desk.sends(ProposeOrder(SPY, Effect.OPEN, quantity, OrderType.MARKET, None, stop, StopHolder.BROKER))
        proposal = desk.waits(lambda view: view.proposals, "the proposal").proposals[0]
        desk.sends(OpenTicket(proposal.id))
        ticket = desk.waits(lambda view: view.tickets, "the ticket").tickets[0].ticket
        desk.sends(Confirm(ticket.id, ticket.digest, ticket.order.effect))
        desk.waits(lambda view: view.positions and view.positions[0].covered == quantity, "a covered position")

    assert up.status.mode is Mode.PAPER
    assert len(market.received("POST", "/v2/orders")) == posts
    told = compared(keyturn, None)
    assert (told["ok"], told["positions"], told["orders"]) == (True, 1, 1)


def test_a_loosening_variable_is_named(market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10"""
    plain = environ(market, tmp_path)
    with opened(Host.of(plain)) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")

    with opened(Host.of({**plain, "KEYTURN_RISK__ENTRIES_A_DAY": "20"})) as desk:
        view = desk.waits(lambda view: "ENTRIES_A_DAY" in (view.status.entries_refused or ""), "what shuts entries")

    assert view.status.entries_refused == snapshot


def test_a_stop_missing_from_lists_is_not_resent(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-06, EX-13, EX-20: the entry's answer is lost, it fills, and the desk meets it again in the broker's books."""
    keyturn = Host.of(environ(market, tmp_path))
    market.make("hang-after-accepting", of="submit")
    market.make("mute", of="trades")
    with opened(keyturn) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        two_shares_are_bought(desk)
        desk.waits(lambda _: market.positions(), "a fill that nobody has heard of yet")
    market.end()
    market.make("legs-hidden")

    with opened(keyturn) as desk:
        desk.waits(lambda view: view.positions, "what was bought")
        order_id = market.orders()[0].client_order_id
        desk.waits(
            lambda _: asked_itself(market) and desk.runtime.engine.state.ledger.order(order_id), "it is asked for"
        )
        view = desk.waits(lambda view: view.kill.uncovered, "what nobody is known to guard")
        assert [row.symbol for row in view.kill.uncovered] == [SPY]
        market.end("legs-hidden")
        desk.waits(lambda view: view.positions[0].covered == 2, "a covered position")

    assert len(market.received("POST", "/v2/orders")) == 1
    assert [order.side for order in market.orders()].count(Side.SELL) == 1


@pytest.mark.parametrize("fault", ["sent-twice", "duplicate-after-accepting"])
def test_a_refused_but_accepted_order_is_sent_once(
    market: LoopbackExchange, tmp_path: Path, fault: str, snapshot: SnapshotAssertion
) -> None:
    """EX-06: a proxy sent it twice, and the refusal of the second is what the desk hears."""
    market.make(fault, of="submit")
    market.make("mute", of="trades")
    with opened(Host.of(environ(market, tmp_path))) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        two_shares_are_bought(desk)
        desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "a covered position")

    told = written(desk)
    assert not any(isinstance(fact, OrderStateChanged) and fact.after is OrderStatus.REJECTED for fact in told)
    assert next(fact.reason for fact in told if isinstance(fact, OrderStateUnknown)) == snapshot
    assert len(market.received("POST", "/v2/orders")) == 1


def test_an_unreadable_order_blocks_its_symbol(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-09, OP-07: the desk is not read-only; it names the order, closes and kills, and opens again after it."""
    fault = "no-symbol-elsewhere"
    keyturn = Host.of(environ(market, tmp_path, KEYTURN_RECONCILIATION__EVERY_SECONDS="1"))
    with opened(keyturn) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        two_shares_are_bought(desk)
        desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "a covered position")
        market.make(fault, symbol="SPY")
        desk.waits(lambda view: says(view, "unreadable_order"), "it is named")
        desk.sends(a_buy_of_two())
        desk.waits(lambda view: says(view, "cannot be read ("), "an entry refused")
        barred = desk.view
        strange = next(order for order in market.orders() if order.client_order_id.startswith("elsewhere"))
        market.make("cancelled-elsewhere", order=strange.client_order_id)
        desk.waits(lambda _: not desk.runtime.engine.state.control.state.differences, "it is over")
        market.make(fault, symbol="SPY")
        desk.waits(lambda _: desk.runtime.engine.state.control.state.differences, "another one")
        desk.sends(ProposeClose(SPY))
        confirm_the_first(desk)
        desk.waits(lambda view: not view.positions, "the close")
        desk.sends(Kill("key"))
        desk.waits(lambda view: view.status.word == "killed", "the kill")

    assert barred is not None
    assert (barred.status.word, barred.proposals) == ("on", ())
    assert market.positions() == ()


@pytest.mark.parametrize("when", ["while it leaves", "after it stopped"])
def test_a_late_kill_holds_over_the_restart(market: LoopbackExchange, tmp_path: Path, when: str) -> None:
    """OP-07, OP-08: the composition's own journal and kill switch, and another desk on them."""
    keyturn = Host.of(environ(market, tmp_path))
    with opened(keyturn) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        desk.runtime.leave()
        desk.waits(lambda _: desk.runtime._left.is_set(), "it leaves")
        if when == "while it leaves":
            desk.sends(Kill("key"))
    if when == "after it stopped":
        desk.sends(Kill("key"))

    with opened(keyturn) as again:
        view = again.waits(lambda view: view.status.word == "killed", "killed after the restart")

    told = written(again)
    assert view.status.killed_by == "key"
    assert [fact.by for fact in told if isinstance(fact, Killed)] == ["key"]


def test_unknown_keys_open_no_account(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-10, SY-06"""
    keyturn = Host.of(environ(market, tmp_path, APCA_API_SECRET_KEY="of-nobody"))  # pragma: allowlist secret
    with pytest.raises(OperatorError) as refused, opened(keyturn):
        pass
    assert "APCA_API_KEY_ID" in str(refused.value)
    assert "of-nobody" not in str(refused.value)
    assert not (tmp_path / "state" / "accounts.json").exists()


def test_one_gate_of_two_trades_on_paper(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-10"""
    tmp_path.joinpath("settings.toml").write_text('[account]\nmode = "live"\n')
    keyturn = Host.of(environ(market, tmp_path))
    assert mode_of(keyturn, settings_of(keyturn)) is Mode.PAPER
    with opened(keyturn) as desk:
        view = desk.waits(lambda view: view.status.notes, "the note")
    assert any("trades on PAPER" in note for note in view.status.notes)
    both = Host.of(environ(market, tmp_path, KEYTURN_ALLOW_LIVE="1"))
    assert mode_of(both, settings_of(both)) is Mode.LIVE


def test_a_fresh_home_accepts_the_brokers_books(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-09: the account is the one that the keys open; what another machine bought there is told, and taken over."""
    with opened(Host.of(environ(market, tmp_path / "another"))) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        two_shares_are_bought(desk)
        desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "a covered position")
    fresh = Host.of(environ(market, tmp_path / "fresh"))

    looked = compared(fresh, None)
    accepted = compared(fresh, None, accept=True)
    again = compared(fresh, None)

    assert (looked["ok"], looked["positions"], looked["orders"]) == (False, 1, 1)
    assert of_spy(looked) == {"missing_local": "2", "unknown_order": "SELL 2 stop"}
    assert of_spy(accepted) == of_spy(again) == {"unknown_order": "SELL 2 stop"}, "somebody's order is left alone"
    with pytest.raises(OperatorError, match="ANOTHER: the keys that are set are of account"):
        compared(Host.of(environ(market, tmp_path / "third")), "ANOTHER")


@pytest.mark.parametrize("kind", [OrderType.STOP_LIMIT, OrderType.TRAILING_STOP])
def test_a_triggered_entry_is_posted_with_its_terms(market: LoopbackExchange, tmp_path: Path, kind: OrderType) -> None:
    """EX-12, OP-01: what is posted is what the ticket showed, and no leg goes with it"""
    with opened(Host.of(environ(market, tmp_path))) as desk:
        desk.waits(lambda view: view.status.word == "on" and view.status.quote_at, "the books agree, and a price")
        last = market.call(lambda: market.floor.price(SPY))
        trigger = None if kind is OrderType.TRAILING_STOP else Price((last + 20).quantize(Decimal("0.01")))
        limit = Price((last + 21).quantize(Decimal("0.01"))) if kind is OrderType.STOP_LIMIT else None
        trail = Price(Decimal(15)) if kind is OrderType.TRAILING_STOP else None
        stop = Price((last - 1).quantize(Decimal("0.01")))
        order = ProposeOrder(
            SPY, Effect.OPEN, Quantity(Decimal(2)), kind, limit, stop, StopHolder.BROKER,
            trail_price=trail, trigger_price=trigger,
        )  # fmt: skip
        desk.sends(order)
        confirm_the_first(desk)
        desk.waits(lambda view: [row.status for row in view.orders] == [OrderStatus.SUBMITTED], "it works")

    (posted,) = [json.loads(request.body) for request in market.received("POST", "/v2/orders")]
    assert (posted["type"], posted["side"], posted["position_intent"]) == (kind.value, "buy", "buy_to_open")
    assert posted.get("stop_price") == (None if trigger is None else plain(trigger))
    assert posted.get("trail_price") == (None if trail is None else "15")
    assert "order_class" not in posted


def of_spy(told: dict[str, object]) -> dict[str, str]:
    """What differs, and what the broker has."""
    differences = told["differences"]
    assert isinstance(differences, list)
    return {one["kind"]: one["broker"] for one in differences if one["symbol"] == "SPY"}
