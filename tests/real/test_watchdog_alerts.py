"""A watchdog over an engine that stays down: it ends once somebody was told."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.model import delivery
from core.model.delivery import DELIVERED, Delivery, DeliveryCode
from state.watchdog import alerts
from state.watchdog.alerts import HeldTerms, OwedAlerts
from state.watchdog.watchdog import GAVE_UP
from tests.unit.state.watchdog.test_push import TERMS, a_phone
from tests.unit.state.watchdog.test_watchdog import QUICK, Watched

NOT_SENT = Delivery(DeliveryCode.NOT_SENT)


def test_a_watchdog_stays_until_somebody_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-02: not for the seconds that one waits which was asked to end."""
    monkeypatch.setattr(delivery, "FIRST_WAIT", timedelta(seconds=0.01))
    monkeypatch.setattr(delivery, "LONGEST_WAIT", timedelta(seconds=0.02))
    watched = Watched(tmp_path, "exit:70", "die", limits=replace(QUICK, push_seconds=0.0))
    answer: Callable[[int], Delivery] = lambda _: DELIVERED if watched.said("goes on until") else NOT_SENT  # noqa: E731
    phone = a_phone(monkeypatch, answer)
    terms = HeldTerms(lambda: TERMS, tmp_path / "terms.json", lambda _: None, os.environ)
    watched.dog._push = alerts.Push(terms, OwedAlerts(tmp_path / "owed"))

    assert watched.dog.run() == GAVE_UP

    assert any("STAYS DOWN" in message.text for message in phone.heard)
    assert list((tmp_path / "owed").iterdir()) == []
