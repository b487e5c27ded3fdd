"""An engine that cannot start: its own line is what a person is shown, by every way to start it."""

from __future__ import annotations

import shutil

from tests.real.account import Account
from tests.real.waiting import until

REASON = "a file stands where a folder belongs"


def test_its_own_line_is_shown_by_each_way_to_start(account: Account) -> None:
    """SY-01, SY-02: a file stands where its logs belong."""
    account.folder.prepare()
    shutil.rmtree(account.folder.logs)
    account.folder.logs.write_text("")

    answers: list[str] = []

    def fails() -> bool:
        answer = account.run("engine", "start")
        assert answer.returncode == 2
        answers.append(answer.stderr)
        return REASON in answer.stderr  # on a slow machine it may also be that nothing was there in time

    until(fails, lambda: answers)
    assert "watchdog" not in answers[-1]

    desk = account.desk((200, 40))
    desk.until_it_shows(REASON)
