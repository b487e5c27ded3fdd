"""What is run in the place of ssh, and what its end is called."""

from __future__ import annotations

import pytest

from console.client.ssh_link import NOBODY_THERE, OPTIONS, SshLink, checked, end_in_words, ssh_command
from core.ports import OperatorError
from tests.kit.rows import table


def test_ssh_asks_nothing_once_the_desk_runs() -> None:
    """SY-01"""
    asked = ssh_command("", "eve@server", is_first=True)
    assert asked == ["ssh", *OPTIONS, "eve@server", "keyturn", "relay"]
    assert ssh_command("", "eve@server", is_first=False) == [*asked[:-3], *NOBODY_THERE, *asked[-3:], "--no-start"]


def test_another_command_is_run_as_it_is_named() -> None:
    """SY-01"""
    named = ssh_command("ssh -F 'my conf'", "eve@server", is_first=False)
    assert named == ["ssh", "-F", "my conf", "eve@server", "keyturn", "relay", "--no-start"]
    with pytest.raises(OperatorError, match="KEYTURN_SSH=ssh 'x: No closing quotation"):
        ssh_command("ssh 'x", "eve@server", is_first=True)


@table("destination", "", "-oProxyCommand=evil", "a b", "a\nb", "\x1b[2J")
def test_a_destination_that_is_an_option_is_refused(destination: str) -> None:
    """SY-01, SY-06"""
    with pytest.raises(OperatorError, match="--host"):
        checked(destination)


@table(
    "status said words",
    (255, "Connection refused", "Connection refused"),
    (255, "Host key verification failed.", "Host key verification failed.; ssh needs you: leave, and attach again"),
    (2, "keyturn: relay: half a piece", "relay: half a piece"),
    (-9, "", "ssh was ended by SIGKILL"),
    (-99, "", "ssh ended with status -99"),
    (127, "", "finds no program `keyturn` (exit 127)"),
)
def test_the_end_of_ssh_is_its_last_line_or_status(status: int, said: str, words: str) -> None:
    """SY-01"""
    assert words in end_in_words("eve@server", status, said)


@table(
    "named words",
    ("/nonexistent", "/nonexistent cannot be started: No such file or directory; install ssh, or fix KEYTURN_SSH"),
    ("ssh 'x", "KEYTURN_SSH=ssh 'x: No closing quotation; fix it, or unset it to use ssh"),
)
def test_a_missing_program_is_reported(named: str, words: str) -> None:
    """SY-01: its thread never began."""
    link = SshLink("eve@server", named, show=print)
    with pytest.raises(OperatorError) as refused:
        link.begin(print)
    link.close()
    assert str(refused.value) == words
