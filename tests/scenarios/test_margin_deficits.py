"""Days with a margin deficit are remembered, counted, and warned of before the third (RK-14, RK-15's successor)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words
from core.facts import MarginDeficitSeen
from core.model.account import Account
from core.model.order import Effect
from core.model.staging import CheckResult
from core.model.values import Money, Price, Quantity
from core.risk.checks.funds import MarginDeficitsCheck
from core.risk.gate import ReviewContext
from core.risk.margin import MarginState, deficit_of
from core.settings.settings import Settings
from tests.scenarios.house import STEADY, House, a_day
from tests.scenarios.plans import passes
from tests.scenarios.test_margin import row, settings
from tests.unit.core.brokers.trading_floor import THURSDAY
from tests.unit.core.risk.reviews import NOW, a_candidate, a_desk

FALLING = (
    ("10:06", "10:09", STEADY),
    ("10:10", "10:14", "70"),
    ("10:15", "10:19", "68"),
    ("10:20", "10:24", "67"),
    ("10:25", "10:40", "99"),
)
"""20 shares are bought at 99.60 with 1,000 USD. At 70 12 USD are short, which is no call; at 68 40, at 67 54."""


def a_house_that_falls_short(limit: int) -> House:
    house = House(a_day(*FALLING), settings(margin={"deficit_limit": limit}), cash=Decimal(1000), multiplier=Decimal(2))
    house.opens().confirms_at("10:06:02")
    return house


def test_the_largest_deficit_of_a_day_is_kept(snapshot: SnapshotAssertion) -> None:
    """RK-14: over a restart, and once where it does not grow"""
    house = a_house_that_falls_short(3).until("10:14:30")
    before = house.facts(MarginDeficitSeen)
    passes(house.until("10:17").restarted(), 2)
    house.until("10:40")

    assert before == []
    assert [(fact.day, fact.deficit) for fact in house.facts(MarginDeficitSeen)] == [
        (THURSDAY, Decimal(40)),
        (THURSDAY, Decimal(54)),
    ]
    assert house.desk.margin.state.deficits == {THURSDAY: Decimal(54)}
    shown = row(house, "margin_deficits")
    assert shown is not None
    assert (round(shown.used, 2), shown.is_tripped) == (Decimal("0.33"), False)
    assert [in_words(house.last(MarginDeficitSeen)), shown.measure, shown.reason] == snapshot


def test_without_a_limit_no_deficit_is_recorded() -> None:
    """RK-14, SP-07: a journal of before has no such fact"""
    house = a_house_that_falls_short(1000).until("10:40")

    assert house.facts(MarginDeficitSeen) == []
    assert row(house, "margin_deficits") is None


def an_account(cash: str = "100", multiplier: str = "2") -> Account:
    money = Money(Decimal(100))
    return Account(NOW, "paper", money, Money(Decimal(cash)), Money(Decimal(200)), Decimal(multiplier))


def after(many: int, days: int = 30) -> MarginState:
    """The last of them so many days ago, each a day after the one before."""
    found = [THURSDAY - timedelta(days=days + n) for n in range(many - 1, -1, -1)]
    return MarginState(deficits=dict.fromkeys(found, Money(Decimal(60))))


COUNTED = Settings.model_validate({"risk": {"margin": {"deficit_limit": 3}}})


@pytest.mark.parametrize(
    ("many", "days", "effect", "quantity", "standing"),
    [
        (1, 30, Effect.OPEN, "1.5", CheckResult.PASSES),
        (2, 30, Effect.OPEN, "0.5", CheckResult.WARNS),
        (3, 30, Effect.OPEN, "1.0", CheckResult.WARNS),
        (3, 30, Effect.OPEN, "1.001", CheckResult.REFUSES),
        (3, 30, Effect.SHORT, "0.5", CheckResult.REFUSES),
        (3, 87, Effect.OPEN, "1.5", CheckResult.REFUSES),
        (3, 88, Effect.OPEN, "1.5", CheckResult.WARNS),
        (3, 90, Effect.OPEN, "1.5", CheckResult.PASSES),
        (3, 30, Effect.CLOSE, "9", CheckResult.PASSES),
    ],
)
def test_too_many_deficits_refuse_further_borrowing(
    many: int, days: int, effect: Effect, quantity: str, standing: CheckResult
) -> None:
    """RK-14, RK-22: what its own cash pays for goes on, and what closes"""
    stop = {Effect.SHORT: "101", Effect.CLOSE: None}.get(effect, "99")
    desk = a_desk(settings=COUNTED, account=an_account(), margin=after(many, days), day=THURSDAY)

    verdict = MarginDeficitsCheck().review(a_candidate(effect=effect, quantity=quantity, stop=stop), desk)

    assert verdict is not None
    assert verdict.standing is standing, verdict.reason


def test_short_sale_proceeds_are_not_own_cash() -> None:
    """RK-14: of 18,000 USD 8,000 were sold short; they pay for no 12,000, nor for anything where no price is known"""
    house = a_house_that_falls_short(3).until("10:08")
    money = Money(Decimal(10_000))
    account = replace(an_account("18000"), equity=money)
    context = a_desk(settings=COUNTED, account=account, margin=after(3), day=THURSDAY)
    short = replace(house.desk.ledger.positions()[0], quantity=Quantity(Decimal(-80)))
    held_short = SimpleNamespace(
        positions=lambda: (short,), entry_groups=lambda: (), book=SimpleNamespace(opened_since=lambda _at: ())
    )
    at_125 = replace(context, ledger=held_short, prices=lambda _s: (NOW, Price(Decimal(125))))
    unpriced = replace(context, ledger=held_short)

    def of(quantity: str, desk: ReviewContext) -> CheckResult:
        verdict = MarginDeficitsCheck().review(a_candidate(quantity=quantity, stop="99"), desk)
        assert verdict is not None
        return verdict.standing

    assert of("120", context) is CheckResult.REFUSES
    assert (of("79", at_125), of("81", at_125)) == (CheckResult.WARNS, CheckResult.REFUSES)
    assert of("1", unpriced) is CheckResult.REFUSES


@pytest.mark.parametrize(
    ("equity", "maintenance", "deficit"),
    [
        ("1000", "1050", "50"),
        ("1000", "1049.99", None),
        ("100000", "101000", "1000"),
        ("100000", "100999.99", None),
        ("-5", "0.01", "5.01"),
        ("1000", "900", None),
    ],
)
def test_a_small_deficit_is_no_margin_call(equity: str, maintenance: str, deficit: str | None) -> None:
    """RK-14: the smaller of the two"""
    money = Money(Decimal(equity))
    account = Account(
        NOW, "paper", money, money, money, Decimal(2), maintenance_margin=Money(Decimal(maintenance))
    )  # fmt: skip

    assert deficit_of(account) == (None if deficit is None else Decimal(deficit))


def test_a_year_is_remembered_and_no_more() -> None:
    """RK-14"""
    house = a_house_that_falls_short(3)
    for day in (date(2025, 11, 1), date(2025, 12, 1), date(2026, 11, 19)):
        house.desk.record(MarginDeficitSeen(day, Money(Decimal(9)), Money(Decimal(30))))

    assert list(house.desk.margin.state.deficits) == [date(2025, 12, 1), date(2026, 11, 19)]
