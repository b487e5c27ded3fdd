"""The sums of `keyturn report` over a held month and a busy hour, and what stands at a day's end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import TradeClosed
from core.messages.commands import Halt
from core.messages.inputs import Start
from core.model.report_sheet import lines_of as lines_below
from core.reports.notice_sheet import sheet_of
from core.reports.report import Report
from core.reports.report_text import lines_of
from core.settings.settings import Settings
from state.journal import days_of, read
from state.past_days import explained, reported
from tests.scenarios.backtests import Keyturn
from tests.scenarios.changes import confirms_now
from tests.scenarios.house import House, a_day, a_house_in_a_position, a_typed_buy
from tests.scenarios.reports import assert_sums_are_those_of_explain, told
from tests.scenarios.test_account_activities import SESSIONS, SPLIT_ON, a_house, plays_the_month
from tests.scenarios.test_explain import written

A_PAGE = 72
"""Lines that are printed on one."""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten shares held for weeks, with a dividend, a fee and a split between."""
    return written(plays_the_month(a_house()), tmp_path_factory.mktemp("month") / "journal")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first hour of the busy demo: a dozen trades, controls that trip, answers that are late."""
    home = tmp_path_factory.mktemp("busy")
    with ExitStack() as stack:
        host = Host.of({"KEYTURN_HOME": str(home)})
        runtime = demo_runtime(host, DemoOptions(operator="confirm-all"), stack)
        runtime.pace.speed = None
        runtime.take(runtime.at, Start())
        runtime.play(runtime.at + timedelta(minutes=70))
    return next(home.rglob("*-*-*.jsonl")).parent


TOLD = (SESSIONS[0], SESSIONS[3], SPLIT_ON, SESSIONS[-3], SESSIONS[-1])
"""Days of the month: nothing held yet, a dividend, the split, the sale, the last."""


def all_days(month: Path, *folders: Path) -> Iterator[tuple[Path, date]]:
    """Of the month those that are told of."""
    yield from ((month, day) for day in TOLD)
    yield from ((folder, day) for folder in folders for day in days_of(folder))


def test_sums_of_held_and_busy_days_equal_those_of_explain(keyturn: Keyturn, month: Path, busy: Path) -> None:
    """AN-06: to the cent, by strategy and by cause, with what nothing explains."""
    for folder, day in all_days(month, busy):
        assert_sums_are_those_of_explain(keyturn, folder, day, Decimal("0.005") if folder == busy else Decimal(0))


def test_a_week_is_the_sum_of_its_days(keyturn: Keyturn, month: Path) -> None:
    """AN-06"""
    alone = [told(keyturn, month, "--day", day) for day in SESSIONS if date(2026, 11, 16) <= day <= date(2026, 11, 20)]
    before = keyturn("explain", "2026-11-09..2026-11-13", "--journal-dir", month, "--json").json

    found = told(keyturn, month, "--week", "2026-11-18")

    assert (found["whole"]["first"], found["whole"]["last"]) == ("2026-11-16", "2026-11-20")
    assert found["days"] == [each["whole"] for each in alone]
    for name in ("result", "fees", "equity_change"):
        assert Decimal(found["whole"][name]) == sum(Decimal(each["whole"][name]) for each in alone)
    assert found["week_before"]["equity_change"] == before["equity_change"]
    assert Decimal(found["week_before"]["equity_change"]) > 0


def test_the_curve_ends_at_fills_and_holdings(month: Path, busy: Path) -> None:
    """AN-06: to the cent, on days with a split, a dividend and dozens of trades."""
    for folder, day in all_days(month, busy):
        found = reported(folder, str(day), None)
        held = explained(folder, str(day))[0].days[0]

        moves = sum((part.amount for part in held.parts if "dividend" in part.name or part.name in MOVES), Decimal(0))
        if found.curve and day != SPLIT_ON:
            assert abs(found.curve[-1].made - (held.explained - moves)) < Decimal("0.01"), day


MOVES = ("interest", "transfer", "fee")


def test_a_busy_day_fits_on_one_page(keyturn: Keyturn, busy: Path) -> None:
    """AN-06: long lists are cut, and say where the rest is."""
    day = days_of(busy)[0]
    trades = [record for record in read(busy) if isinstance(record.fact, TradeClosed)]

    found = keyturn("report", "--day", day, "--journal-dir", busy)

    assert len(trades) > 10
    assert len(found.lines) <= A_PAGE
    assert max(map(len, found.lines)) < 200
    assert f"… and {len(trades) - 6} more: keyturn explain {day}" in found.out


def test_tripped_controls_are_counted(keyturn: Keyturn, busy: Path) -> None:
    """AN-06, RK-06"""
    found = told(keyturn, busy, "--day", days_of(busy)[0])

    did = {(row["control"], row["did"]): row["times"] for row in found["controls"]}
    refused = [name for name, kind in did if kind == "refused"]
    assert [name for name, kind in did if kind == "tripped"]
    assert refused
    blocked = sum(row["ends"].get("blocked", 0) for row in found["not_taken"])
    assert sum(did[name, "refused"] for name in refused) >= blocked > 0
    assert found["near_misses"][0]["control"] == "spread"


def test_connection_troubles_are_counted(keyturn: Keyturn, busy: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-15"""
    troubles = {row["what"]: row for row in told(keyturn, busy, "--day", days_of(busy)[0])["quality"]["troubles"]}

    assert troubles["orders in doubt"]["times"] > 0
    assert troubles == snapshot


def test_an_unclosed_day_ends_at_the_brokers_list(keyturn: Keyturn, month: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06: the next day's first record is what tells a close; until then the account's own figures do."""
    found = keyturn("report", "--day", SESSIONS[-1], "--journal-dir", month).out

    assert found == snapshot


def of_house(house: House, folder: Path) -> Report:
    return reported(written(house, folder), None, None)


def test_a_position_names_who_holds_its_stop(tmp_path: Path) -> None:
    """AN-06, OP-06"""
    house = a_house_in_a_position(("10:06", "10:30", "99.60"))
    house.until("10:20")
    (stop,) = house.stops

    found = of_house(house, tmp_path / "journal")

    (held,) = found.standing.held
    assert (held.stop, held.covered) == (stop.request.stop_price, abs(held.standing.quantity))
    assert found.standing.orders == ()
    assert f": stop {stop.request.stop_price} at the broker" in "\n".join(lines_of(found))


def test_a_long_held_position_is_on_every_page(month: Path) -> None:
    """AN-06: bought long before the day, its shares twice as many since a split; and its stop ended with its day."""
    before, after = (reported(month, str(day), None).standing for day in (SESSIONS[3], SESSIONS[14]))

    assert [(held.symbol, held.standing.quantity) for held in before.held] == [("SPY", 10)]
    assert [(held.symbol, held.standing.quantity) for held in after.held] == [("SPY", 20)]
    assert [proposal.is_guard for proposal in before.exits] == [True]
    assert reported(month, str(SESSIONS[-1]), None).standing.is_empty


def test_a_halt_and_working_orders_are_listed(tmp_path: Path) -> None:
    """AN-06, OP-07"""
    house = House(a_day(("10:06", "10:30", "100")), ROOMY, cash=Decimal(10000)).opens()
    house.until("10:02")
    house.presses(a_typed_buy("10", limit="90.00", stop="89.00"))
    confirms_now(house)
    house.until("10:10")
    house.presses(Halt("key"))
    house.until("10:20")

    found = of_house(house, tmp_path / "journal")

    assert [str(order.quantity) for order in found.standing.orders] == ["10"]
    assert any(words.startswith("halted: ") for words in found.standing.shut)
    assert any(each.name == "kill switch" for each in found.controls.acted)


def test_an_order_near_its_limit_is_a_near_miss(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-11: 1,800 of 2,000 USD; a half as large one is none."""
    found = []
    for quantity in ("18", "9"):
        house = House(a_day(("10:06", "10:30", "100")), ROOMY, cash=Decimal(10000)).opens()
        house.until("10:02")
        house.presses(a_typed_buy(quantity, limit="100.00", stop="99.50"))
        confirms_now(house)
        house.until("10:10")
        found.append(of_house(house, tmp_path / quantity).controls.near)

    near, none = ({miss.name: miss for miss in each} for each in found)
    assert near["notional"].most == Decimal("0.9")
    assert near["notional"].words == snapshot
    assert "notional" not in none


ROOMY = Settings.model_validate(
    {
        "risk": {
            "max_notional": {"usd": "2000"},
            "per_trade": {"usd": "20"},
            "entries_a_day": 5,
            "sizing": {"budget": "1"},
        },
        "strategies": {"vwap": {"enabled": False}},
        "exchange": {"cash": "10000"},
    }
)


def test_a_message_names_no_order(busy: Path) -> None:
    """AN-06, SY-03: sums, controls and what stands, in a few lines."""
    found = reported(busy, str(days_of(busy)[0]), None)

    text = "\n".join(lines_below(sheet_of(found)))

    assert len(text) <= 2_500
    assert "by strategy:\n- vwap: " in text
    orders = [str(each.told.story.trade.exit_order) for each in found.trades]
    assert orders
    assert not any(order[:6] in text for order in orders)
