"""An order typed by hand goes the same way as any other, or says in one line what is wrong with it (OP-01)."""

from __future__ import annotations

from decimal import Decimal

from textual import events

from console.order_form.draft import FieldFault
from console.order_form.reading import read_form
from console.screens.new_order import NewOrderScreen
from core.messages.commands import ProposeOrder
from core.model.order import Effect, OrderType
from tests.desk.desk_house import open_desk
from tests.desk.still_house import the_engines_view

GOOD = {
    "symbol": "spy", "effect": "buy", "quantity": "0.05", "type": "limit", "limit": "496.00", "stop": "494.00",
    "holder": "broker", "lasts": "day",
}  # fmt: skip


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


FAULTS = [
    ("symbol", "", "symbol"), ("symbol", "AAPL", "symbol"), ("effect", "hold", "effect"),
    ("effect", "sell", "effect"), ("quantity", "-1", "quantity"), ("quantity", "0", "quantity"),
    ("quantity", "NaN", "quantity"), ("quantity", "١", "quantity"), ("type", "iceberg", "type"),
    ("type", "stop", "limit"), ("type", "market", "limit"), ("limit", "", "limit"), ("limit", "1,000", "limit"),
    ("stop", "x", "stop"), ("stop", "", "stop"), ("stop", "496.00", "stop"), ("limit", "496.001", "limit"),
    ("quantity", "0.0001", "quantity"), ("quantity", "$0.1", "quantity"), ("effect", "short", "effect"),
    ("effect", "cover", "effect"), ("lasts", "week", "lasts"), ("lasts", "gtc", "lasts"), ("holder", "mum", "holder"),
]  # fmt: skip


def test_a_good_form_is_a_command_and_each_fault_names_its_field() -> None:
    view = the_engines_view()

    order = read_form(GOOD, view)
    faults = [read_form({**GOOD, field: text}, view) for field, text, _ in FAULTS]

    assert isinstance(order, ProposeOrder)
    assert (order.effect, order.type, order.quantity) == (Effect.OPEN, OrderType.LIMIT, Decimal("0.05"))
    named = [fault.field for fault in faults if isinstance(fault, FieldFault)]
    assert named == [field for _, _, field in FAULTS]
