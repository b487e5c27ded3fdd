"""A plan of two orders on the real engine: as it waits for its key, and as it is over."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from console.surroundings import NoSurroundings
from core.explain import chain_of
from core.ports import Recorded
from core.views import DeskView
from tests.scenarios.house import House
from tests.scenarios.plans import a_buy, a_house_that_holds, a_sale, marks, opens, runs_out, signs


@cache
def plan_that_waits() -> DeskView:
    return _marked().line.picture()


@cache
def plan_that_is_over() -> DeskView:
    house = _marked()
    signs(house)
    runs_out(house)
    return house.line.picture()


class JournalOfOrders(NoSurroundings):
    """The journal of the house in which plans are made, for whoever asks why."""

    def why(self, order_id: str) -> Iterable[Recorded]:
        return chain_of(order_id, list(_holding().journal.records()))


@cache
def orders_of_a_plan() -> DeskView:
    """Two positions that a plan bought."""
    return _holding().line.picture()


@cache
def _holding() -> House:
    return a_house_that_holds("AAA", "BBB", quantity="60")


def _marked() -> House:
    house = a_house_that_holds("AAA", "BBB", quantity="60")
    opens(house, a_buy("GGG", "45"), a_sale("AAA"))
    marks(house)
    return house
