"""Strategies that win where a stop entry is paid at its trigger though the market gapped, and where a name that is gone
can still be sold, or goes on as a winner. An honest exchange pays neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from core.brokers.simulated.config import EDITION
from core.market.calendar import load_calendar
from core.model.bar import ONE_MINUTE, Bar
from core.model.order import Side
from core.model.values import Price
from tests.scenarios.backtests import HEADER, Keyturn
from tests.scenarios.test_fill_model_flaws import ARRIVES, a_fair_walk, a_session_of, beyond, is_out, reported
from tests.unit.core.brokers.trading_floor import IBM, SPY, Floor, a_bar, an_order, at, submits

BEGINS = Decimal(1_000_000)


def a_market_of_gaps(seed: str) -> list[Bar]:
    """Half a dollar up or down by chance between two minutes, and a fair walk within each."""
    chance, begins = Random(seed), 10_000

    def walk() -> Iterator[tuple[Price, Price, Price, Price]]:
        nonlocal begins
        for number in range(200):
            begins += chance.choice((-50, 50))
            (prices,) = a_fair_walk(f"{seed} {number}", 1, begins)
            begins = int(prices[-1] * 100)
            yield prices

    return a_session_of(walk())


def waits_for_a_gap(side: Side) -> tuple[Decimal, int]:
    """A stop entry three cents beyond each close, that rests before the next minute opens, and is out at its end."""
    floor = Floor(multiplier=Decimal(4), cash=BEGINS)
    sent, bars = [], a_market_of_gaps("gaps")
    for bar in bars:
        last = bar.end - ARRIVES
        floor.exchange.begin_bar(bar)
        floor.exchange.advance(last)
        is_out(floor, sent[-1:], last)
        sent.append(an_order(f"in-{bar.start:%H%M}", side, "10", stop=str(beyond(bar.close, "0.03", side))))
        submits(floor.exchange, last, sent[-1])
    is_out(floor, sent[-1:], bars[-1].end - ARRIVES / 2)
    entries = sum(1 for order in sent if reported(floor, order).filled_quantity)
    return floor.exchange.account(bars[-1].end).equity - BEGINS, entries


@pytest.mark.parametrize("side", Side)
def test_a_stop_entry_pays_the_gap(side: Side) -> None:
    """AN-04: long and short; gaps are as often up as down, and what gapped has no reason to go on."""
    profit, entries = waits_for_a_gap(side)

    assert entries > 50
    assert profit <= 0


def held_since_ten(edition: int = EDITION, side: Side = Side.BUY) -> Floor:
    """100 shares that have gained a dollar by 10:10. IBM goes on; of SPY there is no bar any more."""
    floor = Floor(multiplier=Decimal(4), cash=BEGINS, edition=edition)
    for minute in range(60):
        if minute < 10:
            price = str(beyond(Decimal(100), str(Decimal(minute) / 10), side))
            floor.bars(a_bar(f"10:{minute:02d}", price))
        floor.bars(a_bar(f"10:{minute:02d}", "50", symbol=IBM))
        if not minute:
            submits(floor.exchange, at("10:00:01"), an_order("in", side, "100"))
        if minute == 30:
            submits(floor.exchange, at("10:30:30"), an_order("out", side.opposite, "100"))
        floor.exchange.advance(at(f"10:{minute:02d}:59"))
    return floor


@pytest.mark.parametrize("side", Side)
def test_a_delisted_symbol_cannot_be_sold(side: Side) -> None:
    """AN-04: nobody is there to take it. When it trades again, its gain is gone, and so is what it cost."""
    floor = held_since_ten(side=side)
    assert floor.fills("10:59:59", "out") == []

    floor.bars(a_bar("11:00", str(beyond(Decimal(100), "-40", side))))
    floor.exchange.advance(at("11:01"))

    assert sum(Decimal(shares) for shares, _ in floor.fills("11:01", "out")) == 100
    assert floor.exchange.account(at("11:01")).equity - BEGINS == pytest.approx(Decimal(-4002))


def test_a_delisted_position_keeps_its_old_price() -> None:
    """AN-04: the position does not vanish, nor does its worth."""
    floor = held_since_ten()

    account = floor.exchange.account(at("10:59:59"))

    assert account.equity - BEGINS == Decimal("0.89") * 100
    assert floor.exchange.closing(at("10:59:59")) == (account.equity, Decimal("100.90") * 100)
    assert floor.exchange.priced_at(at("10:59:59"), SPY) == at("10:09:59")
    assert not floor.exchange.is_left_behind(at("10:59:59"), SPY)
    floor.bars(a_bar("15:59", "50", symbol=IBM))
    assert floor.exchange.is_left_behind(at("16:00"), SPY)
    assert not floor.exchange.is_left_behind(at("16:00"), IBM)


KEEPS_WINNERS = '''
"""Buys one name and never sells: where its bars end, its gain would stand for ever."""

from dataclasses import dataclass

from core.strategies.kit import NO_SETUP, Answer, Bar, Context, NoSettings, OwnStrategy


@dataclass(slots=True)
class Nothing:
    """It remembers nothing."""

    seen: int = 0


class Keeps(OwnStrategy):
    name = "keeps"
    Settings = NoSettings
    State = Nothing

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        self.state.seen += 1
        if context.entry_price is not None or bar.symbol != "SPY":
            return NO_SETUP
        if refusal := self.refusal(bar, context):
            return refusal
        return self.buy(bar, context, stop=bar.close / 2, reason="it rises")
'''


def a_file_of(path: Path, days: int, minutes: int, rise: int) -> Path:
    """The first minutes of so many sessions, each three cents up and two down by turns, times `rise`."""
    sessions = list(load_calendar(date(2026, 1, 5), date(2026, 1, 9)).sessions())[:days]
    rows, price = [], Decimal(100)
    for session in sessions:
        for number in range(minutes):
            price += Decimal(rise * (-2 if number % 2 else 3)) / 100
            rows.append(
                f"{session.open + number * ONE_MINUTE:%Y-%m-%dT%H:%M:%SZ},{price},{price},{price},{price},90000"
            )
    path.write_text("\n".join([f"timestamp,{HEADER}", *rows]) + "\n")
    return path


@pytest.fixture
def keeps(tmp_path: Path, keyturn: Keyturn) -> Callable[..., Any]:
    """Plays SPY, whose file ends at 11:00 of its first day, beside IBM, which goes on to the next."""
    folder = tmp_path / "home" / "strategies"
    folder.mkdir(parents=True)
    (folder / "keeps.py").write_text(KEEPS_WINNERS.lstrip())
    (tmp_path / "home" / "settings.toml").write_text(
        "[strategies.vwap]\nenabled = false\n\n"
        "[strategies.keeps]\nenabled = true\nflat_minutes = 0\nholds_overnight = true\n"
    )
    gone, goes_on = (
        a_file_of(tmp_path / "SPY_minutes.csv", 1, 90, 1),
        a_file_of(tmp_path / "IBM_minutes.csv", 2, 120, 0),
    )
    terms = ("--profile", "swing", "--set", "risk.window_start='09:30'", "--set", "risk.window_end='15:50'")
    words = (gone, goes_on, "--symbol", "SPY", "--symbol", "IBM", "--strategy", "keeps", "--operator", "confirm-all")
    return lambda *more: keyturn("replay", *words, *terms, "--headless", *more)


def test_a_winner_without_bars_is_shown_as_stale(keeps: Callable[..., Any]) -> None:
    """AN-04, AN-01: its gain would have counted as won, at a price that nobody offers."""
    answer = keeps("--json")
    assert answer.code == 0, answer.err
    (kept,) = answer.json["open"]

    assert (kept["symbol"], kept["stale_since"]) == ("SPY", "2026-01-05T15:59:59Z")
    assert Decimal(kept["price"]) > Decimal(kept["entry_price"])
    assert Decimal(kept["profit"]) == 0
    counted = f"{kept['quantity']} shares are counted at {kept['price']} of then, and no gain on them"
    assert f"2026-01-05T15:59:59Z: {counted}" in keeps().out
