"""A disk for tests of what is written, not of when it is safe."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for the platter: no crash here is one of the machine."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
