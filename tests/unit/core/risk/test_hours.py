"""Outside of regular hours: which hours those are, what may be entered in them, and what this desk cannot do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.model.account import NoAccount
from core.model.bar import NoQuote
from core.model.instrument import AssetClass, BrokerInstrument
from core.model.order import OrderType, Side, TimeInForce
from core.model.session import XNYS, NoSession, Session, window_of
from core.model.staging import CheckResult
from core.risk.checks.losses import StopPresentCheck
from core.risk.checks.market import SessionCheck, SessionLimitsCheck, WindowCheck
from core.risk.checks.order_value import room_of, taken_of
from core.risk.gate import Candidate, ReviewContext
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, NewYorkHours, at
from tests.unit.core.risk.reviews import (
    a_candidate,
    a_day,
    a_desk,
    a_quote,
    an_account,
    an_exit,
    said,
    settings,
    usd,
)

PASSES, WARNS, REFUSES = CheckResult.PASSES, CheckResult.WARNS, CheckResult.REFUSES
HOURS = NewYorkHours()
CRYPTO = BrokerInstrument(SPY, asset_class=AssetClass.CRYPTO)
THANKSGIVING, HALF_DAY = date(2026, 11, 26), date(2026, 11, 27)


def at_hour(clock: str, day: date = THURSDAY, policy: str = "include_extended", **changes: object) -> ReviewContext:
    moment = at(clock, day)
    desk = a_desk(
        at=moment, day=day, session=HOURS.session_at(moment), session_of_day=HOURS.session_on(day),
        settings=settings(session={"policy": policy}), broker_time=moment,
    )  # fmt: skip
    return replace(desk, **changes)  # type: ignore[arg-type]


CLOSED_ONLY = {"policy": "regular_only"}
CRYPTO_LIMITS = settings(session={"policy": "regular_only", "crypto": {"part": "0.1"}})


def marked(candidate: Candidate) -> Candidate:
    return replace(candidate, order=replace(candidate.order, extended_hours=True))


def typed(is_manual: bool = True, **changes: object) -> Candidate:
    candidate = a_candidate()
    order = replace(candidate.order, **changes)  # type: ignore[arg-type]
    return replace(candidate, order=order, is_manual=is_manual)


Hour = tuple[Any, Candidate, ReviewContext, CheckResult]
SESSION, STOPS, LIMITS, WINDOW = SessionCheck(), StopPresentCheck(), SessionLimitsCheck(), WindowCheck()
UNTIL_A_MINUTE_BEFORE = settings(window_end="15:59")
LARGE = a_candidate(quantity="0.4")
JUDGED: dict[str, Hour] = {
    "regular hours are the default": (SESSION, a_candidate(), at_hour("17:00", **CLOSED_ONLY), REFUSES),
    "a marked order passes before the open": (SESSION, marked(a_candidate()), at_hour("08:00"), PASSES),
    "a marked order passes after the close": (SESSION, marked(a_candidate()), at_hour("17:00"), PASSES),
    "a marked order is refused at night": (SESSION, marked(a_candidate()), at_hour("20:00"), REFUSES),
    "a marked order passes in the session": (SESSION, marked(a_candidate()), at_hour("10:30"), PASSES),
    "regular hours alone refuse a marked entry before the open": (
        SESSION, marked(a_candidate()), at_hour("08:00", **CLOSED_ONLY), REFUSES),
    "regular hours alone refuse a marked entry in the session": (
        SESSION, marked(a_candidate()), at_hour("10:30", **CLOSED_ONLY), REFUSES),
    "regular hours alone let a marked exit go": (SESSION, marked(an_exit()), at_hour("08:00", **CLOSED_ONLY), PASSES),
    "an unmarked market order is refused": (SESSION, typed(type=OrderType.MARKET), at_hour("17:00"), REFUSES),
    "an unmarked GTC order is refused": (SESSION, typed(time_in_force=TimeInForce.GTC), at_hour("17:00"), REFUSES),
    "an unmarked order was typed for the session": (SESSION, typed(), at_hour("17:00"), REFUSES),
    "a strategy enters in the session alone": (SESSION, typed(is_manual=False), at_hour("17:00"), REFUSES),
    "an unmarked market exit waits, a limit would act": (SESSION, an_exit(limit=None), at_hour("17:00"), REFUSES),
    "an exit waits at night": (SESSION, an_exit(limit=None), at_hour("21:00"), REFUSES),
    "an unmarked limit exit waits": (SESSION, an_exit(limit="100.10"), at_hour("17:00", **CLOSED_ONLY), REFUSES),
    "at night the market is closed": (SESSION, a_candidate(), at_hour("21:00"), REFUSES),
    "in the session it is open": (SESSION, a_candidate(), at_hour("10:30"), PASSES),
    "crypto is not traded yet": (SESSION, a_candidate(), at_hour("10:30", instrument=CRYPTO), REFUSES),
    "an unknown day has no extended hours": (
        SESSION, a_candidate(), at_hour("17:00", session_of_day=NoSession("not asked")), REFUSES),
    "its stop for the day would live two seconds": (
        SESSION, a_candidate(stop="99.70"), at_hour("12:59:58", HALF_DAY), WARNS),
    "its stop outlives the session": (
        SESSION, typed(time_in_force=TimeInForce.GTC), at_hour("12:59:58", HALF_DAY), PASSES),
    "a minute before the close is time enough": (
        SESSION, a_candidate(stop="99.70"), at_hour("12:58:59", HALF_DAY), PASSES),
    "a late exit is no matter": (SESSION, an_exit(limit=None), at_hour("12:59:58", HALF_DAY), PASSES),
    "the window ends before an early close too": (
        WINDOW, typed(), at_hour("12:59:58", HALF_DAY, settings=UNTIL_A_MINUTE_BEFORE), REFUSES),
    "the window of an early day": (WINDOW, typed(), at_hour("12:59", HALF_DAY, settings=UNTIL_A_MINUTE_BEFORE), PASSES),
    "the window of a usual day": (WINDOW, typed(), at_hour("15:59", settings=UNTIL_A_MINUTE_BEFORE), PASSES),
    "no stop acts in extended hours": (STOPS, marked(a_candidate(stop="99.70")), at_hour("08:00"), WARNS),
    "25 of 25 USD, 0.075 of 0.75 at the stop": (LIMITS, a_candidate(quantity="0.25"), at_hour("17:00"), PASSES),
    "26 of 25 USD": (LIMITS, a_candidate(quantity="0.26"), at_hour("17:00"), REFUSES),
    "0.75 of 0.75 USD at the stop": (LIMITS, a_candidate(quantity="0.25", stop="97.00"), at_hour("17:00"), PASSES),
    "more than 0.75 USD at the stop": (LIMITS, a_candidate(quantity="0.25", stop="96.99"), at_hour("17:00"), REFUSES),
    "no stop is another check's matter": (LIMITS, a_candidate(quantity="0.25", stop=None), at_hour("17:00"), PASSES),
    "only a limit order is entered then": (LIMITS, a_candidate(quantity="0.1", limit=None), at_hour("17:00"), REFUSES),
    "a wide spread refuses a limit order too": (
        LIMITS, a_candidate(quantity="0.1"), at_hour("17:00", quote=a_quote("99.80", "100.20")), REFUSES),
    "a marked entry has the limits in the session too": (LIMITS, marked(LARGE), at_hour("10:30"), REFUSES),
    "the session has no such limit": (LIMITS, LARGE, at_hour("10:30"), PASSES),
    "regular hours alone have no such limit": (LIMITS, LARGE, at_hour("17:00", **CLOSED_ONLY), PASSES),
    "an exit has no such limit": (LIMITS, an_exit(limit=None), at_hour("17:00"), PASSES),
    "a large entry is refused then": (LIMITS, LARGE, at_hour("17:00"), REFUSES),
    "crypto has limits of its own": (
        LIMITS, a_candidate(quantity="0.06"), at_hour("10:30", instrument=CRYPTO, settings=CRYPTO_LIMITS), REFUSES),
    "crypto within its limits": (
        LIMITS, a_candidate(quantity="0.05"), at_hour("10:30", instrument=CRYPTO, settings=CRYPTO_LIMITS), PASSES),
}  # fmt: skip


@pytest.mark.parametrize("claim", JUDGED)
def test_each_hour_is_judged(claim: str, snapshot: SnapshotAssertion) -> None:
    """RK-20, RK-22, RK-01, EX-11, OP-06"""
    check, candidate, desk, standing = JUDGED[claim]

    assert said(check, candidate, desk) == (standing, snapshot)


def test_an_unknown_day_is_not_extended() -> None:
    """RK-20, RK-01"""
    desk = at_hour("17:00", session_of_day=NoSession("not asked"))

    assert XNYS.extended_until(desk.at + timedelta(hours=1), desk.session_of_day) is None
    assert desk.settings.risk.session.extended.part == Decimal("0.5")
    assert settings().risk.session.policy == "regular_only"


@table(
    "clock day ends",
    ("03:59", THURSDAY, None),
    ("04:00", THURSDAY, "09:30"),
    ("09:29", THURSDAY, "09:30"),
    ("09:30", THURSDAY, None),
    ("15:59", THURSDAY, None),
    ("16:00", THURSDAY, "20:00"),
    ("19:59", THURSDAY, "20:00"),
    ("20:00", THURSDAY, None),
    ("10:00", THANKSGIVING, None),
    ("13:00", HALF_DAY, "17:00"),
    ("17:00", HALF_DAY, None),
    ("08:00", date(2026, 10, 30), "09:30"),  # a Friday of summer time
    ("08:00", date(2026, 11, 2), "09:30"),  # the Monday after, of winter time
    ("19:30", date(2027, 3, 12), "20:00"),
    ("19:30", date(2027, 3, 15), "20:00"),
)
def test_extended_hours_surround_the_session(clock: str, day: date, ends: str | None) -> None:
    """RK-20"""
    found = XNYS.extended_until(at(clock, day), HOURS.session_on(day))

    assert found == (None if ends is None else at(ends, day))


def limits(candidate: Candidate, clock: str = "17:00", **changes: object) -> tuple[CheckResult, str]:
    return said(SessionLimitsCheck(), candidate, at_hour(clock, **changes))


@table("is_fresh standing", (True, REFUSES), (False, WARNS))
def test_unmeasurable_entries_are_refused(is_fresh: bool, standing: CheckResult) -> None:
    """RK-20, RK-01"""
    of_equity = settings(session={"policy": "include_extended"}, max_notional={"of_equity": "0.1"})
    unknown = {"settings": of_equity, "account": NoAccount("no answer"), "opening": a_day(None)}

    assert limits(a_candidate(quantity="0.1"), quote=NoQuote("none"), is_fresh=is_fresh)[0] is standing
    assert limits(a_candidate(), is_fresh=is_fresh, **unknown)[0] is standing


@table("clock part cost loss", ("17:00", "0.25", "250", "2"), ("12:00", "0.25", "10000", None))
def test_extended_hours_leave_a_part_of_the_limits(clock: str, part: str, cost: str, loss: str | None) -> None:
    """RK-20: of 1,000 USD an order and 8 USD at its stop; in regular hours other checks hold these two"""
    session = {"policy": "include_extended", "extended": {"part": part}}
    terms = settings(session=session, max_notional=usd("1000"), per_trade=usd("8"))
    desk = at_hour(clock, settings=terms, account=an_account("10000", "10000"))

    room = room_of(Side.BUY, desk, taken_of(desk))

    assert (room.cost, room.loss) == (Decimal(cost), None if loss is None else Decimal(loss))


@pytest.mark.parametrize(
    ("last", "on_a_usual_day", "on_a_half_day"),
    [
        ("15:59", "15:59", "12:59"),
        ("15:30", "15:30", "12:30"),
        ("15:00", "15:00", "12:30"),
        ("11:30", "11:30", "11:30"),
        ("16:00", "16:00", "16:00"),
    ],
)
def test_a_window_moves_with_an_early_close(last: str, on_a_usual_day: str, on_a_half_day: str) -> None:
    """RK-07, MD-10: half an hour before it at the most; one to the close ends with the session"""
    for day, ends in ((THURSDAY, on_a_usual_day), (HALF_DAY, on_a_half_day)):
        session = HOURS.session_on(day)
        assert isinstance(session, Session)
        window = window_of(XNYS, session, time(10), time.fromisoformat(last))

        assert window == (at("10:00", day), at(ends, day))
