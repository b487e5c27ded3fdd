"""Pictures are kept beside their test, one SVG each; `make snapshots` takes them anew."""

from __future__ import annotations

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion

from tests.kit.screen import drawn_on_demand
from tests.kit.style_cache import remembered
from tests.kit.virtual_time import VirtualLoop, patched
from tests.snapshots.pictures import Views


def pytest_asyncio_loop_factories() -> dict[str, type[VirtualLoop]]:
    return {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
def _a_terminal_of_all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the terminal is that the tests run in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def _in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch)
    drawn_on_demand(monkeypatch)
    remembered(monkeypatch)


@pytest.fixture
def pictures(snapshot: SnapshotAssertion) -> Views:
    return Views(snapshot.use_extension(SVGImageExtension))
