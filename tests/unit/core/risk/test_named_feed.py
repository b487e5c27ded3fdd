"""A volume of one exchange is named as such where it is used (MD-01)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.model.bar import Feed
from core.model.values import Quantity
from core.risk.checks.order import OrderSizeCheck
from core.risk.price_history import DAYS, AverageVolume, Volumes
from core.settings.settings import Settings
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY
from tests.unit.core.risk.reviews import a_candidate, a_desk, a_quote


@pytest.mark.parametrize(("feed", "is_named"), [(Feed.IEX, True), (Feed.SIP, False)])
@pytest.mark.parametrize("shares", ["30", "3000"])
def test_the_part_of_an_average_day_names_its_feed(feed: Feed, is_named: bool, shares: str) -> None:
    """Refused and passed alike: the day's volume on IEX is a fortieth of that of all exchanges."""
    volumes = Volumes()
    volumes.state.by_symbol[SPY] = AverageVolume(Quantity(Decimal(shares)), DAYS, THURSDAY)
    settings = Settings.model_validate({"risk": {"order_size": {"of_volume": "0.01"}}})
    verdict = OrderSizeCheck().review(
        a_candidate(), a_desk(settings=settings, volumes=volumes, quote=a_quote(feed=feed))
    )

    assert verdict is not None
    assert ("IEX" in verdict.reason) is is_named
