"""A fault of the figures that agents' facts are compared with keeps no order (OP-09)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.messages.command_ports import addressed
from core.messages.commands import Kill
from core.messages.effects import Effect, LatchKill
from core.runtime.virtual import VirtualRuntime


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[VirtualRuntime]:
    host = Host.of({"KEYTURN_HOME": str(tmp_path)})
    host.home.settings.parent.mkdir(parents=True, exist_ok=True)
    host.home.settings.write_text("[agents.claude]\n")
    with ExitStack() as stack:
        runtime = demo_runtime(host, DemoOptions(), stack)
        runtime.pace.speed = None
        runtime.run(until=runtime.at + timedelta(minutes=2))
        yield runtime


@pytest.mark.parametrize("place", ["hear_before", "hear_after"])
def test_a_fault_of_the_figures_keeps_no_effect(
    engine: VirtualRuntime, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """OP-09, OP-07: the kill leaves, and nothing is kept with which a fact could be compared wrongly"""

    def fails(*_about: object) -> NoReturn:
        raise ZeroDivisionError

    left: list[Effect] = []
    monkeypatch.setattr(engine, "_perform", left.append)
    monkeypatch.setattr(engine._figures, place, fails)
    assert engine.engine.state.sightings.figures.entries

    engine.take(engine.at, addressed(Kill("key"), engine.account))

    assert any(isinstance(effect, LatchKill) for effect in left)
    kept = engine.engine.state.sightings.figures
    assert kept.count == sum(map(len, kept.entries.values()))
    assert place == "hear_before" or kept.count == 0
