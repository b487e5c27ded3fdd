"""What an account may hold and this desk never sends: read as what it is, shown, and in nobody's way (MD-07)."""

from __future__ import annotations

from pathlib import Path

from console.commands.assembly.host import Host
from console.commands.doctor import compared
from core.facts import OtherTakenBack
from core.messages.commands import Kill, ProposeClose
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, a_buy_of_two, confirm_the_first, environ, opened, two_shares_are_bought, written

OFTEN = {"KEYTURN_RECONCILIATION__EVERY_SECONDS": "1"}


def test_a_foreign_order_kind_is_shown_and_killed(market: LoopbackExchange, tmp_path: Path) -> None:
    """MD-07, EX-09, OP-07: entries and exits go on beside it; killed, what could open is taken back."""
    keyturn = Host.of(environ(market, tmp_path, **OFTEN))
    with opened(keyturn) as desk:
        desk.waits(lambda view: view.status.word == "on", "the books agree")
        market.make("legs-elsewhere", symbol="SPY")
        shown = desk.waits(lambda view: view.others, "it is shown")
        two_shares_are_bought(desk)
        desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "an entry beside it")
        desk.sends(ProposeClose(SPY))
        confirm_the_first(desk)
        desk.waits(lambda view: not view.positions, "an exit beside it")
        desk.sends(Kill("key"))
        desk.waits(lambda view: view.status.word == "killed" and not view.others, "it is gone with the kill")

    (other,) = shown.others
    words = "BUY 1 SPY261218C00700000 + SELL 1 SPY261218P00600000 limit 1 day (2 legs)"
    assert (other.words, other.state, shown.kill.others) == (words, "new", (other,))
    assert shown.status.word == "on"
    strange = next(order for order in market.orders() if order.client_order_id.startswith("elsewhere"))
    assert strange.raw_status == "canceled"
    assert [fact.order for fact in written(desk) if isinstance(fact, OtherTakenBack)] == [words]


def test_a_held_option_is_shown_and_not_counted(market: LoopbackExchange, tmp_path: Path) -> None:
    """MD-07, EX-09: two contracts are not two shares; the books agree beside them."""
    keyturn = Host.of(environ(market, tmp_path, **OFTEN))
    market.make("option-held", symbol="SPY")
    with opened(keyturn) as desk:
        view = desk.waits(lambda view: view.status.word == "on" and view.foreign, "it is shown")
        desk.sends(a_buy_of_two())
        confirm_the_first(desk)
        held = desk.waits(lambda view: view.positions and view.positions[0].covered == 2, "an entry beside it")

    assert [(row.symbol, row.asset_class, row.quantity) for row in view.foreign] == [
        ("SPY261218C00700000", "us_option", 2)
    ]
    assert (view.positions, [row.symbol for row in held.positions]) == ((), ["SPY"])
    told = compared(keyturn, None)
    assert (told["ok"], told["positions"]) == (True, 1)
