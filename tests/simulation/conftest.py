"""Prints what the simulated days reached."""

from __future__ import annotations

from collections import Counter
from typing import Any

REACHED = "reached: "


def pytest_terminal_summary(terminalreporter: Any) -> None:
    totals: Counter[str] = Counter()
    told: list[tuple[str, str]] = []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name.startswith(REACHED):
                    totals[name.removeprefix(REACHED)] += value
                elif name.startswith("found: "):
                    told.append((name.removeprefix("found: "), value))
    if totals or told:
        terminalreporter.section("simulated days")
    if totals:
        terminalreporter.write_line(", ".join(f"{count:,} {name}" for name, count in totals.items()))
    for name, value in told:
        terminalreporter.write_line(f"{name}: {value}")
