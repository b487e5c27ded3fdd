"""Sessions from desks that come and go, and faults of the key that they must find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from simulation.play import Played, play
from simulation.sessions import session_with_desks

from core.messages.commands import Command, Confirm
from core.workflows.operator import key_holding
from core.workflows.operator.attending import Attending
from core.workflows.operator.desk_rights import DeskRights
from core.workflows.operator.key_holding import KeyHolding

SEED = 20_131_008
SOME = 10
ENOUGH = 25


def test_from_desks_that_come_and_go_no_key_acts_that_was_not_its_holder_s(
    record_property: Callable[[str, object], None],
) -> None:
    """OP-13, RK-27, OP-01, OP-02"""
    played = Played()
    for number in range(SOME):
        played.add(play(session_with_desks(SEED, number)))

    assert played.failures == []
    assert not any((played.zeros.lost, played.zeros.doubled, played.zeros.differing))
    for what in ("desks lost", "hand-overs", "keys freed", "keys of desks tried", "commands refused", "confirmations"):
        assert played.reached[what] > SOME, what
        record_property(f"reached: {what}", played.reached[what])


def a_confirmation_is_accepted_from_a_watcher(patch: pytest.MonkeyPatch) -> None:
    denial = DeskRights.denial

    def lets_it_by(self: DeskRights, command: Command) -> object:
        return None if isinstance(command, Confirm) else denial(self, command)

    patch.setattr(DeskRights, "denial", lets_it_by)


def a_hand_over_leaves_its_ticket_armed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(KeyHolding, "_close_what_is_open", lambda *_: None)


def a_turned_key_crosses_a_hand_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("core.workflows.staging.confirmation.Confirmations.refuse_of_other_holds", lambda *_: None)


def a_dead_desk_keeps_the_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(key_holding, "KEPT_FOR", timedelta(days=365))


def attendance_is_ignored(patch: pytest.MonkeyPatch) -> None:
    def nothing(_self: Attending) -> Iterable[object]:
        return ()

    patch.setattr(Attending, "_resting", nothing)


FAULTS = (
    a_confirmation_is_accepted_from_a_watcher,
    a_hand_over_leaves_its_ticket_armed,
    a_turned_key_crosses_a_hand_over,
    a_dead_desk_keeps_the_key,
    attendance_is_ignored,
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_of_the_key_is_found(
    fault: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """OP-13, RK-27"""
    fault(monkeypatch)

    for number in range(ENOUGH):
        found = play(session_with_desks(SEED, number)).failures
        if found:
            break

    assert found, f"{ENOUGH} sessions did not find it"
    record_property(f"found: {fault.__name__}", f"{number + 1} sessions: {found[0].words[0]}")
    print(fault.__name__, number + 1, found[0].words[0])
