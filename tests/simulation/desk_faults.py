"""Faults of several desks on one key that are planted back, to see that a session finds each (OP-13)."""

from __future__ import annotations

import pytest

from core.workflows.operator.desk_rights import DeskRights
from core.workflows.operator.key_holding import KeyHolding
from core.workflows.staging.confirmation import Confirmations


def a_watcher_confirms(patch: pytest.MonkeyPatch) -> None:
    """Whichever desk presses it, a key counts (OP-13)."""
    patch.setattr(DeskRights, "denial", lambda *_: None)


def a_hand_over_leaves_the_ticket_armed(patch: pytest.MonkeyPatch) -> None:
    """What was open before is open after it (OP-13)."""
    patch.setattr(KeyHolding, "_close_what_is_open", lambda *_: None)


def a_key_crosses_a_hand_over(patch: pytest.MonkeyPatch) -> None:
    """What waits for its figures goes on (OP-13)."""
    patch.setattr(Confirmations, "refuse_of_other_holds", lambda *_: None)


DESK_FAULTS = (a_watcher_confirms, a_hand_over_leaves_the_ticket_armed, a_key_crosses_a_hand_over)
