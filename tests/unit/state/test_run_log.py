"""The record of runs: what was said comes back as it was, a cut line is none, a damaged one is named."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Confirm, Decline
from core.messages.desk_commands import SettingsFault, SettingsFileSeen, SettingsSource, ThesesFileSeen
from core.messages.inputs import (
    AgentRefused,
    AgentSaid,
    DraftSubmitted,
    DraftWithdrawn,
    FromAgent,
    NotificationAnswered,
    ReportAnswered,
)
from core.model.delivery import Delivery, DeliveryCode
from core.model.draft import DraftFact, DraftRequest, DraftTerms
from core.model.order import Effect, OrderType
from core.model.report_sheet import ReportSheet, Section
from core.model.values import Digest, Fraction, Price, ProposalId, Symbol, TicketId
from core.protocol.codec import COMMANDS, shape_of
from core.risk.theses import theses_of
from core.runtime.simulated_exchange import HeardFromOutside, PlayedFile, RunKind, RunLeft, RunStarted
from core.settings.settings import Settings
from state.files import AccountFolder
from state.simulated_logs import RunLogError, RunLogFile, read_runs
from tests.unit.core.protocol.anything import a_value_of

SHEET = ReportSheet("Monday", "head", (Section("result", (("fees", "0"),)),), "claude", ("calm",))
AT = datetime(2026, 1, 5, 15, 30, 0, 123456, tzinfo=UTC)


def started(sequence: int = 0, **given: Any) -> RunStarted:
    usual: dict[str, Any] = {"stage": "calm", "seed": 5, "speed": 10.0, "operator": "none"}
    return RunStarted(RunKind.DEMO, AT, sequence, 0, Settings(), **(usual | given))


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    return AccountFolder(tmp_path)


def written(folder: AccountFolder, *said: Any, run: RunStarted | None = None) -> RunLogFile:
    log = RunLogFile(folder, run or started())
    for events, each in enumerate(said):
        log.heard(HeardFromOutside(events, AT, each, "/dev/pts/3", "jo"))
    log.close()
    return log


def test_every_command_is_read_as_it_was_said(folder: AccountFolder) -> None:
    """AN-06: whatever is in it; but for its sender, whose token is written nowhere."""
    said = []
    for kind in COMMANDS:
        chance, shape = Random(kind.__name__), shape_of(kind)
        assert shape is not None
        said += [a_value_of(shape, chance) for _ in range(20)]

    written(folder, *said)

    (run,) = read_runs(folder)
    assert [each.said for each in run.heard] == said
    assert {(each.at, each.terminal, each.user) for each in run.heard} == {(AT, "/dev/pts/3", "jo")}


THESIS = {
    "says": "x",
    "strategy": "sma",
    "invalid_if": ["win rate < 45.5 % over 100 trades"],
    "since": date(2026, 11, 2),
}


def test_what_no_desk_says_comes_back_too(folder: AccountFolder) -> None:
    """AN-06: the settings file as it was seen, its fault, the theses, and the answer to a message."""
    said = [
        SettingsFileSeen(Settings(), ("a=1",), (SettingsSource(("risk", "per_trade"), "KEYTURN_X is set"),)),
        SettingsFileSeen(SettingsFault("line 3")),
        ThesesFileSeen(theses_of({"trends": THESIS}, "theses.toml", ["sma"])),
        NotificationAnswered("phone", True, (1, 2), 1, Delivery(DeliveryCode.KEPT_HERE)),
        ReportAnswered(date(2026, 1, 5), (SHEET,), agent="claude", agent_fault="late"),
    ]

    written(folder, *said)

    (run,) = read_runs(folder)
    assert [each.said for each in run.heard] == said


def test_no_token_is_written(folder: AccountFolder) -> None:
    """SY-06"""
    port = CommandPort(PortKind.CONSOLE, "/dev/pts/3", "jo")
    said: Any = port.through(Confirm(TicketId("t"), Digest("d"), Effect.OPEN))

    written(folder, said)

    text = folder.runs.read_bytes()
    assert said.sender.token not in text
    assert b"sender" not in text
    assert folder.runs.stat().st_mode & 0o777 == 0o600


def test_a_run_is_read_with_its_files_and_end(folder: AccountFolder) -> None:
    """AN-06"""
    run = started(
        files=(PlayedFile("/data/SPY.csv", "ab"),), quotes=(PlayedFile("/q", "c"),), vix=PlayedFile("/v", "d")
    )
    log = RunLogFile(folder, run)
    log.left(RunLeft(7, AT))
    log.close()

    (found,) = read_runs(folder)

    assert found.left == RunLeft(7, AT)
    for field in fields(run):
        assert getattr(found.started, field.name) == getattr(run, field.name), field.name


def test_a_cut_line_spoils_no_later_run(folder: AccountFolder) -> None:
    """AN-06"""
    written(folder)
    with folder.runs.open("ab") as file:
        file.write(b'{"events":3,"at":"2026-01-0')
    written(folder, run=started(40))

    assert [run.started.sequence for run in read_runs(folder)] == [0, 40]


def test_what_a_restore_took_back_is_left_out(folder: AccountFolder) -> None:
    """AN-06: a run that began behind where the journal stands now is undone."""
    for sequence in (0, 40, 90, 40):
        written(folder, run=started(sequence))

    assert [run.started.sequence for run in read_runs(folder)] == [0, 40]


def test_a_line_that_says_nothing_is_named(folder: AccountFolder) -> None:
    """AN-06"""
    written(folder)
    sound = folder.runs.read_bytes()
    for line in (
        b'{"events":3,"at":"2026-01-05T15:30:00Z","said":"Nothing","data":{}}\n',
        b'{"events":3,"at":"2026-01-05T15:30:00Z","said":"Decline","data":{"proposal_id":5}}\n',
        b'{"events":3}\n',
        b"what}\n",
    ):
        folder.runs.write_bytes(sound + line)
        with pytest.raises(RunLogError, match=r"runs\.ndjson, line 2"):
            read_runs(folder)


def test_a_disk_that_takes_no_line_ends_no_run(tmp_path: Path) -> None:
    """AN-06: the run goes on without its record."""
    log = RunLogFile(AccountFolder(tmp_path / "nowhere"), started())

    log.left(RunLeft(1, AT))
    log.close()

    assert read_runs(AccountFolder(tmp_path / "nowhere")) == []


def test_a_write_error_ends_the_record_not_the_run(folder: AccountFolder) -> None:
    """AN-06: half a character that somebody typed; behind it nothing is written that would hide the gap."""
    log = RunLogFile(folder, started())
    for events, reason in enumerate(("not this", "half \udc80", "another")):
        log.heard(HeardFromOutside(events, AT, Decline(ProposalId("a"), reason)))
    log.left(RunLeft(9, AT))
    log.close()

    (run,) = read_runs(folder)
    assert [each.said for each in run.heard] == [Decline(ProposalId("a"), "not this")]
    assert run.left is None


def test_what_agents_send_is_read_as_it_was(folder: AccountFolder) -> None:
    """AN-06, OP-09: so that a day with drafts can be played again."""
    price, stop = Price(Decimal("510.20")), Price(Decimal("505"))
    terms = DraftTerms(Symbol("SPY"), Effect.OPEN, None, OrderType.LIMIT, price, stop)
    facts = (
        DraftFact("SPY", "price", Decimal("510.2"), AT, "get_quote"),
        DraftFact("", "equity", Decimal(5), None, ""),
    )
    said = [
        DraftSubmitted("claude", DraftRequest("a", terms, "it is low", facts, Fraction(Decimal("0.6"))), 1),
        DraftWithdrawn("claude", "a", 2),
        AgentRefused("(unknown)", "use submit_order", is_overstep=True),
        AgentSaid("claude", "look at SPY"),
    ]
    assert {type(each) for each in said} == set(get_args(FromAgent))

    written(folder, *said)

    (run,) = read_runs(folder)
    assert [each.said for each in run.heard] == said
