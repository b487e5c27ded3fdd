"""The log of a demo without a desk: the journal's facts in words, an order's whole way, and a reader that follows."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from queue import Queue

import pytest
from typer.testing import CliRunner

from console.commands.assembly.host import Host
from console.commands.assembly.service import service_log
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.commands.program import build
from core.facts import RELEARNED, BarClosed, OrderFilled, PositionChanged, SignalRaised
from core.facts.registry import BY_TYPE
from core.ports import OperatorError
from core.runtime.virtual import VirtualRuntime
from core.views.event_text import in_words
from core.views.order_chain import chain_of
from state.journal import read
from state.service_log.log import ServiceLog
from state.service_log.reading import Line, LogReader
from state.service_log.rotation import all_files
from tests.kit.waiting import PATIENCE

BUSY = DemoOptions(operator="confirm-all")
PLANTED = "planted-in-the-environment"
PROGRAM = "import sys, app; sys.argv = ['keyturn', *sys.argv[1:]]; app.main()"


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


def lines(home: Path) -> list[Line]:
    return list(LogReader(home / "state" / "demo" / "logs" / "engine.jsonl").lines(follow=False))


def keyturn(home: Path, *words: str) -> str:
    """What the command prints."""
    host = Host.of({"KEYTURN_HOME": str(home)})
    result = CliRunner().invoke(build(host), list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_log_has_a_line_for_each_fact_that_is_not_heard_again(tmp_path: Path) -> None:
    """SY-05: over two starts, none twice and none left out, in the words of the log pane."""
    play(tmp_path, 20)
    play(tmp_path, 10)

    journal = [r for r in read(tmp_path / "state" / "demo" / "journal") if not isinstance(r.fact, RELEARNED)]
    logged = [line for line in lines(tmp_path) if "record" in line]

    assert [line["record"] for line in logged] == [r.sequence for r in journal]
    assert [line["words"] for line in logged] == [in_words(r.fact) for r in journal]
    assert [line["event"] for line in logged] == [BY_TYPE[type(r.fact)].name for r in journal]
    assert {line["account"] for line in lines(tmp_path)} == {"demo"}
    assert any(isinstance(r.fact, OrderFilled) for r in journal), "or this shows little"


def test_what_a_killed_engine_did_not_log_is_logged_by_the_next(tmp_path: Path) -> None:
    """SY-05: the journal was synced, the log's last lines were lost."""
    play(tmp_path, 20)
    whole = [line["record"] for line in lines(tmp_path) if "record" in line]
    log = tmp_path / "state" / "demo" / "logs" / "engine.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-25]))
    assert len([line for line in lines(tmp_path) if "record" in line]) < len(whole)

    play(tmp_path, 5)

    found = [line["record"] for line in lines(tmp_path) if "record" in line]
    assert found[: len(whole)] == whole
    assert found == sorted(set(found))


def test_the_lines_of_an_order_tell_its_whole_way(tmp_path: Path) -> None:
    """SY-05: what `journal why` has of an order, its bar and its signal aside, and the calls beside it."""
    play(tmp_path, 20)
    records = list(read(tmp_path / "state" / "demo" / "journal"))
    order = next(r.fact.fill.client_order_id for r in records if isinstance(r.fact, OrderFilled))
    of_others = (BarClosed, SignalRaised, PositionChanged)
    chain = {r.sequence for r in chain_of(order, records) if not isinstance(r.fact, of_others)}

    printed = keyturn(tmp_path, "engine", "logs", "--order", order[:8], "--json")
    found = [json.loads(text) for text in printed.splitlines()]

    assert chain <= {line.get("record") for line in found}
    calls = [line for line in found if line["event"] == "call"]
    assert {"figures", "submit"} <= {line["request"].split("-")[0] for line in calls}
    assert all(line["seconds"] >= 0 for line in calls)


def test_notes_libraries_and_threads_that_fail_are_logged_without_secrets(tmp_path: Path) -> None:
    """SY-05, SY-06: looked for in the bytes of every file of the log."""
    with demo(tmp_path) as (runtime, _):
        runtime.engine.say(f"a note of a start with {PLANTED}")
        runtime.run(until=runtime.at + timedelta(minutes=3))
        logging.getLogger("websockets.client").error("closed, token=%s", "tok-planted-by-a-library")
        runtime.stop("left")

    said = [(line["event"], line["words"]) for line in lines(tmp_path)]
    content = b"".join(file.read_bytes() for file in all_files(tmp_path / "state" / "demo" / "logs" / "engine.jsonl"))

    assert ("note", "a note of a start with (hidden)") in said
    assert ("library", "closed, token=(hidden)") in said
    assert PLANTED.encode() not in content
    assert b"tok-planted" not in content


def test_a_failure_that_ends_the_engine_is_logged_with_its_traceback(tmp_path: Path) -> None:
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


def test_a_log_that_cannot_be_written_is_said_and_orders_go_on(tmp_path: Path) -> None:
    """SY-05, SP-06"""
    logs = tmp_path / "state" / "demo" / "logs"
    logs.mkdir(parents=True)
    (logs / "engine.jsonl").symlink_to("/dev/full")
    with demo(tmp_path) as (runtime, log):
        runtime.run(until=runtime.at + timedelta(minutes=20))
        ends = time.monotonic() + PATIENCE
        while log.trouble is None:
            assert time.monotonic() < ends
            time.sleep(0.01)
        runtime.beat()

        assert any(f"{logs / 'engine.jsonl'} cannot be written" in note for note in runtime.engine.notes)
        assert runtime.engine.state.control.refusal() is None
        assert runtime.engine.state.ledger.state.orders_sent > 0


def test_a_desk_that_starts_imports_nothing_of_the_service() -> None:
    """SY-05, SY-01: structlog and prometheus-client cost a start nothing."""
    looks = "import app, sys; print(sorted({'structlog', 'prometheus_client', 'http.server'} & set(sys.modules)))"
    desk = "import console.run, console.commands.program, console.commands.assembly.desks; "

    printed = subprocess.run([sys.executable, "-c", desk + looks], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"


def test_a_listener_that_raises_costs_no_answer(tmp_path: Path) -> None:
    """SY-05, EX-22"""

    def cannot_count(_call: object) -> None:
        raise RuntimeError("cannot count")

    with demo(tmp_path) as (runtime, _):
        runtime.add_call_listener(cannot_count)
        runtime.run(until=runtime.at + timedelta(minutes=20))

        assert runtime.engine.state.control.refusal() is None
        assert runtime.engine.state.ledger.state.orders_sent > 0


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_log_says_what_would_fill_it(tmp_path: Path) -> None:
    """SY-05"""
    with ExitStack() as stack:
        demo_runtime(Host.of({"KEYTURN_HOME": str(tmp_path)}), BUSY, stack)

    assert "`keyturn demo --headless`" in keyturn(tmp_path, "engine", "logs")


def test_the_command_chooses_by_level_time_and_count_and_names_damage(tmp_path: Path) -> None:
    """SY-05"""
    play(tmp_path, 20)
    log = tmp_path / "state" / "demo" / "logs" / "engine.jsonl"
    with log.open("ab") as file:
        file.write(b"rubbish\n")

    everything = keyturn(tmp_path, "engine", "logs", "--since", "1d").splitlines()
    with_routine = keyturn(tmp_path, "engine", "logs", "--since", "1d", "--level", "debug").splitlines()
    assert len(with_routine) > len(everything)

    assert len(keyturn(tmp_path, "engine", "logs", "-n", "3").splitlines()) == 4
    assert "1 damaged line left out: engine.jsonl, line" in keyturn(tmp_path, "engine", "logs", "-n", "0")
    warnings = keyturn(tmp_path, "engine", "logs", "--since", "1d", "--level", "warning").splitlines()[:-1]
    assert 0 < len(warnings) < len(everything)
    assert not [line for line in warnings if " info " in line]
    late = keyturn(tmp_path, "engine", "logs", "--since", "2m").splitlines()
    assert 0 < len(late) < len(everything)
    for wrong in (["--since", "soon"], ["--level", "loud"], ["--order", "zz"]):
        with pytest.raises(OperatorError):
            keyturn(tmp_path, "engine", "logs", *wrong)


def test_a_reader_in_a_process_of_its_own_follows_over_a_rotation(tmp_path: Path) -> None:
    """SY-05: moved away by logrotate under a running reader, and under a running engine."""
    log = tmp_path / "state" / "demo" / "logs" / "engine.jsonl"
    with demo(tmp_path) as (runtime, _):
        runtime.run(until=runtime.at + timedelta(minutes=8))
        reader = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "engine", "logs", "-f", "--account", "demo"],
            env={**os.environ, "KEYTURN_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            printed: Queue[str] = Queue()
            assert reader.stdout is not None
            threading.Thread(target=_pass_on, args=(reader.stdout, printed), daemon=True).start()
            _until(printed, "EngineStarted")
            log.rename(log.with_name("engine.jsonl.1"))
            runtime.play(runtime.at + timedelta(minutes=8))
            runtime.stop("left over a rotation")
            _until(printed, "left over a rotation")
        finally:
            reader.kill()
            reader.wait()

    assert log.with_name("engine.jsonl.1").exists()
    assert log.exists()


def _pass_on(output: object, printed: Queue[str]) -> None:
    for line in output:  # type: ignore[attr-defined]
        printed.put(line)


def _until(printed: Queue[str], words: str) -> None:
    while words not in printed.get(timeout=PATIENCE):
        pass
