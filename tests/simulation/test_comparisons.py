"""A comparison that looks at less than everything finds what one of everything finds, whatever goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from core.brokers.simulated.order_book import Book
from core.execution.order import Order
from core.execution.reconciliation import Comparison
from core.messages.effects import Effect
from core.model.broker import OrderReport
from core.workflows.broker_lists import ListedOrders
from core.workflows.orders.order_updates import is_ours
from tests.simulation.play import Player
from tests.simulation.sessions import session_of

SEED = 20_131_007


def test_a_shorter_comparison_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-09: a skipped order has no news, and the cached list equals a new one"""
    take_in, look, reports = ListedOrders.take_in, ListedOrders._to_look_at, Book.reports
    compared: list[Comparison] = []
    passed_over, missed = [0], []
    kept, before = [0], [()]

    def noted(self: ListedOrders, comparison: Comparison) -> Iterator[Effect]:
        compared[:] = [comparison]
        return take_in(self, comparison)

    def checked(self: ListedOrders) -> list[Order]:
        found, listing = look(self), compared[0].listing
        left_out = [o for o in self.state.ledger.state.orders.values() if o not in found]
        passed_over[0] += len(left_out)
        missed.extend(order for order in left_out if _has_news(self, order, listing.reports.get(order.id)))
        in_order = [o for o in self.state.ledger.state.orders.values() if o in found]
        assert [id(o) for o in found] == [id(o) for o in in_order]
        return found

    def cached(self: Book, at: datetime) -> tuple[OrderReport, ...]:
        found = reports(self, at)
        whole = {name: order.whole_report() for name, order in self._listed.items()}
        assert [each for each in found if each.client_order_id in whole] == [
            whole[each.client_order_id] for each in found if each.client_order_id in whole
        ]
        assert {each.client_order_id for each in found} == {*whole, *self._packed}
        kept[0] += bool(found) and found is before[0]
        before[0] = found
        return found

    monkeypatch.setattr(ListedOrders, "take_in", noted)
    monkeypatch.setattr(ListedOrders, "_to_look_at", checked)
    monkeypatch.setattr(Book, "reports", cached)
    player = Player(session_of(SEED, 0))
    for event in player.session.events:
        player.happen(event)
    player.end()

    assert not missed
    assert passed_over[0] > 0
    assert kept[0] > 0


def _has_news(listed: ListedOrders, order: Order, report: OrderReport | None) -> bool:
    """Whether a look at it would do anything: what a comparison asks of every order."""
    is_wanted = order.is_working or order.id in listed.order_recovery.in_books
    if report is None or not is_ours(order, report):
        return is_wanted
    is_alive = report.status is not None and report.status.is_working
    is_behind = report.filled_quantity > order.filled_quantity
    return is_wanted or is_alive or is_behind or listed.state.ledger.legs.are_expected(order)
