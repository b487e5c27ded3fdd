"""What keeps an order from being larger: its ticket names the limit that one step more would pass."""

from __future__ import annotations

from core.model.instrument import NoInstrument
from core.risk.sizing_inputs import cap_of
from tests.kit.rows import table
from tests.unit.core.risk.reviews import a_candidate, a_day, a_desk, an_account, an_exit, of_equity, settings, usd


@table(
    "quantity stop words",
    ("0.499", "99.70", None),
    ("0.5", "99.70", "50 USD"),
    ("0.3", "95.01", "risk 1.50 USD"),
    ("0.298", "95.01", None),
    ("0.4", "99.70", None),
)
def test_the_first_binding_limit_is_named(quantity: str, stop: str, words: str | None) -> None:
    """OP-03, RK-02: 50 USD an order and a risk of 1.50 USD, at 100 USD a share in steps of 0.001"""
    assert cap_of(a_candidate(quantity=quantity, stop=stop), a_desk()) == words


def test_an_equity_limit_is_named_for_whole_shares() -> None:
    """OP-03: 8 % of 10,000 USD are 800; the ninth share at 100 would be 900"""
    desk = a_desk(
        account=an_account("10000", "10000"),
        opening=a_day(None),
        settings=settings(max_notional=of_equity("0.08"), per_trade=usd("100")),
    )

    assert cap_of(a_candidate(quantity="8"), desk) == "8 %"
    assert cap_of(a_candidate(quantity="7"), desk) is None


def test_exhausted_buying_power_is_named() -> None:
    """OP-03"""
    desk = a_desk(account=an_account("200", "40.05"), settings=settings(max_notional=usd("500"), per_trade=usd("9")))

    assert cap_of(a_candidate(quantity="0.4"), desk) == "buying power"


def test_exits_and_unknown_prices_have_no_cap() -> None:
    """OP-03"""
    assert cap_of(an_exit(quantity="0.5"), a_desk()) is None
    assert cap_of(a_candidate(quantity="0.5"), a_desk(instrument=NoInstrument("not asked yet"))) is None
