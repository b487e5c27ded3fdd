"""Days and trades are explained right where shares moved without a fill: by a split, or a correction of the books."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import PositionCorrected, TradeClosed
from core.messages.commands import OpenTicket, ProposeClose
from core.post_mortem.post_mortem import PostMortem
from core.post_mortem.split import Cause
from state.journal import Chain
from state.past_days import explained
from tests.scenarios.changes import passes
from tests.scenarios.house import House
from tests.scenarios.test_a_month_of_the_account import (
    SESSIONS,
    SPLIT_ON,
    a_house,
    buys,
    plays_the_month,
    sells_all,
)
from tests.unit.core.brokers.trading_floor import SPY


def written(house: House, folder: Path) -> Path:
    """Its journal as files."""
    chain, lines = Chain(), defaultdict[date, list[bytes]](list)
    for record in house.journal.records():
        lines[house.calendar.trading_day(record.at)].append(chain.line(record.at, record.fact))
    folder.mkdir()
    for day, of_day in lines.items():
        (folder / f"{day}.jsonl").write_bytes(b"".join(of_day))
    return folder


def of_day(folder: Path, day: date) -> PostMortem:
    return explained(folder, day.isoformat())[0]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten shares that a split made twenty, sold in the last week; read alone."""
    return written(plays_the_month(a_house()), tmp_path_factory.mktemp("month") / "journal")


def test_each_day_around_a_split_is_explained_alone(month: Path) -> None:
    """AN-06: what was held is known from long before the day, after the split too."""
    for day in SESSIONS[SESSIONS.index(SPLIT_ON) - 1 : -4]:
        found = of_day(month, day).days[0]

        assert found.rest == 0, (day, found)
        assert [part for part in found.parts if part.name == "SPY manual"], day


def test_a_trade_over_a_split_is_not_split_up_and_says_so(month: Path) -> None:
    """AN-03: shares of before are other shares; its result stands whole."""
    (trade,) = of_day(month, SESSIONS[-3]).trades

    assert trade.split.of(Cause.UNTOLD) == trade.story.trade.profit.quantize(Decimal("0.01")) != 0
    assert any("a split came between" in words for words in trade.split.unknown)


def test_a_trade_after_a_correction_has_its_own_fills_alone(tmp_path: Path) -> None:
    """AN-03, EX-09: shares of nobody's order were taken over and sold; the next trade begins anew."""
    house = a_house("2026-11-05 shares SPY 3 at 101")
    house.until("09:36", SESSIONS[4])
    house.presses(ProposeClose(symbol=SPY))
    passes(house, 1)
    house.presses(OpenTicket(house.desk.stage.proposals()[0].id))
    passes(house, 1)
    house.confirms()
    buys(house, "10", "09:40", SESSIONS[5])
    sells_all(house, "09:45", SESSIONS[5])
    house.until("09:40", SESSIONS[6])
    folder = written(house, tmp_path / "journal")

    taken, own = (trade for day in SESSIONS[3:6] for trade in of_day(folder, day).trades)

    assert len(house.facts(PositionCorrected)) == 1
    assert [f.trade for f in house.facts(TradeClosed)] == [taken.story.trade, own.story.trade]
    assert taken.split.of(Cause.UNTOLD) == taken.story.trade.profit.quantize(Decimal("0.01"))
    assert [(fill.sign, fill.quantity) for fill in own.story.fills] == [(1, 10), (-1, 10)]
    assert Cause.UNTOLD.value not in {part.name for part in own.split.parts}


def test_a_day_on_which_shares_were_taken_over_says_so(tmp_path: Path) -> None:
    """AN-06, EX-09: what the broker held all along made nothing by being found."""
    house = a_house("2026-11-05 shares SPY 3 at 101")
    house.until("09:40", SESSIONS[5])
    folder = written(house, tmp_path / "journal")

    came, after = of_day(folder, SESSIONS[3]).days[0], of_day(folder, SESSIONS[4]).days[0]

    assert any("3 SPY were taken over from the broker's books" in note for note in came.notes)
    assert [part.amount for part in after.parts] == [after.change] != [Decimal(0)]
    assert after.rest == 0
