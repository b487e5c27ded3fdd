"""What reached the simulated exchange, one value for each request."""

from __future__ import annotations

from typing import NamedTuple

from core.messages.effects import Effect
from core.runtime.virtual_time import Request as Sent
from tests.scenarios.house import House


class Request(NamedTuple):
    verb: str
    side: str = ""
    type: str = ""
    quantity: str = ""


CANCEL = Request("cancel")


def buy(order_type: str, quantity: str) -> Request:
    return Request("submit", "buy", order_type, quantity)


def sell(order_type: str, quantity: str) -> Request:
    return Request("submit", "sell", order_type, quantity)


def effects_of(house: House, *kinds: type[Effect]) -> list[Effect]:
    """The requests of these kinds that leave the engine from now on; the list grows."""
    found: list[Effect] = []
    send = house.line._send

    def note(request: Sent) -> None:
        if isinstance(request.effect, kinds):
            found.append(request.effect)
        send(request)

    house.line._send = note  # type: ignore[method-assign]
    return found


def requested(house: House) -> list[Request]:
    return [
        CANCEL if r["request"] == "cancel" else Request(*(str(r[k]) for k in ("request", "side", "type", "quantity")))
        for r in house.notebook.records
    ]
