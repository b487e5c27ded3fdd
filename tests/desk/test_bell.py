"""The bell and the title: a new proposal rings once, an exit that waits again and again (OP-06)."""

from __future__ import annotations

from dataclasses import replace

from console.bell import Bell
from console.display import title_of
from core.model.order import Effect, Side
from tests.desk.still_house import a_view


def test_the_bell_rings_for_proposals_and_exits() -> None:
    """OP-06"""
    entry = a_view()
    exit_row = replace(entry.proposals[0], side=Side.SELL, effect=Effect.CLOSE, expires_at=None)
    waiting_exit = replace(entry, proposals=(exit_row,), staged=entry.staged + 1)
    bell, quick = Bell(), Bell(5)

    rung = [bell.rings(entry, at) for at in (0.0, 0.1, 40.0)]
    rung += [bell.rings(waiting_exit, at) for at in (41.0, 41.1, 70.9, 71.0, 71.1, 101.0)]

    assert rung == [True, False, False, True, False, False, True, False, True]
    assert [quick.rings(waiting_exit, at) for at in (0.0, 4.9, 5.0, 9.9, 10.0)] == [True, False, True, False, True]
    assert (title_of(entry), title_of(None)) == ("(1) Keyturn", "Keyturn")
