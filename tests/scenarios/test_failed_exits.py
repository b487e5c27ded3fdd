"""A trade whose exit failed and went again says so, and is no trading result of its strategy (EX-18)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import TradeClosed
from core.messages.effects import SubmitOrder
from core.model.position import Trade
from core.model.signal import ExitReason
from core.risk.evaluation.figures import figures_of
from core.risk.protections.trades import Direction, closed
from core.views.builders.desk import ViewBuilder
from core.views.event_text import in_words
from tests.scenarios.house import FALL, RECOVERY, STEADY, House, a_house_in_a_position, assert_can_be_rebuilt

UP = ("10:07", "10:30", RECOVERY)
DAY = timedelta(days=1)


def refuses(house: House) -> None:
    house.line.refuses_the_next_order("insufficient qty available")


def loses(house: House) -> None:
    """Its request never reaches the broker."""
    house.line.breaks_at(SubmitOrder, arrives=False)


def turns(house: House) -> None:
    """What waits is opened, read and confirmed."""
    house.opens_ticket()
    house.until_moment(house.line.at + timedelta(seconds=1))
    house.confirms()
    house.until_moment(house.line.at + timedelta(seconds=5))


def leaves(house: House) -> Trade:
    """The next exit that is proposed is confirmed, and fills."""
    while not house.desk.stage.proposals():
        house.until_moment(house.line.at + timedelta(seconds=10))
    turns(house)
    return house.last(TradeClosed).trade


@pytest.mark.parametrize(
    ("fails", "reason"), [(refuses, ExitReason.BROKER_REJECT), (loses, ExitReason.EXECUTION_ERROR)]
)
def test_repeated_exit_names_the_failure_and_its_purpose(
    fails: Callable[[House], None], reason: ExitReason, snapshot: SnapshotAssertion
) -> None:
    """EX-18"""
    house = a_house_in_a_position(("10:06", "10:06", STEADY), UP).until("10:08:02")
    fails(house)
    turns(house)
    assert not house.facts(TradeClosed)

    trade = leaves(house)

    assert (trade.exit_reason, trade.meant) == (reason, ExitReason.MEAN_REVERSION)
    assert in_words(TradeClosed(trade)) == snapshot
    assert_can_be_rebuilt(house)


def test_filled_exit_names_its_purpose() -> None:
    """EX-18"""
    trade = leaves(a_house_in_a_position(("10:06", "10:06", STEADY), UP))

    assert (trade.exit_reason, trade.meant) == (ExitReason.MEAN_REVERSION, None)


def test_failed_exit_is_counted_apart() -> None:
    """EX-18, ST-10: the night judges the strategy without it, and its money counts all the same."""
    house = a_house_in_a_position(("10:06", "10:06", STEADY), UP).until("10:08:02")
    refuses(house)
    turns(house)
    trade = leaves(house)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).results
    record = house.desk.evaluation.state.records["vwap"]
    figures = figures_of(record.results, trade.exit_time.date(), (), record.losses_in_a_row, 1)

    assert (row.trades, row.failed, row.wins, row.realised) == (1, 1, 0, trade.profit)
    assert (figures.trades, figures.failed, figures.wins) == (0, 1, 0)
    assert house.desk.evaluation.lost_since("vwap", trade.exit_time.date()) == -trade.profit


def test_stop_out_after_a_failed_exit_counts() -> None:
    """RK-05: a stop-out whose first exit was refused is a stop-out."""
    house = a_house_in_a_position(
        ("10:06", "10:06", STEADY), ("10:07", "10:11", RECOVERY), ("10:12", "10:20", FALL)
    ).until("10:08:02")
    refuses(house)
    turns(house)

    house.until("10:16")
    trade = house.last(TradeClosed).trade

    assert (trade.exit_reason, trade.meant) == (ExitReason.BROKER_REJECT, ExitReason.STOP_LOSS)
    assert closed(trade, Direction.LONG).is_stop_out
