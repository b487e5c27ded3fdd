"""Sessions in which the exit rules speak often, and every entry is signed with its exits: faults and crashes too."""

from __future__ import annotations

from functools import partial

import pytest
from simulation import play as playing
from simulation.play import Played, play
from simulation.sessions import Profile, session_of

from core.exits.terms import ExitTerms
from core.facts import ExitReleased
from core.inputs import OpenTicket
from core.settings import Settings
from core.workflows import unattended

SEED = 20_131_009
SESSIONS = 30
TIGHT = {"not_for": (), "by_hand": True, "profit_target": "0.003", "stop": "0.003", "trail": "0.004"}


def test_exits_that_go_out_unattended_lose_double_and_uncover_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """ST-09, OP-06, EX-13, EX-20, EX-21"""
    plainly, released = Profile.settings, []

    def settings(profile: Profile) -> Settings:
        return plainly(profile).model_copy(update={"exits": ExitTerms.model_validate(TIGHT)})

    def counted(*fields: object) -> ExitReleased:
        released.append(fields)
        return ExitReleased(*fields)  # type: ignore[arg-type]

    monkeypatch.setattr(Profile, "settings", settings)
    monkeypatch.setattr(playing, "OpenTicket", partial(OpenTicket, unattended=True))
    monkeypatch.setattr(unattended, "ExitReleased", counted)
    played = Played()
    for number in range(SESSIONS):
        played.add(play(session_of(SEED, number)))

    assert not played.failures
    zeros = played.zeros
    assert (zeros.lost, zeros.doubled, zeros.differing, zeros.bare, zeros.loose) == (0, 0, 0, 0, 0)
    assert len(released) > SESSIONS / 3
