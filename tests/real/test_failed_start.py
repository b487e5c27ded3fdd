"""An engine that cannot start: its own line is what a person is shown, by every way to start it."""

from __future__ import annotations

import shutil

from tests.real.account import House


def test_its_own_line_is_said_by_start_restart_and_the_desk(house: House) -> None:
    """SY-01, SY-02: a file stands where its logs belong."""
    house.folder.prepare()
    shutil.rmtree(house.folder.logs)
    house.folder.logs.write_text("")

    for words in (("engine", "start"), ("engine", "restart")):
        answer = house.run(*words)
        assert answer.returncode == 2
        assert "logs: a file stands where a folder belongs, move it away" in answer.stderr.replace("File exists; ", "")
        assert "watchdog" not in answer.stderr

    desk = house.desk((200, 40))
    desk.until_it_shows("a file stands where a folder belongs")
    desk.read_for(1.0)
    assert desk.shows("a file stands where a folder belongs"), "it is not forgotten by the next try"
