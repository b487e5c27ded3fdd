"""The figures that the terminal tests measured, printed at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.real.account import House
from tests.real.demo import Demo
from tests.real.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Opens a desk in a pty: `terminal(scene)`."""
    with ExitStack() as stack:
        yield lambda scene: stack.enter_context(Terminal(tmp_path, scene))


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Opens the real `keyturn demo` in a pty, on one home: `demo()`."""
    with ExitStack() as stack:
        yield lambda **terms: stack.enter_context(Demo(tmp_path, **terms))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path) as house:
        yield house


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Keeps a figure for the end of the run."""

    def keep(name: str, figure: str) -> None:
        record_property(f"measured: {name}", figure)

    return keep


def pytest_terminal_summary(terminalreporter: Any) -> None:
    figures = [
        (name, value)
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name.startswith("measured: ")
    ]
    if figures:
        terminalreporter.section("measured on the pty")
    for name, value in figures:
        terminalreporter.write_line(f"{name.removeprefix('measured: ')}: {value}")
