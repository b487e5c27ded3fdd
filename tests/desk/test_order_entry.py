"""An order in few keys: the form opens ready on the selected symbol, and its keys do what they say and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion
from textual import events

from console.order_form.prefill import SHIPPED, Preset
from console.screens.new_order import NewOrderScreen
from console.screens.ticket import TicketScreen
from core.facts import ProposalStaged
from core.messages.commands import ProposeOrder
from core.model.bar import Feed, Quote
from core.model.order import Effect, OrderType
from core.model.values import Money, Price, Quantity, Symbol
from core.risk.sizing import Conditions
from core.settings.settings import Settings
from core.views import DeskView, LogRow, NotStaged, SizingView, SymbolView
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.hands import Disk
from tests.desk.still_house import a_view, open_still

WIDE = (120, 40)


def a_quote(bid: str, ask: str, *, age: int = 0, atr: str = "0.40") -> DeskView:
    """A margin account of 10,000 USD that may lose 50 USD in a trade, and SPY with that quote, last at 496."""
    view = a_view(status={"equity": Money(Decimal(10_000)), "buying_power": Money(Decimal(10_000))})
    at, size = view.status.at - timedelta(seconds=age), Quantity(Decimal(100))
    quote = Quote(SPY, at, Price(Decimal(bid)), size, Price(Decimal(ask)), size, Feed.DERIVED)
    row = SymbolView(
        SPY, quote, Price(Decimal(496)), is_fractionable=False, last_at=at, short_refused=None,
        conditions=Conditions(atr=Price(Decimal(atr))),
    )  # fmt: skip
    return replace(view, symbols=(row,), sizing=SizingView(Money(Decimal(50)), Money(Decimal(7000))))


async def the_form_after(house: House, *keys: str) -> NewOrderScreen:
    await house.press(*keys)
    form = house.desk.screen
    assert isinstance(form, NewOrderScreen)
    return form


async def opens_the_form(house: House) -> NewOrderScreen:
    form = await the_form_after(house, "n")
    await house.until(lambda: form.inputs["limit"].value)
    return form


def text_in(form: NewOrderScreen, *fields: str) -> tuple[str, ...]:
    return tuple(form.inputs[field].value for field in fields)


async def test_n_and_enter_are_an_order_of_the_selected_symbol_and_its_ticket() -> None:
    """OP-01, RK-02: two keys to the ticket, and nothing is sent"""
    two = Settings.model_validate({"symbols": ["IBM", "SPY"]})
    async with open_desk((80, 24), settings=two) as house:
        form = await opens_the_form(house)
        assert form.focused is form.inputs["quantity"]
        assert house.desk.view is not None
        (ask,) = (row.quote.ask for row in house.desk.view.symbols if row.symbol == SPY and row.quote is not None)
        assert text_in(form, "symbol", "effect", "type", "stop", "holder") == ("SPY", "buy", "limit", "1%", "broker")
        assert Decimal(form.inputs["limit"].value) == ask
        await house.sees("prefilled, by risk: ", "prefilled, the ask", "prefilled, 491.")

        await house.press("enter")

        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
        await house.sees("BUY to open ─ SPY", f"0.1 SPY at {ask} limit, day", "STOP 491.")
        staged = house.facts(ProposalStaged)[-1].proposal
        assert (staged.strategy, staged.order.effect, staged.order.type) == ("manual", Effect.OPEN, OrderType.LIMIT)
        assert house.sent_nothing()


async def test_the_offer_follows_the_quote_until_typed() -> None:
    """OP-01: a number that was read does not move under the hand"""
    async with open_still(a_quote("496.20", "496.22"), WIDE) as house:
        form = await the_form_after(house, "n")
        await house.until(lambda: text_in(form, "limit") == ("496.22",))
        await house.shows_next(symbols=a_quote("497.20", "497.22").symbols)
        await house.until(lambda: text_in(form, "limit") == ("497.22",))

        await house.press("tab")
        await house.shows_next(symbols=a_quote("499.20", "499.22").symbols)
        await house.sees("499.20 × 499.22")
        assert text_in(form, "limit", "stop") == ("497.22", "1%")

        await house.press("shift+tab", *"7")
        assert text_in(form, "quantity", "limit") == ("7", "497.22")
        await house.shows_next(symbols=a_quote("400.20", "400.22").symbols)
        await house.sees("400.20 × 400.22")
        assert text_in(form, "quantity", "limit") == ("7", "497.22")


async def test_only_a_fresh_quote_fills_a_price() -> None:
    """OP-04: nobody trades by a number of yesterday"""
    async with open_still(a_quote("496.20", "496.22", age=120), WIDE) as house:
        form = await the_form_after(house, "n")
        await house.sees("the ask is 2 m old: not taken")
        assert text_in(form, "limit", "quantity") == ("", "")

        await house.press("enter")
        await house.sees("Limit price: the ask is 2 m old: not taken")
        assert not any(isinstance(command, ProposeOrder) for command in house.handle.commands)
        await house.press("a")
        assert text_in(form, "limit") == ("",)

        await house.shows_next(symbols=a_quote("496.20", "496.22").symbols)
        await house.until(lambda: text_in(form, "limit") == ("496.22",))


async def test_keys_in_a_price_take_and_move_it_and_type_nothing() -> None:
    """OP-01: choices are moved through and typed, and never half a word"""
    async with open_still(a_quote("496.21", "496.24"), WIDE) as house:
        form = await the_form_after(house, "n", "tab", "tab")
        seen = []
        for key in ("b", "a", "m", "l", "plus", "minus", "minus", "pageup", "pagedown", "pagedown", "x", "n"):
            await house.press(key)
            seen.append(form.inputs["limit"].value)

        assert seen == [
            "496.21", "496.24", "496.22", "496.00", "496.01", "496.00", "495.99", "496.09", "495.99", "495.89",
            "495.89", "495.89",
        ]  # fmt: skip
        await house.sees("n is no part of a number; / changes the symbol")
        await house.press("question_mark")
        await house.sees("Help ─ new order")
        await house.press("escape")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))

        await house.press("shift+tab")
        seen = []
        for key in ("m", "space", "right", "left", "s", *"top-", "t", "z", "backspace"):
            await house.press(key)
            seen.append(form.inputs["type"].value)

        assert seen == [
            "market", "stop", "stop-limit", "stop", "stop-limit", "stop", "stop", "stop", "stop-limit", "trailing",
            "trailing", "trailing",
        ]  # fmt: skip
        before = form.texts()
        await house.press("ctrl+u")
        assert form.texts() == before, "a choice is never empty: it resets nothing"
        await house.press("up", "up", *"sh")
        assert text_in(form, "effect") == ("short",)


async def test_another_symbol_keeps_what_was_typed() -> None:
    """OP-01: the ask of one symbol is never the limit of another"""
    view = a_quote("496.20", "496.22")
    (spy,) = view.symbols
    quote = replace(spy.quote, symbol=Symbol("IBM"), bid=Price(Decimal("182.10")), ask=Price(Decimal("182.13")))
    both = replace(view, symbols=(spy, replace(spy, symbol=Symbol("IBM"), quote=quote)))
    async with open_still(both, WIDE) as house:
        form = await the_form_after(house, "n")
        await house.until(lambda: text_in(form, "limit") == ("496.22",))
        await house.press("up", "up", *"ib")
        assert text_in(form, "symbol", "limit", "stop", "quantity") == ("IB", "", "", "")
        await house.press("m")
        assert text_in(form, "symbol", "limit", "stop") == ("IBM", "182.13", "1%")
        await house.press("tab", *"sh")
        assert text_in(form, "limit") == ("182.10",)

        await house.press("tab", "tab", "tab", *"181", "/", *"SPY", "enter")
        await house.until(lambda: text_in(form, "symbol", "limit") == ("SPY", "181"))


async def test_a_stop_and_a_target_are_typed_as_ways_and_read_as_prices() -> None:
    """RK-02"""
    async with open_still(a_quote("99.98", "100.00", atr="0.40"), WIDE) as house:
        form = await the_form_after(house, "n", *"3", "tab", "tab", "tab", *"1.5atr")
        assert text_in(form, "stop") == ("1.5atr",)
        await house.sees("99.40, 0.60 under 100.00")
        await house.press("tab", "tab", "tab", *"2r")
        await house.sees("101.20, 1.20 over 100.00", "gains 3.60")

        await house.press("enter")
        order = next(command for command in house.handle.commands if isinstance(command, ProposeOrder))
        assert (order.stop_price, order.target_price) == (Price(Decimal("99.40")), Price(Decimal("101.20")))


async def test_a_key_goes_through_the_ways_of_sizing_and_says_which() -> None:
    """RK-02"""
    async with open_still(a_quote("99.98", "100.00"), WIDE) as house:
        form = await the_form_after(house, "n")
        await house.until(lambda: text_in(form, "quantity") == ("50",))
        await house.sees("by risk: a risk of 50.00 USD")
        await house.press("percent_sign")
        await house.sees("by cash: 7,000.00 USD buys it")
        assert text_in(form, "quantity") == ("70",)
        await house.press("percent_sign")
        await house.sees("by position: nothing of it is held")
        assert text_in(form, "quantity") == ("",)
        await house.press("percent_sign", "tab", "tab", "tab", *"98")
        assert text_in(form, "quantity") == ("25",), "another stop is another size"


async def test_escape_keeps_what_was_typed_for_the_symbol_and_one_key_clears_it() -> None:
    """OP-01: text is never lost"""
    async with open_still(a_quote("99.98", "100.00"), WIDE) as house:
        await house.press("n", *"3", "tab", "tab", *"99.50", "escape")
        form = await the_form_after(house, "n")
        await house.sees("DRAFT of ", "Ctrl+U twice clears it")
        assert text_in(form, "quantity", "limit", "stop") == ("3", "99.50", "1%")

        await house.press("ctrl+u")
        assert text_in(form, "quantity", "limit", "stop") == ("", "99.50", "1%")
        await house.press("ctrl+u")
        await house.sees("cleared: the form is as it opens")
        assert not house.shows("DRAFT")
        assert text_in(form, "quantity", "limit") == ("50", "100.00")
        await house.press("escape", "n")
        assert not house.shows("DRAFT")


async def test_a_refused_value_is_no_draft() -> None:
    """OP-01: what was refused and left as it was does not come back; the other fields do"""
    async with open_still(a_quote("99.98", "100.00"), WIDE) as house:
        await house.press("n", *"5x", "tab", "tab", *"99.50", "enter", "escape")
        form = await the_form_after(house, "n")
        assert text_in(form, "quantity", "limit")[1] == "99.50"
        assert text_in(form, "quantity") != ("5x",)

        await house.press("ctrl+u", *"7", "enter")
        await house.until(lambda: house.handle.commands)
        no = NotStaged("manual", SPY, (), "no")
        row = LogRow(10**6, house.desk.engine_now(), "skipped", "no", refused=no)
        await house.shows_next(refusals=(row,))
        await house.sees("NOT STAGED")
        await house.press("escape", "n")
        assert not house.shows("DRAFT")


async def test_a_changed_draft_takes_no_other_draft() -> None:
    """OP-01: text is never lost"""
    spy = a_quote("99.98", "100.00").symbols[0]
    ibm = replace(spy, symbol=Symbol("IBM"))
    async with open_still(replace(a_quote("99.98", "100.00"), symbols=(spy, ibm)), WIDE) as house:
        await house.press("n", "7", "escape")
        house.desk.push_screen(NewOrderScreen(house.desk, symbol=Symbol("IBM")))
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        form = house.desk.screen
        assert isinstance(form, NewOrderScreen)
        await house.press("9")
        form.take_symbol(SPY)
        await house.press("escape")

        kept = house.desk.forms.kept
        spy_s, ibm_s = kept.of("SPY"), kept.of("IBM")
        assert spy_s is not None
        assert spy_s.texts["quantity"] == "7"
        assert ibm_s is not None
        assert (ibm_s.texts["quantity"], ibm_s.texts["symbol"]) == ("9", "SPY")


async def test_what_is_no_number_stands_as_it_was_typed_and_is_refused() -> None:
    """OP-01: no character is left out, so that no other number stands there than was typed"""
    wrong = {"quantity": ("1e9", "-5", "5 5"), "limit": ("1e9",), "target": ("1e5",), "ttl": ("1d",)}
    async with open_still(a_quote("99.98", "100.00"), WIDE) as house:
        form = await opens_the_form(house)
        for field, typed in ((field, typed) for field, texts in wrong.items() for typed in texts):
            await house.press("ctrl+u")
            form.go_to(field)
            await house.press(*("space" if each == " " else "minus" if each == "-" else each for each in typed))
            assert text_in(form, field) == (typed,)
            await house.press("enter")
            assert house.handle.commands == [], typed


async def test_a_hidden_form_hears_only_exit_keys() -> None:
    """OP-04; OP-03: a number that can be stale says so"""
    async with open_still(a_quote("99.98", "100.00"), WIDE) as house:
        form = await opens_the_form(house)
        await house.press("%")
        await house.shows_next(symbols=a_quote("100.48", "100.50").symbols)
        await house.sees("prefilled, was the ask; now 100.50")
        before = form.texts()
        await house.pilot.resize_terminal(60, 20)
        await house.press("0", "tab", "m", "enter")
        assert form.texts() == before
        assert house.handle.commands == []
        await house.press("escape")
        await house.until(lambda: not isinstance(house.desk.screen, NewOrderScreen))


async def test_a_held_key_and_a_paste_do_no_more_than_typing_them() -> None:
    """OP-04: nothing in the form stages but Enter"""
    async with open_still(a_quote("99.98", "100.00"), WIDE) as house:
        form = await the_form_after(house, "n", *["n"] * 9)
        assert text_in(form, "quantity") == ("50",), "a finger that stays on n loses no figure"
        await house.press("tab", "tab", *["plus"] * 30)
        assert text_in(form, "limit") == ("100.30",)
        house.desk.post_message(events.Paste("b\nS\r\n+++"))
        await house.sees("USD for one share")
        assert text_in(form, "limit") == ("b",)
        assert not any(isinstance(command, ProposeOrder) for command in house.handle.commands)


async def test_a_preset_is_saved_by_name(snapshot: SnapshotAssertion) -> None:
    """DESK: presets for stop and target, saved by name"""
    disk = Disk()
    async with open_still(a_quote("99.98", "100.00"), WIDE, surroundings=disk) as house:
        form = await the_form_after(house, "n", "f6")
        assert text_in(form, "stop", "target") == ("2%", "2r")
        await house.sees("2 %, 2R: stop 2%, target 2r", "prefilled, 98.00, 2.00 under 100.00")

        await house.press("tab", "tab", "tab", *"0.5%", "tab", "tab", "tab", *"3r", "ctrl+e", *"tight", "enter")
        await house.until(lambda: disk.of_the_operator)
        assert disk.of_the_operator["presets"] == snapshot
        await house.until(lambda: house.desk.forms.presets.each[3] == Preset("tight", "0.5%", "3r"))
        await house.press("f5", "f8")
        assert text_in(form, "stop", "target") == ("0.5%", "3r")

        await house.press("ctrl+e", *"wide", "enter")
        await house.sees("F8 is tight: stop 0.5%, target 3r already")
        assert disk.of_the_operator["presets"] == snapshot
        await house.press("enter")
        await house.until(lambda: "wide" in disk.of_the_operator["presets"]["F8.toml"])


async def test_a_broken_preset_is_named_and_the_others_hold() -> None:
    """DESK"""
    disk = Disk(
        of_the_operator={
            "presets": {
                "F6.toml": "stop = 1", "F7.toml": "name = 'wide'\nstop = '4%'", "F9.toml": "", "F5.toml": "\x00",
            },
        },
    )  # fmt: skip
    async with open_still(a_quote("99.98", "100.00"), WIDE, surroundings=disk) as house:
        await house.until(lambda: house.desk.forms.presets.faults)
        presets = house.desk.forms.presets
        assert presets.each == (SHIPPED[0], SHIPPED[1], Preset("wide", "4%"), SHIPPED[3])
        assert [fault.partition(":")[0] for fault in presets.faults] == [
            "presets/F5.toml", "presets/F6.toml", "presets/F9.toml",
        ]  # fmt: skip
        await house.sees("3 files of presets/ are wrong: Log names each", "presets/F5.toml: ")
