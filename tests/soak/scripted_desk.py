"""A program that speaks `engine.sock` as a desk does, and confirms each ticket that it opens: for the tests beside it.

Arguments: how many tickets, and `touch` where the engine asks for one. It has a terminal, so that it can hold control.
With `touch` it confirms each ticket twice: without a signature, and with that of a key which it made itself.
"""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from importlib.metadata import version

from console.client.access import a_seat
from console.client.remote import RemoteEngine
from console.commands.assembly.attach import EngineNearby
from console.commands.assembly.host import Host
from core.messages.commands import Confirm, LeaveTicket, OpenTicket, ProposeOrder
from core.model.desk import PaintProof
from core.model.order import Effect, OrderType, StopHolder
from core.model.touch import ticket_message
from core.model.values import Price, Quantity, Symbol
from core.views import DeskView
from state.host_info import release
from tests.kit.security_key import SecurityKey
from tests.real.demo import CONFIRMED, journal_records
from tests.real.waiting import LIMIT, until

REFUSED = "TouchRefused"
OWN_KEY = SecurityKey(seed=99, label="its own")


class ScriptedDesk:
    """Attached to the running engine of this environment's home."""

    def __init__(self) -> None:
        host = Host.of(os.environ)
        self._folder = host.home.account("demo").path
        nearby = EngineNearby(host, may_start=False)
        self._handle = RemoteEngine(lambda _role: nearby.connect(), a_seat(), release(version("keyturn")))
        self._handle.start()
        until(lambda: isinstance(self._handle.view, DeskView) and self.view.status.word == "on", "the engine trades")

    @property
    def view(self) -> DeskView:
        view = self._handle.view
        assert isinstance(view, DeskView), view
        return view

    def confirms_a_ticket(self, *, asks_for_touch: bool) -> None:
        """Propose an order, open its ticket, and confirm it as shown."""
        known = {row.id for row in self.view.proposals}
        one, limit, stop = Quantity(Decimal(1)), Price(Decimal(480)), Price(Decimal(470))
        self._handle.send(
            ProposeOrder(Symbol("SPY"), Effect.OPEN, one, OrderType.LIMIT, limit, stop, StopHolder.BROKER)
        )
        row = until(lambda: next((row for row in self.view.proposals if row.id not in known), None), "it is staged")
        self._handle.send(OpenTicket(row.id))
        shown = until(
            lambda: next((each for each in self.view.tickets if each.proposal.id == row.id), None), "it opens"
        )
        ticket = shown.ticket
        turn = {"hold": shown.hold, "proof": PaintProof.ANSWERED}
        signed = OWN_KEY.touched(ticket_message(self.view.account, self.view.touch.nonce, ticket.id, ticket.digest))
        for touch in (None, signed) if asks_for_touch else (None,):
            self._presses(Confirm(ticket.id, ticket.digest, Effect.OPEN, word=shown.word, touch=touch, **turn))
        self._handle.send(LeaveTicket(ticket.id))

    def _presses(self, key: Confirm) -> None:
        """Confirm until the key is taken or its touch refused: where the engine stood still meanwhile, again."""
        known = self._count(CONFIRMED, REFUSED)
        while self._count(CONFIRMED, REFUSED) == known:
            answers = self._count(CONFIRMED, "ConfirmationRefused")
            self._handle.send(key)
            until(lambda known=answers: self._count(CONFIRMED, "ConfirmationRefused") > known, "the engine answers")

    def leaves(self) -> None:
        self._handle.leave("done", on_purpose=True)
        self._handle.close("done", LIMIT)

    def _count(self, *facts: str) -> int:
        return sum(record["fact"] in facts for record in journal_records(self._folder))


def main() -> None:
    desk = ScriptedDesk()
    for _ in range(int(sys.argv[1])):
        desk.confirms_a_ticket(asks_for_touch="touch" in sys.argv)
    desk.leaves()


if __name__ == "__main__":
    main()
