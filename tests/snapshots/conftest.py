"""Pictures are kept beside their test, one text file each; `make snapshots` takes them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from console.desk import Desk
from tests.snapshots.picture import picture


class TextFile(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    _file_extension = "txt"

    def serialize(self, data: Any, **_: Any) -> str:
        return str(data)


@pytest.fixture
def looks_as_before(snapshot: SnapshotAssertion) -> Callable[[Desk], None]:
    """Whether the desk's screen is, character by character and style by style, the one that was kept."""
    kept = snapshot.use_extension(TextFile)

    def compare(desk: Desk) -> None:
        assert picture(desk) == kept

    return compare
