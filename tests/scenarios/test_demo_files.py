"""The account of a demo over its restarts, and the first day of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.attach import PROFILES as ASKED
from console.commands.assembly.attach import choose_profile, is_first_start
from console.commands.assembly.engine_process import known_account
from console.commands.assembly.host import Host
from console.commands.assembly.settings import is_simulated, settings_of
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.brokers.simulated.config import FIRST_EDITION
from core.facts import ProposalStaged
from core.messages.commands import Kill, Rearm
from core.model.basket import BasketSource
from core.model.signal import ExitReason
from core.ports import Checkpoint, OperatorError
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import PROFILES
from state.documents import TinyDocuments
from state.files import AccountFolder
from state.housekeeping import Housekeeping
from state.kill_switch import FileKillSwitch
from tests.scenarios.backtests import Keyturn

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
        assert ours == {p.symbol: p.quantity for p in plain.exchange.books(plain.at).positions}
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
        assert ours == {p.symbol: p.quantity for p in again.exchange.books(again.at).positions}
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
        for _ in range(2):  # it is written beside the engine, which hears of it when the next one is due
            keeper.saved_at = float("-inf")
            keeper.look(runtime)
            keeper.checkpoints.join()

        assert any("cannot be written" in note for note in runtime.engine.notes)
        assert runtime.engine.state.control.halts == {}


def test_no_checkpoint_is_written_after_the_lock_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SP-02, SP-04: documents beside a journal that was swapped meanwhile would keep the next start from beginning."""
    save, is_waited_for = TinyDocuments.save, Event()

    def save_late(documents: TinyDocuments, checkpoint: Checkpoint) -> None:
        is_waited_for.wait()
        save(documents, checkpoint)

    try:
        with demo(tmp_path) as runtime:
            keeper = runtime.keeper
            assert isinstance(keeper, Housekeeping)
            monkeypatch.setattr(TinyDocuments, "save", save_late)
            keeper.checkpoints.begin()
            writing = keeper.checkpoints._writing
            assert writing is not None
            join = writing.join
            monkeypatch.setattr(writing, "join", lambda: (is_waited_for.set(), join()))
        assert not keeper.checkpoints.is_busy
    finally:
        is_waited_for.set()


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


KEYS = {"APCA_API_KEY_ID": "PKTEST", "APCA_API_SECRET_KEY": "secret"}


def a_host(tmp_path: Path, **environ: str) -> Host:
    return Host.of({"KEYTURN_HOME": str(tmp_path), **environ})


def test_simulated_overrides_the_broker_of_the_settings(tmp_path: Path) -> None:
    """SY-09: in the environment, so that the engine that is started has it too."""
    host = a_host(tmp_path, KEYTURN_ACCOUNT__BROKER="alpaca").simulated()
    folder = known_account(host)

    assert is_simulated(settings_of(host))
    assert folder is not None
    assert folder.name == "demo"


def test_simulated_applies_to_a_command_too(keyturn: Keyturn) -> None:
    """SY-09: the command goes to the exchange's engine; it is refused for another machine."""
    answer, elsewhere = keyturn("--simulated", "engine", "status"), keyturn("--simulated", "--host", "me@there")

    assert "simulated" not in answer.err
    assert answer.code == 3
    assert elsewhere.code == 2


@pytest.mark.parametrize(
    ("environ", "text", "is_first"),
    [
        (KEYS, None, True),
        (KEYS, 'symbols = ["SPY"]\n', True),
        (KEYS, 'profile = "swing"\n', False),
        (KEYS, '\ufeffprofile = "swing"\n', False),
        (KEYS | {"KEYTURN_PROFILE": "swing"}, None, False),
        (KEYS | {"KEYTURN_ACCOUNT__BROKER": "simulated"}, None, False),
        ({}, None, False),
    ],
)
def test_the_profile_is_asked_for_once(
    tmp_path: Path, environ: dict[str, str], text: str | None, is_first: bool
) -> None:
    """SY-09: at a broker, where nobody has said it; without keys nothing starts, and nothing is asked."""
    host = a_host(tmp_path, **environ)
    if text is not None:
        host.home.settings.write_text(text, encoding="utf-8")

    assert is_first_start(host, settings_of(host)) is is_first


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_answer_is_the_files_first_line(tmp_path: Path, mark: str) -> None:
    """SY-09: what stands in it stays, after an editor's byte order mark too; another word is asked for again."""
    host, words = a_host(tmp_path, **KEYS), iter(["large", "swing"])
    host.home.settings.write_text(f'{mark}symbols = ["QQQ"]\n', encoding="utf-8")

    chosen = choose_profile(host, lambda _question: next(words), lambda _line: None)

    assert set(ASKED) == set(PROFILES)
    assert (chosen, settings_of(host).profile, settings_of(host).symbols) == ("swing", "swing", ("QQQ",))
    assert not is_first_start(host, settings_of(host))


def test_no_answer_starts_nothing(tmp_path: Path) -> None:
    """SY-09"""

    def hangs_up(_question: str) -> str:
        raise EOFError

    host = a_host(tmp_path, **KEYS)

    with pytest.raises(OperatorError):
        choose_profile(host, hangs_up, lambda _line: None)
    assert not host.home.settings.exists()
