"""A symbol that the broker does not list is unknown: refused at once, and never something to wait for (MD-06)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from console.order_form.draft import FieldFault
from console.order_form.reading import read_form
from core.facts import ProposalSkipped, ProposalStaged
from core.market.synthetic import NAMES, listed_in_the_demo
from core.messages.commands import ProposeOrder
from core.messages.desk_commands import LookAt
from core.model.instrument import BrokerInstrument
from core.model.order import Effect, OrderType
from core.model.values import Price, Quantity, Symbol
from core.views.builders.desk import ViewBuilder
from tests.desk.test_new_order import GOOD
from tests.scenarios.house import House, minutes

SPY, ZZZZ = Symbol("SPY"), Symbol("ZZZZ")


def a_house() -> House:
    """Its broker lists SPY alone, and was asked for ZZZZ."""
    house = House(minutes("09:55", "10:40"), instruments={SPY: BrokerInstrument(SPY)}).opens().until("10:00")
    house.presses(LookAt(ZZZZ))
    return house.until("10:01")


@pytest.mark.parametrize("symbol", ["ZZZZ", "BTC/USD", "SPY260117C00600000"])
def test_an_unknown_symbol_is_refused_at_once(symbol: str) -> None:
    """MD-06, EX-11"""
    house = a_house()

    house.presses(
        ProposeOrder(Symbol(symbol), Effect.OPEN, Quantity(Decimal(1)), OrderType.LIMIT, Price(Decimal(9)), None, None)
    )

    assert not house.facts(ProposalStaged)
    (skipped,) = house.facts(ProposalSkipped)
    assert (skipped.symbol, len(skipped.reasons)) == (symbol, 1)
    assert "moment" not in skipped.reasons[0]


@pytest.mark.parametrize("symbol", ["ZZZZ", "BTC/USD"])
def test_the_form_refuses_an_unknown_symbol(symbol: str) -> None:
    """MD-06"""
    house = a_house()
    view = ViewBuilder(house.engine).draw(house.line.at)
    row = next(row for row in view.symbols if row.symbol == ZZZZ)

    fault = read_form({**GOOD, "symbol": symbol}, view)
    known = read_form({**GOOD, "symbol": ZZZZ}, replace(view, symbols=(replace(row, is_listed=True),)))

    assert row.is_listed is False
    assert isinstance(fault, FieldFault)
    assert fault.field == "symbol"
    assert not (isinstance(known, FieldFault) and known.field == "symbol")


def test_the_demo_names_its_eight_symbols() -> None:
    """MD-06: all of a short list, before anything is typed; of a long one nothing."""
    short = listed_in_the_demo(NAMES)

    assert {match.symbol for match in short.find("")} == set(NAMES)
    assert len(NAMES) == 8
    assert listed_in_the_demo([f"A{n}" for n in range(13)]).find("") == ()
