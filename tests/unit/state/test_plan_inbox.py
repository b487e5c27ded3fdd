"""A basket that a command hands to the running engine is taken once, read again, and never kept for later (OP-05)."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest

import state.basket_inbox
from core.messages.commands import OpenBasket
from core.model.basket import BasketSource, Deployment, DeploymentWeight
from core.model.values import Money
from state.basket_inbox import BasketInbox, hand_over
from state.files import AccountFolder

TEXT = "symbol,side\nSPY,sell\n"
AN_HOUR = 3600.0
UNREADABLE = b'{"name": "a", "text": "symbol,side\\nSPY,buy\\n", "deploy": {"amount": "NaN", "weight": "risk"}}'
A_DEPLOYMENT = Deployment(Money(Decimal(5000)), DeploymentWeight.RISK)


@pytest.fixture(autouse=True)
def waits_for_slow_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.basket_inbox, "FRESH_SECONDS", AN_HOUR)


def test_a_plan_is_taken_once(folder: AccountFolder) -> None:
    """OP-05"""
    hand_over(folder, "flat.csv", TEXT, None)
    inbox = BasketInbox(folder)

    taken = inbox.take()

    assert isinstance(taken, OpenBasket)
    assert (taken.source, taken.name, [row.symbol for row in taken.rows]) == (BasketSource.FILE, "flat.csv", ["SPY"])
    assert inbox.take() is None


def test_what_is_to_be_deployed_comes_with_it(folder: AccountFolder) -> None:
    """RK-18"""
    hand_over(folder, "in.csv", "symbol,side,stop_price\nSPY,buy,490\n", A_DEPLOYMENT)

    taken = BasketInbox(folder).take()

    assert isinstance(taken, OpenBasket)
    assert taken.deploy == A_DEPLOYMENT


def test_an_old_plan_is_dropped(folder: AccountFolder, snapshot) -> None:
    """EX-20: it was meant for an engine that is gone."""
    hand_over(folder, "flat.csv", TEXT, None)
    os.utime(folder.plan_request, (1_000, 1_000))
    inbox = BasketInbox(folder)

    assert inbox.take() == snapshot
    assert inbox.take() is None


@pytest.mark.parametrize("content", [b"", b"nonsense", b"{}", b'{"name": "a", "text": "", "deploy": null}', UNREADABLE])
def test_what_cannot_be_read_is_said_and_gone(folder: AccountFolder, content: bytes) -> None:
    """OP-05"""
    folder.plan_request.write_bytes(content)
    inbox = BasketInbox(folder)

    told = inbox.take()

    assert isinstance(told, str)
    assert told.startswith("a basket was not opened: ")
    assert inbox.take() is None
