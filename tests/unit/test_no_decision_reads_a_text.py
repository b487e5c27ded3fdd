"""Reasons are codes: what a person reads may be put otherwise at any time, and nothing else changes (SP-07)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.unit.texts_read import sources, texts_read

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "console", "widgets", "state")
AUDIT = ("auditor.py", "plan_audit.py")
MARKED = "  # read"

READS_ALL_THE_SAME: Mapping[tuple[str, str], str] = {
    (
        "core/brokers/alpaca/refusals.py",
        "speaks_of_its_id",
    ): "the broker gives no code for it; read towards doubt alone",
    ("core/brokers/alpaca/fields.py", "Fields.known_word"): "words of the broker's protocol, by its table",
    ("core/brokers/alpaca/wire.py", "_words"): "a library's error is told in words of ours",
    ("core/market/alpaca/wire.py", "read_status"): "an exchange's status whose code nobody knows (MD-07)",
    ("core/model/account_event.py", "_kind"): "the words of a settings key, by its own forms",
    ("core/model/said_once.py", "SaidOnce.is_new"): "the same words are not told twice",
    ("core/model/staging.py", "Verdict.__eq__"): "whether two say the same",
    ("core/runtime/strategy_host/child.py", "Child.run"): "words of the pipe's protocol, by its table",
    ("core/runtime/strategy_host/child.py", "Child._asked_for"): "words of the pipe's protocol",
    ("core/runtime/strategy_host/pipe_messages.py", "answer_in"): "words of the pipe's protocol, by its table",
    ("core/post_mortem/control_trips.py", "_refused"): "names of checks in a basket's reasons, for a person's report",
    ("core/post_mortem/control_trips.py", "_judged"): "what measured nothing, for a person's report",
    ("core/strategies/memory.py", "StrategyMemory.count"): "reasons for no trade are counted by their names",
    ("core/strategies/orchestrator.py", "Orchestrator._counted"): "reasons for no trade are counted by their names",
    ("core/strategies/questions.py", "StrategyQuestions._show"): "reasons for no trade are counted by their names",
    ("core/strategies/questions.py", "StrategyQuestions._keep"): "reasons for no trade are counted by their names",
    ("core/views/event_text/staging.py", "_approval"): "names of checks",
    (
        "console/commands/assembly/engine_process.py",
        "own_words",
    ): "which of two programs' lines is shown to a person; nothing is decided by it",
    ("console/ticket/lines.py", "_to_review"): "what its key mends, for a person",
    ("state/unread.py", "Unread._note"): "the same words are told once, with their count",
    ("state/restoring.py", "_unsound_exchange"): "an error is told in half",
    ("state/settings_file.py", "_first_set"): "which settings a validator's message names, for a person",
    ("tests/simulation/auditor.py", "Auditor._halted"): "the fault that a session planted itself",
    ("tests/simulation/plan_audit.py", "PlanAudit._as_written"): "the row of the file that an order says it is",
}
"""By file and function: why."""

TABLE = "core/facts/older_records.py"
"""The one place that reads the words of old records."""


def all_sources() -> dict[str, str]:
    found = sources(*(ROOT / room for room in ROOMS))
    audit = {f"tests/simulation/{name}": (ROOT / "tests" / "simulation" / name).read_text() for name in AUDIT}
    return {**found, **audit}


def test_no_decision_reads_a_text() -> None:
    """SP-07"""
    found = [read for read in texts_read(all_sources()) if read.file != TABLE]

    assert [str(read) for read in found if (read.file, read.function) not in READS_ALL_THE_SAME] == []


def test_whatever_reads_a_text_all_the_same_is_named_and_still_there() -> None:
    """SP-07"""
    found = {(read.file, read.function) for read in texts_read(all_sources())}

    assert found >= READS_ALL_THE_SAME.keys()


def test_each_way_to_read_a_text_is_found_and_nothing_else() -> None:
    """SP-07"""
    example = (Path(__file__).parent / "examples_of_reading.txt").read_text()
    said = 'NEVER_ARRIVED = "never arrived"\nSHORT = "held"\n'
    marked = {number for number, line in enumerate(example.split("\n"), 1) if line.endswith(MARKED)}

    found = texts_read({"core/example.py": example, "core/words.py": said})

    assert {read.line for read in found} == marked
    assert {read.function for read in found} == {"decides"}
