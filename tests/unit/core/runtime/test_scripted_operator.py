"""Keys without a keyboard: what a script may say, and what its keys do."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ConfirmationRefused, Halted, Killed, OrderFilled, ProposalEnded, Rearmed
from core.model.codes import ProposalEnd
from core.model.order import OrderStatus
from core.runtime.scripted_operator import ConfirmAll, Script, ScriptError, TimedKey, read_script
from tests.kit.rows import table
from tests.scenarios.changes import moves
from tests.scenarios.house import RECOVERY, STEADY, House, a_day, a_house_in_a_position, a_house_with_a_proposal
from tests.unit.core.brokers.trading_floor import at

START = at("10:00")


def keys(house: House, *lines: str) -> House:
    """Gives the house a script, one key a line: `10:06:01 enter`."""
    timed = [TimedKey(at(line.split()[0]), line.split()[1]) for line in lines]
    house.line.operator = Script(house.desk, timed)
    return house


def test_a_script_is_a_line_a_key() -> None:
    """MD-05"""
    text = """
    # the entry
    at 2026-11-19T10:06:01-05:00 key enter

    after 1.5 key B
    after 0 key ctrl+k
    """

    script = read_script(text, START, "keys.txt")

    first = at("10:06:01")
    assert script == (
        TimedKey(first, "enter"),
        TimedKey(first + timedelta(seconds=1.5), "B"),
        TimedKey(first + timedelta(seconds=1.5), "ctrl+k"),
    )


def test_after_counts_from_the_start() -> None:
    """MD-05"""
    script = "after 2 key F"

    assert read_script(script, START, "keys.txt") == (TimedKey(START + timedelta(seconds=2), "F"),)


@table(
    "line says",
    ("press enter", "a line reads `at TIME key KEY` or `after SECONDS key KEY`"),
    ("at noon key enter", "'noon' is no time"),
    ("after soon key enter", "'soon' is no number of seconds"),
    ("after nan key enter", "'nan' is no number of seconds"),
    ("after 1e99 key enter", "'1e99' is no number of seconds"),
    ("at 2026-11-19T10:06:01 key enter", "has no zone"),
    ("at 0001-01-01T00:00:00+23:00 key enter", "is before the first year or after the last"),
    ("at 9999-12-31T23:59:59-23:00 key enter", "is before the first year or after the last"),
    ("after 1 key Enter", "no such key 'Enter'; one of enter B"),
    ("after 1 key enter twice", "a line reads"),
)
def test_a_line_that_cannot_be_read_is_named(line: str, says: str) -> None:
    """MD-05"""
    with pytest.raises(ScriptError) as refused:
        read_script(f"# first\n{line}\n", START, "keys.txt")

    assert str(refused.value).startswith("keys.txt:2: ")
    assert says in str(refused.value)


def test_a_script_fills_an_order() -> None:
    """MD-05, OP-01"""
    house = keys(a_house_with_a_proposal(), "10:06:01 enter", "10:06:02 B")

    house.until("10:06:30")

    assert house.held() == "0.502"


@table(
    "script why",
    (("10:06:01 enter", "10:06:01.400 B"), "the ticket was on the screen for 0.3 s only"),
    (("10:06:01 enter", "10:06:02 S"), "that key sells"),
    (("10:06:01 enter", "10:06:02 H"), "that key shorts"),
    (("10:06:01 B",), "no ticket is open"),
    (("10:06:01 enter", "10:06:02 escape", "10:06:03 B"), "the ticket was put away"),
    (("10:06:01 enter", "10:06:02 x", "10:06:03 B"), "the proposal was declined"),
)
def test_an_implausibly_fast_key_confirms_nothing(script: tuple[str, ...], why: str) -> None:
    """OP-04"""
    house = keys(a_house_with_a_proposal(), *script)

    house.until("10:06:30")

    assert house.requests() == [], why


def test_a_script_kills_and_rearms() -> None:
    """OP-07"""
    house = keys(a_house_with_a_proposal(), "10:06:01 K", "10:06:02 ctrl+k", "10:06:03 K", "10:06:04 REARM")

    house.until("10:06:30")

    assert [len(house.facts(kind)) for kind in (Halted, Killed, Rearmed)] == [1, 1, 1]
    assert house.last(ProposalEnded).end is ProposalEnd.BLOCKED


def test_u_stands_down() -> None:
    """OP-07"""
    house = keys(a_house_with_a_proposal(), "10:06:01 ctrl+k", "10:06:02 U")

    house.until("10:06:10")

    assert house.desk.control.refusal() is None


def test_a_script_cancels_closes_and_flattens() -> None:
    """OP-07, EX-21"""
    house = keys(
        a_house_with_a_proposal(), "10:06:01 enter", "10:06:02 B", "10:06:10 c", "10:06:11 F", "10:06:12 enter",
        "10:06:12.300 S", "10:06:13 d",
    )  # fmt: skip

    house.until("10:06:40")

    assert house.held() == "0"
    assert house.sale.status is OrderStatus.FILLED


def test_a_script_signs_a_plan(snapshot: SnapshotAssertion) -> None:
    """OP-05, MD-05"""
    house = keys(a_house_with_a_proposal(), "10:06:01 p", "10:06:02 space", "10:06:03 P")

    house.until("10:06:30")

    assert house.held() == "0.502"
    assert house.requests() == snapshot


@table("script", ("10:06:01 p", "10:06:02 P"), ("10:06:01 p", "10:06:01.200 space", "10:06:01.300 P"), ("10:06:01 P",))
def test_an_unread_plan_is_not_signed(script: tuple[str, ...]) -> None:
    """OP-04, OP-05"""
    house = keys(a_house_with_a_proposal(), *script)

    house.until("10:06:30")

    assert house.requests() == []


def test_keys_for_what_is_not_there_do_nothing() -> None:
    """OP-04"""
    house = House(a_day(("10:06", "10:30", STEADY))).opens().until("09:40")
    keys(house, *(f"09:41:0{n} {key}" for n, key in enumerate(("enter", "x", "c", "d", "B", "K", "F"))))
    told = len(house.told())

    house.until("09:42")

    assert len(house.told()) == told
    assert house.line.operator.next_at() is None  # type: ignore[union-attr]


def test_confirm_all_confirms_after_one_second() -> None:
    """MD-05"""
    house = House(a_day(("10:06", "10:09", STEADY), ("10:10", "10:40", RECOVERY))).opens()
    house.line.operator = ConfirmAll(house.desk)

    house.until("10:12")

    assert len(house.facts(OrderFilled)) == 2
    assert house.held() == "0"


def test_confirm_all_retries_a_refused_exit(snapshot: SnapshotAssertion) -> None:
    """OP-06"""
    house = a_house_with_a_proposal(("10:06", "10:09", STEADY), ("10:10", "10:40", RECOVERY))
    house.confirms_at("10:06:02")
    house.until("10:10:30")
    house.line.operator = ConfirmAll(house.desk)
    house.until("10:11:00.700")
    stop = house.stops[0]
    house.exchange.cancel(house.line.at, stop.id)
    house.line._pass_updates_on()

    house.until("10:11:30")

    assert house.facts(ConfirmationRefused)[0].reasons[0] == snapshot
    assert house.held() == "0"
    assert house.sale.filled_quantity == Decimal("0.502")


def test_r_confirms_a_moved_stop(snapshot: SnapshotAssertion) -> None:
    """OP-04"""
    house = a_house_in_a_position()
    keys(house, "10:07:01 enter", "10:07:03 S", "10:07:05 R")
    moves(house, "99.50")

    house.until("10:07:04")
    before = house.requests()
    house.until("10:07:10")

    assert (before, house.requests()) == snapshot


def test_confirm_all_confirms_moved_stops(snapshot: SnapshotAssertion) -> None:
    """OP-04"""
    house = a_house_in_a_position()
    house.line.operator = ConfirmAll(house.desk)
    moves(house, "99.50")

    house.until("10:07")

    assert house.requests()[-1] == snapshot
