"""The demo's account over its restarts: its exchange keeps its rules, its symbols stay, and its disk may fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.brokers.simulated.config import FIRST_EDITION
from core.facts import ProposalStaged
from core.messages.commands import Kill, Rearm
from core.model.basket import BasketSource
from core.model.signal import ExitReason
from core.ports import OperatorError
from core.runtime.virtual import VirtualRuntime
from state.files import AccountFolder
from state.housekeeping import Housekeeping
from state.kill_switch import FileKillSwitch

BUSY = DemoOptions(operator="confirm-all")
PLAIN = DemoOptions(profile="micro")


@contextmanager
def demo(home: Path, request: DemoOptions = PLAIN) -> Iterator[VirtualRuntime]:
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(home)}), request, stack)
        runtime.pace.speed = None
        yield runtime


def until_it_holds(runtime: VirtualRuntime, symbol: str | None = None) -> None:
    runtime.run(until=runtime.at + timedelta(seconds=1))
    while not [p for p in runtime.engine.state.ledger.positions() if symbol in (None, p.symbol)]:
        assert runtime.step()


def test_a_plain_demo_resumes_a_busy_one(tmp_path: Path) -> None:
    """EX-09, SP-05: the account keeps the symbols and the rules that it was opened with."""
    with demo(tmp_path, BUSY) as busy:
        until_it_holds(busy)
        held = {p.symbol for p in busy.engine.state.ledger.positions()}
        busy.stop("left")

    with demo(tmp_path) as plain:
        plain.run(until=plain.at + timedelta(seconds=1))

        assert plain.engine.state.control.state.is_reconciled
        ours = {p.symbol: p.quantity for p in plain.engine.state.ledger.positions()}
        assert ours == {p.symbol: p.quantity for p in plain.exchange.picture(plain.at).positions}
        assert held <= set(ours)


def test_an_exchange_keeps_its_opening_rules(tmp_path: Path) -> None:
    """EX-09"""
    with demo(tmp_path) as first:
        first.stop("left")

    other = DemoOptions(profile="micro", overrides=("exchange.cash=150",))
    with pytest.raises(OperatorError, match="this account was opened with 200"), demo(tmp_path, other):
        pass


def test_an_old_account_keeps_its_rules(tmp_path: Path) -> None:
    """EX-20, EX-09: its log names no edition; what filled then is held now, and the books agree."""
    with pytest.MonkeyPatch.context() as before:
        before.setattr("core.runtime.simulated_exchange.edition_of", lambda _records: FIRST_EDITION)
        with demo(tmp_path, BUSY) as first:
            until_it_holds(first)
            first.stop("left")
    opening = (tmp_path / "state" / "demo" / "exchange.jsonl").read_text().splitlines()[0]
    assert "edition" not in opening

    with demo(tmp_path) as again:
        again.run(until=again.at + timedelta(seconds=1))

        ours = {p.symbol: p.quantity for p in again.engine.state.ledger.positions()}
        assert ours
        assert ours == {p.symbol: p.quantity for p in again.exchange.picture(again.at).positions}
        assert again.engine.state.control.state.is_reconciled


def test_a_held_symbol_cannot_be_left_out(tmp_path: Path) -> None:
    """EX-09, OP-06: nobody would watch its stop."""
    with demo(tmp_path, BUSY) as busy:
        until_it_holds(busy, "BAC")
        busy.stop("left")

    alone = DemoOptions(profile="micro", overrides=("symbols=['SPY']",))
    with pytest.raises(OperatorError, match=r"BAC.*not among the symbols"), demo(tmp_path, alone):
        pass


def test_an_exchange_without_its_log_is_refused(tmp_path: Path) -> None:
    """EX-09, EX-20"""
    with demo(tmp_path, BUSY) as busy:
        until_it_holds(busy)
        busy.stop("left")
    (tmp_path / "state" / "demo" / "exchange.jsonl").write_text("")

    with pytest.raises(OperatorError, match="is gone while the journal has orders"), demo(tmp_path):
        pass


def test_an_unwritable_checkpoint_is_reported(tmp_path: Path) -> None:
    """SP-06, SP-02"""
    with demo(tmp_path) as runtime:
        keeper = runtime.keeper
        assert isinstance(keeper, Housekeeping)
        documents = tmp_path / "state" / "demo" / "documents.json"
        documents.unlink(missing_ok=True)
        (documents / "in the way").mkdir(parents=True)
        keeper.saved_at = float("-inf")

        keeper.look(runtime)

        assert any("cannot be written" in note for note in runtime.engine.notes)
        assert runtime.engine.state.control.halts == {}


def test_a_flattening_after_a_kill_is_staged(tmp_path: Path) -> None:
    """OP-08"""
    with demo(tmp_path, BUSY) as runtime:
        until_it_holds(runtime)
        runtime.operator = None
        switch = runtime.latch.switch
        assert isinstance(switch, FileKillSwitch)
        another_terminal = FileKillSwitch(AccountFolder(switch._path.parent), {})
        staged: list[ProposalStaged] = []
        runtime.engine.state.add_listener(lambda _s, _a, fact: keep(staged, fact))
        another_terminal.latch("command")
        beat_and_obey(runtime)

        another_terminal.latch("command", flatten=True)
        for _ in range(3):  # the kill once more, the proposals, their basket
            beat_and_obey(runtime)

        assert runtime.engine.state.control.killed_by == "command"
        held = {p.symbol for p in runtime.engine.state.ledger.positions()}
        assert {fact.proposal.symbol for fact in staged} == held
        assert {fact.proposal.exit_reason for fact in staged} == {ExitReason.KILL}
        run = runtime.engine.state.plans.run
        assert run is not None
        assert run.plan.source is BasketSource.FLATTEN
        assert {line.proposal.symbol for line in run.plan.lines} == held


def keep(staged: list[ProposalStaged], fact: object) -> None:
    if isinstance(fact, ProposalStaged):
        staged.append(fact)


def beat_and_obey(runtime: VirtualRuntime) -> None:
    runtime.beat()
    runtime.step()


def test_the_environment_keeps_a_desk_killed(tmp_path: Path) -> None:
    """OP-08"""
    with ExitStack() as stack:
        environ = {"KEYTURN_HOME": str(tmp_path), "KEYTURN_KILL": "1"}
        runtime = demo_runtime(Host.of(environ), PLAIN, stack)
        runtime.pace.speed = None
        beat_and_obey(runtime)

        runtime.obey(Rearm("REARM"))

        assert runtime.engine.state.control.killed_by == "environment"
        assert any("unset KEYTURN_KILL" in note for note in runtime.engine.notes)


def test_a_kill_needs_no_writable_switch(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-07, SP-06"""
    with demo(tmp_path, BUSY) as runtime:
        until_it_holds(runtime)
        runtime.operator = None
        runtime.latch.switch = NoRoom()

        runtime.obey(Kill("key"))

        assert runtime.engine.state.control.killed_by == "key"
        assert [note.replace(str(tmp_path), "HOME") for note in runtime.engine.notes] == snapshot
        assert not [o for o in runtime.engine.state.ledger.working_entries() if not o.is_cancelling]


class NoRoom:
    """A switch on a disk without room for a file."""

    def is_on(self) -> str | None:
        return None

    def latch(self, by: str) -> None:
        raise OSError(28, "No space left on device")

    def release(self) -> None:
        raise OSError(28, "No space left on device")
