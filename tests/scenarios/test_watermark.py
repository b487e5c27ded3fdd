"""The highest account figure: of every one that the broker told, over restarts and days (AN-01)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.messages.inputs import AccountFetched
from core.model.account import Account
from core.model.values import Money
from core.trading_state.checkpoint import checkpoint_of
from core.views import MeasuresView
from core.views.builders.desk import ViewBuilder
from core.views.export import TABLES, row_of
from tests.scenarios.house import Drawer, House, a_house_in_a_position


def tells(house: House, equity: str) -> Account:
    """The broker's next account figure."""
    house.until_moment(house.line.at + timedelta(seconds=5))
    account = replace(house.exchange.account(house.line.at), equity=Money(Decimal(equity)))
    house.line.take(house.line.at, AccountFetched(account))
    return account


def measures(house: House) -> MeasuresView:
    return ViewBuilder(house.engine).draw(house.line.at).measures


def test_an_account_figure_within_the_day_is_the_watermark() -> None:
    """AN-01: no close has it, and no fact"""
    house = a_house_in_a_position()
    tells(house, "250.10")
    high = tells(house, "261.37")
    tells(house, "260.00")

    found = measures(house)

    assert (found.watermark, found.watermark_at, found.below) == (high.equity, high.at, Decimal("1.37"))
    assert (found.returns, found.sharpe, found.below_sessions) == (0, None, 0)
    view = ViewBuilder(house.engine).draw(house.line.at)
    (row,) = TABLES["measures"].rows(view)
    assert row_of(row)["watermark"] == "261.37"
    assert row_of(row)["below_fraction"] == "0.005242"


def test_the_watermark_outlives_a_restart() -> None:
    """AN-01, SP-02: in a document beside the slices; a desk without it has what is recorded"""
    house = a_house_in_a_position()
    high = tells(house, "261.37")
    tells(house, "200.00")
    house.drawer = Drawer()
    house.drawer.save(checkpoint_of(house.desk))

    house.restarted()

    assert (measures(house).watermark, measures(house).watermark_at) == (high.equity, high.at)
    house.drawer = None
    house.restarted()
    assert measures(house).watermark != high.equity


def test_a_figure_that_did_not_come_is_no_watermark() -> None:
    """AN-01"""
    house = a_house_in_a_position()

    before = measures(house)
    house.desk.sightings.account = replace(tells(house, "150.00"))

    assert measures(house).watermark == before.watermark
    assert measures(house).below == before.watermark - Decimal(150) if before.watermark is not None else False
