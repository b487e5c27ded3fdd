"""Faults of a desk whose day changes or whose machine sleeps, planted to see that a session finds each (MD-10, EX-23).

Each is one function that patches the product in one place, or in two that cover for each other.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.strategies.runner import RunnerContexts
from core.trading_state.announced_sessions import AnnouncedSessions
from core.workflows.orders.taken_ids import TakenIds
from core.workflows.protection import protections
from core.workflows.protection.protections import MarginMonitor
from core.workflows.session_watch import SessionWatch
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.strategy_signals import ExitRules


def an_announcement_is_not_followed(patch: pytest.MonkeyPatch) -> None:
    """The calendar is as it was read first (MD-10)."""
    patch.setattr(SessionWatch, "follow", lambda *_: None)


def an_announcement_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """It is recorded, and the next start reads the table alone (MD-10)."""
    patch.setattr(AnnouncedSessions, "_announced", lambda *_: None)


def a_strategy_keeps_the_old_close(patch: pytest.MonkeyPatch) -> None:
    """The calendar follows, and neither the session that has begun nor the rules of exits do (ST-02)."""
    patch.setattr(RunnerContexts, "follow", lambda *_: None)
    patch.setattr(ExitRules, "_is_late", lambda *_: False)


def a_ticket_outlives_a_sleep(patch: pytest.MonkeyPatch) -> None:
    """It stays open over a jump of the clock (EX-23)."""
    patch.setattr(Proposals, "after_jump", lambda *_: None)


def no_deficit_is_told(patch: pytest.MonkeyPatch) -> None:
    """Maintenance over the equity is in the account pane alone (RK-14)."""
    patch.setattr(MarginMonitor, "see", lambda *_: None)


def only_the_first_deficit_is_told(patch: pytest.MonkeyPatch) -> None:
    """However large it grows (RK-14)."""
    patch.setattr(protections, "CLEARLY", Decimal(1_000_000))


def a_taken_id_proves_nothing(patch: pytest.MonkeyPatch) -> None:
    """An order whose id the broker gave to another one before stays in doubt (EX-24)."""
    patch.setattr(TakenIds, "on_looked_up", lambda *_: iter(()))


TIME_FAULTS = (
    an_announcement_is_not_followed,
    an_announcement_is_forgotten,
    a_strategy_keeps_the_old_close,
    a_ticket_outlives_a_sleep,
    no_deficit_is_told,
    only_the_first_deficit_is_told,
    a_taken_id_proves_nothing,
)
