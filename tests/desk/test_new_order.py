"""An order typed by hand goes the same way as any other, or says in one line what is wrong with it (OP-01)."""

from __future__ import annotations

from decimal import Decimal

from textual import events

from console.order_form.draft import FieldFault
from console.order_form.reading import read_form
from console.screens.new_order import NewOrderScreen
from core.facts import ProposalSkipped, ProposalStaged
from core.messages.commands import ProposeOrder
from core.model.order import Effect, OrderType
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import the_engines_view

GOOD = {
    "symbol": "spy",
    "effect": "buy",
    "quantity": "0.05",
    "type": "limit",
    "limit": "496.00",
    "stop": "494.00",
    "holder": "broker",
    "lasts": "day",
}


async def fill(house: House, **texts: str) -> None:
    await house.press("n")
    await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
    form = house.desk.screen
    assert isinstance(form, NewOrderScreen)
    for field, text in {**GOOD, **texts}.items():
        form.inputs[field].value = text
    await house.pilot.pause()


async def test_it_becomes_a_proposal_with_a_ticket_and_enter_sends_nothing() -> None:
    """OP-01"""
    async with open_desk() as house:
        await fill(house)
        await house.sees("SPY", "buying power 200.00 USD", "New order for SPY ─ / takes another")

        await house.press("enter", "enter")

        await house.until(
            lambda: (house.is_armed() and house.shows("0.05 SPY at 496 limit")) or house.shows("496.00 limit")
        )
        assert house.facts(ProposalStaged)[-1].proposal.strategy == "manual"
        assert house.sent_nothing()


async def test_what_arrives_in_one_burst_goes_to_the_right_fields() -> None:
    """OP-01: a Tab is applied before the character behind it; typing replaces what stands in a field, in order"""
    async with open_desk() as house:
        await house.press("n")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        form = house.desk.screen
        assert isinstance(form, NewOrderScreen)
        for character in "0.1\t\t490\t480\t":
            key = {"\t": "tab", ".": "full_stop"}.get(character, character)
            house.desk.post_message(events.Key(key, character))
        await house.until(lambda: form.focused is form.inputs["holder"])

        texts = {field: box.value for field, box in form.inputs.items()}
        assert (texts["quantity"], texts["limit"], texts["stop"]) == ("0.1", "490", "480")
        assert (texts["symbol"], texts["type"], texts["holder"]) == ("SPY", "limit", "broker")

        await house.press("ctrl+u")
        form.go_to("quantity")
        await house.press("1", "2", "backspace", "up", *"sell", "shift+tab", *"spy", "left", "delete", "y")
        texts = {field: box.value for field, box in form.inputs.items()}
        assert (texts["quantity"], texts["effect"], texts["symbol"]) == ("1", "sell", "SPY")


async def test_what_is_wrong_or_refused_is_said_and_kept() -> None:
    """OP-01, RK-01: every reason, a long one in full at 80 columns"""
    async with open_desk((80, 24)) as house:
        await fill(house, target="505.00")
        await house.press("enter")
        await house.sees("Target price: the broker holds a target for whole shares only")
        inputs = house.desk.screen.inputs  # type: ignore[attr-defined]
        inputs["target"].value, inputs["quantity"].value = "", "1e3"
        await house.press("enter")
        await house.sees("Quantity: shares, a number above zero")
        assert len(house.facts(ProposalStaged)) == 1

        inputs["quantity"].value = "1"
        await house.pilot.resize_terminal(120, 40)
        await house.press("enter")
        await house.sees("NOT STAGED")
        assert house.facts(ProposalSkipped)
        await house.sees("New order", "buying power: 496.00 USD is over 200.00 USD free", "496.00 USD is over")
        assert inputs["quantity"].value == "1"
        assert len(house.facts(ProposalStaged)) == 1


FAULTS = [
    ("symbol", "", "symbol"),
    ("symbol", "AAPL", "symbol"),
    ("effect", "hold", "effect"),
    ("effect", "sell", "effect"),
    ("quantity", "-1", "quantity"),
    ("quantity", "0", "quantity"),
    ("quantity", "NaN", "quantity"),
    ("quantity", "١", "quantity"),
    ("type", "iceberg", "type"),
    ("type", "stop", "limit"),
    ("type", "market", "limit"),
    ("limit", "", "limit"),
    ("limit", "1,000", "limit"),
    ("stop", "x", "stop"),
    ("stop", "", "stop"),
    ("stop", "496.00", "stop"),
    ("limit", "496.001", "limit"),
    ("quantity", "0.0001", "quantity"),
    ("quantity", "$0.1", "quantity"),
    ("effect", "short", "effect"),
    ("effect", "cover", "effect"),
    ("lasts", "week", "lasts"),
    ("lasts", "gtc", "lasts"),
    ("holder", "mum", "holder"),
]


def test_a_good_form_is_a_command_and_each_fault_names_its_field() -> None:
    view = the_engines_view()

    order = read_form(GOOD, view)
    faults = [read_form({**GOOD, field: text}, view) for field, text, _ in FAULTS]

    assert isinstance(order, ProposeOrder)
    assert (order.effect, order.type, order.quantity) == (Effect.OPEN, OrderType.LIMIT, Decimal("0.05"))
    named = [fault.field for fault in faults if isinstance(fault, FieldFault)]
    assert named == [field for _, _, field in FAULTS]
