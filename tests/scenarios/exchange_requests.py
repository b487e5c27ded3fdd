"""What reached the simulated exchange, as values: `sent(house) == [submit(BUY, LIMIT, "20"), CANCEL]`."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from core.model.order import OrderType, Side
from tests.scenarios.house import House

BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP


class Sent(NamedTuple):
    """One request; of a cancel everything but its name is None."""

    request: str
    side: Side | None = None
    type: OrderType | None = None
    quantity: Decimal | None = None


CANCEL = Sent("cancel")


def submit(side: Side, type: OrderType, quantity: str | Decimal) -> Sent:
    return Sent("submit", side, type, Decimal(quantity))


def replacement(side: Side, type: OrderType, quantity: str | Decimal) -> Sent:
    return Sent("replace", side, type, Decimal(quantity))


def sent(house: House) -> list[Sent]:
    """Everything that reached the exchange, in order."""
    return [
        CANCEL
        if record["request"] == "cancel"
        else Sent(
            str(record["request"]), Side(record["side"]), OrderType(record["type"]), Decimal(str(record["quantity"]))
        )
        for record in house.notebook.records
    ]
