"""Pictures of a real desk are the same at both ends, however long it is looked at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from core.protocol.changes import apply_changes, changes, encode_changes
from core.protocol.codec import decode_view, encode
from core.protocol.shapes import View
from tests.scenarios.test_the_stress_desk import the_stress_desk


def test_a_desk_of_many_positions_is_the_same_at_both_ends(tmp_path: Path) -> None:
    """SY-01: 30 positions, 60 orders, quotes and bars; each picture made of the one before it and its changes."""
    with the_stress_desk(tmp_path) as runtime:
        here = runtime.picture()
        there = decode_view(encode(here))
        assert (there, encode(there)) == (here, encode(here))
        for seconds in (0.1, 0.1, 0.1, 1, 30):
            runtime.run(until=runtime.at + timedelta(seconds=seconds))
            before, here = here, runtime.picture()
            told = encode_changes(changes(before, here))

            there = apply_changes(there, told, View)

            assert (there, encode(there)) == (here, encode(here))
            assert len(told) < len(encode(here)) / 2
