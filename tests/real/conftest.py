"""Fixtures of the real tier, and the end of its run: how long it took, what is missing.

A case that needs a program which this machine does not have is skipped with the reason `needs NAME`; the last line of
the run counts them.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.real.account import Account
from tests.real.demo import Demo
from tests.real.terminal import RecordingDesk

HERE = Path(__file__).parent
BUDGET = 300.0
"""Seconds that the whole tier may take on two cores."""
CASE = 900
"""Seconds after which a case is given up: several waits may each take their limit."""
NEEDS = "needs "
BEGAN = time.monotonic()
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile the whole program again


@pytest.fixture(autouse=True, scope="module")
def strategy_processes() -> None:
    """They begin as they do for an operator."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., RecordingDesk]]:
    """Opens a recording desk: `terminal(scene)`, or `terminal(scene, shell)`."""
    with ExitStack() as stack:
        yield lambda *words: stack.enter_context(RecordingDesk(tmp_path, *words))


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Opens the real `keyturn demo` on one home: `demo()`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Demo(tmp_path, **options))


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with Account(tmp_path) as account:
        yield account


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(CASE))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Behind everything that pytest itself says."""
    result = yield
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(session.config, "workerinput"):
        for line in closing_lines(time.monotonic() - BEGAN, skipped(reporter)):
            reporter.write_line(line)
    return result


def skipped(reporter: Any) -> list[str]:
    """The reason of each case that was skipped."""
    reports = [report.longrepr for report in reporter.stats.get("skipped", ()) if isinstance(report.longrepr, tuple)]
    return [str(reason).removeprefix("Skipped: ") for *_, reason in reports]


def closing_lines(seconds: float, reasons: list[str]) -> Iterator[str]:
    if seconds > BUDGET:
        yield (
            f"the run took {seconds:.0f} s, and {BUDGET:.0f} s are planned: this machine is slow or busy; "
            "nothing here measures the product"
        )
    missing = Counter(reason.removeprefix(NEEDS) for reason in reasons if reason.startswith(NEEDS))
    if missing:
        yield "skipped for want of: " + ", ".join(f"{tool} {many}" for tool, many in sorted(missing.items()))
