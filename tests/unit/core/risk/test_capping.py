"""What keeps an order from being larger: its ticket names the limit that one step more would pass."""

from __future__ import annotations

from decimal import Decimal

from core.model.instrument import NoInstrument
from core.model.values import Quantity
from core.risk.checks.order import most_shares
from core.risk.price_history import DAYS, AverageVolume, Volumes
from core.risk.sizing_inputs import cap_of
from core.settings.risk import ANY_QUANTITY
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY
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


@table(
    "part days shares most",
    ("0.01", DAYS, ANY_QUANTITY, "30"), ("0.01", DAYS, "20", "20"), ("0.01", DAYS - 1, ANY_QUANTITY, None),
    ("0.01", 0, "20", "20"), ("1", DAYS, ANY_QUANTITY, None),
)  # fmt: skip
def test_a_part_of_a_volume_limits_an_order_once_it_is_known(
    part: str, days: int, shares: Decimal | str, most: str | None
) -> None:
    """RK-23: of 3,000 shares a day over twenty days; all of it is no limit"""
    volumes = Volumes()
    if days:
        volumes.state.by_symbol[SPY] = AverageVolume(Quantity(Decimal(3000)), days, THURSDAY)
    terms = settings(order_size={"of_volume": part, "shares": str(shares)})

    found = most_shares(SPY, a_desk(settings=terms, volumes=volumes))

    assert found == (None if most is None else Decimal(most))
