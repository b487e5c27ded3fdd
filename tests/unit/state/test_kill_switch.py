"""The latch outside the journal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from core.ports import KillSwitch
from state.folders import AccountFolder
from state.kill_switch import FileKillSwitch, asks_to_flatten


@pytest.fixture
def folder(tmp_path) -> AccountFolder:
    account = AccountFolder(tmp_path / "paper")
    account.prepare()
    return account


def test_the_file_kills_until_it_is_gone(folder):
    """OP-08"""
    switch: KillSwitch = FileKillSwitch(folder, {})
    assert switch.is_on() is None
    switch.latch("key")
    assert switch.is_on() == "file"
    assert FileKillSwitch(folder, {}).is_on() == "file"
    assert folder.kill_switch.stat().st_mode & 0o777 == 0o600
    switch.release()
    switch.release()
    assert switch.is_on() is None


def test_an_empty_file_made_by_hand_kills(folder):
    """OP-08"""
    folder.kill_switch.touch()
    switch = FileKillSwitch(folder, {})
    assert (switch.is_on(), switch.set_by(), asks_to_flatten(switch.set_by())) == ("file", (), False)


@pytest.mark.parametrize(("value", "door"), [("1", "environment"), ("yes", "environment"), ("0", None), ("", None)])
def test_the_environment_kills_and_in_doubt_it_does(folder, value, door):
    """OP-08"""
    assert FileKillSwitch(folder, {"KEYTURN_KILL": value}).is_on() == door


def test_the_environment_stays_when_the_file_goes(folder):
    """OP-08"""
    switch = FileKillSwitch(folder, {"KEYTURN_KILL": "1"})
    switch.latch("command")
    assert switch.is_on() == "environment"
    switch.release()
    assert switch.is_on() == "environment"


def test_a_latch_that_cannot_be_looked_at_is_shut(folder):
    """OP-08: the folder's name is a file here, so the stat fails otherwise than by absence."""
    broken = AccountFolder(folder.path / "file")
    broken.path.touch()
    assert FileKillSwitch(broken, {}).is_on() == "file"


def test_the_words_say_who_and_whether_to_flatten(folder):
    """OP-08"""
    switch = FileKillSwitch(folder, {})
    assert switch.set_by() == ()
    switch.latch("key\nof the desk")
    assert not asks_to_flatten(switch.set_by())
    switch.latch("command", flatten=True)
    assert switch.set_by() == ("key of the desk", "command flatten")
    assert asks_to_flatten(switch.set_by())


def test_a_full_disk_still_latches(folder):
    """OP-08, SP-06: that something is there is the latch; a device is written no word, /dev/full would take none."""
    folder.kill_switch.symlink_to("/dev/full")
    switch = FileKillSwitch(folder, {})
    with pytest.raises(OSError, match="it is a device and no regular file"):
        switch.latch("key")
    assert switch.is_on() == "file"


def test_a_kill_on_a_full_disk_is_a_mere_change_of_a_name(folder: AccountFolder) -> None:
    """OP-07, SP-06: the words cannot be written, the latch is shut all the same and stays so."""
    switch = FileKillSwitch(folder, {})
    switch.prepare()
    program = (
        "import resource, signal, sys; from pathlib import Path;"
        "from state.folders import AccountFolder; from state.kill_switch import FileKillSwitch;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
        "FileKillSwitch(AccountFolder(Path(sys.argv[1])), {}).latch('key')"
    )

    ended = subprocess.run([sys.executable, "-c", program, str(folder.path)], capture_output=True, check=False)

    assert b"OSError" in ended.stderr
    assert switch.is_on() == "file"


def test_a_kill_from_elsewhere_since_the_last_look_outlives_a_release(folder):
    """OP-07, OP-08: REARM was typed for the kill that was seen."""
    desk, elsewhere = FileKillSwitch(folder, {}), FileKillSwitch(folder, {})
    desk.latch("key")
    assert desk.news() == ()
    elsewhere.latch("command", flatten=True)
    desk.release()
    assert (desk.is_on(), desk.news()) == ("file", ("command flatten",))
    desk.release()
    assert desk.is_on() is None
    elsewhere.latch("command")
    assert (desk.is_on(), desk.news()) == ("file", ("command",))


def test_a_kill_that_is_written_while_the_file_is_released_is_written_again(folder, monkeypatch):
    """OP-08: its writer had opened the file before it got another name."""
    desk, elsewhere = FileKillSwitch(folder, {}), FileKillSwitch(folder, {})
    desk.prepare()
    desk.latch("key")
    sync, was_released = os.fsync, []

    def releases_first(descriptor: int) -> None:
        if not was_released:
            was_released.append(True)
            folder.kill_switch.unlink()  # what a release does between the last look and its end
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", releases_first)
    elsewhere.latch("command")
    assert (desk.is_on(), desk.set_by()) == ("file", ("command",))
