"""What a replay tells at its end."""

from __future__ import annotations

import json
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.messages.inputs import MarketDataBroken
from core.runtime.replay_report import Report, average, iso, number
from tests.kit.rows import table
from tests.scenarios.house import FALL, STEADY, House, a_day, a_typed_buy
from tests.unit.core.brokers.trading_floor import a_bar


def a_reported_day() -> tuple[House, Report]:
    """The dip is bought at 10:06 and stopped out at 10:09."""
    bars = [a_bar("09:29", "100"), *a_day(("10:06", "10:08", STEADY), ("10:09", "10:12", FALL))]
    house = House(bars, half_spread_ticks=Decimal(1))
    report = Report(house.desk)
    house.opens()
    house.confirms_at("10:06:02")
    house.until("10:30")
    return house, report


def test_a_report_is_plain_json(snapshot: SnapshotAssertion) -> None:
    """MD-05, AN-03"""
    house, report = a_reported_day()

    told = json.loads(json.dumps(report.as_json(house.journal.fingerprint())))

    assert told["proposals"] == snapshot
    assert told["trades"] == [
        {
            "symbol": "SPY",
            "entry_time": "2026-11-19T15:06:20Z",
            "entry_price": "99.6",
            "quantity": "0.502",
            "exit_time": "2026-11-19T15:09:20Z",
            "exit_price": "99.29",
            "exit_reason": "STOP_LOSS",
            "profit": "-0.15562",
            "slippage": "0.00502",
            "fees": "0",
            "stop_price": "99.3",
        }
    ]


def test_a_report_follows_each_order_to_its_end() -> None:
    """EX-01, EX-16"""
    _, report = a_reported_day()

    entry, stop = report.as_json("")["orders"]  # type: ignore[misc]

    assert (entry["type"], entry["status"], entry["average_price"]) == ("limit", "FILLED", "99.6")
    assert entry["submitted_at"] == "2026-11-19T15:06:02.200000Z"
    assert (stop["type"], stop["side"], stop["status"], stop["filled_quantity"]) == ("stop", "sell", "FILLED", "0.502")


def test_a_report_counts_bars_and_quarantine() -> None:
    """MD-03, ST-03"""
    house, report = a_reported_day()
    house.line.take(house.line.at, MarketDataBroken("bars.csv:7", "no number"))

    told = report.as_json("f" * 64)

    assert (told["bars"], told["quarantined"], told["outside_session"]) == (28, 1, 1)
    assert told["fingerprint"] == "f" * 64
    assert sum(told["no_trade"].values()) == 27  # type: ignore[attr-defined]


def test_an_exit_is_told_with_its_reason() -> None:
    """EX-18"""
    house = House(a_day(("10:06", "15:59", STEADY)))
    report = Report(house.desk)
    house.opens()
    house.confirms_at("10:06:02")
    house.until("15:56")

    (_, leaving) = report.proposals

    assert (leaving["reason"], leaving["limit_price"], leaving["stop_price"]) == ("FORCE_FLAT", None, None)


def test_the_same_input_makes_the_same_journal() -> None:
    """MD-05"""
    first, _ = a_reported_day()
    second, _ = a_reported_day()

    assert first.journal.fingerprint() == second.journal.fingerprint()


def test_another_key_gives_another_journal() -> None:
    """MD-05"""
    first, _ = a_reported_day()
    second, _ = a_reported_day()

    second.presses(a_typed_buy())

    assert first.journal.fingerprint() != second.journal.fingerprint()


def test_what_is_absent_stays_absent() -> None:
    """AN-03"""
    assert (iso(None), number(None), average(None)) == (None, None, None)


@table(
    "price told",
    (Decimal(500) / 3, "166.666667"),
    (Decimal("0.0000005"), "0"),
    (Decimal("0.0000015"), "0.000002"),
    (Decimal("99.600"), "99.6"),
    (Decimal("1E+2"), "100"),
    (Decimal("166.123456"), "166.123456"),
)
def test_average_prices_have_six_decimals(price: Decimal, told: str) -> None:
    """AN-03"""
    assert average(price) == told
