"""The log of a demo without a desk: the journal's facts in words, an order's whole way, and a reader that follows."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from typer.testing import CliRunner

from console.commands.assembly.engine_process import service_log
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.commands.program import build
from core.event_text import in_words
from core.facts import RELEARNED, BarClosed, OrderFilled, PositionChanged, SignalRaised
from core.facts.registry import BY_TYPE
from core.ports import OperatorError
from core.runtime.virtual import VirtualRuntime
from core.views.order_chain import chain_of
from state.journal import read
from state.service_log.files import Line, LogReader, all_files
from state.service_log.log import ServiceLog

BUSY = DemoOptions(operator="confirm-all")
PLANTED = "planted-in-the-environment"


@contextmanager
def demo(home: Path) -> Iterator[tuple[VirtualRuntime, ServiceLog]]:
    host = Host.of({"KEYTURN_HOME": str(home), "SOME_API_KEY": PLANTED})
    with ExitStack() as stack:
        runtime = demo_runtime(host, BUSY, stack)
        runtime.pace.speed = None
        log = service_log(host, runtime, stack)
        yield runtime, log


def play(home: Path, minutes: int) -> None:
    with demo(home) as (runtime, _):
        runtime.run(until=runtime.at + timedelta(minutes=minutes))
        runtime.stop("left")


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which twenty minutes were played; it is only read and copied."""
    home = tmp_path_factory.mktemp("morning")
    play(home, 20)
    return home


@pytest.fixture
def copied(morning: Path, tmp_path: Path) -> Path:
    """A copy of that home, for a test that goes on in it."""
    return shutil.copytree(morning, tmp_path / "copied")


def lines(home: Path) -> list[Line]:
    return list(LogReader(home / "state" / "demo" / "logs" / "engine.jsonl").lines(follow=False))


def keyturn(home: Path, *words: str) -> str:
    """What the command prints."""
    host = Host.of({"KEYTURN_HOME": str(home)})
    result = CliRunner().invoke(build(host), list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_log_has_a_line_for_each_new_fact(copied: Path) -> None:
    """SY-05: over two starts, none twice and none left out, in the words of the log pane."""
    play(copied, 10)

    journal = [r for r in read(copied / "state" / "demo" / "journal") if not isinstance(r.fact, RELEARNED)]
    logged = [line for line in lines(copied) if "record" in line]

    assert [line["record"] for line in logged] == [r.sequence for r in journal]
    assert [line["words"] for line in logged] == [in_words(r.fact) for r in journal]
    assert [line["event"] for line in logged] == [BY_TYPE[type(r.fact)].name for r in journal]
    assert {line["account"] for line in lines(copied)} == {"demo"}
    assert any(isinstance(r.fact, OrderFilled) for r in journal), "or this shows little"


def test_the_next_engine_logs_what_was_lost(copied: Path) -> None:
    """SY-05: the journal was synced, the log's last lines were lost."""
    whole = [line["record"] for line in lines(copied) if "record" in line]
    log = copied / "state" / "demo" / "logs" / "engine.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-25]))
    assert len([line for line in lines(copied) if "record" in line]) < len(whole)

    play(copied, 5)

    found = [line["record"] for line in lines(copied) if "record" in line]
    assert found[: len(whole)] == whole
    assert found == sorted(set(found))


def test_the_log_tells_an_orders_whole_chain(morning: Path) -> None:
    """SY-05: what `journal why` has of an order, its bar and its signal aside, and the calls beside it."""
    records = list(read(morning / "state" / "demo" / "journal"))
    order = next(r.fact.fill.client_order_id for r in records if isinstance(r.fact, OrderFilled))
    of_others = (BarClosed, SignalRaised, PositionChanged)
    chain = {r.sequence for r in chain_of(order, records) if not isinstance(r.fact, of_others)}

    printed = keyturn(morning, "engine", "logs", "--order", order[:8], "--json")
    found = [json.loads(text) for text in printed.splitlines()]

    assert chain <= {line.get("record") for line in found}
    calls = [line for line in found if line["event"] == "call"]
    assert {"figures", "submit"} <= {line["request"].split("-")[0] for line in calls}
    assert all(line["seconds"] >= 0 for line in calls)


def test_the_log_is_counted_by_the_command(morning: Path) -> None:
    """SY-06: each line once; one of the two counts at a time, and not while following"""
    found = lines(morning)
    warned = [line for line in found if line["level"] in ("warning", "error", "critical")]
    calls = [line for line in found if line["event"] == "call"]

    counted = json.loads(keyturn(morning, "engine", "logs", "--summary", "--json"))["problems"]
    asked = json.loads(keyturn(morning, "engine", "logs", "--requests", "--json"))["requests"]

    assert sum(kind["count"] for kind in counted) == len(warned) > 0
    assert sum(each["requests"] for each in asked) == len(calls) > 0
    for wrong in (["--summary", "--requests"], ["--summary", "-f"], ["--requests", "-n", "5"], ["--csv", "x"]):
        with pytest.raises(OperatorError):
            keyturn(morning, "engine", "logs", *wrong)


def test_the_log_hides_secrets(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SY-05, SY-06: looked for in the bytes of every file of the log."""
    with demo(tmp_path) as (runtime, _):
        runtime.engine.say(f"a note of a start with {PLANTED}")
        runtime.run(until=runtime.at + timedelta(minutes=3))
        logging.getLogger("websockets.client").error("closed, token=%s", "tok-planted-by-a-library")
        runtime.stop("left")

    said = [(line["event"], line["words"]) for line in lines(tmp_path)]
    content = b"".join(file.read_bytes() for file in all_files(tmp_path / "state" / "demo" / "logs" / "engine.jsonl"))

    assert [pair for pair in said if pair[0] in ("note", "library")] == snapshot
    assert PLANTED.encode() not in content
    assert b"tok-planted" not in content


def test_a_fatal_error_is_logged_with_traceback(tmp_path: Path) -> None:
    """SY-05"""

    def fail() -> None:
        raise RuntimeError(f"with {PLANTED}")

    def play_on() -> None:
        with demo(tmp_path) as (runtime, _):
            runtime.each_beat(fail)
            runtime.beat()

    with pytest.raises(RuntimeError):
        play_on()

    last = next(line for line in lines(tmp_path) if line["event"] == "exception")
    assert last["level"] == "critical"
    assert "in fail" in last["traceback"]
    assert PLANTED not in json.dumps(last)


def test_neither_an_unwritable_log_nor_a_raising_listener_holds_orders_up(tmp_path: Path) -> None:
    """SY-05, SP-06, EX-22: the log is reported"""
    logs = tmp_path / "state" / "demo" / "logs"
    logs.mkdir(parents=True)
    (logs / "engine.jsonl").symlink_to("/dev/full")

    def cannot_count(_call: object) -> None:
        raise RuntimeError("cannot count")

    with demo(tmp_path) as (runtime, log):
        runtime.add_call_listener(cannot_count)
        runtime.run(until=runtime.at + timedelta(minutes=20))
        log.settle()
        runtime.beat()

        assert any(f"{logs / 'engine.jsonl'} cannot be written" in note for note in runtime.engine.notes)
        assert runtime.engine.state.control.refusal() is None
        assert runtime.engine.state.ledger.state.orders_sent > 0


def test_an_empty_log_says_what_would_fill_it(tmp_path: Path) -> None:
    """SY-05"""
    with ExitStack() as stack:
        demo_runtime(Host.of({"KEYTURN_HOME": str(tmp_path)}), BUSY, stack)

    assert "`keyturn demo --headless`" in keyturn(tmp_path, "engine", "logs")


def test_the_log_command_filters_and_names_damage(copied: Path) -> None:
    """SY-05"""
    log = copied / "state" / "demo" / "logs" / "engine.jsonl"
    with log.open("ab") as file:
        file.write(b"rubbish\n")
    number_of_lines = log.read_bytes().count(b"\n")

    everything = keyturn(copied, "engine", "logs", "--since", "1d").splitlines()
    with_routine = keyturn(copied, "engine", "logs", "--since", "1d", "--level", "debug").splitlines()
    assert len(with_routine) > len(everything)

    assert len(keyturn(copied, "engine", "logs", "-n", "3").splitlines()) == 4
    assert f"engine.jsonl, line {number_of_lines}" in keyturn(copied, "engine", "logs", "-n", "0")
    warnings = keyturn(copied, "engine", "logs", "--since", "1d", "--level", "warning").splitlines()[:-1]
    assert 0 < len(warnings) < len(everything)
    assert not [line for line in warnings if " info " in line]
    late = keyturn(copied, "engine", "logs", "--since", "2m").splitlines()
    assert 0 < len(late) < len(everything)
    for wrong in (["--since", "soon"], ["--level", "loud"], ["--order", "zz"]):
        with pytest.raises(OperatorError):
            keyturn(copied, "engine", "logs", *wrong)


def test_a_reader_follows_over_a_rotation(tmp_path: Path) -> None:
    """SY-05: moved away by logrotate under a running reader, and under a running engine."""
    path = tmp_path / "state" / "demo" / "logs" / "engine.jsonl"
    tries = iter(range(1000))
    found = LogReader(path).lines(follow=True, wait=lambda: next(tries) and None)
    with demo(tmp_path) as (runtime, log):
        runtime.run(until=runtime.at + timedelta(minutes=8))
        log.settle()
        assert next(line for line in found if line["event"] == "EngineStarted")
        path.rename(path.with_name("engine.jsonl.1"))
        runtime.play(runtime.at + timedelta(minutes=8))
        runtime.stop("left over a rotation")
        log.settle()
        assert next(line for line in found if line["event"] == "EngineStopped")

    assert path.with_name("engine.jsonl.1").exists()
    assert path.exists()
