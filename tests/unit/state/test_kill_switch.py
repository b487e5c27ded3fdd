"""The latch outside the journal."""

from __future__ import annotations

import os

import pytest

from core.ports import KillSwitch
from state.files import AccountFolder
from state.kill_switch import FileKillSwitch, asks_to_flatten, reason_in
from tests.unit.state.disks import a_disk_that_takes


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


def a_dangling_link(path):
    path.symlink_to(path.parent / "nowhere" / "file")


def a_circle(path):
    path.symlink_to(path)


def a_device(path):
    path.symlink_to("/dev/full")


ANYTHING = {"device": a_device, "dangling": a_dangling_link, "circle": a_circle, "pipe": os.mkfifo, "folder": os.mkdir}


@pytest.mark.parametrize("made", ANYTHING.values(), ids=ANYTHING)
def test_anything_at_its_path_kills(folder, made):
    """OP-08: until a person takes it back"""
    switch = FileKillSwitch(folder, {})
    made(folder.kill_switch)
    before = switch.is_on()
    switch.release()

    assert (before, switch.is_on()) == ("file", None)


@pytest.mark.parametrize("made", ANYTHING.values(), ids=ANYTHING)
@pytest.mark.parametrize("is_prepared", [True, False])
def test_a_kill_latches_over_anything(folder, made, is_prepared):
    """OP-08: the name is never free meanwhile; over a folder the words alone are lost"""
    switch = FileKillSwitch(folder, {})
    if is_prepared:
        switch.prepare()
    made(folder.kill_switch)
    if made is os.mkdir:
        with pytest.raises(OSError, match="kill_switch"):
            switch.latch("key", flatten=True)
    else:
        switch.latch("key", flatten=True)

    assert switch.is_on() == "file"
    assert switch.set_by() == (() if made is os.mkdir else ("key flatten",))


@pytest.mark.parametrize("made", ANYTHING.values(), ids=ANYTHING)
def test_a_kill_needs_nothing_that_lies_ready(folder, made):
    """OP-08: whatever stands in the place of the file that is laid ready for it"""
    made(folder.kill_switch.with_name(".kill_switch_ready"))
    switch = FileKillSwitch(folder, {})
    switch.latch("key")

    assert (switch.is_on(), switch.set_by()) == ("file", ("key",))


@pytest.mark.parametrize(("value", "door"), [("1", "environment"), ("yes", "environment"), ("0", None), ("", None)])
def test_the_environment_kills_also_in_doubt(folder, value, door):
    """OP-08"""
    assert FileKillSwitch(folder, {"KEYTURN_KILL": value}).is_on() == door


def test_the_environment_outlives_the_file(folder):
    """OP-08"""
    switch = FileKillSwitch(folder, {"KEYTURN_KILL": "1"})
    switch.latch("command")
    assert switch.is_on() == "environment"
    switch.release()
    assert switch.is_on() == "environment"


def test_an_unreadable_latch_is_shut(folder):
    """OP-08: the folder's name is a file here, so the stat fails otherwise than by absence."""
    broken = AccountFolder(folder.path / "file")
    broken.path.touch()
    assert FileKillSwitch(broken, {}).is_on() == "file"


def test_the_file_says_who_and_whether_to_flatten(folder):
    """OP-08"""
    switch = FileKillSwitch(folder, {})
    assert switch.set_by() == ()
    switch.latch("key\nof the desk")
    assert not asks_to_flatten(switch.set_by())
    switch.latch("command", flatten=True)
    assert switch.set_by() == ("key of the desk", "command flatten")
    assert asks_to_flatten(switch.set_by())


def test_a_kill_latches_on_a_full_disk(folder: AccountFolder) -> None:
    """OP-07, SP-06: the words cannot be written, the latch is shut all the same and stays so."""
    switch = FileKillSwitch(folder, {})
    switch.prepare()

    with a_disk_that_takes(0), pytest.raises(OSError, match=str(folder.path)):
        FileKillSwitch(folder, {}).latch("key")

    assert switch.is_on() == "file"


def test_an_unseen_kill_outlives_a_release(folder):
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


def test_a_kill_during_a_release_is_written_again(folder, monkeypatch):
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


def another_kill(folder: AccountFolder) -> None:
    """As another process does it, with a switch of its own."""
    switch = FileKillSwitch(folder, {})
    switch.latch("command", flatten=True)
    switch.prepare()


def test_a_simultaneous_kill_keeps_its_line(folder, monkeypatch):
    """OP-08: it creates the file when this one has seen that there is none; its word and its flattening stay."""
    desk = FileKillSwitch(folder, {})
    desk.prepare()
    was_beaten = []

    def beaten(does):
        def moves(*args, **kwargs):
            if not was_beaten:
                was_beaten.append(True)
                another_kill(folder)
            return does(*args, **kwargs)

        return moves

    monkeypatch.setattr(os, "link", beaten(os.link))
    monkeypatch.setattr(os, "rename", beaten(os.rename))
    desk.latch("key")

    assert was_beaten
    assert set(desk.set_by()) == {"command flatten", "key"}
    assert desk.news() == ("command flatten",)
    desk.release()
    assert desk.set_by() == ()


def test_a_kill_before_the_words_keeps_its_line(folder, monkeypatch):
    """OP-08: this one has just given the empty file its name."""
    desk = FileKillSwitch(folder, {})
    desk.prepare()
    sync, was_beaten = os.fsync, []

    def beaten(descriptor: int) -> None:
        if not was_beaten:
            was_beaten.append(True)
            another_kill(folder)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", beaten)
    desk.latch("key")

    assert set(desk.set_by()) == {"command flatten", "key"}


@pytest.mark.parametrize("left", ["the words of an older kill", ""])
def test_a_kill_ignores_what_a_crash_left(folder, left):
    """OP-08: a process died between the two names of one file, and the kill was released since."""
    desk = FileKillSwitch(folder, {})
    desk.prepare()
    ready = folder.path / ".kill_switch_ready"
    desk.latch("command", flatten=True)
    os.link(folder.kill_switch, ready) if left else ready.unlink(missing_ok=True)
    assert desk.news() == ()
    desk.release()

    desk.latch("key")

    assert desk.set_by() == ("key",)
    assert FileKillSwitch(folder, {}).news() == ("key",)


def test_a_disk_without_hard_links_latches(folder, monkeypatch):
    """OP-08"""

    def unknown(*_args, **_kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    desk = FileKillSwitch(folder, {})
    desk.prepare()
    desk.latch("key")

    assert (desk.is_on(), desk.set_by()) == ("file", ("key",))


def test_a_reason_that_says_flatten_flattens_nothing(folder):
    """OP-08: the line is the command's, the reason the operator's; the last reason counts"""
    switch = FileKillSwitch(folder, {})
    switch.latch("command", reason="to flatten because\nSPY looks \x1b[31mwrong")
    assert not asks_to_flatten(switch.set_by())
    assert reason_in(switch.set_by()) == "to flatten because SPY looks \ufffd[31mwrong"

    switch.latch("command", flatten=True, reason="again")
    switch.latch("command")
    assert asks_to_flatten(switch.set_by())
    assert reason_in(switch.set_by()) == "again"
