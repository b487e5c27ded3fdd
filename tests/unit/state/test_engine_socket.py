"""The engine's socket: who may open it, what stands in its place, and what a killed engine leaves there."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from core.runtime.service.service import peer_of
from state.engine_socket import NoEngineError, SocketRefusedError, connected, listening


def test_the_socket_is_private_and_goes_with_its_engine(tmp_path: Path) -> None:
    """SY-01"""
    path = tmp_path / "engine.sock"
    with listening(path) as listener:
        found = path.lstat()
        assert stat.S_ISSOCK(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == 0o600
        here = connected(path, 1)
        there, _ = listener.accept()
        here.sendall(b"hello")
        assert there.recv(5) == b"hello"
        here.close()
        there.close()
    assert not path.exists()


def test_what_a_killed_engine_left_is_taken_away(tmp_path: Path) -> None:
    """SY-01"""
    path = tmp_path / "engine.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    with pytest.raises(NoEngineError, match="keyturn engine start"):
        connected(path, 1)
    with listening(path):
        connected(path, 1).close()


@pytest.mark.parametrize("what", ["link", "file", "folder"])
def test_a_file_that_is_no_socket_stays(tmp_path: Path, what: str) -> None:
    """SY-01"""
    path = tmp_path / "engine.sock"
    if what == "link":
        other = tmp_path / "other.sock"
        with listening(other):
            path.symlink_to(other)
            with pytest.raises(SocketRefusedError, match=r"engine\.sock"):
                connected(path, 1)
            with pytest.raises(SocketRefusedError, match="move it away"), listening(path):
                pass
        assert path.is_symlink()
        return
    path.write_text("mine") if what == "file" else path.mkdir()
    with pytest.raises(SocketRefusedError, match=r"engine\.sock"):
        connected(path, 1)
    with pytest.raises(SocketRefusedError, match="move it away"), listening(path):
        pass
    assert path.exists()


def test_a_path_longer_than_an_address_works(tmp_path: Path) -> None:
    """SY-01: a home may lie deep"""
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    folder.mkdir(parents=True)
    path = folder / "engine.sock"
    assert len(os.fsencode(path)) > 107
    with listening(path) as listener:
        here = connected(path, 1)
        listener.accept()[0].close()
        here.close()
    assert not path.exists()


def test_nothing_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoEngineError, match="keyturn engine start"):
        connected(tmp_path / "engine.sock", 1)


def test_the_other_end_is_known_by_the_kernel(tmp_path: Path) -> None:
    """OP-13: whose process it is, never what it says"""
    with listening(tmp_path / "engine.sock") as listener:
        here = connected(tmp_path / "engine.sock", 1)
        there, _ = listener.accept()
        peer = peer_of(there)
        here.close()
        there.close()
    assert (peer.process, peer.user_number) == (os.getpid(), os.getuid())
    assert peer.is_ours


def test_another_users_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-01: whoever listens there reads what a desk says."""
    path = tmp_path / "engine.sock"
    with listening(path), monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: path.lstat().st_uid + 1)
        with pytest.raises(SocketRefusedError, match="another user's"):
            connected(path, 1.0)
