"""Desks of the accidents start with style sheets that remember."""

from __future__ import annotations

import pytest

from tests.kit.style_cache import remembered


@pytest.fixture(autouse=True)
def _styles_once(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered(monkeypatch)
