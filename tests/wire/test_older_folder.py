"""A folder older than its account, over real sockets: the broker lists its later orders no more (EX-24)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import OrderCreated, OrderStateChanged, OrderStateUnknown, ReconciliationFailed, UnknownOrdersFound
from core.messages.commands import ProposeClose, RequestCancel
from core.model.codes import EndCode, ReadOnlyCode
from core.model.order import OrderStatus, Side
from core.views import DeskView
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import (
    SPY,
    Open,
    a_desk,
    posts,
    started,
    status_of,
    turn,
    two_shares_are_bought,
    waits,
    written,
)
from tests.wire.test_leaving import a_limit


def is_guarded(view: DeskView) -> bool:
    return bool(view.positions) and view.positions[0].covered == abs(view.positions[0].quantity)


def copied(home: Path, name: str) -> Path:
    """The folder as it is on the disk while the engine runs, which is what a kill leaves."""
    left = home.with_name(name)
    shutil.copytree(home, left)
    return left


def a_folder_put_back(market: LoopbackExchange, home: Path) -> Path:
    """It knows two shares and their stop; after it an entry rested and was cancelled, eight days ago by now."""
    with a_desk(market, home) as desk:
        two_shares_are_bought(desk)
        waits(desk, is_guarded, "its stop")
        left = copied(home, "put-back")
        later = turn(desk, a_limit(desk, "0.98", "1"))
        waits(desk, lambda _: status_of(desk, later) is OrderStatus.SUBMITTED, "it rests")
        desk.sends(RequestCancel(later))
        waits(desk, lambda _: status_of(desk, later) is OrderStatus.CANCELLED, "it is gone")

    def ages() -> None:
        market.floor.papers.of(later).submitted_at -= timedelta(days=8)

    market.call(ages)
    return left


@contextmanager
def a_close_refused(market: LoopbackExchange, home: Path) -> Iterator[Open]:
    """The key on a close is turned at a desk whose books agree."""
    with a_desk(market, home) as desk:
        waits(desk, is_guarded, "its stop")
        turn(desk, ProposeClose(SPY))
        yield desk


def sold(market: LoopbackExchange) -> list[Decimal]:
    return [order.filled_quantity for order in market.orders() if order.side is Side.SELL and order.filled_quantity]


def ends(desk: Open) -> list[EndCode]:
    changes = [fact for fact in written(desk) if isinstance(fact, OrderStateChanged)]
    return [fact.code for fact in changes if fact.after is OrderStatus.REJECTED]


def test_the_first_key_closes_under_a_new_id(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-24: `client_order_id must be unique`; one sale, no stop behind it, and nothing opens any more"""
    home = a_folder_put_back(market, tmp_path / "home")
    before = posts(market)
    with a_close_refused(market, home) as desk:
        waits(desk, lambda view: not view.positions and view.status.word == "read-only", "the sale")

    assert (posts(market) - before, sold(market), market.positions()) == (2, [Decimal(2)], ())
    assert ends(desk) == [EndCode.SENT_AGAIN]
    assert [f.code for f in written(desk) if isinstance(f, ReconciliationFailed)][-1] is ReadOnlyCode.OLDER


@pytest.mark.parametrize("has_answer", [False, True])
def test_a_kill_between_refusal_and_resend_sells_once(
    market: LoopbackExchange, tmp_path: Path, has_answer: bool
) -> None:
    """EX-24, EX-20: the machine dies while whose order that is cannot be looked up, or once the sale went again"""
    home = a_folder_put_back(market, tmp_path / "home")
    market.make("server-error", of="order", times=1000)
    with a_close_refused(market, home) as desk:
        waits(desk, lambda _: any(isinstance(fact, OrderStateUnknown) for fact in written(desk)), "the refusal")
        if has_answer:
            market.end()
            waits(desk, lambda _: any(isinstance(fact, UnknownOrdersFound) for fact in written(desk)), "the proof")
        left = copied(home, "left")
    market.end()
    with started(market, left) as desk:
        waits(desk, lambda view: view.status.word == "read-only" and not view.positions, "the sale")

    again = [fact for fact in written(desk) if isinstance(fact, OrderCreated) and fact.again_of is not None]
    assert (sold(market), market.positions(), len(again)) == ([Decimal(2)], (), 1)
    assert EndCode.SENT_AGAIN in ends(desk)
    assert len([fact for fact in written(desk) if isinstance(fact, UnknownOrdersFound)]) == 1
