"""The form of an order typed by hand: what is wrong stands beside its field, sizes come by key, figures are alive."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.order_form.draft import Draft, FieldFault
from console.order_form.prefill import preset
from console.order_form.reading import read_draft, read_form
from console.screens.new_order import NewOrderScreen
from console.screens.ticket import TicketScreen
from core.facts import OrderCreated, ProposalStaged
from core.messages.commands import ProposeOrder
from core.model.bar import Feed, Quote
from core.model.order import Effect, OrderType, StopHolder, TimeInForce
from core.model.sizing import Room
from core.model.values import Fraction, Money, Price, Quantity
from core.risk.sizing import Conditions, Throttle
from core.settings.settings import Settings
from core.views import DeskView, PositionRow, SizingView, SymbolView
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.still_house import the_engines_view
from tests.kit.rows import each
from tests.kit.stepped_engine import WiredHandle

GOOD = {
    "symbol": "SPY", "effect": "buy", "quantity": "2", "type": "limit", "limit": "496.00", "stop": "494.00",
    "holder": "broker", "lasts": "day",
}  # fmt: skip


def a_view(
    *, held: str = "0", short_refused: str | None = None, fractions: bool = True, risk: str = "50", most: str = "5000"
) -> DeskView:
    """A margin account with 10,000 USD to spend, SPY at 496.20 × 496.22."""
    view = the_engines_view()
    at, size = view.status.at, Quantity(Decimal(100))
    quote = Quote(SPY, at, Price(Decimal("496.20")), size, Price(Decimal("496.22")), size, Feed.DERIVED)
    symbol = SymbolView(
        SPY, quote, Price(Decimal("496.21")), is_fractionable=fractions, last_at=at - timedelta(seconds=12),
        quantity_step=Decimal("0.001") if fractions else Decimal(1), short_refused=short_refused,
    )  # fmt: skip
    status = replace(view.status, buying_power=Money(Decimal(10_000)), equity=Money(Decimal(10_000)))
    sizing = SizingView(Money(Decimal(risk)), Money(Decimal(most)))
    return replace(view, symbols=(symbol,), status=status, sizing=sizing, positions=positions_of(Decimal(held)))


def positions_of(held: Decimal) -> tuple[PositionRow, ...]:
    if not held:
        return ()
    price = Price(Decimal(490))
    row = PositionRow(
        "SPY/vwap", SPY, "vwap", Quantity(held), price, None, None, None, None, None, StopHolder.YOU,
        Quantity(Decimal(0)), is_closing=False,
    )  # fmt: skip
    return (row,)


def test_a_resting_close_has_no_stop(snapshot: SnapshotAssertion) -> None:
    """EX-13, OP-03: as its ticket warns"""
    view = a_view(held="2")
    close = {"symbol": "SPY", "effect": "sell", "quantity": "2", "holder": "broker", "lasts": "day"}
    said = []
    for terms in (
        {"type": "limit", "limit": "499.00"},
        {"type": "limit", "limit": "496.20"},
        {"type": "limit", "limit": "499.00", "stop": "494.00"},
        {"type": "market"},
        {"type": "stop", "stop": "494.00"},
    ):
        draft = read_draft({**close, **terms}, view)
        assert draft.faults == {}
        said.append(draft.doubts)

    assert said == snapshot


async def opens_the_form(house: House) -> NewOrderScreen:
    await house.press("n")
    await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
    form = house.desk.screen
    assert isinstance(form, NewOrderScreen)
    return form


@each(
    ("effect", "held", "said"),
    [
        ("buy", "0", Effect.OPEN), ("sell", "5", Effect.CLOSE), ("short", "0", Effect.SHORT),
        ("cover", "-5", Effect.COVER), ("buy", "-5", "SPY is held short: cover closes it"),
        ("sell", "0", "there is no SPY to sell"), ("short", "5", "SPY is held: sell closes it"),
        ("cover", "5", "there is no short SPY to cover"),
    ],
)  # fmt: skip
def test_each_word_is_one_effect_and_none_turns_a_position_around(effect: str, held: str, said: Effect | str) -> None:
    """OP-01"""
    view = a_view(held=held)
    closes = effect in ("sell", "cover")
    stop = "" if closes else "498.00" if effect == "short" else "494.00"

    order = read_form({**GOOD, "effect": effect, "stop": stop}, view)

    assert order == FieldFault("effect", said) if isinstance(said, str) else isinstance(order, ProposeOrder)
    assert isinstance(order, FieldFault) or order.effect is said


def test_a_short_sale_needs_whole_lent_shares(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    view = a_view()
    short = {**GOOD, "effect": "short", "stop": "498.00"}

    assert isinstance(read_form(short, view), ProposeOrder)
    assert read_form({**short, "quantity": "0.5"}, view) == FieldFault("quantity", "whole shares only")
    assert read_form({**short, "stop": "494.00"}, view) == snapshot
    refused = a_view(short_refused="a cash account sells nothing short")
    assert read_form(short, refused) == snapshot


@each(("typed", "shares"), [("$50", "0.1"), ("$ 1000", "2.016"), ("0.25", "0.25"), ("3", "3"), (".5", "0.5")])
def test_dollars_are_as_many_shares_as_they_buy_and_never_more(typed: str, shares: str) -> None:
    """OP-01: at the limit of 496.00, in steps of 0.001"""
    order = read_form({**GOOD, "quantity": typed}, a_view())

    assert isinstance(order, ProposeOrder)
    assert order.quantity == Decimal(shares)


def test_the_form_measures_a_limit_by_what_it_meets_at_the_market(snapshot: SnapshotAssertion) -> None:
    """EX-11, OP-06: a short of 400 fills at 496.20, a buy of 600 at 496.22"""
    view = a_view(most="900")
    short = {**GOOD, "effect": "short", "limit": "400.00", "stop": "498.00"}
    buy = {**GOOD, "limit": "600.00"}

    assert read_draft(short, view).cost == Decimal("992.40")
    assert read_draft(short, view).loss == Decimal("196.00")
    assert read_draft(short, view).doubts["quantity"] == snapshot
    assert read_form({**short, "stop": "450.00"}, view) == snapshot
    assert read_form({**short, "target": "450.00"}, view) == snapshot
    assert read_form({**buy, "stop": "550.00"}, view) == snapshot
    assert read_form({**buy, "target": "550.00"}, view) == snapshot


def test_dollars_are_sized_by_the_side_taken() -> None:
    """OP-01"""
    market = {**GOOD, "type": "market", "limit": "", "quantity": "$1000"}

    order = read_form(market, a_view())

    assert isinstance(order, ProposeOrder)
    assert order.quantity == Decimal("2.015")
    left_over = read_draft({**market, "limit": "10", "quantity": "2"}, a_view())
    assert (left_over.cost, "limit" in left_over.faults) == (Decimal("992.44"), True)


@each(
    ("quantity", "kind", "lasts", "said"),
    [
        ("2", "limit", "gtc", TimeInForce.GTC), ("2", "limit", "IOC", TimeInForce.IOC),
        ("0.5", "limit", "day", TimeInForce.DAY), ("0.5", "limit", "gtc", "a fraction of a share: day only"),
        ("0.5", "limit", "ioc", "a fraction of a share: day only"), ("2", "limit", "fok", "day, gtc or ioc"),
    ],
)  # fmt: skip
def test_how_long_it_lasts_is_what_its_quantity_allows(
    quantity: str, kind: str, lasts: str, said: TimeInForce | str
) -> None:
    """EX-11"""
    order = read_form({**GOOD, "quantity": quantity, "type": kind, "lasts": lasts}, a_view())

    assert order == FieldFault("lasts", said) if isinstance(said, str) else isinstance(order, ProposeOrder)
    assert isinstance(order, FieldFault) or order.time_in_force is said


def test_a_stop_order_never_fills_at_once_or_not(snapshot: SnapshotAssertion) -> None:
    """EX-11"""
    stop = {**GOOD, "effect": "sell", "type": "stop", "limit": "", "lasts": "ioc"}

    assert read_form(stop, a_view(held="2")) == snapshot


def test_a_way_of_a_stop_entry_is_measured_from_what_starts_it(snapshot: SnapshotAssertion) -> None:
    """RK-02, SY-07: there is a quote, and it is not what the entry pays"""
    typed = {**GOOD, "type": "stop", "limit": "", "trigger": "", "stop": "1%"}
    faults = read_draft(typed, a_view()).faults

    assert faults["stop"] == snapshot


def test_expected_refusals_are_doubts(snapshot: SnapshotAssertion) -> None:
    """OP-03: the engine judges; the form only says what it sees"""
    view = a_view(risk="3", most="2000")
    off = replace(view, status=replace(view.status, entries_refused="killed by key"))

    loss, cost, power, refused = (
        read_draft({**GOOD, "quantity": "2"}, view),
        read_draft({**GOOD, "quantity": "5"}, view),
        read_draft({**GOOD, "quantity": "50"}, view),
        read_draft({**GOOD, "quantity": "1", "lasts": "gtc"}, off),
    )

    assert loss.doubts["quantity"] == snapshot
    assert cost.doubts["quantity"] == snapshot
    assert power.doubts["quantity"] == snapshot
    assert refused.doubts == snapshot
    assert ["limit" in read_draft({**GOOD, "limit": limit}, view).doubts for limit in ("497", "520")] == [False, True]
    assert not any(draft.faults for draft in (loss, cost, power, refused))


@each(
    ("part", "risk", "most", "shares", "words"),
    [
        ("1", "3", "5000", "1.5", "1.5 SPY: sized by a risk of 3.00 USD"),
        ("0.5", "3", "5000", "0.75", "0.75 SPY: sized by a risk of 1.50 USD"),
        ("0.25", "3", "5000", "0.375", "0.375 SPY: sized by a risk of 0.75 USD"),
        ("1", "50", "496", "1", "1 SPY: sized by the largest order"),
        ("1", "500", "99999", "20", "20 SPY: sized by the buying power"),
    ],
)
def test_a_preset_is_sized_by_risk_the_stop_and_the_caps(
    part: str, risk: str, most: str, shares: str, words: str
) -> None:
    """RK-02: 2 USD from the limit of 496 to the stop of 494"""
    view = a_view(risk=risk, most=most)

    size = preset(read_draft({**GOOD, "quantity": ""}, view), Decimal(part), view)

    assert (size.quantity, size.words) == (Decimal(shares), words)


def test_each_term_reduces_a_preset(snapshot: SnapshotAssertion) -> None:
    """RK-10, RK-11: a risk of 1.50 USD, half of it after losses; 2 USD to the stop"""
    view = a_view(risk="1.50", most="500")
    (symbol,) = view.symbols
    throttled = Conditions(throttle=Throttle(Fraction(Decimal("0.50")), "5.20 of 10.00 USD lost today"))
    view = replace(view, symbols=(replace(symbol, conditions=throttled),))
    spent = replace(throttled, equity=Decimal(100), open_losses=Decimal("14.90"))
    without_budget = replace(view, symbols=(replace(symbol, conditions=spent),))

    size = preset(read_draft({**GOOD, "quantity": ""}, view), Decimal(1), view)
    left = preset(read_draft({**GOOD, "quantity": ""}, without_budget), Decimal(1), without_budget)
    doubts = read_draft({**GOOD, "quantity": "0.4"}, view).doubts

    assert (size.quantity, size.words) == snapshot
    assert (left.quantity, left.words) == snapshot
    assert doubts == snapshot


def test_a_preset_of_a_close_is_a_part(snapshot: SnapshotAssertion) -> None:
    """RK-02"""
    view = a_view(held="0.502")
    sells = {**GOOD, "effect": "sell", "stop": ""}

    assert preset(Draft(), Decimal(1), view).words == snapshot
    assert preset(read_draft({**GOOD, "stop": ""}, view), Decimal(1), view).quantity is None
    assert preset(read_draft(sells, view), Decimal(1), view).words == snapshot
    assert preset(read_draft(sells, view), Decimal("0.25"), view).quantity == Decimal("0.125")
    whole = a_view(held="3", fractions=False)
    assert preset(read_draft(sells, whole), Decimal("0.5"), whole).quantity == Decimal(1)
    assert preset(read_draft(sells, whole), Decimal("0.25"), whole).words == snapshot


async def test_every_fault_stands_beside_its_field_before_enter_at_80_columns() -> None:
    """OP-01, EX-11"""
    async with open_desk((80, 24)) as house:
        form = await opens_the_form(house)
        await house.press(*"0.5", "tab", *"stop", "tab", *"49x", "tab", *"500.001", "tab", *"mum", "tab", *"gtc")

        assert form.inputs["quantity"].value == "0.5"
        await house.sees(
            "a stop order has none: clear it",
            "off its tick of 0.01 USD",
            "broker, desk; you: no stop order placed",
            "a fraction of a share: day only",
        )
        assert house.sent_nothing()
        assert len(house.facts(ProposalStaged)) == 1


@pytest.mark.usefixtures("a_tick_each_way_as_before")
async def test_the_form_tells_ages_and_what_is_left() -> None:
    """OP-03: at 80 columns"""
    async with open_desk((80, 24)) as house:
        await opens_the_form(house)
        await house.press(*"$20", "tab", "tab", *"496", "tab", *"494")

        await house.sees(
            "496.20 × 496.22 USD",
            "derived",
            "last 496.21, ",
            " s old",
            "held   none; fractionable, no short: a cash account sells nothing short",
            "0.04 shares for 19.84 USD",
            "order  19.84 USD, 9.9 % of equity, loses 0.08 USD at the stop",
            "buying power 200.00 USD, after this order 180.16 USD",
        )


async def test_a_key_sizes_the_order_and_enter_opens_its_ticket() -> None:
    """RK-02, OP-01, EX-07: with its own time"""
    async with open_desk((80, 24)) as house:
        form = await opens_the_form(house)
        await house.press("tab", "tab", *"496", "tab", *"494", "f3")
        await house.sees("0.1 SPY: sized by the largest order")
        assert form.inputs["quantity"].value == "0.1"
        form.go_to("ttl")
        await house.press(*"5m", "enter")

        await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.is_armed())
        await house.sees("0.1 SPY at 496.00 limit, day, taken back after 5:00", "no target: you close it")
        assert house.sent_nothing()


async def test_a_refusal_keeps_what_was_typed() -> None:
    """RK-01"""
    async with open_desk((80, 24)) as house:
        form = await opens_the_form(house)
        await house.press(*"1", "tab", "tab", *"496", "tab", *"494", "enter")
        await house.sees("NOT STAGED", "50.00 USD an order")
        await house.press("up", "up", "up", *"0.05")

        await house.wait(0.2)
        await house.sees("NOT STAGED")
        assert {name: box.value for name, box in form.inputs.items()} == {
            **GOOD, "quantity": "0.05", "limit": "496", "stop": "494", "target": "", "trigger": "",
            "trail": "", "ttl": "",
        }  # fmt: skip
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))


def refuses_much() -> Settings:
    """A desk that has many reasons against a large order."""
    return Settings.model_validate({"risk": {"window_end": "10:05"}})


async def test_many_reasons_hide_neither_the_status_lines_nor_the_kill_key() -> None:
    """OP-07, RK-01: what has no room is scrolled, and how much there is stands in the lower edge"""
    async with open_desk((80, 24), settings=refuses_much(), ready=False) as house:
        await house.sees("VWAP on SPY: outside window")
        form = await opens_the_form(house)
        await house.press(*"1000", "tab", *"market", "tab", "tab", *"400", "enter")
        await house.sees("NOT STAGED")
        answer = form._answer.text
        for size in ((80, 24), (120, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.wait(0.05)
            is_paged = size[1] == 24
            seen: list[str] = []
            for _ in range(8 if is_paged else 1):
                lines = house.picture().splitlines()
                assert "PAPER" in lines[0]
                assert "equity" in lines[1]
                assert "ENTRIES" in lines[1]
                assert "Ctrl+K KILL" in lines[-1]
                assert any("New order" in line for line in lines)
                seen += [line.partition("│")[2].rpartition("│")[0].strip() for line in lines if line.count("│") >= 2]
                await house.press("pagedown")
                await house.wait(0.05)

            assert house.shows(", PgDn PgUp") == is_paged
            words = {word for line in seen for word in line.split()}
            assert set(answer.split()) <= words
            await house.press(*["pageup"] * 8)
            await house.sees("NOT STAGED")


async def test_a_margin_account_sells_short_with_its_own_key() -> None:
    """OP-04: `short` is confirmed by H, with its stop above"""
    rich = Settings.model_validate(
        {
            "exchange": {"cash": 10_000, "multiplier": 2},
            "risk": {"max_notional": {"usd": 5000}, "per_trade": {"usd": 50}, "max_open_positions": 5},
        }
    )
    async with open_desk(handled_by=WiredHandle, settings=rich) as house:
        await opens_the_form(house)
        await house.press(*"2", "up", *"short", "tab", "tab", "tab", *"496", "tab", *"498", "enter")
        await house.sees("PAPER ─ SELL short ─ SPY", "after fill: 2 short", "STOP 498.00")
        await house.until(house.is_armed)

        await house.press("S")
        await house.wait(0.4)
        assert house.sent_nothing()
        await house.until(house.is_armed)
        await house.press("H")

        await house.until(lambda: house.facts(OrderCreated))
        assert house.facts(OrderCreated)[0].order.effect is Effect.SHORT


@each(
    ("texts", "fault"),
    [
        ({"target": "500.00"}, None),
        ({"target": "495.00"}, FieldFault("target", "must be above 496.00")),
        (
            {"target": "500.00", "quantity": "0.5"},
            FieldFault("target", "the broker holds a target for whole shares only"),
        ),
        ({"target": "500.00", "lasts": "ioc"}, FieldFault("target", "needs a stop held by the broker, day or gtc")),
        ({"target": "500.00", "holder": "you"}, FieldFault("target", "needs a stop held by the broker, day or gtc")),
    ],
)
def test_a_target_makes_an_entry_of_whole_shares_a_bracket(texts: dict[str, str], fault: FieldFault | None) -> None:
    """EX-12, OP-06"""
    view = a_view()

    order = read_form({**GOOD, **texts}, view)

    assert order == fault if fault else isinstance(order, ProposeOrder) and order.target_price == Decimal(500)


@each(
    ("texts", "fault"),
    [
        ({"type": "stop-limit", "stop": "490.00", "limit": "489.50"}, None),
        ({"type": "stop-limit", "stop": "490.00"}, FieldFault("limit", "a limit order needs its price")),
        ({"type": "stop-limit", "limit": "489.50"}, FieldFault("stop", "a stop order needs its price")),
        ({"type": "trailing", "trail": "1.50"}, None),
        ({"type": "trailing", "trail": "2 %"}, None),
        ({"type": "trailing"}, FieldFault("trail", "how far behind: 1.50 USD, or 2 %")),
        ({"type": "trailing", "trail": "100%"}, FieldFault("trail", "how far behind: 1.50 USD, or 2 %")),
        (
            {"type": "trailing", "trail": "1", "quantity": "0.5"},
            FieldFault("quantity", "a trailing stop is for whole shares"),
        ),
        ({"type": "trailing", "trail": "1", "stop": "490"}, FieldFault("stop", "this order has none: clear it")),
        ({"type": "limit", "limit": "500.00", "stop": "490.00"}, None),
        (
            {"type": "limit", "limit": "500.00", "stop": "501.00"},
            FieldFault("stop", "of a pair: below its limit 500.00"),
        ),
        (
            {"type": "limit", "limit": "500.00", "trail": "1"},
            FieldFault("trail", "only a trailing stop has one: clear it"),
        ),
    ],
)
def test_what_closes_may_be_a_stop_limit_a_trailing_stop_or_a_pair(
    texts: dict[str, str], fault: FieldFault | None
) -> None:
    """EX-12"""
    view = a_view(held="5")

    order = read_form({**GOOD, "effect": "sell", "limit": "", "stop": "", **texts}, view)

    assert order == fault if fault else isinstance(order, ProposeOrder)


def test_a_trail_is_read_as_dollars_or_as_a_part_of_the_price() -> None:
    """EX-12"""
    view = a_view(held="5")
    trailing = {**GOOD, "effect": "sell", "limit": "", "stop": "", "type": "trailing"}

    dollars, percent = read_form({**trailing, "trail": "$1.50"}, view), read_form({**trailing, "trail": "2 %"}, view)

    assert isinstance(dollars, ProposeOrder)
    assert isinstance(percent, ProposeOrder)
    assert (dollars.trail_price, dollars.trail_fraction) == (Decimal("1.50"), None)
    assert (percent.trail_price, percent.trail_fraction) == (None, Decimal("0.02"))


@each(
    ("room", "words"),
    [
        (Room(Money(Decimal(600)), "exposure"), "1.209 SPY: sized by the limit of exposure"),
        (Room(Money(Decimal(600)), "margin", Money(Decimal(1))), "0.5 SPY: sized by the limit of these hours"),
        (Room(Money(Decimal(0)), "the reserve"), "no size fits: the reserve"),
    ],
)
def test_a_size_by_key_stays_within_what_the_whole_account_carries(room: Room, words: str) -> None:
    """RK-10, RK-16: its Enter would be refused else"""
    view = a_view()
    view = replace(view, symbols=(replace(view.symbols[0], room_to_buy=room),))

    assert preset(read_draft({**GOOD, "quantity": ""}, view), Decimal(1), view).words == words


# ── entries that wait for a trigger, and an entry's own time ─────────────────────────────────────────────────────────

A_STOP = {**GOOD, "type": "stop", "limit": "", "trigger": "497", "stop": "494"}
A_STOP_LIMIT = {**A_STOP, "type": "stop-limit", "limit": "497.20"}
A_TRAIL = {**GOOD, "type": "trailing", "limit": "", "trail": "1.50", "stop": "494"}


@each(
    ("texts", "kind", "loss"),
    [
        (A_STOP, OrderType.STOP, "6.00"),
        (A_STOP_LIMIT, OrderType.STOP_LIMIT, "6.40"),
        (A_TRAIL, OrderType.TRAILING_STOP, "7.44"),
    ],
)
def test_a_stop_entry_is_typed_with_its_trigger_and_measured_by_it(
    texts: dict[str, str], kind: OrderType, loss: str
) -> None:
    """EX-12, RK-02"""
    view = a_view()

    order, draft = read_form(texts, view), read_draft(texts, view)

    assert isinstance(order, ProposeOrder), order
    assert (order.type, order.stop_price) == (kind, Decimal(494))
    assert order.trigger_price == (None if kind is OrderType.TRAILING_STOP else Decimal(497))
    assert draft.loss == Decimal(loss)


@each(
    ("texts", "fault"),
    [
        ({**A_STOP, "trigger": ""}, FieldFault("trigger", "a stop entry needs what starts it")),
        ({**A_STOP, "trigger": "496"}, FieldFault("trigger", "must be above the market, 496.22")),
        ({**A_STOP, "effect": "short", "stop": "499"}, FieldFault("trigger", "must be below the market, 496.20")),
        ({**A_STOP, "stop": "498"}, FieldFault("stop", "must be below 497.00")),
        ({**A_STOP, "trigger": "497.005"}, FieldFault("trigger", "off its tick of 0.01 USD")),
        ({**A_STOP, "lasts": "gtc"}, FieldFault("lasts", "a stop entry: day only, its own stop follows its fill")),
        ({**A_STOP, "target": "500"}, FieldFault("target", "the broker holds none with a stop entry: clear it")),
        ({**GOOD, "trigger": "497"}, FieldFault("trigger", "a limit entry has none: clear it")),
        ({**A_TRAIL, "trail": ""}, FieldFault("trail", "how far behind: 1.50 USD, or 2 %")),
        ({**A_TRAIL, "quantity": "0.5"}, FieldFault("quantity", "a trailing stop is for whole shares")),
        ({**A_TRAIL, "holder": "you"}, FieldFault("holder", "of a trailing entry: the broker, it follows its fill")),
        ({**GOOD, "ttl": "0"}, FieldFault("ttl", "90s, 5m or 2h, a day at the most")),
        ({**GOOD, "ttl": "soon"}, FieldFault("ttl", "90s, 5m or 2h, a day at the most")),
        ({**GOOD, "ttl": "25h"}, FieldFault("ttl", "90s, 5m or 2h, a day at the most")),
    ],
)
def test_a_stop_entry_that_is_wrong_says_so_beside_its_field(texts: dict[str, str], fault: FieldFault) -> None:
    """EX-11, EX-12, EX-07"""
    assert read_form(texts, a_view()) == fault


@each(("typed", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("2 h", 7200), ("", None)])
def test_an_entrys_own_time_is_seconds_minutes_or_hours(typed: str, seconds: int | None) -> None:
    """EX-07"""
    order = read_form({**GOOD, "ttl": typed}, a_view())

    assert isinstance(order, ProposeOrder)
    assert order.ttl_seconds == seconds


def test_the_trigger_of_what_closes_stands_where_it_always_did(snapshot: SnapshotAssertion) -> None:
    """EX-12"""
    sale = {**GOOD, "effect": "sell", "type": "stop", "limit": "", "stop": "494"}
    view = a_view(held="2")

    order = read_form(sale, view)

    assert isinstance(order, ProposeOrder)
    assert (order.stop_price, order.trigger_price) == (Decimal(494), None)
    assert isinstance(read_form({**sale, "trigger": "490"}, view), FieldFault)
    assert read_form({**sale, "ttl": "90"}, view) == snapshot
