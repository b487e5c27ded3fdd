"""A basket of two orders on the real engine: as it waits for its key, and as it is over.

Panes that list what the engine can do, as its protections, stay empty: they are pictured elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache

from console.client.access import NoHostFiles
from core.facts import TicketOpened
from core.model.session import HOME
from core.model.values import Price, Quantity, Symbol
from core.ports import Recorded
from core.post_mortem.page import lines_of
from core.post_mortem.post_mortem import Read, post_mortem
from core.views import DeskView
from core.views.order_chain import chain_of
from tests.scenarios.house import House
from tests.scenarios.plans import a_buy, a_house_that_holds, a_sale, marks, opens, runs_out, signs


@cache
def plan_that_waits() -> DeskView:
    return _alone(_marked())


@cache
def plan_that_is_over() -> DeskView:
    house = _marked()
    signs(house)
    runs_out(house)
    return _alone(house)


class JournalOfOrders(NoHostFiles):
    """The journal of the house in which baskets are made, but for how many checks passed."""

    def why(self, order_id: str) -> Iterable[Recorded]:
        records = [r for r in _holding().journal.records() if not isinstance(r.fact, TicketOpened)]
        return chain_of(order_id, records)


def a_day_of_orders() -> date:
    return HOME.day_of(_holding().line.at)


class JournalOfADay(NoHostFiles):
    """The same journal, for the page of its day."""

    def explain(self, what: str) -> Iterable[str]:
        house = _holding()
        day = date.fromisoformat(what)
        read, sessions = Read(list(house.journal.records())), house.engine.state.calendar
        return lines_of(post_mortem(read, [day], HOME.day_of, sessions.session_at), is_whole=False)


class RiskOfPositions(NoHostFiles):
    def risk(self, held: Sequence[tuple[Symbol, Quantity, Price | None]], _on: date, _shocks: str) -> Iterable[str]:
        return [
            f"Risk of {len(held)} positions: gross 8,484, net 8,484 USD, by closes to 2026-01-02",
            "",
            f"{'Profit or loss by scenario':<56}{'USD':>12}{'of gross':>12}",
            f"{'March 2020':<56}{'-1,922':>12}{'-22.7 %':>12}",
            "  2020-03-09 to 2020-03-20: AAPL -1,011, IBM -911",
            f"{'shock VIX to 40':<56}{'-542':>12}{'-6.4 %':>12}",
            "  AAPL -332, IBM -210",
        ]


class ScoreOfAnAgent(NoHostFiles):
    def agent_score(self, _agent: str) -> str:
        return "last 20 days: Brier 0.213 of 12 drafts; +41.20 USD if always followed, -3.10 as followed"


@cache
def orders_of_a_plan() -> DeskView:
    """Two positions that a basket bought."""
    return _alone(_holding())


@cache
def _holding() -> House:
    return a_house_that_holds("AAA", "BBB", quantity="60")


def _alone(house: House) -> DeskView:
    return replace(house.line.view(), log=(), protections=(), strategies=())


def _marked() -> House:
    house = a_house_that_holds("AAA", "BBB", quantity="60")
    opens(house, a_buy("GGG", "45"), a_sale("AAA"))
    marks(house)
    return house
