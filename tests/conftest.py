"""What every run has in common: drawn examples are the same each time, and the last lines state cost and seed."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("same in each run", deadline=None, derandomize=True, database=None)
settings.load_profile("same in each run")

HERE = Path(__file__).parent
CPU = "cpu_seconds"


def cpu_seconds() -> float:
    """Of this process and of the processes that it has waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[CPU] = cpu_seconds()


class Cost:
    """CPU seconds of the workers, as each ends."""

    def __init__(self) -> None:
        self.of_workers = 0.0

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.of_workers += getattr(node, "workeroutput", {}).get(CPU, 0.0)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        report = terminalreporter.write_line
        seed = config.getoption("randomly_seed", None)
        for failed in (*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")):
            words = shlex.quote(f"--randomly-seed={seed} {shlex.quote(failed.nodeid)}")
            report(f"again: make {tier_of(failed.nodeid)} ARGS={words}")
        report(f"seed {seed}, {cpu_seconds() + self.of_workers:.0f} CPU seconds")


def tier_of(nodeid: str) -> str:
    return "test-real" if nodeid.startswith("tests/real") else "test"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Cost())
