"""On the real desk in a pty, on each screen whose key acts on money: what is not the plain key sends nothing, and the
plain key acts. `make keys` tries the whole table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.soak.armed_terminal import SCREENS, ArmedTerminal


@pytest.mark.parametrize("letters", [SCREENS[:3], SCREENS[3:6], SCREENS[6:]])
def test_alt_a_cut_arrow_and_a_broken_answer_send_nothing_and_the_plain_key_does(tmp_path: Path, letters: str) -> None:
    """OP-04: three desks at once, because most of it is waiting"""
    with ThreadPoolExecutor(len(letters)) as pool:
        found = [*pool.map(lambda letter: what_is_wrong(tmp_path, letter), letters)]

    assert found == [None] * len(letters)


def what_is_wrong(folder: Path, letter: str) -> str | None:
    key = letter.encode()
    accidents: list[tuple[list[bytes], float]] = [
        ([b"\x1b[%d;4;%du" % (ord(letter.lower()), ord(letter)), b"\x1b[27;4;%d~" % ord(letter)], 0.0),
        ([b"\x1b[", key], 0.6),
        ([b"\x1b", key], 0.05),
        ([b"\x1bP", key], 0.8),
    ]
    with ArmedTerminal(folder, letter) as terminal:
        for parts, pause in accidents:
            if not terminal.waits_until_armed():
                return f"{letter} was not armed before {parts}: {terminal.what_it_shows()}"
            if terminal.comes(parts, pause):
                return f"{letter} acted by {parts}: {terminal.what_it_shows()}"
        if not terminal.waits_until_armed():
            return f"{letter} was not armed any more: {terminal.what_it_shows()}"
        terminal.read_for(0.5)
        return None if terminal.presses() else f"the plain {letter} did not act: {terminal.what_it_shows()}"
