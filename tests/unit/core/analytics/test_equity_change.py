"""The equity of a day: its parts add up to the cent, and what is missing among them is the rest."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.equity import OPEN_POSITIONS, OPENING, AccountAt, Part, equity_change
from core.model.values import Money

amounts = st.decimals("-100000", "100000", places=6, allow_nan=False)


def usd(text: str) -> Money:
    return Money(Decimal(text))


def an_account(equity: str, cash: str, cost: str) -> AccountAt:
    return AccountAt(usd(equity), usd(cash), usd(cost))


def test_trade_fee_and_dividend_explain_a_day() -> None:
    """AN-06: ten shares were held at 100 and cost 90; five were sold at 104, the rest closed at 103."""
    opening = an_account("2000", "1000", "900")
    closing = an_account("2037.24", "1522.24", "450")

    change = equity_change(
        opening, closing, [Part("SPY", usd("70"))], [Part("fee", usd("-0.01")), Part("dividend SPY", usd("2.25"))]
    )

    assert [(part.name, str(part.amount)) for part in change.parts] == [
        (OPENING, "2000.00"),
        ("SPY", "70.00"),
        (OPEN_POSITIONS, "-35.00"),
        ("fee", "-0.01"),
        ("dividend SPY", "2.25"),
    ]
    assert change.rest == 0
    assert change.closing == usd("2037.24")


def test_a_cent_that_no_part_has_is_the_rest() -> None:
    """AN-06"""
    opening, closing = an_account("1000", "1000", "0"), an_account("1001.23", "1001.23", "0")

    change = equity_change(opening, closing, moves=[Part("interest", usd("1.22"))])

    assert change.rest == usd("0.01")
    assert not change.is_explained


def test_a_split_changes_no_equity() -> None:
    """AN-06: ten at 100 became twenty at 50."""
    held = an_account("1500", "500", "900")

    change = equity_change(held, held, moves=[Part("split SPY 2 for 1", usd("0"))])

    assert [part.amount for part in change.parts[1:]] == [0, 0]
    assert change.rest == 0


@settings(max_examples=24)
@given(opening=st.tuples(amounts, amounts, amounts), moves=st.lists(st.tuples(amounts, amounts)), open_profit=amounts)
def test_parts_add_up_to_the_cent(
    opening: tuple[Decimal, Decimal, Decimal], moves: list[tuple[Decimal, Decimal]], open_profit: Decimal
) -> None:
    """AN-06: each move changes cash and cost; whatever fractions of a cent it has, none becomes a rest."""
    begins = AccountAt(*map(Money, opening))
    cash = begins.cash + sum((cash for cash, _ in moves), Decimal(0))
    cost = begins.cost + sum((cost for _, cost in moves), Decimal(0))
    ends = AccountAt(Money(cash + cost + begins.open_profit + open_profit), Money(cash), Money(cost))

    change = equity_change(begins, ends, moves=[Part("move", Money(cash + cost)) for cash, cost in moves])

    assert change.rest == 0
    assert all(part.amount == part.amount.quantize(Decimal("0.01")) for part in change.parts)
