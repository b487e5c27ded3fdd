"""Where things live, and that nobody else can read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from state.files import AccountFolder, AccountNameError, Home, SharedFolderError, make_folder
from state.running_engine import EngineLock, Heartbeat, Status, last_account


def a_status(account: str) -> Status:
    return Status("trading", 1, "paper", 0, 0, 0, 0, 0, account)


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_keyturn_home_moves_everything_at_once(tmp_path):
    """SP-04"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path), "XDG_CONFIG_HOME": "/elsewhere"})
    assert home.settings == tmp_path / "settings.toml"
    assert home.account("paper").path == tmp_path / "state" / "paper"


def test_without_it_the_xdg_folders_hold_them(tmp_path, monkeypatch):
    """SP-04"""
    assert Home.of({"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}) == Home(
        Path("/c/keyturn/settings.toml"), Path("/s/keyturn")
    )
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home.of({}).settings.is_relative_to(tmp_path)
    assert Home.of({}).state.name == "keyturn"


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "a/b", ".hidden", "a\n", "-f", "a b", "x" * 65, "ä"])
def test_a_name_with_a_path_is_no_account(tmp_path, name):
    """SP-04"""
    with pytest.raises(AccountNameError):
        Home.of({"KEYTURN_HOME": str(tmp_path)}).account(name)


def test_folders_are_private_whatever_the_umask(tmp_path):
    """SP-04"""
    before = os.umask(0)
    try:
        folder = AccountFolder(tmp_path / "state" / "paper")
        assert folder.prepare() == ()
    finally:
        os.umask(before)
    assert [mode_of(path) for path in (folder.path, folder.journal, folder.backups)] == [0o700] * 3


def test_folders_that_another_command_made_are_no_repair(tmp_path):
    """SP-04: a sweep makes the home, and a demo after it has nothing to mend"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "new" / "home")})

    assert make_folder(home.state) is None
    assert home.account("demo").prepare() == ()
    assert [mode_of(path) for path in (tmp_path / "new", tmp_path / "new" / "home", home.state)] == [0o700] * 3


def test_wide_permissions_are_narrowed(tmp_path, snapshot):
    """SP-04"""
    folder = AccountFolder(tmp_path / "paper")
    folder.prepare()
    folder.documents.write_text("{}")
    folder.documents.chmod(0o644)
    folder.journal.chmod(0o755)

    assert folder.prepare() == snapshot
    assert (mode_of(folder.documents), mode_of(folder.journal)) == (0o600, 0o700)
    assert folder.prepare() == ()


def test_the_home_is_private(tmp_path):
    """SP-04"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    before = os.umask(0)
    try:
        assert home.account("paper").prepare() == ()
    finally:
        os.umask(before)
    assert [mode_of(path) for path in (tmp_path / "home", home.state)] == [0o700] * 2


def test_a_home_with_wide_permissions_is_narrowed(tmp_path, snapshot):
    """SP-04"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    home.account("paper").prepare()
    (tmp_path / "home").chmod(0o755)
    home.state.chmod(0o777)

    (folder,) = home.accounts()

    assert folder.prepare() == snapshot


def test_a_shared_folder_is_no_home(tmp_path):
    """SP-04"""
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)

    with pytest.raises(SharedFolderError, match="a folder for everybody"):
        Home.of({"KEYTURN_HOME": str(shared)}).account("paper").prepare()

    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_a_folder_of_another_user_is_refused(tmp_path):
    """SP-04"""
    (tmp_path / "paper").mkdir()
    try:
        os.chown(tmp_path / "paper", 12345, 12345)
    except PermissionError:
        pytest.skip("needs root, who alone can give a folder away")
    with pytest.raises(PermissionError, match="another user"):
        AccountFolder(tmp_path / "paper").prepare()


def test_the_last_account_runs_or_ran_last(tmp_path):
    """SP-04"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    assert last_account(home) is None
    older, newer, never = (home.account(name) for name in ("older", "newer", "never"))
    for folder in (older, newer, never):
        folder.prepare()
    for second, folder in enumerate((older, newer)):
        Heartbeat(folder).beat(a_status(folder.name))
        os.utime(folder.heartbeat, (second, second))
    (home.state / ".cache").mkdir()

    assert [folder.name for folder in home.accounts()] == ["never", "newer", "older"]
    assert last_account(home) == newer
    with EngineLock(older):
        assert last_account(home) == older
    with EngineLock(never):
        assert last_account(home) == never
