"""An agent after the close in real processes: it is bounded in time and output, and nothing of it stays (AN-06)."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

import orjson

from core.messages.effects import MakeReport
from core.messages.inputs import ReportAnswered
from core.model.report_sheet import ReportSheet
from core.runtime.notifier.reports import ReportMaker
from core.settings.service import ReportAgentSettings
from tests.real.tools import is_running
from tests.real.waiting import until

SHEET = ReportSheet("Thursday", "equity +1.00 USD")
PRINTS = (sys.executable, "-c", f"print({orjson.dumps(asdict(SHEET)).decode()!r})")


def summarised(folder: Path, script: str, *, seconds: int = 60) -> ReportAnswered:
    program = folder / "agent"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    agent = ReportAgentSettings(name="claude", command=(str(program),), seconds=seconds)
    environ = {**os.environ, "APCA_API_SECRET_KEY": "a-secret"}  # pragma: allowlist secret
    return ReportMaker(lambda _day, _week: PRINTS, agent, environ)(MakeReport(date(2026, 11, 19), is_week=False))


def test_an_agent_reads_the_report_and_its_environment_is_bare(tmp_path: Path) -> None:
    """AN-06, SY-06: it runs in the root folder, with no key and no open file of the engine"""
    found = summarised(
        tmp_path, f"cat > {tmp_path}/read; env > {tmp_path}/env; [ $PWD = / ] && echo root; ls /dev/fd | wc -l"
    )

    assert found.sheets[0].words == ("root", "4")
    assert (tmp_path / "read").read_text() == "Thursday\nequity +1.00 USD\n"
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert names <= {"PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PWD", "SHLVL", "_", "OLDPWD"}


def test_an_agent_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """AN-06"""
    pids = tmp_path / "pids"
    found = summarised(tmp_path, f"sleep 1000 &\necho $! $$ > {pids}\nwait", seconds=1)

    assert found.sheets == (SHEET,)
    assert "1 s" in found.agent_fault
    for pid in map(int, pids.read_text().split()):
        until(lambda pid=pid: not is_running(pid), "its end")


def test_an_agent_that_prints_without_end_is_ended(tmp_path: Path) -> None:
    """AN-06"""
    pid = tmp_path / "pid"
    found = summarised(tmp_path, f"echo $$ > {pid}\nexec yes a lot of words")

    assert found.sheets == (SHEET,)
    assert "printed more" in found.agent_fault
    until(lambda: not is_running(int(pid.read_text())), "its end")


def test_what_an_agent_leaves_behind_is_ended(tmp_path: Path) -> None:
    """AN-06: it answers, and its child stays"""
    pid = tmp_path / "pid"
    found = summarised(tmp_path, f"sleep 1000 > /dev/null & echo $! > {pid}\necho calm")

    assert found.sheets[0].words == ("calm",)
    until(lambda: not is_running(int(pid.read_text())), "its end")


def test_an_agent_that_does_not_read_is_no_obstacle(tmp_path: Path) -> None:
    """AN-06"""
    found = summarised(tmp_path, "echo calm")

    assert (found.sheets[0].words, found.agent_fault) == (("calm",), "")


def test_an_agent_that_is_missing_leaves_the_report(tmp_path: Path) -> None:
    """AN-06"""
    agent = ReportAgentSettings(name="claude", command=(str(tmp_path / "none"),))
    found = ReportMaker(lambda _day, _week: PRINTS, agent, os.environ)(MakeReport(date(2026, 11, 19), is_week=False))

    assert found.sheets == (SHEET,)
    assert "cannot be started" in found.agent_fault
