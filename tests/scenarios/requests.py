"""What reached the simulated exchange, one value for each request."""

from __future__ import annotations

from typing import NamedTuple

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


def requested(house: House) -> list[Request]:
    return [
        CANCEL if r["request"] == "cancel" else Request(*(str(r[k]) for k in ("request", "side", "type", "quantity")))
        for r in house.notebook.records
    ]
