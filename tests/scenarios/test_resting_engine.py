"""An engine rests between two beats while no desk looks or nothing changes, and is awake for whoever comes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.model.values import Symbol
from core.runtime.virtual_time import BEAT, RESTING_BEAT
from core.views import DeskView
from tests.kit.served import served
from tests.kit.waiting import TIMEOUT, until

pytestmark = pytest.mark.usefixtures("timeline")


def test_an_engine_without_a_desk_beats_less_often(tmp_path: Path) -> None:
    """SY-05"""
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(tmp_path)}), DemoOptions(), stack)
        with served(runtime) as engine:
            until(lambda: runtime.has_changed() and runtime.beat_seconds() == RESTING_BEAT, "nobody is there")

            desk = engine.a_desk()
            desk.start()
            until(lambda: isinstance(desk.view, DeskView), "a picture")

            desk.leave("left", on_purpose=True)
            assert desk.close("left", TIMEOUT)
            until(lambda: runtime.beat_seconds() == RESTING_BEAT, "it left")


def test_a_watched_engine_beats_often_once_something_changed(tmp_path: Path) -> None:
    """SY-05"""
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(tmp_path)}), DemoOptions(), stack)
        runtime.view()
        beats = [runtime.beat_seconds()]

        runtime.watch(Symbol("SPY"))
        beats.append(runtime.beat_seconds())

        runtime.view()
        beats.append(runtime.beat_seconds())

    assert beats == [RESTING_BEAT, BEAT, RESTING_BEAT]


def test_a_view_keeps_its_number_until_something_differs(tmp_path: Path) -> None:
    """SY-05"""
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(tmp_path)}), DemoOptions(), stack)
        first, second = runtime.view(), runtime.view()

        runtime.watch(Symbol("SPY"))
        third = runtime.view()

    assert (second.number, third.number) == (first.number, first.number + 1)
    assert second.strategies is first.strategies
