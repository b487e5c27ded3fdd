"""What losses leave of the risk of a trade, until a better day or a new week."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted, RiskRestored, RiskThrottled
from core.model.values import Money
from core.risk.loss_throttle import Loss, Losses
from core.risk.sizing import Throttle
from core.settings.risk import ThrottleSettings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import at

MONDAY = date(2026, 11, 16)
TERMS = ThrottleSettings()
NOON = at("12:00")


class Account:
    """An account of 1,000 USD that may lose 10 a day and 25 a week, and what its throttle makes of its figures."""

    def __init__(self) -> None:
        self.losses = Losses()

    def opens(self, day: date, equity: str) -> None:
        self.tell(DayStarted(day, Money(Decimal(equity))))
        if self.losses.state.ended:
            self.tell(RiskRestored(self.losses.state.ended))

    def shows(self, equity: str) -> Throttle | None:
        """As the desk does with each figure of the account: what is found is told."""
        state = self.losses.state
        assert state.opening is not None
        assert state.week_opening is not None
        worth = Decimal(equity)
        found = self.losses.measure(
            Loss(state.opening - worth, Decimal(10)), Loss(state.week_opening - worth, Decimal(25)), TERMS
        )
        if found is not None:
            self.tell(RiskThrottled(found.factor, found.words))
        return found

    def tell(self, fact: DayStarted | RiskThrottled | RiskRestored) -> None:
        self.losses.folds[type(fact)](NOON, fact)  # type: ignore[operator]

    @property
    def factor(self) -> Decimal:
        return self.losses.state.factor


def an_account(equity: str = "1000") -> Account:
    account = Account()
    account.opens(MONDAY, equity)
    return account


@table(
    "equity factor", ("1000", "1"), ("1020", "1"), ("995.01", "1"), ("995", "0.5"), ("985.01", "0.5"), ("985", "0.25")
)
def test_losses_near_a_limit_throttle_the_risk(equity: str, factor: str) -> None:
    """RK-11: 10 USD a day, 25 a week; 60 % of the week's are 15"""
    account = an_account()

    account.shows(equity)

    assert account.factor == Decimal(factor)


def test_a_recovered_loss_keeps_the_throttle(snapshot: SnapshotAssertion) -> None:
    """RK-11"""
    account = an_account()
    account.shows("994.80")

    later = account.shows("999")

    assert later is None
    assert account.losses.throttle == Throttle(Decimal("0.5"), snapshot)  # type: ignore[arg-type]


def test_a_profitable_day_ends_the_throttle() -> None:
    """RK-11"""
    account = an_account()
    account.shows("994")

    account.opens(MONDAY + timedelta(days=1), "994")
    after_a_loss = account.factor
    account.opens(MONDAY + timedelta(days=2), "994")
    after_nothing = account.factor
    account.opens(MONDAY + timedelta(days=3), "994.01")

    assert (after_a_loss, after_nothing, account.factor) == (Decimal("0.5"), Decimal("0.5"), Decimal(1))


def test_a_new_week_ends_the_throttle() -> None:
    """RK-11"""
    account = an_account()
    account.shows("980")

    account.opens(MONDAY + timedelta(days=4), "979")
    on_friday = account.factor
    account.opens(MONDAY + timedelta(days=8), "979")

    assert (on_friday, account.factor) == (Decimal("0.25"), Decimal(1))


def test_a_grown_weekly_loss_throttles_again(snapshot: SnapshotAssertion) -> None:
    """RK-11: the reset would mean nothing if the loss that it forgave tripped at once"""
    account = an_account()
    account.shows("980")
    account.opens(MONDAY + timedelta(days=1), "980")
    account.opens(MONDAY + timedelta(days=2), "982")

    as_it_was = account.shows("982")
    grown = account.shows("981.99")

    assert as_it_was is None
    assert grown == Throttle(Decimal("0.25"), snapshot)  # type: ignore[arg-type]


def test_unknown_equity_throttles_nothing() -> None:
    """RK-11: the loss of the day refuses entries then, as RK-03 says"""
    assert Losses().measure(Loss(Decimal(100), None), Loss(Decimal(100), None), TERMS) is None
    assert Losses().throttle is None


@given(st.lists(st.integers(9_600, 10_300), min_size=1, max_size=40))
def test_within_a_day_the_risk_only_falls(figures: list[int]) -> None:
    """RK-11"""
    account, lowest = an_account(), Decimal(1000)
    for cents in figures:
        worth = Decimal(cents) / 10
        account.shows(str(worth))
        lowest = min(lowest, worth)
        lost = 1000 - lowest
        expected = Decimal("0.25") if lost >= 15 else Decimal("0.5") if lost >= 5 else Decimal(1)
        assert account.factor == expected
