"""Homes of released formats open, and mean what they meant: the same positions, trades, locks and counts."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.commands.program import build
from core.facts import BasketSigned, EngineStopped, Killed, LimitsReloaded, ProposalEdited, Rearmed
from core.facts.registry import BY_NAME
from core.ports import Checkpoint
from core.trading_state import checkpoint
from state.codec import GENESIS, decode, encode
from state.documents import TinyDocuments
from state.files import Home
from state.journal import read
from tests.journals.each import kept_lines
from tests.journals.homes import (
    ACCOUNT,
    OF_THE_START,
    account_of,
    files_of,
    folded,
    folded_in_steps,
    kept,
    kinds_of_facts,
    stated,
    stated_of,
    statement,
    told,
    unpacked,
)

SEED = int(ACCOUNT.removeprefix("demo-"))
HOMES = kept()


@pytest.fixture(scope="module", params=HOMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def kept_home(name: str, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """To be read alone."""
    return unpacked(name, tmp_path_factory.mktemp("kept"))


@pytest.fixture
def home(name: str, tmp_path: Path) -> Home:
    return unpacked(name, tmp_path)


def test_there_is_a_kept_home() -> None:
    """SP-07: and it holds what it is kept for"""
    last = stated("first")[-1]

    assert "first" in HOMES
    assert len(stated("first")) == 5, "a home of several programs"
    assert [kind for kind in ("positions", "working", "trades", "locks") if not last[kind]] == []
    facts = {BY_NAME[name].made for name in last["facts"]}
    assert {BasketSigned, Killed, Rearmed, ProposalEdited, LimitsReloaded} <= facts
    assert any(quantity.startswith("-") for _, _, quantity, _, _ in last["positions"]), "a short"
    assert any(trade[1] == "dips" for trade in last["trades"]), "a user's strategy"


def test_a_kept_journal_folds_to_what_it_did(name: str, kept_home: Home) -> None:
    """SP-07, SP-03: at the end of each program that wrote it"""
    steps = [each["after"] for each in stated(name)]

    assert [stated_of(desk) for desk in folded_in_steps(kept_home, steps)] == stated(name)


def test_a_changed_strategy_keeps_past_trades(name: str, home: Home) -> None:
    """SP-07, ST-01: its orders, positions and trades are in the journal"""
    path = home.settings.parent / "strategies" / "dips.py"
    text = path.read_text()
    path.write_text(text.replace("has_fallen = before is not None and", "has_fallen = before is None or not"))
    assert path.read_text() != text
    first = stated(name)[0]

    assert stated_of(folded(home, first["after"])) == first


def test_a_kept_home_opens_and_trades_on(name: str, home: Home) -> None:
    """SP-07, SP-02: the same desk and exchange; it trades on and leaves documents that say what its journal says"""
    environ = {"KEYTURN_HOME": str(home.settings.parent)}
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of(environ), DemoOptions(seed=SEED), stack)
        opened = statement(runtime.engine.state)
        notes = runtime.engine.notes
        runtime.pace.speed = None
        runtime.run(until=runtime.at)
        runtime.stop("seen")

    then = stated(name)[-1]
    assert {key: opened[key] for key in opened if key not in OF_THE_START} == {
        key: then[key] for key in opened if key not in OF_THE_START
    }
    assert told(notes) == []
    assert opened["reconciled"] is False
    assert isinstance(list(read(account_of(home).journal, then["after"]))[-1].fact, EngineStopped)
    documents = TinyDocuments(account_of(home))
    assert isinstance(documents.load(), Checkpoint)
    assert checkpoint.states(folded(home, documents=documents)) == checkpoint.states(folded(home))


def test_the_command_line_reads_a_kept_home(name: str, kept_home: Home) -> None:
    """SP-07, SP-01: its chain is sound, and every record has its words"""
    program = build(Host.of({"KEYTURN_HOME": str(kept_home.settings.parent)}))

    def keyturn(*words: str) -> str:
        done = CliRunner().invoke(program, list(words))
        assert done.exit_code == 0, done.output
        return done.output

    last = stated(name)[-1]["after"]
    assert keyturn("journal", "verify", "--account", ACCOUNT).split()[:4] == [str(last), "records", "in", "4"]
    assert len(keyturn("journal", "tail", "--account", ACCOUNT, "--count", "6000").splitlines()) == last


def test_kept_facts_of_this_version_are_written_the_same() -> None:
    """SP-07, SP-01: byte for byte, so that a replay's fingerprint is what it was"""
    for line in kept_lines("first"):
        record, written = decode(line), orjson.loads(line)
        again, _ = encode(record.sequence, record.at, record.fact, GENESIS)
        now = orjson.loads(again)
        if (now["fact"], now["v"]) == (written["fact"], written["v"]):
            assert again.partition(b',"sum"')[0] == line.partition(b',"sum"')[0], record


def test_every_released_fact_has_a_kept_line() -> None:
    """SP-07"""
    named = {orjson.loads(line)["fact"] for line in kept_lines("first")}

    assert len(named) == 109
    assert {type(decode(line).fact) for line in kept_lines("first")} <= set(kinds_of_facts())


def test_a_kept_home_names_no_machine_and_nobody(name: str) -> None:
    """SP-07, SY-06"""
    for place, content in files_of(name):
        assert not re.search(rb"/(home|root|tmp|work|Users)/", content), place
        assert not re.search(rb"(?i)secret|password|api.?key", content), place
