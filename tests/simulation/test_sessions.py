"""Some sessions in every run of the tests; `make simulate SESSIONS=20000` is the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from core.workflows.orders.order_updates import OrderUpdates
from tests.simulation.play import Played, Player, play
from tests.simulation.rough import ROUGH
from tests.simulation.sessions import EVENTS, IN_EVERY_SESSION, Event, session_of
from tests.simulation.shrink import shrunk

SEED = 20_131_008
PARTS = 4
A_PART = 40
"""Sessions of a part; each part is a test of its own, so that workers share them."""


@pytest.mark.parametrize("part", range(PARTS))
def test_after_faults_and_crashes_no_order_is_lost_or_doubled_and_each_position_is_the_exchange_s(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    """EX-05, EX-06, EX-09, EX-10, EX-13, EX-20, EX-21, OP-02, OP-05, OP-06, OP-07, OP-09, ST-09, SP-01, SP-03"""
    played = Played()
    for number in range(part * A_PART, (part + 1) * A_PART):
        played.add(play(session_of(SEED, number)))

    for name, times in played.reached.items():
        record_property(f"reached: {name}", times)
    assert not played.failures
    zeros = played.zeros
    assert (zeros.lost, zeros.doubled, zeros.differing, zeros.bare, zeros.loose, zeros.refused_wrongly) == (0,) * 6
    assert played.reached["orders at the exchange"] >= 3 * A_PART
    assert played.reached["restarts"] >= A_PART
    assert played.reached["baskets signed"] >= A_PART
    assert played.reached["orders of baskets at the exchange"] >= A_PART
    assert played.reached["exits that went unattended"] >= A_PART // 5
    for signed in ("sessions with a signed basket", "sessions with a typed entry signed", "sessions with exits signed"):
        assert played.reached[signed] >= A_PART // 2
    assert played.reached["attempts of advisers"] >= A_PART // 5
    assert played.faults.total() >= 4 * A_PART


def test_the_same_seed_plays_the_same_session() -> None:
    """EX-20: what failed once can be played again"""
    first, again = Player(session_of(SEED, 3)), Player(session_of(SEED, 3))
    for player in (first, again):
        for event in player.session.events:
            player.happen(event)
        player.end()

    assert first.session.events == again.session.events
    assert first.world.journal.fingerprint() == again.world.journal.fingerprint()
    assert first.world.log.records == again.world.log.records


def test_every_kind_of_event_is_drawn() -> None:
    """EX-20"""
    drawn = {event.name for number in range(60) for event in session_of(SEED, number).events}

    assert drawn == {*EVENTS, *ROUGH}


def test_no_session_is_without_a_plan_a_typed_order_and_signed_exits() -> None:
    """EX-20"""
    for number in range(60):
        drawn = {event.name for event in session_of(SEED, number).events}

        assert drawn >= {*IN_EVERY_SESSION, "the_process_dies"}


def test_a_session_that_goes_wrong_is_cut_down_to_what_makes_it_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-20: a desk that is deaf to updates and answers' fills is wrong, and few events show it"""
    monkeypatch.setattr(OrderUpdates, "_new_fills", lambda *_: [])
    wrong = next(session for session in (session_of(SEED, n) for n in range(50)) if play(session).failures)

    short = shrunk(wrong, seconds=60.0)

    assert play(short).failures
    assert len(short.events) <= 4


def test_shrinking_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-20: bounded, whatever a session costs"""
    moments = count()
    monkeypatch.setattr("tests.simulation.shrink.time", SimpleNamespace(monotonic=lambda: float(next(moments))))
    session = session_of(SEED, 1)

    short = shrunk(session, seconds=3.0)

    assert len(short.events) <= len(session.events)
    assert next(moments) < 10


def test_any_part_of_a_session_can_be_played() -> None:
    """EX-20: an event that does not fit the moment does nothing"""
    session = session_of(SEED, 5)
    for event in session.events:
        assert not play(session.having((event,))).failures


def test_a_broker_that_lists_no_executions_is_believed_all_the_same() -> None:
    """EX-05: what it counts and does not list is derived, and the update that comes later counts for nothing"""
    session = session_of(SEED, 0)
    player = Player(replace(session, profile=replace(session.profile, manners=None)))
    player.world.surprises.is_terse = True

    for event in (
        Event("an_order_is_typed", ("open", "1", "0.50", "0.30", "desk")),
        Event("time_passes", (1.0,)),
        Event("the_line_fails", ("update", "", "lost", 0.0)),
        Event("the_line_fails", ("update", "", "lost", 0.0)),
        Event("an_order_is_typed", ("open", "3", "0.50", "0.30", "desk")),
        Event("the_process_dies", (0, "", 0, False, 1.0, 0)),
        Event("an_update_is_replayed", (0,)),
        Event("an_update_is_replayed", (1,)),
    ):
        player.happen(event)
    played = player.end()

    derived = [f for f in player.fills() if ":derived:" in f.execution_id]
    assert len(derived) == 1
    assert player.world.surprises.met["update replayed"] == 2
    assert not played.failures
