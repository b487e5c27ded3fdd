"""Faults of several desks on one key that are planted back, to see that a session finds each (OP-13, RK-27)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from core import facts
from core.messages.commands import Command, Confirm, SignBasket
from core.model.desk import DeskNumber
from core.workflows.baskets import BasketDrafts
from core.workflows.operator import desk_control
from core.workflows.operator.command_rights import DeskRights
from core.workflows.operator.desk_control import Attending, KeyHolding
from core.workflows.staging.confirmation import Confirmations


def a_confirmation_is_accepted_from_a_watcher(patch: pytest.MonkeyPatch) -> None:
    denial = DeskRights.denial

    def lets_it_by(self: DeskRights, command: Command) -> object:
        return None if isinstance(command, Confirm) else denial(self, command)

    patch.setattr(DeskRights, "denial", lets_it_by)


def a_watcher_signs_a_basket(patch: pytest.MonkeyPatch) -> None:
    denial = DeskRights.denial

    def lets_it_by(self: DeskRights, command: Command) -> object:
        return None if isinstance(command, SignBasket) else denial(self, command)

    patch.setattr(DeskRights, "denial", lets_it_by)


def a_hand_over_leaves_its_basket_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BasketDrafts, "put_aside", lambda *_: None)


def a_hand_over_leaves_its_ticket_armed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(KeyHolding, "_close_tickets", lambda *_: None)


def a_turned_key_crosses_a_hand_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Confirmations, "refuse_of_other_holds", lambda *_: None)


def a_dead_desk_keeps_the_key(patch: pytest.MonkeyPatch) -> None:
    def lost(desk: DeskNumber, until: datetime | None) -> facts.DeskLost:
        return facts.DeskLost(desk, until and until + timedelta(days=365))

    patch.setattr(desk_control, "facts", SimpleNamespace(**{**vars(facts), "DeskLost": lost}))


def attendance_is_ignored(patch: pytest.MonkeyPatch) -> None:
    def nothing(_self: Attending) -> Iterable[object]:
        return ()

    patch.setattr(Attending, "_resting", nothing)


DESK_FAULTS = (
    a_confirmation_is_accepted_from_a_watcher,
    a_watcher_signs_a_basket,
    a_hand_over_leaves_its_basket_open,
    a_hand_over_leaves_its_ticket_armed,
    a_turned_key_crosses_a_hand_over,
    a_dead_desk_keeps_the_key,
    attendance_is_ignored,
)
