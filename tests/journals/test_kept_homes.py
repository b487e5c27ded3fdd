"""Homes of released formats open, and mean what they meant: the same positions, trades, locks and counts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import BasketSigned, Killed, LimitsReloaded, ProposalEdited, Rearmed
from core.facts.registry import BY_NAME
from core.trading_state import checkpoint
from state.codec import GENESIS, decode, encode
from state.documents import TinyDocuments
from state.folders import Home
from state.user_strategies import kinds_in
from tests.journals.each import kept_lines
from tests.journals.homes import (
    ACCOUNT,
    account_of,
    files_of,
    folded,
    kept,
    kinds_of_facts,
    stated,
    stated_of,
    statement,
    unpacked,
)


def told(notes: Iterable[str]) -> list[str]:
    """What a start says, beside that it reads the journal anew instead of an older program's documents."""
    return [note for note in notes if "of an older Keyturn (version" not in note]


SEED = int(ACCOUNT.removeprefix("demo-"))
HOMES = kept()
OF_THE_START = {"after", "at", "starts", "reconciled", "read only"}
"""What another start changes of a statement."""


@pytest.fixture(params=HOMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


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


def test_the_journal_of_a_kept_home_folds_to_what_it_did(name: str, home: Home) -> None:
    """SP-07, SP-03: at the end of each program that wrote it"""
    for then in stated(name):
        assert stated_of(folded(home, then["after"])) == then


def test_the_documents_of_a_kept_home_say_what_its_journal_does(name: str, home: Home) -> None:
    """SP-07, SP-02: a start that takes them up is no other than one that reads all"""
    documents = TinyDocuments(account_of(home))

    kinds = kinds_in(home.settings.parent / "strategies")

    taken_up = folded(home, documents=documents, kinds=kinds)

    assert stated_of(taken_up) == stated(name)[-1]
    assert checkpoint.states(taken_up) == checkpoint.states(folded(home, kinds=kinds))


def test_the_program_opens_a_kept_home_and_goes_on_with_it(name: str, home: Home) -> None:
    """SP-07: the same desk, its exchange taken up as well; then it trades on and leaves"""
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
    assert statement(folded(home))["reconciled"] is False, "it was reconciled, and left"


def test_the_command_line_reads_a_kept_home(name: str, home: Home) -> None:
    """SP-07, SP-01: its chain is sound, and every record has its words"""
    environ = {**os.environ, "KEYTURN_HOME": str(home.settings.parent)}

    def keyturn(*words: str) -> str:
        asked = [sys.executable, "-m", "app", *words]
        return subprocess.run(asked, env=environ, capture_output=True, text=True, check=True).stdout

    last = stated(name)[-1]["after"]
    assert keyturn("journal", "verify", "--account", ACCOUNT) == f"{last} records in 4 segments hold\n"
    assert len(keyturn("journal", "tail", "--account", ACCOUNT, "--count", "6000").splitlines()) == last


def test_every_kept_fact_is_read_and_one_of_todays_version_is_written_as_it_was() -> None:
    """SP-07, SP-01: byte for byte, so that a replay's fingerprint is what it was"""
    for line in kept_lines("first"):
        record, written = decode(line), orjson.loads(line)
        again, _ = encode(record.sequence, record.at, record.fact, GENESIS)
        now = orjson.loads(again)
        if (now["fact"], now["v"]) == (written["fact"], written["v"]):
            assert again.partition(b',"sum"')[0] == line.partition(b',"sum"')[0], record


def test_a_line_is_kept_of_every_fact_that_there_was() -> None:
    """SP-07"""
    named = {orjson.loads(line)["fact"] for line in kept_lines("first")}

    assert len(named) == 109
    assert {type(decode(line).fact) for line in kept_lines("first")} <= set(kinds_of_facts())


def test_a_kept_home_names_no_machine_and_nobody(name: str) -> None:
    """SP-07, SY-06"""
    for place, content in files_of(name):
        assert not re.search(rb"/(home|root|tmp|work|Users)/", content), place
        assert not re.search(rb"(?i)secret|password|api.?key", content), place
