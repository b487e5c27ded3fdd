"""What it costs, is worth, makes or risks is asked of an instrument, which counts its multiplier once (EX-08)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.money_made import money_made
from tests.unit.texts_read import sources

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "console", "widgets", "state")
THE_PLACE = "core/model/instrument.py"

OTHERWISE: Mapping[tuple[str, str], str] = {
    ("core/brokers/simulated/account.py", "Holding.change"): "a part of a cost",
    ("core/brokers/simulated/account.py", "ExchangeLedger._split"): "a quantity, as a split makes it",
    ("core/brokers/simulated/activities.py", "AccountActivities.sold"): "a fee, USD for each",
    ("core/brokers/simulated/account.py", "ExchangeLedger.execute"): "a fee, USD for each",
    ("core/brokers/simulated/book.py", "Book.fill"): "a fee, USD for each",
    ("core/brokers/simulated/exchange.py", "SimulatedExchange.fee"): "a fee, USD for each",
    ("core/brokers/simulated/frictions.py", "Frictions.filled_of"): "a part of a quantity",
    ("core/execution/position_correction.py", "_moved"): "a quantity with its sign",
    ("core/execution/position_correction.py", "_multiplied"): "a part of a quantity, as a split makes it",
    ("core/execution/position_book.py", "PositionBook._move_position"): "a part of a fee",
    ("core/execution/position_moves.py", "moved"): "a part of a cost",
    ("core/execution/position_moves.py", "split"): "a quantity, as a split makes it",
    ("core/model/activity.py", "Activity.by_its_figures"): "a dividend, USD for each",
    ("core/model/order.py", "OrderRequest.moves"): "a leg's ratio",
    ("core/post_mortem/stories.py", "Stories._fill"): "a part of a fee, and a quantity with its sign",
    ("core/risk/volumes.py", "AverageVolume.part"): "a part of a quantity",
    ("core/staging/shadow_trades.py", "ShadowTrade.result"): "a fee, USD for each",
}
"""By file and function: why no money is made there."""


def test_only_an_instrument_makes_money_of_a_quantity_and_a_price() -> None:
    """EX-08"""
    found = [met for met in money_made(sources(*(ROOT / room for room in ROOMS))) if met.file != THE_PLACE]

    assert [str(met) for met in found if (met.file, met.function) not in OTHERWISE] == []
    assert {(met.file, met.function) for met in found} >= OTHERWISE.keys(), "what is gone leaves the list"


@pytest.mark.parametrize(
    "code",
    [
        "order.quantity * price",
        "price * abs(position.quantity)",
        "(price - paid) * order.quantity",
        "stop.way_from(price) * order.quantity",
        "plan.way * left",
        "order.remaining * order.counted_price",
        "Money(fill.quantity * fill.price)",
        "signed * price",
        "more * (order.limit_price or last)",
        "_DOWN.multiply(wanted.price, shares)",
        "cost / quantity",
        "position.cost / abs(position.quantity)",
        "row.notional / price",
        "worth * instrument.multiplier",
        "of.multiplier * price",
    ],
)
def test_each_way_to_do_it_elsewhere_is_found(code: str) -> None:
    """EX-08"""
    assert [met.code for met in money_made({"core/example.py": f"x = {code}"})] != []


@pytest.mark.parametrize(
    "code",
    [
        "order.instrument.cost(order.quantity, price)",
        "price * (1 + fraction)",
        "2 * quantity",
        "part * equity",
        "cost / account.equity",
        "account.multiplier * requirement",
        "cost * requirement",
        "(bar.high + bar.low + bar.close) * bar.volume",
        "steps * wanted.step",
        "terms.move * price",
        "held.quantity * signed < 0",
    ],
)
def test_what_makes_no_money_of_a_quantity_is_let_be(code: str) -> None:
    """EX-08"""
    assert money_made({"core/example.py": f"x = {code}"}) == []
