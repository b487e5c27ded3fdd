"""Limits of one strategy beside the account's: the stricter holds, whatever both are (RK-07)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.model.account import NoAccount
from core.model.instrument import AssetClass, BrokerInstrument
from core.model.session import XNYS, Session
from core.model.staging import CheckResult
from core.model.values import Money, Quantity
from core.risk.checks.losses import DailyLossCheck, PerTradeLossCheck
from core.risk.checks.market import SessionLimitsCheck, WindowCheck
from core.risk.checks.order_value import NotionalCheck
from core.risk.checks.other_orders import TradeFrequencyCheck
from core.risk.gate import Candidate, Check, ReviewContext, StrategyLoss
from core.risk.sizing import Conditions, WantedEntry, size_of
from core.risk.sizing_inputs import cap_of, wanted_of
from core.risk.strategy_limits import (
    daily_loss,
    entries_a_day,
    entry_spans,
    looser_than_the_account,
    max_notional,
    per_trade,
)
from core.settings.changes import ChangeKind, changes_between, with_changes, without_looser
from core.settings.entry_windows import is_no_wider, joined, window_in
from core.settings.settings import PROFILES, Settings
from core.settings.types import AmountSettings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, NewYorkHours, at
from tests.unit.core.execution.books import Books
from tests.unit.core.risk.reviews import a_candidate, a_day, a_desk, an_account, an_exit, said

PASSES, WARNS, REFUSES = CheckResult.PASSES, CheckResult.WARNS, CheckResult.REFUSES
STRICTNESS = {PASSES: 0, WARNS: 1, REFUSES: 2}
HOURS = NewYorkHours()
HALF_DAY = date(2026, 11, 27)


def limited(risk: dict[str, Any] | None = None, strategy: str = "vwap", **limits: Any) -> Settings:
    return Settings.model_validate({"risk": risk or {}, "strategies": {strategy: {"limits": limits}}})


def desk_with(settings: Settings, **changes: Any) -> ReviewContext:
    return replace(a_desk(), settings=settings, session_of_day=HOURS.session_on(THURSDAY), **changes)


# ── none of the five loosens the account's ───────────────────────────────────────────────────────────────────────────

usds = st.decimals("0.01", "2000", places=2).map(lambda usd: {"usd": str(usd)})
parts = st.decimals("0.0001", "1", places=4).map(lambda part: {"of_equity": str(part)})
amounts = usds | parts | st.just({"usd": "1000000000"})
clocks = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
pairs = st.tuples(clocks, clocks).map(sorted)
a_window = pairs.map("-".join)
accounts = st.fixed_dictionaries(
    {
        "per_trade": amounts,
        "max_notional": amounts,
        "daily_loss": amounts,
        "entries_a_day": st.integers(0, 4),
        "on_missing_equity": st.sampled_from(("refuse", "allow")),
        "min_notional": st.just("0"),
        "session": st.sampled_from(({"policy": "regular_only"}, {"policy": "include_extended"})),
    }
)
own_limits = st.fixed_dictionaries(
    {},
    optional={
        "per_trade": amounts,
        "max_notional": amounts,
        "daily_loss": amounts,
        "entries_a_day": st.integers(0, 8),
        "windows": st.lists(a_window, max_size=4),
    },
)
CHECKS: tuple[Check, ...] = (
    WindowCheck(), PerTradeLossCheck(), NotionalCheck(), TradeFrequencyCheck(), DailyLossCheck(), SessionLimitsCheck(),
)  # fmt: skip


@st.composite
def pairs_of_settings(draw: st.DrawFn) -> tuple[Settings, Settings]:
    """Settings without a limit of the strategy, and the same with some."""
    first, last = draw(pairs)
    risk = draw(accounts) | {"window_start": first, "window_end": last}
    return limited(risk), limited(risk, **draw(own_limits))


@st.composite
def entries(draw: st.DrawFn) -> tuple[Candidate, dict[str, Any]]:
    """An entry of vwap at some minute, and what the desk knows."""
    clock = draw(clocks)
    candidate = a_candidate(quantity=str(draw(st.decimals("0.001", "30", places=3))), signal_time=at(clock))
    books = Books()
    for number in range(draw(st.integers(0, 4))):
        books.creates(replace(a_candidate().order, client_order_id=f"order-{number}"))
    equity = draw(st.sampled_from((None, "50", "200", "100000")))
    lost = draw(st.none() | st.decimals("0", "300", places=2))
    known: dict[str, Any] = {
        "ledger": books.ledger,
        "opening": a_day(equity),
        "account": NoAccount("no answer") if equity is None else an_account(equity, equity),
        "strategy_loss": lambda _strategy: StrategyLoss(lost),
        "instrument": BrokerInstrument(SPY, asset_class=draw(st.sampled_from((AssetClass.STOCK, AssetClass.CRYPTO)))),
    }
    return candidate, known


@hypothesis.settings(max_examples=120)
@given(pairs_of_settings(), entries())
def test_no_limit_of_a_strategy_loosens_one_of_the_account(
    both: tuple[Settings, Settings], entry: tuple[Candidate, dict[str, Any]]
) -> None:
    """RK-07: each check is at least as strict, and no size is larger."""
    (account, own), (candidate, known) = both, entry
    alone, with_own = desk_with(account, **known), desk_with(own, **known)

    for check in CHECKS:
        assert STRICTNESS[said(check, candidate, with_own)[0]] >= STRICTNESS[said(check, candidate, alone)[0]]
    assert sized(candidate, with_own) <= sized(candidate, alone)


def sized(candidate: Candidate, desk: ReviewContext) -> Quantity:
    wanted = wanted_of(candidate, desk)
    assert isinstance(wanted, WantedEntry)
    return size_of(wanted, Conditions()).quantity


@given(pairs_of_settings(), st.sampled_from((None, Decimal(50), Decimal(100_000))), st.integers(0, 9))
def test_the_stricter_of_two_limits_holds(
    both: tuple[Settings, Settings], equity: Decimal | None, allowed: int
) -> None:
    """RK-07: against the smaller of the two figures, worked out apart"""
    _, settings = both
    risk, own = settings.risk, settings.strategies.vwap.limits

    for limit, account, its in (
        (per_trade, risk.per_trade, own.per_trade),
        (max_notional, risk.max_notional, own.max_notional),
        (daily_loss, risk.daily_loss, own.daily_loss),
    ):
        found = limit(settings, "vwap", equity)
        if found is None:
            assert its.limits_nothing
            continue
        figures = [worth(each, equity) for each in (account, *([] if its.limits_nothing else [its]))]
        known = [figure for figure in figures if figure is not None]
        assert found.usd == min(known, default=None)
        assert found.is_known is (None not in figures)
    assert entries_a_day(settings, "vwap", allowed) == min(allowed, own.entries_a_day)


def worth(amount: AmountSettings, equity: Decimal | None) -> Decimal | None:
    return amount.usd if amount.usd is not None else None if equity is None else amount.of_equity * equity  # type: ignore[operator]


@hypothesis.settings(max_examples=100)
@given(pairs_of_settings(), st.sampled_from((THURSDAY, HALF_DAY)))
def test_an_entry_is_inside_both_windows(both: tuple[Settings, Settings], day: date) -> None:
    """RK-07: at each end and a minute beside it; on a usual day against the clock"""
    account, own = both
    session, windows = HOURS.session_on(day), own.strategies.vwap.limits.windows
    assert isinstance(session, Session)
    spans = entry_spans(own, "vwap", XNYS, session)
    ((opens, shuts),) = entry_spans(account, "vwap", XNYS, session)
    ends = {own.risk.window_start, own.risk.window_end, *(end for each in windows for end in (each.first, each.last))}

    for minute in {min(max(minutes(end) + beside, 0), 1439) for end in ends for beside in (-1, 0, 1)}:
        clock = time(minute // 60, minute % 60)
        moment = XNYS.at(day, clock)
        inside = any(first <= moment <= last for first, last in spans)
        assert not inside or opens <= moment <= shuts
        if day == THURSDAY:
            is_in_one = not windows or any(each.first <= clock <= each.last for each in windows)
            assert inside is (own.risk.window_start <= clock <= own.risk.window_end and is_in_one)


# ── each of them ─────────────────────────────────────────────────────────────────────────────────────────────────────

TWO = {"windows": ["10:00-10:29", "11:00-11:30"]}


@table(
    "clock standing",
    ("09:59", REFUSES),
    ("10:00", PASSES),
    ("10:29", PASSES),
    ("10:30", REFUSES),
    ("11:00", PASSES),
    ("11:30", PASSES),
    ("11:31", REFUSES),
)
def test_the_bar_of_a_signal_begins_inside_a_window(clock: str, standing: CheckResult) -> None:
    """RK-07: both ends are inside, and the time of the ticket does not count."""
    desk = desk_with(limited(**TWO), at=at("14:00"))

    assert said(WindowCheck(), a_candidate(signal_time=at(clock)), desk)[0] is standing


def test_windows_of_a_strategy_bind_no_other_and_no_typed_order() -> None:
    """RK-07"""
    desk = desk_with(limited(**TWO), at=at("10:45"))

    assert said(WindowCheck(), a_candidate(strategy="momentum", signal_time=at("10:45")), desk)[0] is PASSES
    assert said(WindowCheck(), a_candidate(is_manual=True, strategy="manual"), desk)[0] is PASSES
    assert said(WindowCheck(), an_exit(signal_time=at("10:45")), desk)[0] is PASSES


@table("clock standing", ("11:31", PASSES), ("12:30", PASSES), ("12:31", REFUSES), ("13:30", REFUSES))
def test_an_early_close_moves_each_window(clock: str, standing: CheckResult) -> None:
    """RK-07: the market closes at 13:00; the window to 15:30 ends half an hour before, that from 13:15 is gone."""
    risk = {"window_start": "09:30", "window_end": "16:00"}
    settings = limited(risk, windows=["11:00-15:30", "13:15-13:45"])
    desk = replace(desk_with(settings), day=HALF_DAY, session_of_day=HOURS.session_on(HALF_DAY))

    assert said(WindowCheck(), a_candidate(signal_time=at(clock, HALF_DAY)), desk)[0] is standing


@table(
    "limits check quantity standing",
    ({"max_notional": {"usd": "20"}}, NotionalCheck(), "0.2", PASSES),
    ({"max_notional": {"usd": "20"}}, NotionalCheck(), "0.201", REFUSES),
    ({"max_notional": {"of_equity": "0.1"}}, NotionalCheck(), "0.201", REFUSES),
    ({"max_notional": {"usd": "5000"}}, NotionalCheck(), "0.51", REFUSES),
    ({"per_trade": {"usd": "0.03"}}, PerTradeLossCheck(), "0.1", PASSES),
    ({"per_trade": {"usd": "0.03"}}, PerTradeLossCheck(), "0.15", REFUSES),
    ({"per_trade": {"usd": "90"}}, PerTradeLossCheck(), "6", REFUSES),
)
def test_amounts_of_a_strategy_hold(limits: dict[str, Any], check: Check, quantity: str, standing: CheckResult) -> None:
    """RK-07: of 100 USD a share with the stop 0.30 below; the account allows 50 USD and 1.50"""
    desk = desk_with(limited(**limits))

    assert said(check, a_candidate(quantity=quantity), desk)[0] is standing
    assert said(NotionalCheck(), a_candidate(quantity="0.5", strategy="sma"), desk)[0] is PASSES


def test_the_refusal_names_the_size_that_the_strategy_may_have() -> None:
    """RK-07, RK-10"""
    desk = desk_with(limited(max_notional={"usd": "20"}))

    assert said(NotionalCheck(), a_candidate(quantity="0.4"), desk)[1].endswith("0.2 would pass")
    assert cap_of(a_candidate(quantity="0.2"), desk) == "vwap: 20 USD"
    assert cap_of(a_candidate(quantity="0.5", strategy="sma"), desk) == "50 USD"


@table("own taken standing", (2, 1, PASSES), (2, 2, REFUSES), (9, 3, REFUSES), (0, 0, REFUSES))
def test_entries_of_a_strategy_hold(own: int, taken: int, standing: CheckResult) -> None:
    """RK-07, RK-12: the account allows three"""
    books = Books()
    for number in range(taken):
        books.buys("0.1", "100", name=f"entry-{number}")
    desk = desk_with(limited({"entries_a_day": 3}, entries_a_day=own), ledger=books.ledger)

    assert said(TradeFrequencyCheck(), a_candidate(), desk)[0] is standing
    assert said(TradeFrequencyCheck(), a_candidate(strategy="sma"), desk)[0] is PASSES


@table(
    "loss standing",
    (StrategyLoss(Decimal("4.99")), PASSES),
    (StrategyLoss(Decimal(5)), REFUSES),
    (StrategyLoss(Decimal(1), is_shut=True), REFUSES),
    (StrategyLoss(None), REFUSES),
)
def test_a_daily_loss_of_a_strategy_holds(loss: StrategyLoss, standing: CheckResult) -> None:
    """RK-07, RK-03: an unknown loss refuses, and one that was reached is over with the day alone"""
    desk = desk_with(limited(daily_loss={"usd": "5"}), strategy_loss=lambda name: loss if name == "vwap" else NOTHING)

    assert said(DailyLossCheck(), a_candidate(), desk)[0] is standing
    assert said(DailyLossCheck(), a_candidate(strategy="sma"), desk)[0] is PASSES
    assert said(DailyLossCheck(), an_exit(), desk)[0] is PASSES


NOTHING = StrategyLoss(Decimal(0))


@table("choice standing", ("refuse", REFUSES), ("allow", WARNS))
def test_a_share_of_an_unknown_equity_is_as_on_missing_equity_says(choice: str, standing: CheckResult) -> None:
    """RK-07, RK-03: the account's amounts are in USD, so that they are known"""
    settings = limited(
        {"on_missing_equity": choice}, max_notional={"of_equity": "0.2"}, per_trade={"of_equity": "0.2"},
        daily_loss={"of_equity": "0.1"},
    )  # fmt: skip
    desk = desk_with(settings, opening=a_day(None), account=NoAccount("no answer"))

    for check in (NotionalCheck(), PerTradeLossCheck(), DailyLossCheck()):
        assert said(check, a_candidate(), desk)[0] is standing
    assert said(NotionalCheck(), a_candidate(quantity="0.6"), desk)[0] is REFUSES


# ── its settings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_profile_gives_vwap_its_window() -> None:
    """RK-07"""
    for profile, tables in PROFILES.items():
        settings = Settings.model_validate({"profile": profile, **tables})
        assert tuple(map(str, settings.strategies.vwap.limits.windows)) == ("10:00-11:30",)
    assert Settings().strategies.vwap.limits.windows == ()


@table("written", "10:00", "10:00-25:00", "11:30-10:00", "10:00 - 11:30", "10:00:30-11:30", 10, ["10:00", "11:30"])
def test_a_window_that_is_none_is_refused(written: object) -> None:
    """RK-07, SY-03"""
    with pytest.raises(ValidationError, match="windows"):
        limited(windows=[written])


@given(st.lists(a_window, max_size=8))
def test_joined_windows_allow_the_same_minutes(written: list[str]) -> None:
    """RK-07: in order, with a minute at least between two"""
    windows = [window_in(each) for each in written]
    found = joined(windows)
    clocks = [time(minute // 60, minute % 60) for minute in range(1440)]

    assert [any(w.first <= c <= w.last for w in windows) for c in clocks] == [
        any(w.first <= c <= w.last for w in found) for c in clocks
    ]
    assert all(minutes(first.last) + 1 < minutes(second.first) for first, second in pairwise(found))
    assert joined(found) == found
    assert is_no_wider(found, than=found)


def minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


@table(
    "before after kind",
    ([], ["10:00-11:30"], ChangeKind.TIGHTER),
    (["10:00-11:30"], ["10:00-11:00"], ChangeKind.TIGHTER),
    (["10:00-11:30"], ["10:00-10:30", "11:00-11:30"], ChangeKind.TIGHTER),
    (["10:00-11:30"], [], ChangeKind.LOOSER),
    (["10:00-11:30"], ["10:00-11:31"], ChangeKind.LOOSER),
    (["10:00-11:30"], ["10:00-11:30", "14:00-15:00"], ChangeKind.LOOSER),
    (["10:00-11:30"], ["12:00-12:10"], ChangeKind.LOOSER),
)
@table("strategy", "vwap", "dips")
def test_one_window_more_waits_for_the_word(
    before: list[str], after: list[str], kind: ChangeKind, strategy: str
) -> None:
    """RK-07, RK-13: also of a strategy of one's own"""
    old, new = limited(strategy=strategy, windows=before), limited(strategy=strategy, windows=after)

    (change,) = changes_between(old, new)

    assert change.kind is kind
    assert with_changes(old, new, [change]) == new
    assert without_looser(old, new) == (new if kind is ChangeKind.TIGHTER else old)


@table(
    "limits key",
    ({"per_trade": {"usd": "2"}}, "per_trade"),
    ({"max_notional": {"usd": "51"}}, "max_notional"),
    ({"daily_loss": {"usd": "11"}}, "daily_loss"),
    ({"entries_a_day": 2}, "entries_a_day"),
    ({"windows": ["10:00-11:31"]}, "windows"),
    ({"windows": ["10:00-11:30"], "per_trade": {"usd": "1"}, "entries_a_day": 1}, None),
)
def test_a_limit_that_changes_nothing_is_named(limits: dict[str, Any], key: str | None) -> None:
    """RK-07"""
    named = [its for its, _ in looser_than_the_account(limited(**limits))]

    assert named == ([] if key is None else [f"strategies.vwap.limits.{key}"])


def test_results_are_counted_by_strategy() -> None:
    """RK-07, ST-02: closed today and open at the last bars; unknown while one of them has no price"""
    books = Books()
    books.buys("10", "100", name="vwap-in")
    books.sells("4", "99", name="vwap-out")
    books.buys("3", "50", name="other", strategy="momentum")
    symbol = a_candidate().order.symbol

    def result(strategy: str, day: date, price: str | None) -> Money | None:
        last = {} if price is None else {symbol: Decimal(price)}
        return books.ledger.result_of_strategy(strategy, day, last)  # type: ignore[arg-type]

    assert result("vwap", THURSDAY, "98") == -4 - 12
    assert result("momentum", THURSDAY, "98") == 3 * 48
    assert result("vwap", THURSDAY, None) is None
    assert result("sma", THURSDAY, None) == 0
    assert result("vwap", THURSDAY + timedelta(days=1), "98") == -12
    assert books.ledger.state.closed_by == {"vwap": Money(Decimal(-4))}
