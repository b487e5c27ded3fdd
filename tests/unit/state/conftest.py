"""A disk for tests of what is written, not of when it is safe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from state.files import AccountFolder


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for the platter: no crash here is one of the machine."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def folder(tmp_path: Path) -> AccountFolder:
    """Of an account, made and empty."""
    account = AccountFolder(tmp_path / "paper")
    account.prepare()
    return account
