"""What keeps a key from crossing a hand-over, a lost link or a lost engine is taken away in turn, and it must tell.

Run with `-s`, it prints how many accidents each fault took.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

import console.arming
import console.screens.ticket
from console.client.engine_link import EngineLink
from console.client.remote import RemoteEngine
from console.screens.key_holder import KeyWatch
from core.messages.command_ports import Denied
from core.messages.commands import Command, Confirm
from core.runtime.service.books import EngineBooks
from core.workflows.operator.desk_rights import DeskRights
from core.workflows.operator.key_holding import KeyHolding
from tests.accidents.play import A_DESK, play_desk
from tests.accidents.served_house import ServedHouse

SEED = 7
MOST = 60
"""Accidents in which each is found."""
Patch = pytest.MonkeyPatch
pytestmark = pytest.mark.timeout(600)


def a_watcher_confirms(patch: Patch) -> None:
    denial = DeskRights.denial

    def denies(rights: DeskRights, command: Command) -> Denied | None:
        return None if isinstance(command, Confirm) else denial(rights, command)

    patch.setattr(DeskRights, "denial", denies)


def a_hand_over_closes_nothing_and_confirms(patch: Patch) -> None:
    """The engine's half: the ticket of before is as good as it was."""
    a_watcher_confirms(patch)
    patch.setattr(KeyHolding, "_close_tickets", lambda _holding, _words: None)


def a_hand_over_leaves_the_ticket_armed(patch: Patch) -> None:
    """The desk that has lost the key shows it as before; the engine refuses its key."""
    patch.setattr(KeyHolding, "_close_tickets", lambda _holding, _words: None)
    patch.setattr(KeyWatch, "takes_away", lambda _watch, _needs: False)
    patch.setattr(console.screens.ticket, "holds_key", lambda _desk: True)


def armed_over_a_lost_link(patch: Patch) -> None:
    patch.setattr(EngineLink, "doubt", None)
    patch.setattr(EngineLink, "had_gap", lambda _link, _since, _until: False)


def armed_over_a_gap(patch: Patch) -> None:
    """It knows that its engine is away, and nothing of one that is only silent."""
    patch.setattr(EngineLink, "doubt", property(lambda link: link.trouble))


def presses_are_kept_until_the_link_is_back(patch: Patch) -> None:
    """And the judge does not look at what stands there: only at what comes to the engine."""
    armed_over_a_lost_link(patch)
    patch.setattr(ServedHouse, "looks_at_the_ticket", lambda _house: None)
    kept: deque[Command] = deque()
    send, welcome = RemoteEngine.send, RemoteEngine.welcome

    def sends(desk: RemoteEngine, command: Command) -> None:
        if isinstance(command, Confirm) and (desk.link.trouble is not None or desk.account is None):
            kept.append(command)
        else:
            send(desk, command)

    def welcomes(desk: RemoteEngine, *said: object) -> None:
        welcome(desk, *said)  # type: ignore[arg-type]
        desk.link.hear()
        while kept:
            send(desk, kept.popleft())

    patch.setattr(RemoteEngine, "send", sends)
    patch.setattr(RemoteEngine, "welcome", welcomes)


def no_silence_as_the_key_arrives(patch: Patch) -> None:
    patch.setattr(console.screens.ticket, "OPENS_AFTER", 0.0)
    patch.setattr(console.screens.ticket, "REDUCES_AFTER", 0.0)
    patch.setattr(console.arming.Keyboard, "quiet_from", lambda _keyboard, _key, _silence: float("-inf"))


def halts_are_the_holders_alone(patch: Patch) -> None:
    patch.setattr(EngineBooks, "press", lambda _books, _token, kills: None)


FAULTS: dict[Callable[[Patch], None], tuple[str, ...]] = {
    a_watcher_confirms: ("a_key_of_a_watcher", "a_watchers_key"),
    a_hand_over_closes_nothing_and_confirms: ("a_hand_over",),
    a_hand_over_leaves_the_ticket_armed: ("a_hand_over",),
    armed_over_a_lost_link: ("a_cut_link", "an_engine_lost"),
    armed_over_a_gap: ("an_engine_that_stands_still",),
    presses_are_kept_until_the_link_is_back: ("a_cut_link", "an_engine_lost"),
    no_silence_as_the_key_arrives: ("a_key_as_the_key_arrives", "the_key_goes_back"),
    halts_are_the_holders_alone: ("the_other_desk_halts",),
}
"""And the kinds of accidents that are about it."""


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_the_accidents_of_two_desks_find_a_planted_fault(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """OP-04, OP-13"""
    plant(monkeypatch)

    played = play_desk(SEED, A_DESK, MOST, kinds=FAULTS[plant], deliberate=0.0, is_served=True)

    found = [failure for failure in played.failures if failure.words]
    assert found, f"not found in {played.many} accidents"
    print(f"\n{plant.__name__.replace('_', ' ')}: found by accident {played.many}, {found[-1].words[0]}")
