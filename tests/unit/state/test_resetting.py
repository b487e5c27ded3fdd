"""An account that forgets: what its new journal begins with, and what a reset never takes away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.facts import EngineStarted, InstallationNamed, Killed, Rearmed, StateReset
from core.ports import Checkpoint, OperatorError
from state.documents import TinyDocuments, newest_checkpoint
from state.files import AccountFolder
from state.folder_swap import look
from state.restoring import Reset, ResetPlan, reset, restore
from state.running_engine import AlreadyRunningError, EngineLock
from tests.unit.state.accounts import NOW, a_longer_life, add, an_account, everything_in, facts_of, is_sound, modes_in


def agreeing(_plan: ResetPlan) -> bool:
    return True


def done(folder: AccountFolder) -> Reset:
    found = reset(folder, NOW, agreeing)
    assert found is not None
    return found


@pytest.fixture
def folder(tmp_path) -> AccountFolder:
    account = an_account(tmp_path / "paper")
    a_longer_life(account)
    return account


def test_the_new_journal_begins_with_the_reset(folder):
    """SP-04: when, from which last record, and which archive keeps it."""
    kept = done(folder).backup

    said, named = facts_of(folder)
    assert isinstance(said, StateReset)
    assert (said.when, said.last_record, said.backup) == (NOW, 5, kept.name)
    assert isinstance(named, InstallationNamed)
    assert newest_checkpoint(folder) is None
    assert is_sound(folder)
    assert modes_in(folder) <= {(True, 0o700), (False, 0o600), (False, 0o644)}


def test_what_was_there_can_be_restored(folder):
    """SP-04"""
    before = everything_in(folder)
    kept = done(folder).backup

    again = restore(folder, kept, look(kept), NOW, lambda _plan: True)

    assert again is not None
    after = everything_in(folder)
    assert after["journal/2026-01-05.jsonl"].startswith(before["journal/2026-01-05.jsonl"])
    assert after["documents.json"] == before["documents.json"]


def test_a_reset_keeps_the_simulated_exchange(folder):
    """SP-04, EX-09"""
    before = folder.exchange.read_bytes()

    done(folder)

    assert folder.exchange.read_bytes() == before


def test_a_simulated_reset_is_at_market_time(folder):
    """SP-04: a wall clock would send its market months ahead."""
    done(folder)

    said = facts_of(folder)[0]
    assert isinstance(said, StateReset)
    assert (said.forgotten_until.month, said.forgotten_until.day) == (1, 5)


def test_a_reset_at_a_broker_happens_now(tmp_path):
    """SP-04, EX-04"""
    folder = an_account(tmp_path / "paper", exchange=False)

    done(folder)

    said = facts_of(folder)[0]
    assert isinstance(said, StateReset)
    assert said.forgotten_until == NOW


def test_no_name_of_an_installation_comes_twice(folder):
    """EX-04: manual orders count from one again, so that under an old name their ids would come again."""
    names = {"desk"}
    for second in range(4):
        reset(folder, NOW + timedelta(seconds=second), agreeing)
        named = facts_of(folder)[1]
        assert isinstance(named, InstallationNamed)
        assert named.name not in names
        assert named.name.count("+") == 1
        names.add(named.name)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [([Killed("key")], "key"), ([Killed("key"), Rearmed()], None), ([Killed("a"), Rearmed(), Killed("b")], "b")],
    ids=["killed", "re-armed", "killed again"],
)
def test_a_kill_is_never_cleared_by_a_reset(folder, facts, expected):
    """SP-04, OP-07"""
    add(folder, [*facts, EngineStarted()])
    folder.kill_switch.write_text("command\n")

    assert done(folder).plan.killed_by == expected

    assert [fact.by for fact in facts_of(folder) if isinstance(fact, Killed)] == ([expected] if expected else [])
    assert folder.kill_switch.read_text() == "command\n"
    reset(folder, NOW + timedelta(days=1), agreeing)
    assert [fact.by for fact in facts_of(folder) if isinstance(fact, Killed)] == ([expected] if expected else [])


def test_a_kill_known_to_the_documents_stays(folder):
    """SP-04, OP-07: the journal lost its end, and with it the record of the kill."""
    TinyDocuments(folder).save(Checkpoint(9, {"control": {"killed_by": "file"}}))

    assert done(folder).plan.killed_by == "file"


def test_a_kill_with_an_unreadable_record_stays(folder, snapshot):
    """SP-04, OP-07"""
    add(folder, [Killed("key")])
    segment = folder.journal / "2026-01-05.jsonl"
    segment.write_bytes(segment.read_bytes().replace(b'"by":"key"', b'"by":7'))

    assert done(folder).plan.killed_by == snapshot


def test_a_damaged_journal_can_be_reset(folder):
    """SP-04"""
    segment = folder.journal / "2026-01-05.jsonl"
    segment.write_bytes(segment.read_bytes() + b"garbage\n")

    assert done(folder).plan.present == 5
    assert is_sound(folder)


def test_nothing_is_reset_while_an_engine_runs(folder):
    """SP-04"""
    with EngineLock(folder), pytest.raises(AlreadyRunningError, match="end it first"):
        done(folder)


def test_an_unconfirmed_reset_forgets_nothing(folder):
    """SP-04"""
    before = everything_in(folder)

    assert reset(folder, NOW, lambda _plan: False) is None

    assert everything_in(folder) == before
    assert not list(folder.archives.iterdir())


def test_an_empty_account_is_not_reset(tmp_path):
    """SP-04"""
    with pytest.raises(OperatorError, match="neither journal nor documents"):
        done(AccountFolder(tmp_path / "paper"))
