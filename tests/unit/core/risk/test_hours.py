"""Outside of regular hours: which hours those are, what may be entered in them, and what this desk cannot do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.model.account import NoAccount
from core.model.instrument import AssetClass, BrokerInstrument
from core.model.order import OrderType, TimeInForce
from core.model.quote import NoQuote
from core.model.session import NoSession
from core.model.staging import CheckResult
from core.model.venues import XNYS
from core.risk.checks.session import SessionCheck
from core.risk.checks.session_limits import SessionLimitsCheck
from core.risk.checks.stop_present import StopPresentCheck
from core.risk.gate import Candidate, ReviewContext
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, NewYorkHours, at
from tests.unit.core.risk.reviews import a_candidate, a_day, a_desk, a_quote, an_exit, said, settings

PASSES, WARNS, REFUSES = CheckResult.PASSES, CheckResult.WARNS, CheckResult.REFUSES
HOURS = NewYorkHours()
CRYPTO = BrokerInstrument(SPY, asset_class=AssetClass.CRYPTO)
THANKSGIVING, HALF_DAY = date(2026, 11, 26), date(2026, 11, 27)


def at_hour(clock: str, day: date = THURSDAY, policy: str = "include_extended", **changes: object) -> ReviewContext:
    moment = at(clock, day)
    desk = a_desk(
        at=moment,
        day=day,
        session=HOURS.session_at(moment),
        session_of_day=HOURS.session_on(day),
        settings=settings(session={"policy": policy}),
        broker_time=moment,
    )
    return replace(desk, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("clock", "day", "ends"),
    [
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
    ],
)
def test_extended_hours_surround_the_session(clock: str, day: date, ends: str | None) -> None:
    """RK-20"""
    found = XNYS.extended_until(at(clock, day), HOURS.session_on(day))

    assert found == (None if ends is None else at(ends, day))


# ── what may be entered ──────────────────────────────────────────────────────────────────────────────────────────────


def test_regular_hours_are_the_default(snapshot: SnapshotAssertion) -> None:
    """RK-20"""
    desk = at_hour("17:00", policy="regular_only")

    assert said(SessionCheck(), a_candidate(), desk) == (REFUSES, snapshot)
    assert settings().risk.session.policy == "regular_only"


def marked(candidate: Candidate) -> Candidate:
    return replace(candidate, order=replace(candidate.order, extended_hours=True))


@pytest.mark.parametrize(("clock", "until"), [("08:00", "09:30"), ("17:00", "20:00")])
def test_a_marked_order_passes_in_extended_hours(clock: str, until: str) -> None:
    """RK-20"""
    words = f"open for limit orders, extended hours until {until} New York"

    assert said(SessionCheck(), marked(a_candidate()), at_hour(clock)) == (PASSES, words)
    assert said(SessionCheck(), marked(a_candidate()), at_hour("20:00"))[0] is REFUSES
    assert said(SessionCheck(), marked(a_candidate()), at_hour("10:30")) == (PASSES, "open")


def test_regular_hours_refuse_a_marked_entry() -> None:
    """RK-20: the settings were changed after it was typed; its exit still goes."""
    reason = "it would act before the open and after the close, and the settings want neither; type it again"

    for clock in ("08:00", "10:30"):
        desk = at_hour(clock, policy="regular_only")
        assert said(SessionCheck(), marked(a_candidate()), desk) == (REFUSES, reason)
        assert said(SessionCheck(), marked(an_exit()), desk)[0] is PASSES


@pytest.mark.parametrize(
    ("changes", "is_manual"),
    [
        ({"type": OrderType.MARKET}, True),
        ({"time_in_force": TimeInForce.GTC}, True),
        ({}, True),
        ({}, False),
    ],
    ids=["market", "GTC", "regular", "strategy"],
)
def test_an_unmarked_entry_is_refused(changes: dict[str, object], is_manual: bool, snapshot: SnapshotAssertion) -> None:
    """RK-20"""
    candidate = a_candidate()
    candidate = replace(candidate, order=replace(candidate.order, **changes), is_manual=is_manual)

    assert said(SessionCheck(), candidate, at_hour("17:00")) == (REFUSES, snapshot)


@pytest.mark.parametrize(("clock", "limit"), [("17:00", None), ("21:00", None), ("17:00", "100.10")])
def test_an_unmarked_exit_is_warned(clock: str, limit: str | None, snapshot: SnapshotAssertion) -> None:
    """RK-20, RK-22: the gate makes a warning of it."""
    for policy in ("regular_only", "include_extended"):
        words = said(SessionCheck(), an_exit(limit=limit), at_hour(clock, policy=policy))[1]
        assert words == snapshot


def test_stops_do_not_act_in_extended_hours(snapshot: SnapshotAssertion) -> None:
    """RK-20, OP-06"""
    assert said(StopPresentCheck(), marked(a_candidate(stop="99.70")), at_hour("08:00")) == (WARNS, snapshot)


def test_a_marked_entry_keeps_extended_limits() -> None:
    """RK-20: it works on after the close."""
    large = a_candidate(quantity="0.4")

    assert limits(marked(large), "10:30")[0] is REFUSES
    assert limits(large, "10:30")[0] is PASSES


def test_at_night_the_market_is_closed(snapshot: SnapshotAssertion) -> None:
    """RK-20"""
    assert said(SessionCheck(), a_candidate(), at_hour("21:00"))[1] == snapshot
    assert said(SessionCheck(), a_candidate(), at_hour("10:30"))[0] is PASSES


def test_crypto_is_not_traded_yet(snapshot: SnapshotAssertion) -> None:
    """RK-20"""
    assert said(SessionCheck(), a_candidate(), at_hour("10:30", instrument=CRYPTO)) == (REFUSES, snapshot)


# ── within which limits ──────────────────────────────────────────────────────────────────────────────────────────────


def limits(candidate: Candidate, clock: str = "17:00", **changes: object) -> tuple[CheckResult, str]:
    return said(SessionLimitsCheck(), candidate, at_hour(clock, **changes))


@pytest.mark.parametrize(
    ("quantity", "stop", "standing"),
    [
        ("0.25", "99.70", PASSES),  # 25 of 25 USD, 0.075 of 0.75 at the stop
        ("0.26", "99.70", REFUSES),
        ("0.25", "97.00", PASSES),
        ("0.25", "96.99", REFUSES),
        ("0.25", None, PASSES),  # that it has no stop is another check's matter
    ],
)
def test_an_extended_entry_is_half_as_large(quantity: str, stop: str | None, standing: CheckResult) -> None:
    """RK-20"""
    assert limits(a_candidate(quantity=quantity, stop=stop))[0] is standing


def test_only_a_limit_order_is_entered_then(snapshot: SnapshotAssertion) -> None:
    """RK-20, EX-11"""
    assert limits(a_candidate(quantity="0.1", limit=None)) == (REFUSES, snapshot)


def test_a_wide_spread_refuses_a_limit_order_too(snapshot: SnapshotAssertion) -> None:
    """RK-20"""
    wide = a_quote("99.80", "100.20")

    assert limits(a_candidate(quantity="0.1"), quote=wide) == (REFUSES, snapshot)


@pytest.mark.parametrize(("is_fresh", "standing"), [(True, REFUSES), (False, WARNS)])
def test_unmeasurable_entries_are_refused(is_fresh: bool, standing: CheckResult) -> None:
    """RK-20, RK-01"""
    of_equity = settings(session={"policy": "include_extended"}, max_notional={"of_equity": "0.1"})
    unknown = {"settings": of_equity, "account": NoAccount("no answer"), "opening": a_day(None)}

    assert limits(a_candidate(quantity="0.1"), quote=NoQuote("none"), is_fresh=is_fresh)[0] is standing
    assert limits(a_candidate(), is_fresh=is_fresh, **unknown)[0] is standing


def test_regular_hours_add_no_limit() -> None:
    """RK-20, RK-22"""
    large = a_candidate(quantity="0.4")

    assert limits(large, "10:30")[0] is PASSES
    assert limits(large, policy="regular_only")[0] is PASSES
    assert limits(an_exit(limit=None))[0] is PASSES
    assert limits(large)[0] is REFUSES


def test_crypto_has_its_own_limits(snapshot: SnapshotAssertion) -> None:
    """RK-20"""
    chosen = settings(session={"policy": "regular_only", "crypto": {"part": "0.1"}})
    desk = at_hour("10:30", instrument=CRYPTO, settings=chosen)

    assert said(SessionLimitsCheck(), a_candidate(quantity="0.05"), desk)[0] is PASSES
    assert said(SessionLimitsCheck(), a_candidate(quantity="0.06"), desk) == (REFUSES, snapshot)


def test_an_unknown_day_has_no_extended_hours(snapshot: SnapshotAssertion) -> None:
    """RK-01"""
    desk = at_hour("17:00", session_of_day=NoSession("not asked"))

    assert said(SessionCheck(), a_candidate(), desk)[1] == snapshot
    assert XNYS.extended_until(desk.at + timedelta(hours=1), desk.session_of_day) is None
    assert desk.settings.risk.session.extended.part == Decimal("0.5")
