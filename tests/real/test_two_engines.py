"""Engines for one account, started in the same instant: one serves, each other says so and ends."""

from __future__ import annotations

from state.lock import holder
from tests.real.account import Account


def test_of_engines_started_at_once_one_serves(account: Account) -> None:
    """SP-04, SY-01: each other one says in one line whose account it is"""
    engines = [account.engine() for _ in range(3)]
    account.until(lambda: sum(each.is_alive() for each in engines) == 1, "all but one have ended")

    (winner,) = [each for each in engines if each.is_alive()]
    winner.until_it_listens()
    for each in engines:
        if each is not winner:
            assert each.process.returncode == 2
            (line,) = each.said().splitlines()
            assert f"process {winner.pid}" in line

    desk = account.desk()
    desk.until_attached()
    assert account.count("EngineStarted") == 1
    assert winner.stopped() == 0
    assert holder(account.folder) is None
    assert account.journal_is_whole()
