"""A symbol has one last price: in Watch, Positions, its chart and the order form, and by the key of the last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from console.order_form.prices import Taken, price_of
from console.screens.new_order import about_lines
from core.messages.desk_commands import KeepWatchlist, LookAt
from core.messages.inputs import QuoteArrived
from core.model.bar import Feed, Quote
from core.model.values import Money, Price, Quantity, Symbol
from core.settings.settings import Settings
from core.views import DeskView
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY
from widgets import format as f
from widgets.chart import Look, chart_lines, figures, levels_of
from widgets.chart_scales import candles_of

TYPED = replace(a_typed_buy("0.2", "101", "95"), symbol=SPY)


def a_house() -> House:
    """SPY is traded and held, IBM is watched and nothing else."""
    bars = [*minutes("09:55", "10:30"), *minutes("09:55", "10:30", "50", symbol=IBM)]
    house = House(bars, Settings.model_validate({"symbols": ["SPY"]})).opens()
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.until("10:00").presses(TYPED)
    house.opens_ticket()
    house.until("10:00:02").confirms()
    house.until("10:05")
    assert house.held() == "0.2"
    return house


def quoted(house: House, symbol: Symbol, bid: str, ask: str, at: datetime) -> None:
    shares = Quantity(Decimal(1))
    quote = Quote(symbol, at, Price(Decimal(bid)), shares, Price(Decimal(ask)), shares, Feed.IEX)
    house.line.take(at, QuoteArrived(quote))


def shown(view: DeskView, symbol: Symbol, now: datetime) -> dict[str, str]:
    """The last price as each place writes it."""
    chart, levels = view.chart, levels_of(view, symbol)
    assert chart is not None
    assert chart.symbol == symbol
    head = figures(chart, candles_of(chart.bars, 1)[-1], levels)[0]
    lines = ["".join(cell.text for cell in line).rstrip() for line in chart_lines(chart, 100, 24, Look(), levels)]
    edges = [line.split()[-1] for line in lines[1:] if " last " in line]
    (watched,) = [row.last for row in view.watch.rows if row.symbol == symbol]
    (known,) = [row for row in view.symbols if row.symbol == symbol]
    (form,) = ["".join(cell.text for cell in line) for line in about_lines(known, view, now, 78)][:1]
    return {
        "watch": f.at_tick(watched),
        "head": head.removeprefix("last "),
        "edge": edges[0] if edges else "none",
        "form": form.partition("last ")[2].partition(",")[0],
        "key of a buyer": str(price_of(Taken.LAST, known, now, buys=True)),
        "key of a seller": str(price_of(Taken.LAST, known, now, buys=False)),
        **{f"position {n}": f.at_tick(row.last) for n, row in enumerate(view.positions) if row.symbol == symbol},
    }


@pytest.mark.parametrize(("symbol", "dollars"), [(SPY, "100"), (IBM, "50")])
def test_a_newer_quote_is_the_last_price(symbol: Symbol, dollars: str) -> None:
    """MD-06: held, or only watched; the middle of a cent is rounded once."""
    house = a_house()
    pictures = ViewBuilder(house.engine)
    pictures.watched = symbol
    pictures.draw(house.line.at)  # the first look
    house.presses(LookAt(symbol))
    house.until("10:08")
    told = house.line.at + timedelta(seconds=1)
    quoted(house, symbol, f"{dollars}.06", f"{dollars}.07", told)

    where = shown(pictures.draw(told), symbol, told)

    assert set(where.values()) == {f"{dollars}.07"}
    assert ("position 0" in where) is (symbol == SPY)


def test_a_newer_bar_is_the_last_price() -> None:
    """MD-06"""
    house = a_house()
    quoted(house, SPY, "99.10", "99.20", house.line.at)
    house.until("10:08")
    pictures = ViewBuilder(house.engine)
    pictures.watched = SPY

    where = shown(pictures.draw(house.line.at), SPY, house.line.at)

    assert set(where.values()) == {"100.00"}


def test_a_fill_price_is_not_the_last_price() -> None:
    """MD-06: a position has that of the other panes, from its first picture on."""
    house = a_house()
    ((key, position),) = house.desk.ledger.state.positions.items()
    later = replace(position, opened_at=house.line.at + timedelta(seconds=5), cost=Money(Decimal(18)))
    house.desk.ledger.state.positions[key] = later

    view = ViewBuilder(house.engine).draw(house.line.at)
    house.desk.ledger.state.positions[key] = position  # as the journal has it

    assert [row.last for row in view.positions] == [row.last for row in view.watch.rows if row.symbol == SPY]
